from __future__ import annotations

from pathlib import Path

import pytest

from firmware.__main__ import main


def test_it_makes_what_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "tls"
    assert main(["make-certificate", "--", str(folder), "-Room-", "room.example.com", "192.0.2.1"]) == 0
    before = (folder / "certificate.pem").read_bytes()
    assert main(["make-certificate", str(folder), "Room"]) == 0
    assert (folder / "certificate.pem").read_bytes() == before
    assert capsys.readouterr().err == ""


def test_where_that_can_not_be_it_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["make-certificate", str(tmp_path / "file" / "tls"), "Room"]) == 1
    assert capsys.readouterr().err.startswith(f"visavis: {tmp_path / 'file'}")
