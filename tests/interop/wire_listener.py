"""Somebody on the wire of this machine, who hears what two others send each other."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import NamedTuple

import pytest

from firmware.rtp.packet import HEADER_SIZE

ETHERTYPE_IP = 0x0800


class Heard(NamedTuple):
    """One datagram that is RTP or RTCP by its looks, or DTLS (RFC 7983)."""

    port: int
    """It goes to."""
    tos: int
    """The traffic class octet of its IP header."""
    data: bytes

    @property
    def payload_type(self) -> int:
        return self.data[1] & 0x7F

    @property
    def is_control(self) -> bool:
        return self.data[0] >> 6 == 2 and 192 <= self.data[1] <= 223

    @property
    def is_rtp(self) -> bool:
        return self.data[0] >> 6 == 2 and not self.is_control

    @property
    def is_dtls(self) -> bool:
        return 20 <= self.data[0] <= 63

    @property
    def payload(self) -> bytes:
        return self.data[HEADER_SIZE:]


class WireListener:
    """Listens on loopback to what goes between two IPv4 addresses, from when it is made.  It takes root."""

    def __init__(self, one: str, other: str) -> None:
        self._between = sorted((socket.inet_aton(one), socket.inet_aton(other)))
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETHERTYPE_IP))
        except PermissionError:
            pytest.skip("listening on the wire takes root")
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_000_000)
        self._socket.bind(("lo", ETHERTYPE_IP))
        self._socket.settimeout(0.2)

    def hear(self, seconds: float) -> list[Heard]:
        """Give what went by since it was made, and goes by in the next seconds; nothing afterwards."""
        heard: list[Heard] = []
        end = time.monotonic() + seconds
        with contextlib.closing(self._socket):
            while time.monotonic() < end:
                with contextlib.suppress(TimeoutError):
                    packet, address = self._socket.recvfrom(4096)
                    found = self._read(packet) if address[2] != socket.PACKET_OUTGOING else None
                    if found is not None:
                        heard.append(found)
        return heard

    def _read(self, packet: bytes) -> Heard | None:
        start = 4 * (packet[0] & 0x0F)
        is_udp = packet[0] >> 4 == 4 and packet[9] == socket.IPPROTO_UDP
        if not is_udp or sorted((packet[12:16], packet[16:20])) != self._between:
            return None
        data = packet[start + 8 :]
        heard = Heard(int.from_bytes(packet[start + 2 : start + 4], "big"), packet[1], data)
        return heard if len(data) >= HEADER_SIZE and (heard.is_dtls or data[0] >> 6 == 2) else None
