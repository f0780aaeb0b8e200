"""Modes read, and what lies within what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from firmware.call.media import CIF, CIF4, H261, H263, H264, H264_BASELINE, PCMU, QCIF, H264Profile, Kind, PictureSize
from firmware.signaling.h323_formats import Described, describe
from firmware.signaling.h323_mode import first_same, fits, read_mode, within


def h264(**limits: Any) -> Any:
    return replace(H264_BASELINE, h264=H264(H264Profile.CONSTRAINED_BASELINE, packetization_mode=0, **limits))


def element(medium: str, mode: Any) -> Any:
    return {"type": (medium, mode)}


def test_sound() -> None:
    (described,) = read_mode([element("audioMode", ("g711Ulaw64k", None))])[Kind.AUDIO]
    assert described == Described(PCMU, packet_time=0.02)
    assert read_mode([element("audioMode", ("g728", None))]) == {Kind.AUDIO: ()}


def test_pictures() -> None:
    content = {"resolution": ("cif4", None), "bitRate": 3840}
    found = read_mode([element("videoMode", ("h263VideoMode", content))])[Kind.VIDEO]
    assert {each.codec.name for each in found} == {"H263", "H263-1998"}
    assert {each.bitrate for each in found} == {384_000}
    assert all([(s.width, s.height) for s in each.codec.picture_sizes] == [(704, 576)] for each in found)
    content = {"resolution": ("qcif", None), "bitRate": 640}
    (described,) = read_mode([element("videoMode", ("h261VideoMode", content))])[Kind.VIDEO]
    assert described.codec.name == "H261"


def test_h264() -> None:
    _, content = describe(h264(level=22), 512_000)  # type: ignore[misc]
    (described,) = read_mode([element("videoMode", ("genericVideoMode", content))])[Kind.VIDEO]
    assert described == Described(h264(level=22), bitrate=512_000)


@pytest.mark.parametrize(
    "content", [{"resolution": ("custom", None), "bitRate": 1}, {"resolution": ("+1", b""), "bitRate": 1}]
)
def test_sizes_that_are_none(content: Any) -> None:
    assert read_mode([element("videoMode", ("h263VideoMode", content))]) == {Kind.VIDEO: ()}


def test_what_is_no_medium_of_ours() -> None:
    content = {"capabilityIdentifier": ("standard", "0.0.8.1.2.3")}
    found = read_mode([element("dataMode", {}), element("videoMode", ("genericVideoMode", content))])
    assert found == {Kind.VIDEO: ()}


def test_the_first_of_two_streams_counts() -> None:
    elements = [element("audioMode", (name, None)) for name in ("g711Ulaw64k", "g722-64k")]
    assert [each.codec for each in read_mode(elements)[Kind.AUDIO]] == [PCMU]


@pytest.mark.parametrize(
    ("codec", "allowed", "expected"),
    [
        (h264(level=31), h264(level=31), True),
        (h264(level=13), h264(level=31), True),
        (h264(level=9), h264(level=10), False),
        (h264(level=9), h264(level=11), True),
        (h264(level=31), h264(level=13), False),
        (h264(level=22, max_frame_size=3600), h264(level=22), False),
        (h264(level=22), h264(level=22, max_frame_size=3600), True),
        (replace(H261, picture_sizes=(QCIF,)), H261, True),
        (H261, replace(H261, picture_sizes=(QCIF,)), False),
        (replace(H261, picture_sizes=(CIF,)), replace(H261, picture_sizes=(PictureSize(352, 288, 2),)), False),
        (PCMU, PCMU, True),
    ],
)
def test_fits(codec: Any, allowed: Any, expected: bool) -> None:
    assert fits(codec, allowed) is expected


def test_within() -> None:
    theirs = Described(h264(level=31), bitrate=2_000_000)
    assert within(theirs, Described(h264(level=13), bitrate=384_000)) == Described(h264(level=13), bitrate=384_000)
    assert within(theirs, Described(h264(level=40))) == theirs, "more than the capability says"
    theirs = Described(H263, bitrate=512_000)
    limited = within(theirs, Described(replace(H263, picture_sizes=(CIF4,)), bitrate=1_000_000))
    assert limited == Described(replace(H263, picture_sizes=(CIF4,)), bitrate=512_000)
    other = replace(H263, picture_sizes=(PictureSize(1, 1),))
    assert within(theirs, Described(other)) == theirs


def test_first_same() -> None:
    assert first_same(PCMU, [Described(H261), Described(PCMU)]) == Described(PCMU)
    assert first_same(PCMU, [Described(H261)]) is None
