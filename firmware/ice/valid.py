"""Pairs that work, and which of them is chosen (RFC 8445 7.2.5.3.2, 8.1.1).

Rule 1: what may be sent goes by the chosen pair, before there is one by the best that works (RFC 8445 12.1).
Rule 2: whoever chooses waits for what may be better, not for long: sound that comes late is worse than a detour.
Rule 3: and for the far end's own check of the pair: some (libre) take the nomination of a pair that they are checking
for the end of that check, and for its failure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from firmware.call.ice import Candidate, CandidateType
from firmware.ice.candidate import pair_priority
from firmware.ice.pair import Pair, State

PATIENCE: Final = 1.0
"""Seconds after the first pair that works, for better ones and for the far end: its check may have to go twice."""
PATIENCE_RELAYED: Final = 1.5
"""The same where all that works goes by a relay."""


@dataclass(slots=True)
class Valid:
    """A pair that works, as the check of *pair* has shown."""

    pair: Pair
    local: Candidate
    """As the far end sees us; of *pair* there is the base."""
    nominated: bool = False

    @property
    def remote(self) -> Candidate:
        """Where it leads."""
        return self.pair.remote

    @property
    def relayed(self) -> bool:
        """Whether it goes by a TURN server of either end."""
        return CandidateType.RELAYED in (self.local.type, self.remote.type)

    def priority(self, controlling: bool) -> int:
        """RFC 8445 6.1.2.3."""
        ours, theirs = self.local.priority, self.remote.priority
        return pair_priority(ours, theirs) if controlling else pair_priority(theirs, ours)


class ValidList:
    """The pairs of one component that work."""

    def __init__(self) -> None:
        self.selected: Valid | None = None
        self.nominating: Valid | None = None
        """Whose nomination is on its way."""
        self._valid: list[Valid] = []
        self._since = 0.0

    def __len__(self) -> int:
        return len(self._valid)

    def add(self, valid: Valid, now: float) -> Valid:
        """Take a pair that works; where it was known, what was known is given."""
        for known in self._valid:
            if known.pair is valid.pair:
                known.local = valid.local
                return known
        if not self._valid:
            self._since = now
        self._valid.append(valid)
        return valid

    def remove(self, valid: Valid) -> None:
        """Forget a pair that does not work any more."""
        self._valid.remove(valid)

    def of(self, pair: Pair) -> Valid | None:
        """Give what the check of a pair has shown."""
        return next((valid for valid in self._valid if valid.pair is pair), None)

    def best(self, controlling: bool) -> Valid | None:
        """Give the one of highest priority."""
        return max(self._valid, key=lambda valid: valid.priority(controlling), default=None)

    def way(self, controlling: bool) -> Valid | None:
        """Give the one to send by (rule 1)."""
        return self.selected or self.best(controlling)

    def select(self, valid: Valid, controlling: bool) -> bool:
        """Take a pair that was nominated; False: one of higher priority was before (RFC 8445 8.1.2)."""
        valid.nominated = True
        if self.selected is not None and self.selected.priority(controlling) >= valid.priority(controlling):
            return False
        self.selected = valid
        return True

    def decides(self, controlling: bool) -> float | None:
        """When the best is to be nominated, whatever else is on its way; None: nothing is to be."""
        best = self.best(controlling)
        if best is None or self.selected is not None or self.nominating is not None:
            return None
        return self._since + (PATIENCE_RELAYED if best.relayed else PATIENCE)

    def choice(self, pairs: Iterable[Pair], now: float, controlling: bool) -> Valid | None:
        """Give the one to nominate now; None: none yet, for a better one may come of these *pairs*."""
        best, decides = self.best(controlling), self.decides(controlling)
        if best is None or decides is None:
            return None
        open_states = (State.FROZEN, State.WAITING, State.IN_PROGRESS)
        least = best.pair.priority(controlling)
        better = any(
            pair.component == best.pair.component and pair.state in open_states and pair.priority(controlling) > least
            for pair in pairs
        )
        return best if now >= decides or (best.pair.checked and not better) else None
