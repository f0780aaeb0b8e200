"""`board.pi.health`, on trees like those that kernels make."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from board.pi.health import read_health
from firmware.ports import Health


class Tree:
    """/sys and /proc of some machine."""

    def __init__(self, root: Path) -> None:
        self.sys, self.proc, self.folder = root / "sys", root / "proc", root / "data"
        self.folder.mkdir()

    def write(self, path: str, text: str) -> None:
        file = self.sys / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")

    def read(self) -> Health:
        return read_health(self.folder, self.sys, self.proc)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_a_machine_that_tells_nothing(tree: Tree) -> None:
    found = tree.read()
    assert (found.temperature, found.under_voltage, found.throttled, found.storage_worn) == (None,) * 4
    assert (found.memory_free, found.memory_size) == (None, None)


def test_the_processors_temperature(tree: Tree) -> None:
    tree.write("class/thermal/thermal_zone0/type", "rp1_adc")
    tree.write("class/thermal/thermal_zone0/temp", "91000")
    assert tree.read().temperature == 91.0
    tree.write("class/thermal/thermal_zone1/type", "cpu-thermal")
    tree.write("class/thermal/thermal_zone1/temp", "52582")
    assert tree.read().temperature == pytest.approx(52.582)


@pytest.mark.parametrize("folder", ["soc/soc:firmware", "soc@107c000000/soc@107c000000:firmware", "soc:firmware"])
@pytest.mark.parametrize(
    ("bits", "under_voltage", "throttled"),
    [("0", False, False), ("50000", False, False), ("50005", True, True), ("1", True, False), ("80008", False, True)],
)
def test_what_the_firmware_says_of_voltage_and_clock(
    tree: Tree, folder: str, bits: str, under_voltage: bool, throttled: bool
) -> None:
    tree.write(f"devices/platform/{folder}/get_throttled", bits)
    found = tree.read()
    assert (found.under_voltage, found.throttled) == (under_voltage, throttled)


def test_without_that_the_drivers_alarm_counts(tree: Tree) -> None:
    tree.write("class/hwmon/hwmon0/name", "cpu_thermal")
    tree.write("class/hwmon/hwmon1/name", "rpi_volt")
    assert tree.read().under_voltage is None
    for alarm in (1, 0):
        tree.write("class/hwmon/hwmon1/in0_lcrit_alarm", str(alarm))
        assert tree.read().under_voltage is bool(alarm)
    assert tree.read().throttled is None


@pytest.mark.parametrize(
    ("life", "reserve", "worn"),
    [
        ("0x01 0x01", "0x01", 10),
        ("0x02 0x05", "0x01", 50),
        ("0x0b 0x01", "0x01", 100),
        ("0x00 0x00", "0x01", None),
        ("0x03 0x03", "0x03", 100),
        ("nonsense", "", None),
    ],
)
def test_how_worn_the_storage_is(tree: Tree, life: str, reserve: str, worn: int | None) -> None:
    tree.write("block/mmcblk0/device/life_time", life)
    tree.write("block/mmcblk0/device/pre_eol_info", reserve)
    tree.write("block/mmcblk1/device/name", "SD16G")
    assert tree.read().storage_worn == worn


def test_storage_is_that_where_the_unit_writes(tree: Tree) -> None:
    found, disk = tree.read(), os.statvfs(tree.folder)
    assert found.storage_size == disk.f_blocks * disk.f_frsize
    assert found.storage_free is not None
    assert 0 < found.storage_free < found.storage_size
    assert found.storage_read_only is False
    tree.folder = tree.folder / "not" / "there"
    later = tree.read()
    assert later.storage_size == found.storage_size
    assert later.storage_read_only is None


def test_memory(tree: Tree) -> None:
    tree.proc.mkdir()
    (tree.proc / "meminfo").write_text(
        "MemTotal:  2000 kB\nMemFree:  10 kB\nMemAvailable:  1500 kB\nHugePages_Total: 0\n"
    )
    found = tree.read()
    assert (found.memory_size, found.memory_free) == (2000 * 1024, 1500 * 1024)


def test_this_machine_can_be_looked_at() -> None:
    assert (read_health(Path("/")).memory_size or 0) > 0
