"""What the Makefile installs where: on a Raspberry Pi what its devices need, elsewhere none of it.

The real Makefile runs with programs in front that tell what Debian has, and note what they are asked for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PI_MODEL = "Raspberry Pi 4 Model B Rev 1.4\0"
PROGRAMS = {
    "id": "echo 0",
    "dpkg-query": 'for last; do :; done; grep -qx "$last" "$HERE/installed" && printf installed',
    "apt-cache": 'grep -qx "$2" "$HERE/archive"',
    "apt-get": 'echo "$@" >>"$HERE/asked"; printf "%s\\n" "$@" >>"$HERE/installed"',
}
PINS, CAMERA, BUILD = "python3-lgpio", "python3-picamera2", ["libasound2-dev", "gcc", "python3-dev"]


class Machine:
    """A Debian machine, as far as the Makefile looks at it."""

    def __init__(self, folder: Path, model: str, archive: list[str]) -> None:
        self._folder = folder
        self.venv = folder / "venv"
        self.python, self.pi, self.run = (str(self.venv / name) for name in ("bin/python", "pi.stamp", "run.stamp"))
        (folder / "model").write_text(model)
        (folder / "archive").write_text("\n".join(archive) + "\n")
        (folder / "installed").touch()
        (folder / "asked").touch()
        for name, script in PROGRAMS.items():
            program = folder / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)

    def make_environment(self, *, sees_system: bool) -> None:
        """Leave what looks like a virtual environment."""
        (self.venv / "bin").mkdir(parents=True, exist_ok=True)
        Path(self.python).touch()
        (self.venv / "pyvenv.cfg").write_text(f"include-system-site-packages = {str(sees_system).lower()}\n")

    def make(self, target: str, *flags: str) -> str:
        """Run make and give what it says."""
        return subprocess.run(
            ["make", "--no-print-directory", *flags, target, f"MODEL={self._folder / 'model'}", f"VENV={self.venv}"],
            cwd=ROOT,
            env={**os.environ, "PATH": f"{self._folder / 'bin'}:{os.environ['PATH']}", "HERE": str(self._folder)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout

    def installs(self) -> list[str]:
        """The packages that apt was asked to install."""
        lines = (self._folder / "asked").read_text().splitlines()
        return [
            word
            for line in lines
            if " install " in line
            for word in line.split(" install ")[1].split()
            if word[0] != "-"
        ]

    def asks(self) -> int:
        """How often apt was asked for anything."""
        return len((self._folder / "asked").read_text().splitlines())


@pytest.fixture(autouse=True)
def _make() -> None:
    if shutil.which("make") is None:
        pytest.skip("make is missing")


@pytest.fixture
def pi(tmp_path: Path) -> Machine:
    """A Raspberry Pi with the archive of its own."""
    machine = Machine(tmp_path, PI_MODEL, [PINS, CAMERA, *BUILD])
    machine.make_environment(sees_system=True)
    return machine


@pytest.fixture
def pc(tmp_path: Path) -> Machine:
    """Any other machine."""
    return Machine(tmp_path, "QEMU Virtual Machine\0", [PINS, *BUILD])


def test_a_pi_gets_what_its_devices_need(pi: Machine) -> None:
    said = pi.make(pi.pi)
    assert pi.installs() == [PINS, CAMERA, *BUILD]
    assert all(package in said for package in pi.installs())
    asked = pi.asks()
    pi.make(pi.pi)
    assert pi.asks() == asked


def test_a_pi_with_plain_debian_goes_without_its_camera_and_asks_once(tmp_path: Path) -> None:
    machine = Machine(tmp_path, PI_MODEL, [PINS, *BUILD])
    machine.make_environment(sees_system=True)
    assert f"apt has no {CAMERA} here: this unit does without it" in machine.make(machine.pi)
    assert machine.installs() == [PINS, *BUILD]
    asked = machine.asks()
    machine.make(machine.pi)
    assert machine.asks() == asked


def test_only_a_pi_wants_it(pi: Machine) -> None:
    assert PINS in pi.make(pi.run, "--dry-run")
    pi.make("run-packages")
    assert pi.installs() == ["libopus0"]


def test_another_machine_wants_none_of_it(pc: Machine) -> None:
    assert PINS not in pc.make(pc.run, "--dry-run")
    assert "--require-hashes -r requirements.txt\n" in pc.make(pc.run, "--dry-run")
    assert "--system-site-packages" not in pc.make(pc.python, "--dry-run")


def test_a_pis_environment_is_made_of_the_systems_python_and_sees_its_modules(tmp_path: Path) -> None:
    pi = Machine(tmp_path, PI_MODEL, [])
    said = pi.make(pi.python, "--dry-run")
    assert "--system-site-packages" in said
    assert "for python in /usr/bin/python3; do" in said
    assert "--require-hashes -r requirements-pi.txt\n" in pi.make(pi.run, "--dry-run")


def test_an_environment_that_does_not_see_them_is_made_anew_on_a_pi(pi: Machine) -> None:
    pi.make("help")
    assert pi.venv.exists()
    pi.make_environment(sees_system=False)
    pi.make("help")
    assert not pi.venv.exists()


def test_an_environment_elsewhere_stays(pc: Machine) -> None:
    pc.make_environment(sees_system=False)
    pc.make("help")
    assert pc.venv.exists()


def test_the_lock_of_a_pi_has_the_versions_of_all_others() -> None:
    everywhere, on_pi = (
        {line.split()[0] for line in (ROOT / name).read_text().splitlines() if "==" in line}
        for name in ("requirements.txt", "requirements-pi.txt")
    )
    assert everywhere < on_pi
    assert {name.split("==")[0] for name in on_pi - everywhere} == {"pyalsaaudio"}
