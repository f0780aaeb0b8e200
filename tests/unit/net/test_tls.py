"""The files that TLS needs, right and wrong."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

import pytest
from certificates import Authority
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from firmware.errors import FirmwareError
from firmware.net.tls import Tls, Verify


def test_only_versions_and_suites_that_are_good(tmp_path: Path) -> None:
    ours = Authority(tmp_path).issue("room.example.com")
    tls = Tls(ours.certificate, ours.key)
    for context in (tls.server, tls.client):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert context.maximum_version is ssl.TLSVersion.MAXIMUM_SUPPORTED
        suites = [suite["name"] for suite in context.get_ciphers()]
        assert suites
        assert all("GCM" in name or "CHACHA20" in name for name in suites)
        assert all(name.startswith(("TLS_", "ECDHE-")) for name in suites)


def test_whose_certificates_are_verified(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours = authority.issue("room.example.com")

    def modes(verify: Verify) -> tuple[ssl.VerifyMode, ssl.VerifyMode]:
        tls = Tls(ours.certificate, ours.key, authority.certificate, verify)
        return tls.client.verify_mode, tls.server.verify_mode

    assert modes(Verify.NOBODY) == (ssl.CERT_NONE, ssl.CERT_NONE)
    assert modes(Verify.CALLED) == (ssl.CERT_REQUIRED, ssl.CERT_NONE)
    assert modes(Verify.ALL) == (ssl.CERT_REQUIRED, ssl.CERT_REQUIRED)


def test_the_systems_authorities_are_trusted_where_none_are_named(tmp_path: Path) -> None:
    ours = Authority(tmp_path).issue("room.example.com")
    there = ssl.create_default_context().cert_store_stats()
    assert Tls(ours.certificate, ours.key).client.cert_store_stats() == there


def test_a_folder_of_authorities_may_have_other_files_in_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    authorities = tmp_path / "authorities"
    first, second = (Authority(tmp_path / name, name) for name in ("first", "second"))
    authorities.mkdir()
    (authorities / "one.crt").write_bytes(first.certificate.read_bytes())
    (authorities / "two.pem").write_bytes(second.certificate.read_bytes())
    (authorities / "README").write_text("nothing")
    (authorities / "folder").mkdir()
    ours = first.issue("room.example.com")
    with caplog.at_level(logging.WARNING):
        context = Tls(ours.certificate, ours.key, authorities).client
    assert context.cert_store_stats()["x509"] == 2
    assert "README" in caplog.text


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    ours, other = authority.issue("a.example.com"), authority.issue("b.example.com")
    missing, empty, folder = tmp_path / "missing.pem", tmp_path / "empty.pem", tmp_path / "folder"
    empty.write_text("nothing")
    folder.mkdir()
    locked = tmp_path / "locked.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))

    def words(tls: Tls) -> str:
        with pytest.raises(FirmwareError) as caught:
            _ = tls.client
        return str(caught.value)

    assert words(Tls(missing, ours.key)) == f"{missing}: No such file or directory"
    assert words(Tls(ours.certificate, missing)) == f"{missing}: No such file or directory"
    assert words(Tls(empty, ours.key)).startswith(f"{empty}, {ours.key}: not a certificate and its key")
    assert words(Tls(ours.certificate, other.key)) == f"{other.key}: this key belongs to another certificate"
    assert words(Tls(ours.certificate, locked)).endswith("the key without a password")
    assert words(Tls(ours.certificate, ours.key, missing)) == f"{missing}: No such file or directory"
    assert words(Tls(ours.certificate, ours.key, empty)).startswith(f"{empty}: there is no certificate")
    assert words(Tls(ours.certificate, ours.key, folder)) == f"{folder}: there is no certificate in this folder"
