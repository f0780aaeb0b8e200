"""What one H.323 call has agreed: our capabilities and ports meet the far end's capabilities and logical channels.

Rule 1: the opener of a channel chooses its codec (`firmware.signaling.h323_selection`).
Rule 2: there is one session of sound and one of pictures (H.245 annex C.4: session 1 and 2), each with one pair of
ports for both directions, reserved when first promised and kept until `H323Media.close`.
Rule 3: an empty capability set closes what we send and is no end (H.323 8.4.6); ours puts the far end on hold.
Rule 4: what can be encrypted is (`firmware.signaling.h323_crypto`); only where that need not be, the rest is in the
clear.  Nothing is opened before it is known whether the far end can.
Rule 5: what isn't one of the two sessions (presentation, data, far-end camera control) is refused in its place.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firmware.call.media import (
    AUDIO_BITRATE,
    H263_1998,
    OPUS,
    TELEPHONE_EVENT,
    Channel,
    Direction,
    Encryption,
    Format,
    Kind,
)
from firmware.errors import FirmwareError
from firmware.h323 import h235_media
from firmware.h323.address import packed, usable
from firmware.rtp.payload import static_payload_type
from firmware.signaling import h323_capabilities, h323_formats, h323_picture_sizes
from firmware.signaling.h323_capabilities import EVENT_TYPE, VIDEO_TYPES, write_set
from firmware.signaling.h323_channel import Receiving, Sending, Wanted
from firmware.signaling.h323_crypto import H323Crypto, crypto
from firmware.signaling.h323_selection import H323Selection

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.call.media import Capabilities, Codec
    from firmware.h323.h235_media import Algorithm, SessionKey
    from firmware.sansio import Address
    from firmware.signaling.endpoint import Ports
    from firmware.signaling.h323_selection import Choice

SESSIONS: Final = {Kind.AUDIO: 1, Kind.VIDEO: 2}
"""sessionID of the primary sessions (H.245 annex B)."""
DATA_TYPES: Final = {"audioData": Kind.AUDIO, "videoData": Kind.VIDEO}
PACKET_TIME: Final = 0.020
"""Seconds of sound in a packet."""


class ChannelRefusedError(FirmwareError):
    """A channel that is of no use here; *cause* is what to answer (H.245 OpenLogicalChannelReject)."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class H323Media:
    """The media of one call; *host* is the address of ours that the far end reaches."""

    def __init__(self, capabilities: Capabilities, ports: Ports, host: str, crypto: H323Crypto | None = None) -> None:
        self.crypto: Final = crypto or H323Crypto(Encryption.OFF, random.Random())
        self.held = False
        """We put the far end on hold: our capability set is empty, and we send nothing."""
        self._capabilities = capabilities
        self._ports = ports
        self._host = host
        self._reserved: dict[Kind, Address] = {}
        self.selection: Final = H323Selection(capabilities, self.crypto)
        self._sending: dict[int, Sending] = {}
        self._receiving: dict[int, Receiving] = {}
        self._limits: dict[int | None, int] = {}
        """bit/s, by our channel; None: all together."""

    # Capabilities

    def capability_set(self) -> Value:
        """Give our TerminalCapabilitySet, without its sequence number; empty while we hold (H.323 8.4.6)."""
        return write_set(None if self.held else self._capabilities, self.crypto)

    @property
    def can_receive(self) -> bool:
        """Whether we have any capability at all."""
        return any(self.codecs(kind) for kind in Kind if self.carries(kind, Direction.RECEIVE))

    def take_capabilities(self, capabilities: Value) -> None:
        """Learn what the far end can receive now; it replaces what was said before."""
        self.selection.take(capabilities)

    @property
    def held_by_far_end(self) -> bool:
        """Whether the far end's capability set is empty."""
        return self.selection.remote.empty

    # Channels that we open

    def wanted(self) -> list[Wanted]:
        """Give the channels that could be opened now and are not."""
        if self.held or self.held_by_far_end or self.crypto.open:
            return []
        settled = {sending.kind for sending in self._sending.values()} | self.selection.refuses
        found = []
        for kind in Kind:
            chosen = self.selection.choose(kind) if kind not in settled else None
            if chosen is not None:
                found.append(self._propose(kind, chosen))
        return found

    def opening(self, number: int, wanted: Wanted) -> None:
        """Tell under which number a wanted channel was asked for."""
        self.send(number, wanted.sending)

    def opened(self, number: int, ack: Value) -> None:
        """Take the far end's OpenLogicalChannelAck for a channel of ours.

        ChannelRefusedError: it doesn't say where to send, or with what key; the channel must be closed.
        """
        sending = self._sending.get(number)
        if sending is None:
            return  # closed before its acknowledgement was looked at
        multiplex, parameters = ack.get("forwardMultiplexAckParameters", ("", {}))
        usable_here = multiplex == "h2250LogicalChannelAckParameters"
        remote = self.address(parameters.get("mediaChannel")) if usable_here else None
        if remote is None:
            self.refused(number)
            raise ChannelRefusedError("unspecified")
        key = sending.key
        if sending.algorithm is not None and key is None:
            key = self.crypto.read(ack.get("encryptionSync"), [sending.algorithm])
            if key is None:
                self.refused(number)
                raise ChannelRefusedError("securityDenied")
        rtcp = self.address(parameters.get("mediaControlChannel")) or _next_port(remote)
        self._sending[number] = replace(sending, remote=remote, remote_rtcp=rtcp, key=key)

    def refused(self, number: int, cause: str = "") -> None:
        """Take that a channel of ours does not open; *cause* is that of the OpenLogicalChannelReject."""
        sending = self._sending.pop(number, None)
        if sending is not None:
            theirs = next((r for r in self._receiving.values() if r.kind is sending.kind), None)
            self.selection.refused(sending, cause, theirs.formats[0].codec if theirs is not None else None)

    @property
    def outdated(self) -> list[int]:
        """Our channels that the far end can no longer receive, or no longer wants; they are to be closed."""
        return [number for number, sending in self._sending.items() if not self.selection.allows(sending)]

    def limited(self, number: int | None, bitrate: int | None) -> None:
        """Obey a flow control command for a channel of ours (None: all), bit/s (None: no more limit)."""
        if bitrate is None:
            self._limits.pop(number, None)
        elif number is None or number in self._sending:
            self._limits[number] = bitrate

    @property
    def sending(self) -> dict[int, Kind]:
        """Our channels, proposed or open, by number."""
        return {number: sending.kind for number, sending in self._sending.items()}

    @property
    def sounding(self) -> set[int]:
        """Our channels of sound that are open."""
        return {n for n, sending in self._sending.items() if sending.kind is Kind.AUDIO and sending.remote is not None}

    @property
    def settled(self) -> bool:
        """Whether every channel that we asked for is open."""
        return all(sending.remote is not None for sending in self._sending.values())

    @property
    def hopeless(self) -> bool:
        """Whether all that we could send was refused, and nothing is received."""
        return bool(self.selection.refuses) and not self._sending and not self._receiving

    def send(self, number: int, channel: Sending) -> None:
        """Take that a channel of ours was asked for, or is open already."""
        self._sending[number] = channel

    # Channels that they open

    def receive(self, number: int, channel: Receiving) -> None:
        """Take that a channel of theirs is open."""
        self._receiving[number] = channel

    def take_channel(self, number: int, request: Value) -> Value:
        """Take a channel (OpenLogicalChannel) of the far end's and give h2250LogicalChannelAckParameters.

        ChannelRefusedError: it is of no use.  CallError: no ports are free.
        """
        forward = request["forwardLogicalChannelParameters"]
        (name, described), algorithms = h235_media.unwrap(forward["dataType"])
        multiplex, parameters = forward["multiplexParameters"]
        kind = DATA_TYPES.get(name)
        if kind is None or not self.carries(kind, Direction.RECEIVE) or "reverseLogicalChannelParameters" in request:
            raise ChannelRefusedError("dataTypeNotSupported")
        if multiplex != "h2250LogicalChannelParameters":
            raise ChannelRefusedError("unspecified")
        session = parameters["sessionID"]
        if session not in (0, SESSIONS[kind]) and not self._may_be_first(kind, session):
            raise ChannelRefusedError("dataTypeNotAvailable" if kind is Kind.VIDEO else "invalidSessionID")
        formats = self.read_formats(kind, described, parameters)
        key = self._take_key(kind, algorithms, request)
        key_is_ours = key is not None and "encryptionSync" not in request
        local = self.port(kind)
        # In an encrypted stream there is one payload type.
        formats = formats if key is None else formats[:1]
        self.receive(
            number, Receiving(kind, formats, self.address(parameters.get("mediaControlChannel")), key, key_is_ours)
        )
        acknowledged: dict[str, Value] = {
            "mediaChannel": address_value(local),
            "mediaControlChannel": address_value((local[0], local[1] + 1)),
        }
        # H.245 annex B: a slave asks with session 0, and the master says which it is.
        return acknowledged if session else {"sessionID": SESSIONS[kind], **acknowledged}

    def sync(self, number: int) -> Value | None:
        """Give the EncryptionSync with which we accept a channel of theirs; None: it has no key, or not from us."""
        receiving = self._receiving[number]
        return self.crypto.write(receiving.key) if receiving.key is not None and receiving.key_is_ours else None

    def _take_key(self, kind: Kind, algorithms: tuple[Algorithm, ...] | None, request: Value) -> SessionKey | None:
        """Give the key of a channel of theirs; None: it is in the clear.  ChannelRefusedError: it may not be so."""
        if algorithms is None:
            if self.crypto.required:
                raise ChannelRefusedError("securityDenied")
            return None
        algorithm = self.crypto.choose(algorithms)
        if algorithm is None:
            raise ChannelRefusedError("securityDenied")
        # H.235.6 8.6: the master makes the key.  Where both ends or none think that they are (it may be determined anew
        # after the empty set), the opener's word counts.
        if "encryptionSync" not in request:
            parameters = request["forwardLogicalChannelParameters"]["multiplexParameters"][1]
            return self.crypto.make_key(algorithm, kind, parameters.get("dynamicRTPPayloadType"))
        key = self.crypto.read(request["encryptionSync"], algorithms)
        if key is None:
            raise ChannelRefusedError("securityDenied")
        return key

    def _may_be_first(self, kind: Kind, session: int) -> bool:
        """Whether a session with a number of the master's own (H.245 annex B: above 3) stands for our only one."""
        return session > max(SESSIONS.values()) + 1 and kind not in self.receiving.values()

    @property
    def receiving(self) -> dict[int, Kind]:
        """Their channels, by number."""
        return {number: receiving.kind for number, receiving in self._receiving.items()}

    # Both

    def closed(self, number: int, *, ours: bool) -> None:
        """Forget a channel."""
        (self._sending if ours else self._receiving).pop(number, None)
        if ours:
            self._limits.pop(number, None)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What may flow now."""
        if self.held:
            return ()
        found: list[Channel] = []
        for kind in Kind:
            numbers = (n for n, s in self._sending.items() if s.kind is kind and s.remote is not None)
            number = next(numbers, None)
            sending = self._sending[number] if number is not None else None
            receiving = next((r for r in reversed(self._receiving.values()) if r.kind is kind), None)
            if sending is not None and (limit := self._limit(number, sending)) is not None:
                channel = self._channel(kind, Direction.SEND, sending, receiving)
                found.append(replace(channel, bitrate=limit, packet_time=sending.packet_time))
            if receiving is not None:
                found.append(self._channel(kind, Direction.RECEIVE, sending, receiving))
        return tuple(found)

    # Other keys

    def renew_key(self, number: int, *, ours: bool) -> Value | None:
        """Make another key for a channel, being the master; gives its EncryptionSync.  None: the channel has none."""
        channel = self._sending.get(number) if ours else self._receiving.get(number)
        if channel is None or channel.key is None or not self.crypto.master:
            return None
        key = self.crypto.make_next_key(channel.key, channel.kind)
        self._set_key(number, key, ours=ours)
        return self.crypto.write(key)

    def take_key(self, number: int, sync: Value, *, ours: bool) -> bool:
        """Take another key for a channel, being the slave; whether it can be used."""
        channel = self._sending.get(number) if ours else self._receiving.get(number)
        if channel is None or channel.key is None or self.crypto.master:
            return False
        key = self.crypto.read(sync, [channel.key.algorithm])
        if key is not None:
            self._set_key(number, key, ours=ours)
        return key is not None

    def _set_key(self, number: int, key: SessionKey, *, ours: bool) -> None:
        if ours:
            self._sending[number] = replace(self._sending[number], key=key)
        else:
            self._receiving[number] = replace(self._receiving[number], key=key)

    def close(self) -> None:
        """Give back all ports."""
        for address in self._reserved.values():
            self._ports.release(address)
        self._reserved.clear()
        self._sending.clear()
        self._receiving.clear()

    # What they share

    def _channel(self, kind: Kind, way: Direction, sending: Sending | None, receiving: Receiving | None) -> Channel:
        formats = receiving.formats if receiving is not None else ()
        key = receiving.key if receiving is not None else None
        if way is Direction.SEND and sending is not None:
            key = sending.key
            events = self.selection.remote.event_type if kind is Kind.AUDIO and key is None else None
            wanted = events is not None and events != sending.format.payload_type
            formats = (sending.format, *((Format(events or 0, TELEPHONE_EVENT),) if wanted else ()))
        rtcp = sending.remote_rtcp if sending is not None else None
        if rtcp is None and receiving is not None:
            rtcp = receiving.remote_rtcp
        limit = self.selection.video_bitrate if kind is Kind.VIDEO else 0
        remote = sending.remote if sending is not None else None
        return Channel(kind, way, formats, self.port(kind), remote, rtcp, bitrate=limit, crypto=crypto(key))

    def _limit(self, number: int | None, sending: Sending) -> int | None:
        """Give what a channel of ours may send, bit/s (0: no limit); None: nothing."""
        limits = [self._limits[key] for key in (number, None) if key in self._limits]
        if 0 in limits or not self.selection.has_room(sending.kind):
            return None
        if None in self._limits and sending.kind is Kind.VIDEO:
            # H.245 B.13: wholeMultiplex counts all channels together, and sound comes first.
            limits.append(self._limits[None] - AUDIO_BITRATE)
            if limits[-1] <= 0:
                return None
        agreed = self.selection.limit(sending)
        return min([*limits, agreed] if agreed else limits, default=0)

    def codecs(self, kind: Kind) -> tuple[Codec, ...]:
        """Give those of our codecs that H.245 has a name for, best first."""
        return h323_capabilities.codecs(self._capabilities, kind)

    def _propose(self, kind: Kind, choice: Choice) -> Wanted:
        codec = choice.codec
        local = self.port(kind)
        parameters: dict[str, Value] = {
            "sessionID": SESSIONS[kind],
            "mediaGuaranteedDelivery": False,
            "mediaControlChannel": address_value((local[0], local[1] + 1)),
        }
        if kind is Kind.AUDIO:
            parameters["silenceSuppression"] = False
        if codec.h264 is not None:
            number, mode = payload_type(codec), codec.h264.packetization_mode
            parameters["dynamicRTPPayloadType"] = number
            parameters["mediaPacketization"] = "rtpPayloadType", h323_formats.packetization(mode, number)
        elif codec.name == H263_1998.name:
            parameters["dynamicRTPPayloadType"] = h323_picture_sizes.PAYLOAD_TYPE
            parameters["mediaPacketization"] = "rtpPayloadType", h323_picture_sizes.packetization()
        elif static_payload_type(codec) is None:
            parameters["dynamicRTPPayloadType"] = payload_type(codec)
        bitrate = self.selection.bitrate(choice.theirs)
        value = h323_formats.describe(codec, bitrate)
        data_type = next(name for name, data_kind in DATA_TYPES.items() if data_kind is kind), value
        sending = Sending(kind, Format(payload_type(codec), codec), bitrate, packet_time(choice.theirs))
        if choice.algorithm is None:
            return Wanted(kind, data_type, parameters, sending)
        key = self.crypto.make_key(choice.algorithm, kind)
        parameters["dynamicRTPPayloadType"] = key.payload_type
        if kind is Kind.VIDEO or static_payload_type(codec) is None:
            sending = replace(sending, format=Format(key.payload_type, codec))
        sending = replace(sending, algorithm=choice.algorithm, key=key if self.crypto.master else None)
        sync = self.crypto.write(key) if self.crypto.master else None
        return Wanted(kind, h235_media.wrap(data_type, choice.algorithm), parameters, sending, sync)

    def carries(self, kind: Kind, way: Direction) -> bool:
        """Whether there is any use for a medium in this direction."""
        return kind in (self._capabilities.sends if way is Direction.SEND else self._capabilities.receives)

    def read_formats(self, kind: Kind, described: Value, parameters: Value) -> tuple[Format, ...]:
        """Give what arrives in a channel of theirs.  ChannelRefusedError: nothing that we have."""
        for theirs in h323_formats.read(described):
            ours = next((codec for codec in self.codecs(kind) if h323_formats.same(codec, theirs.codec)), None)
            if ours is None or not h323_picture_sizes.carries(ours, parameters):
                continue
            name, packetization = parameters.get("mediaPacketization", ("", None))
            mode, said = 0, None
            if name == "rtpPayloadType":
                mode, said = h323_formats.read_packetization(packetization), packetization.get("payloadType")
            codec = h323_formats.with_mode(ours, mode)
            static = static_payload_type(codec) if codec.h264 is None else None
            numbers = (static, parameters.get("dynamicRTPPayloadType"), said)
            if kind is Kind.VIDEO:  # old systems give H.263 another number than its own
                numbers = (*numbers[1:], static)
            number = next((n for n in numbers if n is not None), None)
            if number is None:
                raise ChannelRefusedError("unspecified")
            events = kind is Kind.AUDIO and number != EVENT_TYPE
            return (Format(number, codec), *((Format(EVENT_TYPE, TELEPHONE_EVENT),) if events else ()))
        raise ChannelRefusedError("dataTypeNotSupported")

    def port(self, kind: Kind) -> Address:
        """Give our RTP address for a medium.  CallError: no ports are free."""
        if kind not in self._reserved:
            self._reserved[kind] = self._ports.reserve(self._host).address
        return self._reserved[kind]

    def address(self, value: Value) -> Address | None:
        """Read a unicast address of our family; None: it is none, or nobody's."""
        address = read_address(value)
        return address if address is not None and (":" in address[0]) is (":" in self._host) else None


def packet_time(theirs: h323_formats.Described) -> float:
    """Give how much sound we put in a packet, s."""
    return min(theirs.packet_time, PACKET_TIME) if theirs.codec.kind is Kind.AUDIO else PACKET_TIME


def address_value(address: Address) -> Value:
    """Give the TransportAddress (H.245) of an address."""
    network = packed(address[0])
    name = "iPAddress" if len(network) == 4 else "iP6Address"
    return "unicastAddress", (name, {"network": network, "tsapIdentifier": address[1]})


def read_address(value: Value) -> Address | None:
    """Read a TransportAddress (H.245); None: it is none of IP to which something can be sent."""
    match value:
        case ("unicastAddress", ("iPAddress" | "iP6Address", {"network": network, "tsapIdentifier": port})):
            return usable(network, port)
    return None


def payload_type(codec: Codec) -> int:
    """Give the payload type under which a codec is sent."""
    if codec.h264 is not None:
        return VIDEO_TYPES[codec.h264.packetization_mode]
    if codec.name == H263_1998.name:
        return h323_picture_sizes.PAYLOAD_TYPE
    if codec.name == OPUS.name:
        return h323_formats.OPUS_TYPE
    return static_payload_type(codec) or 0


def _next_port(address: Address) -> Address | None:
    return (address[0], address[1] + 1) if address[1] < 0xFFFF else None
