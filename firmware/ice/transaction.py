"""Requests, which over UDP go again until they are answered (RFC 8489 6.2.1, 6.2.2).

Rule 1: with RTO 0.5 s a request goes at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s, and has failed at 39.5 s.
Rule 2: an answer ends a transaction only if whoever asked takes it: one that is not signed as it must be is as if it
had never come (RFC 8489 9.1.4).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from firmware.ice.message import Message
from firmware.sansio import Address

RTO: Final = 0.5
"""Seconds until a request goes again first; twice that until the next."""
REQUESTS: Final = 7
"""Rc: how often a request goes at most."""
LAST_WAIT: Final = 16
"""Rm: how many RTO the last request waits."""
ONCE: Final = 10.0
"""Seconds for which a request that goes only once may be answered."""
RELIABLE: Final = 39.5
"""Ti: the same where the transport repeats by itself (RFC 8489 6.2.2)."""


@dataclass(slots=True)
class _Running:
    send: Callable[[float], None]
    on_answer: Callable[[Message, Address, float], bool]
    on_timeout: Callable[[float], None]
    began: float
    rto: float
    ends: float
    left: int = REQUESTS - 1
    """How often it goes yet."""

    @property
    def due(self) -> float:
        return self.began + self.rto * (2 ** (REQUESTS - self.left) - 1) if self.left else self.ends


class Transactions:
    """The requests of one client that are not answered yet."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._running: dict[bytes, _Running] = {}

    def __len__(self) -> int:
        return len(self._running)

    def identifier(self) -> bytes:
        """Give the identifier of a new one: 96 bits by chance, so that nobody can answer who did not see it."""
        return self._rng.getrandbits(96).to_bytes(12, "big")

    def begin(
        self,
        identifier: bytes,
        send: Callable[[float], None],
        on_answer: Callable[[Message, Address, float], bool],
        on_timeout: Callable[[float], None],
        now: float,
        rto: float = RTO,
        *,
        repeat: bool = True,
        wait: float = ONCE,
    ) -> None:
        """Send a request by *send*, again and again; unless *repeat*, once, and *wait* so many seconds.

        *on_answer* gets the answer and where it came from, and tells whether it is one; *on_timeout*: none came.
        """
        ends = now + (rto * (2 ** (REQUESTS - 1) - 1 + LAST_WAIT) if repeat else wait)
        left = REQUESTS - 1 if repeat else 0
        self._running[identifier] = _Running(send, on_answer, on_timeout, now, rto, ends, left)
        send(now)

    def receive(self, message: Message, source: Address, now: float) -> bool:
        """Take an answer; False: we did not ask this, or don't take that for an answer."""
        running = self._running.get(message.transaction)
        if running is None or not running.on_answer(message, source, now):
            return False
        self._running.pop(message.transaction, None)
        return True

    def hush(self, identifier: bytes) -> None:
        """Send a request no more, but take its answer; no time-out is told."""
        running = self._running.get(identifier)
        if running is not None:
            running.left = 0
            running.on_timeout = lambda _now: None

    def forget(self, identifier: bytes) -> None:
        """Let a request be as if it had never been made."""
        self._running.pop(identifier, None)

    def clear(self) -> None:
        """Forget all of them."""
        self._running.clear()

    def timer(self) -> float | None:
        """When handle_timer is wanted."""
        return min((each.due for each in self._running.values()), default=None)

    def handle_timer(self, now: float) -> None:
        """Send again what is due, and give up what was never answered."""
        for identifier, running in list(self._running.items()):
            if running.due > now or identifier not in self._running:
                continue
            if running.left:
                running.left -= 1
                running.send(now)
            else:
                del self._running[identifier]
                running.on_timeout(now)
