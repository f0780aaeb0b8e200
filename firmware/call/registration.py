"""Being found: a unit's registration with a server or gatekeeper, as the room sees it, whatever protocol it is of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class RegistrationState(Enum):
    """Where a registration stands."""

    TRYING = "trying"
    REGISTERED = "registered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Registration:
    """One registration as it is now."""

    protocol: str
    """The name of its endpoint: ``SIP``, ``H.323``."""
    address: str
    """Under which this unit is to be found, ready to be shown."""
    server: str
    """Where: as the settings name it."""
    state: RegistrationState = RegistrationState.TRYING
    until: float | None = None
    """Until when it holds unless renewed, s on the event loop's clock; None: not registered, or nobody knows."""
    reason: str = ""
    """FAILED: why, as a clause without a full stop (``the password is wrong``)."""

    @property
    def trouble(self) -> str:
        """A sentence about what is wrong; "" where nothing is, or where it is being tried for the first time."""
        if self.state is not RegistrationState.FAILED:
            return ""
        return f"Not registered as {self.address}: {self.reason}."
