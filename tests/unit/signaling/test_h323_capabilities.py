"""Capability sets as they travel; what two media make of them is tried in test_h323_media."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from firmware.call.media import (
    CIF,
    CIF16,
    G722,
    H261,
    H263,
    H264_BASELINE,
    OPUS,
    PCMU,
    QCIF,
    SUB_QCIF,
    Capabilities,
    Codec,
    Encryption,
    Kind,
)
from firmware.h323 import h235_media, h245
from firmware.h323.h235_media import AES_128, ALGORITHMS
from firmware.signaling import h323_formats, h323_picture_sizes
from firmware.signaling.h323_capabilities import EVENT_TYPE, RemoteCapabilities, codecs, read_set, write_set
from firmware.signaling.h323_crypto import H323Crypto

ILBC = Codec("iLBC", Kind.AUDIO, 8_000)


def travelled(value: Any) -> Any:
    message = ("request", ("terminalCapabilitySet", {"sequenceNumber": 1, **value}))
    return h245.MESSAGE.decode(h245.MESSAGE.encode(message))[1][1]


def test_written_and_read() -> None:
    read = read_set(travelled(write_set(Capabilities())))
    assert [d.codec.name for d in read.media[Kind.AUDIO]] == ["opus", "G722", "PCMU", "PCMA"]
    assert [d.codec.name for d in read.media[Kind.VIDEO]] == ["H264", "H263-1998", "H263", "H261"]
    assert read.media[Kind.VIDEO][0].bitrate == Capabilities().video_bitrate
    assert (read.packetization_mode, read.event_type, read.empty) == (1, None, False)


def test_digits_by_h245_come_before_telephone_events() -> None:
    said = write_set(Capabilities())
    by_rtp = [e for e in said["capabilityTable"] if e["capability"][0] != "receiveUserInputCapability"]
    assert len(by_rtp) == len(said["capabilityTable"]) - 2
    assert read_set(travelled(said | {"capabilityTable": by_rtp})).event_type == EVENT_TYPE


@pytest.mark.parametrize("form", ["basicString", "dtmf"])
@pytest.mark.parametrize("name", ["receiveUserInputCapability", "receiveAndTransmitUserInputCapability"])
def test_digits_by_h245_have_more_than_one_name(name: str, form: str) -> None:
    said = write_set(Capabilities())
    kept = [e for e in said["capabilityTable"] if e["capability"][0] != "receiveUserInputCapability"]
    more = {"capabilityTableEntryNumber": 99, "capability": (name, (form, None))}
    assert read_set(travelled(said | {"capabilityTable": [*kept, more]})).event_type is None


def test_sound_and_picture_go_together() -> None:
    said = write_set(Capabilities((G722, PCMU, H264_BASELINE)))
    (descriptor,) = said["capabilityDescriptors"]
    assert descriptor["simultaneousCapabilities"] == [[1, 2], [3]]


def test_h263_is_one_capability_and_two_payload_formats() -> None:
    said = write_set(Capabilities())
    names = [name for _, (name, _) in (entry["capability"] for entry in said["capabilityTable"])]
    assert names.count("h263VideoCapability") == 1
    packetizations = said["multiplexCapability"][1]["mediaPacketizationCapability"]["rtpPayloadType"]
    assert packetizations.pop() == {"payloadDescriptor": ("rfc-number", 2429), "payloadType": 96}
    # Without a word of RFC 4629, it is RFC 2190.
    assert [d.codec.name for d in read_set(travelled(said)).media[Kind.VIDEO]] == ["H264", "H263", "H261"]
    assert (
        packetizations
        == write_set(Capabilities((H264_BASELINE, H263, H261)))["multiplexCapability"][1][
            "mediaPacketizationCapability"
        ]["rtpPayloadType"]
    )


def test_sizes_that_are_entries_of_their_own() -> None:
    """As H323Plus has them: each is a capability, and the largest that we send is chosen."""
    said = write_set(Capabilities())
    sizes = [(QCIF,), (CIF16,), (CIF,), (SUB_QCIF,)]
    entries = [h323_picture_sizes.describe(replace(H263, picture_sizes=each), 384_000) for each in sizes]
    said["capabilityTable"] = [
        {"capabilityTableEntryNumber": number, "capability": ("receiveVideoCapability", entry)}
        for number, entry in enumerate([*entries, h323_formats.describe(H264_BASELINE, 384_000)], 1)
    ]
    read = read_set(travelled(said)).media[Kind.VIDEO]
    found = [d.codec.picture_sizes for d in read if d.codec.name == "H263"]
    assert found == [(CIF,), (QCIF,), (SUB_QCIF,), (CIF16,)]
    assert [d.codec.name for d in read].count("H264") == 1


def test_the_empty_set() -> None:
    for nothing in (None, Capabilities((ILBC,))):
        said = travelled(write_set(nothing))
        assert said.keys() == {"sequenceNumber", "protocolIdentifier"}
        assert read_set(said).empty
    assert not RemoteCapabilities().empty, "nothing said yet is not nothing wanted"


def test_an_entry_without_capability_and_a_set_of_another_network() -> None:
    said = {"multiplexCapability": ("+9", b""), "capabilityTable": [{"capabilityTableEntryNumber": 1}]}
    assert read_set(said).empty


def test_what_h245_has_no_word_for_is_not_announced() -> None:
    assert codecs(Capabilities((ILBC, OPUS)), Kind.AUDIO) == (OPUS,)


# Encryption


def crypto_of(policy: Encryption) -> H323Crypto:
    made = H323Crypto(policy, random.Random(1))
    made.offer()
    return made


def named(said: Any) -> dict[int, str]:
    return {entry["capabilityTableEntryNumber"]: entry["capability"][0] for entry in said["capabilityTable"]}


def choices(said: Any) -> list[list[str]]:
    table = named(said)
    (descriptor,) = said["capabilityDescriptors"]
    return [[table[number] for number in numbers] for numbers in descriptor["simultaneousCapabilities"]]


def test_what_can_come_encrypted_is_said_of_each_medium() -> None:
    said = travelled(write_set(Capabilities(), crypto_of(Encryption.PREFERRED)))
    read = read_set(said)
    everything = {described for kind in Kind for described in read.media[kind]}
    assert {d for d, algorithms in read.algorithms.items() if algorithms == ALGORITHMS} >= everything
    audio, video, events = choices(said)
    assert set(audio) == {"h235SecurityCapability", "receiveAudioCapability"}
    assert set(video) == {"h235SecurityCapability", "receiveVideoCapability"}
    assert "h235SecurityCapability" not in events


def test_where_it_is_required_nothing_else_can_be_chosen() -> None:
    said = travelled(write_set(Capabilities(), crypto_of(Encryption.REQUIRED)))
    audio, video, *_ = choices(said)
    assert set(audio) == set(video) == {"h235SecurityCapability"}


def test_where_it_is_off_nothing_is_said_of_it() -> None:
    said = write_set(Capabilities(), crypto_of(Encryption.OFF))
    assert said == write_set(Capabilities())
    assert read_set(travelled(said)).algorithms == {}


def test_a_security_capability_of_nothing_is_passed_over() -> None:
    said = write_set(Capabilities())
    said["capabilityTable"] += [
        {"capabilityTableEntryNumber": 100, "capability": h235_media.capability(ALGORITHMS, 99)},
        {"capabilityTableEntryNumber": 101, "capability": h235_media.capability(ALGORITHMS, 101)},
        {"capabilityTableEntryNumber": 102, "capability": h235_media.capability([AES_128], 1)},
    ]
    read = read_set(travelled(said))
    assert list(read.algorithms.values()) == [(AES_128,)]
    assert set(read.algorithms) <= set(read.media[Kind.AUDIO])
