"""The files that TLS needs, right and wrong."""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
from pathlib import Path

import pytest
from certificates import Authority
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from firmware.errors import FirmwareError
from firmware.net.far_certificate import names
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


# Renewal


def replace(path: Path, other: Path) -> None:
    """Put a file in the place of another, as those do who renew certificates."""
    fresh = path.with_suffix(".fresh")
    fresh.write_bytes(other.read_bytes())
    fresh.replace(path)


def shown(tls: Tls, authority: Authority) -> str:
    """Shake hands with the server's part, and give whose certificate it shows."""
    client = ssl.create_default_context(cafile=authority.certificate)
    client.check_hostname = False
    ends = [ssl.MemoryBIO() for _ in range(4)]
    here = tls.server.wrap_bio(ends[0], ends[1], server_side=True)
    there = client.wrap_bio(ends[2], ends[3])
    for _ in range(4):
        for end in (there, here):
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
        ends[0].write(ends[3].read())
        ends[2].write(ends[1].read())
    return names(there.getpeercert() or {})[0]


def test_a_renewed_certificate_is_used_for_the_next_connection(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority(tmp_path)
    old, new = authority.issue("old.example.com"), authority.issue("new.example.com")
    tls = Tls(old.certificate, old.key)
    assert shown(tls, authority) == "old.example.com"
    assert tls.server is tls.server, "made once, as long as nothing has changed"
    with caplog.at_level(logging.INFO):
        replace(old.key, new.key)
        assert shown(tls, authority) == "old.example.com", "only half of it is there"
        assert shown(tls, authority) == "old.example.com"
        assert caplog.text.count("a renewed file is of no use") == 1, "said once of what is there"
        replace(old.certificate, new.certificate)
        assert shown(tls, authority) == "new.example.com"
    assert "renewed files are used" in caplog.text


@pytest.mark.parametrize("damage", ["removed", "emptied"])
def test_what_is_lost_or_damaged_leaves_the_old_one(tmp_path: Path, damage: str) -> None:
    authority = Authority(tmp_path)
    ours = authority.issue("room.example.com")
    tls = Tls(ours.certificate, ours.key)
    before = tls.server
    ours.certificate.unlink() if damage == "removed" else ours.certificate.write_text("")
    assert tls.server is before
    with pytest.raises(FirmwareError):
        _ = tls.client  # which was never made


def test_a_renewed_authority_is_trusted(tmp_path: Path) -> None:
    first, second = (Authority(tmp_path / name, name) for name in ("first", "second"))
    ours = first.issue("room.example.com")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(first.certificate.read_bytes())
    tls = Tls(ours.certificate, ours.key, trusted)
    assert tls.client.cert_store_stats()["x509"] == 1
    trusted.write_bytes(first.certificate.read_bytes() + second.certificate.read_bytes())
    assert tls.client.cert_store_stats()["x509"] == 2


@pytest.mark.parametrize("change", ["overwritten", "renamed", "added", "removed"])
def test_a_change_in_a_folder_of_authorities_is_noticed(tmp_path: Path, change: str) -> None:
    first, second = (Authority(tmp_path / name, name) for name in ("first", "second"))
    ours = first.issue("room.example.com")
    folder = tmp_path / "trusted"
    folder.mkdir()
    one, other = folder / "one.pem", folder / "other.pem"
    for path in (one, other):
        path.write_bytes(first.certificate.read_bytes())
    if change == "added":
        other.unlink()
    tls = Tls(ours.certificate, ours.key, folder)
    before = tls.client
    assert tls.client is before
    renewed = second.certificate.read_bytes()
    if change == "renamed":
        (tmp_path / "fresh").write_bytes(renewed)
        (tmp_path / "fresh").replace(other)
    elif change == "removed":
        other.unlink()
    else:
        other.write_bytes(renewed)
    assert tls.client is not before
    subjects = {certificate["subject"][0][0][1] for certificate in tls.client.get_ca_certs()}
    assert subjects == ({"first"} if change == "removed" else {"first", "second"})


def test_who_knocks_makes_nobody_look_at_authorities(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours = authority.issue("room.example.com")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.certificate.read_bytes())
    for verify in Verify:
        tls = Tls(ours.certificate, ours.key, trusted, verify)
        before = tls.server
        os.utime(trusted, ns=(0, verify.name.encode()[0]))
        assert (tls.server is before) is (verify is not Verify.ALL)
