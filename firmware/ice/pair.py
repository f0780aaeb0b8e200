"""A pair of candidates and its state (RFC 8445 6.1.2.6)."""

from __future__ import annotations

from enum import Enum
from typing import Final

from firmware.call.ice import Candidate
from firmware.ice.candidate import pair_priority


class State(Enum):
    """How far the check of a pair is."""

    FROZEN = "frozen"
    WAITING = "waiting"
    IN_PROGRESS = "in-progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Step(Enum):
    """What happens to a pair."""

    UNFREEZE = "unfreeze"
    PERFORM = "perform"
    SUCCEED = "succeed"
    FAIL = "fail"
    TRIGGER = "trigger"
    """The far end has checked it, or it must be checked again (RFC 8445 7.3.1.4, 7.2.5.1)."""


STEPS: Final = {
    (State.FROZEN, Step.UNFREEZE): State.WAITING,
    (State.WAITING, Step.PERFORM): State.IN_PROGRESS,
    (State.IN_PROGRESS, Step.SUCCEED): State.SUCCEEDED,
    (State.IN_PROGRESS, Step.FAIL): State.FAILED,
    (State.FROZEN, Step.TRIGGER): State.WAITING,
    (State.IN_PROGRESS, Step.TRIGGER): State.WAITING,
    (State.FAILED, Step.TRIGGER): State.WAITING,
    # A check that the far end's own has overtaken may be answered all the same (RFC 8445 7.3.1.4).
    (State.WAITING, Step.SUCCEED): State.SUCCEEDED,
    # What has answered once may stop to: its nomination fails (RFC 8445 7.2.5.2).
    (State.SUCCEEDED, Step.FAIL): State.FAILED,
}
"""RFC 8445 6.1.2.6, figure 7; a step that is not here leaves the state as it is."""


class Pair:
    """Two candidates that may reach each other; *local* is a base: a host's address, or a relayed one."""

    def __init__(self, local: Candidate, remote: Candidate) -> None:
        self.local: Final = local
        self.remote: Final = remote
        self.state = State.FROZEN
        self.nominate = False
        """The far end has chosen it, as soon as it answers (RFC 8445 7.3.1.5)."""
        self.checked = False
        """The far end's own check has come by it."""
        self.transaction = b""
        """Of its newest check; b"": none yet."""
        self.former = b""
        """Of the check before, which may be answered yet."""

    @property
    def component(self) -> int:
        """Of both candidates."""
        return self.local.component

    @property
    def foundation(self) -> tuple[str, str]:
        """The same for pairs that likely fare alike (RFC 8445 6.1.2.6)."""
        return self.local.foundation, self.remote.foundation

    def priority(self, controlling: bool) -> int:
        """Reckon its priority: the same at both ends (RFC 8445 6.1.2.3)."""
        ours, theirs = self.local.priority, self.remote.priority
        return pair_priority(ours, theirs) if controlling else pair_priority(theirs, ours)

    def take(self, step: Step) -> bool:
        """Take a step; False: it leads nowhere from this state."""
        state = STEPS.get((self.state, step))
        if state is None:
            return False
        self.state = state
        return True
