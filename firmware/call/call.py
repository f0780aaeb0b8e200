"""A call, whatever protocol carries it.

Rule 1: every change of a call's state goes through the table in this file.
Rule 2: this file does not know which protocol is in use.  A leg turns the call's commands into messages of its protocol
and reports what the far end did; the room sees only the call.
Rule 3: hold, transfer and media are attributes, not states.

::

    DIALING ──▶ ALERTING ──┐
       └───────────────────┼──▶ CONNECTING ──▶ ACTIVE ──▶ ENDING ──▶ ENDED
    INCOMING ──────────────┘        (hang_up leads from every state to ENDING, released to ENDED)
"""

from __future__ import annotations

import itertools
import logging
from enum import Enum
from typing import TYPE_CHECKING, Final, final

from firmware.call.media import Direction
from firmware.errors import CallError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firmware.call.endpoint import Leg
    from firmware.call.ice import Selected
    from firmware.call.media import Channel, Handshake, Kind
    from firmware.sansio import Address

logger = logging.getLogger(__name__)


class State(Enum):
    """Where a call stands; on the right what leads there in SIP / H.323."""

    DIALING = "dialing"  # we called; nothing heard yet:     INVITE, 100 / Setup, CallProceeding
    ALERTING = "alerting"  # the far end rings:              180, 183 / Alerting
    INCOMING = "incoming"  # the far end called; we ring
    CONNECTING = "connecting"  # answered; media not agreed: 200 with offer / Connect before OLC
    ACTIVE = "active"  # media may flow:                     ACK / channels open
    ENDING = "ending"  # we hung up; far end not done:       BYE, CANCEL / EndSession, ReleaseComplete
    ENDED = "ended"


class EndReason(Enum):
    """Why a call ended, as a person in the room would say it; the value is that sentence."""

    HUNG_UP = "The call was hung up."
    BUSY = "The far end is busy."
    DECLINED = "The far end declined the call."
    NO_ANSWER = "Nobody answered."
    CANCELLED = "The caller gave up."
    NOT_FOUND = "The address is not known there."
    UNREACHABLE = "The far end could not be reached."
    NO_COMMON_MEDIA = "The two sides have no common way to send sound or picture."
    REFUSED = "The far end does not allow the call."
    UNAUTHORIZED = "A password is wanted there, and this unit has none or a wrong one."
    LOST = "The connection was lost."
    NO_WAY = "Sound and picture find no way between the two sides."
    PROTOCOL_ERROR = "The far end sent something that makes no sense."
    NOT_ENCRYPTED = "The two sides could not agree to encrypt the call."
    NOT_TRUSTED = "The far end could not prove who it is."
    LOCAL_ERROR = "This unit could not go on with the call."
    TRANSFERRED = "The call was passed on."
    ELSEWHERE = "The call was answered elsewhere."


class _Step(Enum):
    """What moves a call: commands first, then the leg's reports."""

    ACCEPT = "accept"
    HANG_UP = "hang up"
    ALERTING = "alerting"
    CONNECTED = "connected"
    ESTABLISHED = "established"
    RELEASED = "released"


_TABLE: Final[dict[State, dict[_Step, State]]] = {
    State.DIALING: {
        _Step.ALERTING: State.ALERTING,
        _Step.CONNECTED: State.CONNECTING,
        _Step.ESTABLISHED: State.ACTIVE,
    },
    State.ALERTING: {
        _Step.ALERTING: State.ALERTING,
        _Step.CONNECTED: State.CONNECTING,
        _Step.ESTABLISHED: State.ACTIVE,
    },
    State.INCOMING: {_Step.ACCEPT: State.CONNECTING},
    State.CONNECTING: {_Step.CONNECTED: State.CONNECTING, _Step.ESTABLISHED: State.ACTIVE},
    State.ACTIVE: {_Step.ESTABLISHED: State.ACTIVE},
    # Reports that crossed our hang-up on the way change nothing.
    State.ENDING: {
        _Step.HANG_UP: State.ENDING,
        _Step.ALERTING: State.ENDING,
        _Step.CONNECTED: State.ENDING,
        _Step.ESTABLISHED: State.ENDING,
    },
    State.ENDED: {_Step.HANG_UP: State.ENDED, _Step.RELEASED: State.ENDED},
}
for _state, _row in _TABLE.items():
    if _state is not State.ENDED:
        _row.setdefault(_Step.HANG_UP, State.ENDING)
        _row[_Step.RELEASED] = State.ENDED

_numbers = itertools.count(1)


def _ignore(*_: object) -> None:
    """Stand in for a callback that nobody has set."""


@final
class Call:
    """One call, ours or the far end's.

    The parent sets the callbacks; each is called after the fact, and may give the call its next command.

    Transfer makes a call of its own in the place of this one.  Where the far end wants us to call somebody else, the
    parent may `follow`: it gets the new call, and when that is up, it hangs this one up as TRANSFERRED; if it comes to
    nothing, it says so by `refuse_transfer`, and stays.
    """

    def __init__(self, leg: Leg, state: State, remote: str, remote_name: str = "") -> None:
        self.id: Final = str(next(_numbers))
        self.remote: Final = remote
        """The far end's address, ready to be dialled."""
        self.remote_name = remote_name
        """What the far end calls itself, or ""; never trusted, only shown."""
        self.incoming: Final = state is State.INCOMING
        self.state = state
        self.channels: tuple[Channel, ...] = ()
        self.held = False
        """We put the far end on hold."""
        self.held_by_far_end = False
        self.waiting = False
        """The far end says that our call waits there behind another one."""
        self.replaces: Call | None = None
        """The call in the place of which this incoming one was made, by whom its far end transferred us to."""
        self.transfer_target = ""
        """Whom the far end wants us to call instead, ready to be shown; "": nobody."""
        self.transferring = False
        """We asked for the far end to be with somebody else instead, and nobody has answered yet."""
        self._consulted: Call | None = None
        """The other call of ours whose far end ours is to be joined with."""
        self.end_reason: EndReason | None = None
        self.end_detail = ""
        """The wire's own words, for the log: ``486 Busy Here``, ``Q.850 17``."""
        self.on_change: Callable[[Call], None] = _ignore
        self.on_digit: Callable[[Call, str], None] = _ignore
        self.on_key_frame_request: Callable[[Call], None] = _ignore
        self.on_freeze_request: Callable[[Call], None] = _ignore
        self.on_transfer_request: Callable[[Call], None] = _ignore
        """The far end wants us to call `transfer_target` instead: `follow`, or `refuse_transfer`."""
        self.on_transfer_refused: Callable[[Call, str], None] = _ignore
        """The far end does not call whom we wanted it to; with the wire's own words."""
        self._leg_in_use: Leg | None = leg
        """None once the call has ended: each knows the other, and both are to be gone with the last who cares."""
        self._secured: set[tuple[Address, Handshake | None]] = set()

    @property
    def encrypted(self) -> bool:
        """Whether everything that is sent and received now is encrypted, with keys that only the two ends have; not so
        where nothing is.
        """
        return self._is_encrypted and not self._has_exposed_key

    @property
    def exposed(self) -> bool:
        """Whether everything is encrypted, but with keys that signalling told in the clear: who reads it has them."""
        return self._is_encrypted and self._has_exposed_key

    @property
    def _leg(self) -> Leg:
        if self._leg_in_use is None:
            raise CallError(f"call {self.id} is over")
        return self._leg_in_use

    @property
    def _is_encrypted(self) -> bool:
        flowing = [channel for channel in self.channels if channel.direction is not Direction.NEITHER]
        return bool(flowing) and all(
            channel.crypto is not None or (channel.local, channel.handshake) in self._secured for channel in flowing
        )

    @property
    def _has_exposed_key(self) -> bool:
        return any(channel.crypto is not None and channel.crypto.exposed for channel in self.channels)

    # Commands

    def alert(self, *, waiting: bool = False) -> None:
        """Let the caller know that it rings here, or is *waiting* behind another call.  CallError: not INCOMING."""
        self._require(State.INCOMING)
        self._leg.alert(waiting=waiting)

    def accept(self) -> None:
        """Answer.  CallError: not INCOMING."""
        self._advance(_Step.ACCEPT)
        self._leg.accept()

    def hang_up(self, reason: EndReason = EndReason.HUNG_UP, detail: str = "") -> None:
        """End the call in whatever state it is; a second time does nothing.  *detail* is for the log."""
        if self.state in (State.ENDING, State.ENDED):
            return
        self.end_reason, self.end_detail = reason, detail
        self._advance(_Step.HANG_UP)
        self._leg.release(reason)

    def hold(self, on: bool) -> None:
        """Put the far end on hold, or take it back.  CallError: not ACTIVE."""
        self._require(State.ACTIVE)
        if on is not self.held:
            self.held = on
            self._leg.hold(on)
            self.on_change(self)

    def send_digit(self, digit: str) -> None:
        """Send a digit by signalling, see Leg.send_digit.  CallError: not ACTIVE."""
        self._require(State.ACTIVE)
        self._leg.send_digit(digit)

    def request_key_frame(self) -> None:
        """Ask for a key frame by signalling, see Leg.request_key_frame; nothing in a call that is not ACTIVE."""
        if self.state is State.ACTIVE:
            self._leg.request_key_frame()

    def mute(self, on: bool) -> None:
        """Let the far end know that it hears silence of us, see Leg.mute; nothing in a call that is over."""
        if self.state not in (State.ENDING, State.ENDED):
            self._leg.mute(on)

    def transfer(self, target: str | Call) -> None:
        """Ask the far end to call an address, or the far end of another ACTIVE call, instead.

        This call ends as TRANSFERRED, or `on_transfer_refused` is called.  CallError: not ACTIVE, or asked already, or
        not possible.
        """
        self._require(State.ACTIVE)
        if self.transferring:
            raise CallError(f"call {self.id} is being passed on already")
        if isinstance(target, Call):
            target._require(State.ACTIVE)  # noqa: SLF001
            if target is self or target.transferring:
                raise CallError(f"call {target.id} is being passed on itself")
            self._leg.transfer_to(target)
            self._consulted = target
            target._set_transferring(True)  # noqa: SLF001
        else:
            self._leg.transfer(target)
        self._set_transferring(True)

    def follow(self) -> Call:
        """Call whom the far end wants us to call instead; gives the new call, which is DIALING.

        CallError: nobody wants that (any more), or it can't be done.
        """
        if not self.transfer_target:
            raise CallError(f"call {self.id} is not to be passed on")
        return self._leg.follow()

    def refuse_transfer(self, reason: EndReason) -> None:
        """Tell the far end that we don't call whom it wanted us to, or that it came to nothing, and stay here."""
        if self.transfer_target:
            self.transfer_target = ""
            if self.state not in (State.ENDING, State.ENDED):
                self._leg.refuse_transfer(reason)

    def way_found(self, local: Address, selected: tuple[Selected, ...]) -> None:
        """Tell which way the medium of this address of ours goes, see Leg.way_found."""
        if self.state not in (State.ENDING, State.ENDED):
            self._leg.way_found(local, selected)

    def find_way_again(self) -> None:
        """Look for another way, where media hear nothing by the one that they have, see Leg.find_way_again."""
        if self.state is State.ACTIVE:
            self._leg.find_way_again()

    def go_on_without(self, kind: Kind) -> None:
        """End a medium that finds no way, where another one has found its, see Leg.go_on_without."""
        if self.state is State.ACTIVE:
            self._leg.go_on_without(kind)

    # Reports from the leg

    def alerting(self, *, waiting: bool = False) -> None:
        """The far end rings; or our call is *waiting* there behind another one."""
        self.waiting = self.waiting or waiting
        self._advance(_Step.ALERTING)

    def connected(self) -> None:
        """The far end answered; what to send is not agreed yet."""
        self._advance(_Step.CONNECTED)

    def established(self, channels: Sequence[Channel]) -> None:
        """Both sides agreed: media may flow."""
        self.channels = tuple(channels)
        self._advance(_Step.ESTABLISHED)

    def media_changed(self, channels: Sequence[Channel], held_by_far_end: bool = False) -> None:
        """Other channels than before: early media, hold, or a change during the call."""
        self.channels, self.held_by_far_end = tuple(channels), held_by_far_end
        if channels:  # without any the call is on hold, and its keys are not forgotten
            self._secured &= {(channel.local, channel.handshake) for channel in channels}
        self.on_change(self)

    def secured(self, local: Address, handshake: Handshake) -> None:
        """What is sent from and comes to this address is encrypted: its handshake has come to keys."""
        self._secured.add((local, handshake))
        self.on_change(self)

    def digit_received(self, digit: str) -> None:
        """The far end sent a digit by signalling."""
        self.on_digit(self, digit)

    def key_frame_requested(self) -> None:
        """The far end asks our encoder for a key frame by signalling."""
        self.on_key_frame_request(self)

    def freeze_requested(self) -> None:
        """The far end wants its picture to stand still here until it sends one that depends on no other."""
        self.on_freeze_request(self)

    def hold_refused(self, on: bool) -> None:
        """The far end did not agree to be put on hold (or taken back): all stays as it was."""
        self.held = not on
        self.on_change(self)

    def transfer_requested(self, target: str) -> None:
        """The far end wants us to call somebody else instead, whether it has answered or not."""
        if self.state not in (State.ENDING, State.ENDED):
            self.transfer_target = target
            self.on_transfer_request(self)

    def transfer_refused(self, detail: str) -> None:
        """The far end does not call whom we wanted it to, and the call goes on."""
        if self._consulted is not None:
            self._consulted._set_transferring(False)  # noqa: SLF001
            self._consulted = None
        self._set_transferring(False)
        self.on_transfer_refused(self, detail)

    def released(self, reason: EndReason, detail: str = "") -> None:
        """The call is over; the first reason counts.

        Who hangs up after being asked to be with somebody else is taken to be there.
        """
        if self.state is State.ENDED:
            return
        if self.transferring and reason is EndReason.HUNG_UP:
            reason = EndReason.TRANSFERRED
        self.end_reason = self.end_reason or reason
        self.end_detail = self.end_detail or detail
        self.channels = ()
        self._leg_in_use = None
        self._advance(_Step.RELEASED)
        consulted, self._consulted = self._consulted, None
        if consulted is not None and self.end_reason is EndReason.TRANSFERRED:
            consulted.hang_up(EndReason.TRANSFERRED)
        elif consulted is not None:
            consulted._set_transferring(False)  # noqa: SLF001

    def _set_transferring(self, on: bool) -> None:
        self.transferring = on
        self.on_change(self)

    def _require(self, state: State) -> None:
        if self.state is not state:
            raise CallError(f"call {self.id} is {self.state.value}, not {state.value}")

    def _advance(self, step: _Step) -> None:
        try:
            state = _TABLE[self.state][step]
        except KeyError:
            raise CallError(f"call {self.id} is {self.state.value}: {step.value} makes no sense now") from None
        if state is not self.state:
            self.state = state
            reason = f": {self.end_reason.value} {self.end_detail}" if self.end_reason and state is State.ENDED else ""
            logger.info("= call %s %s %s%s", self.id, self.remote, state.value, reason.rstrip())
        self.on_change(self)
