"""`board.pi.m2m_decoder`: what needs no decoder; tests/hil has the rest."""

from pathlib import Path

import pytest

from board.pi import m2m_decoder
from board.pi.m2m_decoder import M2mDecoder, decodes, open_decoder
from firmware.errors import DeviceError


def test_what_is_no_decoder_is_not_taken_for_one(tmp_path: Path) -> None:
    assert not decodes(tmp_path / "video10")
    assert not decodes(Path("/dev/null"))
    with pytest.raises(DeviceError):
        M2mDecoder(Path("/dev/null"), 1280, 720)


@pytest.mark.parametrize(
    ("wanted", "width", "height", "used"),
    [
        ("auto", 1280, 720, True),
        ("auto", 1920, 1080, True),
        ("auto", 720, 1280, True),
        ("auto", 1024, 576, False),
        ("hardware", 320, 180, True),
        ("software", 1920, 1080, False),
    ],
)
def test_where_it_is_used(monkeypatch: pytest.MonkeyPatch, wanted: str, width: int, height: int, used: bool) -> None:
    opened = []

    def open_it(node: Path, *size: int) -> object:
        opened.append((node, *size))
        return object()

    monkeypatch.setattr(m2m_decoder, "M2mDecoder", open_it)
    monkeypatch.setattr(m2m_decoder, "find_decoder", lambda: Path("/dev/video10"))
    assert (open_decoder(wanted, width, height) is not None) == used
    assert opened == ([(Path("/dev/video10"), width, height)] if used else [])


def test_a_machine_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(m2m_decoder, "find_decoder", lambda: None)
    assert open_decoder("hardware", 1280, 720) is None
