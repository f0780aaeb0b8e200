"""Far ends that lie about transfers, hold and waiting, or stall in the midst of them (H.450.1, .2, .4, .6)."""

from __future__ import annotations

import random

import pytest
from h323_mutation import change_octets
from h323_terminals import CAPABILITIES, ScriptedBench
from h450_bench import Zone

from firmware.asn1 import Value
from firmware.h323 import events, h450, h450_operation, h450_transfer
from firmware.h323.h450 import Component, Failure, Invoke, Reject, Result
from firmware.h323.h450_address import encode_endpoint
from firmware.h323.h450_event import Held, Identified, TransferAnswered, TransferRequested, Waiting
from firmware.h323.identity import Destination
from firmware.h323.q931 import MessageType as M
from firmware.h323.session import Session
from firmware.sansio import Flow

ELSEWHERE = ("192.0.2.77", 1720)
C = ("192.0.2.3", 1720)


def initiate(invoke_id: int = 1, identity: str = "") -> Invoke:
    argument = {"callIdentity": identity, "reroutingNumber": encode_endpoint((), ELSEWHERE)}
    return Invoke(invoke_id, "callTransferInitiate", argument)


class Line:
    """A call of ours that a scripted far end has answered."""

    def __init__(self) -> None:
        self.bench = ScriptedBench()
        self.session = self.bench.call()
        (self.flow,) = self.bench.far.flows
        self.bench.far.send(self.flow, M.CONNECT)
        self.bench.settle()
        assert self.session.signaling.answered

    def says(self, *components: Component, unknown: str = h450.REJECT) -> None:
        self.bench.far.send(self.flow, M.FACILITY, services=[h450.encode(components, unknown)])
        self.bench.settle(0.05)

    def heard(self) -> list[Component]:
        return [
            component
            for _, contents in self.bench.far.messages()
            for octets in contents.services
            for component in h450.decode(octets).components
        ]

    def of(self, kind: type[object]) -> list[object]:
        return self.bench.unit.of(kind)


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.mark.parametrize(
    ("component", "problem"),
    [
        (Result(4711), ("returnResult", 0)),
        (Failure(4711, "unspecified"), ("returnError", 0)),
        (Result(4711, "remoteHold", {}), ("returnResult", 0)),
    ],
)
def test_answers_to_what_nobody_asked_for_are_rejected(
    line: Line, component: Component, problem: tuple[str, int]
) -> None:
    line.says(component)
    assert line.heard() == [Reject(4711, problem)]
    assert line.of(TransferAnswered) == []


def test_nothing_answers_a_reject(line: Line) -> None:
    for _ in range(10):
        line.says(Reject(4711, ("general", 0)))
    assert line.heard() == []


def test_one_transfer_is_under_way_whatever_is_asked_for(line: Line) -> None:
    for number in range(1, 100):
        line.says(initiate(number))
    assert len(line.of(TransferRequested)) == 1
    assert len(line.heard()) == 98
    assert {type(component) for component in line.heard()} == {Failure}
    line.session.services.transfer.answer("establishmentFailure")
    line.bench.settle()
    assert line.heard()[-1] == Failure(1, "establishmentFailure")


def test_an_invocation_that_is_there_already(line: Line) -> None:
    line.says(initiate(), initiate())
    assert line.heard() == [Reject(1, h450_operation.DUPLICATE_INVOCATION)]
    assert len(line.of(TransferRequested)) == 1


def test_more_rejects_than_a_call_is_worth(line: Line) -> None:
    for _ in range(20):
        line.says(*(Result(number) for number in range(8)))
    assert len(line.heard()) == h450_operation.MAX_REJECTS
    assert not line.session.ended


@pytest.mark.parametrize(("unknown", "ends"), [(h450.DISCARD, False), (h450.REJECT, False), (h450.CLEAR, True)])
def test_an_operation_that_nobody_knows(line: Line, unknown: str, ends: bool) -> None:
    known = h450.encode([Invoke(1, "callWaiting", None)], unknown)
    code = known.rindex(bytes([105]))
    line.bench.far.send(line.flow, M.FACILITY, services=[known[:code] + bytes([99]) + known[code + 1 :]])
    line.bench.settle()
    assert line.session.ended is ends
    assert line.heard() == ([] if unknown == h450.DISCARD else [Reject(1, h450.UNRECOGNIZED_OPERATION)])


@pytest.mark.parametrize("said", [Result(1), Failure(1, "unspecified")], ids=["done", "not done"])
def test_the_last_word_on_a_transfer_is_in_the_release_complete(line: Line, said: Component) -> None:
    line.session.services.transfer.transfer((), ELSEWHERE, line.bench.wire.now)
    line.bench.settle()
    line.bench.far.send(line.flow, M.RELEASE_COMPLETE, services=[h450.encode([said])])
    line.bench.settle()
    error = "" if said == Result(1) else "unspecified"
    assert line.of(TransferAnswered) == [TransferAnswered(line.session, error)]
    assert [type(event) for event in line.bench.unit.events][-2:] == [TransferAnswered, events.Ended]


def test_a_result_that_comes_after_its_time(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h450_transfer, "INITIATE_TIME", 5.0)
    line.session.services.transfer.transfer((), ELSEWHERE, line.bench.wire.now)
    line.bench.settle(6.0)
    line.says(Result(1))
    assert line.of(TransferAnswered) == [TransferAnswered(line.session, "no answer")]
    assert line.heard()[-1] == Reject(1, h450_operation.UNKNOWN_RESULT)


@pytest.mark.parametrize(
    "result",
    [
        Result(1),
        Result(1, "remoteHold", {}),
        Result(1, "callTransferIdentify", {"callIdentity": "", "reroutingNumber": {"destinationAddress": []}}),
    ],
)
def test_a_call_identity_that_names_nobody(line: Line, result: Result) -> None:
    line.session.services.transfer.identify(line.bench.wire.now)
    line.bench.settle()
    line.says(result)
    (identified,) = line.bench.unit.of(Identified)
    assert identified.address is None
    assert not identified.aliases
    assert identified.error or not identified.identity


def test_holding_again_and_again_is_said_once(line: Line) -> None:
    for number in range(1, 50):
        line.says(Invoke(number, "remoteHold", {}))
    assert line.of(Held) == [Held(line.session, True)]
    for number in range(50, 60):
        line.says(Invoke(number, "remoteRetrieve", {}))
    assert line.of(Held) == [Held(line.session, True), Held(line.session, False)]
    assert {type(component) for component in line.heard()} == {Result}


def test_waiting_is_no_news_in_a_call_that_is_answered(line: Line) -> None:
    line.says(Invoke(1, "callWaiting", {}))
    assert line.of(Waiting) == []


@pytest.mark.parametrize("seed", range(4))
def test_damaged_services(seed: int) -> None:
    rng = random.Random(seed)
    known: list[Value] = [
        [initiate()],
        [initiate(2, "1234"), Invoke(3, "callTransferIdentify", None)],
        [Result(1, "callTransferIdentify", {"callIdentity": "1", "reroutingNumber": encode_endpoint((), C)})],
        [Failure(1, "callFailure"), Reject(1, ("invoke", 1))],
        [Invoke(4, "remoteHold", {}), Invoke(5, "remoteRetrieve", {}), Invoke(6, "callTransferAbandon", None)],
    ]
    for _ in range(8):
        line = Line()
        for _ in range(60):
            octets = change_octets(h450.encode(rng.choice(known), rng.choice((h450.DISCARD, h450.REJECT))), rng)
            if line.bench.far.flows:
                line.bench.far.send(line.flow, rng.choice((M.FACILITY, M.NOTIFY, M.ALERTING)), services=[octets])
            line.bench.settle(0.05)
            if rng.random() < 0.1:
                line.session.services.transfer.identify(line.bench.wire.now)
            if rng.random() < 0.1:
                line.session.services.transfer.answer("unspecified")
        line.session.release(16, line.bench.wire.now)
        line.bench.settle(200)
        line.bench.check_clean()


# Who guesses at the number of a call


def knock(zone: Zone, identity: str) -> Session:
    """Let B call C as if it was transferred there under this number."""
    flow = Flow("tcp", zone["B"].address, C)
    session = zone["B"].terminal.call(flow, Destination(), zone.wire.now, capabilities=CAPABILITIES, transfer=identity)
    zone.settle()
    return session


@pytest.mark.parametrize(("guesses", "comes_in"), [(0, True), (2, True), (3, False)])
def test_who_guesses_gets_nowhere(guesses: int, comes_in: bool) -> None:
    zone = Zone("A", "B", "C")
    at_a, c_with_a = zone.call("A", "C")
    at_a.services.transfer.identify(zone.wire.now)
    zone.settle()
    (identified,) = zone["A"].of(Identified)
    wrong = [str(number) for number in range(1, 10) if str(number) != identified.identity]
    for number in wrong[:guesses]:
        assert knock(zone, number).ended
    session = knock(zone, identified.identity)
    assert session.ended is not comes_in
    replaced = [event.session.services.transfer.replaces for event in zone["C"].of(events.Incoming)]
    assert (c_with_a in replaced) is comes_in
    at_a.services.transfer.identify(zone.wire.now)  # A may ask for another number
    zone.settle()
    assert not knock(zone, zone["A"].of(Identified)[-1].identity).ended
    zone.check_clean()
