"""H.235.0's types by examples."""

from firmware.h323.h235_types import CLEAR_TOKEN, H235_KEY, KEY_SYNC_MATERIAL, PWD_CERT_TOKEN


def test_tokens() -> None:
    token = {
        "tokenOID": "0.0.8.235.0.2.5",
        "timeStamp": 1_795_000_000,
        "random": -7,
        "generalID": "gatekeeper",
        "dhkey": {"halfkey": (5, 1024), "modSize": (7, 1024), "generator": (2, 1024)},
    }
    for kind in (CLEAR_TOKEN, PWD_CERT_TOKEN):
        assert kind.decode(kind.encode(token)) == token


def test_keys() -> None:
    encrypted = {"algorithmOID": "2.16.840.1.101.3.4.1.2", "paramS": {"iv16": bytes(16)}, "encryptedData": b"x" * 40}
    assert H235_KEY.decode(H235_KEY.encode(("sharedSecret", encrypted))) == ("sharedSecret", encrypted)
    material = {"generalID": "x", "keyMaterial": (1 << 127, 128)}
    assert KEY_SYNC_MATERIAL.decode(KEY_SYNC_MATERIAL.encode(material)) == material
