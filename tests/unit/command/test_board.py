from __future__ import annotations

from pathlib import Path

import pytest

from firmware.__main__ import main


def lines(text: str) -> dict[str, str]:
    return {words[0]: words[2].strip() for line in text.splitlines() if (words := line.partition(" "))}


def test_each_device_has_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "unit.toml"
    file.write_text('[board]\nkind = "sim"\n[board.sim]\nmicrophone = "silence"\ndisplay_width = 640\n')
    assert main(["board", "--config", str(file)]) == 0
    found = lines(capsys.readouterr().out)
    assert found["board"] == "sim"
    assert found["microphone"] == "silence"
    assert found["display"] == "640x720, in memory"


def test_what_the_room_has_none_of_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "unit.toml"
    file.write_text('[board.pi]\ncamera = "none"\n[board.sim]\nspeaker = "none"\n')
    for kind, device in (("pi", "camera"), ("sim", "speaker")):
        assert main(["board", "--board", kind, "--config", str(file)]) == 0
        assert lines(capsys.readouterr().out)[device] == "none, as configured"


def test_what_is_not_there_is_said_and_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "unit.toml"
    file.write_text('[board.pi]\ncamera = "Nonesuch"\nspeaker = "Nonesuch"\ndisplay = "HDMI-A-9"\n')
    assert main(["board", "--board", "pi", "--config", str(file)]) == 0
    found = lines(capsys.readouterr().out)
    assert found["board"] == "pi"
    assert found["camera"].startswith("none: there is no camera 'Nonesuch' here")
    assert found["speaker"] == "none: there is no sound card 'Nonesuch' here"
    assert found["display"] == "none: no screen is plugged in at HDMI-A-9"


def test_a_wrong_setting_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "unit.toml"
    file.write_text("[board.pi]\ncamera = 3\n")
    assert main(["board", "--board", "pi", "--config", str(file)]) == 2
    assert "board.pi.camera" in capsys.readouterr().err
