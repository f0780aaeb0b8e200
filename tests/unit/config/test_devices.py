"""`firmware.config.devices`."""

import pytest

from firmware.config import Config, parse


def test_a_television_is_switched_unless_told_otherwise() -> None:
    television = Config().television
    assert television.enabled
    assert television.remote_control
    assert television.standby_time == 900
    assert Config().board.kind == "auto"


def test_no_watchdog_watches_unless_it_is_told_to() -> None:
    assert Config().health.watchdog == 0


def test_settings_are_read() -> None:
    config, wrong = parse('[television]\nwake_for = ["ring"]\nstandby_time = 0\n')
    assert wrong == []
    assert (config.television.wake_for, config.television.standby_time) == (("ring",), 0)


@pytest.mark.parametrize("line", ["standby_time = -1", 'wake_for = ["motion"]', "enabled = 3"])
def test_what_is_not_allowed_is_named(line: str) -> None:
    _, [wrong] = parse(f"[television]\n{line}\n")
    assert str(wrong).startswith(f"television.{line.split()[0]}")
