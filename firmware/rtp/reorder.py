"""The reorder buffer of video: gives packets in order, asks for missing ones again, and gives up in time.

Rule 1: a packet in order is given at once; the buffer adds no delay where nothing is missing.
Rule 2: a gap is waited for only as long as a retransmission (or, without NACK, a detour) can take, bounded.
Rule 3: after a gap was given up the packets behind it come; the depacketizer sees the jump of the sequence numbers.
"""

from __future__ import annotations

from firmware.rtp.packet import Packet


class ReorderBuffer:
    """For one received stream of video."""

    def __init__(self, nack: bool, capacity: int = 512) -> None:
        """*nack*: whether missing packets may be asked for again; settable.  *capacity*: packets behind a gap."""
        self.nack = nack
        self.round_trip: float | None = None
        """s; the owner keeps it up to date from the Session."""
        raise NotImplementedError

    def push(self, packet: Packet, now: float) -> list[Packet]:
        """Take a packet as Session.receive gave it; give those that are now in order (also after a gap given up)."""
        raise NotImplementedError

    def missing(self, now: float) -> list[int]:
        """Give the indexes to ask for now (again), for Session.report_missing; each at most four times, in intervals."""
        raise NotImplementedError

    def timer(self) -> float | None:
        """When handle_timer and missing are wanted, or None."""
        raise NotImplementedError

    def handle_timer(self, now: float) -> list[Packet]:
        """Give up gaps that have lasted too long: the packets behind them, in order."""
        raise NotImplementedError
