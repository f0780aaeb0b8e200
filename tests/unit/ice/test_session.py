"""One round of checks, message by message (whole rounds between two ends: conformance/test_ice)."""

from __future__ import annotations

import random

import pytest

from firmware.call.ice import Candidate, CandidateType, Credentials, Ice, Selected
from firmware.ice import check
from firmware.ice.attribute import (
    ERROR_CODE,
    ICE_CONTROLLED,
    ICE_CONTROLLING,
    PRIORITY,
    USE_CANDIDATE,
    XOR_MAPPED_ADDRESS,
)
from firmware.ice.candidate import priority
from firmware.ice.event import ConsentLost, Failed
from firmware.ice.message import Kind, Message
from firmware.ice.session import MAX_LEARNED, PACE, PATIENCE, Session
from firmware.sansio import Address

OURS, THEIRS = Credentials("ours", "o" * 22), Credentials("them", "t" * 22)
HERE, THERE, ELSEWHERE = ("192.0.2.1", 4000), ("192.0.2.2", 5000), ("198.51.100.7", 6000)
HOST = CandidateType.HOST


def candidate(address: Address, component: int = 1, kind: CandidateType = HOST) -> Candidate:
    return Candidate(f"{kind.value}{address[0]}", component, priority(kind, component), address, kind)


LOCAL = candidate(HERE)


class Round:
    """A session, and what it sends."""

    def __init__(self, *remote: Address, controlling: bool = True, lite: bool = False) -> None:
        ice = Ice(controlling, OURS, THEIRS, (LOCAL,), tuple(candidate(each) for each in remote), lite=lite)
        self.sent: list[tuple[Address, Message]] = []
        self.session = Session(ice, random.Random(1), self._send, 0.0, controlling=controlling)
        self.now = 0.0

    def _send(self, local: Candidate, destination: Address, data: bytes, _now: float) -> None:
        assert local.address == HERE
        self.sent.append((destination, Message.decode(data)))

    def tick(self, seconds: float = PACE) -> list[tuple[Address, Message]]:
        """Let time pass; give what was sent."""
        self.sent.clear()
        before, self.now = self.now, self.now + seconds
        while (due := self.session.timer()) is not None and due <= self.now:
            self.session.handle_timer(max(due, before))
        return list(self.sent)

    def answer(self, asked: Message, source: Address = THERE, mapped: Address = HERE, key: str = "") -> bool:
        message = Message.of(1, Kind.SUCCESS, asked.transaction, XOR_MAPPED_ADDRESS(mapped))
        return self._receive(message, source, key)

    def refuse(self, asked: Message, code: int, source: Address = THERE) -> bool:
        return self._receive(Message.decode(check.refusal(asked, code, THEIRS)), source)

    def ask(
        self, source: Address = THERE, tie_breaker: int = 0, *, controlling: bool, nominate: bool = False
    ) -> Message:
        """Let the far end check; give our answer."""
        data = check.request(
            *(self.session._rng.randbytes(12), THEIRS, OURS, 1_000, tie_breaker),
            controlling=controlling,
            nominate=nominate,
        )
        self.sent.clear()
        self.session.receive_request(Message.decode(data), LOCAL, source, self.now)
        [(destination, message)] = [sent for sent in self.sent if sent[1].kind is not Kind.REQUEST]
        assert destination == source
        return message

    def _receive(self, message: Message, source: Address, key: str = "") -> bool:
        data = message.encode((key or THEIRS.password).encode())
        return self.session.receive_answer(Message.decode(data), source, self.now)

    def selected(self) -> list[Selected]:
        return [each for each in self.session.events if isinstance(each, Selected)]


def test_a_check_then_the_nomination_then_it_is_selected() -> None:
    made = Round(THERE)
    [(destination, first)] = made.tick()
    assert destination == THERE
    assert first.get(PRIORITY) == priority(CandidateType.PEER_REFLEXIVE, 1)
    assert first.has(ICE_CONTROLLING)
    assert not first.has(USE_CANDIDATE)
    assert made.session.way(1) is None
    assert made.answer(first)
    assert made.session.way(1) is not None, "what works may be used before it is chosen"
    made.ask(controlling=False)
    [(_, second)] = [sent for sent in made.sent if sent[1].kind is Kind.REQUEST]
    assert made.sent.index((THERE, second)) == 1, "it has its answer before"
    assert second.has(USE_CANDIDATE)
    assert made.selected() == []
    assert made.answer(second)
    assert made.selected() == [Selected(1, LOCAL, candidate(THERE))]
    assert made.session.is_selected()


def test_who_makes_no_checks_is_not_waited_for_long() -> None:
    made = Round(THERE)
    [(_, first)] = made.tick()
    made.answer(first)
    assert not any(message.has(USE_CANDIDATE) for _, message in made.tick(0.9))
    assert any(message.has(USE_CANDIDATE) for _, message in made.tick(0.2))
    lite = Round(THERE, lite=True)
    [(_, first)] = lite.tick()
    lite.answer(first)
    assert lite.sent[-1][1].has(USE_CANDIDATE)


def test_a_controlled_end_waits_to_be_told() -> None:
    made = Round(THERE, controlling=False)
    [(_, first)] = made.tick()
    assert first.has(ICE_CONTROLLED)
    made.answer(first)
    made.tick(5)
    assert made.selected() == []
    made.ask(controlling=True, nominate=True)
    assert len(made.selected()) == 1


def test_a_nomination_may_come_before_our_own_check_is_answered() -> None:
    made = Round(THERE, controlling=False)
    [(_, first)] = made.tick()
    made.ask(controlling=True, nominate=True)
    [(_, triggered)] = made.tick()
    assert triggered.transaction != first.transaction
    assert made.selected() == []
    assert made.answer(first), "the check before counts too"
    assert len(made.selected()) == 1


def test_a_mapped_address_that_is_news_is_a_candidate() -> None:
    made = Round(THERE)
    [(_, first)] = made.tick()
    made.answer(first, mapped=ELSEWHERE)
    way = made.session.way(1)
    assert way is not None
    assert (way.local.type, way.local.address, way.local.related) == (CandidateType.PEER_REFLEXIVE, ELSEWHERE, HERE)


@pytest.mark.parametrize("key", ["another password of them", OURS.password])
def test_an_answer_that_proves_nothing_is_none(key: str) -> None:
    made = Round(THERE)
    [(_, first)] = made.tick()
    assert not made.answer(first, key=key)
    assert made.session.way(1) is None
    assert not made.session.trusts(1, THERE)


def test_an_answer_from_elsewhere_fails_the_pair() -> None:
    """RFC 8445 7.2.5.2.1."""
    made = Round(THERE)
    [(_, first)] = made.tick()
    assert made.answer(first, source=ELSEWHERE)
    assert made.session.way(1) is None
    assert [sent for sent in made.tick(60) if sent[1].kind is Kind.REQUEST] == []


def test_pairs_go_at_a_pace() -> None:
    made = Round(*((f"192.0.2.{number}", 5000) for number in range(10, 20)))
    assert [len(made.tick(0.0)), len(made.tick()), len(made.tick())] == [1, 1, 1]
    assert len(made.tick(7 * PACE)) == 7


def test_the_more_pairs_the_slower_each_goes_again() -> None:
    """RFC 8445 14.3: RTO is 50 ms for each pair, 500 ms at least."""
    made = Round(*((f"192.0.2.{number}", 5000) for number in range(10, 50)))
    made.tick(1.9)
    assert len(made.sent) >= 38
    assert len({destination for destination, _ in made.sent}) == len(made.sent), "none goes again within 2 s"


# Roles: RFC 8445 7.3.1.1, 7.2.5.1


CONFLICTS = [  # ours, their tie-breaker, what comes: refused, and our role then
    (True, 0, True, True),
    (True, 2**64 - 1, False, False),
    (False, 0, False, True),
    (False, 2**64 - 1, True, False),
]


@pytest.mark.parametrize(("controlling", "tie_breaker", "refused", "then"), CONFLICTS)
def test_of_two_of_one_role_the_greater_tie_breaker_keeps_it(
    controlling: bool, tie_breaker: int, refused: bool, then: bool
) -> None:
    """A controlled end with the greater one becomes controlling; with the lesser it refuses and stays."""
    made = Round(THERE, controlling=controlling)
    message = made.ask(tie_breaker=tie_breaker, controlling=controlling)
    error = message.get(ERROR_CODE)
    assert (error is not None and error.code == 487) is refused
    assert made.session.controlling is then
    if refused:
        assert message.proves(OURS.password.encode())


@pytest.mark.parametrize("controlling", [True, False])
def test_487_turns_the_role_and_the_check_goes_again(controlling: bool) -> None:
    made = Round(THERE, controlling=controlling)
    [(_, first)] = made.tick()
    assert made.refuse(first, 487)
    assert made.session.controlling is not controlling
    [(_, again)] = made.tick()
    assert again.has(ICE_CONTROLLED if controlling else ICE_CONTROLLING)


def test_the_far_end_is_lite_so_we_choose() -> None:
    made = Round(THERE, controlling=False, lite=True)
    assert made.session.controlling
    [(_, first)] = made.tick()
    made.refuse(first, 487)
    assert made.session.controlling


def test_what_is_never_chosen_is_not_used_forever() -> None:
    """RFC 7675: 30 s without an answer end what the first one has allowed."""
    made = Round(THERE, controlling=False)
    [(_, first)] = made.tick()
    made.answer(first)
    made.tick(29)
    assert made.session.way(1) is not None
    made.tick(2)
    assert made.session.way(1) is None
    assert made.session.events == [ConsentLost(1)]


# What comes


def test_a_check_from_nowhere_known_is_checked_back() -> None:
    made = Round(THERE)
    made.tick()
    answer = made.ask(ELSEWHERE, controlling=False)
    assert answer.get(XOR_MAPPED_ADDRESS) == ELSEWHERE
    [(destination, first)] = made.tick()
    assert destination == ELSEWHERE
    made.answer(first, source=ELSEWHERE)
    way = made.session.way(1)
    assert way is not None
    assert (way.remote.type, way.remote.priority) == (CandidateType.PEER_REFLEXIVE, 1_000)


def test_a_far_end_that_has_told_no_address_may_show_one() -> None:
    made = Round(controlling=False)
    assert made.session.components == (1,)
    made.ask(ELSEWHERE, controlling=True, nominate=True)
    [(_, first)] = made.tick()
    made.answer(first, source=ELSEWHERE)
    assert len(made.selected()) == 1


def test_addresses_that_the_far_end_shows_are_bounded() -> None:
    made = Round(THERE)
    for number in range(MAX_LEARNED + 20):
        made.ask(("198.51.100.1", 1000 + number), controlling=False)
    asked = {destination for destination, _ in made.tick(10)}
    assert len(asked) == MAX_LEARNED + 1


def test_answers_and_refusals_are_bounded() -> None:
    made = Round(THERE)
    asked = Message.decode(check.request(bytes(12), THEIRS, OURS, 1, 0, controlling=False))
    wrong = Message.decode(check.request(bytes(12), THEIRS, Credentials("ours", "x" * 22), 1, 0, controlling=False))
    for message, least, most in ((asked, 100, 300), (wrong, 5, 20)):
        made.sent.clear()
        for _ in range(1000):
            made.session.receive_request(message, LOCAL, THERE, 0.0)
        assert least <= len(made.sent) <= most


def test_other_methods_are_not_answered() -> None:
    made = Round(THERE)
    data = Message.of(3, Kind.REQUEST, bytes(12)).encode(OURS.password.encode())
    made.session.receive_request(Message.decode(data), LOCAL, THERE, 0.0)
    assert made.sent == []


def test_only_who_has_proved_himself_is_trusted() -> None:
    made = Round(THERE)
    assert not made.session.trusts(1, THERE)
    made.ask(THERE, controlling=False)
    assert made.session.trusts(1, THERE)
    assert not made.session.trusts(2, THERE)
    assert not made.session.trusts(1, ELSEWHERE)


# Ends


def test_nobody_is_told_too_soon_that_there_is_no_way() -> None:
    made = Round(THERE)
    [(_, first)] = made.tick()
    made.refuse(first, 400)
    made.tick(PATIENCE - 1)
    assert made.session.events == []
    made.tick(2)
    assert made.session.events == [Failed(1, "none of 1 pairs of addresses works")]
    made.tick(100)
    assert len(made.session.events) == 1


def test_addresses_that_suit_nobody() -> None:
    made = Round(("2001:db8::1", 5000))
    made.tick(PATIENCE)
    assert made.session.events == [Failed(1, "no address of the far end suits ours")]


def test_a_way_that_is_found_late_is_told_all_the_same() -> None:
    made = Round(THERE, controlling=False)
    made.tick(100)
    assert isinstance(made.session.events[-1], Failed)
    made.ask(ELSEWHERE, controlling=True, nominate=True)
    [(_, first)] = made.tick()
    made.answer(first, source=ELSEWHERE)
    assert len(made.selected()) == 1


def test_a_nomination_that_fails_is_another_pairs() -> None:
    made = Round(THERE, ELSEWHERE)
    by = dict(made.tick(PACE))
    made.answer(by[THERE])
    made.answer(by[ELSEWHERE], source=ELSEWHERE)
    [nomination] = [message for _, message in made.tick(1.1) if message.has(USE_CANDIDATE)][:1]
    first = next(destination for destination, message in made.sent if message.has(USE_CANDIDATE))
    made.refuse(nomination, 400, source=first)
    [(other, again)] = [sent for sent in made.tick(0.0) if sent[1].has(USE_CANDIDATE)] or [
        sent for sent in made.tick(1.1) if sent[1].has(USE_CANDIDATE)
    ]
    assert other != first
    made.answer(again, source=other)
    assert [each.remote.address for each in made.selected()] == [other]
