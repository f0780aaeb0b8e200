"""Fast connect (H.323 8.1.7) of one call: channels proposed in the Setup, chosen from, and taken as chosen.

Rule 1: a caller proposes every codec of ours in both directions, sound only: pictures are opened by H.245, since many
far ends choose them in one direction only.
Rule 2: called, we choose the first proposal for each session and direction that we can do, pictures as well: some
callers never begin H.245.
Rule 3: where the call may be encrypted, each codec is proposed with each algorithm, and, unless it must be encrypted,
once more in the clear.  Who is master is not known yet, so the called side makes the keys of both directions
(H.235.6 8.6); where both have a secret, nothing is chosen that would be in the clear.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from firmware.call.media import Direction, Format, Kind
from firmware.h323 import h235_media
from firmware.h323.control.fast_start import FastChannel, read
from firmware.rtp.payload import static_payload_type
from firmware.signaling import h323_formats
from firmware.signaling.h323_channel import Receiving, Sending
from firmware.signaling.h323_crypto import PAYLOAD_TYPES
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
    from firmware.h323.h235_media import SessionKey


def propose(media: H323Media) -> list[Value]:
    """Give the proposals of a call of ours, best first."""
    proposals: list[Value] = []
    in_the_clear = () if media.crypto.required else (None,)
    ways = itertools.product((*media.crypto.proposed, *in_the_clear), media.codecs(Kind.AUDIO))
    for algorithm, codec in ways:
        rtp = media.port(Kind.AUDIO)
        parameters: dict[str, Value] = {
            "sessionID": SESSIONS[Kind.AUDIO],
            "mediaGuaranteedDelivery": False,
            "mediaControlChannel": address_value((rtp[0], rtp[1] + 1)),
            "silenceSuppression": False,
        }
        data_type: Value = ("audioData", h323_formats.describe(codec))
        if algorithm is not None:
            data_type = h235_media.wrap(data_type, algorithm)
            parameters["dynamicRTPPayloadType"] = PAYLOAD_TYPES[Kind.AUDIO][0]
        elif static_payload_type(codec) is None:
            parameters["dynamicRTPPayloadType"] = payload_type(codec)
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
            key = _make_key(media, kind, channel)
            _take(media, kind, channel, key, we_send=not channel.from_caller)
        except ChannelRefusedError:
            continue
        rtp = media.port(kind)
        ours = {"mediaControlChannel": address_value((rtp[0], rtp[1] + 1))}
        if channel.from_caller:
            ours["mediaChannel"] = address_value(rtp)
        if key is not None:
            ours["dynamicRTPPayloadType"] = key.payload_type
        sync = None if key is None else media.crypto.write(key)
        answer = replace(channel, parameters={**channel.parameters, **ours}, sync=sync)
        chosen[kind, channel.from_caller] = answer.value()
    return list(chosen.values())


def take(media: H323Media, channels: Sequence[Value]) -> list[Value]:
    """Take what the called side chose of our proposals as open, and give it.

    What of it can't be used is passed over, as is what we did not propose: pictures, and a second channel of sound.
    """
    taken: dict[bool, Value] = {}
    for kind, channel in _readable(channels):
        if kind is not Kind.AUDIO or channel.from_caller in taken:
            continue
        try:
            _take(media, kind, channel, _read_key(media, channel), we_send=channel.from_caller)
        except ChannelRefusedError:
            continue
        taken[channel.from_caller] = channel.value()
    return list(taken.values())


def is_ours(channel: Value, *, called: bool) -> bool:
    """Whether we send on a channel of fast connect."""
    found = read(channel)
    return found is not None and found.from_caller is not called


def _readable(channels: Iterable[Value]) -> Iterator[tuple[Kind, FastChannel]]:
    """Give those of the sessions that we have."""
    for channel in map(read, channels):
        kind = DATA_TYPES.get(h235_media.unwrap(channel.data_type)[0][0]) if channel is not None else None
        if channel is not None and kind is not None and channel.parameters["sessionID"] in (0, SESSIONS[kind]):
            yield kind, channel


def _make_key(media: H323Media, kind: Kind, channel: FastChannel) -> SessionKey | None:
    """Give, called, the key of a channel; None: it is in the clear.  ChannelRefusedError: it can't or may not be so."""
    _, algorithms = h235_media.unwrap(channel.data_type)
    crypto = media.crypto
    if algorithms is None:
        if crypto.agreed or crypto.required:
            raise ChannelRefusedError("securityDenied")
        return None
    algorithm = crypto.choose(algorithms)
    if algorithm is None:
        raise ChannelRefusedError("securityDenied")
    return crypto.make_key(algorithm, kind, channel.parameters.get("dynamicRTPPayloadType"))


def _read_key(media: H323Media, channel: FastChannel) -> SessionKey | None:
    """Give, as the caller, the key that was chosen with a channel; None and ChannelRefusedError as above."""
    _, algorithms = h235_media.unwrap(channel.data_type)
    if algorithms is None and not media.crypto.required:
        return None
    key = media.crypto.read(channel.sync, algorithms or ())
    if key is None:
        raise ChannelRefusedError("securityDenied")
    return key


def _take(media: H323Media, kind: Kind, channel: FastChannel, key: SessionKey | None, *, we_send: bool) -> None:
    """Take a channel as open.  ChannelRefusedError: it can't be used."""
    (_, capability), _ = h235_media.unwrap(channel.data_type)
    if not media.carries(kind, Direction.SEND if we_send else Direction.RECEIVE):
        raise ChannelRefusedError("dataTypeNotSupported")
    parameters = channel.parameters
    formats = media.read_formats(kind, capability, parameters)
    rtcp = media.address(parameters.get("mediaControlChannel"))
    if not we_send:
        # In an encrypted stream there is one payload type.
        media.receive(channel.number, Receiving(kind, formats if key is None else formats[:1], rtcp, key))
        return
    remote = media.address(parameters.get("mediaChannel"))
    if remote is None:
        raise ChannelRefusedError("unspecified")
    (wanted, *_) = formats
    theirs = next(d for d in h323_formats.read(capability) if h323_formats.same(wanted.codec, d.codec))
    codec = h323_formats.with_mode(theirs.codec, wanted.codec.h264.packetization_mode if wanted.codec.h264 else 0)
    number, algorithm = wanted.payload_type, None
    if key is not None:
        algorithm = key.algorithm
        number = number if kind is Kind.AUDIO and static_payload_type(codec) is not None else key.payload_type
    sent = Sending(
        kind,
        Format(number, codec),
        media.selection.bitrate(theirs),
        packet_time(theirs),
        remote,
        rtcp,
        algorithm,
        key,
    )
    media.send(channel.number, sent)
