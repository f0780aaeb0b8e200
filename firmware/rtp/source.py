"""The far end's synchronization source: sequence numbers, loss and jitter (RFC 3550 A.1, A.3, A.8).

A sequence number may jump by up to 3000 forward (the packets between are lost) or `max_misorder` back (late).  A larger
jump is dropped, unless the packet that continues it follows: then the far end has started again under the same SSRC.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from firmware.rtp.packet import Packet
from firmware.rtp.rtcp import Report, SenderReport, SourceDescription
from firmware.rtp.synchronization import Reference

MAX_DROPOUT: Final = 3000
"""RFC 3550 A.1: a minute at 50 packets a second."""
MAX_MISORDER: Final = 100
"""RFC 3550 A.1: two seconds at 50 packets a second."""
MAX_MISORDER_VIDEO: Final = 1000
"""Two seconds at 500 packets a second: a late retransmission must not look like a start."""
_MAX_TRANSIT_CHANGE: Final = 10.0
"""s; the far end set its timestamps anew, which is not jitter."""


class Verdict(Enum):
    """What a packet's sequence number says."""

    VALID = "valid"
    RESTARTED = "restarted"
    """Valid, and all that came before has nothing to do with it."""
    INVALID = "invalid"


class Source:
    """One SSRC from its first packet on."""

    def __init__(self, packet: Packet, now: float, max_misorder: int = MAX_MISORDER) -> None:
        self.ssrc: Final = packet.ssrc
        self.confirmed = False
        """A second packet came in sequence (RFC 3550 A.1: MIN_SEQUENTIAL)."""
        self.ended = False
        """It has said BYE and sent nothing since."""
        self.last = now
        """When the last packet came."""
        self.sender_report: tuple[int, float] | None = None
        """NTP time and arrival of the last SR."""
        self.timeline: SenderReport | None = None
        """The last SR that tells of the timestamps of now."""
        self.cname = ""
        self.jitter = 0.0
        """s."""
        self._max_misorder = max_misorder
        self._lost_before = 0
        self._transit = 0.0
        self.clock_rate = 0
        """Hz, of the packets that jitter is measured on; 0 before the first."""
        self._start(packet.sequence)
        self._reported = (0, 0)

    def _start(self, sequence: int) -> None:
        self._base = self._highest = sequence
        self._bad = -1
        self._received = 0
        self.clock_rate = 0

    @property
    def highest(self) -> int:
        """The extended highest sequence number (RFC 3550 A.1), here without bound."""
        return self._highest

    @property
    def lost(self) -> int:
        """Cumulative packets lost (RFC 3550 A.3); doubled packets can make it negative."""
        return self._lost_before + self._highest - self._base + 1 - self._received

    @property
    def expected(self) -> int:
        """Packets that should have come."""
        return self._highest - self._base + 1

    def receive(self, packet: Packet, now: float, clock_rate: int) -> Verdict:
        """Take a packet of this SSRC, the first one too; a valid one gets its index.

        *clock_rate*: of its payload, Hz; 0: its timestamp says nothing about when it was sent.
        """
        sequence = packet.sequence
        ahead = (sequence - self._highest) & 0xFFFF
        verdict = Verdict.VALID
        if ahead < MAX_DROPOUT:
            self._highest += ahead
            packet.index = self._highest
            if ahead == 1:
                self.confirmed = True
        elif ahead > 0x10000 - self._max_misorder:
            packet.index = self._highest - 0x10000 + ahead
        elif sequence == self._bad:
            # RFC 3550 A.1: two sequential packets: assume that the other side restarted without telling us.
            self._lost_before = self.lost
            self._start(sequence)
            self._reported = (0, 0)
            self.timeline = None
            packet.index = sequence
            verdict = Verdict.RESTARTED
        else:
            self._bad = sequence + 1 & 0xFFFF
            return Verdict.INVALID
        self._received += 1
        self.last = now
        if not clock_rate:
            return verdict
        # RFC 3550 A.8, in seconds: the difference of two packets' relative transit times, smoothed by 16.
        transit = now - packet.timestamp / clock_rate
        if clock_rate == self.clock_rate:
            difference = abs(transit - self._transit)
            if difference > _MAX_TRANSIT_CHANGE:
                wrap = 0x1_0000_0000 / clock_rate
                difference = abs(difference - wrap)
            if difference <= _MAX_TRANSIT_CHANGE:
                self.jitter += (difference - self.jitter) / 16
        elif self.clock_rate:
            self.timeline = None
        self.clock_rate, self._transit = clock_rate, transit
        return verdict

    def recognizes(self, packet: Packet) -> bool:
        """Give one that came again, by another stream, its index; False: it is none of this source's lately."""
        ahead = (packet.sequence - self._highest) & 0xFFFF
        packet.index = self._highest + ahead - (0x10000 if ahead >= MAX_DROPOUT else 0)
        return ahead < MAX_DROPOUT or ahead > 0x10000 - self._max_misorder

    def take(self, message: SenderReport | SourceDescription, now: float) -> None:
        """Take what it says of itself by RTCP."""
        match message:
            case SenderReport(ntp=ntp):
                self.sender_report, self.timeline = (ntp, now), message
            case SourceDescription(cname=cname):
                self.cname = cname

    def reference(self, stream: int) -> Reference | None:
        """Give what the last sender report says of the timestamps, which are this stream's; None: there was none."""
        report = self.timeline
        if report is None:
            return None
        return Reference(self.cname, stream, self.clock_rate, report.ntp, report.timestamp)

    def since(self, before: tuple[int, int]) -> tuple[float, tuple[int, int]]:
        """Give the fraction lost since a mark, 0 to 1 (RFC 3550 A.3), and the next mark; (0, 0) is the start."""
        mark = (self.expected, self._received)
        expected, received = mark[0] - before[0], mark[1] - before[1]
        if expected <= 0 or received >= expected:
            return 0.0, mark
        return min(1.0, (expected - received) / expected), mark

    def report(self, now: float, renew: bool) -> Report:
        """Give the report block of this source (RFC 3550 6.4.1); with *renew* the next one's interval starts here."""
        fraction, mark = self.since(self._reported)
        if renew:
            self._reported = mark
        last_sender_report = delay = 0
        if self.sender_report is not None:
            ntp, arrival = self.sender_report
            last_sender_report = ntp >> 16 & 0xFFFFFFFF
            delay = min(0xFFFFFFFF, round((now - arrival) * 65536))
        return Report(
            self.ssrc,
            min(255, int(fraction * 256)),
            self.lost,
            self._highest & 0xFFFFFFFF,
            min(0xFFFFFFFF, round(self.jitter * self.clock_rate)),
            last_sender_report,
            delay,
        )
