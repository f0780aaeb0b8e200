"""One allocation of a TURN server: RFC 8656 6 to 8."""

from __future__ import annotations

import itertools
import random

import pytest
from ice_network import Network
from ice_servers import TurnSimulation

from firmware.ice.datagram import Datagram
from firmware.ice.message import ALLOCATE, CREATE_PERMISSION, REFRESH, Message
from firmware.ice.relay import KEEP_ALIVE, Relay
from firmware.ice.turn_server import TurnServer
from firmware.sansio import Address

OURS, PEER = ("203.0.113.1", 4000), ("203.0.113.2", 5000)


class Client:
    """A relay on the simulated internet, and a peer."""

    def __init__(self, *, reliable: bool = False) -> None:
        self.network = Network()
        self.server = TurnSimulation(self.network, "198.51.100.2", {"room": "secret"})
        self.peer: list[tuple[bytes, Address]] = []
        self.heard: list[tuple[bytes, Address] | None] = []
        self.network.attach(OURS, self._receive)
        self.network.attach(PEER, lambda data, source, _now: self.peer.append((data, source)))
        user = TurnServer(self.server.address, "room", "secret", reliable)
        self.relay = Relay(1, user, random.Random(1), self._send)
        self.network.parties.append(self.relay)

    def _send(self, datagram: Datagram) -> None:
        assert datagram.component == 1
        self.network.send(OURS, datagram.destination, datagram.data)

    def _receive(self, data: bytes, _source: Address, now: float) -> None:
        if 64 <= data[0] <= 79:
            self.heard.append(self.relay.unwrap(data))
        else:
            self.relay.receive(Message.decode(data), now)

    def allocate(self) -> None:
        self.relay.allocate(self.network.now)
        self.network.run(1)

    def methods(self) -> list[int]:
        return [method for _, method in self.server.requests]


def test_allocate() -> None:
    client = Client()
    assert client.relay.allocation is None
    client.allocate()
    assert client.relay.relayed == ("198.51.100.2", 50_000)
    assert client.relay.mapped == OURS
    allocation = client.relay.allocation
    assert allocation is not None
    assert (allocation.server, allocation.realm, allocation.nonce) == (client.server.address, "example.org", b"nonce-1")
    assert 599 < allocation.expires - client.network.now < 600


def test_it_is_refreshed_a_minute_before_its_end_with_whatever_nonce() -> None:
    client = Client()
    client.allocate()
    client.server.nonce = b"nonce-2"
    client.network.run(535)
    assert client.methods() == [ALLOCATE]
    client.network.run(6)
    assert client.methods() == [ALLOCATE, REFRESH]
    allocation = client.relay.allocation
    assert allocation is not None
    assert allocation.nonce == b"nonce-2"


@pytest.mark.parametrize("lifetime", [10, 100, 3600, 10_000])
def test_the_servers_lifetime_counts(lifetime: int) -> None:
    client = Client()
    client.server.lifetime = lifetime
    client.allocate()
    client.network.run(20_000)
    assert client.relay.failure == ""
    assert len(client.methods()) >= 20_000 // lifetime


def test_a_datagram_each_way_then_by_a_channel() -> None:
    client = Client()
    client.allocate()
    client.relay.send(PEER, b"hello", client.network.now)
    client.network.run(1)
    assert client.peer == [(b"hello", client.relay.relayed)]
    client.relay.bind(PEER, client.network.now)
    client.network.run(1)
    wrapped = client.relay.wrap(PEER, b"short")
    assert wrapped is not None
    assert len(wrapped) == 9
    client.network.send(OURS, client.server.address, wrapped)
    client.network.send(PEER, client.relay.relayed or PEER, b"back")
    client.network.run(1)
    assert client.peer[-1][0] == b"short"
    assert client.heard == [(b"back", PEER)]


def test_somebody_else_goes_on_with_it() -> None:
    client = Client()
    client.allocate()
    client.relay.bind(PEER, client.network.now)
    client.network.run(1)
    allocation = client.relay.allocation
    assert allocation is not None
    client.server.nonce = b"another"
    heir = Relay.of(allocation, random.Random(2), client._send, client.network.now)
    client.relay, client.network.parties[-1] = heir, heir
    client.network.run(1)
    assert client.methods()[-1] == REFRESH, "at once: is it still there?"
    heir.send(PEER, b"mine", client.network.now)
    heir.bind(PEER, client.network.now)
    client.network.run(1)
    assert client.peer[-1] == (b"mine", heir.relayed)
    wrapped = heir.wrap(PEER, b"x")
    assert wrapped is not None
    assert len(wrapped) == 5, "the same channel is bound again"
    client.network.run(2000)
    assert heir.failure == ""


def test_a_lost_allocation_is_noticed() -> None:
    client = Client()
    client.allocate()
    client.server.allocated.clear()
    client.network.run(600)
    assert "lost" in client.relay.failure
    assert client.relay.allocation is None
    assert client.relay.wrap(PEER, b"x") is None
    assert client.relay.timer() is None


def test_a_server_that_falls_silent() -> None:
    client = Client()
    client.allocate()
    client.server.silent = True
    client.network.run(600)
    assert "any more" in client.relay.failure


def test_a_server_that_never_answers() -> None:
    client = Client()
    client.server.silent = True
    client.relay.allocate(0.0)
    client.network.run(60)
    assert client.relay.failure == "it does not answer"
    assert client.relay.timer() is None


def test_it_is_given_back_once() -> None:
    client = Client()
    client.allocate()
    client.relay.send(PEER, b"x", client.network.now)
    client.network.run(1)
    client.relay.close(client.network.now)
    client.relay.close(client.network.now)
    client.network.run(1)
    assert client.methods() == [ALLOCATE, CREATE_PERMISSION, REFRESH]
    assert client.server.allocated == {}
    assert client.relay.allocation is None
    assert client.relay.timer() is None


def test_what_was_never_had_is_not_given_back() -> None:
    client = Client()
    client.relay.close(0.0)
    client.network.run(1)
    assert client.network.sent == []


def test_a_grant_of_nothing_is_none() -> None:
    client = Client()
    client.server.lifetime = 0
    client.allocate()
    assert client.relay.failure
    assert client.relay.allocation is None


def test_unknown_channels_bring_nothing() -> None:
    client = Client()
    client.allocate()
    assert client.relay.unwrap(b"\x40\x01\0\1x") is None
    assert client.relay.unwrap(b"\x40\x01\0\5x") is None


def test_a_nat_on_the_way_is_kept_awake() -> None:
    client = Client()
    client.allocate()
    client.network.run(300)
    to_server = [now for now, _, destination, _ in client.network.sent if destination == client.server.address]
    assert max(later - earlier for earlier, later in itertools.pairwise(to_server)) <= KEEP_ALIVE + 0.1


def test_by_a_stream_nothing_goes_twice() -> None:
    client = Client(reliable=True)
    client.server.silent = True
    client.relay.allocate(client.network.now)
    client.network.run(39)
    assert len(client.network.sent) == 1
    assert not client.relay.failure
    client.network.run(1)
    assert client.relay.failure == "it does not answer"


def test_by_a_stream_no_other_server_is_asked() -> None:
    client = Client(reliable=True)
    client.server.alternate = ("198.51.100.3", 3478)
    client.allocate()
    assert client.relay.failure == "it sends us to another server (300)"
    assert {destination for _, source, destination, _ in client.network.sent if source == OURS} == {
        client.server.address
    }


def test_who_takes_over_goes_on_by_the_stream() -> None:
    client = Client(reliable=True)
    client.allocate()
    allocation = client.relay.allocation
    assert allocation is not None
    assert Relay.of(allocation, random.Random(1), client._send, client.network.now).reliable
