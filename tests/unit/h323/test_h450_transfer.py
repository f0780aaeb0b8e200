"""Call transfer between three terminals: A transfers B to C (H.450.2)."""

from __future__ import annotations

import pytest
from h450_bench import Zone

from firmware.h323 import events, h450, h450_transfer
from firmware.h323.cause import Cause
from firmware.h323.h450 import Failure, Invoke, Result
from firmware.h323.h450_event import Identified, TransferAnswered, TransferRequested
from firmware.h323.identity import Destination
from firmware.h323.session import Session
from firmware.sansio import Flow

C = ("192.0.2.3", 1720)


def follow(zone: Zone, request: TransferRequested) -> Session:
    """Let B call whom A wants it to call."""
    assert request.address is not None
    flow = Flow("tcp", zone["B"].address, request.address)
    session = zone["B"].terminal.call(
        flow,
        Destination(request.aliases),
        zone.wire.now,
        capabilities=request.session.h245.capabilities or {},
        transfer=request.identity,
    )
    zone.settle()
    return session


def ended(zone: Zone, name: str) -> list[Session]:
    return [event.session for event in zone[name].of(events.Ended)]


@pytest.mark.parametrize("b_calls_a", [False, True])
def test_without_consultation(b_calls_a: bool) -> None:
    zone = Zone("A", "B", "C")
    if b_calls_a:
        at_b, at_a = zone.call("B", "A")
    else:
        at_a, at_b = zone.call("A", "B")
    at_a.services.transfer.transfer((("h323-ID", "C"),), C, zone.wire.now)
    zone.settle()
    (request,) = zone["B"].of(TransferRequested)
    assert request == TransferRequested(at_b, "", (("h323-ID", "C"),), C)
    new = follow(zone, request)
    assert new.signaling.answered
    assert not at_a.ended
    at_b.services.transfer.answer()
    at_b.release(Cause.NORMAL_CALL_CLEARING, zone.wire.now)
    zone.settle()
    assert zone["A"].of(TransferAnswered) == [TransferAnswered(at_a, "")]
    assert ended(zone, "A") == [at_a]
    assert [(name, type(component)) for name, component in zone.services()] == [
        ("FACILITY", Invoke),
        ("SETUP", Invoke),
        ("ALERTING", Result),
        ("RELEASE_COMPLETE", Result),
    ]
    zone.check_clean()


def test_c_does_not_answer() -> None:
    zone = Zone("A", "B", "C", rings="C")
    at_a, at_b = zone.call("A", "B")
    at_a.services.transfer.transfer((), C, zone.wire.now)
    zone.settle()
    new = follow(zone, zone["B"].of(TransferRequested)[0])
    zone["C"].session.release(Cause.CALL_REJECTED, zone.wire.now)
    zone.settle()
    assert ended(zone, "B") == [new]
    at_b.services.transfer.answer("establishmentFailure")
    zone.settle()
    assert zone["A"].of(TransferAnswered) == [TransferAnswered(at_a, "establishmentFailure")]
    assert not at_a.ended
    assert not at_b.ended
    at_a.services.transfer.transfer((), C, zone.wire.now)  # and once more
    zone.settle()
    assert len(zone["B"].of(TransferRequested)) == 2
    zone.check_clean()


def test_b_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h450_transfer, "INITIATE_TIME", 10.0)
    zone = Zone("A", "B", "C")
    at_a, at_b = zone.call("A", "B")
    at_a.services.transfer.transfer((), C, zone.wire.now)
    zone.settle(11.0)
    assert zone["A"].of(TransferAnswered) == [TransferAnswered(at_a, "no answer")]
    at_b.services.transfer.answer()
    zone.settle()
    assert len(zone["A"].of(TransferAnswered)) == 1
    zone.check_clean()


def test_one_transfer_at_a_time() -> None:
    zone = Zone("A", "B", "C")
    at_a, _ = zone.call("A", "B")
    for _ in range(2):
        at_a.services.transfer.transfer((), C, zone.wire.now)
    zone.settle()
    assert len(zone["B"].of(TransferRequested)) == 1
    assert zone["A"].of(TransferAnswered) == [TransferAnswered(at_a, "invalidCallState")]


def test_not_before_the_call_is_answered() -> None:
    zone = Zone("A", "B", rings="B")
    at_a, _ = zone.call("A", "B")
    at_a.services.transfer.transfer((), C, zone.wire.now)
    zone.settle()
    assert zone["A"].of(TransferAnswered) == [TransferAnswered(at_a, "invalidCallState")]
    assert zone["B"].of(TransferRequested) == []
    zone.check_clean()


def consult(zone: Zone) -> tuple[Session, Session, TransferRequested]:
    """A talks to B and C, and wants B to talk to C; gives A's session with C, C's with A and what B hears."""
    at_a, _ = zone.call("A", "B")
    a_with_c, c_with_a = zone.call("A", "C")
    a_with_c.services.transfer.identify(zone.wire.now)
    zone.settle()
    (identified,) = zone["A"].of(Identified)
    assert identified.identity.isdigit()
    assert identified.address == C
    assert identified.error == ""
    at_a.services.transfer.transfer(identified.aliases, identified.address, zone.wire.now, identity=identified.identity)
    zone.settle()
    return a_with_c, c_with_a, zone["B"].of(TransferRequested)[0]


def test_with_consultation() -> None:
    zone = Zone("A", "B", "C")
    _, c_with_a, request = consult(zone)
    new = follow(zone, request)
    incoming = zone["C"].of(events.Incoming)[-1]
    assert incoming.session.services.transfer.replaces is c_with_a
    assert new.signaling.answered
    again = follow(zone, request)  # a number is good for one call
    assert again.ended
    assert zone.services()[-1] == ("RELEASE_COMPLETE", Failure(1, "unrecognizedCallIdentity"))
    assert len(zone["C"].of(events.Incoming)) == 2
    zone.check_clean()


def test_a_gives_up_its_consultation() -> None:
    zone = Zone("A", "B", "C")
    a_with_c, _, request = consult(zone)
    a_with_c.services.transfer.abandon()
    zone.settle()
    assert follow(zone, request).ended
    assert not a_with_c.ended
    zone.check_clean()


def test_a_number_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h450_transfer, "IDENTITY_TIME", 10.0)
    zone = Zone("A", "B", "C")
    _, c_with_a, request = consult(zone)
    zone.settle(10.0)
    assert not c_with_a.ended
    assert follow(zone, request).ended
    zone.check_clean()


def test_a_number_of_a_call_that_is_over() -> None:
    zone = Zone("A", "B", "C")
    _, c_with_a, request = consult(zone)
    c_with_a.release(Cause.NORMAL_CALL_CLEARING, zone.wire.now)
    zone.settle()
    assert follow(zone, request).ended
    zone.check_clean()


def test_c_gives_no_number() -> None:
    zone = Zone("A", "C", rings="C")
    at_a, _ = zone.call("A", "C")
    at_a.services.transfer.identify(zone.wire.now)
    zone.settle()
    assert zone["A"].of(Identified) == [Identified(at_a, "", (), None, "invalidCallState")]
    zone.wire.on_event.clear()
    at_a.services.transfer.identify(zone.wire.now)
    del zone.wire.cores[zone["C"].address]
    zone.settle(h450_transfer.IDENTIFY_TIME)
    assert zone["A"].of(Identified)[-1].error == "no answer"


def test_numbers_of_calls_differ() -> None:
    zone = Zone("A", "B", "C")
    for name in ("A", "B"):
        session, _ = zone.call(name, "C")
        session.services.transfer.identify(zone.wire.now)
        zone.settle()
    numbers = [zone[name].of(Identified)[0].identity for name in ("A", "B")]
    assert numbers[0] != numbers[1]


def test_setup_asked_for_in_the_middle_of_a_call() -> None:
    zone = Zone("A", "B")
    at_a, at_b = zone.call("A", "B")
    operations = at_a.services.operations
    operations.send(operations.invoke("callTransferSetup", {"callIdentity": "1"}))
    zone.settle()
    assert zone.services()[-1] == ("FACILITY", Failure(1, "invalidCallState"))
    assert not at_b.ended


def test_nobody_to_transfer_to() -> None:
    zone = Zone("A", "B")
    at_a, _ = zone.call("A", "B")
    operations = at_a.services.operations
    nowhere = {"destinationAddress": [("transportID", ("ipAddress", {"ip": bytes(4), "port": 1}))]}
    argument = {"callIdentity": "", "reroutingNumber": nowhere}
    operations.send(operations.invoke("callTransferInitiate", argument, unknown=h450.REJECT))
    zone.settle()
    assert zone["A"].of(TransferAnswered)[0].error == "invalidReroutingNumber"
