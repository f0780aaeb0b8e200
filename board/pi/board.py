"""The Raspberry Pi's board: buttons and lamps on its pins; see the package for what is not supported yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from board.settings import PiSettings, read
from firmware.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from board.gpio import Gpio
    from firmware.ports import BoardSettings, Button, Camera, Display, Lamp, Microphone, Speaker


class PiBoard:
    """A `firmware.ports.Board`."""

    name = "pi"

    def __init__(self, settings: BoardSettings) -> None:
        self._settings = read("pi", settings, PiSettings)
        self._pins: Gpio | None = None

    def open_microphone(self) -> Microphone:
        """DeviceError: not supported yet."""
        _not_supported("a microphone")

    def open_speaker(self) -> Speaker:
        """DeviceError: not supported yet."""
        _not_supported("a speaker")

    def open_camera(self, width: int, height: int, frame_rate: int) -> Camera:  # noqa: ARG002
        """DeviceError: not supported yet."""
        _not_supported("a camera")

    def open_display(self) -> Display:
        """DeviceError: not supported yet."""
        _not_supported("a display")

    def open_buttons(self) -> Mapping[str, Button]:
        """The buttons that are wired.  DeviceError: this machine has no pins, or lgpio is missing."""
        return self._gpio().open_buttons()

    def open_lamps(self) -> Mapping[str, Lamp]:
        """The lamps that are wired.  DeviceError: as for the buttons."""
        return self._gpio().open_lamps()

    def press(self, button: str) -> None:
        """DeviceError: a real button needs a finger."""
        raise DeviceError(f"the button {button} is real: it needs a finger")

    def close(self) -> None:
        """Release the pins."""
        if self._pins is not None:
            self._pins.close()

    def _gpio(self) -> Gpio:
        if self._pins is None:
            from board.gpio import Gpio

            self._pins = Gpio.real(self._settings)
        return self._pins


def _not_supported(device: str) -> NoReturn:
    raise DeviceError(f"{device} is not supported on this board yet")
