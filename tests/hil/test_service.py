"""The service that the image starts: its user may use every device of the room, and the service itself no other."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hil.condition import Dog
from hil.lines import Lines
from hil.monitor import Television
from hil.sound import Room
from hil.television import CecTelevision
from hil.webcam import Webcam

from firmware.ports import BUTTONS, LAMPS

ROOT = Path(__file__).parents[2]
IMAGE = ROOT / "image-build" / "rootfs"
RULES = IMAGE / "usr/lib/udev/rules.d/70-visavis.rules"
SERVICE = IMAGE / "usr/lib/systemd/system/visavis.service"
_OF_THIS_TEST = Path("/run/udev/rules.d") / RULES.name

Use = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def use(on_bench: bool, lines: Lines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Use]:
    """Gives what comes of devices that the service's user takes into use, on a machine with the image's files."""
    if not on_bench:
        pytest.skip("the users and rules of this machine are its own")
    _run("systemd-sysusers", str(IMAGE / "usr/lib/sysusers.d/visavis.conf"))
    _OF_THIS_TEST.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(RULES, _OF_THIS_TEST)
    with Dog():
        _tell_udev()
        home = tmp_path_factory.mktemp("home")
        shutil.chown(home, "visavis", "visavis")
        for folder in (home, *home.parents):
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)

        def use(*devices: str) -> dict[str, str]:
            rights = ("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
            command = ["setpriv", "--reuid=visavis", "--regid=visavis", "--init-groups", *rights]
            program = [sys.executable, "-B", str(Path(__file__).parent / "every_device.py"), *devices]
            environment = os.environ | {"PYTHONPATH": str(ROOT), "RUNTIME_DIRECTORY": str(home), "HOME": str(home)}
            environment.pop("LG_WD", None)  # what this process told lgpio
            done = subprocess.run(
                [*command, *program], env=environment, capture_output=True, text=True, timeout=100, check=False
            )
            assert done.returncode == 0, done.stderr
            found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
            return found

        yield use
    _OF_THIS_TEST.unlink()
    _tell_udev()


def _tell_udev() -> None:
    for command in (("control", "--reload"), ("trigger",), ("settle",)):
        _run("udevadm", *command)


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_udev_understands_the_rules(use: Use, tmp_path: Path) -> None:
    _run("udevadm", "verify", str(_OF_THIS_TEST))
    wrong = tmp_path / RULES.name
    wrong.write_text(RULES.read_text().replace("MODE=", "MOOD="))
    with pytest.raises(subprocess.CalledProcessError):
        _run("udevadm", "verify", str(wrong))


def test_the_services_user_may_use_every_device(
    use: Use, room: Room, webcam: Webcam, television: Television, encoder_node: Path
) -> None:
    works = ("camera", "decoder", "microphone", "speaker", "display", "watchdog")
    expected = dict.fromkeys(works, "works") | {"pins": f"{len(BUTTONS)} buttons, {len(LAMPS)} lamps"}
    assert use(*expected) == expected


def test_the_services_user_may_switch_the_television(use: Use) -> None:
    with CecTelevision():
        assert use("television") == {"television": "works"}


def test_the_service_may_use_what_its_user_may(
    use: Use, room: Room, webcam: Webcam, television: Television, encoder_node: Path
) -> None:
    """systemd itself does not run here, so the kernel's names of the devices are held against those in the file."""
    allowed = {line.split()[0].partition("=")[2] for line in SERVICE.read_text().splitlines() if "DeviceAllow" in line}
    majors = {}
    for line in Path("/proc/devices").read_text().partition("Block")[0].splitlines()[1:]:
        if line.strip():
            number, name = line.split()
            majors[int(number)] = name
    with CecTelevision() as tv:
        nodes = [Path(path) for path in (tv.node, "/dev/gpiochip0", "/dev/dri/card0", "/dev/watchdog")]
        nodes += [
            path
            for folder, like in (("", "video*"), ("snd", "pcm*"), ("", "media*"), ("dma_heap", "*"))
            for path in (Path("/dev") / folder).glob(like)
        ]
        names = {str(node): f"char-{majors[os.major(node.stat().st_rdev)]}" for node in nodes}
    assert {node for node, name in names.items() if name not in allowed and node not in allowed} == set()
    assert len(set(names.values())) >= 7, "of cameras, sound and so on none was looked at"
