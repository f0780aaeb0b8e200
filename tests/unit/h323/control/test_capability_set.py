"""Sets put together, withdrawn, and too large."""

from __future__ import annotations

from h245_bench import AUDIO, VIDEO, table

from firmware.asn1 import Value
from firmware.h323.control.capability_set import MAX_ENTRIES, MAX_WEIGHT, CapabilitySet

SOUND: Value = ("receiveAudioCapability", AUDIO[1])
PICTURE: Value = ("receiveVideoCapability", VIDEO[1])
MULTIPLEX: Value = ("h222Capability", {"numberOfVCs": 1, "vcCapability": []})


def entries(capabilities: CapabilitySet) -> dict[int, Value]:
    return {
        entry["capabilityTableEntryNumber"]: entry["capability"]
        for entry in capabilities.value().get("capabilityTable", [])
    }


def test_first_set() -> None:
    capabilities = CapabilitySet()
    assert capabilities.value() == {}
    assert capabilities.update({**table(SOUND, PICTURE), "multiplexCapability": MULTIPLEX}) is None
    assert capabilities.value() == {**table(SOUND, PICTURE), "multiplexCapability": MULTIPLEX}


def test_second_set_adds_replaces_and_withdraws() -> None:
    capabilities = CapabilitySet()
    capabilities.update({**table(SOUND, PICTURE), "multiplexCapability": MULTIPLEX})
    mu_law: Value = ("receiveAudioCapability", ("g711Ulaw64k", 20))
    change: Value = {
        "capabilityTable": [
            {"capabilityTableEntryNumber": 1, "capability": mu_law},
            {"capabilityTableEntryNumber": 2},
            {"capabilityTableEntryNumber": 9, "capability": SOUND},
            {"capabilityTableEntryNumber": 77},
        ],
        "capabilityDescriptors": [
            {"capabilityDescriptorNumber": 0},
            {"capabilityDescriptorNumber": 5, "simultaneousCapabilities": [[9]]},
        ],
    }
    assert capabilities.update(change) is None
    assert entries(capabilities) == {1: mu_law, 9: SOUND}
    descriptors = [{"capabilityDescriptorNumber": 5, "simultaneousCapabilities": [[9]]}]
    assert capabilities.value()["capabilityDescriptors"] == descriptors
    assert capabilities.value()["multiplexCapability"] == MULTIPLEX


def test_empty_set_and_a_new_beginning() -> None:
    capabilities = CapabilitySet()
    capabilities.update({**table(SOUND), "multiplexCapability": MULTIPLEX})
    assert capabilities.update({"sequenceNumber": 2, "protocolIdentifier": "0.0.8.245.0.3"}) is None
    assert capabilities.value() == {}
    capabilities.update(table(PICTURE, first=4))
    assert entries(capabilities) == {4: PICTURE}


def test_descriptor_of_nothing_is_taken() -> None:
    capabilities = CapabilitySet()
    content: Value = {"capabilityDescriptors": [{"capabilityDescriptorNumber": 0, "simultaneousCapabilities": [[8]]}]}
    assert capabilities.update(content) is None


def test_too_many_entries_change_nothing() -> None:
    capabilities = CapabilitySet()
    assert capabilities.update(table(*[SOUND] * MAX_ENTRIES)) is None
    before = capabilities.value()
    cause = capabilities.update(table(PICTURE, first=1000))
    assert cause == ("tableEntryCapacityExceeded", ("noneProcessed", None))
    assert capabilities.value() == before


def test_too_heavy_a_set_is_refused() -> None:
    capabilities = CapabilitySet()
    huge: Value = ("nonStandard", {"nonStandardIdentifier": ("object", "1.2.3"), "data": bytes(MAX_WEIGHT)})
    assert capabilities.update(table(huge)) == ("tableEntryCapacityExceeded", ("noneProcessed", None))
    assert capabilities.value() == {}
    alternatives = [[1] * 256] * 256
    descriptors: Value = [
        {"capabilityDescriptorNumber": number, "simultaneousCapabilities": alternatives} for number in range(2)
    ]
    assert capabilities.update({"capabilityDescriptors": descriptors}) == ("descriptorCapacityExceeded", None)


def test_weight_of_an_ordinary_set_is_far_from_the_limit() -> None:
    capabilities = CapabilitySet()
    for start in range(1, 200):
        assert capabilities.update(table(SOUND, PICTURE, first=start)) is None


def test_user_input() -> None:
    capabilities = CapabilitySet()
    capabilities.update(table(("receiveUserInputCapability", ("basicString", None)), ("+40", b"")))
    assert not capabilities.takes_user_input("dtmf")
    assert capabilities.takes_user_input("basicString")
    capabilities.update(table(("transmitUserInputCapability", ("dtmf", None)), first=5))
    assert not capabilities.takes_user_input("dtmf"), "it sends them, and takes none"
    capabilities.update(table(("receiveAndTransmitUserInputCapability", ("dtmf", None)), first=6))
    assert capabilities.takes_user_input("dtmf")
