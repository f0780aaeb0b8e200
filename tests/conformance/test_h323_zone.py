"""Whole endpoints in the zone of a gatekeeper: calls and transfers by names and numbers alone, and what it allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from gatekeeper import Gatekeeper as Zone
from h323_exchange import Exchange, Member
from parties import ALL, channel, check_agreement, directions, ended

from firmware.call.call import Call, EndReason, State
from firmware.call.media import Direction, Kind
from firmware.errors import CallError
from firmware.signaling.h323_gatekeeper import Gatekeeper

GATEKEEPER = ("192.0.2.100", 1719)
NUMBERS = {"A": "101", "B": "102", "C": "103"}


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Exchange, Zone]]:
    """Make members that are registered."""

    def start(gatekeeper: Gatekeeper, transport: Any) -> None:
        gatekeeper._register(transport, GATEKEEPER)

    monkeypatch.setattr(Gatekeeper, "start", start)

    def make(names: str = "ABC", **how: Any) -> tuple[Exchange, Zone]:
        exchange = Exchange("", gatekeeper="192.0.2.100")
        gatekeeper = Zone(GATEKEEPER, **how)
        exchange.wire.attach(GATEKEEPER, gatekeeper)
        for n, name in enumerate(names, 1):
            exchange.settings["number"] = NUMBERS[name]
            exchange.members[name] = exchange._member(name, (f"192.0.2.{n}", 1720))
        exchange.settle()
        assert len(gatekeeper.endpoints) == len(names)
        return exchange, gatekeeper

    return make


def dial(member: Member, address: str) -> Call:
    call = member.endpoint.dial(address)
    member._watch(call)
    return call


def up(exchange: Exchange, caller: str, called: str) -> tuple[Call, Call]:
    ours = dial(exchange[caller], f"h323:{NUMBERS[called]}")
    exchange.settle()
    theirs = exchange[called].call
    assert ours.state is theirs.state is State.ACTIVE
    return ours, theirs


@pytest.mark.parametrize("address", ["h323:102", "h323:B"])
def test_a_call_by_name_or_number(zone: Any, address: str) -> None:
    exchange, gatekeeper = zone()
    ours = dial(exchange["A"], address)
    exchange.settle()
    theirs = exchange["B"].call
    assert directions(ours) == directions(theirs) == ALL
    check_agreement(ours, theirs)
    assert len(gatekeeper.calls) == 1
    exchange.check_clean()
    assert gatekeeper.calls == {}


def test_who_is_not_there_is_not_found(zone: Any) -> None:
    exchange, _ = zone("A")
    ours = dial(exchange["A"], "h323:999")
    exchange.settle()
    assert ended(ours, EndReason.NOT_FOUND)


def test_a_transfer_to_a_number(zone: Any) -> None:
    exchange, gatekeeper = zone()
    ours, theirs = up(exchange, "A", "B")
    ours.transfer("h323:103")
    exchange.settle(3.0)
    assert ended(ours, EndReason.TRANSFERRED)
    assert ended(theirs, EndReason.TRANSFERRED)
    new, at_c = exchange["B"].call, exchange["C"].call
    assert new.remote == "h323:103"
    assert new.state is at_c.state is State.ACTIVE
    check_agreement(new, at_c)
    assert len(gatekeeper.calls) == 1
    exchange.check_clean()


def test_a_transfer_to_a_number_that_nobody_has(zone: Any) -> None:
    exchange, _ = zone()
    ours, theirs = up(exchange, "A", "B")
    ours.transfer("h323:999")
    exchange.settle(3.0)
    assert len(exchange["A"].refusals) == 1
    assert ours.state is theirs.state is State.ACTIVE
    assert not ours.transferring
    exchange.check_clean()


def test_a_transfer_to_somebody_we_talk_to(zone: Any) -> None:
    exchange, gatekeeper = zone()
    with_b, b_with_a = up(exchange, "A", "B")
    with_c, c_with_a = up(exchange, "A", "C")
    with_b.transfer(with_c)
    exchange.settle(3.0)
    for call in (with_b, b_with_a, with_c, c_with_a):
        assert ended(call, EndReason.TRANSFERRED)
    new, at_c = exchange["B"].call, exchange["C"].call
    assert at_c.replaces is c_with_a
    assert new.state is at_c.state is State.ACTIVE
    assert len(gatekeeper.calls) == 1
    exchange.check_clean()


def test_the_gatekeeper_is_gone_when_a_transfer_wants_it(zone: Any) -> None:
    exchange, gatekeeper = zone()
    ours, theirs = up(exchange, "A", "B")
    gatekeeper.silent.add("all")
    exchange.settle(700)
    with pytest.raises(CallError):
        ours.transfer("h323:103")  # nobody can say where that is
    ours.transfer("h323:103@192.0.2.3")
    exchange.settle(3.0)
    assert ended(theirs, EndReason.TRANSFERRED)
    assert exchange["C"].call.state is State.ACTIVE


def test_what_the_gatekeeper_allows_is_kept_to(zone: Any) -> None:
    exchange, gatekeeper = zone("AB", max_bandwidth=7_680)
    ours, theirs = up(exchange, "A", "B")
    for call in (ours, theirs):
        assert channel(call, Kind.VIDEO, Direction.SEND).bitrate == 320_000
    identifier = next(iter(gatekeeper.calls))
    for name, units in (("A", 2_560), ("B", 5_120)):
        gatekeeper.change_bandwidth(gatekeeper.named(name), identifier, units, exchange.wire.now)
        exchange.settle()
    assert channel(ours, Kind.VIDEO, Direction.SEND).bitrate == 64_000
    assert channel(theirs, Kind.VIDEO, Direction.SEND).bitrate == 64_000, "A is allowed no more"
    exchange.check_clean()


def test_the_gatekeeper_ends_a_call(zone: Any) -> None:
    exchange, gatekeeper = zone("AB")
    ours, theirs = up(exchange, "A", "B")
    gatekeeper.disengage(gatekeeper.named("A"), next(iter(gatekeeper.calls)), exchange.wire.now)
    exchange.settle()
    assert ours.state is theirs.state is State.ENDED
    exchange.check_clean()
