"""What the image gives to systemd and udev: judged by systemd's programs, and by what the firmware asks for.

tests/hil has what comes of it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from firmware.__main__ import Boards
from firmware.command.parser import parse
from firmware.command.settings import settings
from firmware.media import audio, worker

ROOT = Path(__file__).parents[1] / "image-build" / "rootfs"
SERVICE = ROOT / "usr/lib/systemd/system/visavis.service"
USERS = ROOT / "usr/lib/sysusers.d/visavis.conf"
MODULES = ROOT / "usr/lib/modules-load.d/visavis.conf"
FILES = ROOT / "usr/lib/tmpfiles.d/visavis.conf"


def said(key: str) -> list[str]:
    """What the service says of something, each time."""
    pairs = (line.partition("=") for line in SERVICE.read_text().splitlines())
    return [value for name, _, value in pairs if name == key]


def run(*command: str) -> str:
    """What a program complains of."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def test_systemd_understands_the_service(program: Callable[[str], str], tmp_path: Path) -> None:
    here = tmp_path / SERVICE.name
    (start,) = said("ExecStart")
    here.write_text(SERVICE.read_text().replace(start.split()[0], sys.executable))
    assert run(program("systemd-analyze"), "verify", "--man=no", str(here)) == ""
    here.write_text(here.read_text().replace("WatchdogSec=30", "WatchdogSec=soon"))
    assert "soon" in run(program("systemd-analyze"), "verify", "--man=no", str(here))


def test_the_service_may_do_little(program: Callable[[str], str]) -> None:
    """By systemd's own measure: 100 is a service that may do everything, and from 50 on it is a "medium" risk."""
    run(program("systemd-analyze"), "security", "--offline=yes", "--threshold=30", str(SERVICE))


def test_sound_may_run_before_all_else() -> None:
    assert said("LimitRTPRIO") == [str(audio.PRIORITY)]
    assert said("LimitNICE") == [str(min(audio.NICE, worker.NICE))]


def test_what_is_plugged_in_later_is_allowed_too() -> None:
    """systemd.resource-control(5), DeviceAllow=: a group is one of those in /proc/devices when the service starts."""
    built_in = {"gpiochip", "dma_heap"}
    modules = {"video4linux": "videodev", "media": "mc", "alsa": "snd", "drm": "drm", "cec": "cec"}
    groups = {value.split()[0].removeprefix("char-") for value in said("DeviceAllow") if value.startswith("char-")}
    loaded = [line for line in MODULES.read_text().splitlines() if line and not line.startswith("#")]
    assert sorted(loaded) == sorted(modules[group] for group in groups - built_in)


def test_a_unit_that_nobody_has_set_up_is_one_on_a_pi() -> None:
    (start,) = said("ExecStart")
    _, *arguments = start.split()
    place = arguments[-1]
    (given,) = (line.split()[-1] for line in FILES.read_text().splitlines() if line.split()[1] == place)
    config = settings(parse([*arguments[:-1], str(ROOT / given.lstrip("/"))]), Boards().settings)
    assert config.board.kind == "pi"
    assert Path(place).parent == Path("/var/lib") / said("StateDirectory")[0]


def test_the_services_user_is_made_with_its_groups(program: Callable[[str], str], tmp_path: Path) -> None:
    for name in ("passwd", "group"):
        (tmp_path / "etc").mkdir(exist_ok=True)
        (tmp_path / "etc" / name).write_text("")
    run(program("systemd-sysusers"), f"--root={tmp_path}", str(USERS))
    lines = [line.split(":") for line in (tmp_path / "etc" / "group").read_text().splitlines()]
    groups = {name for name, _, _, members in lines if "visavis" in members.split(",")}
    assert [name for name, *_ in lines if name == "visavis"] == said("Group")
    assert groups == set(said("SupplementaryGroups")[0].split())
