"""One call: its commands, and H.245 that comes and goes."""

from __future__ import annotations

import pytest
from h323_terminals import CAPABILITIES, END_SESSION, HOSTS, ScriptedBench, proposal

from firmware.errors import LocalProtocolError
from firmware.h323 import events
from firmware.h323.address import encode_transport
from firmware.h323.cause import Cause
from firmware.h323.control.events import Digit
from firmware.h323.identity import Destination
from firmware.h323.q931 import MessageType as M
from firmware.h323.session import CLEAR_TIME, CONNECT_TIME
from firmware.h323.user_information import encode_channels
from firmware.sansio import Flow

FAR_H245 = (HOSTS[1], 30_000)


def answered(**how: object) -> ScriptedBench:
    """A call of ours that is answered, slow and with H.245 on its own connection, ``far.flows[1]``."""
    bench = ScriptedBench()
    bench.call(tunnelling=False, **how)
    bench.say(M.CONNECT, {"h245Address": encode_transport(FAR_H245)}, tunnelling=False)
    return bench


# Commands


def test_commands_of_the_called_side_make_no_sense_for_the_caller() -> None:
    bench = ScriptedBench()
    session = bench.call()
    with pytest.raises(LocalProtocolError, match="ALERTING"):
        session.alert(bench.wire.now)
    with pytest.raises(LocalProtocolError, match="CONNECT"):
        session.accept(CAPABILITIES, bench.wire.now)
    with pytest.raises(LocalProtocolError, match="INFORMATION"):
        session.send_digits("1", bench.wire.now)


def test_a_call_is_answered_once() -> None:
    bench = ScriptedBench()
    bench.called()
    (session,) = bench.unit.terminal.sessions
    session.alert(bench.wire.now)
    with pytest.raises(LocalProtocolError):
        session.alert(bench.wire.now)
    session.accept(CAPABILITIES, bench.wire.now)
    with pytest.raises(LocalProtocolError):
        session.accept(CAPABILITIES, bench.wire.now)
    bench.settle()
    assert bench.far.types() == ["CALL_PROCEEDING", "ALERTING", "CONNECT"]


def test_no_choice_among_proposals_that_were_not_made() -> None:
    bench = ScriptedBench()
    bench.called()
    (session,) = bench.unit.terminal.sessions
    for answer in (session.alert, lambda *now, **how: session.accept(CAPABILITIES, *now, **how)):
        with pytest.raises(LocalProtocolError, match="no proposals"):
            answer(bench.wire.now, fast_start=[proposal(1, 6000)])
        answer(bench.wire.now)
    bench.settle()
    assert bench.far.types() == ["CALL_PROCEEDING", "ALERTING", "CONNECT"]


def test_channel_that_can_not_be_written_answers_nothing() -> None:
    bench = ScriptedBench()
    bench.called({"fastStart": encode_channels([proposal(1, 5000)])})
    (session,) = bench.unit.terminal.sessions
    with pytest.raises(ValueError, match="nonsense"):
        session.accept(CAPABILITIES, bench.wire.now, fast_start=[{"nonsense": 1}])
    session.accept(CAPABILITIES, bench.wire.now, fast_start=[proposal(1, 6000)])
    bench.settle()
    (_, connect) = bench.far.messages()[1]
    assert connect.fast_start == (proposal(1, 6000),)


def test_words_for_the_log() -> None:
    bench = ScriptedBench()
    session = bench.call()
    assert repr(session) == f"<outgoing call {session.call_identifier.hex()[:8]}>"


# Beginning


def test_setup_waits_for_the_connection() -> None:
    bench = ScriptedBench()
    bench.wire.delay = 3.0
    bench.call()
    assert bench.wire.sent == []
    bench.settle(2.6)
    assert len(bench.wire.sent) == 1


def test_connection_that_is_never_made() -> None:
    bench = ScriptedBench()
    bench.wire.delay = 60.0
    bench.call()
    bench.settle(CONNECT_TIME)
    assert (bench.unit.ended.cause, bench.unit.ended.detail) == (Cause.NO_ROUTE_TO_DESTINATION, "not connected in time")
    assert bench.wire.sent == []
    bench.check_clean()


# Ends


def test_end_session_inside_of_release_complete() -> None:
    bench = ScriptedBench()
    bench.call()
    bench.say(M.CONNECT)
    bench.say(M.RELEASE_COMPLETE, {"reason": ("undefinedReason", None)}, control=[END_SESSION])
    assert (bench.unit.ended.reason, bench.unit.ended.by_far_end) == ("undefinedReason", True)
    bench.check_clean()


def test_last_words_are_reported_before_the_end() -> None:
    bench = ScriptedBench()
    bench.call()
    bench.say(M.CONNECT)
    bench.say(M.RELEASE_COMPLETE, control=[("indication", ("userInput", ("alphanumeric", "5"))), END_SESSION])
    assert [type(event) for event in bench.unit.events[-2:]] == [events.Control, events.Ended]
    assert bench.unit.control(Digit)[0].digit == "5"


@pytest.mark.parametrize("tunnelling", [True, False])
def test_end_session_alone_ends_call_signalling_too(tunnelling: bool) -> None:
    # H.323 8.5
    bench = ScriptedBench() if tunnelling else answered()
    if tunnelling:
        bench.call()
        bench.say(M.CONNECT)
        bench.say(M.FACILITY, control=[END_SESSION])
        said = bench.far.messages()[-1][1].control
        assert len(said) == 1
    else:
        flow = bench.far.flows[1]
        bench.far.send_control(flow, END_SESSION)
        bench.settle()
        assert bench.far.controls(flow)[-1] == END_SESSION
    assert bench.far.types()[-1] == "RELEASE_COMPLETE"
    assert (bench.unit.ended.detail, bench.unit.ended.by_far_end) == ("endSessionCommand", True)
    bench.check_clean()


def test_release_says_end_session_by_its_way() -> None:
    bench = answered()
    (session,) = bench.unit.terminal.sessions
    flow = bench.far.flows[1]
    session.release(Cause.NORMAL_CALL_CLEARING, bench.wire.now)
    bench.settle(CLEAR_TIME + 0.5)
    assert bench.far.controls(flow)[-1] == END_SESSION
    assert bench.far.types()[-1] == "RELEASE_COMPLETE"
    bench.check_clean()


def test_release_waits_a_little_for_the_far_end() -> None:
    bench = ScriptedBench()
    session = bench.call()
    session.release(Cause.NORMAL_CALL_CLEARING, bench.wire.now)
    bench.settle(CLEAR_TIME - 0.1)
    assert bench.unit.of(events.Ended) == []
    bench.settle()
    assert bench.unit.ended.by_far_end is False
    bench.check_clean()


def test_both_releases_cross() -> None:
    bench = ScriptedBench()
    session = bench.call()
    session.release(Cause.NORMAL_CALL_CLEARING, bench.wire.now)
    bench.say(M.RELEASE_COMPLETE, {"reason": ("undefinedReason", None)})
    assert bench.unit.ended.by_far_end is False
    bench.check_clean()


def test_connection_lost_in_a_call() -> None:
    bench = ScriptedBench()
    bench.call()
    bench.say(M.CONNECT)
    bench.far.close(bench.far.flows[0])
    bench.settle()
    assert (bench.unit.ended.cause, bench.unit.ended.detail) == (Cause.DESTINATION_OUT_OF_ORDER, "connection lost")
    bench.check_clean()


def test_connection_lost_before_the_answer() -> None:
    bench = ScriptedBench()
    flow = bench.called()
    bench.far.close(flow)
    bench.settle()
    assert bench.unit.ended.detail == "connection lost"
    bench.check_clean()


def test_flow_is_the_connection_of_call_signalling() -> None:
    bench = ScriptedBench()
    session = bench.call()
    assert session.flow == Flow("tcp", bench.address, bench.far_address, session.flow.number)


# Tokens


OURS, THEIRS, GATEKEEPERS = ({"tokenOID": f"1.2.3.{number}"} for number in range(3))


def test_tokens_of_a_call_of_ours() -> None:
    bench = ScriptedBench()
    session = bench.call(tokens=[OURS])
    assert bench.far.messages()[0][1].tokens == (OURS,)
    bench.say(M.ALERTING, {"tokens": [THEIRS]})
    assert session.tokens == (THEIRS,)
    bench.say(M.CONNECT)
    assert session.tokens == (THEIRS,), "a message without any takes none away"


def test_tokens_of_a_call_of_theirs() -> None:
    bench = ScriptedBench()
    bench.called({"tokens": [THEIRS]})
    (incoming,) = bench.unit.of(events.Incoming)
    assert incoming.session.tokens == (THEIRS,)
    incoming.session.accept(CAPABILITIES, bench.wire.now, tokens=[OURS])
    bench.settle()
    assert bench.far.messages()[-1][1].tokens == (OURS,)


def test_the_gatekeepers_tokens_stand_beside_ours() -> None:
    bench = ScriptedBench()
    flow = Flow("tcp", bench.address, bench.far_address)
    session = bench.unit.terminal.call(flow, Destination(), 0.0, capabilities=CAPABILITIES, tokens=[OURS])
    session.connect(0.0, addresses=[bench.far_address], body={"tokens": [GATEKEEPERS]})
    bench.settle()
    assert bench.far.messages()[0][1].tokens == (GATEKEEPERS, OURS)
