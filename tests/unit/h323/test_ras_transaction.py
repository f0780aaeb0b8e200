from __future__ import annotations

import random

import pytest
from ras_zone import FIRST, OURS, STRANGER

from firmware.h323.h225 import RAS_MESSAGE
from firmware.h323.identity import Identity
from firmware.h323.ras_message import Body
from firmware.h323.ras_reason import NO_ANSWER
from firmware.h323.ras_settings import Settings
from firmware.h323.ras_transaction import LONGEST, MAX_OPEN, Answer, Transactions, is_answer
from firmware.h323.ras_transport import Received, Transport
from firmware.sansio import Flow, Send

GATEKEEPER = Flow("udp", OURS, FIRST)
BODY: Body = {"callSignalAddress": []}


class Bench:
    """Transactions alone; answers are values."""

    def __init__(self) -> None:
        self.transport = Transport(Settings(Identity(()), OURS, OURS), random.Random(1), 0.0)
        self.transactions = Transactions(self.transport, random.Random(1))
        self.answers: list[tuple[float, Answer]] = []

    def request(self, name: str = "unregistrationRequest", now: float = 0.0, *, multicast: bool = False) -> int:
        return self.transactions.request(
            name, dict(BODY), GATEKEEPER, now, lambda answer, at: self.answers.append((at, answer)), multicast=multicast
        )

    def receive(
        self, name: str, number: int, now: float = 0.1, flow: Flow = GATEKEEPER, trusted: bool = True, **body: object
    ) -> bool:
        received = Received(name, {"requestSeqNum": number, **body}, flow, trusted)
        return self.transactions.receive(received, now)

    def sent(self) -> list[int]:
        """Give the numbers of the requests sent."""
        return [
            RAS_MESSAGE.decode(action.data)[1]["requestSeqNum"]
            for action in self.transport.actions()
            if isinstance(action, Send)
        ]

    def run(self, until: float) -> list[float]:
        """Let time pass; give when something was sent."""
        times = []
        while (at := self.transactions.timer()) is not None and at <= until:
            self.transactions.handle_timer(at)
            times += [at] * len(self.sent())
        return times


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_request_is_repeated_then_given_up(bench: Bench) -> None:
    number = bench.request()
    assert bench.sent() == [number]
    assert bench.run(100) == [3.0]
    [(at, answer)] = bench.answers
    assert (at, answer.confirmed, answer.reason, answer.body) == (6.0, False, NO_ANSWER, {})
    assert bench.transactions.timer() is None
    assert len(bench.transactions) == 0


def test_a_repetition_has_the_same_number(bench: Bench) -> None:
    number = bench.request()
    bench.sent()
    bench.transactions.handle_timer(3.0)
    assert bench.sent() == [number]


def test_a_confirm_ends_it_once(bench: Bench) -> None:
    number = bench.request()
    assert bench.receive("unregistrationConfirm", number)
    assert not bench.receive("unregistrationConfirm", number)
    [(_, answer)] = bench.answers
    assert answer == Answer(confirmed=True, reason="", body={"requestSeqNum": number}, flow=GATEKEEPER)


def test_a_reject_gives_its_reason(bench: Bench) -> None:
    number = bench.request()
    assert bench.receive("unregistrationReject", number, rejectReason=("callInProgress", None))
    assert [answer.reason for _, answer in bench.answers] == ["callInProgress"]


def test_a_message_that_is_not_understood_is_a_reject(bench: Bench) -> None:
    assert bench.receive("unknownMessageResponse", bench.request())
    assert [answer.reason for _, answer in bench.answers] == ["unknownMessageResponse"]


@pytest.mark.parametrize(
    ("name", "change", "flow"),
    [
        ("unregistrationConfirm", 1, GATEKEEPER),
        ("unregistrationConfirm", 0, Flow("udp", OURS, STRANGER)),
        ("unregistrationConfirm", 0, Flow("udp", OURS, (FIRST[0], 1720))),
        ("registrationConfirm", 0, GATEKEEPER),
        ("disengageReject", 0, GATEKEEPER),
        ("requestInProgress", 1, GATEKEEPER),
    ],
)
def test_what_is_no_answer_to_it_leaves_it_open(bench: Bench, name: str, change: int, flow: Flow) -> None:
    number = bench.request()
    assert not bench.receive(name, number + change, flow=flow)
    assert bench.answers == []
    assert len(bench.transactions) == 1


def test_what_is_asked_of_all_may_be_answered_by_anybody(bench: Bench) -> None:
    number = bench.request("unregistrationRequest", multicast=True)
    flow = Flow("udp", OURS, STRANGER)
    assert bench.transactions.expects(flow)
    assert bench.receive("unregistrationReject", number, flow=flow, rejectReason=("undefinedReason", None))
    assert bench.answers == [], "another one may confirm"
    assert bench.receive("unregistrationConfirm", number, flow=flow)
    assert [answer.flow for _, answer in bench.answers] == [flow]


def test_a_reject_that_may_be_forged_is_believed_only_if_nothing_better_comes(bench: Bench) -> None:
    number = bench.request()
    assert bench.receive("unregistrationReject", number, trusted=False, rejectReason=("callInProgress", None))
    assert bench.receive("unregistrationConfirm", number)
    assert [answer.confirmed for _, answer in bench.answers] == [True]

    number = bench.request(now=10.0)
    bench.receive("unregistrationReject", number, 10.1, trusted=False, rejectReason=("permissionDenied", None))
    bench.run(100)
    at, answer = bench.answers[1]
    assert (at, answer.reason) == (16.0, "permissionDenied")


def test_a_forged_confirm_is_nothing(bench: Bench) -> None:
    number = bench.request()
    assert bench.receive("unregistrationConfirm", number, trusted=False)
    bench.run(100)
    assert [answer.reason for _, answer in bench.answers] == [NO_ANSWER]


def test_request_in_progress_buys_the_time_it_names_and_the_repetitions_again(bench: Bench) -> None:
    number = bench.request()
    bench.sent()
    assert bench.run(4) == [3.0]
    assert bench.receive("requestInProgress", number, 4.0, delay=20_000)
    assert bench.run(100) == [24.0]
    assert [(at, answer.reason) for at, answer in bench.answers] == [(27.0, NO_ANSWER)]


def test_request_in_progress_has_an_end(bench: Bench) -> None:
    number = bench.request()
    now = 0.0
    while not bench.answers:
        bench.receive("requestInProgress", number, now, delay=65_536)
        timer = bench.transactions.timer()
        assert timer is not None
        now = timer
        bench.transactions.handle_timer(now)
    assert now == LONGEST


def test_an_unreachable_gatekeeper_is_not_waited_for_at_the_end(bench: Bench) -> None:
    bench.request()
    bench.transactions.unreachable(GATEKEEPER, 0.1)
    assert bench.answers == [], "it may be starting just now"
    bench.run(3)
    bench.transactions.unreachable(Flow("udp", OURS, STRANGER), 3.1)
    assert bench.answers == []
    bench.transactions.unreachable(GATEKEEPER, 3.1)
    assert [(at, answer.reason) for at, answer in bench.answers] == [(3.1, NO_ANSWER)]


def test_numbers_go_round_and_pass_over_those_in_use() -> None:
    bench = Bench()
    number = bench.request()
    seen = [bench.transactions.next_number() for _ in range(0xFFFE)]
    assert sorted([*seen, number]) == list(range(1, 0x10000))
    assert bench.transactions.next_number() != number


def test_a_forgotten_request_reports_nothing(bench: Bench) -> None:
    number = bench.request()
    bench.transactions.forget(number)
    bench.transactions.forget(number)
    assert not bench.receive("unregistrationConfirm", number)
    assert bench.run(100) == []
    assert bench.answers == []


def test_too_many_requests_cost_the_oldest(bench: Bench) -> None:
    for _ in range(MAX_OPEN + 1):
        bench.request()
    assert len(bench.transactions) == MAX_OPEN
    assert len(bench.answers) == 1


def test_one_answer_may_forget_another_request_that_is_due_with_it() -> None:
    transport = Transport(Settings(Identity(()), OURS, OURS), random.Random(1), 0.0)
    transactions = Transactions(transport, random.Random(1))
    numbers: list[int] = []
    heard: list[Answer] = []

    def done(answer: Answer, now: float) -> None:
        heard.append(answer)
        for number in numbers:
            transactions.forget(number)

    numbers += [transactions.request("unregistrationRequest", dict(BODY), GATEKEEPER, 0.0, done) for _ in range(3)]
    for at in (3.0, 6.0):
        transactions.handle_timer(at)
    assert len(heard) == 1


def test_answers_are_known_by_name() -> None:
    assert is_answer("admissionConfirm")
    assert not is_answer("admissionRequest")
    assert not is_answer("+9")


def test_by_a_connection_a_request_is_sent_once_and_has_as_long() -> None:
    flow = Flow("tcp", OURS, FIRST)
    settings = Settings(Identity(()), OURS, OURS, gatekeeper=FIRST, transport="tcp")
    transport = Transport(settings, random.Random(1), 0.0)
    transactions = Transactions(transport, random.Random(1))
    heard: list[tuple[float, Answer]] = []
    transactions.request("unregistrationRequest", dict(BODY), flow, 0.0, lambda answer, at: heard.append((at, answer)))
    assert len(transport.actions()) == 1
    assert transactions.timer() == 6.0
    transactions.handle_timer(6.0)
    assert transport.actions() == []
    [(at, answer)] = heard
    assert (at, answer.reason) == (6.0, NO_ANSWER)


def test_what_a_connection_carried_fails_with_it() -> None:
    bench = Bench()
    numbers = [bench.request(), bench.request()]
    bench.transactions.forget(numbers[0])
    other = Flow("udp", OURS, ("192.0.2.77", 1719))
    assert bench.transactions.sent_by(other) == []
    assert bench.transactions.sent_by(GATEKEEPER) == numbers[1:]
    bench.transactions.fail(numbers, 1.0)
    assert [(at, answer.reason) for at, answer in bench.answers] == [(1.0, NO_ANSWER)]
    assert len(bench.transactions) == 0
