from __future__ import annotations

import io
import tomllib
from pathlib import Path

import pytest

from firmware import config
from firmware.__main__ import main
from firmware.web.auth import verify_password


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> object:
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_it_is_printed_as_a_setting(says: object, capsys: pytest.CaptureFixture[str]) -> None:
    says("correct horse\n")  # type: ignore[operator]
    assert main(["password"]) == 0
    text = capsys.readouterr().out
    assert "horse" not in text
    assert verify_password("correct horse", tomllib.loads(text)["web"]["password_hash"])


def test_it_is_written_beside_the_other_settings(says: object, tmp_path: Path) -> None:
    file = tmp_path / "unit.toml"
    before = '# ours\n[room]\nname = "Aalto"  # the architect\n[board.sim]\ncamera_label = "A"\n'
    file.write_text(before)
    says("correct horse")  # type: ignore[operator]
    assert main(["password", "--config", str(file)]) == 0
    loaded = config.load(file)
    assert (loaded.room.name, loaded.board.sim["camera_label"]) == ("Aalto", "A")
    assert verify_password("correct horse", loaded.web.password_hash)
    assert file.read_text().startswith(f"{before}\n[web]\npassword_hash = ")
    says("another horse\n")  # type: ignore[operator]
    assert main(["password", "--config", str(file)]) == 0
    assert verify_password("another horse", config.load(file).web.password_hash)
    assert len(file.read_text().splitlines()) == len(before.splitlines()) + 3


def test_a_file_that_cannot_be_edited_is_left_alone(
    says: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "unit.toml"
    file.write_text("web = { port = 8081 }\n")
    says("correct horse")  # type: ignore[operator]
    assert main(["password", "--config", str(file)]) == 2
    assert capsys.readouterr().err.startswith(f"visavis: {file}: web.password_hash is not on a line of its own")
    assert file.read_text() == "web = { port = 8081 }\n"


@pytest.mark.parametrize("password", ["", "short\n", "1234567\r\n", "x" * 257])
def test_what_is_no_password(password: str, says: object, capsys: pytest.CaptureFixture[str]) -> None:
    says(password)  # type: ignore[operator]
    assert main(["password"]) == 2
    assert "8 to 256 characters" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_said_before_anything_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["password", "--config", "/nowhere/unit.toml"]) == 2
    assert "No such file" in capsys.readouterr().err


def test_on_a_terminal_it_is_asked_for_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(["correct horse", "corect horse"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    assert main(["password"]) == 2
    assert "not the same" in capsys.readouterr().err


def test_the_end_of_the_input_and_what_is_no_text(
    monkeypatch: pytest.MonkeyPatch, says: object, capsys: pytest.CaptureFixture[str]
) -> None:
    says("correct \udcff horse\n")  # type: ignore[operator]
    assert main(["password"]) == 2
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)

    def end(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", end)
    assert main(["password"]) == 2
    assert capsys.readouterr().err == "visavis: a password is UTF-8 text\nvisavis: no password was given\n"
