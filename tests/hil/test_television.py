"""The television by HDMI-CEC: the kernel's interface, with another adapter and cec-follower at the other end."""

from __future__ import annotations

import asyncio
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hil.television import CecTelevision
from hil.waiting import wait_for
from simple_room import CHANNELS, SimpleEndpoint, SimpleMedia
from simple_web import until

from board import open_board
from board.pi import cec_adapter
from firmware import config
from firmware.call.call import State
from firmware.errors import DeviceError
from firmware.ports import Board, Television
from firmware.room import Room
from firmware.room import Television as RoomTelevision
from firmware.ui import RemoteControl

IMAGE_VIEW_ON, ACTIVE_SOURCE, ASK_SOURCE, STANDBY = "004", "f821100", "f85", "036"
INPUT = "1.1.0.0"


@pytest.fixture(scope="module")
def tv(on_bench: bool) -> Iterator[CecTelevision]:
    if not on_bench:
        pytest.skip("nobody looks at what is said on the wire of this machine")
    with CecTelevision() as tv:
        yield tv


@pytest.fixture
def television(tv: CecTelevision, board: Board) -> Television:
    """The television as the unit has it, on and reached."""
    tv.switch_on()
    tv.plug()
    television = board.open_television("Sitzungszimmer 3")
    assert wait_for(lambda: television.status.reachable and television.status.on)
    tv.heard()
    return television


def woken(tv: CecTelevision, television: Television) -> None:
    television.wake()
    assert tv.hears(IMAGE_VIEW_ON, ACTIVE_SOURCE)
    assert wait_for(lambda: television.status.on and television.status.shows_room)


def examination(tv: CecTelevision) -> tuple[str, ...]:
    return ("cec-compliance", "-d", tv.node, "-r", tv.unit_address())


def test_it_is_a_playback_device_of_the_rooms_name(tv: CecTelevision, television: Television) -> None:
    assert "Sitzungszimmer" in tv.ask("--give-osd-name")
    assert INPUT in tv.ask("--give-physical-addr")
    assert "pwr-state: on" in tv.ask("--give-device-power-status")
    assert "version-1-4" in tv.ask("--get-cec-version")


def test_what_is_not_known_is_refused(tv: CecTelevision, television: Television) -> None:
    tv.ask("--custom-command", "cmd=0x64,payload=0x00:0x41")
    assert tv.hears("0006400"), "<Feature Abort> of <Set OSD String>: unrecognized opcode"


def test_it_is_woken_and_shows_the_room(tv: CecTelevision, television: Television) -> None:
    woken(tv, television)


def test_it_goes_to_standby_and_is_woken_again(tv: CecTelevision, television: Television) -> None:
    woken(tv, television)
    television.standby()
    assert tv.hears(ASK_SOURCE, STANDBY)
    assert wait_for(lambda: television.status.on is False)
    television.wake()
    assert tv.hears(IMAGE_VIEW_ON, ACTIVE_SOURCE, ACTIVE_SOURCE, seconds=30), "once more when it is on"
    assert wait_for(lambda: television.status.on, 30)


def test_another_source_is_not_switched_off(tv: CecTelevision, television: Television) -> None:
    woken(tv, television)
    tv.tell("--active-source", "phys-addr=0.0.0.0")
    assert wait_for(lambda: television.status.shows_room is False)
    television.standby()
    assert not tv.hears(STANDBY, seconds=3)


def test_turning_to_the_unit_is_answered(tv: CecTelevision, television: Television) -> None:
    tv.tell("--set-stream-path", f"phys-addr={INPUT}")
    assert tv.hears(ACTIVE_SOURCE)
    assert wait_for(lambda: television.status.shows_room)


def test_keys_of_the_remote_control_arrive(tv: CecTelevision, television: Television) -> None:
    keys: list[str] = []
    came = threading.Semaphore(0)

    def pressed(key: str) -> None:
        keys.append(key)
        came.release()

    television.when_key_pressed = pressed
    for command in ("select", "number-5", "mute", "back"):
        tv.ask("--user-control-pressed", f"ui-cmd={command}")
        assert came.acquire(timeout=10), command
        tv.ask("--user-control-released")
    assert keys == ["select", "5", "mute", "back"]


def test_switching_it_off_is_noticed(tv: CecTelevision, television: Television) -> None:
    woken(tv, television)
    tv.tell("--to", "15", "--standby")
    assert wait_for(lambda: television.status.on is False)


def test_the_cable_is_pulled_and_put_in_again(tv: CecTelevision, television: Television) -> None:
    woken(tv, television)
    tv.unplug()
    assert wait_for(lambda: not television.status.reachable)
    tv.plug()
    assert wait_for(lambda: television.status.reachable and television.status.on)
    woken(tv, television)


def test_a_television_that_looks_unplugged_is_woken(tv: CecTelevision, television: Television) -> None:
    tv.unplug()
    assert wait_for(lambda: not television.status.reachable)
    television.wake()
    tv.plug()
    assert tv.hears(IMAGE_VIEW_ON, ACTIVE_SOURCE)


FEATURES = (
    *("core", "power-status", "system-information", "device-osd-transfer", "osd-display", "device-menu-control"),
    *("remote-control-passthrough", "deck-control", "routing-control", "one-touch-play"),
)


def test_it_complies_as_far_as_cec_compliance_can_tell(tv: CecTelevision, television: Television) -> None:
    words = [*examination(tv), "-C", "never", "-s", *(f"--test-{name}" for name in FEATURES)]
    report = subprocess.run(words, capture_output=True, text=True, timeout=90, check=False).stdout
    assert re.search(r"Total .* Failed: 0, Warnings: 0", report), report


def test_nonsense_from_the_wire_does_no_harm(tv: CecTelevision, television: Television) -> None:
    fuzz = subprocess.Popen([*examination(tv), "--test-fuzzing"], stdout=subprocess.DEVNULL)
    heard = 0
    while heard < 50:
        assert wait_for(lambda: tv.log, 10), "the unit answers no more"
        heard += len(tv.heard())
    fuzz.terminate()
    fuzz.wait(10)
    tv.switch_on()
    woken(tv, television)


def test_a_call_wakes_the_television_and_its_remote_control_answers(tv: CecTelevision, television: Television) -> None:
    async def main() -> None:
        endpoint = SimpleEndpoint()
        room = Room(config.Room(), [endpoint], SimpleMedia())
        await room.start()
        switched = RoomTelevision(television, config.Television(standby_time=1.0), room)
        remote = RemoteControl(television, room)
        call = endpoint.ring("kate@example.com")
        assert await asyncio.to_thread(tv.hears, IMAGE_VIEW_ON, ACTIVE_SOURCE)
        await asyncio.to_thread(tv.ask, "--user-control-pressed", "ui-cmd=select")
        await until(lambda: call.state is State.CONNECTING)
        call.established(CHANNELS)
        await asyncio.to_thread(tv.ask, "--user-control-pressed", "ui-cmd=back")
        await until(lambda: call.state is State.ENDED)
        assert await asyncio.to_thread(tv.hears, ASK_SOURCE, STANDBY)
        remote.close()
        switched.close()
        await room.stop()

    asyncio.run(main())


def test_a_second_unit_finds_it_busy(tv: CecTelevision, television: Television) -> None:
    with pytest.raises(DeviceError, match=f"another program has {tv.unit_node}"):
        cec_adapter.CecAdapters("", "Other").open(tv.unit_node)


def test_closing_gives_the_address_back(tv: CecTelevision, board: Board) -> None:
    television = board.open_television("Aalto")
    assert wait_for(lambda: television.status.reachable)
    board.close()
    other = open_board("pi", {"television": tv.unit_node})
    again = other.open_television("Aalto")
    assert wait_for(lambda: again.status.reachable)
    other.close()


def test_it_is_described(tv: CecTelevision, encoder_node: Path, board: Board) -> None:
    assert board.describe()["television"].endswith(tv.unit_node)
