"""RFC 3261 section 17 and RFC 6026: each arrow of the figures, each timer, on the virtual clock.

A scenario drives a real transaction over the simulated network against a peer whose messages are written here; the last
test sees to it that the scenarios together walk every row of every table.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conformance.transaction_bench import Bench
from sip_peer import request

from firmware.sip.transaction import (
    DURATIONS,
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    Input,
    State,
)
from firmware.sip.transaction_machine import Transaction

SCENARIOS: list[Callable[[], None]] = []


def scenario(function: Callable[[], None]) -> Callable[[], None]:
    SCENARIOS.append(function)
    return function


# 17.1.1, INVITE client


@scenario
def invite_client_nobody_answers() -> None:
    """17.1.1.2: Timer A doubles from T1; Timer B ends it at 64*T1."""
    bench = Bench()
    transaction = bench.call("INVITE")
    assert transaction.state is State.CALLING
    bench.wire.run(100)
    assert bench.peer.times("INVITE") == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert bench.station.heard == [(32.0, "failed 408")]
    assert bench.gone()


@scenario
def invite_client_over_tcp_sends_once() -> None:
    """17.1.1.2: no Timer A over a reliable transport; Timer B all the same."""
    bench = Bench("tcp")
    bench.call("INVITE")
    bench.wire.run(100)
    assert bench.peer.times("INVITE") == [0]
    assert bench.station.heard == [(32.0, "failed 408")]
    assert bench.gone()


@scenario
def invite_client_transport_error() -> None:
    """17.1.1.2: a transport error while calling is told at once."""
    bench = Bench()
    bench.break_flow(bench.call("INVITE"))
    assert bench.station.heard == [(0.0, "failed 503")]
    assert bench.gone()


@scenario
def invite_client_accepted() -> None:
    """RFC 6026 7.2: after a 2xx all further 2xx go up until Timer M; what else comes is dropped."""
    bench = Bench()
    transaction = bench.call("INVITE")
    bench.wire.run(1.0)
    bench.answer(100)
    assert transaction.state is State.PROCEEDING
    bench.wire.run(60.0)
    assert bench.peer.times("INVITE") == [0, 0.5], "a provisional response stops Timer A"
    bench.answer(180)
    bench.answer(200)
    assert transaction.state is State.ACCEPTED
    bench.wire.run(91.9)
    bench.answer(180)
    bench.answer(486)
    bench.answer(200)
    assert [what for _, what in bench.station.heard] == ["100", "180", "200", "200"]
    assert not bench.peer.times("ACK"), "the ACK to a 2xx is the TU's"
    bench.wire.run(91.99)
    assert not bench.gone()
    bench.wire.run(92.0)
    assert bench.gone()


@scenario
def invite_client_accepted_at_once() -> None:
    """RFC 6026: Timer M runs for 64*T1 over a reliable transport too, for other forks answer by other ways."""
    bench = Bench("tcp")
    transaction = bench.call("INVITE")
    bench.answer(200)
    assert transaction.state is State.ACCEPTED
    bench.wire.run(31.9)
    assert not bench.gone()
    bench.wire.run(32.1)
    assert bench.gone()


@scenario
def invite_client_refused_at_once() -> None:
    """17.1.1.2: ACK to each repetition of the final response, told once; Timer D is 32 s."""
    bench = Bench()
    bench.call("INVITE")
    bench.answer(486)
    bench.wire.run(5.0)
    bench.answer(486)
    bench.answer(200)
    assert bench.peer.times("ACK") == [0, 5.0]
    assert bench.station.heard == [(0.0, "486")]
    bench.wire.run(31.9)
    assert not bench.gone()
    bench.wire.run(32.0)
    assert bench.gone()


@scenario
def invite_client_refused_after_ringing() -> None:
    """17.1.1.3: the ACK has the To of the response and the Via, Request-URI, Route and CSeq number of the INVITE."""
    bench = Bench("tcp")
    message = request(
        "INVITE", branch="z9hG4bKours", sent_by="10.0.0.1:5060", transport="TCP", Route="<sip:p1;lr>, <sip:p2;lr>"
    )
    bench.station.layer.request(message, bench.flow, bench.station, 0.0)
    bench.wire.pass_time(0.0)
    bench.answer(180)
    bench.answer(603)
    ack = bench.peer.last_request("ACK")
    assert (str(ack.via), str(ack.uri)) == (str(message.via), str(message.uri))
    assert (ack.cseq.number, ack.to.tag) == (1, "peer")
    assert [str(route) for route in ack.routes] == ["<sip:p1;lr>", "<sip:p2;lr>"]
    assert bench.station.heard == [(0.0, "180"), (0.0, "603")]
    assert bench.gone(), "Timer D is 0 over a reliable transport"


@scenario
def invite_client_ack_fails() -> None:
    """17.1.1.2: a transport error while completed ends the transaction; its TU knows the outcome already."""
    bench = Bench()
    transaction = bench.call("INVITE")
    bench.answer(404)
    bench.break_flow(transaction)
    assert bench.station.heard == [(0.0, "404")]
    assert bench.gone()


# 17.1.2, non-INVITE client


@scenario
def non_invite_client_nobody_answers() -> None:
    """17.1.2.2: Timer E doubles from T1 up to T2; Timer F ends it at 64*T1."""
    bench = Bench()
    bench.call("OPTIONS")
    bench.wire.run(100)
    assert bench.peer.times("OPTIONS") == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert bench.station.heard == [(32.0, "failed 408")]
    assert bench.gone()


@scenario
def non_invite_client_provisional_forever() -> None:
    """17.1.2.2: in the proceeding state Timer E is reset to T2 each time; Timer F still ends it."""
    bench = Bench()
    transaction = bench.call("OPTIONS")
    bench.wire.run(0.6)
    bench.answer(100)
    assert transaction.state is State.PROCEEDING
    bench.answer(183)
    bench.wire.run(100)
    assert bench.peer.times("OPTIONS") == [0, 0.5, 1.5, 5.5, 9.5, 13.5, 17.5, 21.5, 25.5, 29.5]
    assert bench.station.heard == [(0.6, "100"), (0.6, "183"), (32.0, "failed 408")]
    assert bench.gone()


@scenario
def non_invite_client_answered() -> None:
    """17.1.2.2: repetitions of the final response are absorbed until Timer K, T4."""
    for provisional in (False, True):
        for final in (200, 404):
            bench = Bench()
            transaction = bench.call("OPTIONS")
            if provisional:
                bench.answer(100)
            bench.answer(final)
            assert transaction.state is State.COMPLETED
            bench.answer(final)
            assert [what for _, what in bench.station.heard][provisional:] == [str(final)]
            bench.wire.run(4.9)
            assert not bench.gone()
            bench.wire.run(5.0)
            assert bench.gone()
            assert len(bench.peer.requests) == 1


@scenario
def non_invite_client_answered_over_tcp() -> None:
    """17.1.2.2: Timer K is 0 over a reliable transport."""
    bench = Bench("tcp")
    bench.call("OPTIONS")
    bench.answer(200)
    assert bench.gone()
    assert bench.station.heard == [(0.0, "200")]


@scenario
def non_invite_client_transport_error() -> None:
    """17.1.2.2: a transport error is told in both states."""
    for provisional in (False, True):
        bench = Bench()
        transaction = bench.call("OPTIONS")
        if provisional:
            bench.answer(100)
        bench.break_flow(transaction)
        assert bench.station.heard[-1] == (0.0, "failed 503")
        assert bench.gone()


# 17.2.1, INVITE server


@scenario
def invite_server_says_trying() -> None:
    """17.2.1: 100 after 200 ms without a word of the TU, and for each repetition of the INVITE after that."""
    bench = Bench()
    bench.take("INVITE")
    bench.take("INVITE")
    assert not bench.peer.statuses
    bench.wire.run(0.5)
    assert bench.peer.times("SIP/2.0 100") == [0.2]
    bench.take("INVITE")
    assert bench.peer.times("SIP/2.0 100") == [0.2, 0.5]


@scenario
def invite_server_accepted() -> None:
    """RFC 6026 7.1: after a 2xx the TU may repeat it; INVITEs are absorbed until Timer L."""
    bench = Bench()
    transaction = bench.take("INVITE")
    bench.respond(180)
    bench.respond(181)
    bench.take("INVITE")
    assert bench.peer.statuses == [180, 181, 181]
    bench.break_flow(transaction)
    assert transaction.state is State.PROCEEDING
    bench.respond(200)
    bench.take("INVITE")
    assert bench.peer.statuses == [180, 181, 181, 200], "the TU repeats a 2xx, the transaction does not"
    bench.respond(200)
    bench.take("ACK")
    bench.break_flow(transaction)
    assert bench.peer.statuses == [180, 181, 181, 200, 200]
    assert [what for _, what in bench.station.heard] == ["response failed", "ACK", "response failed"]
    bench.wire.run(31.9)
    assert transaction.state is State.ACCEPTED
    bench.wire.run(32.0)
    assert bench.gone()


@scenario
def invite_server_refuses_and_nobody_acknowledges() -> None:
    """17.2.1: Timer G doubles from T1 up to T2; Timer H ends it at 64*T1, and tells."""
    bench = Bench()
    bench.take("INVITE")
    bench.respond(486)
    bench.wire.run(100)
    assert bench.peer.times("SIP/2.0 486") == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert bench.station.heard == [(32.0, "response failed")]
    assert bench.gone()


@scenario
def invite_server_refuses_over_tcp() -> None:
    """17.2.1: no Timer G over a reliable transport; Timer I is 0."""
    bench = Bench("tcp")
    transaction = bench.take("INVITE")
    bench.respond(486)
    bench.wire.pass_time(20)
    assert bench.peer.statuses == [486]
    bench.take("ACK")
    assert transaction.state is State.TERMINATED
    assert bench.gone()


@scenario
def invite_server_confirmed() -> None:
    """17.2.1: an INVITE is answered again until the ACK comes; repeated ACKs are absorbed until Timer I, T4."""
    bench = Bench()
    transaction = bench.take("INVITE")
    bench.respond(486)
    bench.wire.run(0.25)
    bench.take("INVITE")
    assert bench.peer.times("SIP/2.0 486") == [0, 0.25]
    bench.break_flow(transaction)
    assert transaction.state is State.COMPLETED
    bench.wire.run(0.3)
    bench.take("ACK")
    assert transaction.state is State.CONFIRMED
    bench.wire.run(5.2)
    bench.take("ACK")
    bench.take("INVITE")
    assert bench.peer.times("SIP/2.0 486") == [0, 0.25]
    assert [what for _, what in bench.station.heard] == ["response failed"], "an ACK to a 486 is not the TU's"
    assert not bench.gone()
    bench.wire.run(5.3)
    assert bench.gone()


# 17.2.2, non-INVITE server


@scenario
def non_invite_server_answers() -> None:
    """17.2.2: the response is repeated for each repetition of the request until Timer J, 64*T1."""
    for final in (200, 404):
        bench = Bench()
        transaction = bench.take("OPTIONS")
        bench.take("OPTIONS")
        assert not bench.peer.statuses
        bench.respond(final)
        bench.take("OPTIONS")
        assert bench.peer.statuses == [final, final]
        assert transaction.state is State.COMPLETED
        bench.wire.run(31.9)
        assert not bench.gone()
        bench.wire.run(32.0)
        assert bench.gone()


@scenario
def non_invite_server_answers_late() -> None:
    """17.2.2: so are provisional responses."""
    for final in (200, 404):
        bench = Bench()
        bench.take("OPTIONS")
        bench.respond(100)
        bench.respond(183)
        bench.take("OPTIONS")
        bench.respond(final)
        assert bench.peer.statuses == [100, 183, 183, final]


@scenario
def non_invite_server_over_tcp() -> None:
    """17.2.2: Timer J is 0 over a reliable transport."""
    bench = Bench("tcp")
    bench.take("OPTIONS")
    bench.respond(200)
    assert bench.peer.statuses == [200]
    assert bench.gone()


@scenario
def non_invite_server_transport_error() -> None:
    """17.2.2: a transport error ends it, and is told."""
    for status in (100, 200):
        bench = Bench()
        transaction = bench.take("OPTIONS")
        bench.respond(status)
        bench.break_flow(transaction)
        assert bench.station.heard == [(0.0, "response failed")]
        assert bench.gone()


@pytest.mark.parametrize("run", SCENARIOS, ids=lambda run: run.__name__)
def test_scenario(run: Callable[[], None]) -> None:
    run()


def test_every_row_is_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    walked: set[tuple[str, State, Input]] = set()
    take = Transaction._take

    def recorded(self: Transaction, what: Input, now: float) -> bool:
        state = self.state
        taken = take(self, what, now)
        if taken:
            walked.add((self.figure.name, state, what))
        return taken

    monkeypatch.setattr(Transaction, "_take", recorded)
    for run in SCENARIOS:
        run()
    figures = (INVITE_CLIENT, NON_INVITE_CLIENT, INVITE_SERVER, NON_INVITE_SERVER)
    rows = {(figure.name, state, what) for figure in figures for state in figure.table for what in figure.table[state]}
    assert walked == rows
    assert len(rows) == 60


def test_every_timer_has_a_duration_and_a_row() -> None:
    timers = {what for what in Input if what.name.startswith("TIMER_")}
    assert set(DURATIONS) == timers
    for figure in (INVITE_CLIENT, NON_INVITE_CLIENT, INVITE_SERVER, NON_INVITE_SERVER):
        for state, running in figure.timers.items():
            assert set(running) == timers & set(figure.table[state]), (figure.name, state)
