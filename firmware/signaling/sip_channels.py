"""From a line that both sides agreed to the channels of a call: addresses, limits, packet times, feedback."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firmware.call.media import AUDIO_BITRATE, Channel, Direction, Feedback, Kind
from firmware.sdp import attributes
from firmware.signaling.h264_levels import max_bitrate
from firmware.signaling.sip_srtp import CLEAR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware.call.ice import Ice
    from firmware.call.media import Codec
    from firmware.sansio import Address
    from firmware.sdp.session import Bandwidth, MediaDescription, SessionDescription
    from firmware.signaling.sip_formats import Agreed
    from firmware.signaling.sip_srtp import Secured

PACKET_TIME: Final = 0.020
"""Seconds of sound in a packet that we ask for (RFC 3551 4.2)."""
PACKET_TIMES: Final = (0.060, 0.040, 0.020, 0.010)
"""Seconds of sound in a packet that we send; every codec of ours has frames of these lengths (RFC 7587 6.1)."""
FEEDBACK: Final = {
    "nack": Feedback.NACK,
    "nack pli": Feedback.PLI,
    "ccm fir": Feedback.FIR,
    "ccm tmmbr": Feedback.TMMBR,
    "goog-remb": Feedback.REMB,
}
"""Values of rtcp-fb that we understand (RFC 4585 4.2, RFC 5104 7.1, draft-alvestrand-rmcat-remb-03)."""
OFFERED_FEEDBACK: Final = tuple(name for name in FEEDBACK if name != "goog-remb")
"""The last one is for browsers only."""


def line_channels(
    kind: Kind,
    session: SessionDescription,
    media: MediaDescription,
    pairs: tuple[Agreed, ...],
    way: attributes.Direction,
    local: Address,
    mux: bool,
    bitrate: int,
    secured: Secured = CLEAR,
    again: tuple[int | None, int | None] = (None, None),
    ice: Ice | None = None,
) -> list[Channel]:
    """Give the channels of a line of the far end's description.

    *way* is what we do, *local* our RTP address, *mux* whether RTCP shares its port, *bitrate* our own limit (0: none);
    *again* are the payload types of retransmissions, sent and received; *ice* keeps a channel where nothing flows now.
    """
    host = session.address_of(media) or ""
    remote = None if ipaddress.ip_address(host).is_unspecified else (host, media.port)
    known = attributes.feedback(media, pairs[0].send.payload_type) if kind is Kind.VIDEO else ()
    receive = Channel(
        kind,
        Direction.RECEIVE,
        tuple(agreed.receive for agreed in pairs),
        local,
        remote,
        _rtcp_address(media, remote, mux),
        mux,
        bitrate,
        PACKET_TIME,
        frozenset(feedback for name, feedback in FEEDBACK.items() if name in known),
        again[1] if None not in again else None,
        secured.receive,
        secured.send,
        secured.handshake,
        ice,
    )
    limit = _send_limit(kind, session, media, pairs[0].send.codec, bitrate)
    send = replace(
        receive,
        direction=Direction.SEND,
        formats=tuple(agreed.send for agreed in pairs),
        bitrate=limit or 0,
        packet_time=_packet_time(media),
        retransmission=again[0] if None not in again else None,
        crypto=secured.send,
        return_crypto=secured.receive,
    )
    # RFC 3264 5.1: a bandwidth of 0 asks for no media at all.
    sends = way.sends and limit != 0 and (remote is not None or ice is not None)
    channels = [send] * sends + [receive] * way.receives
    # RFC 7675 5.1: both sides go on to show that they want to hear, or the other takes the way for lost.
    return channels or [replace(receive, direction=Direction.NEITHER)] * (ice is not None)


def _send_limit(
    kind: Kind, session: SessionDescription, media: MediaDescription, codec: Codec, bitrate: int
) -> int | None:
    """Give the most that we may send on a line, bit/s; None: nobody said."""
    limits = [_bandwidth(media.bandwidths, kind)]
    if kind is Kind.VIDEO:
        total = _bandwidth(session.bandwidths, kind)
        limits.append(total if total is None else total - min(AUDIO_BITRATE, total // 2))
        limits.append(bitrate)
        if codec.h264 is not None:
            limits.append(max_bitrate(codec.h264))
    return min((limit for limit in limits if limit is not None), default=None)


def _bandwidth(bandwidths: Iterable[Bandwidth], kind: Kind) -> int | None:
    """Give the strictest of the limits, bit/s without headers; None: there is none."""
    limits = []
    for bandwidth in bandwidths:
        if bandwidth.type == "TIAS":
            limits.append(bandwidth.value)
        elif bandwidth.type in ("AS", "CT"):
            # 50 packets of sound a second have 16 kbit/s of IPv4, UDP and RTP headers; pictures have 5 %.
            bits = bandwidth.value * 1000
            limits.append(max(bits - 16_000, bits // 3) if kind is Kind.AUDIO else bits * 100 // 105)
    return min(limits, default=None)


def _rtcp_address(media: MediaDescription, remote: Address | None, mux: bool) -> Address | None:
    if remote is None or mux:
        return remote
    host, port = remote
    said = attributes.rtcp(media)
    if said is None:
        return (host, port + 1) if port < 0xFFFF else None  # RFC 3550 11: the next higher port
    try:
        same_family = ipaddress.ip_address(said[1] or "").version == ipaddress.ip_address(host).version
    except ValueError:
        same_family = False
    return (said[1] if said[1] and same_family else host, said[0])


def _packet_time(media: MediaDescription) -> float:
    """Give the longest packet that is not longer than the far end asks, s."""
    asked = attributes.milliseconds(media, "ptime") or PACKET_TIME * 1000
    most = attributes.milliseconds(media, "maxptime") or asked
    return next((time for time in PACKET_TIMES if time * 1000 <= min(asked, most)), PACKET_TIMES[-1])
