from __future__ import annotations

from msgspec.structs import replace

from firmware.command.echo import echoing
from firmware.config import Config, Room


def test_what_makes_a_unit_an_echo() -> None:
    config = echoing(Config())
    assert (config.room.name, config.room.auto_answer, config.room.several_calls) == ("Echo", True, "together")
    assert not config.web.enabled
    assert config.sip == Config().sip


def test_a_name_of_its_own_is_kept() -> None:
    assert echoing(replace(Config(), room=Room(name="Field test", volume=10))).room.name == "Field test"
