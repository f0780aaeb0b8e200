"""What a signalling protocol is to the room (Endpoint) and to one call (Leg)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from firmware.call.call import Call, EndReason
    from firmware.call.ice import Selected
    from firmware.call.media import Kind
    from firmware.call.registration import Registration
    from firmware.sansio import Address


class Leg(Protocol):
    """What a protocol does for one call.  Each command returns at once; what comes of it is reported to the call."""

    def alert(self, *, waiting: bool = False) -> None:
        """Tell the caller that we ring (SIP 180, H.225 Alerting), or that it is *waiting* behind another call."""

    def accept(self) -> None:
        """Answer the incoming call with what the unit can do; ``established`` follows, or ``released``."""

    def release(self, reason: EndReason) -> None:
        """End the call in any state: refuse, cancel or clear.  ``released`` always follows.

        TRANSFERRED: what the far end asked for by ``transfer_requested`` is done.
        """

    def hold(self, on: bool) -> None:
        """Stop, or start again, both directions of all media; ``media_changed`` follows."""

    def send_digit(self, digit: str) -> None:
        """Send one of ``0-9 * # A-D`` by signalling; asked only where the channels carry no telephone-event."""

    def way_found(self, local: Address, selected: tuple[Selected, ...]) -> None:
        """Learn which pairs of candidates were chosen for the medium of this address of ours, where ICE was agreed."""

    def find_way_again(self) -> None:
        """Agree with the far end on another search for ways (ICE restart); ``media_changed`` follows if it does.

        Nothing, where one is under way, or too many have come to nothing.
        """

    def go_on_without(self, kind: Kind) -> None:
        """End a medium that finds no way; ``media_changed`` follows, or the far end does so."""

    def request_key_frame(self) -> None:
        """Ask the far end's encoder for a key frame by signalling; asked only where RTCP feedback can't."""

    def mute(self, on: bool) -> None:
        """Tell the far end, in whatever state the call is, that our sound is silence now, or is worth hearing again.

        Nothing, where the protocol has no word for it: silence is sent in any case.
        """

    def transfer(self, address: str) -> None:
        """Ask the far end to call this address instead; ``released`` or ``transfer_refused`` follows.

        CallError: it is no address, or the protocol can't.
        """

    def transfer_to(self, other: Call) -> None:
        """Ask the far end to take our place in this call; what follows is that of ``transfer``, for both calls.

        CallError: it is a call of another kind, or the protocol can't.
        """

    def follow(self) -> Call:
        """Make the call that was asked for by ``transfer_requested``.  CallError: it can't be made."""

    def refuse_transfer(self, reason: EndReason) -> None:
        """Tell the far end that what it asked for by ``transfer_requested`` came to nothing."""


class Endpoint(Protocol):
    """One signalling protocol, ready to make and take calls."""

    name: str
    """For people: ``SIP``, ``H.323``."""
    on_call: Callable[[Call], None]
    """Called with every incoming call, state INCOMING; the room sets it."""

    on_registrations_changed: Callable[[], None]
    """Called when `registrations` has changed; the room sets it."""

    @property
    def registrations(self) -> tuple[Registration, ...]:
        """Where this unit registers, and how that stands; none where the settings name nobody."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """What others dial to reach this unit, ready to be shown."""

    def handles(self, address: str) -> bool:
        """Whether the address is, beyond doubt, of this protocol (``sip:``, ``h323:``)."""

    def dial(self, address: str) -> Call:
        """Call the address; the call is DIALING when this returns.  CallError: it is no address."""

    async def start(self) -> None:
        """Listen.  FirmwareError: can't, and why (the address in use, say)."""

    def network_changed(self) -> None:
        """Learn that this machine's addresses are others than before: servers and far ends may have to know."""

    async def stop(self) -> None:
        """End all calls politely, within 2 s, and stop listening."""
