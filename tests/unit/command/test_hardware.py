from __future__ import annotations

import pytest

from firmware.__main__ import Boards
from firmware.command.hardware import Hardware
from firmware.errors import ConfigError


def test_what_main_gives_is_what_the_commands_need() -> None:
    hardware: Hardware = Boards()
    board = hardware.open("sim", {})
    assert board.name == "sim"
    board.close()
    assert hardware.kind("pi") == "pi"
    assert hardware.kind("auto") in hardware.settings
    with pytest.raises(ConfigError):
        hardware.open("toaster", {})
