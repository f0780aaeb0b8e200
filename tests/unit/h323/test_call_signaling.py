"""States and timers of a call (Q.931 5.1, 5.2 as far as H.225.0 uses them)."""

from __future__ import annotations

import pytest

from firmware.h323.call_signaling import T301, T303, T304, T310, UNANSWERED, CallSignaling, CallState
from firmware.h323.cause import Cause
from firmware.h323.q931 import MessageType as M

S = CallState


def caller(*received: M) -> CallSignaling:
    call = CallSignaling()
    assert call.sent(M.SETUP, 0.0)
    for at, message in enumerate(received, 1):
        assert call.received(message, float(at))
    return call


def called(*sent: M) -> CallSignaling:
    call = CallSignaling()
    assert call.received(M.SETUP, 0.0)
    for at, message in enumerate(sent, 1):
        assert call.sent(message, float(at))
    return call


@pytest.mark.parametrize(
    ("received", "state", "deadline", "cause"),
    [
        ((), S.CALL_INITIATED, T303, Cause.NO_USER_RESPONDING),
        ((M.CALL_PROCEEDING,), S.OUTGOING_PROCEEDING, 1 + T310, Cause.NO_USER_RESPONDING),
        ((M.PROGRESS,), S.OUTGOING_PROCEEDING, 1 + T301, Cause.NO_USER_RESPONDING),
        ((M.CALL_PROCEEDING, M.PROGRESS), S.OUTGOING_PROCEEDING, 1 + T301, Cause.NO_USER_RESPONDING),
        ((M.CALL_PROCEEDING, M.ALERTING), S.CALL_DELIVERED, 2 + T301, Cause.NO_ANSWER_FROM_USER),
        ((M.ALERTING,), S.CALL_DELIVERED, 1 + T301, Cause.NO_ANSWER_FROM_USER),
        ((M.ALERTING, M.ALERTING, M.PROGRESS), S.CALL_DELIVERED, 1 + T301, Cause.NO_ANSWER_FROM_USER),
        ((M.SETUP_ACKNOWLEDGE,), S.OVERLAP_SENDING, 1 + T304, Cause.RECOVERY_ON_TIMER_EXPIRY),
        ((M.SETUP_ACKNOWLEDGE, M.CALL_PROCEEDING), S.OUTGOING_PROCEEDING, 2 + T310, Cause.NO_USER_RESPONDING),
    ],
)
def test_caller_waits(received: tuple[M, ...], state: CallState, deadline: float, cause: Cause) -> None:
    call = caller(*received)
    assert (call.state, call.deadline, call.timer[1]) == (state, deadline, cause)
    assert not call.answered


@pytest.mark.parametrize(
    "received",
    [(), (M.CALL_PROCEEDING,), (M.ALERTING,), (M.CALL_PROCEEDING, M.ALERTING), (M.SETUP_ACKNOWLEDGE,), (M.PROGRESS,)],
)
def test_connect_answers_from_every_state(received: tuple[M, ...]) -> None:
    call = caller(*received, M.CONNECT)
    assert call.answered
    assert call.deadline is None


def test_progress_does_not_prolong_for_ever() -> None:
    call = caller(M.CALL_PROCEEDING)
    for at in range(2, 1000, 5):
        call.received(M.PROGRESS, float(at))
    assert call.deadline == 1 + T301


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (caller(M.ALERTING), M.CALL_PROCEEDING),
        (caller(M.CONNECT), M.CONNECT),
        (caller(M.CONNECT), M.ALERTING),
        (caller(), M.SETUP),
        (called(), M.CONNECT),
        (CallSignaling(), M.CONNECT),
        (caller(M.CALL_PROCEEDING), M.SETUP_ACKNOWLEDGE),
        (caller(), M.NOTIFY),
    ],
)
def test_what_makes_no_sense_changes_nothing(call: CallSignaling, message: M) -> None:
    before = (call.state, call.deadline)
    assert not call.received(message, 500.0)
    assert (call.state, call.deadline) == before


@pytest.mark.parametrize(
    ("sent", "state"),
    [
        ((), S.CALL_PRESENT),
        ((M.CALL_PROCEEDING,), S.INCOMING_PROCEEDING),
        ((M.CALL_PROCEEDING, M.ALERTING), S.CALL_RECEIVED),
        ((M.ALERTING,), S.CALL_RECEIVED),
    ],
)
def test_called_has_one_time_for_all(sent: tuple[M, ...], state: CallState) -> None:
    call = called(*sent)
    assert (call.state, call.deadline) == (state, UNANSWERED)
    assert call.timer == ("no answer here", Cause.NO_ANSWER_FROM_USER)


@pytest.mark.parametrize("sent", [(), (M.CALL_PROCEEDING,), (M.ALERTING,)])
def test_called_answers(sent: tuple[M, ...]) -> None:
    call = called(*sent, M.CONNECT)
    assert (call.answered, call.deadline) == (True, None)
    assert not call.sent(M.CONNECT, 9.0)
    assert not call.sent(M.ALERTING, 9.0)


def test_called_does_not_go_back() -> None:
    assert not called(M.ALERTING).sent(M.CALL_PROCEEDING, 9.0)
    assert not called(M.ALERTING).sent(M.ALERTING, 9.0)


def test_more_digits_start_t304_again() -> None:
    call = caller(M.SETUP_ACKNOWLEDGE)
    assert call.sent(M.INFORMATION, 10.0)
    assert call.deadline == 10 + T304
    assert not caller().sent(M.INFORMATION, 1.0)


def test_released() -> None:
    call = caller(M.ALERTING)
    call.released()
    assert (call.state, call.deadline) == (S.NULL, None)
    assert not call.received(M.CONNECT, 9.0)
