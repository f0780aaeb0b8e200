"""RTCP: reports, source descriptions, goodbyes and feedback (RFC 3550 6, RFC 4585 6, RFC 5104 4.3, REMB).

Rule 1: `decode` gives the messages of one datagram, or refuses all of it: with one bad part it is not RTCP.
Rule 2: what we have no use for (APP, XR, transport-wide feedback, ...) is skipped by its length, unread.
Rule 3: a message encodes itself to one RTCP packet; a compound packet is those packets in a row.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from firmware.errors import DecodeError

MAX_DATAGRAM: Final = 4096
"""Octets.  RTCP keeps to the path's MTU; more than two of them is nobody's honest report."""
MAX_NACK_ENTRIES: Final = 64
"""Of 17 packets each; what is missing beyond that is better asked for as a key frame."""

MAX_LIMITS: Final = 32
"""Of one TMMBR; a session of two has one."""

# RFC 3550 12.1, RFC 4585 6.1; 192 and 193 are RFC 2032 5.2.
FULL_INTRA_REQUEST_H261, NACK_H261 = 192, 193
SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, GOODBYE, APPLICATION = 200, 201, 202, 203, 204
TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK = 205, 206
# Feedback message types: RFC 4585 6.2, 6.3, RFC 5104 4.2, 4.3.
GENERIC_NACK, MAX_BITRATE, MAX_BITRATE_NOTIFICATION = 1, 3, 4
PICTURE_LOSS, FULL_INTRA, APPLICATION_LAYER = 1, 4, 15
_REMB: Final = b"REMB"
_CNAME: Final = 1

_common = struct.Struct("!BBH")
_report = struct.Struct("!IIIIII")
_sender = struct.Struct("!IQIII")
_pair = struct.Struct("!II")
_short_pair = struct.Struct("!HH")


@dataclass(frozen=True, slots=True)
class Report:
    """What a receiver says of one source (RFC 3550 6.4.1)."""

    ssrc: int
    fraction_lost: int
    """In 1/256, since the report before."""
    lost: int
    """Cumulative, signed, 24 bits."""
    highest: int
    """Extended highest sequence number, 32 bits."""
    jitter: int
    """Timestamp units."""
    last_sender_report: int = 0
    """The middle 32 bits of its NTP time; 0: none came."""
    delay: int = 0
    """Since that came, 1/65536 s."""

    def encode(self) -> bytes:
        """Give the 24 octets."""
        lost = max(-0x800000, min(0x7FFFFF, self.lost)) & 0xFFFFFF
        return _report.pack(
            self.ssrc,
            self.fraction_lost << 24 | lost,
            self.highest,
            self.jitter,
            self.last_sender_report,
            self.delay,
        )


@dataclass(frozen=True, slots=True)
class SenderReport:
    """SR (RFC 3550 6.4.1)."""

    ssrc: int
    ntp: int
    """Wall-clock time, 64 bits, 1/2^32 s since 1900."""
    timestamp: int
    """The same moment in RTP time."""
    packets: int
    octets: int
    reports: tuple[Report, ...] = ()

    def encode(self) -> bytes:
        """Give the RTCP packet."""
        body = _sender.pack(
            self.ssrc, self.ntp, self.timestamp, self.packets & 0xFFFFFFFF, self.octets & 0xFFFFFFFF
        ) + b"".join(report.encode() for report in self.reports)
        return _packet(SENDER_REPORT, len(self.reports), body)


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """RR (RFC 3550 6.4.2)."""

    ssrc: int
    reports: tuple[Report, ...] = ()

    def encode(self) -> bytes:
        """Give the RTCP packet."""
        body = self.ssrc.to_bytes(4, "big") + b"".join(report.encode() for report in self.reports)
        return _packet(RECEIVER_REPORT, len(self.reports), body)


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """The CNAME of one source (SDES, RFC 3550 6.5); other items are neither sent nor read."""

    ssrc: int
    cname: str
    """At most 255 octets of UTF-8."""

    def encode(self) -> bytes:
        """Give the RTCP packet."""
        text = self.cname.encode()[:255]
        chunk = self.ssrc.to_bytes(4, "big") + bytes([_CNAME, len(text)]) + text
        # RFC 3550 6.5: the list of items ends with one or more null octets, up to the next 32-bit boundary.
        return _packet(SOURCE_DESCRIPTION, 1, chunk + bytes(4 - len(chunk) % 4))


@dataclass(frozen=True, slots=True)
class Goodbye:
    """BYE (RFC 3550 6.6)."""

    ssrcs: tuple[int, ...]
    reason: str = ""

    def encode(self) -> bytes:
        """Give the RTCP packet."""
        body = struct.pack(f"!{len(self.ssrcs)}I", *self.ssrcs)
        if self.reason:
            text = self.reason.encode()[:255]
            body += bytes([len(text)]) + text
            body += bytes(-len(body) % 4)
        return _packet(GOODBYE, len(self.ssrcs), body)


@dataclass(frozen=True, slots=True)
class Nack:
    """Generic NACK (RFC 4585 6.2.1): packets that the sender of this did not get."""

    sender: int
    media: int
    sequences: tuple[int, ...]
    """16 bits each; to be encoded, in the order they were sent."""

    def encode(self) -> bytes:
        """Give the RTCP packet; sequences beyond MAX_NACK_ENTRIES are left out."""
        entries: list[list[int]] = []
        for sequence in self.sequences:
            ahead = (sequence - entries[-1][0]) & 0xFFFF if entries else 0xFFFF
            if 0 < ahead <= 16:
                entries[-1][1] |= 1 << ahead - 1
            elif ahead and len(entries) < MAX_NACK_ENTRIES:
                entries.append([sequence & 0xFFFF, 0])
        body = b"".join(_short_pair.pack(first, mask) for first, mask in entries)
        return _packet(TRANSPORT_FEEDBACK, GENERIC_NACK, _pair.pack(self.sender, self.media) + body)


@dataclass(frozen=True, slots=True)
class PictureLoss:
    """PLI (RFC 4585 6.3.1): an undefined amount of coded video is lost."""

    sender: int
    media: int
    """0: whatever the receiver of this sends (a FIR of RFC 2032 names no source)."""

    def encode(self) -> bytes:
        """Give the RTCP packet."""
        return _packet(PAYLOAD_FEEDBACK, PICTURE_LOSS, _pair.pack(self.sender, self.media))


@dataclass(frozen=True, slots=True)
class FullIntra:
    """FIR (RFC 5104 4.3.1): give a decoder refresh point."""

    sender: int
    entries: tuple[tuple[int, int], ...]
    """SSRC of the source, and the command's number (8 bits): the same number is the same request again."""

    def encode(self) -> bytes:
        """Give the RTCP packet."""
        # RFC 5104 4.3.1.2: the SSRC of media source is not used and is 0.
        body = b"".join(_pair.pack(ssrc, number << 24) for ssrc, number in self.entries)
        return _packet(PAYLOAD_FEEDBACK, FULL_INTRA, _pair.pack(self.sender, 0) + body)


@dataclass(frozen=True, slots=True)
class Limit:
    """A maximum of what a source may send (RFC 5104 4.2.1.1)."""

    ssrc: int
    """Of the source (TMMBR), or of the one who asked (TMMBN)."""
    bitrate: int
    """bit/s, with all headers from IP up; encoded, it is rounded down to 17 bits."""
    overhead: int
    """Octets of headers in each packet, as measured by the one who asks; at most 511."""

    def encode(self) -> bytes:
        """Give the 8 octets."""
        exponent = max(0, self.bitrate.bit_length() - 17)
        return _pair.pack(self.ssrc, exponent << 26 | self.bitrate >> exponent << 9 | min(self.overhead, 511))


@dataclass(frozen=True, slots=True)
class MaxBitrate:
    """TMMBR (RFC 5104 4.2.1): send no more than that."""

    sender: int
    limits: tuple[Limit, ...]

    def encode(self) -> bytes:
        """Give the RTCP packet."""
        body = b"".join(limit.encode() for limit in self.limits)
        return _packet(TRANSPORT_FEEDBACK, MAX_BITRATE, _pair.pack(self.sender, 0) + body)


@dataclass(frozen=True, slots=True)
class MaxBitrateNotification:
    """TMMBN (RFC 5104 4.2.2): the limits that the sender of this keeps to."""

    sender: int
    limits: tuple[Limit, ...]

    def encode(self) -> bytes:
        """Give the RTCP packet."""
        body = b"".join(limit.encode() for limit in self.limits)
        return _packet(TRANSPORT_FEEDBACK, MAX_BITRATE_NOTIFICATION, _pair.pack(self.sender, 0) + body)


@dataclass(frozen=True, slots=True)
class EstimatedMaxBitrate:
    """REMB (draft-alvestrand-rmcat-remb-03 2.2): send no more than that, of all these sources together."""

    sender: int
    bitrate: int
    """bit/s of payload; encoded, it is rounded down to 18 bits."""
    sources: tuple[int, ...]

    def encode(self) -> bytes:
        """Give the RTCP packet."""
        exponent = max(0, self.bitrate.bit_length() - 18)
        word = len(self.sources) << 24 | exponent << 18 | self.bitrate >> exponent
        body = struct.pack(f"!II4sI{len(self.sources)}I", self.sender, 0, _REMB, word, *self.sources)
        return _packet(PAYLOAD_FEEDBACK, APPLICATION_LAYER, body)


Feedback = Nack | PictureLoss | FullIntra | MaxBitrate | MaxBitrateNotification | EstimatedMaxBitrate
Message = SenderReport | ReceiverReport | SourceDescription | Goodbye | Feedback


def compound(messages: Iterable[Message]) -> bytes:
    """Give the compound packet of these messages, in this order."""
    return b"".join(message.encode() for message in messages)


def decode(data: bytes) -> list[Message]:
    """Read one datagram: compound (RFC 3550 6.1) or reduced-size (RFC 5506).  DecodeError: it is not RTCP.

    The rules of RFC 3550 A.2 hold but that SR or RR comes first, which RFC 5506 lifts.
    """
    if not 4 <= len(data) <= MAX_DATAGRAM:
        raise DecodeError(f"RTCP: {len(data)} octets")
    messages: list[Message] = []
    at, end = 0, len(data)
    while at < end:
        if at + 4 > end:
            raise DecodeError("RTCP: ends within a header")
        first, kind, words = _common.unpack_from(data, at)
        if first >> 6 != 2 or not 192 <= kind <= 223:
            raise DecodeError(f"RTCP: version {first >> 6}, packet type {kind}")
        start, at = at + 4, at + 4 + 4 * words
        if at > end:
            raise DecodeError(f"RTCP: packet type {kind} goes {at - end} octets beyond the datagram")
        stop = at
        if first & 0x20:  # RFC 3550 6.4.1: padding belongs to the last packet only
            padding = data[at - 1]
            if at != end or not 0 < padding <= at - start or padding % 4:
                raise DecodeError(f"RTCP: {padding} octets of padding in packet type {kind}")
            stop -= padding
        read = _READERS.get(kind)
        if read is not None:
            messages.extend(read(data[start:stop], first & 0x1F))
    return messages


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _common.pack(0x80 | count, kind, len(body) // 4) + body


def _need(body: bytes, size: int, what: str) -> None:
    if len(body) < size:
        raise DecodeError(f"RTCP: {what} has {len(body)} octets, needs {size}")


def _text(octets: bytes) -> str:
    """Give what may be shown and logged: UTF-8 without control characters."""
    return "".join(c if c.isprintable() else "\ufffd" for c in octets.decode(errors="replace"))


def _reports(body: bytes, at: int, count: int) -> tuple[Report, ...]:
    """Read the report blocks; a profile's extension may follow and is skipped (RFC 3550 6.4.3)."""
    _need(body, at + count * _report.size, f"a report of {count} blocks")
    reports = []
    for _ in range(count):
        ssrc, loss, highest, jitter, last, delay = _report.unpack_from(body, at)
        lost = loss & 0xFFFFFF
        lost -= (lost & 0x800000) << 1
        reports.append(Report(ssrc, loss >> 24, lost, highest, jitter, last, delay))
        at += _report.size
    return tuple(reports)


def _read_sender_report(body: bytes, count: int) -> Iterator[Message]:
    _need(body, _sender.size, "SR")
    ssrc, ntp, timestamp, packets, octets = _sender.unpack_from(body)
    yield SenderReport(ssrc, ntp, timestamp, packets, octets, _reports(body, _sender.size, count))


def _read_receiver_report(body: bytes, count: int) -> Iterator[Message]:
    _need(body, 4, "RR")
    yield ReceiverReport(int.from_bytes(body[:4], "big"), _reports(body, 4, count))


def _read_source_description(body: bytes, count: int) -> Iterator[Message]:
    at = 0
    for _ in range(count):
        _need(body, at + 4, "SDES")
        ssrc, at = int.from_bytes(body[at : at + 4], "big"), at + 4
        while at < len(body) and body[at]:
            _need(body, at + 2, "SDES")
            kind, size = body[at], body[at + 1]
            at += 2 + size
            _need(body, at, "SDES")
            if kind == _CNAME:
                yield SourceDescription(ssrc, _text(body[at - size : at]))
        at += 4 - at % 4  # the null octet that ends the items, and those up to the boundary


def _read_goodbye(body: bytes, count: int) -> Iterator[Message]:
    _need(body, 4 * count, "BYE")
    rest = body[4 * count :]
    reason = _text(rest[1 : 1 + rest[0]]) if rest else ""
    yield Goodbye(struct.unpack_from(f"!{count}I", body), reason)


def _read_transport_feedback(body: bytes, kind: int) -> Iterator[Message]:
    if kind in (MAX_BITRATE, MAX_BITRATE_NOTIFICATION):
        yield _read_limits(body, kind)
        return
    if kind != GENERIC_NACK:
        return
    _need(body, _pair.size + 4, "NACK")
    sender, media = _pair.unpack_from(body)
    sequences: list[int] = []
    for first, mask in _short_pair.iter_unpack(body[8 : 8 + 4 * MAX_NACK_ENTRIES]):
        sequences.append(first)
        sequences.extend(first + bit + 1 & 0xFFFF for bit in range(16) if mask >> bit & 1)
    yield Nack(sender, media, tuple(sequences))


def _read_limits(body: bytes, kind: int) -> Message:
    _need(body, _pair.size, "TMMBR")
    if len(body) % 8:
        raise DecodeError(f"RTCP: TMMBR of {len(body)} octets")
    limits = tuple(
        Limit(ssrc, (word >> 9 & 0x1FFFF) << (word >> 26), word & 0x1FF)
        for ssrc, word in _pair.iter_unpack(body[8 : 8 + 8 * MAX_LIMITS])
    )
    sender = int.from_bytes(body[:4], "big")
    return MaxBitrate(sender, limits) if kind == MAX_BITRATE else MaxBitrateNotification(sender, limits)


def _read_payload_feedback(body: bytes, kind: int) -> Iterator[Message]:
    if kind == APPLICATION_LAYER and body[8:12] == _REMB:
        yield _read_estimate(body)
    if kind not in (PICTURE_LOSS, FULL_INTRA):
        return
    _need(body, _pair.size, "payload feedback")
    sender, media = _pair.unpack_from(body)
    if kind == PICTURE_LOSS:
        yield PictureLoss(sender, media)
    else:
        if len(body) % 8:
            raise DecodeError(f"RTCP: FIR of {len(body)} octets")
        entries = tuple((ssrc, number >> 24) for ssrc, number in _pair.iter_unpack(body[8:]))
        yield FullIntra(sender, entries)


def _read_estimate(body: bytes) -> Message:
    _need(body, 16, "REMB")
    sender, word = int.from_bytes(body[:4], "big"), int.from_bytes(body[12:16], "big")
    count = word >> 24
    _need(body, 16 + 4 * count, f"REMB of {count} sources")
    sources = struct.unpack_from(f"!{count}I", body, 16)
    return EstimatedMaxBitrate(sender, (word & 0x3FFFF) << (word >> 18 & 0x3F), sources)


def _read_full_intra_request_h261(body: bytes, _: int) -> Iterator[Message]:
    """RFC 2032 5.2.1; baresip up to 1.0 and others send it for any codec where no feedback was agreed."""
    _need(body, 4, "FIR of RFC 2032")
    yield PictureLoss(int.from_bytes(body[:4], "big"), 0)


_READERS: Final[dict[int, Callable[[bytes, int], Iterator[Message]]]] = {
    FULL_INTRA_REQUEST_H261: _read_full_intra_request_h261,
    SENDER_REPORT: _read_sender_report,
    RECEIVER_REPORT: _read_receiver_report,
    SOURCE_DESCRIPTION: _read_source_description,
    GOODBYE: _read_goodbye,
    TRANSPORT_FEEDBACK: _read_transport_feedback,
    PAYLOAD_FEEDBACK: _read_payload_feedback,
}
"""Packet type -> what reads its body; the second argument is the count or format field.  Others are skipped."""
