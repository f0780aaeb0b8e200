"""The simulated board: opens the devices that the settings describe."""

from __future__ import annotations

import weakref
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from board.digital_zoom import DigitalZoom
from board.settings import AS_CONFIGURED, SimSettings, absent, read
from firmware.errors import DeviceError
from firmware.ports import PRESS_TIME, Health

if TYPE_CHECKING:
    from collections.abc import Mapping

    from board.gpio import Gpio
    from board.sim.clap import Clapper, Witness
    from board.sim.television import SimTelevision
    from firmware.ports import (
        BoardSettings,
        Button,
        Camera,
        Display,
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


WELL = Health(
    temperature=48.0,
    under_voltage=False,
    throttled=False,
    storage_worn=10,
    storage_free=12_000_000_000,
    storage_size=16_000_000_000,
    storage_read_only=False,
    memory_free=1_400_000_000,
    memory_size=2_000_000_000,
)
"""A machine of 2 GB with a new card of 16 GB."""


class SimBoard:
    """A `firmware.ports.Board` that has everything and needs nothing."""

    name = "sim"

    def __init__(self, settings: BoardSettings) -> None:
        self._settings = read("sim", settings, SimSettings)
        self.absent = absent(self._settings)
        self._open: weakref.WeakSet[_Device] = weakref.WeakSet()
        self._recorded = False
        self._zoom = DigitalZoom()
        self._pins: Gpio | None = None
        self._set: SimTelevision | None = None
        self._health = WELL

    def describe(self) -> Mapping[str, str]:
        """What the settings make of each device."""
        settings = self._settings
        found = {
            "machine": "simulated",
            "camera": settings.camera,
            "display": f"{settings.display_width}x{settings.display_height}, in memory",
            "microphone": settings.microphone,
            "speaker": settings.speaker,
            "pins": "mock pins",
            "television": "simulated, with a remote control",
        }
        return found | dict.fromkeys(self.absent, AS_CONFIGURED)

    def look_for(self, device: str) -> None:
        """DeviceError: it is a file, and the file is not there."""
        files = {
            "camera": ("film", self._settings.camera, "card clap"),
            "microphone": ("recording", self._settings.microphone, "tone silence clap"),
        }
        kind, path, made_up = files.get(device, ("", "none", "none"))
        if path not in made_up.split() and not Path(path).exists():
            raise DeviceError(f"the {kind} {path} can't be opened: No such file or directory")

    def open_microphone(self) -> Microphone:
        """A microphone that hears a tone, silence, a clapperboard or a recording.  DeviceError: that can't be read."""
        from board.sim.audio import Silence, SimMicrophone, Sound, Tone
        from board.sim.recording import Recording

        settings = self._settings
        sound: Sound
        match settings.microphone:
            case "tone":
                sound = Tone(settings.microphone_tone, settings.microphone_level)
            case "silence":
                sound = Silence()
            case "clap":
                from board.sim.clap import Click

                sound = Click(self._clapper)
            case path:
                sound = Recording(path)
        return self._kept(SimMicrophone(sound, settings.microphone_drift))

    def open_speaker(self) -> Speaker:
        """A speaker that is recorded, or not; opened again, it goes on with its record.

        DeviceError: the file can't be written.
        """
        from board.sim.audio import SimSpeaker
        from board.sim.wave import WaveWriter

        path = self._settings.speaker
        record = None if path == "null" else WaveWriter(path, append=self._recorded)
        self._recorded = record is not None
        return self._kept(SimSpeaker(record, self._settings.speaker_drift, self._witness))

    def open_camera(self, width: int, height: int, frame_rate: int) -> Camera:
        """A camera that sees the test card, also with a clapperboard, or a film.  DeviceError: that can't be read."""
        from board.sim.camera import SimCamera, Source

        settings = self._settings
        source: Source
        if settings.camera in ("card", "clap"):
            from board.sim.card import Card

            source = card = Card(width, height, frame_rate, settings.camera_label, settings.camera_color)
            if settings.camera == "clap":
                from board.sim.clap import ClapCard

                source = ClapCard(card, self._clapper)
        else:
            from board.sim.film import Film

            source = Film(settings.camera, width, height)
        return self._kept(SimCamera(source, frame_rate, self._zoom))

    def open_display(self) -> Display:
        """A screen in memory."""
        from board.sim.display import SimDisplay

        return self._kept(SimDisplay(self._settings.display_width, self._settings.display_height, self._witness))

    def open_decoder(self, width: int, height: int) -> PictureDecoder | None:  # noqa: ARG002
        """None: libav decodes."""
        return None

    def open_buttons(self) -> Mapping[str, Button]:
        """Buttons on mock pins."""
        return self._gpio().open_buttons()

    def open_lamps(self) -> Mapping[str, Lamp]:
        """Lamps on mock pins."""
        return self._gpio().open_lamps()

    def open_television(self, name: str) -> Television:  # noqa: ARG002
        """A television in standby; it has no use for a name."""
        from board.cec.television import CecTelevision
        from board.sim.television import SimTelevision

        self._set = SimTelevision()
        return self._kept(CecTelevision(self._set))

    def read_health(self, folder: Path) -> Health:  # noqa: ARG002
        """As it was last pretended to be; at first it is well."""
        return self._health

    def open_watchdog(self, timeout: float) -> Watchdog:
        """One that only says what it would do."""
        from board.sim.watchdog import SimWatchdog

        return self._kept(SimWatchdog(timeout))

    def pretend(self, health: Health) -> None:
        """Let this be the machine's health from now on."""
        self._health = health

    def press(self, button: str, seconds: float = PRESS_TIME) -> None:
        """Hold down a button so long, as a finger would; returns at once.  DeviceError: there is no such button."""
        self._gpio().press(button, seconds)

    def press_key(self, key: str) -> None:
        """Press and release a key of the remote control.  DeviceError: there is no such key, or no television."""
        if self._set is None:
            raise DeviceError("no television is in use")
        self._set.press_key(key)

    def close(self) -> None:
        """Release whatever is still open."""
        for device in tuple(self._open):
            with suppress(DeviceError):
                device.close()
        self._open.clear()

    @cached_property
    def _clapper(self) -> Clapper:
        from board.sim.clap import Clapper

        return Clapper(self._witness)

    @cached_property
    def _witness(self) -> Witness | None:
        """Of screen and speaker.  DeviceError: its file can't be written."""
        if self._settings.witness == "null":
            return None
        from board.sim.clap import Witness

        return Witness(self._settings.witness)

    def _gpio(self) -> Gpio:
        if self._pins is None:
            from board.gpio import Gpio

            self._pins = self._kept(Gpio.mock(self._settings))
        return self._pins

    def _kept(self, device: D) -> D:
        self._open.add(device)
        return device
