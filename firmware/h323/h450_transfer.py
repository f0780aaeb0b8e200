"""Call transfer of one call, in all of its three parts (H.450.2).

A, who transfers, has B leave their call for C::

    A ──callTransferIdentify──▶ C      only where A talks to C already: C gives a number to the call and its address
    A ──callTransferInitiate──▶ B ──Setup, callTransferSetup──▶ C
    A ◀───── result ─────────── B ◀── Alerting or Connect, result ── C

Without consultation the number is "", and C need not know what is going on.

Rule 1: B answers A once C has answered, so that there is a call to stay in if C does not.
Rule 2: C gives out a number for one call at a time, for `IDENTITY_TIME`, to be used once.  It has four digits only:
who guesses at it makes it worthless for everybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.h323 import h450
from firmware.h323.cause import Cause
from firmware.h323.h450_address import decode_endpoint, encode_endpoint, encode_reached
from firmware.h323.h450_event import Identified, TransferAnswered, TransferRequested

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware.asn1 import Value
    from firmware.h323.address import Alias
    from firmware.h323.h450_event import ServiceEvent
    from firmware.h323.h450_operation import RemoteOperations
    from firmware.h323.session import Session
    from firmware.sansio import Address

IDENTIFY_TIME: Final = 15.0
"""CT-T1: seconds for C to give a number."""
IDENTITY_TIME: Final = 120.0
"""CT-T2: seconds in which B has to call C."""
INITIATE_TIME: Final = 120.0
"""CT-T3: seconds for B to reach C; somebody has to answer there."""
MAX_IDENTITY: Final = 9999
"""CallIdentity has four digits."""
MAX_GUESSES: Final = 3
"""Wrong numbers in Setups after which all that were given out are withdrawn."""
OPERATIONS: Final = ("callTransferIdentify", "callTransferAbandon", "callTransferInitiate", "callTransferSetup")


class Transfer:
    """Transfers that a session takes part in."""

    def __init__(self, session: Session, operations: RemoteOperations) -> None:
        self._session, self._operations = session, operations
        self.replaces: Session | None = None
        """The call in the place of which this one, which came in, was made."""
        self.identity = ""
        """The number that was given out for this call, or ""."""
        self._identity_until = 0.0
        self._guesses = 0
        self._initiate: int | None = None
        self._setup: int | None = None

    # A

    def transfer(self, aliases: Sequence[Alias], address: Address | None, now: float, *, identity: str = "") -> None:
        """Ask the far end to call this one instead; `TransferAnswered` follows.  ValueError: it can't be written."""
        argument = {"callIdentity": identity, "reroutingNumber": encode_endpoint(aliases, address)}
        deadline, unknown = now + INITIATE_TIME, h450.REJECT
        self._operations.send(
            self._operations.invoke("callTransferInitiate", argument, deadline=deadline, unknown=unknown)
        )

    def identify(self, now: float) -> None:
        """Ask the far end whether another call may be transferred to it; `Identified` follows."""
        deadline, unknown = now + IDENTIFY_TIME, h450.REJECT
        self._operations.send(self._operations.invoke("callTransferIdentify", None, deadline=deadline, unknown=unknown))

    def abandon(self) -> None:
        """Tell the far end, which was `Identified`, that nothing comes of it."""
        self._operations.send(self._operations.invoke("callTransferAbandon", None))

    def answered(self, operation: str, result: Value, error: str) -> list[ServiceEvent]:
        """Take what came of an operation that we asked for; *error* is "" where it is done."""
        if operation == "callTransferInitiate":
            return [TransferAnswered(self._session, error)]
        if operation != "callTransferIdentify":
            return []
        match result:
            case {"callIdentity": str(identity), "reroutingNumber": endpoint}:
                return [Identified(self._session, identity, *decode_endpoint(endpoint), error)]
        return [Identified(self._session, "", (), None, error or "insufficientInformation")]

    # B

    def answer(self, error: str = "") -> None:
        """Say that the call that was wanted is up, or why there is none: a name of `ERRORS`."""
        if self._initiate is None:
            return
        if error:
            self._operations.fail(self._initiate, error)
        else:
            self._operations.answer(self._initiate)
        self._initiate = None

    def setup(self, identity: str) -> bytes:
        """Give the item for the Setup of a call that was wanted."""
        # H.450.2: who is called after a consultation must know why.
        unknown = h450.CLEAR if identity else h450.DISCARD
        return self._operations.invoke("callTransferSetup", {"callIdentity": identity}, unknown=unknown)

    # C

    def is_known_as(self, identity: str, now: float) -> bool:
        """Whether this is the call for which that number was given out."""
        return bool(identity) and identity == self.identity and now < self._identity_until

    def guessed(self) -> None:
        """Take that somebody gave a number that is nobody's."""
        self._guesses += 1
        if self._guesses >= MAX_GUESSES:
            self.identity = ""

    def answering(self) -> None:
        """Take that this call, if it was made by a transfer, goes well so far."""
        if self._setup is not None:
            self._operations.answer(self._setup)
            self._setup = None

    def ending(self, cause: int | None) -> None:
        """Take that this call ends."""
        if self._setup is not None:
            self._operations.fail(self._setup, "notAvailable" if cause == Cause.USER_BUSY else "rejectedByUser")
            self._setup = None

    # All

    def invoked(self, invoke_id: int, operation: str, argument: Value, now: float) -> list[ServiceEvent]:
        """Take what the far end asks for."""
        match operation:
            case "callTransferInitiate":
                return self._initiated(invoke_id, argument)
            case "callTransferIdentify":
                self._identified(invoke_id, now)
            case "callTransferSetup":
                self._set_up(invoke_id, argument, now)
            case "callTransferAbandon":
                self.identity = ""
        return []

    def _initiated(self, invoke_id: int, argument: Value) -> list[ServiceEvent]:
        aliases, address = decode_endpoint(argument.get("reroutingNumber"))
        if not self._session.signaling.answered or self._initiate is not None:
            self._operations.fail(invoke_id, "invalidCallState")
        elif not aliases and address is None:
            self._operations.fail(invoke_id, "invalidReroutingNumber")
        else:
            self._initiate = invoke_id
            return [TransferRequested(self._session, argument["callIdentity"], aliases, address)]
        return []

    def _identified(self, invoke_id: int, now: float) -> None:
        session = self._session
        if not session.signaling.answered:
            self._operations.fail(invoke_id, "invalidCallState")
            return
        taken = {other.services.transfer.identity for other in session.layers.sessions}
        first = session.layers.rng.randrange(MAX_IDENTITY)
        numbers = (str((first + n) % MAX_IDENTITY + 1) for n in range(MAX_IDENTITY))
        self.identity = next(number for number in numbers if number not in taken)
        self._identity_until, self._guesses = now + IDENTITY_TIME, 0
        endpoint = encode_reached(session.layers.identity.aliases, session.flow)
        self._operations.answer(invoke_id, {"callIdentity": self.identity, "reroutingNumber": endpoint})

    def _set_up(self, invoke_id: int, argument: Value, now: float) -> None:
        session, identity = self._session, argument.get("callIdentity", "")
        if session.outgoing or session.announced:
            self._operations.fail(invoke_id, "invalidCallState")
            return
        self._setup = invoke_id
        if not identity:
            return
        for other in session.layers.sessions:
            if other.services.transfer.is_known_as(identity, now):
                other.services.transfer.identity = ""
                self.replaces = other
                return
        for other in session.layers.sessions:
            other.services.transfer.guessed()
        self._setup = None
        self._operations.fail(invoke_id, "unrecognizedCallIdentity")
        session.finish(Cause.NORMAL_UNSPECIFIED, now, detail="the call that this one was to replace is not there")
