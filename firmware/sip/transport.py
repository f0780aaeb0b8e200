"""The transport layer (RFC 3261 section 18): bytes to messages and back, and which flow a message takes.

- A response goes back where its request came from: over the same stream (18.2.2), or by UDP to the source address and
  port (RFC 3581).  ``maddr`` in a Via is not obeyed: it serves multicast only, and would let anybody aim our
  retransmitted responses at a third party.
- By TLS, a far end is called on the connection that it made if its certificate is the one that we would want of it
  (RFC 5923); within a dialog, on the connection by which the dialog came.
- A broken stream is closed.  Where there are as many as the bound allows, a new one takes the place of the one that
  has said nothing for longest and that nothing waits for; one more than that is closed.
- What can't be read is counted; what can still be answered goes up as `MalformedMessage`.
"""

from __future__ import annotations

import ipaddress
import logging
from typing import TYPE_CHECKING, Final

from firmware.sansio import Action, Close, Flow, Open, Send
from firmware.sip.message import MalformedMessage, Request, Response, parse
from firmware.sip.stream import StreamReader

if TYPE_CHECKING:
    from collections import Counter

    from firmware.sansio import Address
    from firmware.sip.header import Via
    from firmware.sip.uri import Uri

logger = logging.getLogger(__name__)

DEFAULT_PORTS: Final = {"udp": 5060, "tcp": 5060, "tls": 5061}
"""By transport (RFC 3261 19.1.2)."""
_MAX_DATAGRAM: Final = 65_507
"""Bytes in a datagram of IPv4."""
PING: Final = b"\r\n\r\n"
"""RFC 5626 3.5.1."""
_MAX_PINGS: Final = 16
"""Keep-alives answered in one piece of a stream; a client sends one in minutes (RFC 5626 4.4.1)."""


class Transport:
    """The streams of one user agent, and what it wants sent."""

    def __init__(self, max_connections: int, counters: Counter[str], tls_port: int = DEFAULT_PORTS["tls"]) -> None:
        """*tls_port* is where TLS is listened for."""
        self.actions: list[Action] = []
        self._tls_port = tls_port
        self._max_connections = max_connections
        self._counters = counters
        self._streams: dict[Flow, StreamReader] = {}
        """The one that spoke last is the last."""
        self._aliases: dict[Flow, Address] = {}
        self._opening: set[Flow] = set()

    def flow_opened(self, flow: Flow) -> None:
        """Take a stream that the far end opened, or that ours has opened."""
        self._opening.discard(flow)
        if flow in self._streams:
            return
        if not self.has_room(flow):
            self._counters["connection over the limit"] += 1
            self.actions.append(Close(flow))
            return
        self._streams[flow] = StreamReader()

    def flow_closed(self, flow: Flow) -> None:
        """Forget a stream."""
        self._opening.discard(flow)
        self._streams.pop(flow, None)
        self._aliases.pop(flow, None)

    def learn_alias(self, flow: Flow, via: Via) -> None:
        """Take from a request that came by *flow* where else its sender is reached by it (RFC 5923 8.2)."""
        if flow in self._streams and via.parameter("alias") is not None and via.host.lower() in flow.shown:
            self._aliases[flow] = (flow.remote[0], via.port or DEFAULT_PORTS[flow.transport])

    def reuse(self, flow: Flow) -> Flow:
        """Give the connection that a far end has made and by which it is to be called as well, or else *flow*.

        It must have shown, on that connection, the certificate that we would want of it (RFC 5923 9.2).
        """
        wanted = flow.domain or flow.remote[0]
        found = (known for known, address in self._aliases.items() if address == flow.remote and wanted in known.shown)
        return flow if flow.transport != "tls" or flow in self._streams else next(found, flow)

    def has_room(self, flow: Flow) -> bool:
        """Whether this stream may be, or is one of those that are."""
        return flow in self._streams or len(self._streams) < self._max_connections

    def make_room(self, used: set[Flow]) -> None:
        """Close the stream that has been silent for longest and is not *used*, if there is one.

        Otherwise who opens as many as the bound allows, and says nothing, would keep all others out.  Those on which no
        message was ever complete go first: who sends an octet now and then is never silent.
        """
        idle = [flow for flow in self._streams if flow not in used]
        if idle:
            self.close(min(idle, key=lambda flow: self._streams[flow].proven))

    def is_opening(self, flow: Flow) -> bool:
        """Whether a stream was asked for and is not there yet."""
        return flow in self._opening

    def is_broken(self, flow: Flow) -> bool:
        """Whether the rest of a stream can't be read, so that it is to be closed."""
        return flow in self._streams and self._streams[flow].broken

    def receive(self, flow: Flow, data: bytes) -> list[Request | Response | MalformedMessage]:
        """Give the messages that a datagram or the next piece of a stream completes."""
        if flow.transport == "udp":
            if not data.strip(b"\r\n\0"):
                return []  # RFC 5626 4.4, RFC 3261 7.5: a keep-alive.
            messages: list[Request | Response | MalformedMessage] = []
            try:
                messages.append(parse(data))
            except MalformedMessage as error:
                messages.append(error)
            _log_received(flow, messages)
            return messages
        reader = self._streams.pop(flow, None)
        if reader is None:
            return []
        self._streams[flow] = reader
        messages = reader.receive(data)
        _log_received(flow, messages)
        if reader.pings:
            # RFC 5626 4.4.1: a double CRLF is answered by a single one.
            self.actions.append(Send(flow, b"\r\n" * min(reader.pings, _MAX_PINGS)))
        return messages

    def send(self, flow: Flow, data: bytes) -> None:
        """Send a message; a stream that does not exist is opened first (RFC 3261 18.1.1).

        What is too large for a datagram is as good as lost: an error would fail all else that goes to the same proxy.
        """
        if not flow.reliable and len(data) > _MAX_DATAGRAM:
            self._counters["message too large for UDP"] += 1
            return
        if flow.reliable and flow not in self._streams:
            self._streams[flow] = StreamReader()
            self._opening.add(flow)
            self.actions.append(Open(flow))
        self.actions.append(Send(flow, data))
        if logger.isEnabledFor(logging.DEBUG):
            # The start line is enough: a body may have keys in it.
            logger.debug("> %s %s: %r", flow.transport, flow.remote, data.partition(b"\r\n")[0].decode("latin-1"))

    def ping(self, flow: Flow) -> None:
        """Send a keep-alive (RFC 5626 4.4.1); nothing on a stream that is gone."""
        reader = self._streams.get(flow)
        if reader is not None:
            reader.awaits_pong = True
        if reader is not None or not flow.reliable:
            self.actions.append(Send(flow, PING))

    def ponged(self, flow: Flow) -> bool:
        """Whether the last keep-alive on a stream was answered."""
        return flow in self._streams and not self._streams[flow].awaits_pong

    def send_response(self, flow: Flow, via: Via, data: bytes) -> None:
        """Send a response to a request that came by *flow* with this top Via, after `mark_source` (RFC 3261 18.2.2)."""
        if flow.reliable and flow not in self._streams:
            # "If that connection is no longer open, the server SHOULD open a connection to the address in received,
            # using the port in sent-by, or the default port."
            if len(self._streams) >= self._max_connections:
                self._counters["response without connection"] += 1
                return
            host = flow.remote[0]
            # RFC 5922 7.3: who will be there must have the name that it gave itself.
            domain = via.host.lower() if flow.transport == "tls" and via.host != host else ""
            remote = (host, via.port or DEFAULT_PORTS[flow.transport])
            flow = Flow(flow.transport, flow.local, remote, domain=domain)
        elif not flow.reliable:
            # RFC 3581 4: to the source port if the client asked for it, otherwise to the port of sent-by.
            flow = Flow("udp", flow.local, (flow.remote[0], via.rport or via.port or DEFAULT_PORTS["udp"]))
        self.send(flow, data)

    def close(self, flow: Flow) -> None:
        """Close a stream."""
        self._counters["stream closed"] += 1
        self.flow_closed(flow)
        self.actions.append(Close(flow))

    def flow_to(self, next_hop: Uri, flow: Flow) -> Flow:
        """Which flow leads to *next_hop* for a request of a dialog that was made on *flow*.

        An IP address is reached directly, by the transport that the URI names, or else by the dialog's; the dialog's
        own stream is kept where it leads to the same host.  A name is reached on the dialog's flow, and so is who says
        that it is on our own loopback though it is not.  What was secured by TLS stays so, and ``sips`` wants it
        (RFC 5630 4): no URI can lead to another transport.
        """
        try:
            host = ipaddress.ip_address(next_hop.host)
            peer, local = (ipaddress.ip_address(address[0].partition("%")[0]) for address in (flow.remote, flow.local))
        except ValueError:
            return flow
        named = (next_hop.parameter("transport") or flow.transport).lower()
        transport = "tls" if next_hop.scheme == "sips" else named
        if transport not in DEFAULT_PORTS or host.version != local.version or host.is_multicast or host.is_unspecified:
            return flow
        if flow.transport == "tls" != transport:
            return flow
        if host.is_loopback and not peer.is_loopback:
            return flow
        # RFC 3261 18 speaks of one connection for both directions only for responses, but a far end that called us by a
        # stream takes requests on it as well, and may be unreachable by any other.
        if flow.reliable and transport == flow.transport and host == peer and flow in self._streams:
            return flow
        port = flow.local[1] if transport == flow.transport or transport != "tls" else self._tls_port
        there = str(host)
        if host.is_link_local and (link := flow.remote[0].partition("%")[2]):
            there += f"%{link}"
        return Flow(transport, (flow.local[0], port), (there, next_hop.port or DEFAULT_PORTS[transport]))


def _log_received(flow: Flow, messages: list[Request | Response | MalformedMessage]) -> None:
    if logger.isEnabledFor(logging.DEBUG):
        for message in messages:
            logger.debug("< %s %s: %r", flow.transport, flow.remote, message)


def mark_source(request: Request, flow: Flow) -> None:
    """Write into the top Via where the request came from: received (RFC 3261 18.2.1) and rport (RFC 3581 4).

    What the far end itself wrote there is overwritten: it must not choose where the response goes.
    RemoteProtocolError: there is no such Via.
    """
    via, host = request.via, flow.remote[0].partition("%")[0]
    marked = via
    if via.wants_rport:
        marked = marked.with_parameter("rport", str(flow.remote[1]))
    if via.wants_rport or via.host != host or via.parameter("received") is not None:
        marked = marked.with_parameter("received", host)
    if marked is via:
        return
    values = request.headers.all("Via")
    if len(values) == 1:
        request.headers.set("Via", str(marked))
        return
    request.headers.remove("Via")
    for value in [str(marked), *values[1:]][::-1]:
        request.headers.prepend("Via", value)
