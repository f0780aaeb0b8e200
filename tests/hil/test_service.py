"""The service that the image starts, under the systemd that has started this machine, from the image's own files.

What is plugged in or called here is what a room has: the sandbox of the unit file must leave all of it to the service,
and nothing else.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hil.answer import AnswerWatch
from hil.condition import Dog
from hil.inside import BUTTON, LAMP, LOOK, PATIENCE, press
from hil.lines import Lines
from hil.monitor import RESULTS, Television
from hil.sensor import Sensor
from hil.service import GROUP, NAME, STATE, Service
from hil.sound import Room
from hil.television import CecTelevision
from hil.waiting import wait_for
from hil.webcam import Webcam
from interop.peer import Peer, PeerCall
from interop.unit import Settings, Unit

HERE = "127.0.0.1"
RULES = Path("/usr/lib/udev/rules.d/70-visavis.rules")
SETTINGS: Settings = {
    "board.pi": {"display_lines": 480, "decoder": "hardware"},  # though pictures are small
    "room": {"name": "Room", "auto_answer": False},
    # A size that the driver behind libcamera has, and that an emulated machine can bear.
    "media": {"width": 240, "height": 144, "frame_rate": 2, "codecs": ["PCMU", "H264"], "encryption": "off"},
    "health": {"watchdog": 60.0},  # longer than systemd lets it hang
}
USED = (
    "video10",
    "video11",
    "media",
    "dma_heap",
    "snd/pcmC0D0c",
    "snd/pcmC0D0p",
    "dri/card0",
    "gpiochip",
    "cec",
    "watchdog",
)
"""What a call with sound and picture has open: the beginnings of the nodes' names."""
VIDEO, SOUND = 96, 0
"""Payload types of the peer's offer."""
ANSWER_TIME, CALLS = 0.050, 3
"""Seconds from the line that is pulled to the answer on the wire, each time.

Where the machine is emulated, an instruction takes 1 ns of its time: so the limit holds for one core that does 1,000
million instructions a second, which is less than a Pi 4 does.
"""
PAUSE = 2.0
"""Seconds between two questions to systemd."""
STOP_TIME = 10.0
"""Seconds, TimeoutStopSec=."""
EXPOSURE = 25
"""Tenths, as `systemd-analyze security` counts: 0 is shut off from all, 100 from nothing."""

pytestmark = pytest.mark.timeout(500)


@pytest.fixture(scope="module")
def service(on_bench: bool, lines: Lines, television: Television) -> Iterator[Service]:
    """The service, not started; of its devices there are the pins and the screen."""
    if not on_bench:
        pytest.skip("the service of this machine is its own")
    Service.install()
    service = Service()
    yield service
    service.stop()
    (RESULTS / "journal").write_text(service.log())


@pytest.fixture(scope="module")
def new(service: Service) -> Service:
    """It runs as on the day when the image was written to a card."""
    service.configure({})
    service.control("start")
    return service


@pytest.fixture(scope="module")
def equipped(service: Service, sensor: Sensor, room: Room, encoder_node: Path) -> Iterator[CecTelevision]:
    """All devices that a room may have are there, and it is told to use them."""
    service.stop()
    service.configure(SETTINGS)
    with Dog() as dog, CecTelevision() as tv:
        yield tv
        service.stop()
        assert dog.barks == 0


@pytest.fixture
def running(service: Service, equipped: CecTelevision) -> Service:
    """It runs, with all devices."""
    service.control("start")
    return service


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer(HERE) as peer:
        yield peer


def eventually(condition: Callable[[], object]) -> bool:
    return wait_for(condition, PATIENCE, LOOK)


def answers(service: Unit, peer: Peer) -> bool:
    """Whether it answers by SIP."""
    try:
        return peer.options((HERE, service.sip_port)).startswith("SIP/2.0 200")
    except (TimeoutError, OSError):
        return False


def answered(service: Unit, peer: Peer, lines: Lines) -> PeerCall:
    """A call that is answered by the button."""
    call = peer.call((HERE, service.sip_port))
    service.wait_for_call("incoming")
    press(lines, "call")
    call.established()
    return call


def shell(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_udev_understands_the_rules(on_bench: bool, tmp_path: Path) -> None:
    if not on_bench:
        pytest.skip("the rules of this machine are its own")
    assert shell("udevadm", "verify", str(RULES)).returncode == 0
    wrong = tmp_path / RULES.name
    shutil.copy(RULES, wrong)
    wrong.write_text(RULES.read_text().replace("MODE=", "MOOD="))
    assert shell("udevadm", "verify", str(wrong)).returncode != 0


def test_a_new_unit_is_ready_without_camera_and_sound_and_takes_them_when_they_come(new: Service, peer: Peer) -> None:
    assert new.show("ActiveState", "SubState", "Type") == {
        "ActiveState": "active",
        "SubState": "running",
        "Type": "notify",
    }
    assert answers(new, peer)
    faults = new.wait(lambda state: len(state["faults"]) >= 3)["faults"]
    for device in ("camera", "microphone", "speaker"):
        assert any(device in fault for fault in faults), faults
    Webcam().plug()
    Room()
    new.wait(lambda state: not state["faults"])


def test_it_is_started_again_when_it_is_killed(new: Service) -> None:
    process = new.main_process
    new.control("kill", "--signal=KILL")
    assert wait_for(lambda: new.restarts == 1 and new.main_process not in (0, process), PATIENCE, PAUSE)
    assert "code=killed, status=9/KILL" in new.log()


def test_it_keeps_what_it_makes_in_the_folder_that_systemd_gives(running: Service) -> None:
    certificate = STATE / "tls" / "certificate.pem"
    assert {path.owner() for path in (STATE, STATE / "room.toml", certificate)} == {"visavis"}
    assert STATE.stat().st_mode & 0o777 == 0o750
    assert certificate.stat().st_mode & 0o077 == 0


def test_in_a_call_it_uses_every_device(
    running: Service, equipped: CecTelevision, peer: Peer, lines: Lines, record_property: Callable[[str, object], None]
) -> None:
    answered(running, peer, lines)
    opened: set[str] = set()

    def all_opened() -> bool:
        opened.update(running.devices())
        return all(any(node.startswith(f"/dev/{name}") for node in opened) for name in USED)

    def all_sent() -> bool:
        return peer.rtp_payload_types().keys() >= {VIDEO, SOUND}

    assert eventually(all_opened), f"{sorted(opened)} {running.log()[-3000:]}"
    assert eventually(all_sent), running.log()[-3000:]
    record_property("devices", sorted(opened))
    assert eventually(lambda: running.state()["television"]["reachable"]), running.log()[-3000:]
    assert lines.is_high(LAMP["in_call"])
    assert running.state()["faults"] == []
    press(lines, "hang_up")
    assert "BYE " in next_request(peer)


def test_a_line_that_is_pulled_answers_at_once(
    running: Service, peer: Peer, lines: Lines, record_property: Callable[[str, object], None]
) -> None:
    times = []
    for _ in range(CALLS):
        call = peer.call((HERE, running.sip_port))
        running.wait_for_call("incoming")
        time.sleep(1)
        with AnswerWatch() as watch:
            lines.pull(BUTTON["call"], high=False)
            times.append(watch.wait())
        call.established()
        lines.pull(BUTTON["call"], high=True)
        call.end()
        running.wait_for_idle()
    record_property("answer_ms", [round(seconds * 1000, 1) for seconds in times])
    assert max(times) < ANSWER_TIME


def test_what_the_panel_is_made_of_comes(running: Service) -> None:
    assert b"<html" in running.page("/")


def test_it_may_use_nothing_else(running: Service) -> None:
    for process in running.processes():
        status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
        rights = {key: status[key].strip() for key in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")}
        assert rights == {"CapEff": "0" * 16, "CapBnd": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}
        assert "0" not in status["Uid"].split()
    # With root's rights, but in the service's group: of the devices, what it is told of only.
    join = f"echo $$ >{GROUP}/cgroup.procs; exec head -c 1 >/dev/null "
    assert shell("sh", "-c", join + "/dev/urandom").returncode == 0
    assert "Operation not permitted" in shell("sh", "-c", join + "/dev/vda").stderr
    # With root's rights, but where the service sees files: all but its own are there to read.
    there = ("nsenter", "--mount", f"--target={running.main_process}", "touch")
    assert shell(*there, str(STATE / "mine")).returncode == 0
    for path in ("/etc/not-mine", "/usr/lib/not-mine", "/var/lib/not-mine"):
        assert "Read-only file system" in shell(*there, path).stderr


def test_it_is_started_again_when_it_hangs(running: Service, peer: Peer) -> None:
    restarts, process = running.restarts, running.main_process
    running.control("kill", "--kill-whom=main", "--signal=STOP")
    assert wait_for(lambda: is_new(running, process), PATIENCE, PAUSE), running.log()[-3000:]
    assert running.restarts == restarts + 1
    assert "Watchdog timeout" in running.log()
    assert answers(running, peer)


def test_it_hangs_up_and_ends_when_it_is_stopped(running: Service, peer: Peer, lines: Lines) -> None:
    answered(running, peer, lines)
    begin = time.monotonic()
    running.stop()
    assert time.monotonic() - begin < STOP_TIME
    assert "BYE " in next_request(peer)
    assert running.show("ActiveState", "Result", "ExecMainCode", "ExecMainStatus") == {
        "ActiveState": "inactive",
        "Result": "success",
        "ExecMainCode": "1",  # CLD_EXITED
        "ExecMainStatus": "0",
    }
    assert running.processes() == []


def test_systemd_finds_it_little_exposed(service: Service, record_property: Callable[[str, object], None]) -> None:
    found = shell("systemd-analyze", "security", "--no-pager", f"--threshold={EXPOSURE}", NAME)
    (RESULTS / "security").write_text(found.stdout)
    print(found.stdout.splitlines()[-1])
    record_property("exposure", found.stdout.splitlines()[-1])
    assert found.returncode == 0, found.stdout + found.stderr


def is_new(service: Service, process: int) -> bool:
    """Whether it runs and is ready in another process than this one."""
    shown = service.show("MainPID", "ActiveState")
    return shown["ActiveState"] == "active" and int(shown["MainPID"]) not in (0, process)


def next_request(peer: Peer) -> str:
    """The next that a far end asks of the peer; it is answered."""
    while not re.match(r"[A-Z]+ sip:", text := peer.receive(PATIENCE)):
        pass
    peer.answer(text, "200 OK")
    return text
