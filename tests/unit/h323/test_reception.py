"""Messages of call signalling, one type after the other."""

from __future__ import annotations

import pytest
from h323_terminals import CAPABILITY_SET, HOSTS, ScriptedBench, proposal

from firmware.asn1 import Value
from firmware.h323 import events, information_element, tpkt
from firmware.h323.address import encode_transport
from firmware.h323.call_signaling import T301, T303, T304, T310, CallState
from firmware.h323.cause import Cause
from firmware.h323.control import events as control
from firmware.h323.q931 import Element, Message
from firmware.h323.q931 import MessageType as M
from firmware.h323.streams import MAX_MALFORMED
from firmware.h323.user_information import encode_channels


@pytest.fixture
def bench() -> ScriptedBench:
    bench = ScriptedBench()
    bench.call()
    return bench


def state(bench: ScriptedBench) -> CallState:
    (session,) = bench.unit.terminal.sessions
    return session.signaling.state


def release_cause(bench: ScriptedBench) -> int | None:
    message, _ = bench.far.messages()[-1]
    assert message.type == M.RELEASE_COMPLETE
    return information_element.decode_cause(message.elements[Element.CAUSE])


# Towards Connect


def test_order_of_an_answered_call(bench: ScriptedBench) -> None:
    for message in (M.CALL_PROCEEDING, M.ALERTING, M.ALERTING, M.PROGRESS, M.CONNECT, M.CONNECT, M.PROGRESS):
        bench.say(message)
    assert [type(event) for event in bench.unit.events] == [events.Alerting, events.Alerting, events.Connected]


@pytest.mark.parametrize(
    ("said", "seconds", "detail"),
    [
        ((), T303, "T303 expired"),
        ((M.CALL_PROCEEDING,), T310, "T310 expired"),
        ((M.CALL_PROCEEDING, M.PROGRESS), T301, "T310 expired"),
        ((M.ALERTING,), T301, "T301 expired"),
        ((M.SETUP_ACKNOWLEDGE,), T304, "T304 expired"),
    ],
)
def test_silence_ends_the_call(bench: ScriptedBench, said: tuple[M, ...], seconds: float, detail: str) -> None:
    for message in said:
        bench.say(message)
    bench.settle(seconds - 1.5)
    assert bench.unit.of(events.Ended) == []
    bench.settle(2.0)
    assert (bench.unit.ended.detail, bench.unit.ended.by_far_end) == (detail, False)
    assert release_cause(bench) == bench.unit.ended.cause
    bench.check_clean()


def test_conference_may_be_another(bench: ScriptedBench) -> None:
    (session,) = bench.unit.terminal.sessions
    bench.say(M.CONNECT, {"conferenceID": b"C" * 16})
    assert session.conference_id == b"C" * 16


def test_party_of_several_messages(bench: ScriptedBench) -> None:
    (session,) = bench.unit.terminal.sessions
    bench.say(M.ALERTING, elements={Element.DISPLAY: b"bob\0"})
    number = information_element.encode_calling_number("300")
    bench.say(M.CONNECT, {"connectedAddress": [("h323-ID", "bob")]}, elements={Element.CONNECTED_NUMBER: number})
    bench.say(M.NOTIFY, {"connectedAddress": [("h323-ID", "carol")]}, elements={Element.DISPLAY: b"carol"})
    party = session.remote
    assert (party.aliases, party.display_name) == ((("h323-ID", "carol"),), "carol")
    assert (party.number, party.product) == ("300", "Scripted 1")


@pytest.mark.parametrize("message", [M.CALL_PROCEEDING, M.ALERTING, M.PROGRESS, M.CONNECT, M.FACILITY, M.INFORMATION])
def test_fast_start_in_any_message(message: M) -> None:
    bench = ScriptedBench()
    bench.call(fast_start=[proposal(1, 5000)])
    bench.say(message, {"fastStart": encode_channels([proposal(1, 6000)])})
    assert bench.unit.of(events.FastStart) == [
        events.FastStart(bench.unit.terminal.sessions[0], (proposal(1, 6000),)),
    ]
    bench.say(M.CONNECT)
    assert len(bench.unit.of(events.FastStart)) == 1


def test_message_without_an_answer_leaves_proposals_open() -> None:
    bench = ScriptedBench()
    bench.call(fast_start=[proposal(1, 5000)])
    for message in (M.CALL_PROCEEDING, M.ALERTING, M.PROGRESS, M.FACILITY, M.INFORMATION, M.NOTIFY):
        bench.say(message)
    assert bench.unit.of(events.FastStart) == []
    bench.say(M.CONNECT)
    assert [event.channels for event in bench.unit.of(events.FastStart)] == [()]


def test_fast_start_that_nobody_asked_for(bench: ScriptedBench) -> None:
    bench.say(M.CONNECT, {"fastStart": encode_channels([proposal(1, 6000)])})
    assert bench.unit.of(events.FastStart) == []


# H.245


@pytest.mark.parametrize("message", [M.CALL_PROCEEDING, M.ALERTING, M.PROGRESS, M.FACILITY])
def test_h245_before_connect_is_answered_and_begun(bench: ScriptedBench, message: M) -> None:
    bench.say(message, control=[CAPABILITY_SET])
    assert [name for _, (name, _) in bench.far.controls()] == [
        "terminalCapabilitySetAck",
        "terminalCapabilitySet",
        "masterSlaveDetermination",
    ]
    assert bench.unit.control(control.CapabilitiesReceived)


@pytest.mark.parametrize("message", [M.CALL_PROCEEDING, M.ALERTING, M.PROGRESS, M.CONNECT])
def test_h245_address_in_any_message(message: M) -> None:
    bench = ScriptedBench()
    bench.call(tunnelling=False)
    there = (HOSTS[1], 30_000)
    bench.say(message, {"h245Address": encode_transport(there)}, tunnelling=False)
    assert [flow.local for flow in bench.far.flows[1:]] == [there]
    assert len(bench.far.controls(bench.far.flows[1])) == 2
    bench.say(M.CONNECT, {"h245Address": encode_transport(there)}, tunnelling=False)
    assert len(bench.far.flows) == 2


def test_tunnel_comes_before_an_address(bench: ScriptedBench) -> None:
    bench.say(M.CONNECT, {"h245Address": encode_transport((HOSTS[1], 30_000))})
    assert len(bench.far.flows) == 1
    assert len(bench.far.controls()) == 2


def test_start_h245_takes_the_place_of_the_tunnel(bench: ScriptedBench) -> None:
    # H.323 8.2.3
    bench.say(M.CONNECT)
    tunnelled = len(bench.far.controls())
    there = encode_transport((HOSTS[1], 30_000))
    bench.say(M.FACILITY, {"reason": ("startH245", None), "h245Address": there})
    bench.say(M.FACILITY, control=[CAPABILITY_SET])
    assert len(bench.far.controls()) == tunnelled
    assert [name for _, (name, _) in bench.far.controls(bench.far.flows[1])] == ["terminalCapabilitySetAck"]
    assert bench.far.messages()[-1][1].tunnelling is True  # of the Facility before
    (session,) = bench.unit.terminal.sessions
    session.release(16, bench.wire.now)
    bench.settle()
    assert bench.far.messages()[-1][1].tunnelling is False


def test_start_h245_without_an_address_asks_for_ours() -> None:
    bench = ScriptedBench()
    bench.call(tunnelling=False)
    bench.say(M.ALERTING, tunnelling=False)
    bench.say(M.FACILITY, {"reason": ("startH245", None)}, tunnelling=False)
    _, contents = bench.far.messages()[-1]
    assert contents.reason == "startH245"
    assert contents.h245_address
    assert contents.h245_address[0] == HOSTS[0]


def test_connect_without_any_way_asks_the_far_end_to_connect() -> None:
    bench = ScriptedBench()
    bench.call(tunnelling=False)
    bench.say(M.CONNECT, tunnelling=False)
    _, contents = bench.far.messages()[-1]
    assert contents.reason == "startH245"
    assert contents.h245_address
    flow = bench.far.open(bench.far_address, contents.h245_address)
    bench.settle()
    assert len(bench.far.controls(flow)) == 2


def test_setup_with_h245_that_was_not_heard_is_said_again() -> None:
    # H.323 8.2.4
    bench = ScriptedBench()
    bench.call(h245_in_setup=True, fast_start=[proposal(1, 5000)])
    assert len(bench.far.controls()) == 2
    bench.say(M.CONNECT, {"fastStart": encode_channels([proposal(1, 6000)])})
    assert len(bench.far.controls()) == 4


# Facility and others


@pytest.mark.parametrize("reason", ["callForwarded", "routeCallToGatekeeper", "routeCallToMC"])
def test_forwarded(bench: ScriptedBench, reason: str) -> None:
    body: dict[str, Value] = {
        "reason": (reason, None),
        "alternativeAddress": encode_transport(("192.0.2.9", 1720)),
        "alternativeAliasAddress": [("dialledDigits", "9")],
    }
    bench.say(M.FACILITY, body)
    (forwarded,) = bench.unit.of(events.Forwarded)
    assert (forwarded.address, forwarded.aliases) == (("192.0.2.9", 1720), (("dialledDigits", "9"),))
    assert (bench.unit.ended.reason, bench.unit.ended.by_far_end) == ("facilityCallDeflection", True)
    assert bench.far.types()[-1] == "RELEASE_COMPLETE"
    bench.check_clean()


def test_forwarded_nowhere(bench: ScriptedBench) -> None:
    bench.say(M.FACILITY, {"reason": ("callForwarded", None)})
    assert bench.unit.of(events.Forwarded) == []
    assert bench.unit.ended


@pytest.mark.parametrize("reason", ["callForwarded", "undefinedReason", "noH245", "newTokens", "featureSetUpdate"])
def test_facility_in_a_call_ends_nothing(bench: ScriptedBench, reason: str) -> None:
    bench.say(M.CONNECT)
    there = encode_transport(("192.0.2.9", 1720))
    bench.say(M.FACILITY, {"reason": (reason, None), "alternativeAddress": there})
    assert state(bench) is CallState.ACTIVE


def test_status_inquiry(bench: ScriptedBench) -> None:
    bench.say(M.ALERTING)
    bench.say(M.STATUS_INQUIRY)
    message, _ = bench.far.messages()[-1]
    assert message.type == M.STATUS
    assert information_element.decode_call_state(message.elements[Element.CALL_STATE]) == CallState.CALL_DELIVERED
    assert information_element.decode_cause(message.elements[Element.CAUSE]) == Cause.RESPONSE_TO_STATUS_ENQUIRY


def test_status_of_no_call_ends_ours(bench: ScriptedBench) -> None:
    bench.say(M.STATUS, elements={Element.CALL_STATE: b"\x0a", Element.CAUSE: b"\x80\xe1"})
    assert state(bench) is CallState.CALL_INITIATED
    bench.say(M.STATUS, elements={Element.CALL_STATE: b"\x00", Element.CAUSE: b"\x80\x9e"})
    assert bench.unit.ended.by_far_end
    bench.check_clean()


def test_digits_in_keypad(bench: ScriptedBench) -> None:
    bench.say(M.CONNECT)
    bench.say(M.INFORMATION, elements={Element.KEYPAD_FACILITY: b"1,#"})
    assert [event.digit for event in bench.unit.of(events.Digit)] == ["1", "#"]


def test_overlap_sending() -> None:
    bench = ScriptedBench()
    session = bench.call(overlap=True)
    assert bench.far.messages()[0][1].body["canOverlapSend"] is True
    bench.say(M.SETUP_ACKNOWLEDGE)
    session.send_digits("12", bench.wire.now)
    bench.settle()
    message, _ = bench.far.messages()[-1]
    assert message.type == M.INFORMATION
    assert information_element.decode_number(message.elements[Element.CALLED_PARTY_NUMBER]) == "12"
    bench.say(M.CONNECT)
    assert bench.unit.of(events.Connected)


# Ends


@pytest.mark.parametrize(
    ("reason", "element", "cause"),
    [
        ("inConf", None, Cause.USER_BUSY),
        ("inConf", b"\x80\x95", Cause.CALL_REJECTED),
        ("calledPartyNotRegistered", None, Cause.SUBSCRIBER_ABSENT),
        (None, b"\x80\x9f", Cause.NORMAL_UNSPECIFIED),
        (None, None, None),
    ],
)
def test_release_complete(bench: ScriptedBench, reason: str | None, element: bytes | None, cause: int | None) -> None:
    body: dict[str, Value] = {"reason": (reason, None)} if reason else {}
    bench.say(M.RELEASE_COMPLETE, body, elements={Element.CAUSE: element} if element else {})
    ended = bench.unit.ended
    assert (ended.cause, ended.reason, ended.by_far_end) == (cause, reason or "", True)
    assert bench.far.types() == ["SETUP"]
    bench.check_clean()


def test_release_complete_that_can_not_be_read_ends_all_the_same(bench: ScriptedBench) -> None:
    octets = Message(M.RELEASE_COMPLETE, bench.far.call_reference, True, {}, b"\xff\xff\xff").encode()
    bench.far.send_octets(bench.far.flows[0], tpkt.encode(octets))
    bench.settle()
    assert bench.unit.ended.by_far_end


@pytest.mark.parametrize("message", [M.DISCONNECT, M.RELEASE])
def test_what_gateways_let_through(bench: ScriptedBench, message: M) -> None:
    octets = Message(message, bench.far.call_reference, True, {Element.CAUSE: b"\x80\x91"}).encode()
    bench.far.send_octets(bench.far.flows[0], tpkt.encode(octets))
    bench.settle()
    assert (bench.unit.ended.cause, bench.unit.ended.by_far_end) == (Cause.USER_BUSY, True)
    assert bench.far.types()[-1] == "RELEASE_COMPLETE"


# What makes no sense


def test_unknown_message_is_answered(bench: ScriptedBench) -> None:
    for message_type in (0x7F, 0x30):
        octets = Message(message_type, bench.far.call_reference, True).encode()
        bench.far.send_octets(bench.far.flows[0], tpkt.encode(octets))
    bench.settle()
    assert bench.far.types()[1:] == ["STATUS", "STATUS"]
    message, _ = bench.far.messages()[-1]
    assert information_element.decode_cause(message.elements[Element.CAUSE]) == Cause.MESSAGE_TYPE_NOT_IMPLEMENTED


@pytest.mark.parametrize(
    ("message_type", "reference", "answered"),
    [
        (M.SETUP, 99, ["RELEASE_COMPLETE"]),
        (M.ALERTING, 99, ["RELEASE_COMPLETE"]),
        (M.RELEASE_COMPLETE, 99, []),
        (M.STATUS_INQUIRY, 0, []),
        (M.SETUP, None, []),
        (M.CONNECT_ACKNOWLEDGE, None, []),
    ],
)
def test_messages_of_other_calls(
    bench: ScriptedBench, message_type: M, reference: int | None, answered: list[str]
) -> None:
    octets = Message(message_type, bench.far.call_reference if reference is None else reference, True).encode()
    bench.far.send_octets(bench.far.flows[0], tpkt.encode(octets))
    bench.settle()
    assert bench.far.types()[1:] == answered
    assert state(bench) is CallState.CALL_INITIATED


def test_answers_to_a_called_side_mean_nothing() -> None:
    bench = ScriptedBench()
    bench.called()
    for message in (M.CONNECT, M.ALERTING, M.CALL_PROCEEDING):
        bench.say(message)
    assert [type(event) for event in bench.unit.events] == [events.Incoming]
    assert state(bench) is CallState.INCOMING_PROCEEDING


def test_a_few_malformed_messages_are_passed_over_many_are_not(bench: ScriptedBench) -> None:
    flow = bench.far.flows[0]
    for _ in range(MAX_MALFORMED - 1):
        bench.far.send_octets(flow, tpkt.encode(b"\x08\x02\x00\x01\x07\x28\xff"))
    bench.settle()
    assert state(bench) is CallState.CALL_INITIATED
    bench.far.send_octets(flow, tpkt.encode(b"rubbish"))
    bench.settle()
    assert bench.unit.ended.cause == Cause.PROTOCOL_ERROR
    assert bench.unit.terminal.counters["malformed message"] == MAX_MALFORMED
