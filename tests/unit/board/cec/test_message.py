"""`board.cec.message`."""

import pytest

from board.cec.message import UI_COMMANDS, Message, Opcode, decode
from firmware.ports import KEYS


def test_a_message_is_header_opcode_and_operands() -> None:
    message = Message(4, 15, Opcode.ACTIVE_SOURCE, b"\x10\x00")
    assert message.encode() == bytes.fromhex("4f821000")
    assert decode(message.encode()) == message


@pytest.mark.parametrize("data", [b"", b"\x40", bytes(17)])
def test_what_is_no_message_is_none(data: bytes) -> None:
    assert decode(data) is None


def test_addresses_are_read_where_they_are_whole() -> None:
    change = Message(0, 15, Opcode.ROUTING_CHANGE, bytes.fromhex("1000 2100"))
    assert (change.address(), change.address(2)) == (0x1000, 0x2100)
    assert Message(0, 15, Opcode.ROUTING_CHANGE, b"\x10\x00\x21").address(2) is None


def test_every_key_has_a_command() -> None:
    assert set(UI_COMMANDS.values()) == set(KEYS)
