"""Requests that go again, by the table of RFC 8489 6.2.1."""

from __future__ import annotations

import random

import pytest

from firmware.ice.message import BINDING, Kind, Message
from firmware.ice.transaction import ONCE, RELIABLE, Transactions

SERVER = ("192.0.2.9", 3478)


class Client:
    def __init__(self, rto: float = 0.5, *, repeat: bool = True, takes: bool = True) -> None:
        self.transactions = Transactions(random.Random(1))
        self.identifier = self.transactions.identifier()
        self.sent: list[float] = []
        self.answers: list[Message] = []
        self.timed_out: list[float] = []

        def answered(message: Message, _source: tuple[str, int], _now: float) -> bool:
            self.answers.append(message)
            return takes

        self.transactions.begin(
            self.identifier, self.sent.append, answered, self.timed_out.append, 0.0, rto, repeat=repeat
        )

    def run(self, until: float = 1000.0) -> None:
        while (due := self.transactions.timer()) is not None and due <= until:
            self.transactions.handle_timer(due)

    def answer(self, now: float = 1.0, identifier: bytes | None = None) -> bool:
        message = Message.of(BINDING, Kind.SUCCESS, identifier or self.identifier)
        return self.transactions.receive(message, SERVER, now)


@pytest.mark.parametrize("rto", [0.5, 1.0, 2.5])
def test_times_of_requests(rto: float) -> None:
    client = Client(rto)
    client.run()
    assert client.sent == [rto * factor for factor in (0, 1, 3, 7, 15, 31, 63)]
    assert client.timed_out == [rto * 79]
    assert len(client.transactions) == 0


def test_with_the_usual_rto_it_has_failed_after_39_5_seconds() -> None:
    client = Client()
    client.run()
    assert client.timed_out == [39.5]


def test_an_answer_ends_it() -> None:
    client = Client()
    client.run(2.0)
    assert client.answer()
    client.run()
    assert client.sent == [0.0, 0.5, 1.5]
    assert client.timed_out == []
    assert not client.answer(), "an answer that comes twice is none"
    assert len(client.answers) == 1


def test_an_answer_that_is_not_taken_changes_nothing() -> None:
    client = Client(takes=False)
    assert not client.answer()
    client.run()
    assert len(client.sent) == 7
    assert client.timed_out == [39.5]


def test_an_answer_to_something_else_is_none() -> None:
    client = Client()
    assert not client.answer(identifier=bytes(12))
    assert client.answers == []


def test_one_that_goes_once() -> None:
    client = Client(repeat=False)
    client.run(ONCE - 0.1)
    assert client.answer(ONCE - 0.1)
    other = Client(repeat=False)
    other.run()
    assert other.sent == [0.0]
    assert other.timed_out == [ONCE]


def test_one_that_the_transport_repeats() -> None:
    transactions = Transactions(random.Random(1))
    sent: list[float] = []
    ended: list[float] = []
    transactions.begin(bytes(12), sent.append, lambda *_: True, ended.append, 0.0, repeat=False, wait=RELIABLE)
    while (due := transactions.timer()) is not None:
        transactions.handle_timer(due)
    assert (sent, ended) == ([0.0], [39.5])


def test_a_hushed_one_is_answered_but_goes_no_more() -> None:
    client = Client()
    client.run(0.5)
    client.transactions.hush(client.identifier)
    client.run(39.0)
    assert client.sent == [0.0, 0.5]
    assert client.answer(39.0)
    other = Client()
    other.transactions.hush(other.identifier)
    other.run()
    assert other.timed_out == []
    assert len(other.transactions) == 0


def test_a_forgotten_one_is_gone() -> None:
    client = Client()
    client.transactions.forget(client.identifier)
    client.transactions.forget(client.identifier)
    client.transactions.hush(client.identifier)
    assert not client.answer()
    assert client.transactions.timer() is None


def test_one_that_ends_another_in_its_turn() -> None:
    """A time-out may clear all the others."""
    transactions = Transactions(random.Random(1))
    ended: list[float] = []

    def clear(now: float) -> None:
        ended.append(now)
        transactions.clear()

    for _ in range(3):
        transactions.begin(transactions.identifier(), lambda _now: None, lambda *_: True, clear, 0.0, repeat=False)
    transactions.handle_timer(ONCE)
    assert ended == [ONCE]


def test_identifiers_are_96_bits_by_chance() -> None:
    transactions = Transactions(random.Random(1))
    found = {transactions.identifier() for _ in range(100)}
    assert len(found) == 100
    assert {len(each) for each in found} == {12}
