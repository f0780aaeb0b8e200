"""The agent's own part: what is whose on its sockets, and the pace of calls (whole rounds: conformance/test_ice)."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from ice_network import End, Network, connect, gather
from ice_servers import TurnSimulation

from firmware.call.ice import CandidateType
from firmware.ice.agent import Agent
from firmware.ice.attribute import DATA, XOR_PEER_ADDRESS
from firmware.ice.message import BINDING, Kind, Message
from firmware.ice.message import DATA as DATA_INDICATION
from firmware.ice.turn_server import TurnServer

STRANGER = ("203.0.113.66", 9)
DTLS, RTP = b"\x16\xfe\xff" + bytes(20), b"\x80\x60" + bytes(20)


@pytest.fixture
def ends() -> tuple[Network, End, End]:
    """Two that are connected."""
    network = Network()
    one, other = End(network, "203.0.113.1"), End(network, "203.0.113.2")
    connect(network, one, other)
    return network, one, other


def agent_of(end: End) -> Agent:
    assert end.agent is not None
    return end.agent


@pytest.mark.parametrize("data", [DTLS, RTP, b"\x81\xc9" + bytes(20)])
def test_what_is_for_others_is_given_back(ends: tuple[Network, End, End], data: bytes) -> None:
    network, one, other = ends
    assert agent_of(one).receive(1, data, other.bases[1], network.now) == (data, other.bases[1])
    assert agent_of(one).receive(1, data, STRANGER, network.now) is None
    assert agent_of(one).receive(2, data, other.bases[1], network.now) is None, "there is no such component"


def test_what_is_refused_is_counted(ends: tuple[Network, End, End]) -> None:
    network, one, _other = ends
    agent = agent_of(one)
    before = agent.refused
    stray = Message.of(BINDING, Kind.SUCCESS, bytes(12)).encode()
    for data in (DTLS, stray, stray[:-1] + b"x"):
        assert agent.receive(1, data, STRANGER, network.now) is None
    assert agent.refused == before + 3


def test_a_keep_alive_is_nobodys_business(ends: tuple[Network, End, End]) -> None:
    network, one, other = ends
    agent = agent_of(one)
    before = agent.refused
    data = Message.of(BINDING, Kind.INDICATION, bytes(12)).encode()
    assert agent.receive(1, data, other.bases[1], network.now) is None
    assert agent.refused == before
    assert agent.datagrams() == []


def test_a_packet_costs_no_datagram_but_itself(ends: tuple[Network, End, End]) -> None:
    _, one, other = ends
    datagram = agent_of(one).wrap(1, RTP)
    assert datagram is not None
    assert (datagram.component, datagram.destination, datagram.data) == (1, other.bases[1], RTP)
    assert agent_of(one).wrap(2, RTP) is None
    assert agent_of(one).datagrams() == []


def test_nothing_is_sent_before_a_pair_works() -> None:
    network = Network()
    one, other = End(network, "203.0.113.1"), End(network, "203.0.113.2")
    gather(network, one, other)
    agent = Agent(one.ice(other, controlling=True), random.Random(1), network.now)
    assert agent.wrap(1, RTP) is None
    assert agent.timer() == network.now
    assert agent.components == (1,)


def test_a_strangers_message_in_the_servers_wrapping() -> None:
    """The server's address alone is no proof: what it brings must come from who has proved himself."""
    network = Network()
    server = TurnSimulation(network, "198.51.100.2", {"room": "secret"})
    one = End(network, "203.0.113.1", turn=TurnServer(server.address, "room", "secret"))
    other = End(network, "203.0.113.2")
    connect(network, one, other)
    agent = agent_of(one)

    def indication(data: bytes) -> bytes:
        fields = XOR_PEER_ADDRESS(STRANGER), DATA(data)
        return Message.of(DATA_INDICATION, Kind.INDICATION, bytes(12), *fields).encode()

    assert agent.receive(1, indication(RTP), server.address, network.now) is None
    assert agent.receive(1, indication(indication(RTP)), server.address, network.now) is None
    assert agent.receive(1, indication(RTP), other.bases[1], network.now) is None
    assert agent.receive(1, b"\x40\x01\0\1x", server.address, network.now) is None
    empty = Message.of(DATA_INDICATION, Kind.INDICATION, bytes(12)).encode()
    assert agent.receive(1, empty, server.address, network.now) is None


def test_the_same_again_changes_nothing(ends: tuple[Network, End, End]) -> None:
    network, one, other = ends
    before = one.events[:]
    one.update(one.ice(other, controlling=True))
    network.run(60)
    assert one.events == before
    assert one.say(RTP)


def test_the_timer_moves_on(ends: tuple[Network, End, End]) -> None:
    network, one, _ = ends
    due = agent_of(one).timer()
    assert due is not None
    assert network.now < due <= network.now + 6.0, "the next thing is to ask for consent"


def test_an_allocation_told_later_is_used() -> None:
    network = Network()
    server = TurnSimulation(network, "198.51.100.2", {"room": "secret"})
    one = End(network, "203.0.113.1", turn=TurnServer(server.address, "room", "secret"))
    other = End(network, "203.0.113.2")
    gather(network, one, other)
    whole = one.ice(other, controlling=True)
    hosts = tuple(each for each in whole.local if each.type is CandidateType.HOST)
    network.blocked = lambda source, destination: {source, destination} == {one.bases[1], other.bases[1]}
    one.start(replace(whole, local=hosts, allocations=()))
    other.start(other.ice(one, controlling=False))
    network.run(2)
    assert not one.selected()
    one.credentials = replace(one.credentials, fragment="again")
    one.update(replace(whole, ours=one.credentials))
    other.update(other.ice(one, controlling=False))
    network.run(5)
    assert one.selected()[1].local.type is CandidateType.RELAYED


def test_what_rtcp_does_not_need_is_given_back() -> None:
    network = Network()
    server = TurnSimulation(network, "198.51.100.2", {"room": "secret"})
    one = End(network, "203.0.113.1", components=2, turn=TurnServer(server.address, "room", "secret"))
    other = End(network, "203.0.113.2")
    connect(network, one, other)
    assert list(server.allocated) == [one.bases[1]]
    one.close()
    network.run(1)
    assert server.allocated == {}
