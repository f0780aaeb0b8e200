"""The certificates of the first start."""

from __future__ import annotations

import datetime
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from firmware.errors import FirmwareError
from firmware.net.own_certificate import Pair, dtls_pair, make_pairs, tls_pair
from firmware.net.tls import Tls
from firmware.net.tls_layer import TlsLayer

NAMES = ("room.example.com", "192.0.2.1", "2001:db8::1", "room.example.com", "a b\u00fc")


def test_they_are_made_once_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "tls"
    make_pairs(folder, "Room", NAMES)
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    make_pairs(folder, "Room", ("other.example.com",))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == contents
    assert sorted(contents) == ["certificate.pem", "dtls-certificate.pem", "dtls-key.pem", "key.pem"]


@pytest.mark.parametrize("pair", [tls_pair, dtls_pair])
def test_nobody_else_reads_a_key(tmp_path: Path, pair: Callable[[Path], Pair]) -> None:
    before = os.umask(0)
    try:
        make_pairs(tmp_path / "tls", "Room", NAMES)
    finally:
        os.umask(before)
    key = pair(tmp_path / "tls").key
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700


def test_what_it_says(tmp_path: Path) -> None:
    make_pairs(tmp_path, "Room 12 \u00fc", NAMES)
    certificate = x509.load_pem_x509_certificate(tls_pair(tmp_path).certificate.read_bytes())
    assert certificate.subject.rfc4514_string() == "CN=Room 12 \u00fc"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["room.example.com"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1", "2001:db8::1"]
    assert certificate.not_valid_before_utc < datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC), "a clock may be slow"
    assert certificate.not_valid_after_utc.year == 9999


def test_what_strangers_see_says_nothing_of_the_unit(tmp_path: Path) -> None:
    make_pairs(tmp_path, "Room 12", NAMES)
    certificate = x509.load_pem_x509_certificate(dtls_pair(tmp_path).certificate.read_bytes())
    assert certificate.subject.rfc4514_string() == "CN=visavis"
    assert b"Room 12" not in certificate.public_bytes(Encoding.DER)
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)


def test_a_far_end_that_was_given_it_trusts_it(tmp_path: Path) -> None:
    make_pairs(tmp_path / "ours", "Ours", ["192.0.2.1"])
    make_pairs(tmp_path / "theirs", "Theirs", ["192.0.2.2"])
    ours, theirs = tls_pair(tmp_path / "ours"), tls_pair(tmp_path / "theirs")
    client = TlsLayer(Tls(ours.certificate, ours.key, authorities=theirs.certificate), "192.0.2.2")
    server = TlsLayer(Tls(theirs.certificate, theirs.key))
    client.start()
    while not (client.established and server.established):
        server.receive(client.to_send())
        client.receive(server.to_send())
    assert client.names == ("192.0.2.2",)


def test_half_of_it_is_made_anew(tmp_path: Path) -> None:
    make_pairs(tmp_path, "Room", NAMES)
    pair = tls_pair(tmp_path)
    pair.key.unlink()
    kept = dtls_pair(tmp_path).certificate.read_bytes()
    make_pairs(tmp_path, "Room", NAMES)
    _ = Tls(pair.certificate, pair.key).server
    assert dtls_pair(tmp_path).certificate.read_bytes() == kept


def test_where_nothing_can_be_kept_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FirmwareError, match="file"):
        make_pairs(tmp_path / "file" / "tls", "Room", NAMES)
