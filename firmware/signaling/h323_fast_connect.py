"""Fast connect (H.323 8.1.7) of one call: channels proposed in the Setup, chosen from, and taken as chosen.

Each proposal is an OpenLogicalChannel.  One that the *caller* would send on has its data type in the forward
parameters; one that the *called* side would send on has it in the reverse parameters, beside the caller's addresses.

Rule 1: a caller proposes every codec of ours in both directions, sound only: pictures are opened by H.245, since many
far ends choose them in one direction only.
Rule 2: called, we choose the first proposal for each session and direction that we can do, pictures as well: some
callers never begin H.245.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.call.media import Format, Kind
from firmware.signaling import h323_formats
from firmware.signaling.h323_media import (
    DATA_TYPES,
    SESSIONS,
    ChannelRefusedError,
    H323Media,
    Receiving,
    Sending,
    address_value,
    packet_time,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from firmware.asn1 import Value

_H2250: Final = "h2250LogicalChannelParameters"


def propose(media: H323Media) -> list[Value]:
    """Give the proposals of a call of ours, best first."""
    proposals: list[Value] = []
    for codec in media.codecs(Kind.AUDIO):
        data_type = ("audioData", h323_formats.describe(codec))
        rtp = media.port(Kind.AUDIO)
        sent = {
            "sessionID": SESSIONS[Kind.AUDIO],
            "mediaGuaranteedDelivery": False,
            "mediaControlChannel": address_value((rtp[0], rtp[1] + 1)),
            "silenceSuppression": False,
        }
        number = len(proposals) + 1
        proposals.append(
            {
                "forwardLogicalChannelNumber": number,
                "forwardLogicalChannelParameters": {"dataType": data_type, "multiplexParameters": (_H2250, sent)},
            }
        )
        proposals.append(
            {
                "forwardLogicalChannelNumber": number + 1,
                "forwardLogicalChannelParameters": {
                    "dataType": ("nullData", None),
                    "multiplexParameters": ("none", None),
                },
                "reverseLogicalChannelParameters": {
                    "dataType": data_type,
                    "multiplexParameters": (_H2250, {**sent, "mediaChannel": address_value(rtp)}),
                },
            }
        )
    return proposals


def choose(media: H323Media, proposals: Iterable[Value]) -> list[Value]:
    """Give what we, called, choose of the caller's proposals, with our addresses; the media take it as open."""
    chosen: list[Value] = []
    done: set[tuple[Kind, bool]] = set()
    for proposal in proposals:
        read = _read(proposal)
        if read is None or (read[0], read[1]) in done:
            continue
        kind, we_send, described, parameters = read
        number = proposal["forwardLogicalChannelNumber"]
        try:
            if we_send:
                _take_sending(media, number, kind, described, parameters)
            else:
                _take_receiving(media, number, kind, described, parameters)
        except ChannelRefusedError:
            continue
        done.add((kind, we_send))
        rtp = media.port(kind)
        ours = {"mediaControlChannel": address_value((rtp[0], rtp[1] + 1))}
        # H.323 8.1.7.1: where we receive we say where, and where we send we repeat what we were told.
        side = "reverseLogicalChannelParameters" if we_send else "forwardLogicalChannelParameters"
        if not we_send:
            ours["mediaChannel"] = address_value(rtp)
        chosen.append({**proposal, side: {**proposal[side], "multiplexParameters": (_H2250, {**parameters, **ours})}})
    return chosen


def take(media: H323Media, channels: Sequence[Value]) -> None:
    """Take what the called side chose of our proposals as open; what of it can't be used is passed over."""
    for channel in channels:
        read = _read(channel)
        if read is None:
            continue
        kind, called_sends, described, parameters = read
        number = channel["forwardLogicalChannelNumber"]
        try:
            if called_sends:
                _take_receiving(media, number, kind, described, parameters)
            else:
                _take_sending(media, number, kind, described, parameters)
        except ChannelRefusedError:
            continue


def is_ours(channel: Value, *, called: bool) -> bool:
    """Whether we send on a channel of fast connect."""
    return ("reverseLogicalChannelParameters" in channel) is called


def _read(channel: Value) -> tuple[Kind, bool, Value, Value] | None:
    """Give kind, whether the called side sends, capability and h2250LogicalChannelParameters; None: of no use."""
    reverse = channel.get("reverseLogicalChannelParameters")
    described = reverse or channel["forwardLogicalChannelParameters"]
    name, capability = described["dataType"]
    multiplex, parameters = described.get("multiplexParameters", ("", None))
    kind = DATA_TYPES.get(name)
    if kind is None or multiplex != _H2250 or parameters["sessionID"] not in (0, SESSIONS[kind]):
        return None
    return kind, reverse is not None, capability, parameters


def _take_receiving(media: H323Media, number: int, kind: Kind, described: Value, parameters: Value) -> None:
    formats = media.read_formats(kind, described, parameters)
    media.receive(number, Receiving(kind, formats, media.address(parameters.get("mediaControlChannel"))))


def _take_sending(media: H323Media, number: int, kind: Kind, described: Value, parameters: Value) -> None:
    remote = media.address(parameters.get("mediaChannel"))
    if remote is None:
        raise ChannelRefusedError("unspecified")
    (format_, *_) = media.read_formats(kind, described, parameters)
    theirs = next(d for d in h323_formats.read(described) if h323_formats.same(format_.codec, d.codec))
    codec = h323_formats.with_mode(theirs.codec, format_.codec.h264.packetization_mode if format_.codec.h264 else 0)
    rtcp = media.address(parameters.get("mediaControlChannel"))
    bitrate = media.bitrate(theirs)
    media.send(number, Sending(kind, Format(format_.payload_type, codec), bitrate, packet_time(theirs), remote, rtcp))
