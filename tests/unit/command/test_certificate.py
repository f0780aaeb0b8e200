from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from firmware.__main__ import main


def test_it_prints_the_units_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = tmp_path / "unit.toml"
    settings.write_text(f'[room]\nname = "Room 12"\n[storage]\nfolder = "{tmp_path}"\n')
    for _ in range(2):
        assert main(["certificate", "--config", str(settings)]) == 0
    first, second = x509.load_pem_x509_certificates(capsys.readouterr().out.encode())
    assert first == second
    assert first.subject.rfc4514_string() == "CN=Room 12"


def test_what_can_not_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = tmp_path / "unit.toml"
    settings.write_text('[tls]\ncertificate = "/nowhere/c.pem"\nkey = "/nowhere/k.pem"\n')
    assert main(["certificate", "--config", str(settings)]) == 1
    assert "/nowhere/c.pem: it can't be read" in capsys.readouterr().err
    (tmp_path / "file").write_text("in the way")
    settings.write_text(f'[storage]\nfolder = "{tmp_path / "file"}"\n')
    assert main(["certificate", "--config", str(settings)]) == 1
    assert "there is no certificate" in capsys.readouterr().err
