"""`board.sim.television`, as it is seen from the wire."""

from __future__ import annotations

import pytest
from hil.waiting import wait_for

from board.cec.message import Message, Opcode, Power, decode
from board.cec.television import Addresses, Received, Sent
from board.sim.television import INPUT, UNIT, SimTelevision
from firmware.errors import DeviceError
from firmware.ports import KEYS, TELEVISION_KEYS

HERE = divmod(INPUT, 256)


def said(tv: SimTelevision) -> list[Message]:
    messages = (decode(event.data) for event in tv.events(0) if isinstance(event, Received))
    return [message for message in messages if message is not None]


def send(tv: SimTelevision, destination: int, opcode: Opcode, *operands: int) -> list[Message]:
    tv.transmit(Message(UNIT, destination, opcode, bytes(operands)).encode())
    return said(tv)


def started() -> SimTelevision:
    tv = SimTelevision()
    tv.open("")
    send(tv, 0, Opcode.IMAGE_VIEW_ON)
    assert wait_for(lambda: tv.on)
    send(tv, 15, Opcode.ACTIVE_SOURCE, *HERE)
    assert tv.shows_unit
    return tv


def test_plugging_in_gives_addresses_and_sending_tells_what_became_of_it() -> None:
    tv = SimTelevision()
    assert tv.open("").events(0) == [Addresses(UNIT, INPUT)]
    for destination, acknowledged in ((0, True), (15, True), (8, False)):
        data = Message(UNIT, destination, Opcode.REPORT_POWER_STATUS, b"\0").encode()
        tv.transmit(data)
        assert tv.events(0) == [Sent(data, acknowledged)]
    tv.transmit(b"\x40")
    assert tv.events(0) == []


def test_it_needs_a_moment_to_start_and_hears_nothing_then() -> None:
    tv = SimTelevision()
    assert send(tv, 0, Opcode.GIVE_DEVICE_POWER_STATUS)[0].operands == bytes((Power.STANDBY,))
    send(tv, 0, Opcode.IMAGE_VIEW_ON)
    send(tv, 15, Opcode.ACTIVE_SOURCE, *HERE)
    assert not tv.on
    assert send(tv, 0, Opcode.GIVE_DEVICE_POWER_STATUS)[0].operands == bytes((Power.STANDBY_TO_ON,))
    assert wait_for(lambda: tv.on)
    assert send(tv, 0, Opcode.GIVE_DEVICE_POWER_STATUS)[0].operands == bytes((Power.ON,))
    assert not tv.shows_unit


def test_its_own_programme_says_that_it_is_shown() -> None:
    tv = started()
    assert send(tv, 15, Opcode.REQUEST_ACTIVE_SOURCE) == []
    tv.press_key("source")
    assert [message.opcode for message in said(tv)] == [Opcode.ROUTING_CHANGE, Opcode.ACTIVE_SOURCE]
    assert send(tv, 15, Opcode.REQUEST_ACTIVE_SOURCE) == [Message(0, 15, Opcode.ACTIVE_SOURCE, b"\0\0")]
    tv.press_key("source")
    assert [message.address(2) for message in said(tv)] == [INPUT]
    assert tv.shows_unit


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_passed_on_only_while_the_unit_is_shown(key: str) -> None:
    tv = started()
    tv.press_key(key)
    assert [message.opcode for message in said(tv)] == [Opcode.USER_CONTROL_PRESSED, Opcode.USER_CONTROL_RELEASED]
    tv.press_key("source")
    said(tv)
    tv.press_key(key)
    assert said(tv) == []


def test_its_power_key_switches_it() -> None:
    tv = started()
    tv.press_key("power")
    assert said(tv) == [Message(0, 15, Opcode.STANDBY)]
    assert not tv.on
    tv.press_key("source")
    assert said(tv) == []
    tv.press_key("power")
    assert said(tv) == [Message(0, 15, Opcode.SET_STREAM_PATH, bytes(HERE))]
    assert wait_for(lambda: tv.shows_unit)


def test_standby_by_the_wire() -> None:
    tv = started()
    send(tv, 0, Opcode.STANDBY)
    assert not tv.on


def test_a_key_that_it_does_not_have() -> None:
    with pytest.raises(DeviceError, match=r"there are select, .*, power, source"):
        SimTelevision().press_key("teletext")
    assert not set(KEYS) & set(TELEVISION_KEYS)


def test_waiting_ends_when_it_is_interrupted() -> None:
    tv = SimTelevision()
    tv.interrupt()
    assert tv.events(60) == []


def test_nobody_listening_costs_no_memory() -> None:
    tv = started()
    for _ in range(1000):
        tv.press_key("5")
    assert len(tv.events(0)) <= 64
