"""The handshakes of one stream: on its RTP port, and on its RTCP port where that is another (RFC 5764 4.1).

Rule 1: RTCP is encrypted with the keys of the RTP port until its own port has some.  A handshake on the RTCP port that
comes to nothing costs reports only.
Rule 2: a far end that begins anew, having lost its keys, gets new ones, once it has proved again who it is; until then
the old ones hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firmware.media.dtls import RECORD_HEADER, Association, Keys

if TYPE_CHECKING:
    from firmware.call.media import Handshake

BEGIN_ANEW: Final = 1.0
"""Seconds between two handshakes that a far end begins, at least."""
_HANDSHAKE, _CLIENT_HELLO = 22, 1
"""RFC 6347 4.3.1, 4.3.2."""


class KeyAgreement:
    """What one stream agrees.

    *send* sends a datagram by the port of RTP, or (True) of *control*.  *known*: keys that were agreed already, by
    somebody whose place we take.  ValueError: our certificate makes no sense.
    """

    def __init__(
        self,
        handshake: Handshake,
        mux: bool,
        send: Callable[[bytes, bool], None],
        now: float,
        known: Keys | None = None,
    ) -> None:
        self.handshake: Final = handshake
        self.keys = known
        self.failure = ""
        """Why there are no keys; "": there are, or may be."""
        self._ports = [_Port(handshake, lambda data: send(data, False), now, begin=known is None)]
        if not mux:
            self._ports.append(_Port(handshake, lambda data: send(data, True), now, begin=known is None))

    def receive(self, data: bytes, control: bool, now: float) -> None:
        """Take a datagram of DTLS."""
        if control < len(self._ports):
            self._ports[control].receive(data, now)
            self._look()

    def timer(self) -> float:
        """When handle_timer is wanted."""
        return min(port.timer() for port in self._ports)

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        for port in self._ports:
            port.handle_timer(now)
        self._look()

    def _look(self) -> None:
        keys = self._ports[0].keys
        control = self._ports[1].keys if len(self._ports) > 1 else None
        if keys is not None and control is not None:
            keys = Keys(replace(keys.send, control=control.send), replace(keys.receive, control=control.receive))
        self.keys = keys or self.keys
        if self.keys is None:
            self.failure = self._ports[0].failure


class _Port:
    """The association of one port, and the one that may take its place."""

    def __init__(self, handshake: Handshake, send: Callable[[bytes], None], now: float, *, begin: bool) -> None:
        self._handshake = handshake
        self._send = send
        self._now: Association | None = Association(handshake, send, now) if begin else None
        self._next: Association | None = None
        self._begun = now if begin else float("-inf")

    @property
    def keys(self) -> Keys | None:
        return self._now.keys if self._now is not None else None

    @property
    def failure(self) -> str:
        return self._now.failure if self._now is not None else ""

    def receive(self, data: bytes, now: float) -> None:
        if (self._now is None or self._now.keys is not None) and self._begins_anew(data, now):
            self._begun = now
            self._next = Association(self._handshake, self._send, now)
        for association in (self._next, self._now):
            if association is not None:
                association.receive(data, now)
        if self._next is not None and self._next.keys is not None:
            self._now, self._next = self._next, None

    def timer(self) -> float:
        return min((one.timer() for one in (self._now, self._next) if one is not None), default=float("inf"))

    def handle_timer(self, now: float) -> None:
        for association in (self._now, self._next):
            if association is not None:
                association.handle_timer(now)
        if self._next is not None and self._next.failure:
            self._next = None

    def _begins_anew(self, data: bytes, now: float) -> bool:
        if self._handshake.begins or now < self._begun + BEGIN_ANEW or len(data) <= RECORD_HEADER:
            return False
        # Epoch 0: in the clear, as only a handshake's first messages are.
        return data[0] == _HANDSHAKE and data[3:5] == b"\0\0" and data[RECORD_HEADER] == _CLIENT_HELLO
