"""H.245's messages by examples."""

import random

from asn1_values import random_value
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.h323.h245 import IDENTIFIER, MESSAGE, OPEN_LOGICAL_CHANNEL


def test_identifier() -> None:
    value = {
        "sequenceNumber": 1,
        "protocolIdentifier": IDENTIFIER,
        "capabilityTable": [
            {"capabilityTableEntryNumber": 1, "capability": ("receiveAudioCapability", ("g711Alaw64k", 20))}
        ],
        "capabilityDescriptors": [
            {"capabilityDescriptorNumber": 0, "simultaneousCapabilities": [[1]]},
        ],
    }
    encoded = MESSAGE.encode(("request", ("terminalCapabilitySet", value)))
    assert MESSAGE.decode(encoded) == ("request", ("terminalCapabilitySet", value))
    assert bytes.fromhex("060008817500") + b"\x0d" in encoded


def test_small_messages() -> None:
    for value, encoded in (
        (("response", ("masterSlaveDeterminationAck", {"decision": ("master", None)})), "2080"),
        (("command", ("endSessionCommand", ("disconnect", None))), "4a40"),
        (
            ("request", ("masterSlaveDetermination", {"terminalType": 50, "statusDeterminationNumber": 0x80D812})),
            "0100",
        ),
    ):
        assert MESSAGE.encode(value).hex().startswith(encoded)
        assert MESSAGE.decode(MESSAGE.encode(value)) == value


@settings(max_examples=40)
@given(st.randoms(use_true_random=False))
def test_any_message_comes_back(rng: random.Random) -> None:
    for kind in (MESSAGE, OPEN_LOGICAL_CHANNEL):
        value = random_value(kind, rng)
        assert kind.decode(kind.encode(value)) == value
