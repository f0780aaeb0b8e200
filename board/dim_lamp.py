"""A lamp that is not as bright as it could be."""

from __future__ import annotations

from typing import Any

from gpiozero import PWMLED

RATE = 200
"""Hz, of the pulses: no eye sees them, and lgpio, which makes them in a thread, is not kept busy."""


class DimLamp(PWMLED):
    """A `firmware.ports.Lamp` that is lit for a part of the time, 0 to 1, by pulses (PWM)."""

    def __init__(self, pin: int, brightness: float, factory: Any) -> None:
        self._brightness = brightness
        super().__init__(pin, frequency=RATE, pin_factory=factory)

    def _write(self, value: float) -> None:
        super()._write(value * self._brightness)
