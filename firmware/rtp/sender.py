"""What we send: our SSRC, sequence numbers and timestamps, what the far end reports of them, and what goes again."""

from __future__ import annotations

import random
from collections import deque
from typing import Final

from firmware.rtp.feedback import History
from firmware.rtp.packet import Packet
from firmware.rtp.rtcp import Report, SenderReport
from firmware.rtp.statistics import Sent

LOOP_PACKETS: Final = 1000
LOOP_TIME: Final = 10.0
"""s; a packet with our SSRC that fits what we sent within these is our own."""
LONGEST_DELAY: Final = 2.0
"""s from a device to the network; what says that it is older is no time of this clock."""
_MAX_ROUND_TRIP: Final = 30.0
"""s."""
NTP_TO_UNIX: Final = 2_208_988_800
"""s from 1900 to 1970 (RFC 5905 figure 4)."""


class Sender:
    """One synchronization source of ours."""

    def __init__(
        self,
        clock_rate: int,
        rng: random.Random,
        now: float,
        clock_offset: float,
        timestamp_offset: int | None = None,
    ) -> None:
        """*clock_rate*: Hz.  *clock_offset*: what to add to ``now`` for seconds since 1970 (UTC).

        *timestamp_offset*: what to add to the caller's timestamps; None: a random number.
        """
        # RFC 3550 5.1: SSRC and the initial values of sequence number and timestamp should be random.
        self.ssrc = rng.getrandbits(32)
        self.packets = 0
        self.last: float | None = None
        self.round_trip: float | None = None
        self._rng = rng
        self._clock_rate = clock_rate
        self._clock_offset = clock_offset
        # RFC 3711 3.3.1 (RFC 4568 6.4): below 2^15, else the loss of the first packets could hide a rollover.
        self._sequence = rng.getrandbits(15)
        self._offset = rng.getrandbits(32) if timestamp_offset is None else timestamp_offset
        self._timestamp = 0
        self._timestamp_time = now
        """When what the first packet with this timestamp carries was heard or seen."""
        self._octets = self._retransmitted = 0
        self._began = False
        """Whether any packet has gone out."""
        self._history: History | None = None
        self._report: Report | None = None
        self._reports: deque[tuple[int, float]] = deque(maxlen=32)
        """Middle NTP bits of our reports, and when they were sent."""

    def send(
        self,
        payload: bytes,
        timestamp: int,
        marker: bool,
        payload_type: int,
        now: float,
        *,
        taken: float | None = None,
        clocked: bool,
        keep: bool,
    ) -> bytes:
        """Give the packet.

        *taken*: when what its timestamp stands for was heard or seen; None: now.  *clocked*: its timestamp says that.
        *keep*: it may be asked for again.
        """
        timestamp = timestamp + self._offset & 0xFFFFFFFF
        sequence = self._sequence = self._sequence + 1 & 0xFFFF
        data = Packet(payload_type, marker, sequence, timestamp, self.ssrc, payload).encode()
        if timestamp != self._timestamp and clocked:
            # RFC 3550 5.1, 6.4.1: sound and pictures are synchronized by when they were sampled.  Till a packet is sent
            # an encoder has taken its time, which is another for each.
            if taken is None or not now - LONGEST_DELAY < taken <= now:
                taken = now
            self._timestamp, self._timestamp_time = timestamp, taken
        self._began = True
        self.packets += 1
        self._octets += len(payload)
        self.last = now
        if keep:
            if self._history is None:
                self._history = History()
            self._history.add(sequence, data)
        return data

    def keep_open(self, payload_type: int) -> bytes:
        """Give a packet of nothing (RFC 6263 4.6); who sends no more than that is no sender (RFC 3550 6.4)."""
        self._sequence, self._began = self._sequence + 1 & 0xFFFF, True
        if not self.packets:
            self._timestamp = self._offset
        return Packet(payload_type, False, self._sequence, self._timestamp, self.ssrc, b"").encode()

    def is_own(self, packet: Packet) -> bool:
        """Whether a packet with our SSRC is one that we sent a moment ago."""
        behind = self._sequence - packet.sequence & 0xFFFF
        age = self._timestamp - packet.timestamp & 0xFFFFFFFF
        return self._began and behind < LOOP_PACKETS and age < LOOP_TIME * self._clock_rate

    def renew(self) -> None:
        """Take another SSRC (RFC 3550 8.2)."""
        self.ssrc = self._rng.getrandbits(32)

    def report(self, now: float, reports: tuple[Report, ...]) -> SenderReport:
        """Give the sender report of this moment."""
        ntp = round((now + self._clock_offset + NTP_TO_UNIX) * 2**32) & 0xFFFF_FFFF_FFFF_FFFF
        elapsed = round((now - self._timestamp_time) * self._clock_rate)
        self._reports.append((ntp >> 16 & 0xFFFFFFFF, now))
        return SenderReport(self.ssrc, ntp, self._timestamp + elapsed & 0xFFFFFFFF, self.packets, self._octets, reports)

    def take(self, report: Report, now: float) -> None:
        """Take what the far end reports of us."""
        self._report = report
        # RFC 3550 6.4.1: the round trip is A - LSR - DLSR.  Only an LSR that we sent counts, at the time we sent it.
        for middle, sent in self._reports:
            if report.last_sender_report == middle:
                round_trip = now - sent - report.delay / 65536
                if round_trip <= _MAX_ROUND_TRIP:
                    self.round_trip = max(0.0, round_trip)
                return

    def again(self, sequences: tuple[int, ...], now: float) -> tuple[bytes, ...]:
        """Give those of the packets asked for that may go again."""
        if self._history is None:
            return ()
        packets = self._history.find(sequences, now, self.round_trip)
        self._retransmitted += len(packets)
        return packets

    def statistics(self) -> Sent:
        """Give what was sent, and what came of it."""
        report = self._report
        return Sent(
            packets=self.packets,
            octets=self._octets,
            lost=report.lost if report else 0,
            loss=report.fraction_lost / 256 if report else 0.0,
            jitter=report.jitter / self._clock_rate if report else 0.0,
            round_trip=self.round_trip,
            retransmitted=self._retransmitted,
            last=self.last,
        )
