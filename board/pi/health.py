"""How the machine is, by what the kernel tells in /sys and /proc; nothing of it needs another program.

Rule 1: what a machine doesn't tell, or tells in another way, is None; nothing here raises.
Rule 2: the firmware's word on voltage and clock (``get_throttled``, in kernels of Raspberry Pi) goes before that of its
driver in every other kernel (hwmon ``rpi_volt``), which knows the voltage only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from firmware.ports import Health

SYS, PROC = Path("/sys"), Path("/proc")

_FIRMWARE = ("devices/platform/soc*/*firmware/get_throttled", "devices/platform/*firmware/get_throttled")
"""Pi 4 and before: soc/soc:firmware; Pi 5: an address stands behind each soc."""
# Bits of get_throttled (Raspberry Pi documentation, vcgencmd): now; the same from bit 16 on are since the start.
_UNDER_VOLTAGE, _SLOWED = 0x1, 0x2 | 0x4 | 0x8
_LIFE_STEP = 10
"""Percent in a step of life_time (JESD84-B51 7.4.69, DEVICE_LIFE_TIME_EST: 1 is 0 to 10 %, 11 is beyond its life)."""
_RESERVE_URGENT = 3
"""pre_eol_info: 90 % of the spare blocks are used up (JESD84-B51 7.4.68)."""
_KIB = 1024


def read_health(folder: Path, sys: Path = SYS, proc: Path = PROC) -> Health:
    """Look at everything; ``folder`` is where the unit writes."""
    throttled = _throttled(sys)
    size, free, read_only = _storage(folder)
    memory = _memory(proc / "meminfo")
    return Health(
        temperature=_temperature(sys),
        under_voltage=_alarm(sys) if throttled is None else bool(throttled & _UNDER_VOLTAGE),
        throttled=None if throttled is None else bool(throttled & _SLOWED),
        storage_worn=_worn(sys),
        storage_free=free,
        storage_size=size,
        storage_read_only=read_only,
        memory_free=memory.get("MemAvailable"),
        memory_size=memory.get("MemTotal"),
    )


def _temperature(sys: Path) -> float | None:
    """The hottest of the processor's zones, or of all where none is said to be the processor's; degrees Celsius."""
    zones = {path: _text(path / "type") for path in sys.glob("class/thermal/thermal_zone*")}
    wanted = [path for path, kind in zones.items() if "cpu" in kind] or list(zones)
    found = [number for path in wanted if (number := _number(path / "temp")) is not None]
    return max(found) / 1000 if found else None


def _throttled(sys: Path) -> int | None:
    for pattern in _FIRMWARE:
        for path in sys.glob(pattern):
            return _number(path, 16)
    return None


def _alarm(sys: Path) -> bool | None:
    for path in sys.glob("class/hwmon/hwmon*"):
        if _text(path / "name") == "rpi_volt":
            alarm = _number(path / "in0_lcrit_alarm")
            return None if alarm is None else bool(alarm)
    return None


def _worn(sys: Path) -> int | None:
    """Percent, of the worst; SD cards mostly don't tell, the memory of a Compute Module does."""
    return max((worn for path in sys.glob("block/mmcblk*/device") for worn in _wear(path)), default=None)


def _wear(device: Path) -> Iterator[int]:
    for word in _text(device / "life_time").split():
        steps = _as_number(word, 16)
        if steps:  # 0 is not defined
            yield min(100, steps * _LIFE_STEP)
    if (_number(device / "pre_eol_info", 16) or 0) >= _RESERVE_URGENT:
        yield 100


def _storage(folder: Path) -> tuple[int | None, int | None, bool | None]:
    """Size and what is free of it, bytes, and whether nothing can be written."""
    for path in (folder, *folder.parents):
        try:
            found = os.statvfs(path)
        except OSError:  # it is made when something is written; what is above may be read-only for good
            continue
        read_only = bool(found.f_flag & os.ST_RDONLY) if path == folder else None
        return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize, read_only
    return None, None, None


def _memory(path: Path) -> dict[str, int]:
    """By name, bytes."""
    lines = (line.partition(":") for line in _text(path).splitlines())
    found = ((name, _as_number(rest.removesuffix("kB"))) for name, _, rest in lines)
    return {name: number * _KIB for name, number in found if number is not None}


def _number(path: Path, base: int = 10) -> int | None:
    return _as_number(_text(path), base)


def _as_number(text: str, base: int = 10) -> int | None:
    try:
        return int(text, base)
    except ValueError:
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
