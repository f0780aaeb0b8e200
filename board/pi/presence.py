"""Which devices are plugged in, found out so cheaply that it can be asked every few seconds.

Rule 1: nothing that is in use is disturbed, and no card is woken: sound cards and screens are looked up in what the
kernel writes of them.
Rule 2: cameras tell what they are only when their nodes are opened, which wakes a USB camera.  So that is done where
there are other nodes than before, or where no camera was found: then there is none to wake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from board.pi import camera_list, display, sound_card
from firmware.errors import DeviceError

if TYPE_CHECKING:
    from board.settings import PiSettings


class Presence:
    """Of the devices that the settings describe; for any thread."""

    def __init__(
        self,
        settings: PiSettings,
        *,
        dev: Path = camera_list.DEV,
        proc: Path = sound_card.PROC,
        sys: Path = display.SYS,
    ) -> None:
        self._settings = settings
        self._dev, self._proc, self._sys = dev, proc, sys
        self._nodes: list[Path] = []
        """The video nodes among which there was a camera."""
        self._looks: Mapping[str, Callable[[], None]] = {
            "camera": self._camera,
            "microphone": lambda: self._sound(settings.microphone, hears=True),
            "speaker": lambda: self._sound(settings.speaker, hears=False),
            "display": self._display,
        }

    def look_for(self, device: str) -> None:
        """DeviceError: there is none that would be used, and why."""
        self._looks[device]()

    def _camera(self) -> None:
        nodes = camera_list.nodes(self._dev)
        if not nodes or nodes != self._nodes:
            self._nodes = []
            camera_list.look_for_camera(self._settings.camera, self._dev)
            self._nodes = nodes

    def _sound(self, wanted: str, *, hears: bool) -> None:
        sound_card.choose(sound_card.sound_cards(self._proc), wanted, hears=hears)

    def _display(self) -> None:
        """The kernel watches the plugs, and keeps what it saw in ``card0-HDMI-A-1/status``."""
        wanted = self._settings.display
        connectors = {path.parent.name.partition("-")[2]: path for path in sorted(self._sys.glob("card*-*/status"))}
        for name, path in connectors.items():
            if wanted in ("", name) and display.status(path) == "connected":
                return
        raise DeviceError(f"no screen is plugged in at {wanted or ', '.join(connectors) or 'this machine'}")
