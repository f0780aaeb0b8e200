"""The playout buffer of sound: takes packets as the network delivers them, gives one whenever the speaker needs it.

Rule 1: the delay follows the jitter: the 97th percentile of how late packets came in the last seconds, within bounds.
Rule 2: `pop` says what to do, it never waits: play, conceal, or be silent.
Rule 3: clock drift and a changed delay are made up for by single skipped or inserted packet times, never in a burst
unless the delay is far off.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from firmware.rtp.packet import Packet


class Playout(Enum):
    """What to play for one packet time."""

    PACKET = "packet"
    """Decode the packet."""
    LOST = "lost"
    """A packet is missing, or late: conceal it (PLC)."""
    INSERT = "insert"
    """Nothing is missing, but the buffer must grow: stretch or conceal one packet time."""
    EMPTY = "empty"
    """The far end sends nothing now: silence, or comfort noise."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What to play next."""

    playout: Playout
    duration: int
    """How long it is by what is known, in timestamp units; a packet's own decoded length counts where there is one."""
    packet: Packet | None = None
    skipped: int = 0
    """Packets thrown away right before this one to cut the delay: the caller may cross-fade."""


class PlayoutBuffer:
    """For one received stream of sound; telephone events are told by `ignore`, not pushed."""

    def __init__(
        self,
        clock_rate: int,
        packet_time: float = 0.020,
        minimum: float = 0.020,
        maximum: float = 0.200,
        start: float = 0.040,
    ) -> None:
        """*clock_rate*: of the RTP timestamps, Hz.  *packet_time*: until the stream shows its own, s.

        *minimum*, *maximum*, *start*: bounds of the target delay and what it is at first, s.
        """
        raise NotImplementedError

    @property
    def delay(self) -> float:
        """The target delay now, s."""
        raise NotImplementedError

    def push(self, packet: Packet, now: float) -> None:
        """Take a packet of sound as Session.receive gave it; late and doubled ones are dropped and counted."""
        raise NotImplementedError

    def ignore(self, packet: Packet) -> None:
        """Tell that a packet of the same stream is not sound (telephone-event): its number is not missing."""
        raise NotImplementedError

    def pop(self, now: float) -> Frame:
        """Give what to play next; call it whenever the decoded sound runs out."""
        raise NotImplementedError
