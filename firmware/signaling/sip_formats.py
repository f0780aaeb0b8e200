"""Codecs in the words of SDP, and which of theirs is one of ours.

Rule 1: a payload type means what its ``rtpmap`` says; without one, what RFC 3551 6 says.
Rule 2: H.264 is agreed by profile and packetization mode, which both sides then keep, and by level, which is a limit of
the receiver and may go down (RFC 6184 8.2.2).
Rule 3: a unit that has Constrained Baseline has High and Main too: its decoders know them, and what its encoders make
is within them.  High is offered where Constrained Baseline is, and Main is taken.
Rule 4: H.261 and H.263 behind H.264 are not offered, which keeps an INVITE below 1,300 bytes (RFC 3261 18.1.1); one who
offers them gets them.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from firmware.call.media import H264, TELEPHONE_EVENT, Codec, Format, H264Profile, Kind
from firmware.rtp.h264 import PPS, SPS
from firmware.rtp.payload import DYNAMIC, STATIC, static_payload_type
from firmware.sdp import attributes
from firmware.signaling import sip_picture_sizes
from firmware.signaling.h264_levels import LEVEL_1B, MAX_BITRATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from firmware.sdp.session import MediaDescription

RTX: Final = "rtx"
"""The name of the payload format of retransmissions (RFC 4588 8).

It is taken where it is offered, and not offered: without encryption our INVITE is 1403 octets, which UDP carries in one
packet where TCP leads nowhere, and a line of rtx for each format of H.264 would make it two.  Who does not offer it is
sent the packet itself again.
"""
MAX_PARAMETER_SETS: Final = 16
"""Of one format; what a line of SDP has room for bounds their size."""
_RANK: Final = {level: rank for rank, level in enumerate(MAX_BITRATES)}

_PROFILES: Final = (
    (0x42, 0x40, 0x40, H264Profile.CONSTRAINED_BASELINE),
    (0x4D, 0x80, 0x80, H264Profile.CONSTRAINED_BASELINE),
    (0x58, 0xC0, 0xC0, H264Profile.CONSTRAINED_BASELINE),
    (0x42, 0x40, 0x00, H264Profile.BASELINE),
    (0x58, 0xC0, 0x80, H264Profile.BASELINE),
    (0x4D, 0xA0, 0x00, H264Profile.MAIN),
    (0x64, 0x00, 0x00, H264Profile.HIGH),  # whatever its constraints: Constrained High is a part of High
)
"""RFC 6184 table 5: profile_idc, mask and value of profile-iop, profile.  The lowest bits make no difference here."""
_OCTETS: Final = {
    H264Profile.CONSTRAINED_BASELINE: 0x42E0,
    H264Profile.BASELINE: 0x4200,
    H264Profile.MAIN: 0x4D00,
    H264Profile.HIGH: 0x6400,
}
"""What we write: profile_idc and profile-iop."""
_NO_FMO = frozenset({H264Profile.CONSTRAINED_BASELINE, H264Profile.BASELINE})
"""Rooms that say Baseline mean the constrained one: nobody sends its slice groups and arbitrary slice order."""

_USUAL: Final = {
    ("opus", 48_000, 0): 96,
    ("h264", 90_000, 1): 97,
    ("h264", 90_000, 0): 98,
    ("h263-1998", 90_000, 0): 99,
    ("h264 high", 90_000, 1): 100,
    ("telephone-event", 8_000, 0): 101,
    ("telephone-event", 48_000, 0): 102,
}
"""Dynamic payload types that others use for the same: name, clock rate, packetization mode -> number."""


@dataclass(frozen=True, slots=True)
class RemoteFormat:
    """A format of the far end's description."""

    payload_type: int
    codec: Codec
    """As far as we know its parameters."""
    level_asymmetry: bool = False
    """H264: the levels of the two directions need not be the same (level-asymmetry-allowed)."""
    profile: int = 0
    """H264: profile_idc and profile-iop as they were written; an answer repeats them."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """A format that both sides have."""

    receive: Format
    """Under our payload type, with our limits."""
    send: Format
    """Under their payload type, with their limits."""
    fmtp: str
    """Parameters that an answer says for it, or ""."""


def read_formats(media: MediaDescription, kind: Kind) -> tuple[RemoteFormat, ...]:
    """Give the formats of an RTP line in the far end's order, known to us or not."""
    maps, fmtps = attributes.rtpmaps(media), attributes.fmtps(media)
    found = []
    for payload_type in attributes.payload_types(media):
        rtpmap = maps.get(payload_type)
        if rtpmap is not None:
            codec = Codec(rtpmap.name, kind, rtpmap.clock_rate, rtpmap.channels)
        elif payload_type in STATIC:
            codec = STATIC[payload_type]
        else:
            continue
        if codec.name.lower() == "h264":
            remote = _read_h264(payload_type, codec, fmtps.get(payload_type, ""))
        elif sip_picture_sizes.ours(codec.name):
            remote = RemoteFormat(payload_type, sip_picture_sizes.read(codec, fmtps.get(payload_type, "")))
        else:
            remote = RemoteFormat(payload_type, codec)
        if remote is not None:
            found.append(remote)
    return tuple(found)


def agree(ours: Codec, theirs: RemoteFormat, payload_type: int | None = None) -> Agreed | None:
    """Match a codec of ours with a format of theirs; None: they are not the same.

    *payload_type* is ours, where it is not the same as theirs.
    """
    codec = theirs.codec
    number = theirs.payload_type if payload_type is None else payload_type
    name = (sip_picture_sizes.ours(codec.name) or codec.name).lower()
    if (ours.name.lower(), ours.clock_rate, ours.channels) != (name, codec.clock_rate, codec.channels):
        return None
    if ours.picture_sizes:
        sizes = sip_picture_sizes.shared(ours, codec)
        if not sizes:
            return None
        taken = Format(theirs.payload_type, replace(codec, picture_sizes=sizes))
        return Agreed(Format(number, replace(ours, name=codec.name)), taken, sip_picture_sizes.fmtp(sizes))
    if ours.h264 is None or codec.h264 is None:
        fmtp = fmtp_of(ours)
        return Agreed(Format(number, ours), Format(theirs.payload_type, ours), fmtp)
    mine, far = ours.h264, codec.h264
    same_profile = mine.profile is far.profile or {mine.profile, far.profile} <= _NO_FMO
    # RFC 6184 8.2.2: mode is one value for both directions; who can take mode 1 can take mode 0.
    if not same_profile or far.packetization_mode > mine.packetization_mode:
        return None
    lower = min(mine.level, far.level, key=_RANK.__getitem__)
    # RFC 6184 8.1, level-asymmetry-allowed: only if both sides say it; we always do.
    receive_level, send_level = (mine.level, far.level) if theirs.level_asymmetry else (lower, lower)
    mode = far.packetization_mode
    receive = replace(
        ours,
        h264=replace(
            mine,
            profile=far.profile,
            level=receive_level,
            packetization_mode=mode,
            parameter_sets=far.parameter_sets,
        ),
    )
    send = replace(ours, h264=replace(far, level=send_level, parameter_sets=b""))
    assert receive.h264 is not None
    fmtp = _write_h264(receive.h264, theirs.profile, theirs.level_asymmetry)
    return Agreed(Format(number, receive), Format(theirs.payload_type, send), fmtp)


def retransmission(media: MediaDescription, payload_type: int) -> int | None:
    """Give the payload type under which packets of another go again (RFC 4588 8.1, 8.6); None: there is none."""
    fmtps = attributes.fmtps(media)
    numbers = attributes.payload_types(media)
    for number, rtpmap in attributes.rtpmaps(media).items():
        apt = attributes.parameters(fmtps.get(number, "")).get("apt")
        if rtpmap.name.lower() == RTX and number in numbers and apt == str(payload_type):
            return number
    return None


def fmtp_of(codec: Codec) -> str:
    """Give the parameters with which a codec of ours is offered, or ""."""
    if codec.h264 is not None:
        return _write_h264(codec.h264, _OCTETS[codec.h264.profile], asymmetry=True)
    if codec.picture_sizes:
        return sip_picture_sizes.fmtp(codec.picture_sizes)
    return _FMTP.get(codec.name, "")


_FMTP: Final = {
    "opus": "useinbandfec=1",  # RFC 7587 6.1: we decode the redundancy, so send it
    "telephone-event": "0-15",  # RFC 4733 7.1.1: the digits, * # A-D
}


def rtpmap_of(codec: Codec) -> str:
    """Give ``name/clock rate[/channels]``."""
    return str(attributes.RtpMap(codec.name, codec.clock_rate, codec.channels))


def identity(codec: Codec) -> tuple[object, ...]:
    """Give what makes a payload type's meaning: name, clock and, of H264, profile and mode."""
    h264 = (codec.h264.profile, codec.h264.packetization_mode) if codec.h264 is not None else ()
    return (codec.name.lower(), codec.clock_rate, codec.channels, *h264)


def variants(codecs: Sequence[Codec]) -> Iterator[Codec]:
    """Give the codecs as an offer lists them: H264 once for each packetization mode, telephone-event for each clock."""
    usable = [codec for codec in codecs if codec.name != TELEPHONE_EVENT.name]
    for place, codec in enumerate(usable):
        if codec.picture_sizes and any(before.h264 is not None for before in usable[:place]):
            continue
        if codec.h264 is not None and codec.h264.packetization_mode == 1:
            yield from (high for high in (_in_profile(codec, H264Profile.HIGH),) if high not in usable)
        yield codec
        if codec.h264 is not None and codec.h264.packetization_mode == 1:
            yield replace(codec, h264=replace(codec.h264, packetization_mode=0))
    if any(codec.name == TELEPHONE_EVENT.name for codec in codecs):
        # RFC 4733 2.4.1: events share the clock of the sound they stand in.
        for clock_rate in dict.fromkeys(codec.clock_rate for codec in usable):
            yield replace(TELEPHONE_EVENT, clock_rate=clock_rate)


def taken(codecs: Iterable[Codec]) -> Iterator[Codec]:
    """Give the codecs, and what else can be done by whoever has them."""
    for codec in codecs:
        yield codec
        if codec.h264 is not None and codec.h264.profile is H264Profile.CONSTRAINED_BASELINE:
            yield _in_profile(codec, H264Profile.HIGH)
            yield _in_profile(codec, H264Profile.MAIN)


def _in_profile(codec: Codec, profile: H264Profile) -> Codec:
    assert codec.h264 is not None
    return replace(codec, h264=replace(codec.h264, profile=profile))


def number(codecs: Iterable[Codec], taken: Iterable[int] = ()) -> tuple[Format, ...]:
    """Give each codec a payload type that is not *taken*: its static one, the usual one, or the next that is free."""
    used = set(taken)
    wanted = list(codecs)
    usual = [_usual(codec) for codec in wanted]
    formats = []
    for codec, preferred in zip(wanted, usual, strict=True):
        payload_type = preferred
        if payload_type is None or payload_type in used:
            payload_type = next((n for n in DYNAMIC if n not in used and n not in usual), None)
        if payload_type is not None:  # RFC 3551 3: 32 dynamic ones are all there are
            used.add(payload_type)
            formats.append(Format(payload_type, codec))
    return tuple(formats)


def _usual(codec: Codec) -> int | None:
    if codec.h264 is None:
        static = static_payload_type(codec)
        return static if static is not None else _USUAL.get((codec.name.lower(), codec.clock_rate, 0))
    name = "h264 high" if codec.h264.profile is H264Profile.HIGH else "h264"
    return _USUAL.get((name, codec.clock_rate, codec.h264.packetization_mode))


def _read_h264(payload_type: int, codec: Codec, fmtp: str) -> RemoteFormat | None:
    parameters = attributes.parameters(fmtp)
    # RFC 6184 8.1: without profile-level-id, Baseline without constraints at level 1.
    octets = parameters.get("profile-level-id", "42000a")
    mode = parameters.get("packetization-mode", "0")
    try:
        profile_idc, iop, level = bytes.fromhex(octets)
    except ValueError:
        return None
    profile = next((p for idc, mask, value, p in _PROFILES if idc == profile_idc and iop & mask == value), None)
    if profile is None or mode not in ("0", "1"):
        return None  # interleaved mode 2, or nothing that exists
    if level == 11 and iop & 0x10 and profile_idc != 0x64:
        level = LEVEL_1B  # RFC 6184 8.1, profile-level-id: constraint_set3 makes 1.1 to 1b
    if level not in MAX_BITRATES:
        level = max((known for known in MAX_BITRATES if known <= level and known != LEVEL_1B), default=10)
    h264 = H264(
        profile,
        level,
        int(mode),
        _limit(parameters, "max-fs"),
        _limit(parameters, "max-mbps"),
        _limit(parameters, "max-br") * 1000,
        _parameter_sets(parameters.get("sprop-parameter-sets", "")),
    )
    asymmetry = parameters.get("level-asymmetry-allowed") == "1"
    return RemoteFormat(payload_type, replace(codec, name="H264", h264=h264), asymmetry, profile_idc << 8 | iop)


def _parameter_sets(text: str) -> bytes:
    """Give the parameter sets of ``sprop-parameter-sets`` (RFC 6184 8.1) as Annex B, as far as they are some."""
    found = b""
    for part in text.split(",")[:MAX_PARAMETER_SETS]:
        try:
            unit = base64.b64decode(part.strip(), validate=True)
        except ValueError:  # no base64, or not even ASCII
            continue
        if unit and unit[0] & 0x1F in (SPS, PPS):
            found += b"\0\0\0\1" + unit
    return found


def _limit(parameters: dict[str, str], name: str) -> int:
    text = parameters.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= 7 else 0


def _write_h264(h264: H264, octets: int, asymmetry: bool) -> str:
    level = h264.level
    if octets >> 8 == 0x64:
        octets &= 0xFF0F | 0x0C
    else:
        octets &= ~0x10
        if level == LEVEL_1B:
            level, octets = 11, octets | 0x10
    written = [f"profile-level-id={octets:04x}{level:02x}", f"packetization-mode={h264.packetization_mode}"]
    if asymmetry:
        written.insert(1, "level-asymmetry-allowed=1")
    limits = {"max-fs": h264.max_frame_size, "max-mbps": h264.max_macroblock_rate, "max-br": h264.max_bitrate // 1000}
    return ";".join(written + [f"{name}={value}" for name, value in limits.items() if value])
