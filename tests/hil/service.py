"""The service on a machine that systemd has started, from the image's own files, and what can be seen of it there."""

from __future__ import annotations

import subprocess
import tomllib
import urllib.request
import venv
from contextlib import suppress
from pathlib import Path

from hil.inside import PatientUnit
from interop.unit import ROOT, Settings

from firmware.config.toml import toml_value

NAME = "visavis.service"
STATE = Path("/var/lib/visavis")
"""What StateDirectory= gives to it, and where its settings are."""
GROUP = Path("/sys/fs/cgroup/system.slice") / NAME
"""Of its processes."""
_PLACE = Path("/usr/lib/visavis")
"""The virtual environment that the image has."""
_START = "import sys; from {module} import {function}; sys.exit({function}())"


class Service(PatientUnit):
    """The unit as systemd runs it."""

    def __init__(self) -> None:
        super().__init__(STATE, address="127.0.0.1")
        self._shipped = (STATE / "room.toml").read_text()

    @staticmethod
    def install() -> None:
        """Put the project where ExecStart= looks for it, with the entry points that it names."""
        venv.create(_PLACE, system_site_packages=True, symlinks=True)
        (packages,) = _PLACE.glob("lib/python*/site-packages")
        (packages / "project.pth").write_text(f"{ROOT}\n")
        scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
        for name, place in scripts.items():
            module, _, function = place.partition(":")
            script = _PLACE / "bin" / name
            script.write_text(f"#!{_PLACE}/bin/python\n{_START.format(module=module, function=function)}\n")
            script.chmod(0o755)

    def configure(self, settings: Settings) -> None:
        """Write these behind the settings that the image brings; they hold from the next start on."""
        lines = [self._shipped]
        for section, values in settings.items():
            lines += [f"[{section}]", *(f"{key} = {toml_value(value)}" for key, value in values.items())]
        (STATE / "room.toml").write_text("\n".join(lines) + "\n")

    def control(self, *words: str) -> str:
        """Let systemctl do something with it; done when that is."""
        return _run("systemctl", *words, NAME)

    def show(self, *properties: str) -> dict[str, str]:
        """What systemd says of it."""
        words = _run("systemctl", "show", f"--property={','.join(properties)}", NAME)
        return dict(line.split("=", 1) for line in words.splitlines())

    @property
    def main_process(self) -> int:
        """The number of the process that systemd watches."""
        return int(self.show("MainPID")["MainPID"])

    @property
    def restarts(self) -> int:
        """How often systemd has started it again by itself."""
        return int(self.show("NRestarts")["NRestarts"])

    def processes(self) -> list[Path]:
        """All of its processes, as the kernel shows them in /proc."""
        try:
            return [Path("/proc") / number for number in (GROUP / "cgroup.procs").read_text().split()]
        except FileNotFoundError:
            return []

    def devices(self) -> set[str]:
        """The nodes in /dev that its processes have open."""
        found = set[str]()
        for process in self.processes():
            with suppress(FileNotFoundError):  # it is just ending, or closing one
                found.update(str(descriptor.readlink()) for descriptor in (process / "fd").iterdir())
        return {target for target in found if target.startswith("/dev/")}

    def page(self, path: str) -> bytes:
        """What its panel's server gives to a browser."""
        with urllib.request.urlopen(f"http://{self.address}:{self.web_port}{path}", timeout=20) as response:
            content: bytes = response.read()
        return content

    def stop(self) -> None:
        """End it."""
        self.control("stop")

    def log(self) -> str:
        """The journal of it."""
        return _run("journalctl", "--unit", NAME, "--no-pager", "--output=short-monotonic")


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout
