"""`board.pi.m2m_encoder`: what needs no encoder; tests/hil has the rest."""

from pathlib import Path

import pytest

from board.pi.m2m_encoder import M2mEncoder, encodes, with_level
from firmware.errors import DeviceError
from firmware.ports import EncoderSettings

SPS = bytes.fromhex("00000001 6742c028 da0f00")
IDR = bytes.fromhex("00000001 65b80000")


def test_the_agreed_level_is_written() -> None:
    assert with_level(SPS + IDR, 31) == bytes.fromhex("00000001 6742c01f da0f00") + IDR


@pytest.mark.parametrize("data", [SPS + IDR, IDR, b"", SPS[:7], bytes.fromhex("00000001 41 9a 28")])
def test_all_else_is_left_as_it_is(data: bytes) -> None:
    assert with_level(data, 40) is data


def test_what_is_no_encoder_is_not_taken_for_one(tmp_path: Path) -> None:
    assert not encodes(tmp_path / "video11")
    assert not encodes(Path("/dev/null"))
    with pytest.raises(DeviceError):
        M2mEncoder(Path("/dev/null"), EncoderSettings(640, 360, 30, 500_000, 31), lambda *_: None, lambda _: None)
