"""Calls between two terminals of ours: every way to begin H.245, every timer, every end (H.323 8, H.225.0 7.5)."""

from __future__ import annotations

from typing import Any

import pytest
from h323_terminals import CAPABILITIES, CAPABILITY_SET, HOSTS, PORTS, Bench, ScriptedBench, proposal

from firmware.h323 import events
from firmware.h323.address import encode_transport
from firmware.h323.call_signaling import T301, UNANSWERED
from firmware.h323.cause import Cause
from firmware.h323.control import events as control
from firmware.h323.q931 import MessageType
from firmware.h323.session import Session

FAST = [proposal(1, 5000), proposal(2, 5002, "g711Ulaw64k")]
CHOICE = [proposal(1, 6000)]

WAYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "tunnelled": ({}, {}),
    "separate, the caller can't tunnel": ({"tunnelling": False}, {}),
    "separate, the called can't tunnel": ({}, {"called": {"tunnelling": False}}),
    "tunnelled in Setup": ({"h245_in_setup": True}, {}),
    "tunnelled in Setup for one that can't": ({"h245_in_setup": True}, {"called": {"tunnelling": False}}),
    "address in Setup": ({"tunnelling": False, "h245_in_setup": True}, {}),
    "fast, tunnelled": ({"fast_start": FAST}, {}),
    "fast, separate": ({"fast_start": FAST, "tunnelling": False}, {}),
    "fast, parallel H.245": ({"fast_start": FAST, "h245_in_setup": True}, {}),
    "fast, address in Setup": ({"fast_start": FAST, "h245_in_setup": True, "tunnelling": False}, {}),
    "fast, parallel for one that can't": (
        {"fast_start": FAST, "h245_in_setup": True},
        {"called": {"tunnelling": False}},
    ),
}


@pytest.mark.parametrize(("call", "identity"), WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("alerts", [True, False])
@pytest.mark.parametrize("caller_ends", [True, False])
def test_call(call: dict[str, Any], identity: dict[str, Any], alerts: bool, caller_ends: bool) -> None:
    bench = Bench(**identity)
    fast = "fast_start" in call

    def answer(session: Session) -> None:
        if alerts:
            session.alert(bench.wire.now)
        session.accept(CAPABILITIES, bench.wire.now, fast_start=CHOICE if fast else ())

    bench.answer(answer)
    ours = bench.call(**call)
    bench.settle()
    (theirs,) = bench.called.terminal.sessions

    order = [type(event) for event in bench.caller.events if not isinstance(event, events.Control)]
    assert order == [*[events.Alerting] * alerts, *[events.FastStart] * fast, events.Connected]
    assert [event.channels for event in bench.caller.of(events.FastStart)] == [(CHOICE[0],)] * fast
    (incoming,) = bench.called.of(events.Incoming)
    assert incoming.fast_start == (tuple(FAST) if fast else ())
    assert ours.call_identifier == theirs.call_identifier
    assert ours.control.ready
    assert theirs.control.ready
    for party in (bench.caller, bench.called):
        assert party.control(control.CapabilitiesReceived) == [control.CapabilitiesReceived(CAPABILITIES)]
    assert [e.master for e in bench.caller.control(control.Determined)] != [
        e.master for e in bench.called.control(control.Determined)
    ]

    one, other = (bench.caller, bench.called) if caller_ends else (bench.called, bench.caller)
    (ours if caller_ends else theirs).release(Cause.NORMAL_CALL_CLEARING, bench.wire.now)
    bench.settle()
    assert (one.ended.cause, one.ended.by_far_end) == (Cause.NORMAL_CALL_CLEARING, False)
    assert (other.ended.cause, other.ended.by_far_end) == (Cause.NORMAL_CALL_CLEARING, True)
    assert one.terminal.counters == other.terminal.counters == {}
    bench.check_clean()


@pytest.mark.parametrize("way", ["tunnelled", "tunnelled in Setup", "fast, tunnelled", "fast, parallel H.245"])
def test_tunnelled_calls_need_one_connection(way: str) -> None:
    call, identity = WAYS[way]
    bench = Bench(**identity)
    bench.answer_at_once(fast_start=CHOICE if "fast_start" in call else ())
    bench.call(**call)
    bench.settle()
    assert bench.caller.terminal.sizes["streams"] == 1
    assert bench.sent_h245() == []
    assert "terminalCapabilitySet" in bench.tunnelled(bench.called)


def test_several_h245_messages_stand_in_one_message() -> None:
    bench = Bench()
    bench.answer_at_once()
    bench.call()
    bench.settle()
    (connect,) = [c for m, c in bench.sent(bench.called) if c.name == "connect"]
    assert len(connect.control) == 2


def test_nothing_is_tunnelled_beside_the_answer_to_fast_connect() -> None:
    # H.323 8.1.7.1
    bench = Bench()
    bench.answer_at_once(fast_start=CHOICE)
    bench.call(fast_start=FAST)
    bench.settle()
    answers = [contents for _, contents in bench.sent(bench.called) if contents.fast_start]
    assert [(contents.name, contents.control) for contents in answers] == [("connect", ())]


def test_fast_connect_takes_three_trips() -> None:
    """One for the connection, one for Setup, one for Connect."""
    bench = Bench()
    bench.answer_at_once(fast_start=CHOICE)
    times: list[float] = []
    bench.wire.on_event[bench.caller.address] = lambda event: times.append(bench.wire.now)
    bench.call(fast_start=FAST)
    bench.settle()
    assert times[0] == pytest.approx(3 * bench.wire.delay)


def test_early_media() -> None:
    bench = Bench()
    bench.answer(lambda session: session.alert(bench.wire.now, fast_start=CHOICE))
    bench.call(fast_start=FAST)
    bench.settle()
    assert [type(event) for event in bench.caller.events] == [events.FastStart, events.Alerting]
    (theirs,) = bench.called.terminal.sessions
    theirs.accept(CAPABILITIES, bench.wire.now)
    bench.settle()
    assert len(bench.caller.of(events.FastStart)) == 1
    assert bench.caller.of(events.Connected)


@pytest.mark.parametrize("tunnelling", [True, False])
def test_refused_fast_connect_is_a_slow_start(tunnelling: bool) -> None:
    bench = Bench()
    bench.answer_at_once()
    session = bench.call(fast_start=FAST, tunnelling=tunnelling)
    bench.settle()
    assert [event.channels for event in bench.caller.of(events.FastStart)] == [()]
    assert any(contents.fast_connect_refused for _, contents in bench.sent(bench.called))
    assert session.control.ready


def test_who_is_who() -> None:
    bench = Bench(
        caller={"display_name": "Ünit 0", "product": "P", "version": "1"},
        called={"display_name": "Ünit 1", "product": "P", "version": "2"},
    )
    bench.answer_at_once()
    ours = bench.call()
    bench.settle()
    (theirs,) = bench.called.terminal.sessions
    assert (theirs.remote.display_name, theirs.remote.product, theirs.remote.number) == ("Ünit 0", "P 1", "100")
    assert theirs.remote.aliases == (("h323-ID", "room 0"), ("dialledDigits", "100"))
    assert (ours.remote.display_name, ours.remote.product) == ("Ünit 1", "P 2")


# Ends


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (Cause.USER_BUSY, "inConf"),
        (Cause.CALL_REJECTED, "destinationRejection"),
        (Cause.NO_ANSWER_FROM_USER, "undefinedReason"),
        (Cause.UNALLOCATED_NUMBER, "calledPartyNotRegistered"),
    ],
)
@pytest.mark.parametrize("alerts", [True, False])
def test_refused_call(cause: Cause, reason: str, alerts: bool) -> None:
    bench = Bench()

    def refuse(session: Session) -> None:
        if alerts:
            session.alert(bench.wire.now)
        session.release(cause, bench.wire.now)

    bench.answer(refuse)
    bench.call()
    bench.settle()
    ended = bench.caller.ended
    assert (ended.cause, ended.reason, ended.by_far_end) == (cause, reason, True)
    bench.check_clean()


@pytest.mark.parametrize("after", [0.0, 0.005, 0.015, 0.025, 0.5])
def test_given_up_call(after: float) -> None:
    bench = Bench()
    bench.answer(lambda session: session.alert(bench.wire.now))
    session = bench.call()
    bench.settle(after)
    session.release(Cause.NORMAL_CALL_CLEARING, bench.wire.now)
    bench.settle()
    assert bench.caller.ended.by_far_end is False
    assert all(event.by_far_end for event in bench.called.of(events.Ended))
    assert len(bench.called.of(events.Ended)) == len(bench.called.of(events.Incoming))
    bench.check_clean()


def test_both_hang_up_at_once() -> None:
    for way, identity in (({}, {}), ({"tunnelling": False}, {})):
        bench = Bench(**identity)
        bench.answer_at_once()
        ours = bench.call(**way)
        bench.settle()
        (theirs,) = bench.called.terminal.sessions
        ours.release(16, bench.wire.now)
        theirs.release(16, bench.wire.now)
        bench.settle()
        assert bench.caller.ended.session is ours
        assert bench.called.ended.session is theirs
        bench.check_clean()


def test_commands_on_an_ended_call_do_nothing() -> None:
    bench = Bench()
    bench.answer_at_once()
    session = bench.call()
    bench.settle()
    session.release(16, bench.wire.now)
    bench.settle()
    sent = len(bench.wire.sent)
    session.release(16, bench.wire.now)
    session.alert(bench.wire.now)
    session.accept(CAPABILITIES, bench.wire.now)
    session.send_digits("1", bench.wire.now)
    session.control.request_close(1, bench.wire.now)
    bench.settle()
    assert len(bench.wire.sent) == sent
    assert len(bench.caller.of(events.Ended)) == 1


# Timers


def test_t301_no_answer() -> None:
    bench = Bench()
    bench.answer(lambda session: session.alert(bench.wire.now))
    bench.call()
    bench.settle(T301 - 1)
    assert bench.caller.of(events.Ended) == []
    bench.settle(2)
    assert (bench.caller.ended.cause, bench.caller.ended.detail) == (Cause.NO_ANSWER_FROM_USER, "T301 expired")
    assert bench.called.ended.cause == Cause.NO_ANSWER_FROM_USER
    bench.check_clean()


def test_incoming_call_that_nobody_answers() -> None:
    bench = Bench()
    bench.answer(lambda session: None)
    bench.call()
    bench.settle(0.1)
    # The caller dies without a word: nobody's T310 runs any more.
    bench.wire.cores.pop(bench.caller.address)
    bench.settle(UNANSWERED + 1)
    assert bench.called.ended.cause == Cause.NO_ANSWER_FROM_USER


@pytest.mark.parametrize("tunnelling", [True, False])
def test_far_end_that_vanishes_is_noticed(tunnelling: bool) -> None:
    bench = Bench()
    bench.answer_at_once()
    bench.call(tunnelling=tunnelling)
    bench.settle()
    bench.wire.cores.pop(bench.called.address)
    bench.settle(70)
    assert bench.caller.ended.by_far_end is False
    assert "H.245" in bench.caller.ended.detail
    assert bench.caller.terminal.sizes == {"sessions": 0, "streams": 0, "ports": 0}


def test_nobody_there() -> None:
    bench = Bench()
    bench.wire.cores.pop(bench.called.address)
    bench.call()
    bench.settle()
    ended = bench.caller.ended
    assert (ended.cause, ended.by_far_end, ended.detail) == (Cause.NO_ROUTE_TO_DESTINATION, False, "not reachable")
    assert bench.caller.terminal.sizes == {"sessions": 0, "streams": 0, "ports": 0}


def test_a_quiet_call_stays() -> None:
    bench = Bench()
    bench.answer_at_once()
    bench.call()
    bench.settle()
    bench.caller.session.control.adopt(1, {}, bench.wire.now, ours=True)
    bench.called.session.control.adopt(1, {}, bench.wire.now, ours=False)
    bench.settle(3600)
    assert bench.caller.of(events.Ended) == []
    assert bench.called.of(events.Ended) == []


# Both sides open H.245 at once


@pytest.mark.parametrize("we_are_smaller", [True, False])
@pytest.mark.parametrize("theirs_first", [True, False])
def test_both_open_a_connection_for_h245(we_are_smaller: bool, theirs_first: bool) -> None:
    # H.323 8.2.3: the numerically smaller h245Address closes the connection that it opened.
    hosts = HOSTS if we_are_smaller else HOSTS[::-1]
    bench = ScriptedBench(hosts)
    session = bench.call(tunnelling=False, h245_in_setup=True)
    ours = bench.far.messages()[0][1].h245_address
    assert ours
    theirs = (hosts[1], PORTS[0])
    if theirs_first:
        flow = bench.far.open(bench.far_address, ours)
        bench.say(MessageType.CONNECT, {"h245Address": encode_transport(theirs)}, tunnelling=False)
        assert [f.local[1] for f in bench.far.flows] == [1720, 1720]  # we have one, and need none of our own
    else:
        bench.far.send(
            bench.far.flows[0], MessageType.CONNECT, {"h245Address": encode_transport(theirs)}, tunnelling=False
        )
        flow = bench.far.open(bench.far_address, ours)
        bench.settle()
        made_by_us = [f for f in bench.far.flows if f.local == theirs]
        assert bool(made_by_us) is not we_are_smaller
        if made_by_us:
            bench.far.close(flow)
            (flow,) = made_by_us
    bench.far.send_control(flow, CAPABILITY_SET)
    bench.settle()
    names = [name for _, (name, _) in bench.far.controls(flow)]
    assert names == ["terminalCapabilitySet", "masterSlaveDetermination", "terminalCapabilitySetAck"]
    assert bench.unit.of(events.Ended) == []
    session.release(16, bench.wire.now)
    bench.settle(3)
    bench.check_clean()


# Several calls


def test_calls_to_one_far_end_have_connections_of_their_own() -> None:
    bench = Bench()
    bench.answer_at_once()
    sessions = [bench.call(tunnelling=tunnelling) for tunnelling in (True, False, True, False)]
    bench.settle()
    assert all(session.control.ready for session in sessions)
    assert len({session.flow for session in sessions}) == 4
    assert bench.caller.terminal.sizes == {"sessions": 4, "streams": 6, "ports": 0}
    sessions[1].release(16, bench.wire.now)
    bench.settle()
    assert bench.caller.terminal.sizes == {"sessions": 3, "streams": 4, "ports": 0}
    assert len(bench.called.terminal.sessions) == 3


def test_busy_when_full() -> None:
    bench = Bench(called={"max_sessions": 2})
    bench.answer_at_once()
    for _ in range(3):
        bench.call()
        bench.settle()
    assert (bench.caller.ended.cause, bench.caller.ended.reason) == (Cause.USER_BUSY, "inConf")
    assert len(bench.called.terminal.sessions) == 2


def test_h245_without_a_free_port_still_works_by_the_callers() -> None:
    bench = Bench(called={"h245_ports": range(0)})
    bench.answer_at_once()
    session = bench.call(tunnelling=False)
    bench.settle()
    # No address in Connect: the caller asks by Facility startH245 (H.323 8.2.3).
    assert session.control.ready
    assert "FACILITY" in bench.names(bench.caller)


def test_ipv6() -> None:
    import h323_terminals

    hosts = h323_terminals.HOSTS
    h323_terminals.HOSTS = ("2001:db8::1", "2001:db8::2")
    try:
        bench = Bench()
    finally:
        h323_terminals.HOSTS = hosts
    bench.answer_at_once()
    session = bench.call(tunnelling=False)
    bench.settle()
    assert session.control.ready
    assert hosts == HOSTS
