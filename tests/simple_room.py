"""The smallest endpoint and media that a room can work with: they obey their Protocols and remember what was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from firmware.call.call import Call, EndReason, State
from firmware.call.ice import Selected
from firmware.call.media import (
    G722,
    H264_BASELINE,
    TELEPHONE_EVENT,
    Channel,
    Direction,
    Format,
    Kind,
)
from firmware.call.registration import Registration
from firmware.errors import CallError, DeviceError, FirmwareError
from firmware.media import message
from firmware.ports import BUTTONS, PRESS_TIME, Health, TelevisionStatus, View
from firmware.sansio import Address

AUDIO = Channel(Kind.AUDIO, Direction.SEND, (Format(9, G722), Format(101, TELEPHONE_EVENT)), ("127.0.0.1", 20_000))
VIDEO = Channel(Kind.VIDEO, Direction.SEND, (Format(96, H264_BASELINE),), ("127.0.0.1", 20_002))
CHANNELS = (AUDIO, replace(AUDIO, direction=Direction.RECEIVE), VIDEO, replace(VIDEO, direction=Direction.RECEIVE))


class SimpleLeg:
    """A leg whose far end does what the test says, and always agrees to be released or held."""

    call: Call

    def __init__(self, endpoint: SimpleEndpoint) -> None:
        self.asked: list[str] = []
        self._endpoint = endpoint

    def alert(self, *, waiting: bool = False) -> None:
        self.asked.append("alert, waiting" if waiting else "alert")

    def accept(self) -> None:
        self.asked.append("accept")

    def release(self, reason: EndReason) -> None:
        self.asked.append(f"release {reason.name}")
        self.call.released(reason)

    def hold(self, on: bool) -> None:
        self.asked.append("hold" if on else "resume")

    def send_digit(self, digit: str) -> None:
        self.asked.append(f"digit {digit}")

    def way_found(self, local: Address, selected: tuple[Selected, ...]) -> None:
        self.asked.append(f"way of {len(selected)} from {local[0]}")

    def find_way_again(self) -> None:
        self.asked.append("another way")

    def go_on_without(self, kind: Kind) -> None:
        self.asked.append(f"without {kind.value}")

    def request_key_frame(self) -> None:
        self.asked.append("key frame")

    def mute(self, on: bool) -> None:
        self.asked.append("mute" if on else "unmute")

    def transfer(self, address: str) -> None:
        if not self._endpoint.handles(address):
            raise CallError(f"{address} is no {self._endpoint.name} address")
        self.asked.append(f"transfer {address}")

    def transfer_to(self, other: Call) -> None:
        self.asked.append(f"transfer to {other.remote}")

    def follow(self) -> Call:
        self.asked.append("follow")
        return self._endpoint.dial(self.call.transfer_target)

    def refuse_transfer(self, reason: EndReason) -> None:
        self.asked.append(f"refuse transfer {reason.name}")


class SimpleEndpoint:
    """An endpoint whose addresses begin with its scheme; bare ones of digits or letters it takes too."""

    def __init__(self, name: str = "SIP", scheme: str = "sip") -> None:
        self.name = name
        self.scheme = scheme
        self.on_call: Callable[[Call], None] = lambda call: None
        self.on_registrations_changed: Callable[[], None] = lambda: None
        self.registrations: tuple[Registration, ...] = ()
        self.addresses: tuple[str, ...] = (f"{scheme}:room@192.0.2.1",)
        self.legs: dict[str, SimpleLeg] = {}
        self.calls: list[Call] = []
        self.running = False
        self.failure: FirmwareError | None = None

    def handles(self, address: str) -> bool:
        return address.startswith(f"{self.scheme}:")

    def dial(self, address: str) -> Call:
        if ":" in address and not self.handles(address):
            raise CallError(f"{address} is no {self.name} address")
        return self._make(State.DIALING, address if self.handles(address) else f"{self.scheme}:{address}", "")

    def ring(self, remote: str, name: str = "", *, replaces: Call | None = None) -> Call:
        """Let somebody call."""
        call = self._make(State.INCOMING, f"{self.scheme}:{remote}", name)
        call.replaces = replaces
        self.on_call(call)
        return call

    def leg(self, call: Call) -> SimpleLeg:
        return self.legs[call.id]

    def _make(self, state: State, remote: str, name: str) -> Call:
        leg = SimpleLeg(self)
        leg.call = call = Call(leg, state, remote, name)
        self.legs[call.id] = leg
        self.calls.append(call)
        return call

    async def start(self) -> None:
        if self.failure:
            raise self.failure
        self.running = True

    async def stop(self) -> None:
        self.running = False


class SimpleMedia:
    """Media that remember what they were told; the screen is whatever the test puts there."""

    def __init__(self) -> None:
        self.running = True
        self.audio_tick: message.AudioTick | None = None
        self.channels: dict[str, tuple[Channel, ...]] = {}
        self.told: list[tuple[object, ...]] = []
        self.reports: dict[str, message.Statistics] = {}
        self.picture = b""
        self.screenshots = 0

    def apply(self, call_id: str, channels: Iterable[Channel]) -> None:
        self.channels[call_id] = tuple(channels)
        if not self.channels[call_id]:
            del self.channels[call_id]

    def send_digits(self, call_id: str, digits: str) -> None:
        self.told.append(("digits", call_id, digits))

    def force_key_frame(self, call_id: str) -> None:
        self.told.append(("key frame", call_id))

    def freeze_picture(self, call_id: str) -> None:
        self.told.append(("freeze", call_id))

    def mute(self, on: bool) -> None:
        self.told.append(("mute", on))

    def set_volume(self, percent: int) -> None:
        self.told.append(("volume", percent))

    def move_camera(self, pan: float, tilt: float, zoom: float, seconds: float) -> None:
        self.told.append(("move", pan, tilt, zoom, seconds))

    def point_camera(self, view: View) -> None:
        self.told.append(("point", view))

    def statistics(self, call_id: str) -> message.Statistics | None:
        return self.reports.get(call_id)

    async def screenshot(self, image_format: str, width: int, height: int) -> bytes:
        self.screenshots += 1
        if not self.picture:
            raise DeviceError("there is no screen")
        return self.picture


class SimpleButtons:
    """The part of a board that the API presses."""

    def __init__(self, name: str = "sim") -> None:
        self.name = name
        self.pressed: list[str] = []
        self.health = Health()

    def press(self, button: str, seconds: float = PRESS_TIME) -> None:
        if button not in BUTTONS:
            raise DeviceError(f"there is no button {button}")
        self.pressed.append(button if seconds == PRESS_TIME else f"{button} for {seconds:g} s")

    def read_health(self, folder: Path) -> Health:
        return self.health

    def pretend(self, health: Health) -> None:
        self.health = health

    def press_key(self, key: str) -> None:
        self.pressed.append(f"key {key}")


class SimpleTelevision:
    """A television that remembers what it was told; a test sets its status and presses its keys."""

    def __init__(self) -> None:
        self.when_changed: Callable[[], None] | None = None
        self.when_key_pressed: Callable[[str], None] | None = None
        self.status = TelevisionStatus(reachable=True, on=False)
        self.told: list[str] = []

    def become(self, *, reachable: bool = True, on: bool | None = True, shows_room: bool | None = True) -> None:
        self.status = TelevisionStatus(reachable, on, shows_room)
        if self.when_changed is not None:
            self.when_changed()

    def wake(self) -> None:
        self.told.append("wake")

    def standby(self) -> None:
        self.told.append("standby")

    def close(self) -> None:
        self.told.append("close")
