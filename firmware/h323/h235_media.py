"""Keys of encrypted media in H.245 (H.235.6 clauses 7 and 8): capabilities, channels, session keys and their change.

The master of H.245 makes the session key of every channel, in either direction.  It sends it with the channel's
opening or acknowledgement, encrypted with what Diffie-Hellman gave both ends (`firmware.h323.h235_dh`).

Rule 1: a session key serves one channel in one direction; the payload type that comes with it (synchFlag) stands for
it in the stream, so that a new key is told from the old one by each packet.
Rule 2: a key is in no representation and in no log.
Rule 3: what the far end sends is read or is None; nothing raises.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from firmware.errors import DecodeError
from firmware.h323.h235_types import H235_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware.asn1 import Value
    from firmware.h323.h235_dh import Secret


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A way to encrypt media."""

    identifier: str
    key_size: int
    """Octets."""
    least_bits: int
    """Of the Diffie-Hellman group with which a key of this size makes sense."""


AES_256: Final = Algorithm("2.16.840.1.101.3.4.1.42", 32, 2048)
AES_128: Final = Algorithm("2.16.840.1.101.3.4.1.2", 16, 1024)
ALGORITHMS: Final = (AES_256, AES_128)
"""In CBC mode (H.235.6 table 6, whose identifiers are NIST's), best first."""
_BY_IDENTIFIER: Final = {algorithm.identifier: algorithm for algorithm in ALGORITHMS}
MAX_ALGORITHMS: Final = 16
"""Of one capability, that are looked at."""
FIRST_DYNAMIC: Final = 96
"""RFC 3551 6: payload types from here on have no fixed meaning."""


@dataclass(frozen=True, slots=True)
class SessionKey:
    """The key of one channel, and the payload type that stands for it."""

    algorithm: Algorithm
    payload_type: int
    octets: bytes = field(repr=False)


# Capabilities and data types


def usable(bits: int) -> tuple[Algorithm, ...]:
    """Give the algorithms that go with a group of so many bits, best first."""
    return tuple(algorithm for algorithm in ALGORITHMS if algorithm.least_bits <= bits)


def security(algorithms: Iterable[Algorithm]) -> Value:
    """Give the EncryptionAuthenticationAndIntegrity that names these algorithms."""
    # What every implementation has comes first: some look no further.
    names = [("algorithm", a.identifier) for a in sorted(algorithms, key=lambda a: a.key_size)]
    return {"encryptionCapability": names}


def capability(algorithms: Iterable[Algorithm], entry: int) -> Value:
    """Give the Capability that says that entry *entry* of the table can be received encrypted (H.235.6 7.2)."""
    content = {"encryptionAuthenticationAndIntegrity": security(algorithms), "mediaCapability": entry}
    return "h235SecurityCapability", content


def read_security(value: Value) -> tuple[Algorithm, ...]:
    """Give those algorithms of an EncryptionAuthenticationAndIntegrity that we have, best first."""
    said = [name for kind, name in value.get("encryptionCapability", ())[:MAX_ALGORITHMS] if kind == "algorithm"]
    return tuple(algorithm for algorithm in ALGORITHMS if algorithm.identifier in said)


def wrap(data_type: Value, algorithm: Algorithm) -> Value:
    """Give the DataType of an encrypted channel."""
    return "h235Media", {"encryptionAuthenticationAndIntegrity": security([algorithm]), "mediaType": data_type}


def unwrap(data_type: Value) -> tuple[Value, tuple[Algorithm, ...] | None]:
    """Give the data type inside, and the algorithms of ours that the opener allows; None: it is not encrypted."""
    name, content = data_type
    if name != "h235Media":
        return data_type, None
    return content["mediaType"], read_security(content["encryptionAuthenticationAndIntegrity"])


# Session keys


def write_sync(key: SessionKey, secret: Secret) -> Value:
    """Give the EncryptionSync that carries a session key."""
    material = {
        "algorithmOID": key.algorithm.identifier,
        "paramS": {},
        "encryptedSessionKey": _transport(key.octets, secret.key(key.algorithm.key_size), bytes(16), encrypt=True),
    }
    return {"synchFlag": key.payload_type, "h235Key": H235_KEY.encode(("secureSharedSecret", material))}


def read_sync(sync: Value, secret: Secret, algorithms: Iterable[Algorithm]) -> SessionKey | None:
    """Read an EncryptionSync; *algorithms* are those that the channel may use.  None: it gives no key that fits."""
    try:
        name, material = H235_KEY.decode(sync["h235Key"])
    except DecodeError:
        return None
    payload_type = sync["synchFlag"]
    if name != "secureSharedSecret" or not FIRST_DYNAMIC <= payload_type <= 0x7F:
        return None
    encrypted = material.get("encryptedSessionKey", b"")
    allowed = list(algorithms)
    if "algorithmOID" in material:
        algorithm = _BY_IDENTIFIER.get(material["algorithmOID"])
    else:
        algorithm = next((a for a in allowed if a.key_size == len(encrypted)), None)
    if algorithm is None or algorithm not in allowed or len(encrypted) != algorithm.key_size:
        return None
    parameters = material["paramS"]
    vector = parameters.get("iv16") or parameters.get("iv") or bytes(16)
    if len(vector) != 16:
        return None
    octets = _transport(encrypted, secret.key(algorithm.key_size), vector, encrypt=False)
    return SessionKey(algorithm, payload_type, octets)


def _transport(octets: bytes, key: bytes, vector: bytes, *, encrypt: bool) -> bytes:
    """Encrypt or decrypt a session key: AES in CBC mode, which of one block is AES alone (H.235.6 8.5)."""
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    cipher = Cipher(AES(key), CBC(vector))
    return (cipher.encryptor() if encrypt else cipher.decryptor()).update(octets)
