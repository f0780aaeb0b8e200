"""Hostile ICE: whatever comes, nothing raises, stores stay small, and no datagram costs more than its size."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ice_network import End, Nat, Network, connect, gather
from ice_servers import TurnSimulation
from linear_time import assert_linear

from firmware.call.ice import Candidate, CandidateType, Credentials, Ice
from firmware.errors import DecodeError
from firmware.ice import check
from firmware.ice.agent import Agent
from firmware.ice.attribute import KNOWN
from firmware.ice.candidate import priority
from firmware.ice.check_list import MAX_PAIRS
from firmware.ice.gathering import Gathering
from firmware.ice.message import HEADER_SIZE, MAX_SIZE, Message
from firmware.ice.session import MAX_LEARNED, MAX_PROVEN
from firmware.ice.turn_server import TurnServer
from firmware.sansio import Address

OURS, THEIRS = Credentials("ours", "o" * 22), Credentials("them", "t" * 22)
HERE, THERE, SERVER = ("192.0.2.1", 4000), ("192.0.2.2", 5000), ("192.0.2.9", 3478)
HOST = CandidateType.HOST


def candidate(address: Address, foundation: str = "1") -> Candidate:
    return Candidate(foundation, 1, priority(HOST, 1), address, HOST)


def agent(*remote: Candidate, controlling: bool = True) -> Agent:
    ice = Ice(controlling, OURS, THEIRS, (candidate(HERE),), remote or (candidate(THERE),))
    return Agent(ice, random.Random(1), 0.0)


def run(agent: Agent, until: float, now: float = 0.0) -> int:
    """Let time pass; give how many datagrams went."""
    sent = 0
    while (due := agent.timer()) is not None and due <= until:
        now = max(now, due)
        agent.handle_timer(now)
        sent += len(agent.datagrams())
    return sent


# One message


def message(body: bytes) -> bytes:
    return b"\0\1" + len(body).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + bytes(12) + body


def decode(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        found = Message.decode(data)
        found.proves(b"key")
        found.proves(b"key", sha256=True)


UNITS = {
    "empty attributes": b"\x80\x22\0\0",
    "unknown attributes": b"\x7f\x01\0\0",
    "attributes of one octet": b"\xff\x01\0\1x\0\0\0",
    "priorities": b"\0\x24\0\4\0\0\0\1",
    "signatures": b"\0\x08\0\x14" + bytes(20),
    "signatures of SHA-256": b"\0\x1c\0\x20" + bytes(32),
    "fingerprints": b"\x80\x28\0\4abcd",
}


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_no_message_costs_more_than_linear_time(unit: bytes) -> None:
    assert_linear(decode, lambda size: message(unit * (size // len(unit))), MAX_SIZE - HEADER_SIZE)


@pytest.mark.parametrize("number", sorted(KNOWN))
@pytest.mark.parametrize("octet", [b"\0", b"a", b"\xff"])
def test_no_long_attribute_costs_more_than_linear_time(number: int, octet: bytes) -> None:
    def make(size: int) -> bytes:
        return message(number.to_bytes(2, "big") + size.to_bytes(2, "big") + octet * size)

    assert_linear(decode, make, 4000)


# Many of them


def request(number: int, fragment: str = "ours", password: str = OURS.password) -> bytes:
    identifier = number.to_bytes(12, "big")
    return check.request(identifier, THEIRS, Credentials(fragment, password), 1 + number, number, controlling=False)


FLOODS: dict[str, Callable[[int], tuple[bytes, Address]]] = {
    "a source each": lambda number: (request(number), (f"192.0.{number >> 8 & 255}.{number & 255}", 5000)),
    "the same": lambda number: (request(1), THERE),
    "a transaction each": lambda number: (request(number), THERE),
    "a wrong password each": lambda number: (request(number, password="x" * 22), THERE),
    "somebody else's": lambda number: (request(number, fragment="none"), THERE),
    "no STUN": lambda number: (b"\x80\x60" + number.to_bytes(10, "big"), (THERE[0], number % 60_000 + 1)),
    "an answer each": lambda number: (b"\1\1" + request(number)[2:], THERE),
    "channels": lambda number: (b"\x40\0\0\1x", THERE),
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_no_flood_costs_more_than_linear_time(flood: Callable[[int], tuple[bytes, Address]]) -> None:
    def work(row: list[tuple[bytes, Address]]) -> None:
        made = agent()
        for number, (data, source) in enumerate(row):
            now = number * 0.001
            made.receive(1, data, source, now)
            due = made.timer()
            if due is not None and due <= now:
                made.handle_timer(now)
            made.datagrams()
            made.events()

    assert_linear(work, lambda count: [flood(number) for number in range(count)], 800)


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_flood_leaves_little_behind(flood: Callable[[int], tuple[bytes, Address]]) -> None:
    made, sent = agent(), 0
    for number in range(5000):
        made.receive(1, *flood(number), number * 0.001)
        sent += len(made.datagrams())
    session = made._session
    assert len(session._list.pairs) <= MAX_LEARNED + 1
    assert len(session._list._triggered) <= MAX_LEARNED + 1
    assert len(session._proven) <= MAX_PROVEN
    assert sent <= 200 + 5 * 100 + 10, "answers in five seconds"
    assert run(made, 60, 5.0) <= (MAX_LEARNED + 2) * 8


def test_a_far_end_with_very_many_candidates_makes_us_knock_at_a_hundred_doors() -> None:
    remote = tuple(candidate((f"198.51.{n >> 8}.{n & 255}", 5000), f"f{n}") for n in range(1, 5000))
    made = agent(*remote)
    assert len(made._session._list.pairs) == MAX_PAIRS
    assert run(made, 100) <= MAX_PAIRS * 7


@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 2, 7]),
            st.one_of(
                st.binary(max_size=100),
                st.builds(lambda octets: message(octets), st.binary(max_size=60).map(lambda b: b[: len(b) // 4 * 4])),
                st.builds(request, st.integers(0, 2**32 - 2)),
                st.builds(lambda octets: b"\x40\0" + octets, st.binary(max_size=20)),
            ),
            st.sampled_from([THERE, SERVER, HERE, ("198.51.100.1", 1), ("0.0.0.0", 0), ("2001:db8::1", 5)]),
        ),
        max_size=20,
    ),
    st.booleans(),
)
@settings(deadline=None)
def test_whatever_comes(row: list[tuple[int, bytes, Address]], controlling: bool) -> None:
    made = agent(controlling=controlling)
    gathering = Gathering({1: HERE}, [THERE], TurnServer(SERVER, "room", "secret"), random.Random(1), 0.0)
    for number, (component, data, source) in enumerate(row):
        made.receive(component, data, source, number * 0.1)
        run(made, number * 0.1)
        gathering.receive(component, data, source, number * 0.1)
        gathering.handle_timer(number * 0.1)
    assert run(made, 1000) < 1000


# At one another's mercy


def change(data: bytes, rng: random.Random) -> bytes:
    """Give what a datagram has become on its way."""
    place = rng.randrange(len(data)) if data else 0
    return rng.choice(
        (
            lambda: data[:place] + rng.randbytes(1) + data[place + 1 :],
            lambda: data[:place],
            lambda: data + rng.randbytes(rng.randrange(8)),
            lambda: data[:place] + rng.randbytes(4) + data[place:],
            lambda: rng.randbytes(len(data)),
        )
    )()


@pytest.mark.parametrize("seed", range(40))
def test_datagrams_are_changed_on_their_way(seed: int) -> None:
    """With some of them changed, and some twice, a way is found all the same; with all of them, nothing raises."""
    network = Network(reorder=0.05, seed=seed)
    rng = random.Random(seed)
    server = TurnSimulation(network, "198.51.100.2", {"room": "secret"})
    user = TurnServer(server.address, "room", "secret")
    one = End(network, "10.0.1.1", Nat("192.0.2.1", symmetric=True), components=2, turn=user)
    other = End(network, "10.0.2.1", Nat("192.0.2.2"), components=2, stun=[server.address])
    gather(network, one, other)
    chance = (0.05, 0.1, 1.0)[seed % 3]
    send = network.send

    def tamper(source: Address, destination: Address, data: bytes) -> None:
        if rng.random() < chance:
            data = change(data, rng)
        send(source, destination, data)
        if rng.random() < chance / 2:
            send(source, destination, data)

    network.send = tamper  # type: ignore[method-assign]
    connect(network, one, other, 60.0, both=seed % 2 == 0)
    if chance < 1:
        assert sorted(one.selected()) == sorted(other.selected()) == [1, 2]
        network.run(600)
    else:
        assert not one.selected()
    one.close()
    other.close()


@pytest.mark.parametrize("seed", range(20))
def test_servers_that_lie(seed: int) -> None:
    """What they say is changed; gathering ends in time, and an allocation that is had is one that was given."""
    network, rng = Network(seed=seed), random.Random(seed)
    server = TurnSimulation(network, "198.51.100.2", {"room": "secret"})
    send = network.send

    def tamper(source: Address, destination: Address, data: bytes) -> None:
        send(source, destination, change(data, rng) if source == server.address and rng.random() < 0.5 else data)

    network.send = tamper  # type: ignore[method-assign]
    end = End(
        network,
        *("10.0.1.1", Nat("192.0.2.1")),
        components=2,
        stun=[server.address],
        turn=TurnServer(server.address, "room", "secret"),
    )
    network.run(2.1)
    assert end.gathering.done
    given_addresses = {each.relayed for each in server.allocated.values()}
    assert {each.relayed for each in end.gathering.allocations} <= given_addresses
    network.run(600)
    end.close()
