"""The cryptographic transforms of SRTP, against the vectors of the RFCs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firmware.call.media import Crypto, Suite
from firmware.rtp.srtp_transform import ENCRYPTED, SIZES, derive, transform

RFC3711_B3 = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139"), bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")
RFC6188_7_4 = (
    bytes.fromhex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6"),
    bytes.fromhex("3b04803de51ee7c96423ab5b78d2"),
)
RTP = bytes.fromhex("8060f17b8041f8d35501a0b2") + b"Gallia est omnis divisa in partes tres"
RTCP = bytes.fromhex("80c900015501a0b2") + b"twenty octets at end"
SSRC = 0x5501A0B2
SUITES = pytest.mark.parametrize("suite", SIZES, ids=lambda suite: suite.value)


def made(suite: Suite) -> Crypto:
    sizes = SIZES[suite]
    return Crypto(suite, bytes(range(sizes.key)), salt=bytes(range(100, 100 + sizes.salt)))


@pytest.mark.parametrize(
    ("keys", "label", "expected"),
    [
        (RFC3711_B3, 0, "C61E7A93744F39EE10734AFE3FF7A087"),
        (RFC3711_B3, 1, "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"),
        (RFC3711_B3, 2, "30CBBC08863D8C85D49DB34A9AE1"),
        (RFC6188_7_4, 0, "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4"),
        (RFC6188_7_4, 1, "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"),
        (RFC6188_7_4, 2, "fa31791685ca444a9e07c6c64e93"),
    ],
)
def test_key_derivation(keys: tuple[bytes, bytes], label: int, expected: str) -> None:
    assert derive(*keys, label, len(expected) // 2) == bytes.fromhex(expected)


def test_a_whole_packet() -> None:
    """The packet that libsrtp's own driver checks, with the keys of RFC 3711 B.3."""
    crypto = Crypto(Suite.AES_CM_128_HMAC_SHA1_80, RFC3711_B3[0], salt=RFC3711_B3[1])
    packet = bytes.fromhex("800f1234decafbadcafebabe") + b"\xab" * 16
    expected = "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"
    assert transform(crypto).protect(packet, 12, 0xCAFEBABE, 0x1234) == bytes.fromhex(expected)


@SUITES
def test_there_and_back(suite: Suite) -> None:
    ours, theirs, sizes = transform(made(suite)), transform(made(suite)), SIZES[suite]
    for index in (5, 0xF17B, 1 << 40):
        sent = ours.protect(RTP, 12, SSRC, index)
        assert len(sent) == len(RTP) + sizes.tag
        assert sent[:12] == RTP[:12]
        assert b"Gallia" not in sent
        assert theirs.unprotect(sent, 12, SSRC, index) == RTP
        assert theirs.unprotect(sent, 12, SSRC, index + (1 << 16)) is None, "the rollover counter is signed"
        control = ours.protect_control(RTCP, SSRC, index & 0x7FFFFFFF)
        assert len(control) == len(RTCP) + 4 + sizes.control_tag
        assert b"twenty" not in control
        assert theirs.control_index(control) == ENCRYPTED | index & 0x7FFFFFFF
        assert theirs.unprotect_control(control, SSRC) == RTCP


@SUITES
def test_one_changed_bit_is_seen(suite: Suite) -> None:
    one = transform(made(suite))
    sent, control = one.protect(RTP, 12, SSRC, 1), one.protect_control(RTCP, SSRC, 1)
    for at in range(12, len(sent)):
        assert one.unprotect(sent[:at] + bytes([sent[at] ^ 1]) + sent[at + 1 :], 12, SSRC, 1) is None
    for at in range(8, len(control)):
        assert one.unprotect_control(control[:at] + bytes([control[at] ^ 1]) + control[at + 1 :], SSRC) is None


@SUITES
def test_the_header_is_signed(suite: Suite) -> None:
    one = transform(made(suite))
    sent = one.protect(RTP, 12, SSRC, 1)
    assert one.unprotect(b"\x80\xe0" + sent[2:], 12, SSRC, 1) is None


@pytest.mark.parametrize("suite", [Suite.AES_CM_128_HMAC_SHA1_80, Suite.AES_256_CM_HMAC_SHA1_32])
def test_control_that_is_signed_only_is_not_taken(suite: Suite) -> None:
    one = transform(made(suite))
    signed = RTCP + (7).to_bytes(4, "big")
    packet = signed + one._rtcp.sign(signed)[:10]  # type: ignore[attr-defined]
    assert one.unprotect_control(packet, SSRC) is None


def test_keys_of_rtp_and_rtcp_differ() -> None:
    for suite in SIZES:
        one = transform(made(suite))
        assert one.protect(RTP, 12, SSRC, 1)[12:40] != one.protect_control(RTP, SSRC, 1)[12:40]


@pytest.mark.parametrize(
    ("crypto", "words"),
    [
        (replace(made(Suite.AEAD_AES_128_GCM), key=bytes(15)), "key of 16 octets"),
        (replace(made(Suite.AES_256_CM_HMAC_SHA1_80), key=bytes(16)), "key of 32 octets"),
        (replace(made(Suite.AES_CM_128_HMAC_SHA1_80), salt=bytes(12)), "salt of 14"),
        (Crypto(Suite.AES_128_CBC, bytes(16)), "none of SRTP's"),
    ],
)
def test_keys_that_are_none(crypto: Crypto, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        transform(crypto)
