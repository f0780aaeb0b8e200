"""Packets that go again in a stream of their own (RFC 4588 4): what was lost is counted as lost, and yet arrives.

Such a packet has the timestamp of the original, a payload type that stands for that of the original, the source and
sequence number of its own stream, and the original's sequence number before the payload.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

from firmware.rtp.packet import HEADER_SIZE, Packet

_NUMBER: Final = 2
"""Octets of the original sequence number (OSN)."""


class Resender:
    """Our stream of retransmissions."""

    def __init__(self, rng: random.Random) -> None:
        # RFC 4588 5.3: in one session it has another SSRC than the original; both start at random.
        self.ssrc: Final = rng.getrandbits(32)
        self._sequence = rng.getrandbits(15)

    def wrap(self, packet: bytes, payload_type: int) -> bytes:
        """Give what to send for a packet of ours, which has neither padding nor extension."""
        self._sequence = self._sequence + 1 & 0xFFFF
        header = packet[:1] + bytes([packet[1] & 0x80 | payload_type]) + self._sequence.to_bytes(2, "big")
        return header + packet[4:8] + self.ssrc.to_bytes(4, "big") + packet[2:4] + packet[HEADER_SIZE:]


def unwrap(packet: Packet, payload_type: int, ssrc: int) -> Packet | None:
    """Give the original of a received packet, of this payload type and source; None: there is none in it."""
    if len(packet.payload) <= _NUMBER:  # padding, with which some probe the path
        return None
    number = int.from_bytes(packet.payload[:_NUMBER], "big")
    return replace(packet, payload_type=payload_type, sequence=number, ssrc=ssrc, payload=packet.payload[_NUMBER:])
