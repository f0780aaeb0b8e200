"""H.225.0's types by examples: Setup as it is sent, and what RAS needs."""

import random

from asn1_values import random_value
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.h323.h225 import IDENTIFIER, RAS_MESSAGE, SCHEMA, USER_INFORMATION

SETUP = {
    "h323-uu-pdu": {
        "h323-message-body": (
            "setup",
            {
                "protocolIdentifier": IDENTIFIER,
                "sourceAddress": [("h323-ID", "Raum 5"), ("dialledDigits", "12*#,")],
                "sourceInfo": {
                    "vendor": {"vendor": {"t35CountryCode": 4, "t35Extension": 0, "manufacturerCode": 1}},
                    "terminal": {},
                    "mc": False,
                    "undefinedNode": False,
                },
                "activeMC": False,
                "conferenceID": bytes(16),
                "conferenceGoal": ("create", None),
                "callType": ("pointToPoint", None),
                "callIdentifier": {"guid": bytes(range(16))},
                "mediaWaitForConnect": False,
                "canOverlapSend": False,
                "fastStart": [b"abc"],
            },
        ),
        "h245Tunnelling": True,
        "h245Control": [b"\x01\x02"],
    }
}


def test_setup() -> None:
    encoded = USER_INFORMATION.encode(SETUP)
    assert encoded.hex().startswith("20a0060008914a0007")
    assert USER_INFORMATION.decode(encoded) == SETUP


def test_ras() -> None:
    request = {
        "requestSeqNum": 65535,
        "protocolIdentifier": IDENTIFIER,
        "rasAddress": ("ipAddress", {"ip": b"\x7f\0\0\1", "port": 1719}),
        "endpointType": {"terminal": {}, "mc": False, "undefinedNode": False},
    }
    encoded = RAS_MESSAGE.encode(("gatekeeperRequest", request))
    assert encoded.hex() == "0000fffe060008914a0007007f00000106b70200"
    assert RAS_MESSAGE.decode(encoded) == ("gatekeeperRequest", request)


def test_names_are_the_recommendations() -> None:
    assert {"Setup-UUIE", "H323-UU-PDU", "AliasAddress", "CryptoH323Token", "ReleaseCompleteReason"} <= set(
        SCHEMA.names
    )


@settings(max_examples=40)
@given(st.randoms(use_true_random=False))
def test_any_message_comes_back(rng: random.Random) -> None:
    for kind in (USER_INFORMATION, RAS_MESSAGE):
        value = random_value(kind, rng)
        assert kind.decode(kind.encode(value)) == value
