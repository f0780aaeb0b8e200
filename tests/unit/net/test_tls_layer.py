"""Two ends of TLS face to face, in memory."""

from __future__ import annotations

import datetime
import random
import ssl
from collections import Counter
from pathlib import Path

import pytest
from certificates import NOW, Authority, Issued

from firmware.net.tls import Tls, Verify
from firmware.net.tls_layer import TlsError, TlsLayer

DOMAIN = "room.example.com"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def tls(issued: Issued, authority: Authority, verify: Verify = Verify.CALLED) -> Tls:
    return Tls(issued.certificate, issued.key, authority.certificate, verify)


def join(client: TlsLayer, server: TlsLayer) -> bytes:
    """Let them talk until neither has anything to say; gives what the server heard."""
    heard = b""
    client.start()
    server.start()
    while (question := client.to_send()) or server._outgoing.pending:
        heard += server.receive(question)
        if answer := server.to_send():
            client.receive(answer)
    return heard


def test_both_versions_carry_data_both_ways_and_end(authority: Authority) -> None:
    issued = authority.issue(DOMAIN)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        ours = tls(issued, authority)
        ours.client.maximum_version = version
        client, server = TlsLayer(ours, DOMAIN), TlsLayer(ours)
        join(client, server)
        assert client.established
        assert server.established
        assert client.describe().startswith(version.name.replace("_", "."))
        client.send(b"question" * 10_000)
        assert server.receive(client.to_send()) == b"question" * 10_000
        server.send(b"answer")
        assert client.receive(server.to_send()) == b"answer"
        client.close()
        assert server.receive(client.to_send()) == b""
        assert server.ended


def test_one_byte_at_a_time(authority: Authority) -> None:
    ours = tls(authority.issue(DOMAIN), authority)
    client, server = TlsLayer(ours, DOMAIN), TlsLayer(ours)
    client.start()
    while not (client.established and server.established):
        for byte in client.to_send():
            server.receive(bytes((byte,)))
        for byte in server.to_send():
            client.receive(bytes((byte,)))
    server.send(b"hello")
    assert b"".join(client.receive(bytes((byte,))) for byte in server.to_send()) == b"hello"


def test_what_came_with_the_end_of_the_handshake_is_not_lost(authority: Authority) -> None:
    ours = tls(authority.issue(DOMAIN), authority)
    client, server = TlsLayer(ours, DOMAIN), TlsLayer(ours)
    client.start()
    server.receive(client.to_send())
    client.receive(server.to_send())
    client.send(b"early")
    assert server.receive(client.to_send()) == b"early"


def refusal(client: Tls, server: Tls, domain: str = DOMAIN) -> str:
    ends = TlsLayer(client, domain), TlsLayer(server)
    with pytest.raises(TlsError) as caught:
        join(*ends)
    return str(caught.value)


def test_certificates_that_are_not_accepted(authority: Authority, tmp_path: Path) -> None:
    ours = tls(authority.issue("client.example.com"), authority)
    good = tls(authority.issue(DOMAIN), authority)
    expired = tls(authority.issue(DOMAIN, until=NOW - datetime.timedelta(hours=1)), authority)
    strange = Authority(tmp_path, "Stranger")
    assert refusal(ours, good, "other.example.com") == f"its certificate is for {DOMAIN}, not for other.example.com"
    assert refusal(ours, good, "192.0.2.1") == f"its certificate is for {DOMAIN}, not for 192.0.2.1"
    assert "expired" in refusal(ours, expired)
    assert "does not trust who signed it" in refusal(ours, tls(strange.issue(DOMAIN), strange))


def test_addresses_and_sip_uris_fit(authority: Authority) -> None:
    ours = tls(authority.issue("192.0.2.1", "::1", "sip:example.org", DOMAIN), authority)
    for domain in ("192.0.2.1", "::1", "example.org"):
        join(client := TlsLayer(ours, domain), TlsLayer(ours))
        assert client.established
    assert refusal(ours, ours).endswith(f"not for {DOMAIN}"), "RFC 5922 7.1: with a SIP URI, DNS names don't count"


def test_a_certificate_that_signed_itself_is_accepted_where_it_is_trusted(authority: Authority, tmp_path: Path) -> None:
    strange = Authority(tmp_path)
    far = tls(strange.issue(DOMAIN), strange)
    ours = authority.issue("client.example.com")
    join(client := TlsLayer(Tls(ours.certificate, ours.key, strange.certificate), DOMAIN), TlsLayer(far))
    assert client.names == (DOMAIN,)


def test_nothing_is_verified_where_that_is_wished(authority: Authority, tmp_path: Path) -> None:
    strange = Authority(tmp_path)
    ours = tls(authority.issue(DOMAIN), authority, Verify.NOBODY)
    join(client := TlsLayer(ours, "other.example.com"), TlsLayer(tls(strange.issue(DOMAIN), strange)))
    assert client.established
    assert client.names == (), "what was not verified is nobody's"


def test_mutual_tls(authority: Authority, tmp_path: Path) -> None:
    server = tls(authority.issue(DOMAIN), authority, Verify.ALL)
    ours = tls(authority.issue("client.example.com"), authority)
    join(TlsLayer(ours, DOMAIN), end := TlsLayer(server))
    assert end.names == ("client.example.com",)
    strange = Authority(tmp_path, "Stranger")
    issued = strange.issue("client.example.com")
    stranger = Tls(issued.certificate, issued.key, authority.certificate)
    assert "does not trust who signed it" in refusal(stranger, server)


def test_one_without_a_certificate_is_told_so(authority: Authority) -> None:
    server = TlsLayer(tls(authority.issue(DOMAIN), authority, Verify.ALL))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname, bare.verify_mode = False, ssl.CERT_NONE
    client = bare.wrap_bio(incoming, outgoing)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    server.receive(outgoing.read())
    incoming.write(server.to_send())
    client.do_handshake()
    with pytest.raises(TlsError, match=r'it shows no certificate, and tls.verify = "all" wants one'):
        server.receive(outgoing.read())


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"GET / HTTP/1.1\r\n\r\n", "HTTP"), (b"OPTIONS sip:room@192.0.2.1 SIP/2.0\r\n", "TLS"), (bytes(100), "TLS")],
)
def test_what_is_no_tls_is_told(authority: Authority, data: bytes, words: str) -> None:
    server = TlsLayer(tls(authority.issue(DOMAIN), authority))
    with pytest.raises(TlsError, match=words):
        server.receive(data)


def test_old_versions_are_refused(authority: Authority) -> None:
    server = TlsLayer(tls(authority.issue(DOMAIN), authority))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLWantReadError):
        old.wrap_bio(incoming, outgoing).do_handshake()
    with pytest.raises(TlsError, match=r"before 1\.2"):
        server.receive(outgoing.read())


def test_damage_on_the_way_ends_it(authority: Authority) -> None:
    ours = tls(authority.issue(DOMAIN), authority)
    join(client := TlsLayer(ours, DOMAIN), server := TlsLayer(ours))
    client.send(b"hello")
    data = bytearray(client.to_send())
    data[-1] ^= 1
    with pytest.raises(TlsError):
        server.receive(bytes(data))


def test_whatever_comes_nothing_is_raised_but_a_tls_error(authority: Authority) -> None:
    """Handshakes with octets changed, left out or doubled, in both directions, before and after the end of it."""
    ours = tls(authority.issue(DOMAIN), authority)
    endings: Counter[str] = Counter()
    for seed in range(300):
        rng = random.Random(seed)
        client, server = TlsLayer(ours, DOMAIN), TlsLayer(ours)
        try:
            client.start()
            for _ in range(4):
                server.receive(damaged(client.to_send(), rng))
                client.receive(damaged(server.to_send(), rng))
                for end in (client, server):
                    if end.established:
                        end.send(b"hello")
            endings["survived"] += 1
        except TlsError:
            endings["failed"] += 1
        client.close()
        server.close()
    assert endings["failed"] > 100
    assert endings["survived"] > 10


def damaged(data: bytes, rng: random.Random) -> bytes:
    if not data or rng.random() < 0.6:
        return data
    at = rng.randrange(len(data))
    return rng.choice(
        (
            data[:at] + bytes((rng.randrange(256),)) + data[at + 1 :],
            data[:at],
            data[:at] + data[at + 1 :],
            data + data,
            data[:at] + rng.randbytes(20) + data[at:],
        )
    )
