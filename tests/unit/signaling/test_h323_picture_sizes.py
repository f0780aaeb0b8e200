"""H.261 and H.263 in the words of H.245, and what old terminals say of theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from firmware.call.media import CIF, CIF16, H261, H263, H263_1998, QCIF, SUB_QCIF, Codec, PictureSize
from firmware.h323 import h245
from firmware.signaling import h323_formats
from firmware.signaling.h323_picture_sizes import carries, describe, packetization, read, takes_rfc4629


def through_per(capability: Any) -> Any:
    """Write a capability as it travels, and read it again."""
    entry = {"capabilityTableEntryNumber": 1, "capability": ("receiveVideoCapability", capability)}
    request = {"sequenceNumber": 1, "protocolIdentifier": h245.IDENTIFIER, "capabilityTable": [entry]}
    message = ("request", ("terminalCapabilitySet", request))
    return h245.MESSAGE.decode(h245.MESSAGE.encode(message))[1][1]["capabilityTable"][0]["capability"][1]


@pytest.mark.parametrize("codec", [H261, replace(H261, picture_sizes=(replace(CIF, interval=4), QCIF))])
def test_h261(codec: Codec) -> None:
    assert list(read(through_per(describe(codec, 384_000)))) == [(codec, 384_000)]


@pytest.mark.parametrize(
    "sizes", [H263.picture_sizes, (PictureSize(704, 576, 32), SUB_QCIF), (replace(CIF16, interval=3),)]
)
def test_h263_is_read_in_both_payload_formats(sizes: tuple[PictureSize, ...]) -> None:
    ours = replace(H263, picture_sizes=sizes)
    said = through_per(describe(ours, 1_936_000))
    assert said == through_per(describe(replace(H263_1998, picture_sizes=sizes), 1_936_000))
    assert list(read(said)) == [(replace(H263_1998, picture_sizes=sizes), 1_936_000), (ours, 1_936_000)]
    assert [d.codec for d in h323_formats.read(said)] == [codec for codec, _ in read(said)]


def test_numbers_keep_within_what_h245_allows() -> None:
    slow = replace(H261, picture_sizes=(PictureSize(352, 288, 30),))
    name, value = through_per(describe(slow, 100_000_000))
    assert (name, value["cifMPI"], value["maxBitRate"]) == ("h261VideoCapability", 4, 19_200)
    assert through_per(describe(H263, 0))[1]["maxBitRate"] == 1


def test_a_terminal_of_1998() -> None:
    """As NetMeeting did: QCIF and sub-QCIF, annexes, and components that came later."""
    said = describe(H263, 217_600)[1] | {"advancedPrediction": True, "pbFrames": True, "bppMaxKb": 64}
    for component in ("cifMPI", "cif4MPI", "cif16MPI"):
        del said[component]
    codecs = [codec for codec, _ in read(through_per(("h263VideoCapability", {**said, "errorCompensation": False})))]
    assert codecs == [replace(codec, picture_sizes=(QCIF, SUB_QCIF)) for codec in (H263_1998, H263)]


def test_no_standard_size_is_no_codec() -> None:
    name, value = describe(H263, 384_000)
    assert list(read((name, {key: v for key, v in value.items() if not key.endswith("MPI")}))) == []
    assert list(read(("h262VideoCapability", {}))) == []


def test_who_takes_rfc_4629() -> None:
    assert takes_rfc4629([{"payloadDescriptor": ("oid", "0.0.8.241.0.0.0.0")}, packetization()])
    assert takes_rfc4629([{"payloadDescriptor": ("rfc-number", 4629)}])
    assert not takes_rfc4629([{"payloadDescriptor": ("rfc-number", 2190)}, {"payloadDescriptor": ("+3", b"")}])
    assert not takes_rfc4629([])


def test_other_codecs_have_one_payload_format() -> None:
    assert carries(H261, {"dynamicRTPPayloadType": 97})
    assert not carries(H263_1998, {"mediaPacketization": ("h261aVideoPacketization", None)})
