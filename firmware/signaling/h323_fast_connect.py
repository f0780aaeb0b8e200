"""Fast connect (H.323 8.1.7) of one call: channels proposed in the Setup, chosen from, and taken as chosen.

Rule 1: a caller proposes every codec of ours in both directions, sound only: pictures are opened by H.245, since many
far ends choose them in one direction only.
Rule 2: called, we choose the first proposal for each session and direction that we can do, pictures as well: some
callers never begin H.245.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from firmware.call.media import Format, Kind
from firmware.h323.control.fast_start import FastChannel, read
from firmware.rtp.payload import static_payload_type
from firmware.signaling import h323_formats
from firmware.signaling.h323_channel import Receiving, Sending
from firmware.signaling.h323_media import (
    DATA_TYPES,
    SESSIONS,
    ChannelRefusedError,
    H323Media,
    address_value,
    packet_time,
    payload_type,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from firmware.asn1 import Value


def propose(media: H323Media) -> list[Value]:
    """Give the proposals of a call of ours, best first."""
    proposals: list[Value] = []
    for codec in media.codecs(Kind.AUDIO):
        rtp = media.port(Kind.AUDIO)
        parameters: dict[str, Value] = {
            "sessionID": SESSIONS[Kind.AUDIO],
            "mediaGuaranteedDelivery": False,
            "mediaControlChannel": address_value((rtp[0], rtp[1] + 1)),
            "silenceSuppression": False,
        }
        if static_payload_type(codec) is None:
            parameters["dynamicRTPPayloadType"] = payload_type(codec)
        data_type = ("audioData", h323_formats.describe(codec))
        sent = FastChannel(len(proposals) + 1, True, data_type, parameters)
        received = FastChannel(len(proposals) + 2, False, data_type, {**parameters, "mediaChannel": address_value(rtp)})
        proposals += [sent.value(), received.value()]
    return proposals


def choose(media: H323Media, proposals: Iterable[Value]) -> list[Value]:
    """Give what we, called, choose of the caller's proposals, with our addresses; the media take it as open."""
    chosen: dict[tuple[Kind, bool], Value] = {}
    for kind, proposal in _readable(proposals):
        if (kind, proposal.from_caller) in chosen:
            continue
        # A channel of ours gets our number.
        channel = proposal if proposal.from_caller else replace(proposal, number=SESSIONS[kind])
        try:
            _take(media, kind, channel, we_send=not channel.from_caller)
        except ChannelRefusedError:
            continue
        rtp = media.port(kind)
        ours = {"mediaControlChannel": address_value((rtp[0], rtp[1] + 1))}
        if channel.from_caller:
            ours["mediaChannel"] = address_value(rtp)
        answer = replace(channel, parameters={**channel.parameters, **ours})
        chosen[kind, channel.from_caller] = answer.value()
    return list(chosen.values())


def take(media: H323Media, channels: Sequence[Value]) -> None:
    """Take what the called side chose of our proposals as open; what of it can't be used is passed over."""
    for kind, channel in _readable(channels):
        try:
            _take(media, kind, channel, we_send=channel.from_caller)
        except ChannelRefusedError:
            continue


def is_ours(channel: Value, *, called: bool) -> bool:
    """Whether we send on a channel of fast connect."""
    found = read(channel)
    return found is not None and found.from_caller is not called


def _readable(channels: Iterable[Value]) -> Iterator[tuple[Kind, FastChannel]]:
    """Give those of the sessions that we have."""
    for channel in map(read, channels):
        kind = DATA_TYPES.get(channel.data_type[0]) if channel is not None else None
        if channel is not None and kind is not None and channel.parameters["sessionID"] in (0, SESSIONS[kind]):
            yield kind, channel


def _take(media: H323Media, kind: Kind, channel: FastChannel, *, we_send: bool) -> None:
    """Take a channel as open.  ChannelRefusedError: it can't be used."""
    capability, parameters = channel.data_type[1], channel.parameters
    formats = media.read_formats(kind, capability, parameters)
    rtcp = media.address(parameters.get("mediaControlChannel"))
    if not we_send:
        media.receive(channel.number, Receiving(kind, formats, rtcp))
        return
    remote = media.address(parameters.get("mediaChannel"))
    if remote is None:
        raise ChannelRefusedError("unspecified")
    (wanted, *_) = formats
    theirs = next(d for d in h323_formats.read(capability) if h323_formats.same(wanted.codec, d.codec))
    codec = h323_formats.with_mode(theirs.codec, wanted.codec.h264.packetization_mode if wanted.codec.h264 else 0)
    sent = Sending(
        kind, Format(wanted.payload_type, codec), media.selection.bitrate(theirs), packet_time(theirs), remote, rtcp
    )
    media.send(channel.number, sent)
