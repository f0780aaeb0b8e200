"""The machine's condition: what a Pi's firmware and processor say of themselves, as a test wants it (a kernel module of
our own, under the kernel's raspberrypi-hwmon), and its watchdog (the kernel's softdog)."""

from __future__ import annotations

import os
from pathlib import Path

from hil.driver import load, unload

_PARAMETERS = Path("/sys/module/raspberrypi_bench/parameters")


class Condition:
    """How hot the processor is and what the firmware says of the voltage."""

    def __init__(self) -> None:
        load("raspberrypi-bench")
        load("raspberrypi-hwmon")

    def set_temperature(self, degrees: float) -> None:
        """Heat or cool the processor, degrees Celsius."""
        (_PARAMETERS / "temperature").write_text(str(round(degrees * 1000)))

    def set_throttled(self, bits: int) -> None:
        """Let the firmware say this when it is asked for GET_THROTTLED."""
        (_PARAMETERS / "throttled").write_text(str(bits))


class Dog:
    """A watchdog that barks into the kernel's log instead of restarting the machine.  A context manager."""

    def __enter__(self) -> Dog:
        load("softdog", "soft_noboot=1")
        return self

    def __exit__(self, *_: object) -> None:
        unload("softdog")

    @property
    def barks(self) -> int:
        """How often it has, since the machine was started."""
        with Path("/dev/kmsg").open("rb", buffering=0) as log:
            return _all(log.fileno()).count(b"softdog: Triggered - Reboot ignored")


def _all(descriptor: int) -> bytes:
    os.set_blocking(descriptor, False)
    found = b""
    try:
        while record := os.read(descriptor, 8192):
            found += record
    except BlockingIOError:
        return found
    return found
