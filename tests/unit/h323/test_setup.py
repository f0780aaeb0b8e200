"""Setups that come in."""

from __future__ import annotations

import pytest
from h323_terminals import CAPABILITIES, CAPABILITY_SET, ScriptedBench, proposal

from firmware.asn1 import Value
from firmware.h323 import events, h225, h245, information_element, tpkt
from firmware.h323.cause import Cause
from firmware.h323.control import events as control
from firmware.h323.q931 import Element, Message
from firmware.h323.q931 import MessageType as M
from firmware.h323.user_information import encode_channels


def refused(bench: ScriptedBench, cause: Cause, reason: str) -> bool:
    message, contents = bench.far.messages()[-1]
    assert message.type == M.RELEASE_COMPLETE
    assert information_element.decode_cause(message.elements[Element.CAUSE]) == cause
    assert contents.reason == reason
    return True


def test_becomes_a_call_and_is_answered_at_once() -> None:
    bench = ScriptedBench()
    bench.called(
        {
            "sourceAddress": [("h323-ID", "far")],
            "conferenceID": b"c" * 16,
            "fastStart": encode_channels([proposal(1, 5000)]),
        },
        elements={Element.DISPLAY: b"Far\0"},
    )
    (incoming,) = bench.unit.of(events.Incoming)
    session = incoming.session
    assert incoming.fast_start == (proposal(1, 5000),)
    assert (session.conference_id, session.remote.display_name) == (b"c" * 16, "Far")
    assert session.remote.aliases == (("h323-ID", "far"),)
    assert bench.far.types() == ["CALL_PROCEEDING"]
    assert bench.unit.terminal.sizes["sessions"] == 1


def test_h245_in_setup_is_answered_in_call_proceeding() -> None:
    bench = ScriptedBench()
    bench.called(control=[CAPABILITY_SET])
    (answer,) = [contents for _, contents in bench.far.messages()]
    assert [h245.MESSAGE.decode(octets)[1][0] for octets in answer.control] == ["terminalCapabilitySetAck"]
    assert [type(event) for event in bench.unit.events] == [events.Incoming, events.Control]
    assert bench.unit.control(control.CapabilitiesReceived)


def test_h245_in_the_setup_waits_until_fast_connect_is_answered() -> None:
    # H.323 8.1.7.1; what the caller itself has begun is answered (H.323 8.2.4).
    bench = ScriptedBench()
    parallel = [h245.MESSAGE.encode(CAPABILITY_SET)]
    bench.called({"fastStart": encode_channels([proposal(1, 5000)]), "parallelH245Control": parallel})
    assert [name for _, (name, _) in bench.far.controls()] == ["terminalCapabilitySetAck"]


@pytest.mark.parametrize("goal", ["capability-negotiation", "callIndependentSupplementaryService"])
def test_what_is_no_call_is_refused(goal: str) -> None:
    bench = ScriptedBench()
    bench.called({"conferenceGoal": (goal, None)})
    assert refused(bench, Cause.NORMAL_UNSPECIFIED, "undefinedReason")
    bench.check_clean()


@pytest.mark.parametrize("goal", ["create", "join", "invite"])
def test_what_is_a_call(goal: str) -> None:
    bench = ScriptedBench()
    bench.called({"conferenceGoal": (goal, None)})
    assert bench.unit.of(events.Incoming)


def test_calls_of_one_host_that_wait_are_few() -> None:
    bench = ScriptedBench(max_waiting_per_host=2)
    for _ in range(2):
        bench.called()
    assert len(bench.unit.of(events.Incoming)) == 2
    bench.called()
    assert refused(bench, Cause.USER_BUSY, "inConf")
    assert len(bench.unit.of(events.Incoming)) == 2
    bench.unit.of(events.Incoming)[0].session.accept({}, bench.wire.now)
    bench.called()
    assert len(bench.unit.of(events.Incoming)) == 3


@pytest.mark.parametrize(
    ("octets", "cause"),
    [
        (Message(M.SETUP, 5, False, {}, b"\xff\xff").encode(), Cause.INVALID_ELEMENT_CONTENTS),
        (Message(M.SETUP, 5, False).encode(), Cause.MANDATORY_ELEMENT_MISSING),
        (Message(M.ALERTING, 5, False).encode(), Cause.INVALID_CALL_REFERENCE),
        (Message(M.FACILITY, 5, True).encode(), Cause.INVALID_CALL_REFERENCE),
    ],
)
def test_what_begins_no_call(octets: bytes, cause: Cause) -> None:
    bench = ScriptedBench()
    flow = bench.far.open(bench.far_address, bench.address)
    bench.far.send_octets(flow, tpkt.encode(octets))
    bench.settle()
    assert refused(bench, cause, "undefinedReason")
    assert bench.far.closed == [flow]
    bench.check_clean()


@pytest.mark.parametrize("octets", [b"rubbish", Message(M.RELEASE_COMPLETE, 5, False).encode()])
def test_what_gets_no_answer(octets: bytes) -> None:
    bench = ScriptedBench()
    flow = bench.far.open(bench.far_address, bench.address)
    bench.far.send_octets(flow, tpkt.encode(octets))
    bench.settle()
    assert bench.far.heard == []
    assert bench.far.closed == [flow]
    bench.check_clean()


def test_version_1_has_no_call_identifier_and_no_tunnel() -> None:
    bench = ScriptedBench()
    body: dict[str, Value] = {
        "protocolIdentifier": "0.0.8.2250.0.1",
        "sourceInfo": {"mc": False, "undefinedNode": False},
        "activeMC": False,
        "conferenceID": b"1" * 16,
        "conferenceGoal": ("create", None),
        "callType": ("pointToPoint", None),
    }
    octets = h225.USER_INFORMATION.encode({"h323-uu-pdu": {"h323-message-body": ("setup", body)}})
    flow = bench.far.open(bench.far_address, bench.address)
    bench.far.send_octets(flow, tpkt.encode(Message(M.SETUP, 5, False, {}, octets).encode()))
    bench.settle()
    (incoming,) = bench.unit.of(events.Incoming)
    assert incoming.session.call_identifier == b"1" * 16
    incoming.session.accept(CAPABILITIES, bench.wire.now)
    bench.settle()
    _, connect = bench.far.messages()[-1]
    assert (connect.name, connect.tunnelling) == ("connect", False)
    assert connect.h245_address
