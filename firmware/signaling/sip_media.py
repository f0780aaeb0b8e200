"""Offer and answer (RFC 3264) of one SIP call: our capabilities and ports meet the far end's description.

Rule 1: what is agreed changes only when an offer has its answer; an offer that was refused leaves no trace (8).
Rule 2: the order of ``m=`` lines never changes, and a line of no use to us is refused where it stands (RFC 3264 6).
Rule 3: the first usable line of each kind is taken.  Its ports are reserved when they are first promised, and kept
until `SipMedia.close`.
Rule 4: payload types are the offerer's (RFC 3264 6.1), and keep their meaning as long as the call lasts (8.3.2).
Rule 5: an answer names one codec of each kind, the first of the offer's that we have, and telephone events with it.
Rule 6: encryption is the affair of `firmware.signaling.sip_srtp`, and ICE that of `firmware.signaling.sip_ice`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from firmware.call.call import EndReason
from firmware.call.media import Channel, Encryption, Format, Kind
from firmware.errors import FirmwareError
from firmware.sdp import attributes
from firmware.sdp.attributes import Direction
from firmware.sdp.session import Bandwidth, MediaDescription, Origin, SessionDescription, parse
from firmware.signaling import sip_formats, sip_matching, sip_srtp
from firmware.signaling.sip_certificate import make_certificate
from firmware.signaling.sip_channels import FEEDBACK, OFFERED_FEEDBACK, PACKET_TIME, line_channels
from firmware.signaling.sip_srtp import CLEAR, Secured, SipSrtp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from firmware.call.ice import Selected
    from firmware.call.media import Capabilities
    from firmware.sansio import Address
    from firmware.sdp.session import Attributes
    from firmware.signaling.endpoint import Ports
    from firmware.signaling.sip_formats import Agreed
    from firmware.signaling.sip_ice import SipIce


class NoCommonMediaError(FirmwareError):
    """Nothing in this description can be used here, or it is no answer to what we offered; *reason* says which."""

    def __init__(self, words: str, reason: EndReason = EndReason.NO_COMMON_MEDIA) -> None:
        super().__init__(words)
        self.reason: Final = reason


@dataclass(frozen=True, slots=True)
class _Line:
    """An ``m=`` line of ours."""

    said: MediaDescription
    kind: Kind | None = None
    """None: refused by one side."""
    formats: tuple[Format, ...] = ()
    """What the payload types in ``said`` mean."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """An offer's line that is taken, and what is agreed on it."""

    kind: Kind
    pairs: tuple[Agreed, ...]
    secured: Secured
    says: Attributes
    """What our answer says of encryption."""


_Chosen = dict[int, _Choice]
"""By the index of the line."""


class SipMedia:
    """What one call has agreed.

    *host* is the address of ours that the far end reaches; *session_id* names our descriptions (RFC 8866 5.2);
    *srtp* is what will be agreed of encryption, *ice* of ways through NATs; without, there is no ICE.
    """

    def __init__(
        self,
        capabilities: Capabilities,
        ports: Ports,
        host: str,
        session_id: int,
        srtp: SipSrtp | None = None,
        ice: SipIce | None = None,
    ) -> None:
        self.channels: tuple[Channel, ...] = ()
        """What may flow now."""
        self.held_by_far_end = False
        """The far end does not take what we would send."""
        self.held = False
        """We put the far end on hold; the next offer or answer says so."""
        self._capabilities = capabilities
        self._ports = ports
        self._host = host
        self._origin = host
        self._session_id = session_id
        self.srtp: Final = srtp or SipSrtp(capabilities.encryption, random.SystemRandom(), make_certificate)
        self._ice = ice
        self._version = 0
        self._said: tuple[MediaDescription, ...] | None = None
        self._lines: tuple[_Line, ...] = ()
        self._offered: tuple[_Line, ...] | None = None
        self._reserved: dict[Kind, Address] = {}
        self._fresh: dict[Kind, Address] = {}
        """What takes the place of these once a restart of ICE is agreed."""
        self._moved: dict[Kind, Address] = {}
        """What the reserved ones have taken the place of."""
        self._dropped: set[Kind] = set()
        self._read: tuple[bytes, SessionDescription, _Chosen] | None = None

    def prepare(self, offer: bytes | None, when_done: Callable[[], None], *, anew: bool = False) -> bool:
        """Find out what the answer to this offer, or our own offer, needs; True: all is known already.

        Else *when_done* is called, and this is asked again.  Raises what `answer` or `offer` would.
        """
        if self._ice is None:
            return True
        if offer is None:
            known = None if anew or not self._lines else {line.kind for line in self._lines}
            kinds = [
                kind
                for kind in Kind
                if sip_matching.codecs(self._capabilities, kind) and (known is None or kind in known)
            ]
        else:
            described, chosen = self._read_offer(offer)
            kinds = [
                choice.kind
                for index, choice in chosen.items()
                if self._ice.takes(choice.kind, described, described.media[index])
            ]
        return self._ice.gather({kind: self._port(kind) for kind in kinds}, when_done)

    def offer(self, *, anew: bool = False) -> bytes:
        """Describe what we want now: all we can do in a first offer, then what was agreed, held or not.

        An offer that is refused needs nothing: the next one begins again from what was agreed.
        With *anew* also what was refused before is offered again, as to one who asks us for an offer (RFC 3261 14.2).
        CallError: no ports are free.
        """
        lines = list(self._lines)
        for index, line in enumerate(lines):
            if line.kind in self._dropped:
                lines[index] = _Line(line.said.refused())  # RFC 3264 8.2
            elif line.kind is not None:
                lines[index] = self._offer_line(line.kind, line if not anew else None, line)
        if anew or not lines:
            for kind in (Kind.AUDIO, Kind.VIDEO):
                if kind in self._dropped or any(line.kind is kind for line in lines):
                    continue
                if sip_matching.codecs(self._capabilities, kind):
                    # RFC 3264 8.1: a new stream may take the place of one that was refused.
                    places = (i for i, line in enumerate(lines) if line.kind is None and line.said.kind == kind.value)
                    index = next(places, len(lines))
                    lines[index : index + 1] = [self._offer_line(kind, None, None)]
        self._offered = tuple(self._with_ice(line, answer=False) for line in lines)
        return self._describe(self._offered)

    def accept(self, body: bytes) -> None:
        """Take the far end's answer to our last offer; a later answer to the same offer replaces it.

        DecodeError: it is no description.  NoCommonMediaError: nothing of it is usable.
        """
        answer = parse(body)
        offered = self._offered or self._lines
        agreed: list[_Line] = []
        channels: list[Channel] = []
        receiving: list[bool] = []
        in_clear = False
        for index, line in enumerate(offered):
            media = answer.media[index] if index < len(answer.media) else None
            pairs = self._match_answer(line, answer, media)
            secured = None
            if media is not None and line.kind is not None and pairs:
                secured = self.srtp.accept(line.kind, line.said, answer, media)
                in_clear = in_clear or secured is None
            if media is None or secured is None:
                agreed.append(_Line(line.said.refused()))
                continue
            agreed.append(line)
            said = attributes.direction(SessionDescription(), line.said)
            heard = sip_matching.direction(answer, media, ice=self._ice is not None)
            if said.sends:
                receiving.append(heard.receives)
            way = Direction.of(said.sends and heard.receives, said.receives and heard.sends)
            if self._ice is not None and line.kind is not None:
                self._ice.accept(line.kind, answer, media, mux=_muxed(line.said, media))
                self._adopt(line.kind)
            channels += self._channels(line, answer, media, pairs, way, secured)
        if all(line.kind is None for line in agreed):
            raise _nothing("answer", in_clear)
        self._lines = tuple(agreed)
        self.channels = tuple(channels)
        if not self.held:
            self.held_by_far_end = bool(receiving) and not any(receiving)

    def answer(self, body: bytes) -> bytes:
        """Take the far end's offer and give our answer.

        DecodeError: it is no description.  NoCommonMediaError: nothing of it is usable.  CallError: no ports are free.
        """
        offer, chosen = self._read_offer(body)
        lines: list[_Line] = []
        channels: list[Channel] = []
        receiving: list[bool] = []
        for index, media in enumerate(offer.media):
            if index not in chosen:
                lines.append(_Line(media.refused()))
                continue
            choice = chosen[index]
            heard = sip_matching.direction(offer, media, ice=self._ice is not None)
            # RFC 3264 6.1: sendonly is answered by recvonly or inactive, and so on.
            able = self._able(choice.kind, sends=True)
            if able.sends:
                receiving.append(heard.receives)
            way = Direction.of(able.sends and heard.receives, able.receives and heard.sends)
            line = self._answer_line(choice, media, way)
            if self._ice is not None:
                self._ice.answer(choice.kind, offer, media, mux=_muxed(line.said, media))
                self._adopt(choice.kind)
            lines.append(self._with_ice(line, answer=True))
            channels += self._channels(lines[-1], offer, media, choice.pairs, way, choice.secured)
        answer = self._describe(lines)
        for choice in chosen.values():
            self.srtp.agree(choice.kind, choice.secured)
        self._lines, self._offered, self._read = tuple(lines), None, None
        self.channels = tuple(channels)
        self.held_by_far_end = bool(receiving) and not any(receiving)
        return answer

    def check(self, body: bytes) -> None:
        """Raise what `answer` would raise for this offer, as far as the offer is the reason; nothing is reserved."""
        self._read_offer(body)

    def way_found(self, local: Address, selected: tuple[Selected, ...]) -> bool:
        """Take what was found for the medium of this address of ours; True: the next offer should be made now."""
        return self._ice is not None and self._ice.select(local, selected)

    def drop(self, kind: Kind) -> bool:
        """Offer a medium no more, for it finds no way; True: the next offer, which ends it, should be made now."""
        ice = self._ice.agreed(kind) if self._ice is not None else None
        if ice is None or not ice.controlling:
            return False
        self._dropped.add(kind)
        return True

    @property
    def restarting(self) -> bool:
        """Whether another search for ways is wanted, and not agreed yet."""
        return self._ice is not None and self._ice.restarting

    def restart(self, host: str) -> bool:
        """Look for other ways, from this address of ours, by the next offer (`prepare` comes before); False: no more.

        CallError: no ports are free; all is as before.
        """
        if self._ice is None or not self._ice.may_restart(host):
            return False
        fresh: dict[Kind, Address] = {}
        given_up = fresh
        try:
            for kind in self._reserved:
                if self._ice.local(kind) is not None:
                    fresh[kind] = self._ports.reserve(host).address
            given_up, self._fresh = self._fresh, fresh
        finally:
            for address in given_up.values():
                self._ports.release(address)
        self._ice.restart(self._fresh)
        self._host = host
        return True

    def close(self) -> None:
        """Give back all ports."""
        if self._ice is not None:
            self._ice.close()
        for address in (*self._reserved.values(), *self._fresh.values()):
            self._ports.release(address)
        self._reserved.clear()
        self._fresh.clear()
        self.channels = ()

    # What is usable

    def _read_offer(self, body: bytes) -> tuple[SessionDescription, _Chosen]:
        """Read an offer and choose from it; once, where it is checked first and answered then."""
        if self._read is None or self._read[0] is not body:
            offer = parse(body)
            self._read = (body, offer, self._choose(offer))
        return self._read[1:]

    def _choose(self, offer: SessionDescription) -> _Chosen:
        """Give what is taken of each kind."""
        chosen: _Chosen = {}
        in_clear = False
        for kind in Kind:
            candidates: list[tuple[bool, bool, int, _Choice]] = []
            for index, media in enumerate(offer.media):
                if media.kind != kind.value or not sip_matching.is_usable(offer, media, self._host):
                    continue
                pairs = sip_matching.match_offer(self._capabilities, kind, media)
                security = self.srtp.choose(kind, offer, media)
                if pairs and security is not None:
                    # RFC 4796 5: slides are a second picture; they serve as the first only where there is no other.
                    slides = "slides" in (media.attribute("content") or "")
                    choice = _Choice(kind, pairs, *security)
                    candidates.append((slides, choice.secured == CLEAR, index, choice))
                in_clear = in_clear or security is None
            if candidates:
                _, _, index, chosen[index] = min(candidates, key=lambda candidate: candidate[:3])
        refusal = self._lines and all(media.port == 0 for media in offer.media)
        if not chosen and not refusal:  # RFC 3264 8.2: in a call that is up, all streams may be ended
            raise _nothing("offer", in_clear)
        return chosen

    def _match_answer(
        self, line: _Line, answer: SessionDescription, media: MediaDescription | None
    ) -> tuple[Agreed, ...]:
        """Give the formats of an answer's line that we offered; (): it is refused or makes no sense."""
        if media is None or line.kind is None or media.kind != line.said.kind:
            return ()
        if not sip_matching.is_usable(answer, media, self._host):
            return ()
        return sip_matching.match_answer(line.formats, line.kind, media)

    # What we say

    def _describe(self, lines: Iterable[_Line]) -> bytes:
        said = tuple(line.said for line in lines)
        if said != self._said:
            # RFC 3264 8: each description that differs from the one before has the next version.
            self._version += 1
            self._said = said
        # RFC 8866 5.2: it names the session, wherever we are by now.
        origin = Origin(self._session_id, self._version, self._origin)
        return SessionDescription(origin, connection=self._host, media=said).encode()

    def _offer_line(self, kind: Kind, again: _Line | None, before: _Line | None) -> _Line:
        """Offer a line *again* as it was, or with all we can do, in both cases under the numbers it had *before*."""
        # RFC 3264 8.4: to hold who sends only, or has stopped altogether, is inactive.
        way = self._able(kind, sends=not (self.held and self.held_by_far_end))
        if again is not None:
            said = replace(again.said, attributes=sip_srtp.offered_again(again.said.attributes))
            return replace(again, said=_with_direction(said, way))
        kept = before.formats if before is not None else ()
        known = {sip_formats.identity(f.codec) for f in kept}
        more = [
            codec
            for codec in sip_formats.variants(sip_matching.codecs(self._capabilities, kind))
            if sip_formats.identity(codec) not in known
        ]
        formats = (*kept, *sip_formats.number(more, [f.payload_type for f in kept]))
        protocol = before.said.protocol if before is not None else self.srtp.profile
        names = OFFERED_FEEDBACK if self._ice is None else FEEDBACK  # there is no browser without ICE
        extra = tuple(("rtcp-fb", f"* {name}") for name in names) if kind is Kind.VIDEO else ()
        if before is not None:
            kept_attributes = sip_srtp.offered_again(before.said.attributes)
            extra += tuple(pair for pair in kept_attributes if pair[0] in ("rtcp-mux", "mid", *sip_srtp.ATTRIBUTES))
        else:
            extra += (("rtcp-mux", ""), *self.srtp.offer())
        fmtps = {f.payload_type: sip_formats.fmtp_of(f.codec) for f in formats}
        return _Line(self._write(kind, protocol, formats, fmtps, extra, way), kind, formats)

    def _answer_line(self, choice: _Choice, media: MediaDescription, way: Direction) -> _Line:
        kind, pairs = choice.kind, choice.pairs
        formats = tuple(agreed.receive for agreed in pairs)
        extra: list[tuple[str, str]] = []
        if kind is Kind.VIDEO:
            offered = attributes.feedback(media, pairs[0].send.payload_type)
            extra += [("rtcp-fb", f"* {name}") for name in FEEDBACK if name in offered]
        if media.attribute("rtcp-mux") is not None:
            extra.append(("rtcp-mux", ""))
        if media.attribute("mid"):
            extra.append(("mid", media.attribute("mid") or ""))  # RFC 5888 6: tokens are repeated
        extra += choice.says
        fmtps = {agreed.receive.payload_type: agreed.fmtp for agreed in pairs}
        said = self._write(kind, media.protocol, formats, fmtps, tuple(extra), way)
        again = sip_formats.retransmission(media, pairs[0].send.payload_type)
        if again is not None and ("rtcp-fb", "* nack") in extra:
            more = (("rtpmap", f"{again} {sip_formats.RTX}/90000"), ("fmtp", f"{again} apt={formats[0].payload_type}"))
            said = replace(said, formats=(*said.formats, str(again)), attributes=(*more, *said.attributes))
        return _Line(said, kind, formats)

    def _write(
        self,
        kind: Kind,
        protocol: str,
        formats: tuple[Format, ...],
        fmtps: dict[int, str],
        extra: Attributes,
        way: Direction,
    ) -> MediaDescription:
        said: list[tuple[str, str]] = []
        for f in formats:
            said.append(("rtpmap", f"{f.payload_type} {sip_formats.rtpmap_of(f.codec)}"))
            if fmtps[f.payload_type]:
                said.append(("fmtp", f"{f.payload_type} {fmtps[f.payload_type]}"))
        bandwidths: tuple[Bandwidth, ...] = ()
        if kind is Kind.AUDIO:
            said.append(("ptime", f"{PACKET_TIME * 1000:.0f}"))
        else:
            bitrate = self._capabilities.video_bitrate
            # RFC 3890 6.2: AS for those who don't know TIAS; 5 % are the headers of packets of 1200 bytes.
            bandwidths = (Bandwidth("AS", -(-bitrate * 105 // 100_000)), Bandwidth("TIAS", bitrate))
        return MediaDescription(
            kind.value,
            self._port(kind)[1],
            protocol,
            tuple(str(f.payload_type) for f in formats),
            bandwidths=bandwidths,
            attributes=(*said, *extra, (way.value, "")),
        )

    def _with_ice(self, line: _Line, *, answer: bool) -> _Line:
        if self._ice is None or line.kind is None:
            return line
        plain = replace(line.said, port=self._port(line.kind)[1])
        return replace(line, said=self._ice.describe(line.kind, plain, answer=answer, host=self._host))

    def _able(self, kind: Kind, *, sends: bool) -> Direction:
        """Which ways we want a medium to go, where we may send what there is; on hold we take nothing."""
        can = self._capabilities
        return Direction.of(sends and kind in can.sends, kind in can.receives and not self.held)

    def _port(self, kind: Kind) -> Address:
        if kind not in self._reserved:
            self._reserved[kind] = self._ports.reserve(self._host).address
        return self._reserved[kind]

    def _adopt(self, kind: Kind) -> None:
        """Take that a medium is at its fresh ports from now on, if that was agreed."""
        if self._ice is not None and kind in self._fresh and self._ice.local(kind) == self._fresh[kind]:
            self._moved[kind] = self._reserved[kind]
            self._ports.release(self._reserved[kind])
            self._reserved[kind] = self._fresh.pop(kind)

    def _channels(
        self,
        line: _Line,
        session: SessionDescription,
        media: MediaDescription,
        pairs: tuple[Agreed, ...],
        way: Direction,
        secured: Secured,
    ) -> list[Channel]:
        ice = self._ice.agreed(line.kind) if self._ice is not None and line.kind is not None else None
        if line.kind is None or (self.held and ice is None):
            return []
        way = way if not self.held else Direction.INACTIVE
        mux = _muxed(line.said, media)
        bitrate = self._capabilities.video_bitrate if line.kind is Kind.VIDEO else 0
        again = (
            sip_formats.retransmission(media, pairs[0].send.payload_type),
            sip_formats.retransmission(line.said, pairs[0].receive.payload_type),
        )
        local = self._port(line.kind)
        channels = line_channels(line.kind, session, media, pairs, way, local, mux, bitrate, secured, again, ice)
        others = self._ice.others(line.kind) if self._ice is not None else ()
        return [replace(each, others=others, moved_from=self._moved.get(line.kind)) for each in channels]


@dataclass(frozen=True, slots=True)
class _Nowhere:
    """The pair of ports, and who reserves it, of a description that promises none."""

    address: Address = ("", 0)

    def reserve(self, host: str) -> _Nowhere:
        return _Nowhere((host, 0))

    def release(self, address: Address) -> None:
        """Let it be."""


def describe(capabilities: Capabilities, host: str) -> bytes:
    """Describe what the unit can do, to one who asks by OPTIONS (RFC 3264 9): all ports are 0."""
    return SipMedia(replace(capabilities, encryption=Encryption.OFF), _Nowhere(), host, 0).offer()


def _nothing(what: str, in_clear: bool) -> NoCommonMediaError:
    """Give the error of a description with nothing for us, where *in_clear* is among the reasons."""
    if in_clear:
        return NoCommonMediaError(f"the {what} has other encryption than is possible here", EndReason.NOT_ENCRYPTED)
    return NoCommonMediaError(f"nothing of the {what} is usable here")


def _muxed(ours: MediaDescription, theirs: MediaDescription) -> bool:
    """Whether RTCP shares the port of RTP (RFC 5761 5.1.1)."""
    return all(each.attribute("rtcp-mux") is not None for each in (ours, theirs))


def _with_direction(media: MediaDescription, way: Direction) -> MediaDescription:
    rest = tuple(pair for pair in media.attributes if pair[0] not in {d.value for d in Direction})
    return replace(media, attributes=(*rest, (way.value, "")))
