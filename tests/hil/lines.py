"""The other side of the GPIO pins: pulls buttons and looks at lamps (the kernel's gpio-sim)."""

from __future__ import annotations

from pathlib import Path

from hil.driver import load

COUNT = 54
"""Lines of a Raspberry Pi 4."""
_CHIP = Path("/sys/kernel/config/gpio-sim/pi")


class Lines:
    """A GPIO chip that says it is a Pi's.  A context manager."""

    def __enter__(self) -> Lines:
        load("gpio-simulator")
        bank = _CHIP / "bank0"
        bank.mkdir(parents=True)
        (bank / "num_lines").write_text(str(COUNT))
        (bank / "label").write_text("pinctrl-bcm2711")
        for number in range(COUNT):
            line = bank / f"line{number}"
            line.mkdir()
            (line / "name").write_text(f"GPIO{number}")
        (_CHIP / "live").write_text("1")
        device, chip = ((_CHIP / name).read_text().strip() for name in ("dev_name", "bank0/chip_name"))
        self._lines = Path("/sys/devices/platform") / device / chip
        return self

    def __exit__(self, *_: object) -> None:
        (_CHIP / "live").write_text("0")

    def pull(self, pin: int, *, high: bool) -> None:
        """Pull the line from outside; it is an input of the unit."""
        (self._lines / f"sim_gpio{pin}" / "pull").write_text("pull-up" if high else "pull-down")

    def is_high(self, pin: int) -> bool:
        """The level of a line."""
        return (self._lines / f"sim_gpio{pin}" / "value").read_text().strip() == "1"
