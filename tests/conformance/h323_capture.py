"""Takes the encoded ASN.1 messages out of captures of H.323 calls: pcap, TCP, TPKT and Q.931, as much as that needs."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from firmware.asn1 import Type, Value
from firmware.h323 import h225, h245

CAPTURES = Path(__file__).parents[1] / "captures"
RAS_PORT = 1719


@dataclass(frozen=True)
class Captured:
    """One encoded value, and where it was found."""

    type: Type
    data: bytes
    where: str


def packets(path: Path) -> Iterator[tuple[int, bytes]]:
    """Give protocol number and payload of each IPv4 packet, behind its Ethernet header."""
    data = path.read_bytes()
    magic, link = struct.unpack_from("<I16xI", data)
    assert (magic, link) == (0xA1B2C3D4, 1)
    position = 24
    while position < len(data):
        length = struct.unpack_from("<8xI", data, position)[0]
        frame = data[position + 16 : position + 16 + length]
        position += 16 + length
        if frame[12:14] == b"\x08\x00":
            header = (frame[14] & 15) * 4
            end = 14 + int.from_bytes(frame[16:18], "big")
            yield frame[23], frame[26:34] + frame[14 + header : end]


def streams(path: Path) -> Iterator[bytes]:
    """Give what went over each TCP connection in each direction, put in order."""
    segments: dict[bytes, dict[int, bytes]] = {}
    for protocol, payload in packets(path):
        if protocol == 6:
            tcp = payload[8:]
            flow = payload[:12]
            data = tcp[(tcp[12] >> 4) * 4 :]
            if data:
                segments.setdefault(flow, {})[int.from_bytes(tcp[4:8], "big")] = data
    for parts in segments.values():
        expected = min(parts)
        stream = b""
        for number in sorted(parts):
            data = parts[number][max(0, expected - number) :]
            assert number <= expected, "a gap"
            stream += data
            expected += len(data)
        if stream.startswith(b"\3\0"):  # RFC 1006 6; another program's control connection was captured, too
            yield stream


def datagrams(path: Path) -> Iterator[bytes]:
    """Give each datagram of RAS."""
    for protocol, payload in packets(path):
        if protocol == 17 and RAS_PORT in struct.unpack_from(">HH", payload, 8):
            yield payload[16:]


def frames(stream: bytes) -> Iterator[bytes]:
    """Give what stands in each TPKT (RFC 1006 6)."""
    position = 0
    while position < len(stream):
        version, length = struct.unpack_from(">BxH", stream, position)
        assert version == 3
        yield stream[position + 4 : position + length]
        position += length


def user_information(message: bytes) -> bytes:
    """Give what the user-user information element of a Q.931 message holds (H.225.0 7.2.2.31)."""
    position = 3 + message[1]
    while position < len(message):
        element = message[position]
        if element & 0x80:
            position += 1
        elif element == 0x7E:
            length = int.from_bytes(message[position + 1 : position + 3], "big")
            assert message[position + 3] == 5
            return message[position + 4 : position + 3 + length]
        else:
            position += 2 + message[position + 1]
    raise AssertionError("no user-user information element")


def inside(value: Value, where: str) -> Iterator[Captured]:
    """Give what call signalling carries encoded within itself: tunnelled H.245, and items of fastStart."""
    pdu = value["h323-uu-pdu"]
    for item in pdu.get("h245Control", []):
        yield Captured(h245.MESSAGE, item, f"{where} h245Control")
    name, body = pdu["h323-message-body"]
    if isinstance(body, dict):
        for item in body.get("fastStart", []):
            yield Captured(h245.OPEN_LOGICAL_CHANNEL, item, f"{where} {name} fastStart")
        for item in body.get("parallelH245Control", []):
            yield Captured(h245.MESSAGE, item, f"{where} {name} parallelH245Control")


def captured(path: Path) -> Iterator[Captured]:
    """Give every message of a capture, and what stands encoded in messages."""
    for number, data in enumerate(datagrams(path)):
        yield Captured(h225.RAS_MESSAGE, data, f"{path.name} datagram {number}")
    for stream_number, stream in enumerate(streams(path)):
        for number, frame in enumerate(frames(stream)):
            where = f"{path.name} stream {stream_number} frame {number}"
            if frame[0] == 8:  # Q.931 4.2: the protocol discriminator; no H.245 message begins with it
                data = user_information(frame)
                yield Captured(h225.USER_INFORMATION, data, where)
                yield from inside(h225.USER_INFORMATION.decode(data), where)
            else:
                yield Captured(h245.MESSAGE, frame, where)


def everything() -> list[Captured]:
    """Give every message of every capture."""
    return [item for path in sorted(CAPTURES.glob("*.pcap")) for item in captured(path)]
