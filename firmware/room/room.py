"""The room: its commands, and what it does by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from firmware.call.call import Call, EndReason, State
from firmware.call.media import Channel, Direction
from firmware.errors import CallError, FirmwareError
from firmware.media import message
from firmware.ports import DEVICES
from firmware.room import transfer
from firmware.room.camera import Camera
from firmware.room.line import Line
from firmware.room.state import Notice, RoomState

if TYPE_CHECKING:
    from firmware import config
    from firmware.call.endpoint import Endpoint
    from firmware.ports import Health
    from firmware.room.media import Media
    from firmware.room.television import Television

logger = logging.getLogger(__name__)

NOTICE_TIME: Final = 5.0
"""How long the room says why a call ended, s."""
MAX_ADDRESS: Final = 256
"""Characters of an address that can be dialled."""
MAX_DIGITS: Final = 64
"""Digits in one command."""
DIGITS: Final = frozenset("0123456789*#ABCD")
"""What a telephone keypad can send (RFC 4733 3.2)."""


class NoSuchCallError(CallError):
    """There is no call of that number, or none in a state that the command is for."""


class Room:
    """One conference room.  `start` before any command; all on the event loop that runs then."""

    def __init__(
        self,
        settings: config.Room,
        endpoints: Sequence[Endpoint],
        media: Media,
        absent: frozenset[str] = frozenset(),
    ) -> None:
        """*absent*: see `firmware.ports.Board`."""
        self._settings = settings
        self._absent = absent
        self._endpoints = tuple(endpoints)
        self._media = media
        self._lines: dict[str, Line] = {}
        self._muted = False
        self._volume = settings.volume
        self._notice: Notice | None = None
        self._notice_timer: asyncio.TimerHandle | None = None
        self._faults: dict[str, str] = {}
        self._failed_at_start: set[str] = set()
        """Devices that the media process which is just starting could not open."""
        self.camera = Camera(media, self._changed)
        """Where it looks, and what moves it."""
        self.television: Television | None = None
        """What switches the television; None: nothing does."""
        self.when_touched: set[Callable[[], None]] = set()
        """Called when somebody in the room has pressed a button or a key."""
        self.health: Health | None = None
        """How the machine was a moment ago; None: not looked at yet."""
        self._warnings: tuple[str, ...] = ()
        self._addresses: tuple[str, ...] = ()
        self._subscribers: list[Callable[[RoomState], None]] = []
        self._publishing = False
        self._published: RoomState | None = None
        self._loop: asyncio.AbstractEventLoop

    async def start(self) -> None:
        """Take calls.  FirmwareError: an endpoint can't listen, and why; then nothing listens."""
        self._loop = asyncio.get_running_loop()
        self._media.set_volume(self._volume)
        started: list[Endpoint] = []
        for endpoint in self._endpoints:
            endpoint.on_call = self._called
            endpoint.on_registrations_changed = self._registrations_changed
            try:
                await endpoint.start()
            except FirmwareError:
                await asyncio.gather(*(other.stop() for other in started))
                raise
            started.append(endpoint)
        self._registrations_changed()

    async def stop(self) -> None:
        """End all calls politely, within 2 s, and take no more."""
        for line in list(self._lines.values()):
            line.stop_timers()
            line.call.hang_up()
        if self._notice_timer is not None:
            self._notice_timer.cancel()
        await asyncio.gather(*(endpoint.stop() for endpoint in self._endpoints))
        await self.camera.stop()

    # State

    @property
    def state(self) -> RoomState:
        """The room as it is now."""
        return RoomState(
            name=self._settings.name,
            ready=self._media.running,
            addresses=self._addresses,
            calls=tuple(line.view() for line in self._lines.values()),
            muted=self._muted,
            volume=self._volume,
            notice=self._notice,
            faults=tuple(self._faults.values()),
            absent=tuple(device for device in DEVICES if device in self._absent),
            registrations=tuple(one for endpoint in self._endpoints for one in endpoint.registrations),
            television=self.television.status if self.television is not None else None,
            warnings=self._warnings,
            camera=self.camera.state,
        )

    def subscribe(self, on_state: Callable[[RoomState], None]) -> Callable[[], None]:
        """Call *on_state* with each new state from now on; what is returned ends that."""
        self._subscribers.append(on_state)

        def unsubscribe() -> None:
            if on_state in self._subscribers:
                self._subscribers.remove(on_state)

        return unsubscribe

    def statistics(self, call_id: str) -> message.Statistics | None:
        """What flowed in the last second; None: nothing yet.  NoSuchCallError."""
        self._line(call_id)
        return self._media.statistics(call_id)

    @property
    def audio_tick(self) -> message.AudioTick | None:
        """How late the audio tick was in the last second that there was sound; None: there was none."""
        return self._media.audio_tick

    async def screenshot(self, image_format: str = "png", width: int = 1280, height: int = 720) -> bytes:
        """What is on the screen, as ``png`` or ``jpeg``.  DeviceError: there is no screen, or it gives nothing now."""
        return await self._media.screenshot(image_format, width, height)

    # Commands

    def dial(self, address: str) -> str:
        """Call an address and give the call's number.  CallError: it is no address, or no call is free."""
        address = _checked(address)
        if self._live() >= self._settings.max_calls:
            raise CallError(f"this room takes part in {self._settings.max_calls} calls at most")
        return self._take_up(self._dial_first(address, self._endpoints_for(address))).call.id

    def answer(self, call_id: str | None = None) -> str:
        """Answer this call, or the one that rings longest.  CallError: it doesn't ring."""
        line = self._pick(call_id, (State.INCOMING,), "no call is ringing")
        line.stop_timers("answer")
        line.call.accept()
        return line.call.id

    def hang_up(self, call_id: str | None = None) -> str:
        """End this call, or the foremost one: that which is talked in, then one being made, one ringing, one held."""
        line = self._line(call_id) if call_id is not None else self._foremost()
        ringing = line.call.state is State.INCOMING
        line.call.hang_up(EndReason.DECLINED if ringing else EndReason.HUNG_UP)
        return line.call.id

    def hold(self, call_id: str) -> None:
        """Put this call on hold.  CallError: it isn't active."""
        line = self._line(call_id)
        line.held_by_room = False
        line.call.hold(True)

    def resume(self, call_id: str) -> None:
        """Take this call off hold; others go on hold as the settings say.  CallError: it isn't active."""
        line = self._line(call_id)
        line.held_by_room = False
        line.call.hold(False)
        self._hold_others(line)

    def transfer(self, call_id: str, address: str) -> None:
        """Have this call's far end call an address instead.  CallError: it is none, or that can't be done (now)."""
        self._line(call_id).call.transfer(_checked(address))

    def join(self, call_id: str, other_id: str) -> None:
        """Have the far ends of these two calls talk to each other instead.  CallError: that can't be done (now)."""
        self._line(call_id).call.transfer(self._line(other_id).call)

    def send_digits(self, call_id: str, digits: str) -> None:
        """Send ``0-9 * # A-D``.  CallError: others, or too many, or the call isn't active."""
        line = self._line(call_id)
        digits = digits.upper()
        if not digits or len(digits) > MAX_DIGITS or not DIGITS.issuperset(digits):
            raise CallError(f"digits are 1 to {MAX_DIGITS} of 0-9 * # A B C D")
        if line.call.state is not State.ACTIVE:
            raise CallError(f"call {call_id} is {line.call.state.value}, not {State.ACTIVE.value}")
        if any(c.direction is Direction.SEND and c.telephone_event for c in line.call.channels):
            self._media.send_digits(call_id, digits)
        else:
            for digit in digits:
                line.call.send_digit(digit)

    def set_mute(self, on: bool) -> None:
        """Send silence instead of the room's sound, or the sound again."""
        self._muted = on
        self._media.mute(on)
        for line in self._lines.values():
            line.call.mute(self._silent)
        self._changed()

    def set_volume(self, percent: int) -> None:
        """Set the speaker's loudness; what is beyond 0 to 100 is taken as the nearest."""
        self._volume = min(100, max(0, percent))
        self._media.set_volume(self._volume)
        self._changed()

    def set_fault(self, device: str, reason: str) -> None:
        """Say that a device, or several of a kind, can't be used; the room goes on without."""
        logger.warning("= no %s: %s", device, reason)
        self._faults[device] = f"The {device} {'do' if device.endswith('s') else 'does'} not work: {reason}"
        self._changed()

    def clear_fault(self, device: str) -> None:
        """Say no more that this device can't be used."""
        if self._faults.pop(device, None) is not None:
            logger.info("= the %s works again", device)
            self._changed()

    def set_health(self, health: Health, warnings: tuple[str, ...]) -> None:
        """Say how the machine is, and what of that people ought to know."""
        self.health, self._warnings = health, warnings
        self._changed()

    def device_changed(self) -> None:
        """Hear that there is another status of the television."""
        self._changed()

    # What the room does by itself

    def _registrations_changed(self) -> None:
        # Who is registered is called by another address than before.
        self._addresses = tuple(address for endpoint in self._endpoints for address in endpoint.addresses)
        self._changed()

    def _called(self, call: Call) -> None:
        if call.replaces is not None and call.replaces.id in self._lines and not self._has_successor(call.replaces):
            # Whoever is in that call transferred it to the new far end (RFC 3891 3, H.450.2): nobody is to be asked.
            line = self._add(call)
            line.instead_of = call.replaces
            call.accept()
            return
        others = self._live()
        if others >= self._settings.max_calls:
            call.hang_up(EndReason.BUSY)
            return
        line = self._add(call)
        if self._settings.auto_answer and (others == 0 or self._settings.several_calls == "together"):
            if self._settings.answer_delay == 0:
                call.accept()
                return
            line.start_timer("answer", self._loop.call_later(self._settings.answer_delay, self.answer, call.id))
        line.start_timer("ring", self._loop.call_later(self._settings.ring_time, call.hang_up, EndReason.NO_ANSWER))
        call.alert(waiting=others > 0)
        self._changed()

    def _transfer_requested(self, call: Call) -> None:
        line = self._lines.get(call.id)
        allowed = self._settings.follow_transfers and not self._has_successor(call)
        new = transfer.follow(line, allowed=allowed) if line is not None else None
        if line is not None and new is not None:
            self._take_up(new, instead_of=call, hops=line.hops + 1)

    def _has_successor(self, call: Call) -> bool:
        """Whether another call is being made in the place of this one already: each has one at most, so that no far
        end makes us take part in more calls than that.
        """
        return any(line.instead_of is call for line in self._lines.values())

    def _transfer_refused(self, call: Call, detail: str) -> None:
        logger.info("= call %s %s is not passed on: %s", call.id, call.remote, detail)
        self._give_notice(call, "The call could not be passed on.")

    def _call_changed(self, call: Call) -> None:
        line = self._lines.get(call.id)
        if line is None:
            return
        before, line.seen = line.seen, call.state
        if call.state not in (State.DIALING, State.ALERTING, State.INCOMING):
            line.stop_timers("ring", "answer")
        self._apply(line, () if call.state in (State.ENDING, State.ENDED) else call.channels)
        transfer.settle(line)
        if call.state is State.ACTIVE and before is not State.ACTIVE:
            line.active_since = line.expected_since = self._loop.time()
            self._hold_others(line)
        held = call.held or call.held_by_far_end
        if line.held and not held:
            line.expected_since = self._loop.time()
        line.held = held
        if call.state in (State.ENDING, State.ENDED) and before not in (State.ENDING, State.ENDED):
            line.stop_timers()
            self._resume_last()
        if call.state is State.ENDED:
            del self._lines[call.id]
            self._say(line)
        self._changed()

    def _apply(self, line: Line, channels: tuple[Channel, ...]) -> None:
        if channels != line.applied:
            line.applied = channels
            self._media.apply(line.call.id, channels)

    def _hold_others(self, line: Line) -> None:
        if self._settings.several_calls == "together":
            return
        for other in list(self._lines.values()):
            if other is not line and other.call.state is State.ACTIVE and not other.call.held:
                other.held_by_room = True
                other.call.hold(True)

    def _resume_last(self) -> None:
        """Take the only call that is left off hold, where the room had put it there for another."""
        left = [line for line in self._lines.values() if line.call.state not in (State.ENDING, State.ENDED)]
        if len(left) == 1 and left[0].held_by_room and left[0].call.state is State.ACTIVE:
            left[0].held_by_room = False
            left[0].call.hold(False)

    def handle_report(self, report: message.Report) -> None:
        """Take what the media process says; the parent gives every report here."""
        match report:
            case message.Ready():
                for device in set(DEVICES) - self._failed_at_start:
                    self._faults.pop(device, None)  # a new process opens them anew
                self._failed_at_start.clear()
                self._changed()
            case message.Gone():
                self.camera.take(message.CameraView())
            case message.DeviceFailed() | message.DeviceRestored():
                self._device_changed(report)
            case message.CameraView():
                self.camera.take(report)
            case message.ChannelFailed(call_id=call_id, kind=kind, direction=direction, reason=reason):
                logger.warning("= call %s: no %s to %s: %s", call_id, kind.value, direction.value, reason)
            case message.DigitReceived(call_id=call_id, digit=digit):
                self._digit(call_id, digit)
            case message.MediaSilent(call_id=call_id, seconds=seconds) if call_id in self._lines:
                self._heard_silence(self._lines[call_id], seconds)
            case (
                message.Secured(call_id=call_id)
                | message.NotSecured(call_id=call_id)
                | message.WayFound(call_id=call_id)
                | message.WayDoubtful(call_id=call_id)
                | message.WayLost(call_id=call_id)
                | message.KeyFrameWanted(call_id=call_id)
            ) if call_id in self._lines:
                self._lines[call_id].take(report)

    def _device_changed(self, report: message.DeviceFailed | message.DeviceRestored) -> None:
        if isinstance(report, message.DeviceRestored):
            self._failed_at_start.discard(report.device)
            self.clear_fault(report.device)
            return
        if not self._media.running:
            self._failed_at_start.add(report.device)
        self.set_fault(report.device, report.reason)

    def _digit(self, call_id: str, digit: str) -> None:
        if call_id in self._lines:
            self._lines[call_id].add_digit(digit)
            self._changed()

    def _heard_silence(self, line: Line, seconds: float) -> None:
        line.stop_timers("silence")
        if seconds > 0 and line.call.state is State.ACTIVE and not line.held:
            silent = min(seconds, self._loop.time() - line.expected_since)
            wait = self._settings.silence_time - silent
            line.start_timer("silence", self._loop.call_later(wait, self._give_up, line))

    def _give_up(self, line: Line) -> None:
        if not line.held:  # nothing has to come then; once it has to, the media report silence again
            line.call.hang_up(EndReason.LOST if line.has_way else EndReason.NO_WAY)

    # Help

    @property
    def _silent(self) -> bool:
        """Whether the far ends hear nothing of this room."""
        return self._muted or "microphone" in self._absent

    def _live(self) -> int:
        return sum(line.call.state not in (State.ENDING, State.ENDED) for line in self._lines.values())

    def _endpoints_for(self, address: str) -> list[Endpoint]:
        sure = [endpoint for endpoint in self._endpoints if endpoint.handles(address)]
        return sure or sorted(self._endpoints, key=lambda e: e.name != self._settings.default_protocol)

    def _dial_first(self, address: str, endpoints: Iterable[Endpoint]) -> Call:
        refused = CallError("no protocol for calls is enabled")
        for endpoint in endpoints:
            try:
                return endpoint.dial(address)
            except CallError as error:
                refused = error
        raise refused

    def _take_up(self, call: Call, *, instead_of: Call | None = None, hops: int = 0) -> Line:
        """Keep a call that was just dialled."""
        line = self._add(call)
        line.instead_of, line.hops = instead_of, hops
        line.start_timer("ring", self._loop.call_later(self._settings.ring_time, call.hang_up, EndReason.NO_ANSWER))
        self._call_changed(call)  # it may have been refused at once
        return line

    def _add(self, call: Call) -> Line:
        line = self._lines[call.id] = Line(call)
        call.on_change = self._call_changed
        call.on_key_frame_request = lambda call: self._media.force_key_frame(call.id)
        call.on_freeze_request = lambda call: self._media.freeze_picture(call.id)
        call.on_digit = lambda call, digit: self._digit(call.id, digit)
        call.on_transfer_request = self._transfer_requested
        call.on_transfer_refused = self._transfer_refused
        if self._silent:
            call.mute(True)
        return line

    def _line(self, call_id: str) -> Line:
        try:
            return self._lines[call_id]
        except KeyError:
            raise NoSuchCallError(f"there is no call {call_id}") from None

    def _pick(self, call_id: str | None, states: tuple[State, ...], nothing: str) -> Line:
        if call_id is not None:
            return self._line(call_id)
        line = next((line for line in self._lines.values() if line.call.state in states), None)
        if line is None:
            raise NoSuchCallError(nothing)
        return line

    def _foremost(self) -> Line:
        order = (State.ACTIVE, State.CONNECTING, State.ALERTING, State.DIALING, State.INCOMING)
        live = [line for line in self._lines.values() if line.call.state in order]
        if not live:
            raise NoSuchCallError("there is no call")
        return min(live, key=lambda line: (line.call.held, order.index(line.call.state)))

    def _say(self, line: Line) -> None:
        """Say why a call has ended, unless the room itself refused it."""
        reason = line.call.end_reason or EndReason.HUNG_UP
        if line.call.incoming and reason is EndReason.DECLINED:
            return
        self._give_notice(line.call, reason.value)

    def _give_notice(self, call: Call, text: str) -> None:
        self._notice = Notice(Line(call).view().title, text)
        if self._notice_timer is not None:
            self._notice_timer.cancel()
        self._notice_timer = self._loop.call_later(NOTICE_TIME, self._say_nothing)

    def _say_nothing(self) -> None:
        self._notice = None
        self._changed()

    def _changed(self) -> None:
        if not self._publishing:
            self._publishing = True
            self._loop.call_soon(self._publish)

    def _publish(self) -> None:
        self._publishing = False
        state = self.state
        if state == self._published:
            return
        self._published = state
        for on_state in tuple(self._subscribers):
            try:
                on_state(state)
            except Exception:  # DESIGN: a listener is a border; the others still hear of it
                logger.exception("a listener of the room failed")


def _checked(address: str) -> str:
    address = address.strip()
    if not address or len(address) > MAX_ADDRESS or not address.isprintable():
        raise CallError(f"an address has 1 to {MAX_ADDRESS} characters that can be shown")
    return address
