"""Two units call each other by H.323: picture by its content, sound by its tone, hold, failures, and many calls."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from interop.conftest import FAR_LABEL, SMALL
from interop.ports import free_ports
from interop.process import family
from interop.unit import CARD_LABEL, Unit
from interop.waiting import until

StartUnit = Callable[..., Unit]
MEDIA = {"frame_rate": 15}
"""Half of what a unit sends by itself, at its full size: two units draw, code and show on one machine."""
HALF_A_FRAME_RATE = 7
TONES = (660, 880)
LABELS = (CARD_LABEL, FAR_LABEL)


@dataclass(frozen=True)
class Pair:
    """Two units; each sees the other's label and hears its tone."""

    units: tuple[Unit, Unit]

    def other(self, unit: Unit) -> Unit:
        return self.units[1 - self.units.index(unit)]

    def connect(self, caller: Unit) -> tuple[str, str]:
        """Have one call the other; gives the call's number at the caller and at the callee."""
        callee = self.other(caller)
        call = caller.dial(callee.h323_url)
        caller.wait_for_call()
        return call, callee.wait_for_call()

    def wait_for_idle(self) -> list[str]:
        """Wait until neither has a call; gives what each room says of it."""
        notices = [unit.wait_for_idle()["notice"] for unit in self.units]
        return [notice["text"] if notice else "" for notice in notices]

    def assert_all_see_and_hear(self) -> None:
        for unit, label in zip(self.units, reversed(LABELS), strict=True):
            assert_sees(unit, label)
        self.assert_all_hear()

    def assert_all_hear(self) -> None:
        for unit in self.units:
            unit.forget_sound()
        for unit in self.units:
            wanted = self.other(unit).tone
            assert until(lambda u=unit, t=wanted: u.heard_tone(t) > 0.8), f"no {wanted} Hz\n{unit.log()[-3000:]}"  # type: ignore[misc]
            assert unit.heard_tone(unit.tone) < 0.1, "nobody hears himself"


def assert_sees(unit: Unit, label: str) -> None:
    """Two looks at a moving card: it is there, and it has moved on (or begun anew, as after a hold)."""
    assert until(lambda: unit.counter(label) is not None), f"{label!r} is not to be seen\n{unit.log()[-3000:]}"
    first = unit.counter(label)
    assert until(lambda: unit.counter(label) not in (None, first)), "the picture stands still"


def start_pair(running: ExitStack, folder: Path, settings: dict[str, Any], **far: Any) -> Pair:
    units = []
    for number, (tone, label) in enumerate(zip(TONES, LABELS, strict=True)):
        own = {"board.sim": {"camera_label": label}, **settings}
        address = ""
        if "address" in far:  # one address for both: all ports are their own
            address, ports = far["address"], free_ports(60, far["address"])
            own["sip"] = {"port": ports[0], "tls_port": ports[1], "addresses": [address]}
            own["h323"] = {
                "port": ports[2],
                "h245_first_port": ports[4],
                "h245_last_port": ports[11],
                **settings["h323"],
            }
            own["web"] = {"port": ports[3]}
            own["media"] = {"rtp_first_port": ports[12], "rtp_last_port": ports[59], **settings["media"]}
        units.append(running.enter_context(Unit(folder / f"unit-{number}", own, address=address, tone=tone)))
    return Pair((units[0], units[1]))


WAYS: dict[str, dict[str, bool]] = {
    "tunnelled": {},
    "separate": {"tunnelling": False},
    "fast": {"fast_connect": True},
    "IPv6": {},
}


@pytest.fixture(scope="module", params=WAYS)
def running_pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two units that tunnel, that give H.245 a connection of its own, that use fast connect, or that know IPv6 only."""
    settings = {"media": MEDIA, "h323": WAYS[request.param]}
    far = {"address": request.getfixturevalue("ipv6")} if request.param == "IPv6" else {}
    with ExitStack() as running:
        yield start_pair(running, tmp_path_factory.mktemp("pair"), settings, **far)


@pytest.fixture
def pair(running_pair: Pair) -> Iterator[Pair]:
    """The shared units, without a call before and after the test."""
    running_pair.wait_for_idle()
    yield running_pair
    running_pair.wait_for_idle()


@pytest.fixture
def small_pair(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Two units of their own that send a small picture."""
    h323 = {"tunnelling": getattr(request, "param", True)}
    settings = {"media": SMALL, "h323": h323, "room": {"silence_time": 5}}
    with ExitStack() as running:
        yield start_pair(running, tmp_path, settings)


@pytest.mark.parametrize(("calling", "ending"), [(0, 0), (1, 0)], ids=["the caller hangs up", "the callee hangs up"])
def test_a_call(pair: Pair, calling: int, ending: int) -> None:
    caller = pair.units[calling]
    callee = pair.other(caller)
    call, call_there = pair.connect(caller)
    pair.assert_all_see_and_hear()
    for unit, number in ((caller, call), (callee, call_there)):
        streams = unit.streams(number)
        assert {stream["codec"] for (kind, _), stream in streams.items() if kind == "audio"} == {"opus"}
        picture = streams["video", "receive"]
        assert (picture["codec"], picture["width"], picture["height"]) == ("H264", 1280, 720)
        assert all(stream["lost"] == 0 for stream in streams.values())
        assert until(lambda u=unit, n=number: u.streams(n)["video", "receive"]["frame_rate"] > HALF_A_FRAME_RATE)  # type: ignore[misc]
    unit = pair.units[ending]
    unit.command(call if unit is caller else call_there, "hang_up")
    assert pair.wait_for_idle() == ["The call was hung up."] * 2


@pytest.mark.parametrize("holding", [0, 1], ids=["the caller holds", "the callee holds"])
def test_hold_and_resume(pair: Pair, holding: int) -> None:
    calls = pair.connect(pair.units[0])
    holder, held = pair.units[holding], pair.units[1 - holding]
    pair.assert_all_see_and_hear()
    holder.command(calls[holding], "hold")
    holder.wait(lambda state: state["calls"][0]["held"])
    held.wait(lambda state: state["calls"][0]["held_by_far_end"])
    time.sleep(1)
    for unit in pair.units:
        unit.forget_sound()
    time.sleep(1.5)
    for unit in pair.units:
        assert unit.heard_tone(pair.other(unit).tone) < 0.1, "held, both rooms are silent"
    holder.command(calls[holding], "resume")
    holder.wait(lambda state: not state["calls"][0]["held"])
    held.wait(lambda state: not state["calls"][0]["held_by_far_end"])
    pair.assert_all_see_and_hear()
    held.command(calls[1 - holding], "hang_up")


def test_both_hold(pair: Pair) -> None:
    calls = pair.connect(pair.units[0])
    for name in ("hold", "resume"):
        for unit, call in zip(pair.units, calls, strict=True):
            unit.command(call, name)
        for unit in pair.units:
            wanted = name == "hold"
            unit.wait(lambda s, w=wanted: s["calls"][0]["held"] is w and s["calls"][0]["held_by_far_end"] is w)  # type: ignore[misc]
    pair.assert_all_see_and_hear()
    pair.units[0].command(calls[0], "hang_up")


def test_a_media_process_dies_and_the_call_goes_on(pair: Pair) -> None:
    call, call_there = pair.connect(pair.units[0])
    pair.assert_all_see_and_hear()
    for unit in pair.units:
        unit.kill_media_worker()
        pair.assert_all_see_and_hear()
    assert [state["calls"][0]["id"] for state in (unit.state() for unit in pair.units)] == [call, call_there]
    pair.units[1].command(call_there, "hang_up")


def descriptors(unit: Unit) -> int:
    """How many files and sockets its processes have open."""
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in family(unit.process.pid))  # noqa: PTH208


@pytest.mark.timeout(300)
@pytest.mark.parametrize("small_pair", [True, False], indirect=True, ids=["tunnelled", "separate"])
def test_a_hundred_calls_in_a_row_leave_nothing(small_pair: Pair) -> None:
    def call_in_a_row(count: int) -> None:
        for number in range(count):
            caller = small_pair.units[number % 2]
            calls = small_pair.connect(caller)
            unit = caller if number % 4 < 2 else small_pair.other(caller)
            unit.command(calls[0 if unit is caller else 1], "hang_up")
            small_pair.wait_for_idle()

    def used() -> list[tuple[int, int]]:
        """Memory, bytes, and descriptors of each, once the last connection has lingered."""
        time.sleep(6)
        return [(unit.usage()[0], descriptors(unit)) for unit in small_pair.units]

    call_in_a_row(30)
    before = used()
    call_in_a_row(100)
    for (memory, open_files), (memory_before, open_before) in zip(used(), before, strict=True):
        assert open_files <= open_before
        assert memory < memory_before + 20_000_000, "200 kB for each call would be a leak that nobody overlooks"
    small_pair.connect(small_pair.units[0])
    small_pair.assert_all_see_and_hear()


def test_a_unit_that_is_killed_ends_the_call(unit: StartUnit, tmp_path: Path) -> None:
    left = unit({"media": SMALL})
    dies = Unit(tmp_path / "dies", {"media": SMALL}, tone=880)
    dies.__enter__()
    try:
        call = left.dial(dies.h323_url)
        left.wait_for_call()
        for pid in family(dies.process.pid):
            os.kill(pid, signal.SIGKILL)
        assert left.wait_for_idle()["notice"]["text"] == "The connection was lost."
    finally:
        dies.stop()
    assert ends(left, call) == 1
    with Unit(dies.folder, {"media": SMALL}, address=dies.address, tone=dies.tone) as again:
        left.dial(again.h323_url)
        left.wait_for_call()
        left.forget_sound()
        assert until(lambda: left.heard_tone(again.tone) > 0.8)


def ends(unit: Unit, call: str) -> int:
    """How many times it told its log that this call ended."""
    return sum(f"= call {call} " in line and " ended" in line for line in unit.log().splitlines())


def test_a_unit_that_stands_still_ends_the_call(small_pair: Pair) -> None:
    """Its kernel goes on acknowledging all that it is sent: only that nothing comes from it tells."""
    left, stopped = small_pair.units
    call, _ = small_pair.connect(left)
    pids = family(stopped.process.pid)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        state = left.wait_for_idle(20)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    assert state["notice"]["text"] == "The connection was lost."
    assert ends(left, call) == 1
    stopped.wait_for_idle()
    small_pair.connect(stopped)
    small_pair.assert_all_see_and_hear()


def test_one_call_by_each_protocol_at_once(unit: StartUnit) -> None:
    """A room that talks to all together hears and sees both far ends, whatever they speak."""
    settings = {"media": SMALL, "room": {"several_calls": "together"}}
    room = unit(settings)
    far = unit({**settings, "board.sim": {"camera_label": "By SIP"}}, tone=880)
    other = unit({**settings, "board.sim": {"camera_label": "By H.323"}}, tone=1100)
    calls = [room.dial(far.uri), room.dial(other.h323_url)]
    room.wait(lambda state: [call["state"] for call in state["calls"]] == ["active"] * 2)
    for call, word in zip(room.state()["calls"], ("sip:", "h323:"), strict=True):
        assert call["remote"].startswith(word)
        assert not call["held"]
    room.forget_sound()
    assert until(lambda: min(room.heard_tone(tone) for tone in (far.tone, other.tone)) > 0.2), "both are heard"
    for each in (far, other):
        each.forget_sound()
        assert until(lambda e=each: e.heard_tone(room.tone) > 0.2)  # type: ignore[misc]
        assert_sees(each, CARD_LABEL)
    room.command(calls[0], "hang_up")
    far.wait_for_idle()
    room.wait(lambda state: len(state["calls"]) == 1)
    room.forget_sound()
    assert until(lambda: room.heard_tone(other.tone) > 0.8), "the other call goes on"
    assert_sees(room, "By H.323")
    room.command(calls[1], "hang_up")
    other.wait_for_idle()
