from __future__ import annotations

from pathlib import Path

import pytest

from firmware import config
from firmware.__main__ import main


def test_what_is_printed_can_be_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    text = capsys.readouterr().out
    assert "# What the camera sees" in text.partition("[board.sim]")[2]
    file = tmp_path / "unit.toml"
    file.write_text(text)
    assert main(["config", "--check", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: every setting is right\n"
    assert config.load(file).room == config.Room()


def test_every_wrong_key_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "unit.toml"
    file.write_text("[room]\nvolume = 300\n[board.sim]\ndisplay_width = 1\ncolour = 2\n")
    assert main(["config", "--check", str(file)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[2].split(" ")[0] for line in lines] == [
        "room.volume",
        "board.sim.display_width",
        "board.sim.colour",
    ]
    assert "a whole number from 160 to 4096" in lines[1]


def test_two_names_on_one_pin_are_said_beside_what_else_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "unit.toml"
    file.write_text("[room]\nvolume = 300\n[board.pi]\nlamp_ready = 5\n")
    assert main(["config", "--check", str(file)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[1] == (
        f"visavis: {file}: board.pi.lamp_ready = 5: "
        "button_call is on this pin already; allowed is one that is free, or -1"
    )
