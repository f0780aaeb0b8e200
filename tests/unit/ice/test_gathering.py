"""Gathering: candidates as values, alternates, pace, and what hostile servers say (the rest: conformance/test_ice)."""

from __future__ import annotations

import random

import pytest
from ice_network import End, Nat, Network, gather
from ice_servers import TurnSimulation

from firmware.call.ice import CandidateType
from firmware.ice.attribute import (
    ALTERNATE_SERVER,
    ERROR_CODE,
    MAPPED_ADDRESS,
    XOR_MAPPED_ADDRESS,
    ErrorCode,
    Field,
)
from firmware.ice.gathering import KEEP_ALIVE, PACE, PATIENCE, Gathering
from firmware.ice.message import BINDING, Kind, Message
from firmware.ice.turn_server import TurnServer
from firmware.sansio import Address

BASE, STUN, OUTSIDE = ("10.0.0.1", 4000), ("198.51.100.1", 3478), ("192.0.2.1", 30_000)


def gathering(*stun: Address, bases: dict[int, Address] | None = None, turn: TurnServer | None = None) -> Gathering:
    return Gathering(bases or {1: BASE}, stun, turn, random.Random(1), 0.0)


def asked(gathering: Gathering, now: float = 0.0) -> list[tuple[Address, bytes]]:
    """Give whom it asks now, and the transactions."""
    gathering.handle_timer(now)
    return [(each.destination, Message.decode(each.data).transaction) for each in gathering.datagrams()]


def answer(gathering: Gathering, transaction: bytes, *fields: Field, kind: Kind = Kind.SUCCESS) -> None:
    gathering.receive(1, Message.of(BINDING, kind, transaction, *fields).encode(), STUN, 0.1)


def test_without_servers_it_is_done_at_once() -> None:
    found = gathering(bases={1: BASE, 2: ("10.0.0.1", 4001)})
    assert found.done
    assert [(each.component, each.address, each.type) for each in found.candidates] == [
        (1, BASE, CandidateType.HOST),
        (2, ("10.0.0.1", 4001), CandidateType.HOST),
    ]
    assert len({each.foundation for each in found.candidates}) == 1
    assert found.timer() is None
    assert found.datagrams() == []


@pytest.mark.parametrize("mapped", [XOR_MAPPED_ADDRESS(OUTSIDE), MAPPED_ADDRESS(OUTSIDE)])
def test_a_reflexive_candidate(mapped: Field) -> None:
    found = gathering(STUN)
    [(server, transaction)] = asked(found)
    assert server == STUN
    answer(found, transaction, mapped)
    assert found.done
    reflexive = found.candidates[1]
    assert (reflexive.address, reflexive.type, reflexive.related) == (OUTSIDE, CandidateType.SERVER_REFLEXIVE, BASE)
    assert reflexive.foundation != found.candidates[0].foundation


def test_what_the_base_is_already_is_no_candidate() -> None:
    found = gathering(STUN)
    [(_, transaction)] = asked(found)
    answer(found, transaction, XOR_MAPPED_ADDRESS(BASE))
    assert found.done
    assert len(found.candidates) == 1


@pytest.mark.parametrize("address", [("0.0.0.0", 5), ("224.0.0.1", 5), ("192.0.2.1", 0)])
def test_an_address_where_nobody_can_be_is_none(address: Address) -> None:
    found = gathering(STUN)
    [(_, transaction)] = asked(found)
    answer(found, transaction, XOR_MAPPED_ADDRESS(address))
    assert len(found.candidates) == 1


def test_requests_go_one_by_one() -> None:
    servers = [(f"198.51.100.{number}", 3478) for number in range(1, 4)]
    found = gathering(*servers)
    assert [server for server, _ in asked(found)] == servers[:1]
    assert found.timer() == PACE
    assert [server for server, _ in asked(found, PACE)] == servers[1:2]
    assert [server for server, _ in asked(found, 2 * PACE)] == servers[2:]


def test_servers_of_another_family_are_not_asked() -> None:
    found = gathering(("2001:db8::9", 3478), turn=TurnServer(("2001:db8::9", 3478), "u", "p"))
    assert found.done


def test_an_alternate_is_asked_but_not_the_same_twice() -> None:
    found = gathering(STUN)
    [(_, first)] = asked(found)
    other = ("198.51.100.9", 3478)
    answer(found, first, ERROR_CODE(ErrorCode(300)), ALTERNATE_SERVER(other), kind=Kind.ERROR)
    [(server, second)] = asked(found)
    assert server == other
    back = Message.of(BINDING, Kind.ERROR, second, ERROR_CODE(ErrorCode(300)), ALTERNATE_SERVER(STUN))
    found.receive(1, back.encode(), other, 0.2)
    assert found.done
    assert len(found.failures) == 1


def test_a_refusal_is_said() -> None:
    found = gathering(STUN)
    [(_, transaction)] = asked(found)
    answer(found, transaction, ERROR_CODE(ErrorCode(500)), kind=Kind.ERROR)
    assert found.done
    assert found.failures == ("STUN server 198.51.100.1: it is out of order (500)",)


def test_silence_is_waited_for_so_long_and_no_longer() -> None:
    found = gathering(STUN)
    now = 0.0
    while not found.done:
        due = found.timer()
        assert due is not None
        now = due
        found.handle_timer(now)
    assert now == PATIENCE
    assert found.timer() is None, "what was not found needs no keeping alive"


def test_what_was_found_is_kept_alive() -> None:
    found = gathering(STUN)
    [(_, transaction)] = asked(found)
    answer(found, transaction, XOR_MAPPED_ADDRESS(OUTSIDE))
    assert found.timer() == KEEP_ALIVE
    [(server, again)] = asked(found, KEEP_ALIVE)
    assert (server, again == transaction) == (STUN, False)
    found.close(KEEP_ALIVE)
    assert found.timer() is None


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x60" + bytes(30), b"\0\1" + bytes(18), Message.of(1, Kind.SUCCESS, bytes(12)).encode()]
)
def test_what_a_stranger_sends_changes_nothing(data: bytes) -> None:
    found = gathering(STUN)
    asked(found)
    found.receive(1, data, STUN, 0.1)
    found.receive(1, data, ("192.0.2.66", 9), 0.1)
    found.receive(7, data, STUN, 0.1)
    assert not found.done


def test_an_answer_from_elsewhere_is_none() -> None:
    found = gathering(STUN)
    [(_, transaction)] = asked(found)
    data = Message.of(BINDING, Kind.SUCCESS, transaction, XOR_MAPPED_ADDRESS(OUTSIDE)).encode()
    found.receive(1, data, ("192.0.2.66", 9), 0.1)
    assert not found.done
    answer(found, transaction, XOR_MAPPED_ADDRESS(OUTSIDE))
    assert found.done


def test_by_a_stream_a_turn_server_does_not_say_where_our_socket_is() -> None:
    network = Network()
    server = TurnSimulation(network, STUN[0], {"u": "p"})
    end = End(network, BASE[0], Nat(OUTSIDE[0]), turn=TurnServer(server.address, "u", "p", reliable=True))
    gather(network, end)
    assert [each.type.value for each in end.gathering.candidates] == ["host", "relay"]
    assert [each.reliable for each in end.gathering.allocations] == [True]


def test_a_stream_that_can_not_be_made_is_not_waited_for() -> None:
    found = gathering(turn=TurnServer((BASE[0], 5000), "u", "p", reliable=True, name="turn.example.com"))
    assert not found.done
    found.turn_unreachable("its certificate is for somebody else", 0.1)
    assert found.done
    assert found.failures == ("TURN server turn.example.com: its certificate is for somebody else",)
