"""What of the machine's health people ought to know: a table, and a judge who remembers what was said before.

Rule 1: each warning is a sentence that says what is wrong and what to do about it.
Rule 2: it begins at one limit and ends at another, and stays for a while, so that it doesn't flicker.
Rule 3: what the machine doesn't tell is never a reason for a warning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from firmware.ports import Health

SHOW_TIME: Final = 30.0
"""How long a warning is shown at least, s."""
COOLER: Final = 5.0
"""How many degrees below its limit the temperature is right again."""
WORN: Final = 90
"""Percent of its life after which storage ought to be replaced."""
MEGABYTE: Final = 1_000_000
FULL, ROOMY = 50 * MEGABYTE, 100 * MEGABYTE
"""Bytes of free storage below which it is full, and above which it is not any more."""
SHORT, AMPLE = 0.05, 0.08
"""Parts of the memory, likewise."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A row of the table."""

    begins: Callable[[Health, float], bool]
    """Whether it is bad, by health and the limit of the temperature."""
    ends: Callable[[Health, float], bool]
    """Whether it is good again."""
    words: Callable[[Health], str]


def _memory(health: Health) -> float:
    """The free part of it."""
    if health.memory_free is None or not health.memory_size:
        return 1.0
    return health.memory_free / health.memory_size


def _slowed(health: Health, hot: float) -> bool:
    """Whether the processor is slow for a reason that no other row tells."""
    return health.throttled is True and not _hot(health, hot) and not health.under_voltage


def _hot(health: Health, hot: float) -> bool:
    return health.temperature is not None and health.temperature >= hot


TROUBLES: Final = (
    Trouble(
        lambda health, _: health.under_voltage is True,
        lambda health, _: not health.under_voltage,
        lambda _: "The power supply is too weak: use the unit's own.",
    ),
    Trouble(
        _hot,
        lambda health, hot: health.temperature is None or health.temperature < hot - COOLER,
        lambda health: f"The unit is too hot, {health.temperature or 0:.0f} °C: let more air come to it.",
    ),
    Trouble(
        _slowed,
        lambda health, hot: not _slowed(health, hot),
        lambda _: "The unit is slow: look to its power supply and cooling.",
    ),
    Trouble(
        lambda health, _: health.storage_read_only is True,
        lambda health, _: not health.storage_read_only,
        lambda _: "The memory card takes nothing in any more: replace it.",
    ),
    Trouble(
        lambda health, _: health.storage_worn is not None and health.storage_worn >= WORN,
        lambda health, _: health.storage_worn is None or health.storage_worn < WORN,
        lambda _: "The memory card is worn out: replace it soon.",
    ),
    Trouble(
        lambda health, _: health.storage_free is not None and health.storage_free < FULL,
        lambda health, _: health.storage_free is None or health.storage_free > ROOMY,
        lambda _: "The memory card is full: make room on it.",
    ),
    Trouble(
        lambda health, _: _memory(health) < SHORT,
        lambda health, _: _memory(health) > AMPLE,
        lambda _: "The unit is short of memory: restart it.",
    ),
)
"""The worst first."""


class Judge:
    """Says what is wrong, one look at the machine after the other."""

    def __init__(self, hot: float) -> None:
        self._hot = hot
        self._since: dict[Trouble, float] = {}
        self.begun: tuple[str, ...] = ()
        """What the last look has found anew."""
        self.ended: tuple[str, ...] = ()
        """What it has found to be right again."""

    def look(self, health: Health, now: float) -> tuple[str, ...]:
        """Give the warnings, the worst first."""
        begun = [row for row in TROUBLES if row not in self._since and row.begins(health, self._hot)]
        ended = [row for row, since in self._since.items() if now >= since + SHOW_TIME and row.ends(health, self._hot)]
        for row in ended:
            del self._since[row]
        self._since.update(dict.fromkeys(begun, now))
        self.begun, self.ended = (tuple(row.words(health) for row in rows) for rows in (begun, ended))
        return tuple(row.words(health) for row in TROUBLES if row in self._since)
