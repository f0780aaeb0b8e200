"""Which end decides where both can't have their way: the master slave determination of H.245 C.2 (MSDSE).

Both ends say what kind of terminal they are, and draw a number; from the two pairs each works out the same result,
tells the other (MasterSlaveDeterminationAck) and hears it from the other.  Equal kinds with equal numbers, or numbers
half the circle apart, decide nothing: both draw again.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from firmware.h323.control.events import Determined
from firmware.h323.control.procedure import Machine, Procedure

if TYPE_CHECKING:
    from random import Random

    from firmware.asn1 import Value
    from firmware.h323.control.link import Link

T106: Final = 10.0
"""Seconds; how long to wait for an acknowledgement (H.245 C.2.3.3; its value is left to the system)."""
N100: Final = 10
"""How often numbers are drawn before it is given up (C.2.3.4: "N100"; its value is left to the system)."""
ATTEMPTS: Final = 3
"""H.323 8.2: a determination that fails is retried at least twice before the call is abandoned."""

_CIRCLE: Final = 2**24
"""How many numbers there are to draw from (C.2.3.2: sv_SDNUM)."""


class State(Enum):
    """The boxes of the figure (C.2.2.3)."""

    IDLE = "idle"
    OUTGOING = "outgoing awaiting response"
    INCOMING = "incoming awaiting response"


class Input(Enum):
    """What the figure receives."""

    DETERMINE_REQUEST = "DETERMINE.request"
    DETERMINATION = "MasterSlaveDetermination"
    INDETERMINATE = "MasterSlaveDetermination, indeterminate"
    INDETERMINATE_LAST = "MasterSlaveDetermination, indeterminate, sv_NCOUNT = N100"
    ACK = "MasterSlaveDeterminationAck"
    ACK_INCONSISTENT = "MasterSlaveDeterminationAck, not sv_STATUS"
    REJECT = "MasterSlaveDeterminationReject"
    REJECT_LAST = "MasterSlaveDeterminationReject, sv_NCOUNT = N100"
    RELEASE = "MasterSlaveDeterminationRelease"
    T106_EXPIRY = "T106 expiry"


class Output(Enum):
    """What the figure sends; the values of the errors are the codes of ERROR.indication."""

    DRAW = "sv_SDNUM := random, sv_NCOUNT + 1"
    SEND_DETERMINATION = "MasterSlaveDetermination"
    SEND_ACK = "MasterSlaveDeterminationAck"
    SEND_REJECT = "MasterSlaveDeterminationReject"
    SEND_RELEASE = "MasterSlaveDeterminationRelease"
    TAKE_RESULT = "sv_STATUS := result"
    CONFIRM = "DETERMINE.confirm"
    REJECT_INDICATION = "REJECT.indication"
    ERROR_A = "A"  # no response
    ERROR_B = "B"  # the far end had no response
    ERROR_C = "C"  # a determination out of turn
    ERROR_D = "D"  # a rejection out of turn
    ERROR_E = "E"  # the two ends' results contradict each other
    ERROR_F = "F"  # too many draws


_S, _I, _O = State, Input, Output
_DRAW: Final = (_S.OUTGOING, (_O.DRAW, _O.SEND_DETERMINATION))
_TAKE: Final = (_S.INCOMING, (_O.TAKE_RESULT, _O.SEND_ACK))

# H.245 C.2.4, the figures of the MSDSE.  There is no DETERMINE.indication: a result counts once it is confirmed.
MSDSE: Final[Machine[State, Input, Output]] = Machine(
    "MSDSE",
    _S.IDLE,
    {
        _S.IDLE: {
            _I.DETERMINE_REQUEST: _DRAW,
            _I.DETERMINATION: _TAKE,
            _I.INDETERMINATE: (_S.IDLE, (_O.SEND_REJECT,)),
        },
        _S.OUTGOING: {
            _I.DETERMINATION: _TAKE,
            _I.INDETERMINATE: _DRAW,
            _I.INDETERMINATE_LAST: (_S.IDLE, (_O.ERROR_F, _O.REJECT_INDICATION)),
            _I.ACK: (_S.IDLE, (_O.TAKE_RESULT, _O.SEND_ACK, _O.CONFIRM)),
            _I.REJECT: _DRAW,
            _I.REJECT_LAST: (_S.IDLE, (_O.ERROR_F, _O.REJECT_INDICATION)),
            _I.RELEASE: (_S.IDLE, (_O.ERROR_B, _O.REJECT_INDICATION)),
            _I.T106_EXPIRY: (_S.IDLE, (_O.SEND_RELEASE, _O.ERROR_A, _O.REJECT_INDICATION)),
        },
        _S.INCOMING: {
            _I.DETERMINATION: (_S.IDLE, (_O.ERROR_C, _O.REJECT_INDICATION)),
            _I.INDETERMINATE: (_S.IDLE, (_O.ERROR_C, _O.REJECT_INDICATION)),
            _I.ACK: (_S.IDLE, (_O.CONFIRM,)),
            _I.ACK_INCONSISTENT: (_S.IDLE, (_O.ERROR_E, _O.REJECT_INDICATION)),
            _I.REJECT: (_S.IDLE, (_O.ERROR_D, _O.REJECT_INDICATION)),
            _I.RELEASE: (_S.IDLE, (_O.ERROR_B, _O.REJECT_INDICATION)),
            _I.T106_EXPIRY: (_S.IDLE, (_O.ERROR_A, _O.REJECT_INDICATION)),
        },
    },
    {_S.OUTGOING: T106, _S.INCOMING: T106},
    _I.T106_EXPIRY,
)


class MasterSlave(Procedure[State, Input, Output]):
    """The determination of one call."""

    def __init__(self, link: Link, rng: Random, terminal_type: int) -> None:
        super().__init__(MSDSE, link)
        self.terminal_type: Final = terminal_type
        self.master: bool | None = None
        """Whether we are master, as far as we know; None: nothing is confirmed yet."""
        self._before: bool | None = None
        """What we were when it began anew."""
        self._rng = rng
        self._number = rng.randrange(_CIRCLE)
        self._draws = 0
        self._attempts = 0
        self._result = False
        self._status = False

    @property
    def number(self) -> int:
        """Our statusDeterminationNumber."""
        return self._number

    def start(self, now: float) -> None:
        """Determine, unless that is done or under way already."""
        if self.state is State.IDLE and self.master is None:
            self._attempts += 1
            self._draws = 0
            self._take(Input.DETERMINE_REQUEST, now)

    def restart(self, now: float) -> None:
        """Determine anew, unless that is under way; what was known holds where nothing comes of it."""
        if self.state is State.IDLE:
            self._before, self.master = self.master, None
            self._attempts = 0
            self.start(now)

    def determination_received(self, message: Value, now: float) -> None:
        """Take a MasterSlaveDetermination."""
        result = self._compare(message["terminalType"], message["statusDeterminationNumber"])
        if result is None:
            self._take(Input.INDETERMINATE_LAST if self._drawn_enough else Input.INDETERMINATE, now)
        else:
            self._result = result
            self._take(Input.DETERMINATION, now)

    def ack_received(self, message: Value, now: float) -> None:
        """Take a MasterSlaveDeterminationAck; its decision is what we are."""
        result = message["decision"][0] == "master"
        if self.state is State.INCOMING and result != self._status:
            self._take(Input.ACK_INCONSISTENT, now)
        else:
            self._result = result
            self._take(Input.ACK, now)

    def reject_received(self, now: float) -> None:
        """Take a MasterSlaveDeterminationReject: the far end found the numbers indeterminate."""
        self._take(Input.REJECT_LAST if self._drawn_enough else Input.REJECT, now)

    def release_received(self, now: float) -> None:
        """Take a MasterSlaveDeterminationRelease: the far end gave up."""
        self._take(Input.RELEASE, now)

    @property
    def _drawn_enough(self) -> bool:
        # The figure asks for sv_NCOUNT in this state only.
        return self.state is State.OUTGOING and self._draws >= N100

    def _compare(self, terminal_type: int, number: int) -> bool | None:
        # C.2.4: the larger terminal type is master; among equals the numbers decide, on a circle of 2^24.
        if terminal_type != self.terminal_type:
            return self.terminal_type > terminal_type
        ahead = (number - self._number) % _CIRCLE
        if ahead in (0, _CIRCLE // 2):
            return None
        return ahead < _CIRCLE // 2

    def _put(self, output: Output, now: float, /) -> None:
        match output:
            case Output.DRAW:
                self._number = self._rng.randrange(_CIRCLE)
                self._draws += 1
            case Output.SEND_DETERMINATION:
                self.link.request(
                    "masterSlaveDetermination",
                    {"terminalType": self.terminal_type, "statusDeterminationNumber": self._number},
                )
            case Output.SEND_ACK:
                # C.2.4: the decision is the far end's role, the opposite of ours.
                decision = "slave" if self._status else "master"
                self.link.respond("masterSlaveDeterminationAck", {"decision": (decision, None)})
            case Output.SEND_REJECT:
                self.link.respond("masterSlaveDeterminationReject", {"cause": ("identicalNumbers", None)})
            case Output.SEND_RELEASE:
                self.link.indicate("masterSlaveDeterminationRelease", {})
            case Output.TAKE_RESULT:
                self._status = self._result
            case Output.CONFIRM:
                self._attempts = 0
                self.master, self._before = self._status, None
                self.link.report(Determined(self._status))
            case Output.REJECT_INDICATION:
                self._retry(now)
            case _:
                self.link.errors[f"MSDSE {output.value}"] += 1

    def _retry(self, now: float) -> None:
        self.master = None
        if self._attempts < ATTEMPTS:
            self.start(now)
        elif self._before is not None:
            self.master = self._before
            self.link.report(Determined(self._before))
        else:
            self.link.fail("master slave determination")
