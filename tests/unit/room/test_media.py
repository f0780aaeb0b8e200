"""`firmware.room.media`: the engine offers what the room asks for."""

import inspect

from firmware.media.engine import Engine
from firmware.room.media import Media


def parameters(owner: type, name: str) -> list[str]:
    return list(inspect.signature(getattr(owner, name)).parameters)


def test_the_engine_takes_the_commands_that_the_room_gives() -> None:
    commands = [name for name, thing in vars(Media).items() if inspect.isfunction(thing) and not name.startswith("_")]
    assert {"apply", "mute", "screenshot"} < set(commands)
    for name in commands:
        assert parameters(Engine, name) == parameters(Media, name), name
