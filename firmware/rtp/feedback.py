"""Key frames on request and packets on request: how often, and how much (RFC 4585, RFC 5104).

Rule 1: we ask for a key frame again only when a round trip has passed without one.
Rule 2: the far end gets a key frame at most every `ANSWER_INTERVAL`; the same FIR command is not obeyed twice.
Rule 3: retransmissions are at most a quarter of what is sent, with a small allowance, and each packet goes again only
after a round trip.
"""

from __future__ import annotations

from typing import Final

ASK_INTERVAL: Final = 0.5
"""s between two requests for a key frame, at least."""
ANSWER_INTERVAL: Final = 0.3
"""s between two key frames sent on request, at least: a flood of requests must not take the bitrate."""
FIR_MEMORY: Final = 2.0
"""s.  RFC 5104 4.3.1.2: a repeated number is the same command; after this it is of a sender that doesn't count."""
_MAX_FIR_SENDERS: Final = 8
HISTORY: Final = 1024
"""Packets kept for retransmission: 4 s at 2 Mbit/s.  A power of two."""
MAX_HISTORY_PACKET: Final = 1500
"""Octets; with HISTORY, 1.5 MB at most are kept."""
RETRANSMISSION_SHARE: Final = 0.25
RETRANSMISSION_BURST: Final = 65_536
"""Octets that may be sent again at once, if nothing was in the last seconds: a key frame."""


class KeyFrameAsker:
    """When to ask for a key frame (again)."""

    def __init__(self) -> None:
        self.number = 0
        """Of the FIR command, 8 bits."""
        self.pending = False
        """Asked, and not answered."""
        self._asked = float("-inf")
        self._interval = ASK_INTERVAL

    def ask(self, now: float, round_trip: float | None) -> bool:
        """Say whether to send a request now."""
        if now < self._asked + self._interval:
            return False
        if not self.pending:
            self.number = self.number + 1 & 0xFF  # RFC 5104 4.3.1.1: a new command has the next number
            self.pending = True
        self._asked = now
        self._interval = max(ASK_INTERVAL, 1.5 * (round_trip or 0.0))
        return True

    def timer(self) -> float | None:
        """When to ask again if no key frame comes."""
        return self._asked + self._interval if self.pending else None

    def answered(self) -> None:
        """A key frame came."""
        self.pending = False


class KeyFrameAnswerer:
    """Which requests of the far end to obey."""

    def __init__(self) -> None:
        self._answered = float("-inf")
        self._commands: dict[int, tuple[int, float]] = {}

    def picture_loss(self, now: float) -> bool:
        """Say whether a PLI asks for another key frame than the one that is on its way."""
        if now < self._answered + ANSWER_INTERVAL:
            return False
        self._answered = now
        return True

    def command(self, sender: int, number: int, now: float) -> bool:
        """Say whether a FIR is a new command to be obeyed."""
        previous = self._commands.get(sender)
        if previous is not None and previous[0] == number and now < previous[1] + FIR_MEMORY:
            return False
        if not self.picture_loss(now):
            return False  # not remembered, so that its repetition counts
        if previous is None and len(self._commands) >= _MAX_FIR_SENDERS:
            self._commands.clear()
        self._commands[sender] = (number, now)
        return True


class History:
    """The packets sent last, to be sent again on request."""

    def __init__(self) -> None:
        self._packets: list[bytes] = [b""] * HISTORY
        self._again = [0.0] * HISTORY
        """When each may be sent again."""
        self._credit = float(RETRANSMISSION_BURST)

    def add(self, sequence: int, packet: bytes) -> None:
        """Keep a packet that is sent now."""
        size = len(packet)
        if size <= MAX_HISTORY_PACKET:
            slot = sequence & HISTORY - 1
            self._packets[slot] = packet
            self._again[slot] = 0.0
            self._credit = min(RETRANSMISSION_BURST, self._credit + RETRANSMISSION_SHARE * size)

    def find(self, sequences: tuple[int, ...], now: float, round_trip: float | None) -> tuple[bytes, ...]:
        """Give those that are still here and may be sent again now."""
        found: list[bytes] = []
        for sequence in sequences:
            slot = sequence & HISTORY - 1
            packet = self._packets[slot]
            if packet[2:4] != sequence.to_bytes(2, "big") or now < self._again[slot]:
                continue
            if len(packet) > self._credit:
                break
            self._credit -= len(packet)
            self._again[slot] = now + (round_trip or 0.05)
            found.append(packet)
        return tuple(found)
