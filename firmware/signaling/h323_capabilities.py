"""Capability sets (H.245 TerminalCapabilitySet): ours written, the far end's read.

Rule: a set lists what can be *received*; an empty one asks to be sent nothing (H.323 8.4.6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from firmware.call.media import H263_1998, TELEPHONE_EVENT, Capabilities, Codec, Kind
from firmware.h323 import h235_media, h245
from firmware.signaling import h323_formats, h323_picture_sizes

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.h323.h235_media import Algorithm
    from firmware.signaling.h323_crypto import H323Crypto

_NAMES: Final = {
    Kind.AUDIO: ("receiveAudioCapability", "receiveAndTransmitAudioCapability"),
    Kind.VIDEO: ("receiveVideoCapability", "receiveAndTransmitVideoCapability"),
}
_EVENTS: Final = "receiveRTPAudioTelephonyEventCapability"
_USER_INPUT: Final = "receiveUserInputCapability"
_USER_INPUTS: Final = (_USER_INPUT, "receiveAndTransmitUserInputCapability")
EVENT_TYPE: Final = 101
"""Payload type under which we take telephone events."""
VIDEO_TYPES: Final = {0: 98, 1: 97}
"""Packetization mode -> payload type of H.264 that we send."""
MAX_CAPABILITIES: Final = 256
"""Entries of the far end's table that are looked at (H.245: as many as there can be)."""


def codecs(capabilities: Capabilities, kind: Kind) -> tuple[Codec, ...]:
    """Give those of our codecs that H.245 has a name for, best first."""
    return tuple(codec for codec in capabilities.of(kind) if h323_formats.is_known(codec))


def write_set(capabilities: Capabilities | None, crypto: H323Crypto | None = None) -> Value:
    """Give a TerminalCapabilitySet without its sequence number; None: the empty one.

    What *crypto* can encrypt stands there once more as such, and where it must, only so among what can be chosen.
    """
    identifier: dict[str, Value] = {"protocolIdentifier": h245.IDENTIFIER}
    table = _table(capabilities) if capabilities is not None else []
    if capabilities is None or not table:
        return identifier
    media = [number for number, (name, _) in enumerate(table, 1) if any(name in names for names in _NAMES.values())]
    secure = {}
    for number, capability in zip(media, crypto.capabilities(media) if crypto is not None else (), strict=False):
        table.append(capability)
        secure[number] = len(table)
    alternatives = [
        [secure[number] for number in numbers if number in secure]
        + [number for number in numbers if number not in secure or (crypto is not None and not crypto.required)]
        for names in (*_NAMES.values(), (_USER_INPUT, _EVENTS))
        if (numbers := [number for number, (name, _) in enumerate(table, 1) if name in names])
    ]
    return {
        **identifier,
        "multiplexCapability": ("h2250Capability", _h2250(capabilities)),
        "capabilityTable": [
            {"capabilityTableEntryNumber": number, "capability": capability}
            for number, capability in enumerate(table, 1)
        ],
        "capabilityDescriptors": [{"capabilityDescriptorNumber": 0, "simultaneousCapabilities": alternatives}],
    }


@dataclass(frozen=True, slots=True)
class RemoteCapabilities:
    """What the far end can receive."""

    media: dict[Kind, tuple[h323_formats.Described, ...]] = field(default_factory=dict)
    packetization_mode: int = 0
    """The best for H.264."""
    event_type: int | None = None
    """Payload type under which it takes telephone events; None: it takes none, or digits by H.245 as well."""
    empty: bool = False
    """It wants to be sent nothing."""
    algorithms: dict[h323_formats.Described, tuple[Algorithm, ...]] = field(default_factory=dict)
    """What of it may come encrypted, and how."""


def read_set(capabilities: Value) -> RemoteCapabilities:
    """Read what a TerminalCapabilitySet says."""
    multiplex, h2250 = capabilities.get("multiplexCapability", ("", None))
    packetizations = []
    if multiplex == "h2250Capability":
        packetizations = h2250["mediaPacketizationCapability"].get("rtpPayloadType", [])
    table = {
        entry["capabilityTableEntryNumber"]: entry["capability"]
        for entry in capabilities.get("capabilityTable", ())[:MAX_CAPABILITIES]
        if "capability" in entry
    }
    entries = list(table.values())
    # Who takes digits by H.245 gets them so: some name telephone events as well and then pass over them (ooh323).
    by_h245 = any(name in _USER_INPUTS and value[0] in ("dtmf", "basicString") for name, value in entries)
    events = (value["dynamicRTPPayloadType"] for name, value in entries if name == _EVENTS and not by_h245)
    without = "" if h323_picture_sizes.takes_rfc4629(packetizations) else H263_1998.name
    return RemoteCapabilities(
        {
            kind: h323_picture_sizes.largest_first(
                described
                for name, capability in entries
                if name in names
                for described in h323_formats.read(capability)
                if described.codec.name != without
            )
            for kind, names in _NAMES.items()
        },
        h323_formats.read_packetizations(packetizations),
        next(events, None),
        not entries,
        _read_security(table),
    )


def _read_security(table: dict[int, Value]) -> dict[h323_formats.Described, tuple[Algorithm, ...]]:
    found = {}
    for name, capability in table.values():
        entry = table.get(capability["mediaCapability"]) if name == "h235SecurityCapability" else None
        if entry is None or not any(entry[0] in names for names in _NAMES.values()):
            continue
        algorithms = h235_media.read_security(capability["encryptionAuthenticationAndIntegrity"])
        found.update(dict.fromkeys(h323_formats.read(entry[1]), algorithms))
    return found


def _table(capabilities: Capabilities) -> list[Value]:
    table: list[Value] = []
    for kind, (name, _) in _NAMES.items():
        for codec in codecs(capabilities, kind) if kind in capabilities.receives else ():
            entry = name, h323_formats.describe(codec, capabilities.video_bitrate)
            if entry not in table:  # H.263 is one capability, whatever the payload format
                table.append(entry)
    if table and any(codec.name == TELEPHONE_EVENT.name for codec in capabilities.codecs):
        table.append((_USER_INPUT, ("basicString", None)))
        table.append((_USER_INPUT, ("dtmf", None)))
        table.append((_EVENTS, {"dynamicRTPPayloadType": EVENT_TYPE, "audioTelephoneEvent": "0-15"}))
    return table


def _h2250(capabilities: Capabilities) -> Value:
    ours = codecs(capabilities, Kind.VIDEO)
    mode = max((c.h264.packetization_mode for c in ours if c.h264), default=0)
    payload_types = [h323_formats.packetization(m, VIDEO_TYPES[m]) for m in range(mode, -1, -1)]
    if any(codec.name == H263_1998.name for codec in ours):
        payload_types.append(h323_picture_sizes.packetization())
    return {
        "maximumAudioDelayJitter": 250,
        "receiveMultipointCapability": _ONE_TO_ONE,
        "transmitMultipointCapability": _ONE_TO_ONE,
        "receiveAndTransmitMultipointCapability": _ONE_TO_ONE,
        "mcCapability": {"centralizedConferenceMC": False, "decentralizedConferenceMC": False},
        "rtcpVideoControlCapability": False,
        "mediaPacketizationCapability": {
            "h261aVideoPacketization": False,
            "rtpPayloadType": payload_types,
        },
        "logicalChannelSwitchingCapability": False,
        "t120DynamicPortCapability": False,
    }


_ONE_TO_ONE: Final = {
    "multicastCapability": False,
    "multiUniCastConference": False,
    "mediaDistributionCapability": [
        {
            "centralizedControl": False,
            "distributedControl": False,
            "centralizedAudio": False,
            "distributedAudio": False,
            "centralizedVideo": False,
            "distributedVideo": False,
        }
    ],
}
"""There is no conference but of two (H.245 annex B)."""
