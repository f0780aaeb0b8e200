"""RTP packets: RFC 3550 5.1 to the bit, and refusal of everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DecodeError, LocalProtocolError
from firmware.rtp.packet import HEADER_SIZE, Packet, is_control

packets = st.builds(
    Packet,
    payload_type=st.integers(0, 127),
    marker=st.booleans(),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(max_size=64),
    contributors=st.lists(st.integers(0, 0xFFFFFFFF), max_size=15).map(tuple),
)

PLAIN = bytes.fromhex("80 e0 1234 89abcdef 00c0ffee") + b"sound"


def test_encode_to_the_bit() -> None:
    assert Packet(96, True, 0x1234, 0x89ABCDEF, 0x00C0FFEE, b"sound").encode() == PLAIN


def test_decode_to_the_bit() -> None:
    assert Packet.decode(PLAIN) == Packet(96, True, 0x1234, 0x89ABCDEF, 0x00C0FFEE, b"sound")


def test_everything_that_a_header_can_have_is_skipped_or_read() -> None:
    data = bytes.fromhex(
        "b2 08 0001 00000002 00000003"  # version 2, padding, extension, 2 contributors
        "0000000a 0000000b"
        "bede 0002 10aabb00 00000000"
        "5555 00 00 00 04".replace(" ", "")
    )
    assert Packet.decode(data) == Packet(8, False, 1, 2, 3, b"\x55\x55", (10, 11))


def test_padding_may_be_all_there_is() -> None:
    data = bytes.fromhex("a0 60 0001 00000002 00000003 00000004")
    assert Packet.decode(data).payload == b""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "80",
        "80 60 0001 00000002 000000",  # a header less an octet
        "40 60 0001 00000002 00000003",  # version 1
        "00 60 0001 00000002 00000003",
        "c0 60 0001 00000002 00000003",  # version 3
        "81 60 0001 00000002 00000003",  # a contributor that is not there
        "8f 60 0001 00000002 00000003 00000000",
        "90 60 0001 00000002 00000003",  # an extension that is not there
        "90 60 0001 00000002 00000003 bede",
        "90 60 0001 00000002 00000003 bede0001",
        "90 60 0001 00000002 00000003 bedeffff 00000000",
        "a0 60 0001 00000002 00000003",  # the padding's length would be the header's last octet
        "a0 60 0001 00000002 00000003 00",  # no padding at all
        "a0 60 0001 00000002 00000003 000005",  # more than there is
        "b0 60 0001 00000002 00000003 bede0000 000005",  # into the extension
    ],
)
def test_bad_packet_is_refused(text: str) -> None:
    with pytest.raises(DecodeError, match="RTP"):
        Packet.decode(bytes.fromhex(text))


@given(packets)
def test_round_trip(packet: Packet) -> None:
    assert Packet.decode(packet.encode()) == packet


@given(packets, st.binary(max_size=8), st.data())
def test_mutated_packet_is_read_or_refused(packet: Packet, junk: bytes, data: st.DataObject) -> None:
    encoded = bytearray(packet.encode())
    at = data.draw(st.integers(0, min(19, len(encoded) - 1)))
    encoded[at : at + data.draw(st.integers(0, 4))] = junk
    try:
        decoded = Packet.decode(bytes(encoded))
    except DecodeError:
        return
    assert len(decoded.payload) + HEADER_SIZE + 4 * len(decoded.contributors) <= len(encoded)


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        Packet.decode(data)
    except DecodeError:
        return
    assert data[0] >> 6 == 2


def test_too_many_contributors_are_our_own_fault() -> None:
    with pytest.raises(LocalProtocolError):
        Packet(0, False, 0, 0, 0, b"", tuple(range(16))).encode()


@pytest.mark.parametrize(
    ("second", "control"), [(200, True), (192, True), (206, True), (223, True), (0x80 | 96, False), (0, False)]
)
def test_control_is_told_apart(second: int, control: bool) -> None:
    assert is_control(bytes([0x80, second, 0, 0])) is control


def test_one_octet_is_not_control() -> None:
    assert not is_control(b"\x80")
