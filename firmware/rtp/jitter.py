"""The playout buffer of sound: takes packets as the network delivers them, gives one whenever the speaker needs it.

::

    push ──▶ packets by index ──▶ pop:  PACKET   its time has come
              │                         LOST     one is missing or late: conceal
              └─ how late each came     INSERT   the delay must grow: stretch
                 ──▶ target delay       EMPTY    the far end is silent

Rule 1: the *delay* of a packet is from when it would have come at the earliest to when it is played.  Its target
follows the jitter: the 97th percentile of how late packets came in the last 5 s, within bounds.
Rule 2: `pop` says what to do, it never waits.
Rule 3: clock drift and a changed target are made up for by single skipped or inserted packets, at most two a second;
only a delay that is far off is cut at once.
Rule 4: where the far end's timestamps jump, or the network's delay does, by more than the bounds allow, the timeline is
set anew, and what is played goes on.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Final

from firmware.rtp.packet import Packet

WINDOW: Final = 256
"""Packets whose lateness is remembered: 5 s at 20 ms."""
PERCENTILE: Final = 0.97
MARGIN: Final = 0.005
"""s added to the target: `pop` itself is not called to the millisecond."""
CAPACITY: Final = 128
"""Packets; more than any delay asks for."""
MAX_CONCEALED: Final = 5
"""Packet times concealed without any packet; after that there is nothing left to stretch."""
ADJUST_INTERVAL: Final = 0.5
"""s between two packets skipped or inserted."""
_ENOUGH: Final = 64
"""Packets to be seen before the target is lowered: a second."""
_RECOMPUTE: Final = 16
"""Packets between two computations of the target."""
_MAX_PACKET_TIME: Final = 0.120
"""s: the most that Opus puts into a packet (RFC 7587 4.2)."""


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
    behind: float = 0.0
    """How much less than the target the packet's delay is, s."""


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
        self.late = 0
        """Packets that came after their time, or twice."""
        self.lost = 0
        """Packets that never came in time and were passed over."""
        self.skipped = 0
        self.inserted = 0
        self.extra = 0.0
        """s added to the target, for whom the jitter is not all (see synchronization.py); settable."""
        self._clock_rate = clock_rate
        self._duration = round(packet_time * clock_rate)
        self._minimum, self._maximum = minimum, maximum
        self._target = start
        self._stream = -1
        self._reset()

    def _reset(self) -> None:
        self._packets: dict[int, tuple[Packet, float]] = {}
        """By index: the packet, and when it was made, in seconds of the far end's timeline."""
        self._ignored: set[int] = set()
        self._next: int | None = None
        """The index to play next; None before the first packet was played."""
        self._next_time = 0.0
        self._playing = False
        self._concealed = MAX_CONCEALED
        self._error = 0.0
        """How far the delay is above the target, s, smoothed."""
        self._adjusted = float("-inf")
        self._transits: deque[float] = deque(maxlen=WINDOW)
        self._base = 0.0
        """The smallest transit time of the window: arrival less timeline, s."""
        self._fresh = 0
        self._last_index = -(1 << 32)
        self._last_timestamp = 0
        self._units = 0
        """The last packet's timestamp without wraps."""
        self._last_step = 0
        self._shift = 0.0

    @property
    def delay(self) -> float:
        """The target delay now, s."""
        return self._target + self.extra

    def __len__(self) -> int:
        return len(self._packets)

    @property
    def following(self) -> Packet | None:
        """The packet right after the one just played or passed over, if it is here: a codec with forward error
        correction finds a copy of a lost packet in it (RFC 7587 3.3)."""
        entry = None if self._next is None else self._packets.get(self._next)
        return None if entry is None else entry[0]

    def push(self, packet: Packet, now: float) -> None:
        """Take a packet of sound as Session.receive gave it; late and doubled ones are dropped and counted."""
        if packet.stream != self._stream:
            self._reset()
            self._stream = packet.stream
        index = packet.index
        time = self._arrive(packet, now)
        if index in self._packets or (self._next is not None and index < self._next):
            self.late += 1
            return
        self._packets[index] = packet, time
        if len(self._packets) > CAPACITY:
            # Nobody plays: keep the newest.
            oldest = min(self._packets)
            del self._packets[oldest]
            self.skipped += 1
            self._next = max(self._next or oldest + 1, oldest + 1)

    def ignore(self, packet: Packet) -> None:
        """Tell that a packet of the same stream is not sound (telephone-event): its number is not missing."""
        if packet.stream != self._stream:
            return
        if len(self._ignored) >= CAPACITY:
            self._ignored.clear()
        self._ignored.add(packet.index)

    def pop(self, now: float) -> Frame:
        """Give what to play next; call it whenever the decoded sound runs out."""
        self._pass_ignored()
        if not self._packets:
            self._playing = False
            return self._conceal()
        head = min(self._packets)
        delay = self._delay(head, now)
        if not self._playing:
            if delay < self.delay:
                return self._conceal()
            self._resume(head)
        elif head != self._next and self._next is not None:
            if delay < self.delay:
                self._next += 1
                self._next_time += self._duration / self._clock_rate
                self.lost += 1
                return Frame(Playout.LOST, self._duration)
            self._resume(head)  # a gap longer than the time that passed: the far end did not send either
        elif self._is_pause(head) and delay < self.delay:
            self._playing, self._concealed = False, MAX_CONCEALED
            return Frame(Playout.EMPTY, self._duration)
        return self._play(head, delay, now)

    def _play(self, head: int, delay: float, now: float) -> Frame:
        step = self._duration / self._clock_rate
        excess = delay - self.delay
        self._error += (excess - self._error) / 16
        skipped = 0
        if excess > 2 * step + MARGIN:
            while excess > step and head + 1 in self._packets:
                head = self._skip(head)
                excess = self._delay(head, now) - self.delay
                skipped += 1
        elif now >= self._adjusted + ADJUST_INTERVAL:
            if self._error > step and head + 1 in self._packets:
                head, skipped, self._adjusted = self._skip(head), 1, now
                excess = self._delay(head, now) - self.delay
            elif self._error < -step:
                self._error, self._adjusted = 0.0, now
                self.inserted += 1
                return Frame(Playout.INSERT, self._duration)
        if skipped:
            self._error = 0.0
        packet, time = self._packets.pop(head)
        self._next, self._next_time = head + 1, time + step
        self._concealed = 0
        return Frame(Playout.PACKET, self._duration, packet, skipped, -excess)

    def _skip(self, head: int) -> int:
        del self._packets[head]
        self.skipped += 1
        return head + 1

    def _resume(self, head: int) -> None:
        if self._next is not None:
            self.lost += max(0, head - self._next)
        self._playing, self._error = True, 0.0

    def _conceal(self) -> Frame:
        if self._concealed >= MAX_CONCEALED:
            return Frame(Playout.EMPTY, self._duration)
        self._concealed += 1
        return Frame(Playout.LOST, self._duration)

    def _pass_ignored(self) -> None:
        while self._next in self._ignored:
            self._ignored.discard(self._next)
            self._next += 1

    def _delay(self, index: int, now: float) -> float:
        return now - self._packets[index][1] - self._base

    def _is_pause(self, head: int) -> bool:
        """Whether the timestamps say that nothing was sent before this packet (RFC 3551 4.1: a talkspurt begins)."""
        return self._packets[head][1] > self._next_time + 1.5 * self._duration / self._clock_rate

    def _arrive(self, packet: Packet, now: float) -> float:
        """Learn from a packet's arrival; give its time on the timeline."""
        step = (packet.timestamp - self._last_timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        time = (self._units + step) / self._clock_rate + self._shift
        transit = now - time
        if packet.index > self._last_index:
            if packet.index == self._last_index + 1 and 0 < step <= _MAX_PACKET_TIME * self._clock_rate:
                if step == self._last_step:
                    self._duration = step
                self._last_step = step
            self._units += step
            self._last_index, self._last_timestamp = packet.index, packet.timestamp
            if self._transits and abs(transit - self._base) > self._maximum:
                # Rule 4: from now on this packet is one that came at the earliest.
                self._shift += transit - self._base
                time += transit - self._base
                transit = self._base
                self._transits.clear()
        elif transit - self._base > self._maximum:
            return time  # no delay would have saved it
        self._transits.append(transit)
        self._fresh += 1
        if len(self._transits) == 1 or transit < self._base:
            self._base = transit
        if self._fresh >= _RECOMPUTE:
            self._fresh = 0
            order = sorted(self._transits)
            self._base = order[0]
            late = order[int(PERCENTILE * (len(order) - 1))] - order[0]
            target = min(self._maximum, max(self._minimum, late + MARGIN))
            if target > self._target or len(order) >= _ENOUGH:
                self._target = target
        return time
