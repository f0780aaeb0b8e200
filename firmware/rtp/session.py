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
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from firmware.call.media import Feedback, Kind
from firmware.errors import DecodeError
from firmware.rtp import rtcp
from firmware.rtp.bitrate import OVERHEAD, BitrateAsker, with_overhead, without_overhead
from firmware.rtp.event import BitrateLimited, Event, Goodbye, KeyFrameRequested, Retransmit
from firmware.rtp.feedback import KeyFrameAnswerer, KeyFrameAsker
from firmware.rtp.interval import Interval
from firmware.rtp.packet import Packet
from firmware.rtp.retransmission import Resender, unwrap
from firmware.rtp.sender import Sender
from firmware.rtp.source import MAX_MISORDER, MAX_MISORDER_VIDEO, Source, Verdict
from firmware.rtp.statistics import Received, Statistics
from firmware.rtp.synchronization import Reference

DYNAMIC: Final = range(96, 128)
"""Payload types that mean nothing but what was agreed on (RFC 3551 6)."""
UNASSIGNED: Final = 35
"""One that nobody may give a meaning to, unless there are no more of those (RFC 3551 3)."""
SILENCE: Final = 0.2
"""s after which another source may take over."""
EXPECTATION: Final = 3.0
"""s that an announced change of the source is waited for."""
NOTIFICATION_INTERVAL: Final = 0.1
"""s between two answers to requests for another bitrate, at least."""
_COLLISION_INTERVAL: Final = 10.0
"""s between two changes of our SSRC: more often is nobody's chance."""


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
        timestamp_offset: int | None = None,
    ) -> None:
        """Start a session.

        *clock_rate*: of what is sent, Hz; another clock asks for another Session.  *cname*: the same for all sessions
        of a call, RFC 7022.  *bandwidth*: of the session, one direction, bit/s.  *feedback*: what the far end
        understands and may ask for; settable later.  *receive_clock_rates*: payload type -> Hz of all that may arrive,
        0 where timestamps don't follow the time (telephone-event); settable later.  Without it, every payload type is
        taken, at *clock_rate*.  *clock_offset*: what to add to ``now`` for seconds since 1970 (UTC).
        *timestamp_offset*: what to add to the timestamps given to `send`, where the session goes on with the timeline
        of one before; None: a random number.
        """
        self.feedback = feedback
        self.receive_clock_rates = dict(receive_clock_rates or {})
        self.send_again: int | None = None
        """Payload type under which our packets go again (RFC 4588); None: as they were."""
        self.received_again: dict[int, int] = {}
        """Payload type of packets that come again -> that of the originals."""
        self._resender = Resender(rng)
        self._clock_rate = clock_rate
        self._cname = cname
        self._sender = Sender(clock_rate, rng, now, clock_offset, timestamp_offset)
        self._max_misorder = MAX_MISORDER_VIDEO if kind is Kind.VIDEO else MAX_MISORDER
        self._interval = Interval(bandwidth, rng, now)
        self._asker = KeyFrameAsker()
        self._answerer = KeyFrameAnswerer()
        self._bitrate_asker = BitrateAsker()
        self._notified = float("-inf")
        self._left: int | None = None
        """An SSRC of ours that collided and has to say goodbye."""
        self._collided = float("-inf")
        self._closed = False
        self._said = False
        """Whether any packet of ours is out."""
        self._source: Source | None = None
        self._stream = 0
        self._expected_until = float("-inf")
        self._candidate: tuple[int, int] | None = None
        """SSRC and next sequence number of who may take over."""
        self._early: dict[type, tuple[rtcp.SenderReport | rtcp.SourceDescription, float]] = {}
        """The last of each that is of a source not heard yet, and when it came."""
        self._received_packets = self._received_octets = self._lost_before = self._discarded = 0
        self._last_received: float | None = None
        self._reported_source = float("-inf")
        self._asked_statistics = (0, 0)

    @property
    def ssrc(self) -> int:
        """Ours; a collision changes it."""
        return self._sender.ssrc

    @property
    def round_trip(self) -> float | None:
        """s, as last measured."""
        return self._sender.round_trip

    @property
    def last_received(self) -> float | None:
        """When anything valid, RTP or RTCP, came last; None before."""
        return self._last_received

    @property
    def reference(self) -> Reference | None:
        """What the source's last sender report says of its timestamps; None: there was none."""
        return self._source.reference(self._stream) if self._source is not None else None

    # RTP

    def send(
        self,
        payload: bytes,
        timestamp: int,
        marker: bool,
        payload_type: int,
        now: float,
        taken: float | None = None,
    ) -> bytes:
        """Give the RTP packet to send.

        *timestamp*: on the caller's own timeline, any int that advances with the clock rate; the session adds its
        random offset (RFC 3550 5.1) and wraps it.  *taken*: when what it stands for was heard or seen, on the clock
        of ``now``; None: now.
        """
        self._said = True
        return self._sender.send(
            payload,
            timestamp,
            marker,
            payload_type,
            now,
            taken=taken,
            clocked=self.receive_clock_rates.get(payload_type, 1) != 0,
            keep=Feedback.NACK in self.feedback,
        )

    def keep_open(self) -> bytes:
        """Give a packet that only shows where we are: of a payload type that was not agreed on (RFC 6263 4.6)."""
        unknown = (number for number in reversed(DYNAMIC) if number not in self.receive_clock_rates)
        return self._sender.keep_open(next(unknown, UNASSIGNED))

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
        if packet.payload_type in self.received_again:
            return self._receive_again(packet, now)
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
        return self._counted(packet, now)

    def _receive_again(self, packet: Packet, now: float) -> Packet | None:
        """Take one that comes again; what is said of the source's loss stays as it was (RFC 4588 4)."""
        source = self._source
        original = unwrap(packet, self.received_again[packet.payload_type], source.ssrc) if source else None
        if source is None or original is None or not source.recognizes(original):
            return None
        return self._counted(original, now)

    def _counted(self, packet: Packet, now: float) -> Packet:
        packet.stream = self._stream
        self._received_packets += 1
        self._received_octets += len(packet.payload)
        self._last_received = now
        return packet

    def expect_source(self) -> None:
        """Let the next source take over at once: signalling says that the far end changes (re-INVITE, transfer).

        It holds for 3 s; a re-INVITE that changes no source must not leave the door open to strangers.
        """
        self._expected_until = (self._last_received or 0.0) + EXPECTATION

    def _admit(self, packet: Packet, now: float) -> Source | None:
        """Decide whether a packet's SSRC becomes the source; the rule stands in the module's docstring."""
        if packet.ssrc == self.ssrc and self._is_loop(packet, now):
            return None
        if self.receive_clock_rates and packet.payload_type not in self.receive_clock_rates:
            return None
        source = self._source
        if source is not None and source.confirmed and not source.ended and now > self._expected_until:
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
        for message, arrival in self._early.values():
            if message.ssrc == new.ssrc:
                new.take(message, arrival)
        self._source, self._candidate, self._expected_until = new, None, float("-inf")
        self._asker = KeyFrameAsker()  # what was asked of the source before is of no use
        self._bitrate_asker = BitrateAsker()
        self._interval.members = 2
        return new

    def _is_loop(self, packet: Packet, now: float) -> bool:
        """RFC 3550 8.2: tell our own packet that came back from another's that has our SSRC; leave that to it."""
        if self._sender.is_own(packet):
            self._last_received = now
            return True
        return not self._collide(now)

    def _collide(self, now: float) -> bool:
        if now < self._collided + _COLLISION_INTERVAL:
            return False
        self._collided = now
        if self._said:
            self._left = self._sender.ssrc
        self._sender.renew()
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
                case rtcp.SenderReport():
                    self._take_of_source(message, now)
                    self._take_reports(message.reports, now)
                case rtcp.ReceiverReport():
                    self._take_reports(message.reports, now)
                case rtcp.SourceDescription():
                    self._take_of_source(message, now)
                case rtcp.Goodbye():
                    if self._source is not None and self._source.ssrc in message.ssrcs and not self._source.ended:
                        self._source.ended = True
                        events.append(Goodbye(message.reason))
                case _:
                    self._take_feedback(message, now, events)
        return events

    def _take_feedback(self, message: rtcp.Feedback, now: float, events: list[Event]) -> None:
        match message:
            case rtcp.PictureLoss(media=media):
                if media in (self.ssrc, 0) and self._answerer.picture_loss(now):
                    events.append(KeyFrameRequested())
            case rtcp.FullIntra(sender=sender, entries=entries):
                for ssrc, number in entries:
                    if ssrc == self.ssrc and self._answerer.command(sender, number, now):
                        events.append(KeyFrameRequested())
            case rtcp.Nack(media=media, sequences=sequences):
                if media == self.ssrc:
                    events += self._again(sequences, now)
            case rtcp.MaxBitrate(sender=sender, limits=limits):
                events += [self._limited(sender, limit, now) for limit in limits if limit.ssrc == self.ssrc]
            case rtcp.EstimatedMaxBitrate(bitrate=bitrate, sources=sources):
                if self.ssrc in sources:
                    events.append(BitrateLimited(bitrate, b""))
            case rtcp.MaxBitrateNotification(limits=limits):
                self._bitrate_asker.answered(any(limit.ssrc == self.ssrc for limit in limits))

    def _again(self, sequences: tuple[int, ...], now: float) -> list[Event]:
        packets = self._sender.again(sequences, now)
        if self.send_again is not None:
            packets = tuple(self._resender.wrap(packet, self.send_again) for packet in packets)
        return [Retransmit(packets)] if packets else []

    def _limited(self, sender: int, limit: rtcp.Limit, now: float) -> BitrateLimited:
        notification = b""
        if now >= self._notified + NOTIFICATION_INTERVAL:
            self._notified = now
            # RFC 5104 4.2.2: the one who limits us, and what we keep to.
            notification = self._control(now, rtcp.MaxBitrateNotification(self.ssrc, (replace(limit, ssrc=sender),)))
        return BitrateLimited(without_overhead(limit.bitrate, limit.overhead), notification)

    def _comes_back(self, messages: list[rtcp.Message], now: float) -> bool:
        """RFC 3550 8.2: whether the sender has our SSRC: it is we ourselves, or, by another CNAME, a collision."""
        for message in messages:
            match message:
                case rtcp.SourceDescription(ssrc=self.ssrc):
                    if message.cname != self._cname:
                        self._collide(now)
                    return True
        return any(
            isinstance(message, rtcp.SenderReport | rtcp.ReceiverReport) and message.ssrc == self.ssrc
            for message in messages
        )

    def _take_of_source(self, message: rtcp.SenderReport | rtcp.SourceDescription, now: float) -> None:
        if self._source is not None and message.ssrc == self._source.ssrc:
            self._source.take(message, now)
        else:
            self._early[type(message)] = message, now

    def _take_reports(self, reports: tuple[rtcp.Report, ...], now: float) -> None:
        for report in reports:
            if report.ssrc == self.ssrc:
                self._sender.take(report, now)

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
            # The decoder still waits.
            return self.request_key_frame(now) or None
        if not self._interval.expire(now):
            return None
        return self._control(now, regular=True)

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
        last = self._sender.last
        if last is not None and now - last < 2 * self._interval.deterministic:
            head = self._sender.report(now, reports)
        else:
            head = rtcp.ReceiverReport(self.ssrc, reports)
        data = rtcp.compound((head, rtcp.SourceDescription(self.ssrc, self._cname), *feedback))
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
        if source is None or not self._asker.ask(now, self.round_trip):
            return None
        if Feedback.PLI in self.feedback:
            return self._control(now, rtcp.PictureLoss(self.ssrc, source.ssrc))
        if Feedback.FIR in self.feedback:
            return self._control(now, rtcp.FullIntra(self.ssrc, ((source.ssrc, self._asker.number),)))
        self._asker.answered()  # signalling has its own answers; handle_timer could not send anything
        return b""

    def key_frame_received(self) -> None:
        """Tell that a whole key frame came: the request is answered."""
        self._asker.answered()

    def report_missing(self, indexes: Iterable[int], now: float) -> bytes | None:
        """Ask for packets again (generic NACK): the RTCP packet to send, or None: not agreed, or nothing to ask for."""
        source = self._source
        if source is None or Feedback.NACK not in self.feedback:
            return None
        sequences = tuple(index & 0xFFFF for index in indexes)
        if not sequences:
            return None
        return self._control(now, rtcp.Nack(self.ssrc, source.ssrc, sequences))

    def request_bitrate(self, bitrate: int, loss: float, most: int, now: float) -> bytes | None:
        """Ask the far end to send less (or more again), where what comes makes it useful; call it once a second.

        *bitrate*: of what came in the last second, bit/s of payload.  *loss*: of its packets, 0 to 1.  *most*: that we
        may be sent, bit/s; 0: nobody said.  Gives the RTCP packet to send, or None.
        """
        source = self._source
        if source is None or Feedback.TMMBR not in self.feedback:
            return None
        asked = self._bitrate_asker.ask(bitrate, loss, most, now)
        if asked is None:
            return None
        limit = rtcp.Limit(source.ssrc, with_overhead(asked, OVERHEAD), OVERHEAD)
        return self._control(now, rtcp.MaxBitrate(self.ssrc, (limit,)))

    def close(self, now: float) -> bytes:
        """End the session: the RTCP packet, with BYE, to send as the last; b"" if nothing was ever sent."""
        self._closed = True
        # RFC 3550 6.3.7: who never sent a packet must not send a BYE.
        return self._control(now, rtcp.Goodbye((self.ssrc,))) if self._said else b""

    # What is known

    def statistics(self, now: float) -> Statistics:
        """Give what was sent and received until now; ``received.loss`` is of the time since the last such call."""
        source = self._source
        loss = 0.0
        if source is not None:
            loss, self._asked_statistics = source.since(self._asked_statistics)
        return Statistics(
            now,
            self._sender.statistics(),
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
