"""Buttons and lamps by gpiozero, on real pins (lgpio) or on its mock pins.

Rule 1: a pin that can't be had costs its own button or lamp only, and one line in the log.
Rule 2: a button connects its pin to ground and is debounced; ``when_pressed`` is called once for a press, however long,
and ``when_held`` again and again for a long one.
Rule 3: mock pins are pressed by a finger that bounces and holds for a while, in a thread of its own.
Rule 4: a lamp that is not to be as bright as it can is dimmed by pulses (`DimLamp`).
"""

from __future__ import annotations

import logging
import os
import queue
import tempfile
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gpiozero import LED, Button, GPIOZeroError

from board.dim_lamp import DimLamp
from firmware.errors import DeviceError
from firmware.ports import HOLD_TIME, PRESS_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from board.settings import Pins
    from firmware import ports

logger = logging.getLogger(__name__)

BOUNCE_TIME = 0.020
"""Seconds for which a button's level has to last before it counts."""

_CONTACT_BOUNCES = 3
_WAITING_PRESSES = 16


class Gpio:
    """The pins of one board."""

    def __init__(self, factory: Any, pins: Pins, *, mock: bool, brightness: float = 1.0) -> None:
        self._factory = factory
        self._pins = pins
        self._mock = mock
        self._brightness = brightness
        self._buttons: dict[str, Any] = {}
        self._lamps: dict[str, Any] = {}
        self._finger: queue.Queue[tuple[str, float] | None] | None = None
        self._first_press = threading.Lock()
        self._ending = threading.Event()

    @classmethod
    def mock(cls, pins: Pins) -> Gpio:
        """Mock pins of a Raspberry Pi, which debounce as lgpio does."""
        from gpiozero.pins.mock import MockFactory

        from board.sim.pin import DebouncedPin

        return cls(MockFactory(pin_class=DebouncedPin), pins, mock=True)

    @classmethod
    def real(cls, pins: Pins, brightness: float = 1.0) -> Gpio:
        """The pins of this machine.  DeviceError: it has none, they are not ours, or lgpio is missing."""
        # lgpio keeps its notification pipes in LG_WD, by default in the working directory, which may be read-only.
        os.environ.setdefault("LG_WD", os.environ.get("RUNTIME_DIRECTORY") or tempfile.gettempdir())
        try:
            import lgpio
            from gpiozero.pins.lgpio import LGPIOFactory
        except ImportError as error:
            raise DeviceError(f"there are no pins: {error}") from error
        try:
            factory = LGPIOFactory()
            factory.board_info  # noqa: B018  # reads the model, which tells the pins that there are
        except (GPIOZeroError, lgpio.error, OSError) as error:
            raise DeviceError(f"there are no pins: {error}") from error
        return cls(factory, pins, mock=False, brightness=brightness)

    @property
    def _closed(self) -> bool:
        return self._ending.is_set()

    def open_buttons(self) -> Mapping[str, ports.Button]:
        """The buttons whose pins can be had; the same ones each time."""
        if not self._buttons:
            self._buttons = self._open("button", self._pins.buttons(), self._button)
        return self._buttons

    def open_lamps(self) -> Mapping[str, ports.Lamp]:
        """The lamps whose pins can be had; the same ones each time."""
        if not self._lamps:
            self._lamps = self._open("lamp", self._pins.lamps(), self._lamp)
        return self._lamps

    def press(self, button: str, seconds: float = PRESS_TIME) -> None:
        """Let a finger hold the mock button; returns at once.  DeviceError: no such button, or 16 presses wait."""
        if self._closed or not self._mock or button not in self.open_buttons():
            raise DeviceError(f"there is no button {button!r} to press; there are {', '.join(self._buttons) or 'none'}")
        with self._first_press:
            if self._finger is None:
                self._finger = queue.Queue(_WAITING_PRESSES)
                threading.Thread(target=self._press, args=(self._finger,), name="finger", daemon=True).start()
        try:
            self._finger.put_nowait((button, seconds))
        except queue.Full:
            raise DeviceError(f"the finger is not that fast: {_WAITING_PRESSES} presses are waiting") from None

    def close(self) -> None:
        """Release all pins; the lamps go out."""
        if self._closed:
            return
        self._ending.set()
        if self._finger is not None:
            with suppress(queue.Full):  # then it wakes by a press, and sees that it is closed
                self._finger.put_nowait(None)
        for button in self._buttons.values():
            # Else lgpio's only thread dies of the line's next change, and with it the buttons of every board.
            with suppress(*self._pin_errors()):
                button.pin.when_changed = None
        for device in (*self._buttons.values(), *self._lamps.values()):
            with suppress(*self._pin_errors()):  # "GPIO busy": lgpio still waits for a change of the line
                device.close()
        self._factory.close()

    def _button(self, pin: int) -> Any:
        return Button(pin, bounce_time=BOUNCE_TIME, hold_time=HOLD_TIME, hold_repeat=True, pin_factory=self._factory)

    def _lamp(self, pin: int) -> Any:
        if self._brightness == 1:
            return LED(pin, pin_factory=self._factory)
        return DimLamp(pin, self._brightness, self._factory)

    def _open(self, kind: str, pins: Mapping[str, int], open_: Callable[[int], Any]) -> dict[str, Any]:
        devices = {}
        for name, pin in pins.items():
            try:
                devices[name] = open_(pin)
            except (GPIOZeroError, *self._pin_errors()) as error:
                logger.warning("%s %s: GPIO%d can't be used: %s", kind, name, pin, error)
        return devices

    def _pin_errors(self) -> tuple[type[Exception], ...]:
        if self._mock:
            return ()
        import lgpio

        return (lgpio.error, OSError)

    def _press(self, presses: queue.Queue[tuple[str, float] | None]) -> None:
        while (press := presses.get()) is not None and not self._closed:
            button, seconds = press
            pin = self._buttons[button].pin
            for drive, lasts in ((pin.drive_low, seconds), (pin.drive_high, PRESS_TIME)):
                if self._closed:
                    return
                self._make_contact(drive, pin)
                self._ending.wait(lasts)

    def _make_contact(self, drive: Callable[[], None], pin: Any) -> None:
        """Change the level as metal does, to and fro; at once, since a sleep on a busy machine could be a press."""
        back = pin.drive_high if drive == pin.drive_low else pin.drive_low
        for _ in range(_CONTACT_BOUNCES):
            drive()
            back()
        drive()
