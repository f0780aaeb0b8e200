"""`firmware.room.health`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from board.sim.board import WELL
from firmware.ports import Health
from firmware.room.health import FULL, ROOMY, SHOW_TIME, TROUBLES, Judge

HOT = 80.0

BAD: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "voltage": ({"under_voltage": True, "throttled": True}, {}, "The power supply is too weak"),
    "heat": ({"temperature": 83.4, "throttled": True}, {"temperature": 76.0}, "The unit is too hot, 83 °C"),
    "slow": ({"throttled": True}, {}, "The unit is slow"),
    "read-only": ({"storage_read_only": True}, {}, "The memory card takes nothing in"),
    "worn": ({"storage_worn": 90}, {}, "The memory card is worn out"),
    "full": ({"storage_free": FULL - 1}, {"storage_free": ROOMY}, "The memory card is full"),
    "memory": ({"memory_free": 90_000_000}, {"memory_free": 140_000_000}, "The unit is short of memory"),
}
"""What is bad, what is not yet good again, and how the words begin."""


def test_a_machine_that_is_well_or_tells_nothing_is_no_reason_for_words() -> None:
    for health in (WELL, Health()):
        judge = Judge(HOT)
        assert judge.look(health, 0.0) == ()
        assert (judge.begun, judge.ended) == ((), ())


@pytest.mark.parametrize(("bad", "_", "words"), BAD.values(), ids=BAD)
def test_each_trouble_has_its_words(bad: dict[str, Any], _: dict[str, Any], words: str) -> None:
    judge = Judge(HOT)
    [warning] = judge.look(replace(WELL, **bad), 0.0)
    assert warning.startswith(words)
    assert warning.endswith(".")
    assert len(warning) < 60, "in large letters it has to stand on one line of the screen"
    assert judge.begun == (warning,)
    assert judge.look(replace(WELL, **bad), 1.0) == (warning,)
    assert judge.begun == ()


@pytest.mark.parametrize(("bad", "better", "_"), BAD.values(), ids=BAD)
def test_it_stays_for_a_while_and_until_it_is_good_again(bad: dict[str, Any], better: dict[str, Any], _: str) -> None:
    judge = Judge(HOT)
    judge.look(replace(WELL, **bad), 0.0)
    assert len(judge.look(WELL, SHOW_TIME - 1)) == 1
    if better:
        assert len(judge.look(replace(WELL, **better), SHOW_TIME + 1)) == 1
        assert judge.ended == ()
    assert judge.look(WELL, SHOW_TIME + 2) == ()
    assert len(judge.ended) == 1


def test_the_worst_is_said_first() -> None:
    judge = Judge(HOT)
    judge.look(replace(WELL, storage_worn=100), 0.0)
    words = judge.look(replace(WELL, storage_worn=100, under_voltage=True, temperature=90.0), 1.0)
    assert [text.split(",")[0].split(":")[0] for text in words] == [
        "The power supply is too weak",
        "The unit is too hot",
        "The memory card is worn out",
    ]


def test_every_row_is_tried_here() -> None:
    assert len(TROUBLES) == len(BAD)
