from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from firmware.command.tls import dtls_certificate, make_tls
from firmware.config import Config, Sip, Storage, Tls
from firmware.net.tls import Verify


def test_a_unit_without_a_certificate_makes_one(tmp_path: Path) -> None:
    config = Config(storage=Storage(folder=str(tmp_path)), sip=Sip(addresses=("0.0.0.0", "127.0.0.9")))
    tls = make_tls(config)
    assert tls is not None
    assert tls.certificate.parent == tmp_path / "tls"
    assert (tls.authorities, tls.verify) == (None, Verify.CALLED)
    assert make_tls(config) == tls
    _ = tls.server
    names = x509.load_pem_x509_certificate(tls.certificate.read_bytes()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert "127.0.0.9" in map(str, names.value.get_values_for_type(x509.IPAddress))


def test_the_settings_files_are_taken(tmp_path: Path) -> None:
    tls = make_tls(Config(tls=Tls(certificate="/c.pem", key="/k.pem", ca=str(tmp_path), verify="all")))
    assert tls is not None
    assert (tls.certificate, tls.key) == (Path("/c.pem"), Path("/k.pem"))
    assert (tls.authorities, tls.verify) == (tmp_path, Verify.ALL)


def test_where_nothing_can_be_kept_there_is_no_tls(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        assert make_tls(Config(storage=Storage(folder=str(tmp_path / "file")))) is None
    assert "there is no TLS" in caplog.text


def test_the_certificate_for_handshakes_is_kept(tmp_path: Path) -> None:
    config = Config(storage=Storage(folder=str(tmp_path)), tls=Tls(certificate="/c.pem", key="/k.pem"))
    made = dtls_certificate(config)
    assert made is not None
    assert dtls_certificate(config) == made


def test_without_a_place_for_it_there_is_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    assert dtls_certificate(Config(storage=Storage(folder=str(tmp_path / "file")))) is None
    assert "until the unit stops" in caplog.text


def test_one_that_is_damaged_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = Config(storage=Storage(folder=str(tmp_path)))
    assert dtls_certificate(config) is not None
    (tmp_path / "tls" / "dtls-key.pem").write_text("damaged")
    assert dtls_certificate(config) is None
    assert "dtls-key.pem" in caplog.text


def test_making_them_leaves_no_library_behind(tmp_path: Path) -> None:
    """12 MB of the unit's memory."""
    program = (
        "import sys; from pathlib import Path; from firmware.command.tls import dtls_certificate, make_tls;"
        "from firmware.config import Config, Storage;"
        f"config = Config(storage=Storage(folder={str(tmp_path)!r}));"
        "assert make_tls(config) and dtls_certificate(config).fingerprint;"
        "sys.exit('cryptography' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
