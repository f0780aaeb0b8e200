"""An H.323 terminal: the core of all calls on TCP, with a gatekeeper's client beside it for UDP.

::

    receive_data ──▶ tpkt ──▶ setup ──▶ Session ──▶ events        (port 1720, and connections of ours)
                          ──▶ ControlChannel ──▶ Session          (ports for H.245)
    actions      ◀── streams ◀── Session ◀── commands
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware.errors import LocalProtocolError
from firmware.h323.identity import Destination
from firmware.h323.layers import Layers
from firmware.h323.session import Session
from firmware.h323.setup import receive_first

if TYPE_CHECKING:
    import random
    from collections import Counter
    from collections.abc import Sequence

    from firmware.asn1 import Value
    from firmware.h323.events import Event
    from firmware.h323.identity import Identity
    from firmware.h323.ras import RasClient
    from firmware.sansio import Action, Flow


class Terminal:
    """A sansio Core that makes and takes calls.

    It is to listen on TCP port 1720 and on each of ``Identity.h245_ports``.  The flow that ``call`` asks for is where
    the call goes: our own address as the far end reaches it, and the far end's.
    """

    def __init__(self, identity: Identity, rng: random.Random, gatekeeper: RasClient | None = None) -> None:
        self._layers = Layers(identity, rng, gatekeeper)
        self._now = 0.0
        self.counters: Counter[str] = self._layers.counters
        """What was dropped or refused, by kind."""

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The calls that have not ended."""
        return tuple(self._layers.sessions)

    @property
    def sizes(self) -> dict[str, int]:
        """How many sessions, streams and ports are in use, to watch for leaks."""
        layers = self._layers
        return {"sessions": len(layers.sessions), "streams": len(layers.streams), "ports": len(layers.ports)}

    @property
    def lost_tunnel(self) -> Flow | None:
        """The connection to a gatekeeper (H.460.17) that failed, or could not be made; None: the last one did not."""
        return self._layers.tunnels.lost

    @property
    def _gatekeeper(self) -> RasClient | None:
        return self._layers.gate.client

    def register(self, gatekeeper: RasClient, now: float) -> None:
        """Let this client register us, instead of any before, and ask its gatekeeper for every call from then on."""
        self._now = now
        self._layers.gate.replace(gatekeeper, now)
        gatekeeper.start(now)

    def call(
        self,
        flow: Flow,
        destination: Destination,
        now: float,
        *,
        capabilities: dict[str, Value],
        fast_start: Sequence[Value] = (),
        tokens: Sequence[Value] = (),
        tunnelling: bool = True,
        h245_in_setup: bool = False,
        overlap: bool = False,
        transfer: str | None = None,
    ) -> Session:
        """Call; Alerting, Connected or Ended follow.

        *capabilities* is our TerminalCapabilitySet as `Control.start` takes it, *fast_start* the OpenLogicalChannel
        structures of fast connect, best first; *tokens* are ClearTokens for the Setup.  *h245_in_setup* begins H.245 at
        once: tunnelled in the Setup, or, with *tunnelling* off, by giving an address.  *overlap* says that the number
        may be incomplete.  *transfer* is the identity of a `TransferRequested`, which this call fulfils.
        While we are registered with a gatekeeper, it is asked first, and the call goes where it says; the flow then
        gives only our own address.  Registered inside call signalling (H.460.17), it goes by that connection.
        LocalProtocolError: the limit of calls or connections is reached.  ValueError: an alias or a channel can't be
        written.
        """
        layers = self._layers
        if len(layers.sessions) >= layers.identity.max_sessions:
            raise LocalProtocolError(f"{len(layers.sessions)} calls are all this unit takes")
        tunnel = layers.tunnels.current
        if tunnel is not None and flow.transport == "tls" != tunnel.flow.transport:
            # Who wants the far end by TLS does not want it in the clear by the gatekeeper.
            tunnel = None
        session = Session(
            layers,
            layers.streams.reserve(flow) if tunnel is None else tunnel.stream,
            layers.call_reference() if tunnel is None else tunnel.call_reference(),
            layers.guid(),
            destination.conference_id or layers.guid(),
            outgoing=True,
            tunnelling=tunnelling and layers.identity.tunnelling,
            tunnel=tunnel,
        )
        try:
            session.prepare(
                destination,
                now,
                capabilities=capabilities,
                fast_start=fast_start,
                tokens=tokens,
                h245_in_setup=h245_in_setup,
                overlap=overlap,
                transfer=transfer,
            )
            layers.gate.call(session, destination, now)
        except (ValueError, LocalProtocolError):
            session.channel.close()
            if tunnel is not None:
                tunnel.calls.remove(session)
            raise
        if tunnel is None:
            layers.streams.claim(session.stream, session)
        layers.sessions.append(session)
        return session

    # sansio.Core

    def flow_opened(self, flow: Flow, now: float) -> None:
        """Take that a stream exists: ours, or one the far end made."""
        self._now = now
        stream = self._layers.streams.get(flow)
        if stream is not None:
            if stream.owner is not None:
                stream.owner.stream_opened(now)
            return
        if flow.local[1] not in self._layers.identity.h245_ports:
            self._layers.streams.accept(flow, None, now)
            return
        channel = self._layers.ports.get(flow.local[1])
        if channel is None or not channel.accept(flow, now):
            self._layers.streams.refuse(flow, "unexpected H.245 connection")

    def flow_closed(self, flow: Flow, now: float) -> None:
        """Take that a stream has ended, or could not be made."""
        self._now = now
        if self._gatekeeper is not None and flow.transport == "udp":
            self._gatekeeper.flow_closed(flow, now)
            self._layers.gate.collect(now)
            return
        stream = self._layers.streams.forget(flow)
        if stream is not None and stream.owner is not None:
            stream.owner.stream_closed(stream, now)

    def receive_data(self, flow: Flow, data: bytes, now: float) -> None:
        """Take the next bytes of a stream."""
        self._now = now
        if self._gatekeeper is not None and flow.transport == "udp":
            self._gatekeeper.receive_data(flow, data, now)
            self._layers.gate.collect(now)
            return
        streams = self._layers.streams
        stream = streams.get(flow)
        if stream is None:
            return
        for payload in stream.reader.receive(data):
            if not streams.is_open(stream):
                return
            if stream.owner is None:
                receive_first(self._layers, stream, payload, now)
            else:
                stream.owner.stream_received(payload, now)
        if stream.reader.broken and streams.is_open(stream):
            # RFC 1006 6: where the next packet begins can't be told any more.
            self.counters["broken stream"] += 1
            streams.close(stream)
            if stream.owner is not None:
                stream.owner.stream_closed(stream, now)

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        self._now = now
        self._layers.streams.expire(now)
        self._layers.tunnels.handle_timer(now)
        if self._gatekeeper is not None and (due := self._gatekeeper.timer()) is not None and due <= now:
            self._gatekeeper.handle_timer(now)
            self._layers.gate.collect(now)
        for session in self.sessions:
            due = session.timer()
            if due is not None and due <= now:
                session.handle_timer(now)

    def timer(self) -> float | None:
        """When handle_timer is wanted, or None."""
        times = [session.timer() for session in self._layers.sessions]
        times += [self._layers.streams.timer(), self._layers.tunnels.timer()]
        times.append(self._gatekeeper.timer() if self._gatekeeper is not None else None)
        return min((time for time in times if time is not None), default=None)

    def actions(self) -> list[Action]:
        """Give what is to be done, in order, and forget it."""
        self._pump()
        gatekeeper, streams = self._gatekeeper, self._layers.streams
        datagrams = [] if gatekeeper is None else self._layers.tunnels.carry(gatekeeper, self._now)
        self._layers.gate.collect(self._now)  # of a tunnel that could not be made
        actions, streams.actions = streams.actions, []
        return actions + datagrams

    def events(self) -> list[Event]:
        """Give what the application should know, in order, and forget it; collect ``actions`` before."""
        events = list(self._layers.events)
        self._layers.events.clear()
        return events

    def _pump(self) -> None:
        """Take what commands to the `Control` of a session, or to the gatekeeper's client, left behind."""
        self._layers.gate.collect(self._now)
        for session in self.sessions:
            session.h245.pump(self._now)
