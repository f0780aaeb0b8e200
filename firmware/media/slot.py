"""Hands pictures from one thread to another and keeps only the newest: whoever is slow misses some, none queue up."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Slot(Generic[T]):
    """Room for one item."""

    def __init__(self) -> None:
        self._item: T | None = None
        self._closed = False
        self._changed = threading.Condition(threading.Lock())

    def put(self, item: T) -> None:
        """Put the item in, over one that nobody has taken."""
        with self._changed:
            self._item = item
            self._changed.notify()

    def take(self, timeout: float | None = None) -> T | None:
        """Wait for an item and take it out; None once closed, or after *timeout* seconds."""
        with self._changed:
            if self._item is None and not self._closed:
                self._changed.wait(timeout)
            item, self._item = self._item, None
            return None if self._closed else item

    @property
    def closed(self) -> bool:
        """Whether nothing will come any more."""
        return self._closed

    def close(self) -> None:
        """Let whoever waits go, and drop what is inside."""
        with self._changed:
            self._closed = True
            self._item = None
            self._changed.notify_all()
