"""Captured H.323 calls as transcripts: for each TCP connection who said what, in order."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from conformance.h323_capture import CAPTURES, packets

from firmware.h323 import tpkt
from firmware.h323.q931 import PROTOCOL_DISCRIMINATOR

_SYN, _ACK = 2, 16


@dataclass
class Connection:
    """One TCP connection that carried packets of TPKT."""

    opener: bytes
    """Address and port of who opened it."""
    said: list[tuple[bool, bytes]] = field(default_factory=list)
    """Whether the opener said it, and the payload of the packet."""
    _next: dict[bytes, int] = field(default_factory=dict)
    _readers: dict[bytes, tpkt.PacketReader] = field(default_factory=dict)

    @property
    def signals(self) -> bool:
        """Whether it carried call signalling."""
        return bool(self.said) and self.said[0][1][0] == PROTOCOL_DISCRIMINATOR

    def of(self, *, opener: bool) -> list[bytes]:
        return [payload for by_opener, payload in self.said if by_opener is opener]

    def take(self, source: bytes, sequence: int, data: bytes) -> None:
        expected = self._next.setdefault(source, sequence)
        assert sequence <= expected, "a gap"
        data = data[expected - sequence :]
        self._next[source] = expected + len(data)
        reader = self._readers.setdefault(source, tpkt.PacketReader())
        self.said += [(source == self.opener, payload) for payload in reader.receive(data)]


def connections(name: str) -> list[Connection]:
    """Give the connections of a capture that carried H.323, in the order of their beginning."""
    found: dict[frozenset[bytes], Connection] = {}
    for source, destination, flags, sequence, data in _segments(name):
        pair = frozenset((source, destination))
        if flags & (_SYN | _ACK) == _SYN:
            found[pair] = Connection(source)
        elif data and pair in found:
            found[pair].take(source, sequence, data)
    return [connection for connection in found.values() if connection.said]


def _segments(name: str) -> Iterator[tuple[bytes, bytes, int, int, bytes]]:
    for protocol, payload in packets(CAPTURES / f"{name}.pcap"):
        if protocol == 6:
            source, destination = payload[0:4] + payload[8:10], payload[4:8] + payload[10:12]
            sequence, offset, flags = struct.unpack_from(">I4xBB", payload, 12)
            yield source, destination, flags, sequence, payload[8 + (offset >> 4) * 4 :]
