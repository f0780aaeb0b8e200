"""Remote operations: each is answered once, in time or not at all, and what makes no sense is rejected."""

from __future__ import annotations

from collections import Counter

import pytest

from firmware.h323 import h450
from firmware.h323.h450 import Failure, Invoke, Reject, Result
from firmware.h323.h450_operation import (
    MAX_ASKED,
    MAX_EXPECTED,
    MAX_REJECTS,
    ClearCall,
    Done,
    Failed,
    Invoked,
    RemoteOperations,
)
from firmware.h323.h450_types import SUPPLEMENTARY_SERVICE

ENDPOINT = {"destinationAddress": [("dialledDigits", "42")]}
TRANSFER = {"callIdentity": "", "reroutingNumber": ENDPOINT}


@pytest.fixture
def operations() -> RemoteOperations:
    return RemoteOperations(Counter())


def said(operations: RemoteOperations) -> list[h450.Component]:
    return [component for octets in operations.take() for component in h450.decode(octets).components]


def unknown(interpretation: str) -> bytes:
    invoke = ("invoke", {"invokeId": 3, "opcode": ("local", 4000)})
    value = {"interpretationApdu": (interpretation, None), "serviceApdu": ("rosApdus", [invoke])}
    return SUPPLEMENTARY_SERVICE.encode(value)


def test_two_sides() -> None:
    ours, theirs = RemoteOperations(Counter()), RemoteOperations(Counter())
    item = ours.invoke("callTransferInitiate", TRANSFER, deadline=10.0)
    (invoked,) = theirs.receive([item])
    assert invoked == Invoked(1, "callTransferInitiate", TRANSFER)
    theirs.answer(1)
    assert theirs.waiting
    assert ours.receive(theirs.take()) == [Done("callTransferInitiate", None)]
    assert ours.timer() is None
    theirs.answer(1)
    theirs.fail(1, "notAvailable")
    assert not theirs.waiting


def test_failure() -> None:
    ours, theirs = RemoteOperations(Counter()), RemoteOperations(Counter())
    theirs.receive([ours.invoke("remoteHold", {})])
    theirs.fail(1, "invalidCallState")
    assert ours.receive(theirs.take()) == [Failed("remoteHold", "invalidCallState")]


def test_result_with_contents() -> None:
    ours, theirs = RemoteOperations(Counter()), RemoteOperations(Counter())
    theirs.receive([ours.invoke("callTransferIdentify", None)])
    theirs.answer(1, {"callIdentity": "12", "reroutingNumber": ENDPOINT})
    assert ours.receive(theirs.take()) == [
        Done("callTransferIdentify", {"callIdentity": "12", "reroutingNumber": ENDPOINT})
    ]


def test_no_answer(operations: RemoteOperations) -> None:
    operations.invoke("callTransferInitiate", TRANSFER, deadline=10.0)
    operations.invoke("callTransferIdentify", None, deadline=5.0)
    assert operations.timer() == 5.0
    assert operations.handle_timer(7.0) == [Failed("callTransferIdentify", "no answer")]
    assert operations.timer() == 10.0
    assert operations.handle_timer(9.9) == []


def test_rejected(operations: RemoteOperations) -> None:
    operations.invoke("remoteHold", {})
    assert operations.receive([h450.encode([Reject(1, ("invoke", 1))])]) == [Failed("remoteHold", "rejected")]
    assert operations.receive([h450.encode([Reject(1, ("invoke", 1))])]) == []
    assert not operations.waiting  # nothing answers a reject


@pytest.mark.parametrize(
    ("interpretation", "answers", "events"),
    [
        (h450.DISCARD, [], []),
        (h450.REJECT, [Reject(3, ("invoke", 1))], []),
        (h450.CLEAR, [Reject(3, ("invoke", 1))], [ClearCall()]),
    ],
)
def test_unknown_operation(
    operations: RemoteOperations, interpretation: str, answers: list[Reject], events: list[ClearCall]
) -> None:
    assert operations.receive([unknown(interpretation)]) == events
    assert said(operations) == answers


@pytest.mark.parametrize(
    ("component", "problem"), [(Result(9), ("returnResult", 0)), (Failure(9, "notAvailable"), ("returnError", 0))]
)
def test_answers_that_nobody_asked_for(
    operations: RemoteOperations, component: h450.Component, problem: tuple[str, int]
) -> None:
    assert operations.receive([h450.encode([component])]) == []
    assert said(operations) == [Reject(9, problem)]


def test_a_number_used_twice(operations: RemoteOperations) -> None:
    item = h450.encode([Invoke(5, "remoteHold", {})])
    assert len(operations.receive([item, item])) == 1
    assert said(operations) == [Reject(5, ("invoke", 0))]


def test_too_much_at_once(operations: RemoteOperations) -> None:
    items = [h450.encode([Invoke(n, "callTransferIdentify", None)]) for n in range(MAX_ASKED + 1)]
    assert len(operations.receive(items)) == MAX_ASKED
    assert said(operations) == [Reject(MAX_ASKED, ("invoke", 3))]


def test_an_argument_that_cannot_be_read(operations: RemoteOperations) -> None:
    broken = ("invoke", {"invokeId": 6, "opcode": ("local", 9), "argument": b"\xff"})
    assert operations.receive([SUPPLEMENTARY_SERVICE.encode({"serviceApdu": ("rosApdus", [broken])})]) == []
    assert Reject(6, ("invoke", 2)) in said(operations)


def test_rejects_end_some_day(operations: RemoteOperations) -> None:
    for _ in range(100):
        operations.receive([unknown(h450.REJECT)])
    assert len(said(operations)) == MAX_REJECTS


def test_memory_is_bounded(operations: RemoteOperations) -> None:
    for _ in range(0x1_0005):
        operations.invoke("holdNotific", {})
    assert len(operations._expected) == MAX_EXPECTED
    assert 0 not in operations._expected
    assert max(operations._expected) <= 0xFFFF


def test_octets_that_are_nothing(operations: RemoteOperations) -> None:
    assert operations.receive([b"", b"\xff" * 9, bytes(3000)]) == []
    assert not operations.waiting
