"""Modes of H.245 (C.9): what a far end would be sent, in the words of capabilities, and what lies within what.

Rule 1: a mode names all that is to be sent: a medium that it leaves out is not.
Rule 2: a mode says no more than a capability allows; where it does, the capability counts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firmware.call.media import CIF, CIF4, CIF16, QCIF, SUB_QCIF, Kind
from firmware.signaling import h323_formats
from firmware.signaling.h264_levels import MAX_BITRATES
from firmware.signaling.h323_formats import BITRATE_UNIT, FRAMES, Described, same
from firmware.signaling.h323_picture_sizes import CODECS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware.asn1 import Value
    from firmware.call.media import H264, Codec

_RESOLUTIONS: Final = {"sqcif": SUB_QCIF, "qcif": QCIF, "cif": CIF, "cif4": CIF4, "cif16": CIF16}
_LEVELS: Final = tuple(MAX_BITRATES)


def read_mode(elements: Iterable[Value]) -> dict[Kind, tuple[Described, ...]]:
    """Give what a ModeDescription asks for, by medium; (): something that we can't read."""
    found: dict[Kind, tuple[Described, ...]] = {}
    for element in elements:
        medium, mode = element["type"]
        if medium == "audioMode":
            found.setdefault(Kind.AUDIO, _read_audio(mode))
        elif medium == "videoMode":
            found.setdefault(Kind.VIDEO, _read_video(mode))
    return found


def within(theirs: Described, asked: Described) -> Described:
    """Give a capability of the far end's, with what it asked for as its limit."""
    bitrates = [bitrate for bitrate in (theirs.bitrate, asked.bitrate) if bitrate]
    return replace(theirs, codec=_smaller(theirs.codec, asked.codec), bitrate=min(bitrates, default=0))


def fits(codec: Codec, allowed: Codec) -> bool:
    """Whether who takes *allowed* takes *codec*, which is the same but for its limits."""
    if codec.h264 is not None and allowed.h264 is not None:
        return _h264_fits(codec.h264, allowed.h264)
    taken = {(size.width, size.height): size.interval for size in allowed.picture_sizes}
    return all(taken.get((size.width, size.height), size.interval + 1) <= size.interval for size in codec.picture_sizes)


def _h264_fits(h264: H264, allowed: H264) -> bool:
    ours, theirs = _LEVELS.index(h264.level), _LEVELS.index(allowed.level)
    more = any(
        mine > most
        for mine, most in (
            (h264.max_frame_size, allowed.max_frame_size),
            (h264.max_macroblock_rate, allowed.max_macroblock_rate),
            (h264.max_bitrate, allowed.max_bitrate),
        )
    )
    return ours <= theirs and not more


def _smaller(theirs: Codec, asked: Codec) -> Codec:
    if theirs.h264 is not None:
        return asked if fits(asked, theirs) else theirs
    sizes = {(size.width, size.height) for size in asked.picture_sizes}
    wanted = tuple(size for size in theirs.picture_sizes if (size.width, size.height) in sizes)
    return replace(theirs, picture_sizes=wanted or theirs.picture_sizes)


def _read_audio(mode: Value) -> tuple[Described, ...]:
    name, content = mode
    if name == "genericAudioMode":
        return tuple(h323_formats.read(("genericAudioCapability", content)))
    codec = h323_formats.AUDIO.get(name)
    return (Described(codec, packet_time=FRAMES / 1000),) if codec is not None else ()


def _read_video(mode: Value) -> tuple[Described, ...]:
    name, content = mode
    if name == "genericVideoMode":
        return tuple(h323_formats.read(("genericVideoCapability", content)))
    codecs = CODECS.get(name.replace("Mode", "Capability"), ())
    size = _RESOLUTIONS.get(content["resolution"][0]) if codecs else None
    if size is None:
        return ()
    bitrate = content["bitRate"] * BITRATE_UNIT
    return tuple(Described(replace(codec, picture_sizes=(size,)), bitrate=bitrate) for codec in codecs)


def first_same(ours: Codec, described: Iterable[Described]) -> Described | None:
    """Give the first that describes this codec."""
    return next((each for each in described if same(ours, each.codec)), None)
