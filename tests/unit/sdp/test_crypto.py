"""What is read of ``a=crypto``, and written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.sdp.crypto import CryptoAttribute, read
from firmware.sdp.session import MediaDescription

KEY = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
SUITE = "AES_CM_128_HMAC_SHA1_80"


def lines(*values: str) -> tuple[CryptoAttribute, ...]:
    attributes = tuple(("crypto", value) for value in values)
    return read(MediaDescription("audio", 5000, "RTP/SAVP", ("0",), attributes=attributes))


def test_the_examples_of_rfc_4568() -> None:
    [first, second] = lines(
        f"1 {SUITE} inline:{KEY}|2^20|1:4 FEC_ORDER=FEC_SRTP",
        "2 F8_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2^20|1:4 FEC_ORDER=FEC_SRTP",
    )
    assert first == CryptoAttribute(
        1, SUITE, b"wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#", b"\0\0\0\1", 1 << 20, ("FEC_ORDER=FEC_SRTP",)
    )
    assert (second.tag, second.suite) == (2, "F8_128_HMAC_SHA1_80")


@pytest.mark.parametrize(
    ("value", "lifetime", "identifier"),
    [
        (f"0 {SUITE} inline:{KEY}", 0, b""),
        (f"1 {SUITE} inline:{KEY}|1000", 1000, b""),
        (f"1 {SUITE} inline:{KEY}|3:1", 0, b"\3"),
        (f"1 {SUITE.lower()} INLINE:{KEY}|2^31|258:2", 1 << 31, b"\1\2"),
        (f"1  {SUITE}   inline:{KEY}", 0, b""),
    ],
)
def test_lifetime_and_identifier(value: str, lifetime: int, identifier: bytes) -> None:
    [line] = lines(value)
    assert (line.suite, line.lifetime, line.identifier) == (SUITE, lifetime, identifier)
    assert line.parameters == ()


def test_padding_may_be_left_out() -> None:
    [line] = lines(f"1 AEAD_AES_128_GCM inline:{'A' * 38}==")
    [bare] = lines(f"1 AEAD_AES_128_GCM inline:{'A' * 38}")
    assert line == bare
    assert len(line.key_and_salt) == 28


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1",
        f"1 {SUITE}",
        f"x {SUITE} inline:{KEY}",
        f"1 {SUITE} outline:{KEY}",
        f"1 {SUITE} inline:{KEY};inline:{KEY}",
        f"1 {SUITE} inline:{KEY}|2^200",
        f"1 {SUITE} inline:{KEY}|1:0",
        f"1 {SUITE} inline:{KEY}|256:1",
        f"1 {SUITE} inline:{KEY}|1:129",
        f"1 {SUITE} inline:A",
        f"1 {SUITE} inline:AAAAA",
        f"12345678901 {SUITE} inline:{KEY}",
    ],
)
def test_what_can_not_be_read_counts_as_absent(value: str) -> None:
    assert lines(value) == ()


def test_order_is_kept_and_a_tag_counts_once() -> None:
    assert [line.suite for line in lines(f"2 A inline:{KEY}", f"1 B inline:{KEY}", f"2 C inline:{KEY}")] == ["A", "B"]


def test_lines_are_bounded() -> None:
    assert len(lines(*(f"{tag} {SUITE} inline:{KEY}" for tag in range(1, 1000)))) == 32


@given(st.integers(1, 9), st.binary(min_size=30, max_size=46), st.integers(0, 255), st.booleans())
def test_what_is_written_is_read(tag: int, octets: bytes, identifier: int, named: bool) -> None:
    line = CryptoAttribute(tag, SUITE, octets, bytes([0, identifier]) if named else b"", 1000 * named, ("WSH=64",))
    assert lines(str(line)) == (line,)


@given(st.text(max_size=80))
def test_nothing_raises(text: str) -> None:
    lines(text, f"1 {text}", f"1 {SUITE} inline:{text}", f"1 {SUITE} inline:{KEY}|{text}")


def test_a_key_is_in_no_representation() -> None:
    [line] = lines(f"1 {SUITE} inline:{KEY}")
    assert "wDfvg" not in repr(line)
    assert KEY in str(line)
