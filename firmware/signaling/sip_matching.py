"""What of a far end's line is usable: where it goes, which way, and the formats that both sides have (RFC 3264 6)."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firmware.call.media import TELEPHONE_EVENT
from firmware.sdp import attributes
from firmware.sdp.attributes import Direction
from firmware.signaling import sip_formats
from firmware.signaling.sip_srtp import PROFILES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware.call.media import Capabilities, Codec, Format, Kind
    from firmware.sdp.session import MediaDescription, SessionDescription
    from firmware.signaling.sip_formats import Agreed, RemoteFormat


_NOWHERE: Final = {("0.0.0.0", 9), ("::", 9)}
"""RFC 8840 4.1."""


def codecs(capabilities: Capabilities, kind: Kind) -> tuple[Codec, ...]:
    """Give what can be offered of a medium; telephone events alone are none."""
    found = capabilities.of(kind)
    return found if any(codec.name != TELEPHONE_EVENT.name for codec in found) else ()


def is_usable(session: SessionDescription, media: MediaDescription, host: str) -> bool:
    """Whether a line is in use, and leads somewhere from this host of ours."""
    if media.port == 0 or media.protocol not in PROFILES:
        return False
    try:
        address = ipaddress.ip_address(session.address_of(media) or "")
    except ValueError:  # a name, or nothing
        return False
    to_one = not address.is_multicast and str(address) != "255.255.255.255"
    return to_one and (address.version == 6) is (":" in host)


def direction(session: SessionDescription, media: MediaDescription, *, ice: bool = False) -> Direction:
    """Which ways the far end wants a usable line to go; with *ice*, who has no address yet may get one."""
    said = attributes.direction(session, media)
    if ice and _is_nowhere(session, media):
        return said
    if ipaddress.ip_address(session.address_of(media) or "").is_unspecified:
        # RFC 3264 8.4: the way of RFC 2543 to put on hold.
        return Direction.of(said.sends, receives=False)
    return said


def _is_nowhere(session: SessionDescription, media: MediaDescription) -> bool:
    """Whether the default destination says only that one will be found, which is no hold (RFC 8839 4.2.5)."""
    return (session.address_of(media), media.port) in _NOWHERE


def match_offer(capabilities: Capabilities, kind: Kind, media: MediaDescription) -> tuple[Agreed, ...]:
    """Give what is taken of an offered line: one codec, and telephone events where both know them; (): nothing."""
    formats, ours = sip_formats.read_formats(media, kind), codecs(capabilities, kind)
    plain = [codec for codec in ours if codec.name != TELEPHONE_EVENT.name]
    able = tuple(sip_formats.taken(plain))
    found = (agreed for far in formats for codec in able if (agreed := sip_formats.agree(codec, far)))
    best = next(found, None)
    if best is None:
        return ()
    events: tuple[Agreed, ...] = ()
    if len(plain) < len(ours):
        events = _events(formats, best.send.codec.clock_rate)
    return (best, *events)


def match_answer(offered: tuple[Format, ...], kind: Kind, media: MediaDescription) -> tuple[Agreed, ...]:
    """Give the formats of an answered line that we offered, in its order; (): it makes no sense."""
    found = []
    for far in sip_formats.read_formats(media, kind):
        # RFC 3264 6.1: the answer should keep our number; where it does, that one is meant.
        same = [mine for mine in offered if mine.payload_type == far.payload_type]
        ours = (*same, *(mine for mine in offered if mine not in same))
        match = (sip_formats.agree(mine.codec, far, mine.payload_type) for mine in ours)
        agreed = next((m for m in match if m), None)
        if agreed is not None:
            found.append(agreed)
    plain = [agreed for agreed in found if agreed.send.codec.name != TELEPHONE_EVENT.name]
    if not plain:
        return ()
    events = [agreed for agreed in found if agreed.send.codec.name == TELEPHONE_EVENT.name]
    events.sort(key=lambda agreed: agreed.send.codec.clock_rate != plain[0].send.codec.clock_rate)
    return (*plain, *events)


def _events(formats: Iterable[RemoteFormat], clock_rate: int) -> tuple[Agreed, ...]:
    """Give their telephone events, those with this clock first."""
    found = [
        agreed
        for far in formats
        if (agreed := sip_formats.agree(replace(TELEPHONE_EVENT, clock_rate=far.codec.clock_rate), far))
    ]
    found.sort(key=lambda agreed: agreed.send.codec.clock_rate != clock_rate)
    return tuple(found)
