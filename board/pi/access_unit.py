"""H.264 access units as encoders give them (Annex B): what is in one, and the level that it claims."""

from __future__ import annotations

from collections.abc import Iterator

_START = b"\0\0\1"
_SLICES = range(1, 6)
IDR, SPS = 5, 7
"""Types of NAL units (H.264 table 7-1); those of slices are 1 to 5."""

_MOST = 4096
"""Bytes that are kept for the next picture."""


class Parts:
    """Makes access units of what comes in parts: parameter sets, then the picture that they belong to."""

    def __init__(self) -> None:
        self._before = b""

    def join(self, data: bytes) -> bytes:
        """The access unit that this completes; b"": there is no picture in it, so more will come."""
        if not has_picture(data):
            self._before = (self._before + data)[:_MOST]
            return b""
        access_unit, self._before = self._before + data, b""
        return access_unit


def has_picture(data: bytes) -> bool:
    """Whether there is a picture in it, and not only what goes before one: parameter sets, say."""
    return any(kind in _SLICES for kind, _ in _nal_units(data))


def has_key_frame(data: bytes) -> bool:
    """Whether the picture in it is an IDR."""
    return next((kind for kind, _ in _nal_units(data) if kind in _SLICES), 0) == IDR


def profile(access_unit: bytes) -> int | None:
    """The profile_idc that its sequence parameter set says; None: there is none in it."""
    for kind, place in _nal_units(access_unit):
        if kind == SPS and place + 1 < len(access_unit):
            return access_unit[place + 1]
    return None


def with_level(access_unit: bytes, level: int) -> bytes:
    """The access unit with this level_idc in its sequence parameter sets, if it has any."""
    changed = None
    for kind, place in _nal_units(access_unit):
        if kind in _SLICES:
            break  # H.264 7.4.1.2.3: they stand before the picture
        level_place = place + 3  # H.264 7.3.2.1.1: profile_idc, constraint flags, level_idc
        if kind == SPS and level_place < len(access_unit) and access_unit[level_place] != level:
            changed = changed or bytearray(access_unit)
            changed[level_place] = level
    return access_unit if changed is None else bytes(changed)


def _nal_units(data: bytes) -> Iterator[tuple[int, int]]:
    """The type and the place of the first byte of each NAL unit."""
    place = data.find(_START)
    while 0 <= place < len(data) - len(_START):
        place += len(_START)
        yield data[place] & 0x1F, place
        place = data.find(_START, place)
