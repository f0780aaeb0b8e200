"""The pairs of UDP ports on which the sound and the picture of calls arrive.

Rule 1: a pair is bound as long as its call lasts, so that its port is never lost to another program, and a description
never promises a port that nobody listens on.
Rule 2: RTP has the even port, RTCP the next one (RFC 3550 11).
Rule 3: a pair just freed is used again last: what its old far end still sends must not reach a new call.
"""

from __future__ import annotations

import contextlib
import random
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware.errors import CallError
from firmware.net.address import own_kernel_address

if TYPE_CHECKING:
    from firmware.sansio import Address

RECEIVE_BUFFER: Final = 1 << 20
"""Bytes asked of the kernel for RTP: a quarter of a second at 20 Mbit/s, should the media process be busy."""


@dataclass(frozen=True, slots=True)
class MediaPort:
    """A bound pair of non-blocking UDP sockets."""

    address: Address
    """Of the RTP socket; the RTCP socket has the next port."""
    rtp: socket.socket
    rtcp: socket.socket

    def close(self) -> None:
        """Close both sockets."""
        self.rtp.close()
        self.rtcp.close()


class PortPool:
    """All pairs between two ports, inclusive, on any of our addresses."""

    def __init__(self, first: int, last: int, rng: random.Random | None = None) -> None:
        even = first + first % 2
        self._ports: Final = range(even, last, 2)
        self._reserved: dict[Address, MediaPort] = {}
        # A unit that starts anew must not begin where it was before the power cut.
        self._next = (rng or random.SystemRandom()).randrange(len(self._ports)) if self._ports else 0

    def reserve(self, host: str) -> MediaPort:
        """Bind a free pair on this address of ours.  CallError: there is none."""
        reason = "all are in use"
        for step in range(len(self._ports)):
            index = (self._next + step) % len(self._ports)
            address = (host, self._ports[index])
            if address in self._reserved:
                continue
            try:
                pair = _bind(address)
            except OSError as error:
                reason = error.strerror or str(error)
                continue
            self._next = index + 1
            self._reserved[address] = pair
            return pair
        span = f"{self._ports.start} to {self._ports.stop}" if self._ports else "none"
        raise CallError(f"no pair of media ports is free on {host} (ports {span}): {reason}")

    def release(self, address: Address) -> None:
        """Close the pair of this RTP address; one that is not reserved is let be."""
        pair = self._reserved.pop(address, None)
        if pair is not None:
            pair.close()

    def sockets(self, address: Address) -> tuple[socket.socket, socket.socket]:
        """Give the RTP and the RTCP socket of a reserved pair.  KeyError: it is not reserved."""
        pair = self._reserved[address]
        return pair.rtp, pair.rtcp

    @property
    def reserved(self) -> frozenset[Address]:
        """RTP addresses of all reserved pairs."""
        return frozenset(self._reserved)

    def close(self) -> None:
        """Close all pairs."""
        for address in tuple(self._reserved):
            self.release(address)


def _bind(address: Address) -> MediaPort:
    host, port = address
    with contextlib.ExitStack() as undo:
        rtp, rtcp = (undo.enter_context(_bound(host, port + offset)) for offset in (0, 1))
        rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        undo.pop_all()
    return MediaPort(address, rtp, rtcp)


def _bound(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)
        if bound.family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(own_kernel_address((host, port)))
    except OSError:
        bound.close()
        raise
    return bound
