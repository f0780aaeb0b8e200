"""The Raspberry Pi's board: finds its devices and opens those that the settings or, without one, sense chooses."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeVar

from board.digital_zoom import DigitalZoom
from board.settings import PiSettings, absent, read
from firmware.errors import DeviceError
from firmware.ports import PRESS_TIME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from board.gpio import Gpio
    from board.pi.own_encoder import Doubt
    from board.pi.presence import Presence
    from firmware.ports import (
        BoardSettings,
        Button,
        Camera,
        Display,
        Health,
        Lamp,
        Microphone,
        PictureDecoder,
        Speaker,
        Television,
        Watchdog,
    )


class _Device(Protocol):
    def close(self) -> None: ...


D = TypeVar("D", bound=_Device)


class PiBoard:
    """A `firmware.ports.Board`."""

    name = "pi"

    def __init__(self, settings: BoardSettings) -> None:
        self._settings = read("pi", settings, PiSettings)
        self.absent = absent(self._settings)
        self._open: dict[str, _Device] = {}
        """By kind, the last that was opened."""
        self._pins: Gpio | None = None
        self._zoom = DigitalZoom()
        self._doubt: Doubt | None = None
        self._presence: Presence | None = None

    def describe(self) -> Mapping[str, str]:
        """The machine and, of each device, the one that would be used, or why there is none."""
        from board.pi.inventory import inventory

        return inventory(self._settings)

    def look_for(self, device: str) -> None:
        """DeviceError: nothing is plugged in that would be used."""
        if self._presence is None:
            from board.pi.presence import Presence

            self._presence = Presence(self._settings)
        self._presence.look_for(device)

    def open_microphone(self) -> Microphone:
        """The sound card that hears.  DeviceError: there is none, or it is busy."""
        from board.pi.audio import AlsaMicrophone
        from board.pi.sound_card import choose, sound_cards

        return self._kept("microphone", AlsaMicrophone(choose(sound_cards(), self._settings.microphone, hears=True)))

    def open_speaker(self) -> Speaker:
        """The sound card that plays.  DeviceError: there is none, or it is busy."""
        from board.pi.audio import AlsaSpeaker
        from board.pi.sound_card import choose, sound_cards

        return self._kept("speaker", AlsaSpeaker(choose(sound_cards(), self._settings.speaker, hears=False)))

    def open_camera(self, width: int, height: int, frame_rate: int) -> Camera:
        """The Pi's own camera, or one behind USB.  DeviceError: there is none, or it is busy."""
        from board.pi.camera_list import choose_camera, find_cameras

        camera = choose_camera(find_cameras(), self._settings.camera)
        if self._doubt is None:
            from board.pi.own_encoder import Doubt

            self._doubt = Doubt()
        return self._kept("camera", camera.open(width, height, frame_rate, self._zoom, self._doubt))

    def open_display(self) -> Display:
        """The screen.  DeviceError: none is plugged in, or another program has it."""
        from board.pi.display import open_display

        return self._kept("display", open_display(self._settings.display, most_lines=self._settings.display_lines))

    def open_decoder(self, width: int, height: int) -> PictureDecoder | None:
        """The hardware's, where it helps.  DeviceError: it is busy, or does not decode this size."""
        from board.pi.m2m_decoder import open_decoder

        return open_decoder(self._settings.decoder, width, height)

    def open_buttons(self) -> Mapping[str, Button]:
        """The buttons that are wired.  DeviceError: this machine has no pins, or lgpio is missing."""
        return self._gpio().open_buttons()

    def open_lamps(self) -> Mapping[str, Lamp]:
        """The lamps that are wired.  DeviceError: as for the buttons."""
        return self._gpio().open_lamps()

    def open_television(self, name: str) -> Television:
        """The television behind the CEC adapter; it is found whenever there is one."""
        from board.cec.television import CecTelevision
        from board.pi.cec_adapter import CecAdapters

        adapters = CecAdapters(self._settings.television, name, self._settings.display)
        return self._kept("television", CecTelevision(adapters))

    def read_health(self, folder: Path) -> Health:
        """What the kernel tells."""
        from board.pi.health import read_health

        return read_health(folder)

    def open_watchdog(self, timeout: float) -> Watchdog:
        """The chip's watchdog.  DeviceError: there is none, another program feeds it, or it can't wait so long."""
        from board.pi.watchdog import PiWatchdog

        return self._kept("watchdog", PiWatchdog(timeout))

    def pretend(self, health: Health) -> None:  # noqa: ARG002
        """DeviceError: a real machine is as it is."""
        raise DeviceError("this machine is real: its health can't be pretended")

    def press(self, button: str, seconds: float = PRESS_TIME) -> None:  # noqa: ARG002
        """DeviceError: a real button needs a finger."""
        raise DeviceError(f"the button {button} is real: it needs a finger")

    def press_key(self, key: str) -> None:
        """DeviceError: a real remote control needs a finger."""
        raise DeviceError(f"the key {key} is real: it needs a finger")

    def close(self) -> None:
        """Release whatever is still open."""
        for device in tuple(self._open.values()):
            with suppress(DeviceError):
                device.close()
        self._open.clear()

    def _gpio(self) -> Gpio:
        if self._pins is None:
            from board.gpio import Gpio

            self._pins = self._kept("pins", Gpio.real(self._settings, self._settings.lamp_brightness / 100))
        return self._pins

    def _kept(self, kind: str, device: D) -> D:
        self._open[kind] = device
        return device
