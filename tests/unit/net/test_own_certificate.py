"""The certificate of the first start."""

from __future__ import annotations

import datetime
import os
import stat
from pathlib import Path

import pytest
from cryptography import x509

from firmware.errors import FirmwareError
from firmware.net.own_certificate import own_certificate
from firmware.net.tls import Tls
from firmware.net.tls_layer import TlsLayer

NAMES = ("room.example.com", "192.0.2.1", "2001:db8::1", "room.example.com", "a b\u00fc")


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "tls"
    first = own_certificate(folder, "Room", NAMES)
    contents = [path.read_bytes() for path in first]
    assert own_certificate(folder, "Room", ("other.example.com",)) == first
    assert [path.read_bytes() for path in first] == contents
    assert sorted(path.name for path in folder.iterdir()) == ["certificate.pem", "key.pem"]


def test_nobody_else_reads_the_key(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        _, key = own_certificate(tmp_path / "tls", "Room", NAMES)
    finally:
        os.umask(before)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700


def test_what_it_says(tmp_path: Path) -> None:
    path, _ = own_certificate(tmp_path, "Room 12 \u00fc", NAMES)
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    assert certificate.subject.rfc4514_string() == "CN=Room 12 \u00fc"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["room.example.com"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1", "2001:db8::1"]
    assert certificate.not_valid_before_utc < datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC), "a clock may be slow"
    assert certificate.not_valid_after_utc.year == 9999


def test_a_far_end_that_was_given_it_trusts_it(tmp_path: Path) -> None:
    ours = own_certificate(tmp_path / "ours", "Ours", ["192.0.2.1"])
    theirs = own_certificate(tmp_path / "theirs", "Theirs", ["192.0.2.2"])
    client = TlsLayer(Tls(*ours, authorities=theirs[0]), "192.0.2.2")
    server = TlsLayer(Tls(*theirs))
    client.start()
    while not (client.established and server.established):
        server.receive(client.to_send())
        client.receive(server.to_send())
    assert client.names == ("192.0.2.2",)


def test_half_of_it_is_made_anew(tmp_path: Path) -> None:
    certificate, key = own_certificate(tmp_path, "Room", NAMES)
    key.unlink()
    own_certificate(tmp_path, "Room", NAMES)
    _ = Tls(certificate, key).server


def test_where_nothing_can_be_kept_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FirmwareError, match="file"):
        own_certificate(tmp_path / "file" / "tls", "Room", NAMES)
