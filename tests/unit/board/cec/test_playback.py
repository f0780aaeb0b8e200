"""`board.cec.playback`: what is said on the wire, with the time as an argument."""

from __future__ import annotations

import random

import pytest

from board.cec.message import MAX_SIZE, NO_ADDRESS, Message, Opcode, Power, decode
from board.cec.playback import (
    ANSWER_TIME,
    ASK_TIME,
    MAX_WAITING,
    RELEASE_TIME,
    REPEAT_TIME,
    WAKE_TIME,
    PlaybackDevice,
    is_source,
)
from firmware.ports import TelevisionStatus

TV, UNIT, PLAYER, EVERYBODY = 0, 4, 8, 15
HERE, THERE = 0x1000, 0x2000
HERE_BYTES, THERE_BYTES = b"\x10\x00", b"\x20\x00"

IMAGE_VIEW_ON = Message(UNIT, TV, Opcode.IMAGE_VIEW_ON)
ACTIVE_SOURCE = Message(UNIT, EVERYBODY, Opcode.ACTIVE_SOURCE, HERE_BYTES)
ASK_POWER = Message(UNIT, TV, Opcode.GIVE_DEVICE_POWER_STATUS)
ASK_SOURCE = Message(UNIT, EVERYBODY, Opcode.REQUEST_ACTIVE_SOURCE)
STANDBY = Message(UNIT, TV, Opcode.STANDBY)


def said(opcode: Opcode, operands: bytes = b"", *, by: int = TV, to: int = UNIT) -> Message:
    return Message(by, to, opcode, operands)


def power(status: Power) -> Message:
    return said(Opcode.REPORT_POWER_STATUS, bytes((status,)))


def plugged_in() -> PlaybackDevice:
    device = PlaybackDevice()
    device.addresses_changed(UNIT, HERE, 0.0)
    assert device.messages() == [ASK_POWER]
    device.sent(ASK_POWER, acknowledged=True)
    return device


def shown() -> PlaybackDevice:
    """One that is shown on a television that is on."""
    device = plugged_in()
    device.receive(power(Power.ON), 0.1)
    device.wake(1.0)
    device.receive(power(Power.ON), 1.1)
    device.messages()
    assert device.status == TelevisionStatus(reachable=True, on=True, shows_room=True)
    return device


def test_one_touch_play() -> None:
    device = plugged_in()
    device.receive(power(Power.STANDBY), 0.1)
    assert device.status == TelevisionStatus(reachable=True, on=False)
    device.wake(1.0)
    assert device.messages() == [IMAGE_VIEW_ON, ACTIVE_SOURCE, ASK_POWER]


def test_a_television_that_was_asleep_is_told_the_source_again_when_it_is_on() -> None:
    device = plugged_in()
    device.wake(1.0)
    device.messages()
    device.receive(power(Power.STANDBY_TO_ON), 1.1)
    device.handle_timer(1.1 + ANSWER_TIME)
    assert device.messages() == [ASK_POWER]
    device.receive(power(Power.ON), 2.2)
    assert device.messages() == [ACTIVE_SOURCE]
    assert device.status == TelevisionStatus(reachable=True, on=True, shows_room=True)
    device.receive(power(Power.ON), 3.0)
    assert device.messages() == []


def test_who_turned_to_another_source_while_it_started_is_left_alone() -> None:
    device = plugged_in()
    device.wake(1.0)
    device.messages()
    device.receive(said(Opcode.ACTIVE_SOURCE, THERE_BYTES, by=PLAYER, to=EVERYBODY), 1.5)
    device.receive(power(Power.ON), 2.0)
    assert device.messages() == []
    assert device.status.shows_room is False


def test_a_television_that_never_starts_is_asked_less_often_after_a_while() -> None:
    device = plugged_in()
    device.wake(0.0)
    times = []
    while (due := device.timer()) is not None and due < 200:
        device.handle_timer(due)
        if ASK_POWER in device.messages():
            times.append(due)
    assert sum(time <= WAKE_TIME for time in times) == pytest.approx(WAKE_TIME / ANSWER_TIME, abs=1)
    assert sum(time > WAKE_TIME for time in times) <= (200 - WAKE_TIME) / ASK_TIME + 1


def test_it_is_not_woken_twice_at_once_unless_it_has_turned_away() -> None:
    device = shown()
    device.wake(1.0 + REPEAT_TIME / 2)
    assert device.messages() == []
    device.receive(said(Opcode.ACTIVE_SOURCE, b"\0\0", to=EVERYBODY), 2.0)
    device.wake(2.1)
    assert device.messages()[:2] == [IMAGE_VIEW_ON, ACTIVE_SOURCE]


def test_one_that_was_just_put_to_standby_is_woken_again() -> None:
    device = shown()
    device.standby(1.2)
    device.handle_timer(1.2 + ANSWER_TIME)
    device.messages()
    device.wake(1.3 + ANSWER_TIME)
    assert device.messages()[:2] == [IMAGE_VIEW_ON, ACTIVE_SOURCE]


def test_a_television_that_looks_unplugged_is_woken_and_shown_the_room_when_it_is_back() -> None:
    device = PlaybackDevice()
    device.wake(0.0)
    assert device.messages() == [Message(15, TV, Opcode.IMAGE_VIEW_ON)]
    device.addresses_changed(UNIT, HERE, 5.0)
    assert device.messages() == [IMAGE_VIEW_ON, ACTIVE_SOURCE, ASK_POWER]


def test_one_that_comes_back_much_later_is_left_alone() -> None:
    device = PlaybackDevice()
    device.wake(0.0)
    device.messages()
    device.addresses_changed(UNIT, HERE, WAKE_TIME + 1)
    assert device.messages() == [ASK_POWER]


def test_standby_is_said_when_nobody_objects() -> None:
    device = shown()
    device.standby(10.0)
    assert device.messages() == [ASK_SOURCE]
    device.handle_timer(10.0 + ANSWER_TIME)
    assert device.messages() == [STANDBY]
    assert device.status.on is False
    device.standby(20.0)
    assert device.messages() == []


def test_standby_is_not_said_when_another_source_answers() -> None:
    device = shown()
    device.standby(10.0)
    device.receive(said(Opcode.ACTIVE_SOURCE, THERE_BYTES, by=PLAYER, to=EVERYBODY), 10.2)
    device.messages()
    device.handle_timer(10.0 + ANSWER_TIME)
    assert STANDBY not in device.messages()


def test_standby_is_taken_back_by_waking() -> None:
    device = shown()
    device.standby(10.0)
    device.wake(10.5)
    device.messages()
    device.handle_timer(10.0 + ANSWER_TIME)
    assert STANDBY not in device.messages()


def test_standby_is_not_said_where_the_source_is_not_known() -> None:
    device = plugged_in()
    device.receive(power(Power.ON), 0.1)
    device.standby(1.0)
    assert device.messages() == []


@pytest.mark.parametrize(
    ("message", "shows_room"),
    [
        (said(Opcode.ACTIVE_SOURCE, THERE_BYTES, by=PLAYER, to=EVERYBODY), False),
        (said(Opcode.ACTIVE_SOURCE, b"\0\0", to=EVERYBODY), False),
        (said(Opcode.ROUTING_CHANGE, HERE_BYTES + THERE_BYTES, to=EVERYBODY), False),
        (said(Opcode.ROUTING_INFORMATION, THERE_BYTES, by=5, to=EVERYBODY), False),
        (said(Opcode.SET_STREAM_PATH, THERE_BYTES, to=EVERYBODY), False),
        (said(Opcode.STANDBY, to=EVERYBODY), None),
        (said(Opcode.STANDBY, by=PLAYER), True),
        (said(Opcode.INACTIVE_SOURCE, THERE_BYTES, by=PLAYER), None),
        (said(Opcode.ACTIVE_SOURCE, b"\x20", by=PLAYER, to=EVERYBODY), False),
        (said(Opcode.FEATURE_ABORT, bytes((Opcode.STANDBY, 4))), True),
    ],
)
def test_what_is_said_on_the_wire_tells_who_is_shown(message: Message, shows_room: bool | None) -> None:
    device = shown()
    device.receive(message, 5.0)
    assert device.status.shows_room is shows_room
    assert device.messages() == []


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (said(Opcode.SET_STREAM_PATH, HERE_BYTES, to=EVERYBODY), ACTIVE_SOURCE),
        (said(Opcode.ROUTING_CHANGE, THERE_BYTES + HERE_BYTES, to=EVERYBODY), ACTIVE_SOURCE),
        (said(Opcode.REQUEST_ACTIVE_SOURCE, to=EVERYBODY), ACTIVE_SOURCE),
        (said(Opcode.GIVE_DEVICE_POWER_STATUS), Message(UNIT, TV, Opcode.REPORT_POWER_STATUS, b"\0")),
        (said(Opcode.GIVE_DECK_STATUS, b"\x03"), Message(UNIT, TV, Opcode.DECK_STATUS, b"\x1f")),
        (said(Opcode.GIVE_DECK_STATUS, b"\x02"), None),
        (said(Opcode.GIVE_DECK_STATUS, b"\x04"), Message(UNIT, TV, Opcode.FEATURE_ABORT, b"\x1a\x03")),
        (said(Opcode.GIVE_DECK_STATUS), Message(UNIT, TV, Opcode.FEATURE_ABORT, b"\x1a\x03")),
        (said(Opcode.MENU_REQUEST, b"\x02"), Message(UNIT, TV, Opcode.MENU_STATUS, b"\0")),
        (Message(TV, UNIT, 0xA5), Message(UNIT, TV, Opcode.FEATURE_ABORT, b"\xa5\0")),
        (Message(PLAYER, UNIT, 0x42, b"\x03"), Message(UNIT, PLAYER, Opcode.FEATURE_ABORT, b"\x42\0")),
        (Message(TV, EVERYBODY, 0xA5), None),
        (Message(EVERYBODY, UNIT, 0xA5), None),
        (said(Opcode.FEATURE_ABORT, b"\x36\0"), None),
    ],
)
def test_questions_are_answered(question: Message, answer: Message | None) -> None:
    device = shown()
    device.receive(question, 5.0)
    assert device.messages() == ([] if answer is None else [answer])


def test_who_is_not_shown_does_not_say_so() -> None:
    device = plugged_in()
    device.receive(said(Opcode.REQUEST_ACTIVE_SOURCE, to=EVERYBODY), 1.0)
    assert device.messages() == []


def press(device: PlaybackDevice, code: int, now: float) -> list[str]:
    device.receive(said(Opcode.USER_CONTROL_PRESSED, bytes((code,))), now)
    return device.pressed_keys()


def test_a_key_acts_once_however_long_it_is_held() -> None:
    device = shown()
    assert press(device, 0x00, 5.0) == ["select"]
    assert press(device, 0x00, 5.4) == []
    assert press(device, 0x00, 5.8) == []
    device.receive(said(Opcode.USER_CONTROL_RELEASED), 5.9)
    assert press(device, 0x00, 6.0) == ["select"]
    assert press(device, 0x0D, 6.1) == ["back"]
    assert press(device, 0x0D, 6.1 + RELEASE_TIME) == ["back"]


def test_the_volume_goes_on_while_its_key_is_held() -> None:
    device = shown()
    assert [press(device, 0x41, 5.0 + n / 4) for n in range(3)] == [["volume_up"]] * 3


def test_a_key_that_means_nothing_here_is_no_error() -> None:
    device = shown()
    assert press(device, 0x77, 5.0) == []
    device.receive(said(Opcode.USER_CONTROL_PRESSED), 5.1)
    assert device.pressed_keys() == []
    assert device.messages() == []


def test_one_that_does_not_answer_can_not_be_reached() -> None:
    device = shown()
    device.sent(ASK_POWER, acknowledged=False)
    assert device.status == TelevisionStatus(reachable=False, on=None, shows_room=True)
    device.sent(ACTIVE_SOURCE, acknowledged=True)
    assert not device.status.reachable


def test_pulling_the_plug_forgets_everything() -> None:
    device = shown()
    device.addresses_changed(None, NO_ADDRESS, 5.0)
    assert device.status == TelevisionStatus()
    assert device.messages() == []
    assert device.timer() is None or device.timer() <= WAKE_TIME + 1.0
    device.standby(6.0)
    assert device.messages() == []


def test_a_flood_is_bounded_and_nothing_said_can_break_it() -> None:
    device = shown()
    source = random.Random(1)
    for n in range(5000):
        message = decode(source.randbytes(source.randrange(MAX_SIZE + 2)))
        if message is not None:
            device.receive(message, 5.0 + n / 100)
    assert len(device.messages()) <= MAX_WAITING
    assert len(device.pressed_keys()) <= MAX_WAITING


def test_a_source_is_neither_nowhere_nor_the_television() -> None:
    assert [is_source(address) for address in (0x1000, 0x2100, 0, NO_ADDRESS)] == [True, True, False, False]
