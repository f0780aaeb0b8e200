"""One RTP session: what one m-line sends and receives, with its RTCP (RFC 3550, RFC 4585, RFC 5104).

The owner moves the bytes.  What comes in goes to `receive` or `receive_control`; what `send`, `handle_timer` and the
feedback methods give is to be sent.

Rule 1: one source is heard at a time.  The first packet makes its sender the source.  Another takes over at once while
the source has sent one packet only, has said BYE, or after `expect_source`; otherwise when the source has been silent
for 0.2 s and two packets of the other came in sequence (RFC 3550 A.1).  So a PBX that changes the SSRC in a call is
followed in a fifth of a second, a stray packet is dropped, and of two that send at once the first is heard.
Rule 2: nothing that the far end sends raises; it is counted.
Rule 3: what the far end's RTCP can make us do is bounded: see feedback.py.
Rule 4: our own SSRC in what comes is a loop, and dropped, if it looks like what we just sent; else a collision, and we
take another SSRC (RFC 3550 8.2).
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from firmware.call.media import Feedback, Kind
from firmware.errors import DecodeError
from firmware.rtp import rtcp
from firmware.rtp.feedback import History, KeyFrameAnswerer, KeyFrameAsker
from firmware.rtp.interval import Interval
from firmware.rtp.packet import Packet
from firmware.rtp.source import MAX_MISORDER, MAX_MISORDER_VIDEO, Source, Verdict
from firmware.rtp.statistics import Received, Sent, Statistics

SILENCE: Final = 0.2
"""s after which another source may take over."""
NACK_INTERVAL: Final = 0.010
"""s between two NACKs: at most a hundred a second."""
_LOOP_PACKETS: Final = 1000
_LOOP_TIME: Final = 10.0
"""s; a packet of ours not older than these that comes back is a loop."""
_COLLISION_INTERVAL: Final = 10.0
"""s between two changes of our SSRC: more often is nobody's chance."""
_MAX_ROUND_TRIP: Final = 30.0
"""s."""
_NTP_TO_UNIX: Final = 2_208_988_800
"""s from 1900 to 1970 (RFC 5905 figure 4)."""


@dataclass(frozen=True, slots=True)
class KeyFrameRequested:
    """The far end needs a key frame of ours (PLI, or FIR)."""


@dataclass(frozen=True, slots=True)
class Retransmit:
    """The far end misses these packets: send them again, as they are, by RTP."""

    packets: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The source we hear has left the session, by its own words; signalling decides whether the call is over."""

    reason: str


Event = KeyFrameRequested | Retransmit | Goodbye


class Session:
    """Sends one source and receives one; see the module for the rules."""

    def __init__(
        self,
        kind: Kind,
        clock_rate: int,
        rng: random.Random,
        cname: str,
        now: float,
        *,
        bandwidth: int = 64_000,
        feedback: frozenset[Feedback] = frozenset(),
        receive_clock_rates: Mapping[int, int] | None = None,
        clock_offset: float = 0.0,
    ) -> None:
        """Start a session.

        *clock_rate*: of what is sent, Hz; another clock asks for another Session.  *cname*: the same for all sessions
        of a call, RFC 7022.  *bandwidth*: of the session, one direction, bit/s.  *feedback*: what the far end
        understands and may ask for; settable later.  *receive_clock_rates*: payload type -> Hz of all that may arrive,
        0 where timestamps don't follow the time (telephone-event); settable later.  Without it, every payload type is
        taken, at *clock_rate*.  *clock_offset*: what to add to ``now`` for seconds since 1970 (UTC).
        """
        self.feedback = feedback
        self.receive_clock_rates = dict(receive_clock_rates or {})
        self.remote_cname = ""
        """What the far end's SDES says, or ""; two sessions with the same one have the same far end."""
        self._clock_rate = clock_rate
        self._rng = rng
        self._cname = cname
        self._clock_offset = clock_offset
        self._max_misorder = MAX_MISORDER_VIDEO if kind is Kind.VIDEO else MAX_MISORDER
        self._interval = Interval(bandwidth, rng, now)
        self._asker = KeyFrameAsker()
        self._answerer = KeyFrameAnswerer()
        self._history: History | None = None
        self._left: int | None = None
        """An SSRC of ours that collided and has to say goodbye."""
        self._collided = float("-inf")
        self._closed = False
        self._said = False
        """Whether any packet of ours is out."""
        # Sending.
        self._ssrc = rng.getrandbits(32)
        self._sequence = rng.getrandbits(16)
        self._timestamp_offset = rng.getrandbits(32)
        self._timestamp = 0
        self._timestamp_time = now
        """When the first packet with this timestamp was sent."""
        self._sent_packets = self._sent_octets = self._retransmitted = 0
        self._last_sent: float | None = None
        self._previous_regular = now
        self._remote_report: rtcp.Report | None = None
        self._sender_reports: deque[tuple[int, float]] = deque(maxlen=32)
        """Middle NTP bits of our reports, and when they were sent."""
        self._round_trip: float | None = None
        self._nacked = float("-inf")
        # Receiving.
        self._source: Source | None = None
        self._stream = 0
        self._expecting = False
        self._candidate: tuple[int, int] | None = None
        """SSRC and next sequence number of who may take over."""
        self._early_report: tuple[int, tuple[int, int, float]] | None = None
        """A sender report of a source that is not heard yet."""
        self._received_packets = self._received_octets = self._lost_before = self._discarded = 0
        self._last_received: float | None = None
        self._reported_source = float("-inf")
        self._asked_statistics = (0, 0)

    @property
    def ssrc(self) -> int:
        """Ours; a collision changes it."""
        return self._ssrc

    @property
    def round_trip(self) -> float | None:
        """s, as last measured."""
        return self._round_trip

    @property
    def last_received(self) -> float | None:
        """When anything valid, RTP or RTCP, came last; None before."""
        return self._last_received

    # RTP

    def send(self, payload: bytes, timestamp: int, marker: bool, payload_type: int, now: float) -> bytes:
        """Give the RTP packet to send.

        *timestamp*: on the caller's own timeline, any int that advances with the clock rate; the session adds its
        random offset (RFC 3550 5.1) and wraps it.
        """
        timestamp = timestamp + self._timestamp_offset & 0xFFFFFFFF
        sequence = self._sequence = self._sequence + 1 & 0xFFFF
        data = Packet(payload_type, marker, sequence, timestamp, self._ssrc, payload).encode()
        if timestamp != self._timestamp and self.receive_clock_rates.get(payload_type, 1):
            self._timestamp, self._timestamp_time = timestamp, now
        self._sent_packets += 1
        self._sent_octets += len(payload)
        self._last_sent, self._said = now, True
        if Feedback.NACK in self.feedback:
            if self._history is None:
                self._history = History()
            self._history.add(sequence, data)
        return data

    def receive(self, data: bytes, now: float) -> Packet | None:
        """Take a datagram of the RTP port; give the packet, with ``index`` and ``stream`` set, or None: not for us.

        A packet that came twice, late or out of order is given too: the buffers of jitter.py and reorder.py see to
        that.
        """
        try:
            packet = Packet.decode(data)
        except DecodeError:
            self._discarded += 1
            return None
        source = self._source
        if source is None or packet.ssrc != source.ssrc:
            source = self._admit(packet, now)
            if source is None:
                self._discarded += 1
                return None
        rates = self.receive_clock_rates
        verdict = source.receive(packet, now, rates.get(packet.payload_type, 0) if rates else self._clock_rate)
        if verdict is not Verdict.VALID:
            if verdict is Verdict.INVALID:
                self._discarded += 1
                return None
            self._stream += 1
        source.ended = False
        packet.stream = self._stream
        self._received_packets += 1
        self._received_octets += len(packet.payload)
        self._last_received = now
        return packet

    def expect_source(self) -> None:
        """Let the next source take over at once: signalling says that the far end changes (re-INVITE, transfer)."""
        self._expecting = True

    def _admit(self, packet: Packet, now: float) -> Source | None:
        """Decide whether a packet's SSRC becomes the source; the rule stands in the module's docstring."""
        if packet.ssrc == self._ssrc and self._is_loop(packet, now):
            return None
        if self.receive_clock_rates and packet.payload_type not in self.receive_clock_rates:
            return None
        source = self._source
        if source is not None and source.confirmed and not source.ended and not self._expecting:
            in_sequence = self._candidate == (packet.ssrc, packet.sequence)
            self._candidate = (packet.ssrc, packet.sequence + 1 & 0xFFFF)
            if not in_sequence or now < source.last + SILENCE:
                return None
        new = Source(packet, now, self._max_misorder)
        if source is not None:
            self._lost_before += source.lost
            self._asked_statistics = (0, 0)
            self._stream += 1
            new.confirmed = source.confirmed
        if self._early_report is not None and self._early_report[0] == new.ssrc:
            new.sender_report = self._early_report[1]
        self._source, self._candidate, self._expecting = new, None, False
        self._asker.answered()  # what was asked of the source before is of no use
        self._interval.members = 2
        return new

    def _is_loop(self, packet: Packet, now: float) -> bool:
        """RFC 3550 8.2: tell our own packet that came back from another's that has our SSRC; leave that to it."""
        behind = self._sequence - packet.sequence & 0xFFFF
        age = self._timestamp - packet.timestamp & 0xFFFFFFFF
        if self._sent_packets and behind < _LOOP_PACKETS and age < _LOOP_TIME * self._clock_rate:
            self._last_received = now
            return True
        return not self._collide(now)

    def _collide(self, now: float) -> bool:
        if now < self._collided + _COLLISION_INTERVAL:
            return False
        self._collided = now
        if self._said:
            self._left = self._ssrc
        self._ssrc = self._rng.getrandbits(32)
        return True

    # RTCP

    def receive_control(self, data: bytes, now: float) -> list[Event]:
        """Take a datagram of the RTCP port (or one for which packet.is_control is true); give what it asks for."""
        try:
            messages = rtcp.decode(data)
        except DecodeError:
            self._discarded += 1
            return []
        if self._comes_back(messages, now):
            self._discarded += 1
            return []
        self._last_received = now
        self._interval.sent(len(data))
        events: list[Event] = []
        for message in messages:
            match message:
                case rtcp.SenderReport(ssrc=ssrc):
                    self._take_sender_report(ssrc, (message.ntp, message.timestamp, now))
                    self._take_reports(message.reports, now)
                case rtcp.ReceiverReport():
                    self._take_reports(message.reports, now)
                case rtcp.SourceDescription():
                    if self._source is None or message.ssrc == self._source.ssrc:
                        self.remote_cname = message.cname
                case rtcp.Goodbye():
                    if self._source is not None and self._source.ssrc in message.ssrcs and not self._source.ended:
                        self._source.ended = True
                        events.append(Goodbye(message.reason))
                case _:
                    self._take_feedback(message, now, events)
        return events

    def _take_feedback(
        self, message: rtcp.PictureLoss | rtcp.FullIntra | rtcp.Nack, now: float, events: list[Event]
    ) -> None:
        match message:
            case rtcp.PictureLoss(media=media):
                if media in (self._ssrc, 0) and self._answerer.picture_loss(now):
                    events.append(KeyFrameRequested())
            case rtcp.FullIntra(sender=sender, entries=entries):
                for ssrc, number in entries:
                    if ssrc == self._ssrc and self._answerer.command(sender, number, now):
                        events.append(KeyFrameRequested())
            case rtcp.Nack(media=media, sequences=sequences):
                if media == self._ssrc and self._history is not None:
                    packets = self._history.find(sequences, now, self._round_trip)
                    self._retransmitted += len(packets)
                    if packets:
                        events.append(Retransmit(packets))

    def _comes_back(self, messages: list[rtcp.Message], now: float) -> bool:
        """RFC 3550 8.2: whether the sender has our SSRC: it is we ourselves, or, by another CNAME, a collision."""
        for message in messages:
            match message:
                case rtcp.SourceDescription(ssrc=self._ssrc):
                    if message.cname != self._cname:
                        self._collide(now)
                    return True
        return any(
            isinstance(message, rtcp.SenderReport | rtcp.ReceiverReport) and message.ssrc == self._ssrc
            for message in messages
        )

    def _take_sender_report(self, ssrc: int, report: tuple[int, int, float]) -> None:
        if self._source is not None and ssrc == self._source.ssrc:
            self._source.sender_report = report
        else:
            self._early_report = ssrc, report

    def _take_reports(self, reports: tuple[rtcp.Report, ...], now: float) -> None:
        for report in reports:
            if report.ssrc != self._ssrc:
                continue
            self._remote_report = report
            # RFC 3550 6.4.1: the round trip is A - LSR - DLSR; A is ours, so the time we sent LSR needs no wall clock.
            for middle, sent in self._sender_reports:
                if report.last_sender_report == middle:
                    round_trip = now - sent - report.delay / 65536
                    if round_trip <= _MAX_ROUND_TRIP:
                        self._round_trip = max(0.0, round_trip)
                    break

    def timer(self) -> float | None:
        """When handle_timer is wanted; every other call may change it.  None: the session is closed."""
        if self._closed:
            return None
        if self._left is not None:
            return float("-inf")
        again = self._asker.timer()
        return self._interval.due if again is None else min(again, self._interval.due)

    def handle_timer(self, now: float) -> bytes | None:
        """Give the RTCP packet that is due, if one is."""
        if self._closed:
            return None
        if self._left is not None:
            goodbye, self._left = rtcp.Goodbye((self._left,)), None
            return self._control(now, goodbye)
        again = self._asker.timer()
        if again is not None and now >= again:
            # The decoder still waits; the request rides on a report if one is due as well.
            return self.request_key_frame(now) or None
        if not self._interval.expire(now):
            return None
        data = self._control(now, regular=True)
        self._previous_regular = now
        return data

    def _control(self, now: float, *feedback: rtcp.Message, regular: bool = False) -> bytes:
        """Give a compound packet: SR or RR, then SDES, then the rest (RFC 3550 6.1, RFC 4585 3.1)."""
        source = self._source
        reports: tuple[rtcp.Report, ...] = ()
        # RFC 3550 6.4: a block for each source that was heard since the last report.
        if source is not None and (source.last > self._reported_source or not regular):
            reports = (source.report(now, renew=regular),)
            if regular:
                self._reported_source = source.last
        head: rtcp.Message
        # RFC 3550 6.4: SR if data was sent since the last report or the one before.
        if self._last_sent is not None and now - self._last_sent < 2 * self._interval.deterministic:
            ntp = round((now + self._clock_offset + _NTP_TO_UNIX) * 2**32) & 0xFFFF_FFFF_FFFF_FFFF
            elapsed = round((now - self._timestamp_time) * self._clock_rate)
            timestamp = self._timestamp + elapsed & 0xFFFFFFFF
            head = rtcp.SenderReport(self._ssrc, ntp, timestamp, self._sent_packets, self._sent_octets, reports)
            self._sender_reports.append((ntp >> 16 & 0xFFFFFFFF, now))
        else:
            head = rtcp.ReceiverReport(self._ssrc, reports)
        data = rtcp.compound((head, rtcp.SourceDescription(self._ssrc, self._cname), *feedback))
        self._interval.sent(len(data))
        self._said = True
        return data

    # Feedback

    def request_key_frame(self, now: float) -> bytes | None:
        """Ask for a key frame; call it whenever one is needed, it keeps the rate down by itself.

        Gives the RTCP packet to send; b"" when the far end takes no such feedback, and *now* is the time to ask by
        signalling; None when it was asked a moment ago, or nothing came yet.  Till `key_frame_received`, handle_timer
        asks again.
        """
        source = self._source
        if source is None or not self._asker.ask(now, self._round_trip):
            return None
        if Feedback.PLI in self.feedback:
            return self._control(now, rtcp.PictureLoss(self._ssrc, source.ssrc))
        if Feedback.FIR in self.feedback:
            return self._control(now, rtcp.FullIntra(self._ssrc, ((source.ssrc, self._asker.number),)))
        self._asker.answered()  # signalling has its own answers; handle_timer could not send anything
        return b""

    def key_frame_received(self) -> None:
        """Tell that a whole key frame came: the request is answered."""
        self._asker.answered()

    def report_missing(self, indexes: Iterable[int], now: float) -> bytes | None:
        """Ask for packets again (generic NACK): the RTCP packet to send.

        None: not agreed, nothing to ask for, or a NACK went a moment ago; then the packets are asked for at the next
        try that the reorder buffer makes.
        """
        source = self._source
        if source is None or Feedback.NACK not in self.feedback or now < self._nacked + NACK_INTERVAL:
            return None
        sequences = tuple(index & 0xFFFF for index in indexes)
        if not sequences:
            return None
        self._nacked = now
        return self._control(now, rtcp.Nack(self._ssrc, source.ssrc, sequences))

    def close(self, now: float) -> bytes:
        """End the session: the RTCP packet, with BYE, to send as the last; b"" if nothing was ever sent."""
        self._closed = True
        # RFC 3550 6.3.7: who never sent a packet must not send a BYE.
        return self._control(now, rtcp.Goodbye((self._ssrc,))) if self._said else b""

    # What is known

    def sender_time(self, timestamp: int) -> float | None:
        """When, on the far end's wall clock (s since 1970), what has this RTP timestamp was taken; None: not known yet.

        Two sessions of one far end can be put in step by it (lip synchronisation, RFC 3550 6.4.1).
        """
        if self._source is None or self._source.sender_report is None or not self._source.clock_rate:
            return None
        ntp, reference, _ = self._source.sender_report
        ahead = timestamp - reference & 0xFFFFFFFF
        ahead -= (ahead & 0x80000000) << 1
        return ntp / 2**32 - _NTP_TO_UNIX + ahead / self._source.clock_rate

    def statistics(self, now: float) -> Statistics:
        """Give what was sent and received until now; ``received.loss`` is of the time since the last such call."""
        remote = self._remote_report
        source = self._source
        loss = 0.0
        if source is not None:
            loss, self._asked_statistics = source.since(self._asked_statistics)
        return Statistics(
            now,
            Sent(
                packets=self._sent_packets,
                octets=self._sent_octets,
                lost=remote.lost if remote else 0,
                loss=remote.fraction_lost / 256 if remote else 0.0,
                jitter=remote.jitter / self._clock_rate if remote else 0.0,
                round_trip=self._round_trip,
                retransmitted=self._retransmitted,
                last=self._last_sent,
            ),
            Received(
                packets=self._received_packets,
                octets=self._received_octets,
                lost=self._lost_before + (source.lost if source else 0),
                loss=loss,
                jitter=source.jitter if source else 0.0,
                discarded=self._discarded,
                last=self._last_received,
            ),
        )
