"""Connections to gatekeepers that carry RAS and all calls: H.460.17, for units that can't be reached from outside.

::

    RasClient ── RAS messages ──▶ ┐          ┌ call reference 0: RAS          ──▶ RasClient
    Session   ── messages ──────▶ ├─ Tunnel ─┤ that of a call: its messages   ──▶ Session
    Session   ── messages ──────▶ ┘          └ another, with a Setup: a call  ──▶ setup

Rule 1: the RAS client opens a tunnel by having something to say, and gives it up by closing its flow.
Rule 2: while we are registered by a tunnel, every call of ours goes through it, and no call has a connection beside it:
H.245 is tunnelled, whatever the settings say.
Rule 3: a tunnel that is lost ends its calls, since nothing else could end them in an orderly way (H.323 8.6), and the
registration: the client makes another.
Rule 4: an empty packet now and then keeps the way through a translator open; whether the gatekeeper is still there
shows the client's registration.  A tunnel that nobody needs any more is closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.errors import DecodeError, LocalProtocolError
from firmware.h323 import h460_ras, q931
from firmware.h323.call_message import release_stray
from firmware.h323.cause import Cause
from firmware.h323.q931 import MessageType
from firmware.h323.reception import receive_message
from firmware.h323.setup import receive_setup
from firmware.sansio import Send

if TYPE_CHECKING:
    from firmware.h323.layers import Layers
    from firmware.h323.q931 import Message
    from firmware.h323.ras import RasClient
    from firmware.h323.session import Session
    from firmware.h323.streams import Stream
    from firmware.sansio import Action, Flow

KEEP_ALIVE: Final = 20.0
"""Seconds between two empty packets; translators forget a silent connection after a minute and more."""


class Tunnel:
    """One connection (`streams.Owner`)."""

    def __init__(self, layers: Layers, flow: Flow, now: float) -> None:
        """Open it.  LocalProtocolError: there are too many connections."""
        self.flow: Final = flow
        """As the RAS client names it."""
        self.stream: Final = layers.streams.reserve(flow, self)
        self.calls: Final[list[Session]] = []
        self.due = now + KEEP_ALIVE
        self._layers = layers
        layers.streams.connect(self.stream)

    def call_reference(self) -> int:
        """Give one that no call of ours on this connection has (Q.931 4.3)."""
        taken = {session.call_reference for session in self.calls if session.outgoing}
        while (reference := self._layers.call_reference()) in taken:
            pass
        return reference

    # streams.Owner

    def stream_opened(self, now: float) -> None:
        """Take that it stands; what was sent meanwhile is on its way."""

    def stream_received(self, payload: bytes, now: float) -> None:
        """Take one message, of RAS or of a call."""
        layers = self._layers
        try:
            message = q931.decode(payload)
            ras = h460_ras.read_facility(message) if _is_ras(message) else []
        except DecodeError:
            if layers.streams.blame(self.stream):
                layers.tunnels.lose(self, now)
            return
        if message.call_reference:
            self._receive(message, now)
            return
        client = layers.gate.client
        if client is not None:
            for octets in ras:
                client.receive_data(self.flow, octets, now)
        layers.gate.collect(now)

    def stream_closed(self, stream: Stream, now: float) -> None:  # noqa: ARG002
        """Take that it is lost, or could not be made."""
        self._layers.tunnels.lose(self, now)

    def _receive(self, message: Message, now: float) -> None:
        session = self._find(message)
        if session is not None:
            receive_message(session, message, now)
            session.h245.pump(now)
        elif message.type == MessageType.SETUP and self._layers.tunnels.current is self:
            receive_setup(self._layers, self.stream, message, now, tunnel=self)
        elif message.type != MessageType.RELEASE_COMPLETE:
            # Q.931 5.8.3.2 a)
            self._layers.counters["message without a call"] += 1
            stray = release_stray(message, Cause.INVALID_CALL_REFERENCE, "undefinedReason")
            self._layers.streams.send(self.stream, stray)

    def _find(self, message: Message) -> Session | None:
        """Give the call whose reference this is; either side gives references to the calls that it makes."""
        key = (message.call_reference, message.from_destination)
        return next((s for s in self.calls if (s.call_reference, s.outgoing) == key), None)


class Tunnels:
    """All tunnels of one terminal: one at a time, but for a moment's two while one gatekeeper is left for another."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._tunnels: list[Tunnel] = []
        self.lost: Flow | None = None
        """That of the last tunnel, if it failed."""

    def __len__(self) -> int:
        return len(self._tunnels)

    @property
    def current(self) -> Tunnel | None:
        """That by which we are registered; None: we are not, or otherwise."""
        client = self._layers.gate.client
        if client is None or not client.registered or client.gatekeeper is None:
            return None
        return next((t for t in self._tunnels if t.flow.remote == client.gatekeeper.address), None)

    def carry(self, client: RasClient, now: float) -> list[Action]:
        """Put what a client says by connections into tunnels; give what it says by datagrams."""
        datagrams: list[Action] = []
        while actions := client.actions():
            for action in actions:
                tunnel = next((t for t in self._tunnels if t.flow == action.flow), None)
                if not action.flow.reliable:
                    datagrams.append(action)
                elif isinstance(action, Send):
                    self._send(client, tunnel, action, now)
                elif tunnel is not None:
                    self._close(tunnel, now)
        return datagrams

    def lose(self, tunnel: Tunnel, now: float) -> None:
        """Take that a tunnel is of no use any more, and tell the client."""
        if tunnel not in self._tunnels:
            return
        client = self._layers.gate.client
        self._remove(tunnel)
        self.lost = tunnel.stream.flow
        # Before the calls end: it has no way any more to say that they do.
        if client is not None:
            client.flow_closed(tunnel.flow, now)
        _end_calls(tunnel, now)

    def timer(self) -> float | None:
        """When handle_timer is wanted, or None."""
        return min((tunnel.due for tunnel in self._tunnels), default=None)

    def handle_timer(self, now: float) -> None:
        """Keep what is needed alive, close the rest."""
        client = self._layers.gate.client
        for tunnel in [tunnel for tunnel in self._tunnels if tunnel.due <= now]:
            if tunnel.calls or (client is not None and client.needs(tunnel.flow)):
                tunnel.due = now + KEEP_ALIVE
                self._layers.streams.send(tunnel.stream, b"")
            else:
                self._close(tunnel, now)

    def _send(self, client: RasClient, tunnel: Tunnel | None, action: Send, now: float) -> None:
        if tunnel is None:
            try:
                tunnel = Tunnel(self._layers, action.flow, now)
            except LocalProtocolError:
                self._layers.counters["no room for a tunnel"] += 1
                client.flow_closed(action.flow, now)
                return
            self._tunnels.append(tunnel)
            self.lost = None
        self._layers.streams.send(tunnel.stream, h460_ras.encode_facility(action.data))

    def _close(self, tunnel: Tunnel, now: float) -> None:
        self._remove(tunnel)
        _end_calls(tunnel, now)

    def _remove(self, tunnel: Tunnel) -> None:
        self._tunnels.remove(tunnel)
        self._layers.streams.close(tunnel.stream)


def _end_calls(tunnel: Tunnel, now: float) -> None:
    for session in list(tunnel.calls):
        session.stream_closed(tunnel.stream, now)


def _is_ras(message: Message) -> bool:
    return message.call_reference == 0 and message.type == MessageType.FACILITY
