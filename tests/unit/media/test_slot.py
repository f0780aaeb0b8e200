"""The slot: only the newest, and nobody waits for ever."""

from __future__ import annotations

import threading

from firmware.media.slot import Slot


def test_only_the_newest_is_kept() -> None:
    slot: Slot[int] = Slot()
    for number in range(100):
        slot.put(number)
    assert slot.take(0.0) == 99
    assert slot.take(0.0) is None


def test_an_item_wakes_who_waits() -> None:
    slot: Slot[int] = Slot()
    threading.Timer(0.02, slot.put, (7,)).start()
    assert slot.take(20) == 7


def test_closing_wakes_who_waits_and_drops_what_is_inside() -> None:
    slot: Slot[int] = Slot()
    threading.Timer(0.02, slot.close).start()
    assert slot.take() is None
    assert slot.closed
    slot.put(1)
    assert slot.take() is None
