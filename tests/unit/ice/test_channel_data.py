"""Datagrams in a channel of a TURN server."""

from __future__ import annotations

import pytest

from firmware.ice.channel_data import COUNT, FIRST, decode, encode, number_of


def test_to_the_octet() -> None:
    assert encode(0x4001, b"abc") == b"\x40\x01\0\3abc"
    assert decode(b"\x40\x01\0\3abc") == (0x4001, b"abc")
    assert decode(b"\x40\x01\0\3abc\0") == (0x4001, b"abc"), "padded"
    assert decode(b"\x40\x01\0\0") == (0x4001, b"")


@pytest.mark.parametrize("data", [b"", b"\x40\0\0", b"\x40\0\0\5abcd", b"\x3f\xff\0\0", b"\x50\0\0\0", b"\x80\0\0\0"])
def test_what_is_none(data: bytes) -> None:
    assert decode(data) is None


def test_numbers_belong_to_peers() -> None:
    """The same each time, and hardly ever the same for two."""
    peers = [("192.0.2.1", 4000), ("192.0.2.1", 4001), ("192.0.2.2", 4000), ("2001:db8::1", 4000)]
    numbers = [number_of(peer) for peer in peers]
    assert numbers == [number_of(peer) for peer in peers]
    assert len(set(numbers)) == len(peers)
    assert all(FIRST <= number_of(("192.0.2.1", port)) < FIRST + COUNT for port in range(1000))
