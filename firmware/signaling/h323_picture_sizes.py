"""H.261 and H.263 in the words of H.245: sizes, intervals, and in which RTP payload format a channel carries them.

Rule 1: H.263 is one capability, whatever the payload format: RFC 2190 goes without saying, under payload type 34; RFC
4629 only where the far end says that it takes it.
Rule 2: no annex of H.263 is announced, and what the far end says of them is passed over: they are its to use or not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from firmware.call.media import CIF, CIF4, CIF16, H261, H263, H263_1998, QCIF, SUB_QCIF, PictureSize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from firmware.asn1 import Value
    from firmware.call.media import Codec


class _Described(Protocol):
    @property
    def codec(self) -> Codec: ...


D = TypeVar("D", bound=_Described)

_NAMES: Final = {
    H261.name: "h261VideoCapability",
    H263.name: "h263VideoCapability",
    H263_1998.name: "h263VideoCapability",
}
CODECS: Final = {"h261VideoCapability": (H261,), "h263VideoCapability": (H263_1998, H263)}
"""By VideoCapability."""
_SIZES: Final = {"cif4MPI": CIF4, "cifMPI": CIF, "qcifMPI": QCIF, "sqcifMPI": SUB_QCIF, "cif16MPI": CIF16}
"""Components that stand for a size (H.245 annex B); the order in which we prefer them."""
_MOST_INTERVAL: Final = {"h261VideoCapability": 4, "h263VideoCapability": 32}
_MOST_BITRATE: Final = {"h261VideoCapability": 19_200, "h263VideoCapability": 192_400}
"""maxBitRate at most, 100 bit/s."""
BITRATE_UNIT: Final = 100
_OPTIONS: Final[dict[str, dict[str, Value]]] = {
    "h261VideoCapability": {"temporalSpatialTradeOffCapability": False, "stillImageTransmission": False},
    "h263VideoCapability": {
        "unrestrictedVector": False,
        "arithmeticCoding": False,
        "advancedPrediction": False,
        "pbFrames": False,
        "temporalSpatialTradeOffCapability": False,
    },
}

RFC_4629: Final = (2429, 4629)
"""The numbers under which the payload format is known; the first is what H.323 systems say."""
PAYLOAD_TYPE: Final = 96
"""Under which we send H.263 by RFC 4629."""


def describe(codec: Codec, bitrate: int) -> Value:
    """Give the VideoCapability of a codec with picture sizes."""
    name = _NAMES[codec.name]
    taken = {(size.width, size.height): size.interval for size in codec.picture_sizes}
    intervals = {component: taken.get((size.width, size.height), 0) for component, size in _SIZES.items()}
    return name, {
        **{component: min(n, _MOST_INTERVAL[name]) for component, n in intervals.items() if n},
        "maxBitRate": min(max(bitrate // BITRATE_UNIT, 1), _MOST_BITRATE[name]),
        **_OPTIONS[name],
    }


def read(capability: Value) -> Iterator[tuple[Codec, int]]:
    """Give the codecs that a VideoCapability describes, and bit/s; none where it has no standard size."""
    name, value = capability
    if name not in CODECS:
        return
    sizes = tuple(
        PictureSize(size.width, size.height, value[component])
        for component, size in _SIZES.items()
        if component in value
    )
    if sizes:
        for codec in CODECS[name]:
            yield replace(codec, picture_sizes=sizes), value["maxBitRate"] * BITRATE_UNIT


def largest_first(described: Iterable[D]) -> tuple[D, ...]:
    """Put those with a larger picture before those with a smaller one, as far as we send such, all behind the others.

    H.323 systems have an entry for each size, and only one of them can be chosen.
    """
    return tuple(sorted(described, key=lambda each: (bool(each.codec.picture_sizes), -_largest(each.codec))))


def _largest(codec: Codec) -> int:
    areas = [size.width * size.height for size in codec.picture_sizes]
    return max((area for area in areas if area <= CIF4.width * CIF4.height), default=0)


def takes_rfc4629(payload_types: Iterable[Value]) -> bool:
    """Tell whether one of these RTPPayloadType values is RFC 4629."""
    return any(_is_rfc4629(payload_type) for payload_type in payload_types)


def carries(codec: Codec, parameters: Value) -> bool:
    """Tell whether a channel with these h2250LogicalChannelParameters has a codec's payload format."""
    if codec.name not in (H263.name, H263_1998.name):
        return True
    name, payload_type = parameters.get("mediaPacketization", ("", None))
    if name == "rtpPayloadType" and payload_type["payloadDescriptor"][0] == "rfc-number":
        rfc4629 = _is_rfc4629(payload_type)
    else:
        # Who says nothing but a dynamic payload type doesn't mean the format that has one of its own.
        rfc4629 = "dynamicRTPPayloadType" in parameters
    return rfc4629 is (codec.name == H263_1998.name)


def packetization() -> Value:
    """Give the RTPPayloadType of RFC 4629."""
    return {"payloadDescriptor": ("rfc-number", RFC_4629[0]), "payloadType": PAYLOAD_TYPE}


def _is_rfc4629(payload_type: Value) -> bool:
    kind, number = payload_type["payloadDescriptor"]
    return kind == "rfc-number" and number in RFC_4629
