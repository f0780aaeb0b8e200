"""What the commands need to know of boards, without importing any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from firmware.config import Boards
    from firmware.ports import Board, BoardSettings


class Hardware(Protocol):
    """The package `board`, as ``firmware.__main__`` gives it."""

    def open(self, kind: str, settings: BoardSettings) -> Board:
        """Give the board ``pi`` or ``sim``.  ConfigError: a setting of its table is wrong."""

    def kind(self, configured: str) -> str:
        """Give the board that ``pi``, ``sim`` or ``auto`` means on this machine."""

    @property
    def settings(self) -> Boards:
        """What each board's table may have."""
