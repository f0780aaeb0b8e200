"""DTLS-SRTP handshakes between two of our own: keys, identities, losses, and far ends that do it wrong."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from dtls_ends import certificate, fingerprint, handshake
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL
from OpenSSL.crypto import FILETYPE_ASN1, load_certificate

from firmware.call.media import Handshake, Suite
from firmware.media import dtls
from firmware.media.dtls import MTU, PATIENCE, Association, is_dtls

CLIENT, SERVER = handshake("one", "other", True), handshake("other", "one", False)
STRANGER = "the far end's certificate is not the one that it announced"


class Pair:
    """Two ends and the datagrams between them."""

    def __init__(self, client: Handshake = CLIENT, server: Handshake = SERVER) -> None:
        self.now = time.monotonic()
        self.datagrams: list[bytes] = []
        self.to_server: list[bytes] = []
        self.to_client: list[bytes] = []
        self.client = Association(client, self.to_server.append, self.now)
        self.server = Association(server, self.to_client.append, self.now)

    def run(self, lost: Callable[[bytes], bool] = lambda _: False) -> None:
        """Deliver until nothing is under way."""
        while self.to_server or self.to_client:
            for waiting, end in ((self.to_server, self.server), (self.to_client, self.client)):
                for data in list(waiting):
                    waiting.remove(data)
                    self.datagrams.append(data)
                    assert is_dtls(data)
                    if not lost(data):
                        end.receive(data, self.now)

    def wait(self) -> None:
        """Let the time pass until one wants to send something again.  OpenSSL has a clock of its own."""
        due = min(self.client.timer(), self.server.timer())
        time.sleep(max(0.0, due - self.now))
        self.now = time.monotonic()
        for end in (self.client, self.server):
            end.handle_timer(self.now)


def test_both_ends_get_the_same_keys() -> None:
    pair = Pair()
    pair.run()
    assert pair.client.keys is not None
    assert pair.server.keys is not None
    assert pair.client.keys.send == pair.server.keys.receive
    assert pair.client.keys.receive == pair.server.keys.send
    assert pair.client.keys.send != pair.client.keys.receive
    assert pair.client.keys.send.suite is Suite.AEAD_AES_256_GCM
    assert pair.client.failure == pair.server.failure == ""
    assert pair.client.timer() == pair.server.timer() == float("inf")
    assert max(map(len, pair.datagrams)) <= MTU


def test_each_handshake_has_other_keys() -> None:
    one, other = Pair(), Pair()
    one.run()
    other.run()
    assert one.client.keys != other.client.keys


@pytest.mark.parametrize("profile", dtls.PROFILES)
def test_every_profile(profile: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dtls, "PROFILES", {profile: dtls.PROFILES[profile]})
    pair = Pair()
    pair.run()
    assert pair.client.keys is not None
    assert pair.client.keys == tuple(reversed(pair.server.keys or ()))
    assert pair.client.keys.send.suite is dtls.PROFILES[profile]


def test_no_profile_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    now, to_server, to_client = time.monotonic(), [], []  # type: ignore[var-annotated]
    monkeypatch.setattr(dtls, "PROFILES", {b"SRTP_AEAD_AES_128_GCM": Suite.AEAD_AES_128_GCM})
    client = Association(CLIENT, to_server.append, now)
    monkeypatch.setattr(dtls, "PROFILES", {b"SRTP_AES128_CM_SHA1_80": Suite.AES_CM_128_HMAC_SHA1_80})
    server = Association(SERVER, to_client.append, now)
    while to_server or to_client:
        while to_server:
            server.receive(to_server.pop(0), now)
        while to_client:
            client.receive(to_client.pop(0), now)
    assert client.keys is None
    assert server.keys is None
    assert "in common" in client.failure + server.failure


@pytest.mark.parametrize("side", ["client", "server"])
def test_another_certificate_than_announced(side: str) -> None:
    wrong = {"client": replace(CLIENT, fingerprints=(fingerprint("third"),))} if side == "client" else {}
    wrong |= {"server": replace(SERVER, fingerprints=(fingerprint("third"),))} if side == "server" else {}
    pair = Pair(**wrong)
    pair.run()
    end: Association = getattr(pair, side)
    assert (end.keys, end.failure) == (None, STRANGER)
    assert end.timer() == float("inf")


@pytest.mark.parametrize(
    ("fingerprints", "fits"),
    [
        ((fingerprint("other", "sha-1"),), True),
        ((fingerprint("other", "sha-512"),), True),
        ((fingerprint("third"), fingerprint("other")), True),
        ((fingerprint("third", "sha-1"), fingerprint("other")), True),
        ((fingerprint("other", "sha-1"), fingerprint("third")), False),
        ((("md5", fingerprint("other", "sha-1")[1]),), False),
        ((("sha-256", b""),), False),
        ((), False),
    ],
)
def test_fingerprints(fingerprints: tuple[tuple[str, bytes], ...], fits: bool) -> None:
    pair = Pair(replace(CLIENT, fingerprints=fingerprints))
    pair.run()
    assert (pair.client.keys is not None) is fits


@pytest.mark.parametrize("number", range(4))
def test_a_lost_datagram_goes_again(number: int) -> None:
    pair, count = Pair(), 0

    def lost(_: bytes) -> bool:
        nonlocal count
        count += 1
        return count == number + 1

    pair.run(lost)
    for _ in range(3):
        if pair.client.keys is None or pair.server.keys is None:
            pair.wait()
            pair.run(lost)
    assert pair.client.keys is not None
    assert pair.client.keys.send == (pair.server.keys or pair.client.keys).receive


def test_a_far_end_that_says_nothing() -> None:
    sent: list[bytes] = []
    client = Association(CLIENT, sent.append, 100.0)
    assert len(sent) == 1
    client.handle_timer(100.0 + PATIENCE)
    assert client.failure == "the far end does not agree on keys"
    assert client.timer() == float("inf")
    client.receive(sent[0], 200.0)
    assert client.keys is None


def test_who_waits_sends_nothing_and_gives_up() -> None:
    sent: list[bytes] = []
    server = Association(SERVER, sent.append, 100.0)
    assert not sent
    assert 100.0 < server.timer() <= 100.0 + PATIENCE
    server.handle_timer(server.timer())
    assert server.failure


def test_a_far_end_without_a_certificate() -> None:
    pair = Pair()
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_tlsext_use_srtp(b"SRTP_AES128_CM_SHA1_80")
    bare = SSL.Connection(context)
    bare.set_connect_state()
    for _ in range(6):
        with pytest.raises(SSL.Error):
            bare.do_handshake()
        while True:
            try:
                pair.server.receive(bare.bio_read(65_536), pair.now)
            except SSL.WantReadError:
                break
        for data in pair.to_client:
            bare.bio_write(data)
        pair.to_client.clear()
    assert pair.server.keys is None
    assert "peer did not return a certificate" in pair.server.failure


@pytest.mark.filterwarnings("ignore:Passing pyOpenSSL X509 objects:DeprecationWarning")
def test_a_certificate_of_a_version_that_there_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 8122 6.2: the fingerprint is all that counts."""
    version = b"\xa0\x03\x02\x01"
    own = certificate("other")
    odd = own.der.replace(version + b"\x02", version + b"\x05", 1)
    assert odd != own.der
    use = SSL.Context.use_certificate

    def show_it(context: SSL.Context, ours: Certificate) -> None:
        if ours.public_bytes(Encoding.DER) == own.der:
            use(context, load_certificate(FILETYPE_ASN1, odd))
        else:
            use(context, ours)

    monkeypatch.setattr(SSL.Context, "use_certificate", show_it)
    pair = Pair(client=replace(CLIENT, fingerprints=(("sha-256", hashlib.sha256(odd).digest()),)))
    pair.run()
    assert pair.client.keys is not None
    assert pair.client.keys == tuple(reversed(pair.server.keys or ()))


@settings(max_examples=50)
@given(st.lists(st.binary(min_size=1, max_size=200), max_size=5))
def test_nonsense_is_passed_over(datagrams: list[bytes]) -> None:
    pair = Pair()
    for data in datagrams:
        for end in (pair.client, pair.server):
            end.receive(bytes([22]) + data, pair.now)
            end.receive(b"\x16\xfe\xfd\0\0" + data, pair.now)
    pair.run()
    assert pair.client.keys is not None or pair.client.failure or pair.server.failure or pair.client.timer() > 0


def test_after_the_end_nothing_changes() -> None:
    pair = Pair()
    pair.run()
    before = pair.client.keys
    for data in [*pair.datagrams, b"\x17\xfe\xfd" + bytes(40), b"\x15\xfe\xfd" + bytes(12)]:
        pair.client.receive(data, pair.now)
        pair.server.receive(data, pair.now)
    assert pair.client.keys == before
    assert not pair.client.failure


def test_nothing_secret_is_in_a_representation() -> None:
    assert certificate("one").private_key.hex()[:20] not in repr(CLIENT).encode().hex()
    assert "private_key" not in repr(CLIENT)
    assert "private_key" not in repr(certificate("one"))


IN_ITS_OWN_PROCESS = """
from firmware.media.dtls import prepare
prepare()
import hashlib
print([hashlib.new(name, b"a").hexdigest()[:8] for name in ("sha512", "sha384", "sha256", "sha224", "sha1")])
print([line.split("/")[-1] for line in open("/proc/self/maps") if "libcrypto" in line])
import _hashlib
"""


def test_one_openssl_is_enough() -> None:
    command = [sys.executable, "-c", IN_ITS_OWN_PROCESS]
    hashes, libraries = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert hashes == str([hashlib.new(name.replace("-", ""), b"a").hexdigest()[:8] for name in dtls.HASHES])
    assert libraries == "[]"


def test_which_packets_are_dtls() -> None:
    assert [first for first in range(256) if is_dtls(bytes([first]))] == list(range(20, 64))
    assert not is_dtls(b"")


def test_a_key_that_is_none() -> None:
    with pytest.raises(ValueError, match=r"."):
        Association(replace(CLIENT, private_key=b"nonsense"), lambda _: None, 0.0)
