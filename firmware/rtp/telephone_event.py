"""Digits as named telephone events in RTP (RFC 4733).

Rule 1: an event is many packets with one timestamp, its start; the duration in them grows; the last goes three times.
Rule 2: the receiver reports an event once, when it ends: by the end bit, by the next event, or because no more came.
Rule 3: events 0 to 15 are digits; others (flash, tones) are neither sent nor reported.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass
from typing import Final

from firmware.errors import DecodeError, LocalProtocolError
from firmware.rtp.packet import Packet

DIGITS: Final = "0123456789*#ABCD"
"""RFC 4733 3.2 table 3: the place is the event's number."""
MAX_QUEUE: Final = 64
"""Digits waiting to be sent: more than anybody keys, about 15 s."""
MAX_DURATION: Final = 5.0
"""s; in 16 bits of an 8 kHz clock there is room for 8 s, and longer events would need segments (RFC 4733 2.5.1.3)."""
END_PACKETS: Final = 3
"""RFC 4733 2.5.1.4: the final packet SHOULD be sent a total of three times."""

_event = struct.Struct("!BBH")


@dataclass(frozen=True, slots=True)
class Event:
    """The payload (RFC 4733 2.3)."""

    event: int
    end: bool
    volume: int
    """-dBm0, 0 (loud) to 63."""
    duration: int
    """Timestamp units since the event's timestamp."""

    def encode(self) -> bytes:
        """Give the four octets."""
        return _event.pack(self.event, self.end << 7 | self.volume & 0x3F, self.duration)

    @classmethod
    def decode(cls, payload: bytes) -> Event:
        """Read the first event of a payload; what follows is skipped.  DecodeError: too short."""
        if len(payload) < _event.size:
            raise DecodeError(f"telephone-event: {len(payload)} octets are less than an event")
        event, flags, duration = _event.unpack_from(payload)
        return cls(event, flags > 0x7F, flags & 0x3F, duration)


@dataclass(frozen=True, slots=True)
class EventPacket:
    """What Session.send needs to send a packet of an event."""

    payload: bytes
    timestamp: int
    """Where the event began, on the caller's timeline."""
    marker: bool


class EventSender:
    """Sends digits, one after the other, in place of the sound of the packet times they take."""

    def __init__(
        self,
        clock_rate: int = 8000,
        packet_time: float = 0.020,
        duration: float = 0.100,
        pause: float = 0.060,
        volume: int = 10,
    ) -> None:
        """*clock_rate*: of the telephone-event format, Hz.  *packet_time*: between two calls of `next`, s.

        *duration* and *pause*: of a digit and after it, s (ITU-T Q.24 wants at least 40 ms of each).  *volume*: -dBm0.
        LocalProtocolError: a duration of more than 5 s.
        """
        if not 0 < duration <= MAX_DURATION:
            raise LocalProtocolError(f"a telephone event lasts up to {MAX_DURATION:g} s, not {duration:g}")
        self._step = round(clock_rate * packet_time)
        self._duration = round(clock_rate * duration)
        self._pause_packets = round(pause / packet_time)
        self._volume = volume
        self._digits: deque[int] = deque()
        self._current = -1
        self._start = 0
        self._elapsed = 0
        self._ends = 0
        self._pause = 0

    @property
    def active(self) -> bool:
        """Whether a digit is being sent, or waits."""
        return self._current >= 0 or bool(self._digits)

    def send(self, digits: str) -> None:
        """Queue digits (``0-9 * # A-D``).  LocalProtocolError: another character, or too many; none is then sent."""
        try:
            events = [DIGITS.index(digit) for digit in digits.upper()]
        except ValueError:
            raise LocalProtocolError(f"digits are {DIGITS}, not {digits!r}") from None
        if len(self._digits) + len(events) > MAX_QUEUE:
            raise LocalProtocolError(f"more than {MAX_QUEUE} digits wait to be sent")
        self._digits.extend(events)

    def next(self, timestamp: int) -> EventPacket | None:
        """Give the packet to send instead of sound; None: send sound.  Call once every packet time.

        *timestamp*: of the sound that would be sent, in units of the event's clock rate.
        """
        if self._current < 0:
            if self._pause > 0:
                self._pause -= 1
                return None
            if not self._digits:
                return None
            self._current, self._start, self._elapsed, self._ends = self._digits.popleft(), timestamp, 0, 0
        first = self._elapsed == 0
        self._elapsed = min(self._elapsed + self._step, self._duration)
        end = self._elapsed >= self._duration
        event = Event(self._current, end, self._volume, self._elapsed)
        if end:
            # RFC 4733 2.5.1.4: retransmissions of the final packet carry its duration unchanged.
            self._ends += 1
            if self._ends == END_PACKETS:
                self._current, self._pause = -1, self._pause_packets
        return EventPacket(event.encode(), self._start, first)  # RFC 4733 2.2: marker on the first packet only


class EventReceiver:
    """Finds the digits in the telephone-event packets of one source."""

    TIMEOUT: Final = 0.250
    """s without a packet after which an event is over: five updates at the usual 50 ms (RFC 4733 2.5.2.2)."""

    def __init__(self) -> None:
        self.malformed = 0
        self._key: tuple[int, int, int] | None = None
        """Stream, timestamp and event of the event that goes on, or went on last."""
        self._running = False
        self._last = 0.0

    def receive(self, packet: Packet, now: float) -> str:
        """Give the digits that ended: "" for none, two where the end of the one before was lost."""
        try:
            event = Event.decode(packet.payload)
        except DecodeError:
            self.malformed += 1
            return ""
        if event.event >= len(DIGITS):
            return ""
        ended = ""
        key = (packet.stream, packet.timestamp, event.event)
        if key != self._key:
            if self._is_older(packet):
                return ""
            ended = self._end()
            self._key, self._running = key, True
        self._last = now
        return ended + (self._end() if event.end else "")

    def timer(self) -> float | None:
        """When handle_timer is wanted, or None."""
        return self._last + self.TIMEOUT if self._running else None

    def handle_timer(self, now: float) -> str:
        """Give the digit whose end never came, or ""."""
        due = self.timer()
        return self._end() if due is not None and now >= due else ""

    def _is_older(self, packet: Packet) -> bool:
        """A late packet of an event before the last one (timestamps are compared as RFC 1982 does)."""
        if self._key is None or self._key[0] != packet.stream:
            return False
        return (packet.timestamp - self._key[1]) & 0xFFFFFFFF > 0x80000000

    def _end(self) -> str:
        if not self._running or self._key is None:
            return ""
        self._running = False
        return DIGITS[self._key[2]]
