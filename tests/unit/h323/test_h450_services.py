"""Hold and call waiting by service between two terminals (H.450.4, H.450.6), and what is unknown (H.450.1)."""

from __future__ import annotations

import pytest
from h323_terminals import ScriptedBench
from h450_bench import Zone

from firmware.asn1 import Value
from firmware.h323 import events, h450
from firmware.h323.h450 import Invoke, Reject, Result
from firmware.h323.h450_event import Held, Waiting
from firmware.h323.h450_types import SUPPLEMENTARY_SERVICE
from firmware.h323.q931 import MessageType as M


def test_near_end_hold() -> None:
    zone = Zone("A", "B")
    at_a, at_b = zone.call("A", "B")
    for on in (True, True, False):
        at_a.services.hold(on)
        zone.settle()
    assert zone["B"].of(Held) == [Held(at_b, True), Held(at_b, False)]
    assert [component.operation for _, component in zone.services() if isinstance(component, Invoke)] == [
        *("holdNotific", "holdNotific", "retrieveNotific")
    ]
    assert not any(isinstance(component, Result) for _, component in zone.services())
    zone.check_clean()


def test_remote_end_hold_is_answered() -> None:
    zone = Zone("A", "B")
    at_a, at_b = zone.call("A", "B")
    operations = at_a.services.operations
    for operation in ("remoteHold", "remoteRetrieve"):
        operations.send(operations.invoke(operation, {}))
        zone.settle()
    assert zone["B"].of(Held) == [Held(at_b, True), Held(at_b, False)]
    assert [c for _, c in zone.services() if isinstance(c, Result)] == [
        Result(1, "remoteHold", {}),
        Result(2, "remoteRetrieve", {}),
    ]


def test_hold_before_the_call_is_answered() -> None:
    zone = Zone("A", "B", rings="B")
    at_a, _ = zone.call("A", "B")
    at_a.services.hold(True)
    operations = at_a.services.operations
    operations.send(operations.invoke("remoteHold", {}))
    zone.settle()
    assert zone["B"].of(Held) == []
    assert zone.services()[-1] == ("FACILITY", h450.Failure(2, "invalidCallState"))


def test_call_waiting_comes_with_alerting() -> None:
    zone = Zone("A", "B", rings="B")
    zone.wire.on_event.clear()
    at_a, at_b = zone.call("A", "B")
    at_b.alert(zone.wire.now, waiting=True)
    zone.settle()
    assert zone["A"].of(Waiting) == [Waiting(at_a)]
    assert [name for name, _ in zone.services()] == ["ALERTING"]
    zone.check_clean()


def test_call_waiting_makes_no_sense_later() -> None:
    zone = Zone("A", "B")
    at_a, at_b = zone.call("A", "B")
    for session in (at_a, at_b):
        session.services.operations.send(session.services.operations.invoke("callWaiting", {}))
    zone.settle()
    assert zone["A"].of(Waiting) == zone["B"].of(Waiting) == []


def test_items_are_not_kept_for_a_call_that_has_ended() -> None:
    zone = Zone("A", "B")
    at_a, _ = zone.call("A", "B")
    at_a.release(16, zone.wire.now)
    at_a.services.hold(True)
    zone.settle()
    assert zone.services() == []
    zone.check_clean()


def unknown(interpretation: str) -> bytes:
    invoke = ("invoke", {"invokeId": 3, "opcode": ("local", 4000)})
    value = {"interpretationApdu": (interpretation, None), "serviceApdu": ("rosApdus", [invoke])}
    return SUPPLEMENTARY_SERVICE.encode(value)


@pytest.mark.parametrize(
    ("interpretation", "answer", "clears"),
    [(h450.DISCARD, None, False), (h450.REJECT, "FACILITY", False), (h450.CLEAR, "RELEASE_COMPLETE", True)],
)
def test_unknown_services(interpretation: str, answer: str | None, clears: bool) -> None:
    zone = Zone("A", "B")
    at_a, at_b = zone.call("A", "B")
    at_a.services.operations.send(unknown(interpretation))
    zone.settle()
    assert at_b.ended is clears
    answers = [(name, component) for name, component in zone.services() if isinstance(component, Reject)]
    assert answers == ([(answer, Reject(3, ("invoke", 1)))] if answer else [])
    zone.check_clean()


def test_unknown_services_in_setup_can_forbid_the_call() -> None:
    zone = Zone("A", "B")
    session, _ = zone.call("A", "B")
    session.services.transfer.setup = lambda identity: unknown(h450.CLEAR)  # type: ignore[method-assign]
    before = len(zone["B"].of(events.Incoming))
    transfer = type(session.services.transfer)
    original = transfer.setup
    transfer.setup = lambda self, identity: unknown(h450.CLEAR)  # type: ignore[method-assign]
    try:
        zone.call("A", "B", transfer="")
    finally:
        transfer.setup = original  # type: ignore[method-assign]
    assert len(zone["B"].of(events.Incoming)) == before
    assert len(zone["B"].terminal.sessions) == 1
    zone.check_clean()


def test_services_in_every_message() -> None:
    """A far end may say it anywhere; what can't be read changes nothing."""
    bench = ScriptedBench()
    bench.call()
    hold = h450.encode([Invoke(1, "holdNotific", {})], h450.DISCARD)
    items: list[Value] = [b"", b"\xff" * 30, hold]
    for message in (
        M.CALL_PROCEEDING,
        M.PROGRESS,
        M.ALERTING,
        M.CONNECT,
        M.INFORMATION,
        M.NOTIFY,
        M.STATUS,
        M.FACILITY,
    ):
        bench.say(message, services=items)
    assert bench.unit.of(Held) == [Held(bench.unit.session, True)]
    assert bench.unit.terminal.counters["malformed supplementary service"] == 16
    bench.say(M.RELEASE_COMPLETE, services=items)
    bench.check_clean()
