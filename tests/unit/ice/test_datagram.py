"""What on one port is told from what (RFC 7983)."""

from __future__ import annotations

import pytest

from firmware.ice.datagram import is_channel_data, is_stun
from firmware.ice.message import BINDING, Kind, Message

STUN = Message.of(BINDING, Kind.REQUEST, bytes(12)).encode()

DATAGRAMS = {
    "STUN": (STUN, True, False),
    "a channel's": (b"\x40\x00\x00\x01x", False, True),
    "the last channel's": (b"\x4f\xff\x00\x00", False, True),
    "DTLS": (b"\x16\xfe\xff" + bytes(20), False, False),
    "RTP": (b"\x80\x60" + bytes(20), False, False),
    "RTCP": (b"\x81\xc9" + bytes(20), False, False),
    "STUN of RFC 3489": (STUN[:4] + bytes(16), False, False),
    "half a header": (STUN[:19], False, False),
    "nothing": (b"", False, False),
    "half a channel's": (b"\x40\0\0", False, False),
}


@pytest.mark.parametrize(("data", "stun", "channel"), DATAGRAMS.values(), ids=DATAGRAMS)
def test_kinds(data: bytes, stun: bool, channel: bool) -> None:
    assert is_stun(data) is stun
    assert is_channel_data(data) is channel
