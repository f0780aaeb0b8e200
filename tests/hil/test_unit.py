"""A whole unit on the board's devices, in calls with far ends outside of the machine: what people would notice."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hil import network
from hil.far_ends import LABEL, SMALL, TONE, outside, start
from hil.inside import LAMP, LOOK, PATIENCE, press, unit_inside
from hil.lines import Lines
from hil.mirror import Mirror
from hil.monitor import Television
from hil.pace import slowness
from hil.sound import BREAK_TIME, RATE, Room, interruptions, is_heard, tone
from hil.waiting import wait_for
from hil.webcam import Webcam
from interop.unit import Unit
from PIL import Image, ImageChops

from board.sim.counter import card_number, read_cards

ROOM_TONE = 880
LATEST = 1.0
"""Seconds after which a picture is on the screen, on a machine that is not emulated."""
SOUND_TIME, EMULATED_BREAKS = 20.0, 0.25
"""Seconds of a call that are listened to, and the part of them that an emulated machine may be late with."""
AMBER, GREEN = (251, 191, 36), (74, 222, 128)

pytestmark = pytest.mark.timeout(500)


@pytest.fixture(scope="module")
def unit(
    room: Room,
    lines: Lines,
    webcam: Webcam,
    television: Television,
    encoder_node: Path,
) -> Iterator[Unit]:
    """The unit, on real drivers."""
    network.set_up_machine()
    with unit_inside(network.MACHINE, room) as unit:
        yield unit


@pytest.fixture(scope="module")
def far_end() -> Unit:
    """A room outside, which answers by itself."""
    return outside("room")


@pytest.fixture(autouse=True)
def _no_calls(unit: Unit, far_end: Unit, television: Television) -> Iterator[None]:
    """Each test begins and ends without a call, also after one that failed."""
    yield
    for end in (unit, far_end):
        for call in end.state()["calls"]:
            end.command(call["id"], "hang_up")
    unit.wait_for_idle()
    far_end.wait_for_idle()
    assert eventually(lambda: shown(television) is None)


@pytest.fixture
def call(unit: Unit, far_end: Unit) -> str:
    """The number, in the unit, of a call with the room outside."""
    number = unit.dial(far_end.uri)
    assert unit.wait_for_call("active") == number
    return number


def eventually(condition: Callable[[], object]) -> bool:
    """Wait until the condition holds, without taking the unit's time; False: it did not."""
    return wait_for(condition, PATIENCE, LOOK)


def looks(television: Television) -> Image.Image:
    with Image.open(television.picture()) as picture:
        return picture.convert("RGB")


def middle(television: Television) -> object:
    """The colour in the middle of the screen."""
    picture = looks(television)
    return picture.getpixel((picture.width // 2, picture.height // 2))


def shown(television: Television) -> int | None:
    """The counter of the far end's card on the screen."""
    return read_cards(looks(television)).get(card_number(LABEL))


def sees_it_move(television: Television) -> bool:
    """Whether the far end's picture is on the screen, and goes on."""
    seen: list[int] = []

    def moves() -> bool:
        number = shown(television)
        if number is not None:
            seen.append(number)
        return len(seen) > 1 and seen[-1] > seen[0]

    return eventually(moves)


def is_color(color: object, name: str) -> bool:
    """Whether a colour is this one of the camera's, after encoders and scalers."""
    assert isinstance(color, tuple)
    wanted = {"red": 0, "green": 1, "blue": 2}[name]
    return all(part > 150 if n == wanted else part < 90 for n, part in enumerate(color))


def far_sees(far_end: Unit, color: str) -> bool:
    """Whether the room outside sees what our camera looks at."""
    return is_color(far_end.screen(320, 180).getpixel((160, 90)), color)


def says_trouble(television: Television) -> bool:
    """Whether there are words in the colour of trouble at the left edge of the screen, above the bottom."""
    return shows_words(television, AMBER, top=0.75)


def shows_words(television: Television, color: tuple[int, int, int], top: float = 0.4) -> bool:
    """Whether there are words of this colour in the left half of the screen, from this height to near the bottom."""
    picture = looks(television)
    place = picture.crop((0, round(picture.height * top), picture.width // 2, picture.height * 9 // 10))
    difference = ImageChops.difference(place, Image.new("RGB", place.size, color))
    near = [band.point([255 if value < 30 else 0 for value in range(256)]) for band in difference.split()]
    return ImageChops.darker(ImageChops.darker(near[0], near[1]), near[2]).histogram()[255] > 80


def hears(unit_room: Room, frequency: int) -> bool:
    """Whether a tone comes out of the speaker, as soon as the machine around gives this one enough of its time."""

    def now() -> bool:
        with unit_room.heard() as samples:
            time.sleep(4)
        return is_heard(samples[-3 * RATE :], frequency)

    return wait_for(now, PATIENCE)


def far_hears(far_end: Unit, unit_room: Room) -> bool:
    """Whether the room outside hears what is said to the microphone."""

    def now() -> bool:
        with unit_room.said(tone(ROOM_TONE, 6.0)):
            time.sleep(1)
            begin = far_end.speaker.stat().st_size
            time.sleep(4)
            with far_end.speaker.open("rb") as file:
                file.seek(begin - begin % 2)
                heard = file.read()
        return is_heard(array("h", heard[: len(heard) // 2 * 2]), ROOM_TONE)

    return wait_for(now, PATIENCE)


def test_the_unit_is_ready_on_real_devices(
    unit: Unit, lines: Lines, record_property: Callable[[str, object], None]
) -> None:
    record_property("start_s", round(unit.start_time, 1))
    record_property("slowness", round(slowness(), 1))
    assert wait_for(lambda: lines.is_high(LAMP["ready"]))
    assert unit.state()["faults"] == []


def test_what_is_sent_to_an_echo_comes_back(unit: Unit, room: Room, webcam: Webcam, television: Television) -> None:
    start("echo")
    webcam.show("red")
    unit.dial(f"sip:echo@{network.ECHO}")
    unit.wait_for_call("active")
    # The self-view is at the right, the middle is the far end's.
    assert eventually(lambda: is_color(middle(television), "red")), unit.log()[-3000:]
    with room.said(tone(ROOM_TONE, PATIENCE)):
        assert hears(room, ROOM_TONE)


def test_what_its_own_encoder_makes_is_decoded_in_hardware(unit: Unit, webcam: Webcam, television: Television) -> None:
    before = len(unit.log())
    webcam.show("green")
    with Mirror() as mirror:
        number = unit.dial(mirror.uri)
        assert unit.wait_for_call("active") == number
        for color in ("green", "red"):
            webcam.show(color)
            assert eventually(lambda color=color: is_color(middle(television), color)), unit.log()[-3000:]
        received = unit.streams(number)["video", "receive"]
        assert (received["width"], received["height"]) == (SMALL["width"], SMALL["height"])
        assert received["key_frames"] > 0
        unit.command(number, "hang_up")
        unit.wait_for_idle()
    log = unit.log()[before:]
    assert f"Decoding {SMALL['width']}x{SMALL['height']} in hardware" in log
    assert "given up" not in log


def test_what_the_hardware_can_not_decode_is_seen_all_the_same(unit: Unit, call: str, television: Television) -> None:
    assert eventually(lambda: "The hardware decoder is given up: it does not decode this stream" in unit.log())
    assert sees_it_move(television)
    assert unit.wait_for_call("active") == call


@pytest.mark.parametrize("protocol", ["sip", "h323"])
def test_a_call_from_outside_is_answered_by_the_button_and_all_flows(
    unit: Unit,
    far_end: Unit,
    lines: Lines,
    room: Room,
    webcam: Webcam,
    television: Television,
    protocol: str,
    record_property: Callable[[str, object], None],
) -> None:
    webcam.show("blue")
    far_end.dial(unit.uri if protocol == "sip" else unit.h323_url)
    unit.wait_for_call("incoming")
    assert wait_for(lambda: lines.is_high(LAMP["ringing"]))
    press(lines, "call")
    unit.wait_for_call("active")
    far_end.wait_for_call("active")
    assert wait_for(lambda: lines.is_high(LAMP["in_call"]))

    readings: list[tuple[int | None, int | None]] = []

    def read() -> bool:
        readings.append((far_end.counter(LABEL), shown(television)))
        return None not in readings[-1]

    assert eventually(read), unit.log()[-3000:]
    sent, seen = (reading or 0 for reading in readings[-1])
    late = (sent - seen) / SMALL["frame_rate"]
    record_property("late_s", late)
    assert late < LATEST * slowness()
    assert eventually(lambda: (far_end.counter(LABEL) or 0) >= seen)  # its own screen may be the later one
    assert sees_it_move(television)
    assert eventually(lambda: far_sees(far_end, "blue")), unit.log()[-3000:]
    assert hears(room, TONE)
    assert far_hears(far_end, room)

    press(lines, "mute")
    assert wait_for(lambda: lines.is_high(LAMP["muted"]))
    press(lines, "mute")
    assert wait_for(lambda: not lines.is_high(LAMP["muted"]))
    press(lines, "hang_up")
    unit.wait_for_idle()
    far_end.wait_for_idle()
    assert wait_for(lambda: not lines.is_high(LAMP["in_call"]))


def test_a_camera_that_is_pulled_out_and_put_in_again(
    unit: Unit, far_end: Unit, call: str, webcam: Webcam, television: Television
) -> None:
    webcam.show("red")
    assert eventually(lambda: far_sees(far_end, "red"))
    webcam.pull_out()
    unit.wait(lambda state: any("camera" in fault for fault in state["faults"]))
    assert eventually(lambda: says_trouble(television))
    assert sees_it_move(television)
    webcam.plug()
    webcam.show("green")
    assert eventually(lambda: far_sees(far_end, "green"))
    unit.wait(lambda state: not state["faults"])
    assert unit.wait_for_call("active") == call
    assert "= no camera: " in unit.log()
    assert "= the camera works again" in unit.log()


def test_a_sound_card_that_is_pulled_out_and_put_in_again(
    unit: Unit, far_end: Unit, call: str, room: Room, television: Television
) -> None:
    assert far_hears(far_end, room)
    room.unplug()
    unit.wait(lambda state: len(state["faults"]) == 2)
    assert eventually(lambda: says_trouble(television))
    assert sees_it_move(television)
    room.plug()
    unit.wait(lambda state: not state["faults"])
    assert hears(room, TONE)
    assert far_hears(far_end, room)
    assert unit.wait_for_call("active") == call
    for device in ("microphone", "speaker"):
        assert f"= no {device}: " in unit.log()
        assert f"= the {device} works again" in unit.log()


def test_a_screen_that_is_pulled_out_and_put_in_again(
    unit: Unit, far_end: Unit, call: str, room: Room, television: Television
) -> None:
    assert eventually(lambda: shown(television) is not None)
    television.unplug()
    unit.wait(lambda state: any("display" in fault for fault in state["faults"]))
    assert hears(room, TONE)
    television.plug()
    unit.wait(lambda state: not state["faults"])
    assert eventually(lambda: shown(television) is not None)
    assert sees_it_move(television)
    assert unit.wait_for_call("active") == call
    assert "= no display: " in unit.log()
    assert "= the display works again" in unit.log()


def test_what_is_put_in_again_after_the_call_is_no_fault_any_more(
    unit: Unit,
    far_end: Unit,
    call: str,
    webcam: Webcam,
    room: Room,
    television: Television,
    record_property: Callable[[str, object], None],
) -> None:
    webcam.show("blue")
    assert eventually(lambda: far_sees(far_end, "blue")), unit.log()[-3000:]  # all of them are in use
    webcam.pull_out()
    room.unplug()
    television.unplug()
    unit.wait(lambda state: len(state["faults"]) == 4)
    unit.command(call, "hang_up")
    unit.wait_for_idle()
    assert len(unit.state()["faults"]) == 4
    webcam.plug()
    room.plug()
    television.plug()
    start = time.monotonic()
    unit.wait(lambda state: not state["faults"])
    record_property("noticed_s", round(time.monotonic() - start, 1))
    assert eventually(lambda: shows_words(television, GREEN))


def test_what_is_pulled_out_without_a_call_is_missed_at_once(
    unit: Unit, webcam: Webcam, room: Room, television: Television
) -> None:
    webcam.pull_out()
    room.unplug()
    unit.wait(lambda state: len(state["faults"]) == 3)
    assert eventually(lambda: shows_words(television, AMBER))
    television.unplug()
    unit.wait(lambda state: len(state["faults"]) == 4)
    room.plug()
    webcam.plug()
    television.plug()
    unit.wait(lambda state: not state["faults"])
    assert eventually(lambda: shows_words(television, GREEN))


def test_a_call_is_heard_without_a_break(
    unit: Unit, room: Room, record_property: Callable[[str, object], None]
) -> None:
    """One without a picture; a minute of the card alone is in test_sound."""
    telephone = outside("telephone")
    unit.dial(telephone.uri)
    unit.wait_for_call("active")
    assert hears(room, TONE)
    with room.heard() as samples:
        time.sleep(SOUND_TIME)
    breaks = interruptions(samples)
    record_property("breaks", breaks)
    assert len(samples) > 0.95 * SOUND_TIME * RATE
    # Whatever else runs on the machine around it keeps an emulated one from being in time each time.
    assert len(breaks) * BREAK_TIME <= (EMULATED_BREAKS * SOUND_TIME if slowness() > 2 else 0)
