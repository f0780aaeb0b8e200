"""`board.pi.m2m_encoder`: what needs no encoder; tests/hil has the rest."""

import time
from pathlib import Path

import pytest

from board.pi.access_unit import Parts
from board.pi.m2m_encoder import M2mEncoder, encodes
from firmware.errors import DeviceError
from firmware.ports import EncoderSettings


def test_what_is_no_encoder_is_not_taken_for_one(tmp_path: Path) -> None:
    assert not encodes(tmp_path / "video11")
    assert not encodes(Path("/dev/null"))
    with pytest.raises(DeviceError):
        M2mEncoder(Path("/dev/null"), EncoderSettings(640, 360, 30, 500_000, 31), lambda *_: None, lambda _: None)


class Buffers:
    """What an encoder has finished, in buffers of its own."""

    def __init__(self, *contents: bytes) -> None:
        self.memory = list(contents)
        self._done = [(index, len(data), 0, 1.0) for index, data in enumerate(contents)]

    def take(self) -> tuple[int, int, int, float] | None:
        return self._done.pop(0) if self._done else None

    def put(self, index: int) -> None:
        pass


def test_parameter_sets_in_a_buffer_of_their_own_are_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    sps, idr, p = (bytes.fromhex(f"00000001 {data}") for data in ("6742c028da0f00", "65b80000", "419a28"))
    encoder = M2mEncoder.__new__(M2mEncoder)
    encoder._settings = EncoderSettings(640, 360, 30, 500_000, 31)
    encoder._parts, encoder._given, encoder._taken = Parts(), 3, 0
    encoder._access_units = Buffers(sps, idr, p, sps)  # type: ignore[assignment]
    before = time.monotonic()
    assert list(encoder._finished()) == [(bytes.fromhex("00000001 6742c01fda0f00") + idr, 1.0), (p, 1.0)]
    assert encoder._taken == 2, "one is still to come: the watch must not be blind to that"
    assert encoder._waiting_since >= before
