"""SRTP and SRTCP: which packet of which source it is, and whether it came before (RFC 3711 3.3).

Rule 1: a `Sender` and a `Receiver` belong to one key.  Another key is another of them; the same key goes on with the
same one, whatever signalling says between, for the count of rollovers is in it.
Rule 2: what comes changes nothing before its tag has proved right, so nobody without the key can make us keep
anything.
Rule 3: a packet is given once; one too old to tell is not given at all (RFC 3711 3.3.2).
Rule 4: we may hear a source late (after hold, in a new media process), when its numbers have rolled over already.
Where the tag is wrong for the likely count, each packet tries another one, until one proves right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.rtp.packet import HEADER_SIZE
from firmware.rtp.srtp_transform import INDEX_SIZE, RTCP_HEADER, SIZES, transform

if TYPE_CHECKING:
    from firmware.call.media import Crypto

WINDOW: Final = 1024
"""Packets behind the newest that may still come; RFC 3711 3.3.2 asks for 64 at least, and pictures come in bursts."""
MAX_SOURCES: Final = 64
"""That are remembered; each had the key, so whoever makes more forgets his own first."""
MAX_ROLLOVERS: Final = 512
"""That are tried: a picture of 20 Mbit/s for four hours."""
_EXTENDED: Final = 0x10


class _Source:
    """The packets of one SSRC: the highest index, and which came of those before it."""

    def __init__(self, index: int) -> None:
        self.highest = index
        self._seen = 1

    def guess(self, sequence: int) -> int:
        """Give the index that a sequence number most likely stands for (RFC 3711 3.3.1)."""
        rollovers, highest = self.highest >> 16, self.highest & 0xFFFF
        if highest < 0x8000 and sequence - highest > 0x8000:
            rollovers -= 1
        elif highest >= 0x8000 and highest - 0x8000 > sequence:
            rollovers += 1
        return max(0, rollovers) << 16 | sequence

    def is_new(self, index: int) -> bool:
        """Whether this packet has not come yet, as far as can be told."""
        behind = self.highest - index
        return behind < 0 or (behind < WINDOW and not self._seen >> behind & 1)

    def take(self, index: int) -> None:
        """Remember that a packet came."""
        ahead = index - self.highest
        if ahead > 0:
            self._seen = (self._seen << ahead | 1) & (1 << WINDOW) - 1 if ahead < WINDOW else 1
            self.highest = index
        else:
            self._seen |= 1 << -ahead


class Sender:
    """Encrypts what we send with one key.  ValueError: the key is not one of SRTP's."""

    def __init__(self, crypto: Crypto) -> None:
        self._transform = transform(crypto)
        self._identifier = crypto.key_identifier
        self._tag = _tag_behind_identifier(crypto)
        self._sources: dict[int, _Source] = {}
        self._control_index = 0

    def protect(self, packet: bytes) -> bytes:
        """Give what to send for an RTP packet of ours, without extension; one sent again is the same as before."""
        ssrc, sequence = int.from_bytes(packet[8:12], "big"), int.from_bytes(packet[2:4], "big")
        source = self._sources.get(ssrc)
        if source is None:
            source = _admit(self._sources, ssrc, sequence)
        index = source.guess(sequence)
        if index > source.highest:
            source.highest = index
        start = HEADER_SIZE + 4 * (packet[0] & 0x0F)
        return self._identified(self._transform.protect(packet, start, ssrc, index), self._tag[0])

    def protect_control(self, packet: bytes) -> bytes:
        """Give what to send for a compound RTCP packet of ours."""
        # RFC 3711 3.4: one more with each packet, whoever of us it is from.
        self._control_index = self._control_index + 1 & 0x7FFFFFFF
        ssrc = int.from_bytes(packet[4:8], "big")
        return self._identified(self._transform.protect_control(packet, ssrc, self._control_index), self._tag[1])

    def _identified(self, data: bytes, tag: int) -> bytes:
        if not self._identifier:
            return data
        end = len(data) - tag
        return data[:end] + self._identifier + data[end:]


class Receiver:
    """Decrypts what is sent with one key.  ValueError: the key is not one of SRTP's."""

    def __init__(self, crypto: Crypto) -> None:
        self.refused = 0
        """Packets with a wrong tag, or none."""
        self.replayed = 0
        """Packets that came before, or too late to tell."""
        self._transform = transform(crypto)
        sizes = SIZES[crypto.suite]
        self._identifier = crypto.key_identifier
        self._tag = _tag_behind_identifier(crypto)
        self._least = sizes.tag + len(self._identifier)
        self._least_control = RTCP_HEADER + INDEX_SIZE + sizes.control_tag + len(self._identifier)
        self._sources: dict[int, _Source] = {}
        self._control_sources: dict[int, _Source] = {}
        self._rollovers = 0
        """What was tried last by rule 4."""

    def unprotect(self, packet: bytes) -> bytes | None:
        """Give the RTP packet of what came; None: refused, and counted."""
        start = _payload_start(packet)
        data = self._unidentified(packet, self._tag[0]) if start and start + self._least <= len(packet) else None
        if data is None:
            self.refused += 1
            return None
        ssrc, sequence = int.from_bytes(data[8:12], "big"), int.from_bytes(data[2:4], "big")
        source = self._sources.get(ssrc)
        index = sequence if source is None else source.guess(sequence)
        if source is not None and not source.is_new(index):
            self.replayed += 1
            return None
        clear = self._transform.unprotect(data, start, ssrc, index)
        if clear is None:
            self._rollovers = self._rollovers % MAX_ROLLOVERS + 1
            index = self._rollovers << 16 | sequence
            if source is None or index > source.highest:
                clear = self._transform.unprotect(data, start, ssrc, index)
        if clear is None:
            self.refused += 1
            return None
        if source is None:
            _admit(self._sources, ssrc, index)
        else:
            source.take(index)
        return clear

    def unprotect_control(self, packet: bytes) -> bytes | None:
        """Give the RTCP packet of what came; None: refused, and counted."""
        data = self._unidentified(packet, self._tag[1]) if len(packet) >= self._least_control else None
        if data is None:
            self.refused += 1
            return None
        ssrc, index = int.from_bytes(data[4:8], "big"), self._transform.control_index(data) & 0x7FFFFFFF
        source = self._control_sources.get(ssrc)
        if source is not None and not source.is_new(index):
            self.replayed += 1
            return None
        clear = self._transform.unprotect_control(data, ssrc)
        if clear is None:
            self.refused += 1
            return None
        if source is None:
            _admit(self._control_sources, ssrc, index)
        else:
            source.take(index)
        return clear

    def _unidentified(self, packet: bytes, tag: int) -> bytes | None:
        """Give a packet without its key's identifier; None: it names another key."""
        identifier = self._identifier
        if not identifier:
            return packet
        end = len(packet) - tag
        begin = end - len(identifier)
        return packet[:begin] + packet[end:] if packet[begin:end] == identifier else None


def _admit(sources: dict[int, _Source], ssrc: int, index: int) -> _Source:
    if len(sources) >= MAX_SOURCES:
        del sources[next(iter(sources))]
    source = sources[ssrc] = _Source(index)
    return source


def _tag_behind_identifier(crypto: Crypto) -> tuple[int, int]:
    """Give how many octets follow the identifier in RTP and in RTCP."""
    sizes = SIZES[crypto.suite]
    # RFC 7714 8.2, 9.2: with AEAD the tag is a part of what is encrypted, and the identifier is last.
    return (0, 0) if sizes.authenticates_alone else (sizes.tag, sizes.control_tag)


def _payload_start(packet: bytes) -> int:
    """Give where an RTP packet's payload begins; 0: it is no RTP packet."""
    if len(packet) < HEADER_SIZE or packet[0] >> 6 != 2:
        return 0
    start = HEADER_SIZE + 4 * (packet[0] & 0x0F)
    if packet[0] & _EXTENDED:  # RFC 3550 5.3.1
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    return start
