"""A transaction layer on the virtual network, under a TU that only writes down what it hears, and its peer."""

from __future__ import annotations

from collections import Counter

from sip_peer import OURS, Peer, flow, request, response
from wire import Wire

from firmware.sansio import Action, Flow
from firmware.sip.message import Request, Response, respond
from firmware.sip.timers import Timers
from firmware.sip.transaction_layer import TransactionLayer
from firmware.sip.transaction_machine import ClientTransaction, ServerTransaction, Transaction
from firmware.sip.transport import Transport, mark_source


class Station:
    """The transport and transaction layers, under a TU that only writes down what it hears."""

    def __init__(self) -> None:
        self.timers = Timers()
        self.transport = Transport(8, Counter())
        self.layer = TransactionLayer(self.transport, self.timers, 100)
        self.heard: list[tuple[float, str]] = []
        self.server: ServerTransaction | None = None

    # sansio.Core

    def flow_opened(self, flow: Flow, now: float) -> None:
        self.transport.flow_opened(flow)

    def flow_closed(self, flow: Flow, now: float) -> None:
        self.transport.flow_closed(flow)
        self.layer.flow_closed(flow, now)

    def receive_data(self, flow: Flow, data: bytes, now: float) -> None:
        for message in self.transport.receive(flow, data):
            if isinstance(message, Response):
                client = self.layer.match_response(message)
                assert client is not None
                client.receive(message, now)
            else:
                assert isinstance(message, Request)
                mark_source(message, flow)
                server = self.layer.match_request(message)
                if server is not None:
                    server.receive(message, now)
                else:
                    self.server = self.layer.accept(message, flow, now)
                    self.server.user = self

    def handle_timer(self, now: float) -> None:
        self.timers.fire(now)

    def timer(self) -> float | None:
        return self.timers.next()

    def actions(self) -> list[Action]:
        actions, self.transport.actions = self.transport.actions, []
        return actions

    def events(self) -> list[object]:
        return []

    # ClientUser, ServerUser

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        self.heard.append((round(now, 3), str(response.status)))

    def request_failed(self, transaction: ClientTransaction, status: int, now: float) -> None:
        self.heard.append((round(now, 3), f"failed {status}"))

    def ack_received(self, transaction: ServerTransaction, ack: Request, now: float) -> None:
        self.heard.append((round(now, 3), "ACK"))

    def response_failed(self, transaction: ServerTransaction, now: float) -> None:
        self.heard.append((round(now, 3), "response failed"))


class Bench:
    """A station and a peer on one wire without delay, so that times are the timers' own."""

    def __init__(self, transport: str = "udp") -> None:
        self.wire = Wire(delay=0.0)
        self.station = Station()
        self.wire.attach(OURS, self.station)
        self.peer = Peer(self.wire)
        self.flow = flow(transport)
        self.transport = transport

    def call(self, method: str) -> ClientTransaction:
        """Let the station send a request."""
        message = request(method, branch="z9hG4bKours", sent_by="10.0.0.1:5060", transport=self.transport.upper())
        transaction = self.station.layer.request(message, self.flow, self.station, self.wire.now)
        self.wire.pass_time(0.0)
        return transaction

    def answer(self, status: int) -> None:
        """Let the peer answer what it got."""
        stream = self.peer.flows[-1] if self.transport == "tcp" else None
        sent = [message for message in self.peer.requests if message.method != "ACK"][-1]
        self.peer.send(response(sent, status), stream, 0.0)

    def take(self, method: str, **fields: str) -> ServerTransaction:
        """Let the peer send a request, the same one whenever it is the same method."""
        if self.transport == "tcp" and not self.peer.flows:
            self.peer.flows.append(self.peer.connect())
        stream = self.peer.flows[-1] if self.transport == "tcp" else None
        self.peer.send(request(method, transport=self.transport.upper(), **fields), stream, 0.0)
        assert self.station.server is not None
        return self.station.server

    def respond(self, status: int) -> None:
        """Let the station's TU respond."""
        server = self.station.server
        assert server is not None
        server.respond(respond(server.request, status, to_tag="ours"), self.wire.now)
        self.wire.pass_time(0.0)

    def break_flow(self, transaction: Transaction) -> None:
        """Report a transport error."""
        self.station.flow_closed(transaction.flow, self.wire.now)
        self.wire.pass_time(0.0)

    def gone(self) -> bool:
        """Whether nothing is left."""
        return not len(self.station.layer) and not len(self.station.timers)
