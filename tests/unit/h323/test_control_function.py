"""H.245 of one call: when it begins, and what becomes of a call without it."""

from __future__ import annotations

from h323_terminals import CAPABILITY_SET, HOSTS, PORTS, ScriptedBench, proposal

from firmware.asn1 import Value
from firmware.h323 import events, h245, tpkt
from firmware.h323.address import encode_transport
from firmware.h323.cause import Cause
from firmware.h323.control import events as control
from firmware.h323.control_function import LOST_TIME, SETTLE_TIME
from firmware.h323.q931 import MessageType as M
from firmware.h323.session import CLEAR_TIME
from firmware.h323.user_information import encode_channels

FAR_H245 = (HOSTS[1], 30_000)


def answered(**how: object) -> ScriptedBench:
    """A call of ours that is answered, slow and with H.245 on its own connection, ``far.flows[1]``."""
    bench = ScriptedBench()
    bench.call(tunnelling=False, **how)
    bench.say(M.CONNECT, {"h245Address": encode_transport(FAR_H245)}, tunnelling=False)
    return bench


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
    assert bench.far.types() == ["SETUP"]


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


ACKNOWLEDGED: Value = ("response", ("terminalCapabilitySetAck", {"sequenceNumber": 1}))
DETERMINED: Value = ("response", ("masterSlaveDeterminationAck", {"decision": ("slave", None)}))


def test_far_end_that_never_says_what_it_can() -> None:
    bench = ScriptedBench()
    bench.call()
    bench.say(M.CONNECT)
    bench.say(M.FACILITY, control=[ACKNOWLEDGED, DETERMINED])
    bench.settle(SETTLE_TIME - 1)
    assert bench.unit.of(events.Ended) == []
    bench.settle(1)
    assert bench.unit.ended.cause == Cause.INCOMPATIBLE_DESTINATION
    assert bench.unit.ended.detail == "H.245: the far end never said what it can"
    bench.settle(CLEAR_TIME)
    bench.check_clean()


def test_far_end_with_which_no_channel_is_ever_open() -> None:
    bench = ScriptedBench()
    bench.call()
    bench.say(M.CONNECT)
    bench.say(M.FACILITY, control=[ACKNOWLEDGED, DETERMINED, CAPABILITY_SET])
    bench.settle(SETTLE_TIME)
    assert bench.unit.ended.detail == "H.245: neither end opened a channel"


def test_far_end_that_wants_no_channel_yet() -> None:
    # H.323 8.4.6
    bench = ScriptedBench()
    bench.call()
    nothing = ("request", ("terminalCapabilitySet", {"sequenceNumber": 1, "protocolIdentifier": h245.IDENTIFIER}))
    bench.say(M.CONNECT)
    bench.say(M.FACILITY, control=[ACKNOWLEDGED, DETERMINED, nothing])
    bench.settle(3 * SETTLE_TIME)
    assert bench.unit.of(events.Ended) == []


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


def test_several_messages_in_one_packet() -> None:
    bench = answered()
    two = h245.MESSAGE.encode(CAPABILITY_SET) * 2
    bench.far.send_octets(bench.far.flows[1], tpkt.encode(two))
    bench.settle()
    assert len(bench.unit.control(control.CapabilitiesReceived)) == 2


def test_message_before_rubbish_counts() -> None:
    bench = answered()
    bench.far.send_octets(bench.far.flows[1], tpkt.encode(h245.MESSAGE.encode(CAPABILITY_SET) + b"\xff\xff"))
    bench.settle()
    assert len(bench.unit.control(control.CapabilitiesReceived)) == 1
    assert bench.unit.terminal.counters == {"malformed H.245 message": 1}


def test_it_begins_with_connect_and_not_before() -> None:
    bench = ScriptedBench()
    bench.call()
    for message in (M.CALL_PROCEEDING, M.ALERTING, M.PROGRESS):
        bench.say(message)
    assert bench.far.controls() == []
    bench.say(M.CONNECT)
    assert [name for _, (name, _) in bench.far.controls()] == ["terminalCapabilitySet", "masterSlaveDetermination"]


def test_called_side_answers_what_comes_before_it_can_say_what_it_can() -> None:
    bench = ScriptedBench()
    bench.called()
    bench.say(M.FACILITY, control=[CAPABILITY_SET])
    assert [name for _, (name, _) in bench.far.controls()] == ["terminalCapabilitySetAck"]
    assert bench.unit.control(control.CapabilitiesReceived)


def test_setup_that_was_heard_is_not_said_again() -> None:
    bench = ScriptedBench()
    bench.call(h245_in_setup=True)
    bench.say(M.ALERTING, control=[CAPABILITY_SET])
    bench.say(M.CONNECT)
    names = [name for _, (name, _) in bench.far.controls()]
    assert names.count("terminalCapabilitySet") == 1


def test_what_waits_for_the_answer_to_fast_connect() -> None:
    # H.323 8.1.7.1
    bench = ScriptedBench()
    bench.called({"fastStart": encode_channels([proposal(1, 5000)])})
    (session,) = bench.unit.terminal.sessions
    session.alert(bench.wire.now, fast_start=[proposal(1, 6000)])
    session.control.start({}, bench.wire.now)
    bench.settle()
    assert bench.far.controls() == []
