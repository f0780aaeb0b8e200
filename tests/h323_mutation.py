"""Changes messages of H.323 by chance: their octets, or the values in them, which stay right by the syntax."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from firmware.asn1 import Type, Value
from firmware.errors import DecodeError
from firmware.h323 import h225, h245, q931, tpkt

NUMBERS = (0, 1, -1, 2, 127, 128, 255, 256, 32_767, 65_535, 65_536, (1 << 31) - 1, (1 << 32) - 1, 1 << 63)
TRIES = 20
"""Values that fit nowhere are tried again, so many times."""
_UNUSABLE = (ValueError, TypeError, KeyError, AttributeError)


def change_octets(data: bytes, rng: random.Random) -> bytes:
    """Flip, cut, repeat, insert or lie, in one place or in a few; never gives nothing."""
    octets = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 5, 20))):
        at = rng.randrange(len(octets))
        match rng.randrange(7):
            case 0:
                octets[at] ^= 1 << rng.randrange(8)
            case 1:
                octets[at] = rng.choice((0x00, 0x01, 0x7F, 0x80, 0xBF, 0xC0, 0xFF))
            case 2:
                octets[at] = (octets[at] + rng.choice((-1, 1))) % 256
            case 3:
                del octets[at : at + rng.randrange(8)]
            case 4:
                octets[at:at] = octets[at : at + rng.randrange(16)]
            case 5:
                octets[at:at] = rng.randbytes(rng.randrange(4))
            case 6 if rng.random() < 0.2:
                del octets[at:]
        octets = octets or bytearray(b"\0")
    return bytes(octets)


def change_payload(data: bytes, rng: random.Random) -> bytes:
    """Change the octets of what is in a TPKT packet, which is then right again."""
    return tpkt.encode(change_octets(data[tpkt.HEADER :], rng))


def change_value(value: Value, rng: random.Random) -> Value:
    """Change one thing somewhere in a value; it may not fit the type then."""
    match value:
        case dict() if value and rng.random() < 0.85:
            name = rng.choice(list(value))
            changed = {**value, name: change_value(value[name], rng)}
            if rng.random() < 0.1:
                del changed[name]
            return changed
        case list() if value:
            at = rng.randrange(len(value))
            if rng.random() < 0.2:
                return value[:at] + [value[at]] * rng.choice((0, 2, 40)) + value[at + 1 :]
            return [*value[:at], change_value(value[at], rng), *value[at + 1 :]]
        case (str() as name, content):
            return name, change_value(content, rng)
        case bool():
            return not value
        case int():
            return rng.choice((*NUMBERS, value + 1, value - 1))
        case bytes():
            return rng.choice((b"", bytes(len(value)), b"\xff" * len(value), value + value, rng.randbytes(len(value))))
        case str():
            return rng.choice(("", value + value, "\0", "9" * 128, "ä\U0001f600", value[1:]))
    return value


def change_message(data: bytes, rng: random.Random) -> bytes:
    """Change values of the message in a TPKT packet, of call signalling or H.245; what can't be is left as it was."""
    payload = data[tpkt.HEADER :]
    for _ in range(TRIES):
        try:
            return tpkt.encode(_changed(payload, rng))
        except DecodeError:
            break
        except _UNUSABLE:
            continue
    return data


def _changed(payload: bytes, rng: random.Random) -> bytes:
    if payload[0] != q931.PROTOCOL_DISCRIMINATOR:
        return h245.MESSAGE.encode(change_value(h245.MESSAGE.decode(payload), rng))
    message = q931.decode(payload)
    value = h225.USER_INFORMATION.decode(message.user_information or b"")
    pdu = value["h323-uu-pdu"]
    _name, body = pdu["h323-message-body"]
    carried: list[Callable[[], None]] = [lambda: value.update(change_value(value, rng))]
    if "h245Control" in pdu:
        carried.append(lambda: _change_one(pdu["h245Control"], h245.MESSAGE, rng))
    if isinstance(body, dict) and "fastStart" in body:
        carried.append(lambda: _change_one(body["fastStart"], h245.OPEN_LOGICAL_CHANNEL, rng))
    rng.choice(carried)()
    return replace(message, user_information=h225.USER_INFORMATION.encode(value)).encode()


def _change_one(items: list[bytes], kind: Type, rng: random.Random) -> None:
    at = rng.randrange(len(items))
    value = kind.decode(items[at])
    for _ in range(rng.choice((1, 1, 3))):
        value = change_value(value, rng)
    items[at] = kind.encode(value)
