"""One round of ICE, from credentials to a chosen pair, and its consent after that (RFC 8445 7, 8; RFC 7675).

Rule 1: a check list of its own for each medium, and its own pace: media that begin together send a datagram every 50 ms
each, which is slower still than RFC 8445 14.1 allows at the least.
Rule 2: nobody is told that there is no way before 39.5 s have passed (RFC 8863 4): a far end may come late.
Rule 3: what a far end shows us is bounded: pairs, addresses that we learn of, answers a second.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from firmware.call.ice import Candidate, CandidateType, Ice, Selected
from firmware.ice import check
from firmware.ice.attribute import (
    ERROR_CODE,
    ICE_CONTROLLED,
    ICE_CONTROLLING,
    PRIORITY,
    USE_CANDIDATE,
    XOR_MAPPED_ADDRESS,
)
from firmware.ice.candidate import canonical, canonical_all, foundation, preference, priority
from firmware.ice.check_list import CheckList
from firmware.ice.consent import Consent
from firmware.ice.error import ROLE_CONFLICT
from firmware.ice.event import ConsentLost, Event, Failed, Unanswered
from firmware.ice.limit import Limit
from firmware.ice.message import BINDING, Kind, Message
from firmware.ice.pair import Pair, State, Step
from firmware.ice.transaction import RTO, Transactions
from firmware.ice.valid import Valid, ValidList
from firmware.sansio import Address

PACE: Final = 0.050
"""Ta, seconds between two checks (RFC 8445 14.2)."""
PATIENCE: Final = 39.5
"""Seconds (RFC 8863 4)."""
MAX_REMOTE: Final = 200
"""Candidates of the far end that are looked at."""
MAX_LEARNED: Final = 16
"""Peer-reflexive candidates, of either end."""
MAX_PROVEN: Final = 64
"""Addresses that have proved themselves, and are remembered."""

Send = Callable[[Candidate, Address, bytes, float], None]
"""The base to send from, where to, what, now."""


class Session:
    """One round.  *send* takes what is to be sent; `events` collects what there is to tell."""

    def __init__(self, ice: Ice, rng: random.Random, send: Send, now: float, *, controlling: bool) -> None:
        self.ice = ice = _bounded(ice)
        self.controlling = controlling or ice.lite  # RFC 8445 6.1.1
        self.events: list[Event] = []
        ours = {each.component for each in ice.local}
        # A far end that has told no address may yet show one.
        self.components = tuple(sorted(ours & {each.component for each in ice.remote})) or (1,)
        self._rng = rng
        self._send = send
        self._tie_breaker = rng.getrandbits(64)
        self._transactions = Transactions(rng)
        self._list = CheckList(ice.local, ice.remote, controlling=self.controlling)
        self._valid = {component: ValidList() for component in self.components}
        self._consents: dict[int, Consent] = {}
        self._lost: set[int] = set()
        self._failed: set[int] = set()
        self._proven: dict[tuple[int, Address], None] = {}
        self._learned: list[Candidate] = []
        """Peer-reflexive candidates of ours."""
        self._learned_remote: list[Candidate] = []
        self._answers, self._refusals = Limit(200, 100.0), Limit(10, 5.0)
        self._paced = now
        self._gives_up = now + PATIENCE
        for known in ice.selected:
            self._resume(known, now)

    # What comes

    def receive_request(self, asked: Message, local: Candidate, source: Address, now: float) -> None:
        """Take a check of the far end (RFC 8445 7.3), which came to this base of ours."""
        if asked.method != BINDING:
            return
        ours = self.ice.ours
        code = check.objection(asked, ours)
        if code:
            if self._refusals.allows(now):
                self._send(local, source, check.refusal(asked, code), now)
            return
        if not self._answers.allows(now):
            return
        self._prove(local.component, source)
        if not self._settle_roles(asked):
            self._send(local, source, check.refusal(asked, ROLE_CONFLICT, ours), now)
            return
        self._send(local, source, check.success(asked, source, ours), now)
        if local.component in self._valid:
            self._trigger(asked, local, source, now)

    def receive_answer(self, message: Message, source: Address, now: float) -> bool:
        """Take the answer to a check of ours; False: it is not."""
        return self._transactions.receive(message, source, now)

    def extend(self, ice: Ice) -> None:
        """Take candidates that the far end has told later."""
        self.ice = ice = _bounded(ice)
        self._list.extend(each for each in ice.remote if not self._selected(each.component))

    # Where to

    def way(self, component: int) -> Valid | None:
        """Give the pair to send by; None: there is none, or the far end does not agree any more."""
        if component in self._lost or component not in self._valid:
            return None
        return self._valid[component].way(self.controlling)

    def is_selected(self) -> bool:
        """Whether all components have their pair."""
        return all(self._selected(component) for component in self.components)

    def trusts(self, component: int, source: Address) -> bool:
        """Whether somebody at this address has proved to know our password, or his."""
        if (component, source) in self._proven:
            return True
        way = self.way(component)
        return way is not None and way.remote.address == source

    # Time

    def timer(self) -> float | None:
        """When handle_timer is wanted."""
        dues: list[float | None] = [self._transactions.timer()]
        dues += [consent.timer() for consent in self._consents.values()]
        if self._list.has_next():
            dues.append(self._paced)
        if self.controlling:
            dues += [valid.decides(True) for valid in self._valid.values()]
        if any(self._may_fail(component) for component in self.components):
            dues.append(self._gives_up)
        return min((due for due in dues if due is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        self._transactions.handle_timer(now)
        self._nominate_what_is_due(now)
        if self._paced <= now:
            pair = self._list.next()
            if pair is not None:
                self._paced = now + PACE
                self._check(pair, now)
        for component, consent in list(self._consents.items()):
            if consent.is_lost(now):
                del self._consents[component]
                self._lost.add(component)
                self.events.append(ConsentLost(component))
            elif consent.asks(now):
                self._ask_consent(component, now)
                if consent.is_doubtful(now, controlling=self.controlling) and self._selected(component):
                    self.events.append(Unanswered(component))
        if self._gives_up <= now:
            for component in [each for each in self.components if self._may_fail(each)]:
                self._failed.add(component)
                self.events.append(Failed(component, self._why(component)))

    def _may_fail(self, component: int) -> bool:
        return component not in self._failed and not len(self._valid[component]) and self._list.is_over(component)

    def _why(self, component: int) -> str:
        count = sum(pair.component == component for pair in self._list.pairs)
        return f"none of {count} pairs of addresses works" if count else "no address of the far end suits ours"

    # Checks of ours

    def _check(self, pair: Pair, now: float) -> None:
        """Perform a pair's check (RFC 8445 7.2.4)."""
        rto = max(RTO, PACE * self._list.active())  # RFC 8445 14.3
        pair.take(Step.PERFORM)
        pair.checked = pair.checked or self.ice.lite  # it makes none
        self._transactions.forget(pair.former)
        self._transactions.hush(pair.transaction)
        controlling = self.controlling

        def answered(message: Message, source: Address, now: float) -> bool:
            if not self._believes(message, pair, source):
                return False
            self._answered(pair, message, source, controlling, now)
            return True

        def timed_out(_now: float) -> None:
            if pair.transaction == identifier:
                pair.take(Step.FAIL)

        identifier = self._transactions.identifier()
        pair.former, pair.transaction = pair.transaction, identifier
        self._begin(identifier, pair, answered, timed_out, now, rto)

    def _begin(
        self,
        identifier: bytes,
        pair: Pair,
        answered: Callable[[Message, Address, float], bool],
        timed_out: Callable[[float], None],
        now: float,
        rto: float = RTO,
        *,
        nominate: bool = False,
        repeat: bool = True,
    ) -> None:
        data = check.request(
            *(identifier, self.ice.ours, self.ice.theirs, self._priority(pair), self._tie_breaker),
            controlling=self.controlling,
            nominate=nominate,
        )

        def send(now: float) -> None:
            self._send(pair.local, pair.remote.address, data, now)

        self._transactions.begin(identifier, send, answered, timed_out, now, rto, repeat=repeat)

    def _priority(self, pair: Pair) -> int:
        """RFC 8445 7.1.1: of the candidate that the far end would see, were it new."""
        return priority(CandidateType.PEER_REFLEXIVE, pair.component, preference(pair.local))

    def _believes(self, message: Message, pair: Pair, source: Address) -> bool:
        if message.method != BINDING or not message.proves(self.ice.theirs.password.encode()):
            return False
        self._prove(pair.component, source)
        return True

    def _answered(self, pair: Pair, message: Message, source: Address, controlling: bool, now: float) -> None:
        """Take the answer to a pair's check (RFC 8445 7.2.5)."""
        if message.kind is Kind.ERROR:
            error = message.get(ERROR_CODE)
            if error is not None and error.code == ROLE_CONFLICT:
                self._turn(not controlling)
                self._list.trigger(pair)
            else:
                pair.take(Step.FAIL)
            return
        mapped = message.get(XOR_MAPPED_ADDRESS)
        # RFC 8445 7.2.5.2.1: it must come from where the check went.
        if mapped is None or source != pair.remote.address:
            pair.take(Step.FAIL)
            return
        if not pair.take(Step.SUCCEED):
            return
        self._list.succeeded(pair)
        # RFC 7675 5.1: also what may be sent before the choice needs consent, which this answer has given.
        self._consents.setdefault(pair.component, Consent(self._rng, now))
        valid = self._valid[pair.component].add(Valid(pair, self._local_at(mapped, pair)), now)
        if pair.nominate:
            self._select(valid, now)
        self._nominate_what_is_due(now)

    def _local_at(self, mapped: Address, pair: Pair) -> Candidate:
        """Give the candidate of ours with this address, which may be news to us (RFC 8445 7.2.5.3.1)."""
        for known in (*self.ice.local, *self._learned):
            if known.component == pair.component and known.address == mapped:
                return known
        base = pair.local.address
        kind = CandidateType.PEER_REFLEXIVE
        ground = foundation(kind, base[0], pair.remote.address[0])
        learned = Candidate(ground, pair.component, self._priority(pair), mapped, kind, base)
        if len(self._learned) < MAX_LEARNED:
            self._learned.append(learned)
        return learned

    # Checks of theirs

    def _settle_roles(self, asked: Message) -> bool:
        """Let one of two ends of one role give way (RFC 8445 7.3.1.1); False: the far end must."""
        theirs = asked.get(ICE_CONTROLLING if self.controlling else ICE_CONTROLLED)
        if theirs is None:
            return True
        if (self._tie_breaker >= theirs) == self.controlling:
            return False
        self._turn(not self.controlling)
        return True

    def _turn(self, controlling: bool) -> None:
        if controlling != self.controlling and not self.ice.lite:
            self.controlling = controlling
            self._list.turn(controlling=controlling)

    def _trigger(self, asked: Message, local: Candidate, source: Address, now: float) -> None:
        """Check back where a check came from (RFC 8445 7.3.1.3 to 7.3.1.5)."""
        nominated = asked.has(USE_CANDIDATE) and not self.controlling
        pair = self._list.find(local, source)
        if pair is not None:
            pair.checked = True
            self._nominate_what_is_due(now)
        if local.component in self._lost or (self._selected(local.component) and not nominated):
            return
        if pair is None:
            remote = self._remote_at(asked, local.component, source)
            if remote is None:
                return
            pair = Pair(local, remote)
            pair.checked = True
            if not self._list.add(pair):
                return
        if pair.state is State.SUCCEEDED:
            valid = self._valid[pair.component].of(pair)
            if nominated and valid is not None:
                self._select(valid, now)
            return
        pair.nominate = pair.nominate or nominated
        self._list.trigger(pair)

    def _remote_at(self, asked: Message, component: int, source: Address) -> Candidate | None:
        """Give the candidate of theirs with this address, which may be news (RFC 8445 7.3.1.3); None: one too many."""
        for known in (*self.ice.remote, *self._learned_remote):
            if known.component == component and known.address == source:
                return known
        rank = asked.get(PRIORITY)
        if rank is None or len(self._learned_remote) >= MAX_LEARNED:
            return None
        # RFC 8445 7.3.1.3: a foundation of its own.
        ground = f"peer{len(self._learned_remote)}"
        learned = canonical(Candidate(ground, component, rank, source, CandidateType.PEER_REFLEXIVE))
        if learned is not None:
            self._learned_remote.append(learned)
        return learned

    def _prove(self, component: int, source: Address) -> None:
        self._proven[component, source] = None
        if len(self._proven) > MAX_PROVEN:
            del self._proven[next(iter(self._proven))]

    # The choice

    def _nominate_what_is_due(self, now: float) -> None:
        if not self.controlling:
            return
        for valid in self._valid.values():
            choice = valid.choice(self._list.pairs, now, True)
            if choice is not None:
                valid.nominating = choice
                self._nominate(choice, now)

    def _nominate(self, valid: Valid, now: float) -> None:
        """Check a pair that works once more, and tell the far end that it is the one (RFC 8445 7.2.2, 8.1.1)."""
        valids = self._valid[valid.pair.component]

        def answered(message: Message, source: Address, now: float) -> bool:
            if not self._believes(message, valid.pair, source):
                return False
            error = message.get(ERROR_CODE) if message.kind is Kind.ERROR else None
            valids.nominating = None
            if message.kind is Kind.SUCCESS and source == valid.remote.address:
                self._select(valid, now)
            elif error is not None and error.code == ROLE_CONFLICT:
                self._turn(False)
            else:
                self._forget(valid)
            return True

        def timed_out(_now: float) -> None:
            valids.nominating = None
            self._forget(valid)

        self._begin(self._transactions.identifier(), valid.pair, answered, timed_out, now, nominate=True)

    def _forget(self, valid: Valid) -> None:
        valid.pair.take(Step.FAIL)
        self._valid[valid.pair.component].remove(valid)

    def _selected(self, component: int) -> bool:
        valid = self._valid.get(component)
        return valid is not None and valid.selected is not None

    def _select(self, valid: Valid, now: float) -> None:
        component = valid.pair.component
        if not self._valid[component].select(valid, self.controlling):
            return
        self._consents[component] = Consent(self._rng, now)
        self._failed.discard(component)
        self.events.append(Selected(component, valid.local, valid.remote))
        # RFC 8445 8.1.2: only what is better than this goes on.
        for pair in self._list.settle(component):
            if pair.priority(self.controlling) < valid.pair.priority(self.controlling):
                self._transactions.forget(pair.transaction)
                pair.take(Step.FAIL)

    # What is chosen

    def _ask_consent(self, component: int, now: float) -> None:
        way = self.way(component)
        if way is None:
            return

        def answered(message: Message, source: Address, now: float) -> bool:
            if not self._believes(message, way.pair, source):
                return False
            consent = self._consents.get(component)
            if message.kind is Kind.SUCCESS and source == way.remote.address and consent is not None:
                consent.given(now)
            return True

        self._begin(self._transactions.identifier(), way.pair, answered, lambda _now: None, now, repeat=False)

    def _resume(self, known: Selected, now: float) -> None:
        """Go on with a pair that somebody else has chosen; whether it still works is asked at once."""
        relayed = known.local.type is CandidateType.RELAYED
        kind = CandidateType.RELAYED if relayed else CandidateType.HOST
        bases = [each for each in self.ice.local if each.component == known.component and each.type is kind]
        if not bases or known.component not in self._valid:
            return
        own = known.local.address, known.local.related
        base = next((each for each in bases if each.address in own), bases[0])
        pair = self._list.find(base, known.remote.address) or Pair(base, known.remote)
        self._list.settle(known.component)
        pair.state = State.SUCCEEDED
        valid = self._valid[known.component].add(Valid(pair, known.local), now)
        self._valid[known.component].select(valid, self.controlling)
        self._consents[known.component] = Consent(self._rng, now, due=True)


def _bounded(ice: Ice) -> Ice:
    """Give what was agreed with addresses as the kernel writes them, and no more than are of use."""
    return replace(ice, local=canonical_all(ice.local), remote=canonical_all(ice.remote[:MAX_REMOTE]))
