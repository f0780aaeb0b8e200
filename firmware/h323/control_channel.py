"""How the H.245 messages of one call travel: tunnelled in call signalling, or on a connection of their own.

::

                 ┌─ tunnel:    h245Control in the next H.225 message, or in a Facility (H.323 8.2.1)
    Control ──▶ ─┤
                 └─ connection: one that we opened to their h245Address, or they to ours (H.323 8.2.3)

Rule 1: tunnelling needs both sides' word; a connection, once it is asked for, takes the tunnel's place for good.
Rule 2: where both sides open a connection at once, one stays, the same on both sides.  What was sent on one that is
lost before the far end said a word on it is sent again on the other.
Rule 3: where call signalling is secured by TLS, there is the tunnel only: a connection would be in the clear.  So it is
where a connection to a gatekeeper carries call signalling (H.460.17), because one more might not be possible.
Rule 4: a connection from another host than the call's is the call's only where a gatekeeper routes it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from firmware.errors import LocalProtocolError
from firmware.h323.address import order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware.h323.layers import Layers
    from firmware.h323.streams import Stream
    from firmware.sansio import Address, Flow

MAX_WAITING: Final = 64
"""Messages that wait for a way to travel; the oldest is dropped for one more."""
MAX_CONNECTIONS: Final = 4
"""Connections to addresses of the far end, in one call."""


class Call(Protocol):
    """The call whose control channel this is."""

    @property
    def routed(self) -> bool:
        """Whether a gatekeeper stands between."""

    def control_opened(self, now: float) -> None:
        """Take that the far end made its connection."""

    def control_received(self, octets: bytes, now: float) -> None:
        """Take a message."""

    def control_lost(self, now: float) -> None:
        """Take that the connection is gone, or could not be made, and that there is no other."""


class ControlChannel:
    """The transport of one call's H.245 messages."""

    def __init__(
        self, layers: Layers, call: Call, signaling: Stream, *, tunnelling: bool, shared: bool = False
    ) -> None:
        """*shared* says that call signalling has no connection of its own."""
        self._tunnelling: Final = tunnelling
        self._offers_tunnelling = tunnelling
        self._shared: Final = shared
        self._layers, self._call, self._signaling = layers, call, signaling
        self._far_end_tunnels: bool | None = None
        self._own: Address | None = None
        self._far: Address | None = None
        self._ours: Stream | None = None
        self._theirs: Stream | None = None
        self._opened = 0
        self._heard = False
        self._waiting: list[bytes] = []
        self._unheard: list[bytes] = []

    # Which way

    @property
    def _only_tunnel(self) -> bool:
        """Whether there is no other way; a gatekeeper may say so when the call has begun already (H.460.22)."""
        return self._shared or self._signaling.flow.transport == "tls"

    @property
    def takes_tunnelled(self) -> bool:
        """Whether tunnelled messages are taken; those on their way when a connection takes the tunnel's place are."""
        return self._tunnelling or self._only_tunnel

    @property
    def offers_tunnelling(self) -> bool:
        """What h245Tunnelling says in our messages: we can, and the far end has not said that it can't."""
        return (self._offers_tunnelling or self._only_tunnel) and self._far_end_tunnels is not False

    @property
    def tunnels(self) -> bool:
        """Whether messages are tunnelled now."""
        return self.offers_tunnelling and self._far_end_tunnels is True and self._stream is None

    @property
    def has_connection(self) -> bool:
        """Whether there is a connection, or one is being made."""
        return self._stream is not None

    @property
    def listens(self) -> bool:
        """Whether the far end has an address of ours to connect to."""
        return self._own is not None

    @property
    def far_address(self) -> Address | None:
        """The address that the far end gave last."""
        return self._far

    def far_end_tunnels(self, flag: bool | None) -> None:
        """Take what h245Tunnelling said in a message of the far end; None: nothing."""
        if flag is not None:
            self._far_end_tunnels = flag

    def far_end_listens(self, address: Address | None) -> None:
        """Take the h245Address of a message of the far end."""
        if address is not None and not self._only_tunnel and self._is_reachable(address):
            self._far = address

    def listen(self) -> Address | None:
        """Give the h245Address to send to the far end; None: no port is free."""
        if self._only_tunnel:
            return None
        if self._own is None:
            port = self._layers.listen(self)
            self._own = None if port is None else (self._signaling.flow.local[0], port)
        return self._own

    def connect(self) -> bool:
        """Open a connection to the far end's address, unless there is one; False: that can't be done."""
        if self.has_connection:
            return True
        if self._far is None or self._opened >= MAX_CONNECTIONS:
            return False
        self._opened += 1
        self._offers_tunnelling = False  # H.323 8.2.3: what follows says so
        stream = self._layers.streams.reserve(replace(self._signaling.flow, remote=self._far), self)
        try:
            self._layers.streams.connect(stream)
        except LocalProtocolError:
            return False
        self._ours = stream
        self._resolve()
        return True

    def accept(self, flow: Flow, now: float) -> Stream | None:
        """Take a connection that was made to our address; None: it is not one of this call."""
        if self._theirs is not None or not (self._call.routed or flow.remote[0] == self._signaling.flow.remote[0]):
            return None
        self._theirs = self._layers.streams.accept(flow, self, now)
        if self._theirs is not None:
            self._offers_tunnelling = False
            self._resolve()
            self._call.control_opened(now)
        return self._theirs

    # Messages

    def send(self, messages: Iterable[bytes]) -> None:
        """Send these, as soon as there is a way."""
        self._waiting += messages
        if len(self._waiting) > MAX_WAITING:
            self._layers.counters["H.245 message without a way"] += len(self._waiting) - MAX_WAITING
            del self._waiting[:-MAX_WAITING]
        self._flush()

    def take(self) -> list[bytes]:
        """Give what is to be tunnelled, and forget it."""
        if not (self._waiting and self.tunnels):
            return []
        waiting, self._waiting = self._waiting, []
        return waiting

    def put_back(self, messages: Iterable[bytes]) -> None:
        """Send again, before all that waits, what was tunnelled to somebody who did not look at it."""
        self._waiting[:0] = messages

    def close(self) -> None:
        """End it: close what is open, once all is out, and give the port back."""
        for stream in (self._ours, self._theirs):
            self._layers.streams.close(stream)
        self._ours = self._theirs = None
        self._layers.close_port(self._own)

    # streams.Owner

    def stream_opened(self, now: float) -> None:
        """Take that our connection is made; what was sent meanwhile is on its way."""

    def stream_received(self, payload: bytes, now: float) -> None:
        """Take a message; it may come on either connection while both stand."""
        if not self._heard:
            self._heard = True
            self._unheard.clear()
        self._call.control_received(payload, now)

    def stream_closed(self, stream: Stream, now: float) -> None:
        """Go on with the other connection, if there is one."""
        carried = self._stream
        if stream is self._ours:
            self._ours = None
        if stream is self._theirs:
            self._theirs = None
        if stream is carried:
            self._send_again()
        if self._stream is None:
            self._call.control_lost(now)

    @property
    def _stream(self) -> Stream | None:
        return self._ours or self._theirs

    def _resolve(self) -> None:
        """Close our connection if both sides made one and ours is the one to go."""
        if self._ours is None or self._theirs is None or self._own is None or self._far is None:
            self._flush()
            return
        # H.323 8.2.3: the side whose h245Address is numerically smaller closes the connection that it opened.
        if order(self._own) < order(self._far):
            self._layers.streams.close(self._ours)
            self._ours = None
            self._send_again()
        else:
            self._flush()

    def _send_again(self) -> None:
        self._waiting[:0] = self._unheard
        self._unheard.clear()
        self._flush()

    def _flush(self) -> None:
        stream = self._stream
        if stream is None:
            return
        for octets in self._waiting:
            self._layers.streams.send(stream, octets)
        if not self._heard:
            self._unheard = (self._unheard + self._waiting)[-MAX_WAITING:]
        self._waiting.clear()

    def _is_reachable(self, address: Address) -> bool:
        """Whether it is an address to which a far end may send us: never this machine's own services."""
        far, peer = ipaddress.ip_address(address[0]), ipaddress.ip_address(self._signaling.flow.remote[0])
        own = ipaddress.ip_address(self._signaling.flow.local[0])
        strange = (far.is_loopback and not peer.is_loopback) or (far == own and peer != own)
        return far.version == peer.version and not strange
