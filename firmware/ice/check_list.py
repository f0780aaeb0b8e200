"""The pairs of one medium and the order of their checks (RFC 8445 6.1.2, 6.1.4.2).

Rule 1: a candidate that was found by a server stands for its base, which is what can send; of pairs that then are the
same the best stays (RFC 8445 6.1.2.4).
Rule 2: there are never more than `MAX_PAIRS`, the best ones (RFC 8445 6.1.2.5): nobody makes us knock at more doors.
Rule 3: one pair of each foundation goes first; the others of that foundation wait for its success, or until nothing
else is to do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from firmware.call.ice import Candidate, CandidateType
from firmware.ice.candidate import can_pair
from firmware.ice.pair import Pair, State, Step
from firmware.sansio import Address

MAX_PAIRS: Final = 100
"""RFC 8445 6.1.2.5."""
_BASES: Final = (CandidateType.HOST, CandidateType.RELAYED)


class CheckList:
    """The pairs of one medium, made of canonical candidates.

    *controlling*: whether we choose, which their order depends on.
    """

    def __init__(self, local: Iterable[Candidate], remote: Iterable[Candidate], *, controlling: bool) -> None:
        self.pairs: list[Pair] = []
        """Best first."""
        self._local = [each for each in local if each.type in _BASES]
        self._controlling = controlling
        self._triggered: deque[Pair] = deque()
        self.extend(remote)

    def extend(self, remote: Iterable[Candidate]) -> None:
        """Form the pairs of more remote candidates."""
        known = {(pair.local, pair.remote.address) for pair in self.pairs}
        formed = [Pair(local, candidate) for candidate in remote for local in self._local if can_pair(local, candidate)]
        formed.sort(key=self._order)
        for pair in formed:
            if (pair.local, pair.remote.address) not in known:
                known.add((pair.local, pair.remote.address))
                self.pairs.append(pair)
        self.pairs.sort(key=self._order)
        for pair in [pair for pair in self.pairs[MAX_PAIRS:] if pair.state is State.FROZEN]:
            self.pairs.remove(pair)
        self._unfreeze_first()

    def find(self, local: Candidate, remote: Address) -> Pair | None:
        """Give the pair of a base of ours and an address of theirs."""
        return next((pair for pair in self.pairs if pair.local == local and pair.remote.address == remote), None)

    def add(self, pair: Pair) -> bool:
        """Take a pair that the far end has shown (RFC 8445 7.3.1.4); False: there are too many."""
        if len(self.pairs) >= MAX_PAIRS:
            worst = next((each for each in reversed(self.pairs) if each.state in (State.FROZEN, State.FAILED)), None)
            if worst is None:
                return False
            self.pairs.remove(worst)
        self.pairs.append(pair)
        self.pairs.sort(key=self._order)
        return True

    def trigger(self, pair: Pair) -> None:
        """Let a pair be checked before all others (RFC 8445 7.3.1.4)."""
        pair.take(Step.TRIGGER)
        if pair.state is State.WAITING and pair not in self._triggered:
            self._triggered.append(pair)

    def next(self) -> Pair | None:
        """Give the pair to be checked now (RFC 8445 6.1.4.2); None: all were."""
        while self._triggered:
            pair = self._triggered.popleft()
            if pair.state is State.WAITING and pair in self.pairs:
                return pair
        waiting = next((pair for pair in self.pairs if pair.state is State.WAITING), None)
        if waiting is None:
            self._unfreeze_idle()
            waiting = next((pair for pair in self.pairs if pair.state is State.WAITING), None)
        return waiting

    def has_next(self) -> bool:
        """Whether a pair may be checked now."""
        if any(pair.state is State.WAITING for pair in self.pairs):
            return True
        busy = {pair.foundation for pair in self.pairs if pair.state is State.IN_PROGRESS}
        return any(pair.state is State.FROZEN and pair.foundation not in busy for pair in self.pairs)

    def succeeded(self, pair: Pair) -> None:
        """Let the others of a pair's foundation be checked too (RFC 8445 7.2.5.3.3)."""
        for other in self.pairs:
            if other.foundation == pair.foundation:
                other.take(Step.UNFREEZE)

    def settle(self, component: int) -> list[Pair]:
        """Drop the pairs of a component whose check has not begun: one is chosen (RFC 8445 8.1.2).

        Gives those whose check goes on.
        """
        idle = (State.FROZEN, State.WAITING)
        self.pairs = [pair for pair in self.pairs if pair.component != component or pair.state not in idle]
        return [pair for pair in self.pairs if pair.component == component and pair.state is State.IN_PROGRESS]

    def turn(self, *, controlling: bool) -> None:
        """Change the role, and so the order."""
        self._controlling = controlling
        self.pairs.sort(key=self._order)

    def is_over(self, component: int) -> bool:
        """Whether no pair of a component can come to anything yet."""
        over = (State.SUCCEEDED, State.FAILED)
        return all(pair.state in over for pair in self.pairs if pair.component == component)

    def active(self) -> int:
        """How many pairs wait or are in progress (RFC 8445 14.3)."""
        return sum(pair.state in (State.WAITING, State.IN_PROGRESS) for pair in self.pairs)

    def _order(self, pair: Pair) -> int:
        return -pair.priority(self._controlling)

    def _unfreeze_first(self) -> None:
        """Let one pair of each foundation go: of the lowest component, the best (RFC 8445 6.1.2.6)."""
        started = {pair.foundation for pair in self.pairs if pair.state is not State.FROZEN}
        for pair in sorted(self.pairs, key=lambda each: (each.component, self._order(each))):
            if pair.foundation not in started:
                started.add(pair.foundation)
                pair.take(Step.UNFREEZE)

    def _unfreeze_idle(self) -> None:
        """Let one pair go of each foundation of which none waits or is in progress (RFC 8445 6.1.4.2, step 2)."""
        busy = {pair.foundation for pair in self.pairs if pair.state in (State.WAITING, State.IN_PROGRESS)}
        for pair in self.pairs:
            if pair.state is State.FROZEN and pair.foundation not in busy:
                busy.add(pair.foundation)
                pair.take(Step.UNFREEZE)
