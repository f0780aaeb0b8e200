"""One call: its commands, and H.245 that comes and goes."""

from __future__ import annotations

import pytest
from h323_terminals import CAPABILITIES, CAPABILITY_SET, END_SESSION, HOSTS, PORTS, ScriptedBench, proposal

from firmware.errors import LocalProtocolError
from firmware.h323 import events, tpkt
from firmware.h323.address import encode_transport
from firmware.h323.cause import Cause
from firmware.h323.q931 import MessageType as M
from firmware.h323.session import CLEAR_TIME, CONNECT_TIME, LOST_TIME
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
    with pytest.raises(LocalProtocolError, match="no proposals"):
        session.accept(CAPABILITIES, bench.wire.now, fast_start=[proposal(1, 6000)])


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


# H.245 on its own connection


def test_slow_call_ends_with_its_h245_connection() -> None:
    bench = answered()
    bench.far.send_control(bench.far.flows[1], CAPABILITY_SET)
    bench.settle()
    bench.far.close(bench.far.flows[1])
    bench.settle(LOST_TIME - 0.1)
    assert bench.unit.of(events.Ended) == []
    bench.settle()
    assert (bench.unit.ended.detail, bench.unit.ended.by_far_end) == ("H.245 connection lost", False)
    bench.settle(CLEAR_TIME)
    bench.check_clean()


def test_release_that_follows_the_end_of_h245_counts() -> None:
    bench = answered()
    bench.far.send_control(bench.far.flows[1], CAPABILITY_SET)
    bench.settle()
    bench.far.close(bench.far.flows[1])
    bench.say(M.RELEASE_COMPLETE, {"reason": ("inConf", None)}, tunnelling=False)
    assert (bench.unit.ended.reason, bench.unit.ended.by_far_end) == ("inConf", True)


def test_connection_that_fails_is_asked_for() -> None:
    bench = ScriptedBench()
    bench.call(tunnelling=False)
    nowhere = encode_transport((HOSTS[1], 9))
    bench.say(M.CONNECT, {"h245Address": nowhere}, tunnelling=False)
    _, contents = bench.far.messages()[-1]
    assert contents.reason == "startH245"
    assert contents.h245_address
    flow = bench.far.open(bench.far_address, contents.h245_address)
    bench.settle()
    assert [name for _, (name, _) in bench.far.controls(flow)] == ["terminalCapabilitySet", "masterSlaveDetermination"]


def test_second_connection_saves_the_call() -> None:
    bench = ScriptedBench()
    bench.call(tunnelling=False)
    for port in (9, 10, PORTS[0]):
        body = {"reason": ("startH245", None), "h245Address": encode_transport((HOSTS[1], port))}
        bench.say(M.FACILITY, body, tunnelling=False)
    bench.far.send_control(bench.far.flows[1], CAPABILITY_SET)
    bench.say(M.CONNECT, tunnelling=False)
    bench.settle(LOST_TIME)
    assert bench.unit.of(events.Ended) == []


def test_fast_call_lives_without_h245() -> None:
    bench = ScriptedBench()
    bench.call(tunnelling=False, fast_start=[proposal(1, 5000)])
    body = {"fastStart": encode_channels([proposal(1, 6000)]), "h245Address": encode_transport(FAR_H245)}
    bench.say(M.CONNECT, body, tunnelling=False)
    bench.far.close(bench.far.flows[1])
    bench.settle(300)
    assert bench.unit.of(events.Ended) == []


def test_fast_call_lives_with_one_that_never_answers_h245() -> None:
    # H.323 8.1.7.2: H.245 may follow fast connect; it need not.
    bench = ScriptedBench()
    bench.call(fast_start=[proposal(1, 5000)])
    bench.say(M.CONNECT, {"fastStart": encode_channels([proposal(1, 6000)])})
    assert len(bench.far.controls()) == 2
    bench.settle(300)
    assert bench.unit.of(events.Ended) == []
    assert bench.unit.terminal.counters["H.245 unanswered after fast connect"]


def test_slow_call_ends_with_one_that_never_answers_h245() -> None:
    bench = ScriptedBench()
    bench.call()
    bench.say(M.CONNECT)
    bench.settle(120)
    assert bench.unit.ended.detail.startswith("H.245: ")
    bench.check_clean()


def test_fast_call_without_a_way_for_h245_asks_for_none() -> None:
    bench = ScriptedBench()
    bench.call(tunnelling=False, fast_start=[proposal(1, 5000)])
    bench.say(M.CONNECT, {"fastStart": encode_channels([proposal(1, 6000)])}, tunnelling=False)
    assert bench.far.types() == ["SETUP"]


def test_h245_that_can_not_be_read_is_passed_over() -> None:
    bench = answered()
    bench.far.send_octets(bench.far.flows[1], tpkt.encode(b"\xff\xff\xff") + tpkt.encode(b"\x00"))
    bench.far.send_control(bench.far.flows[1], CAPABILITY_SET)
    bench.settle()
    assert "terminalCapabilitySetAck" in [name for _, (name, _) in bench.far.controls(bench.far.flows[1])]
    assert bench.unit.terminal.counters["malformed H.245 message"] >= 1


# Ends


def test_end_session_inside_of_release_complete() -> None:
    bench = ScriptedBench()
    bench.call()
    bench.say(M.CONNECT)
    bench.say(M.RELEASE_COMPLETE, {"reason": ("undefinedReason", None)}, control=[END_SESSION])
    assert (bench.unit.ended.reason, bench.unit.ended.by_far_end) == ("undefinedReason", True)
    bench.check_clean()


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
