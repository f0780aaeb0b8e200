"""STUN messages: the test vectors of RFC 5769 and RFC 8489 B, hostile ones, and any at all."""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DecodeError
from firmware.ice import message
from firmware.ice.attribute import (
    FINGERPRINT,
    ICE_CONTROLLED,
    MESSAGE_INTEGRITY,
    MESSAGE_INTEGRITY_SHA256,
    NONCE,
    PRIORITY,
    REALM,
    SOFTWARE,
    USERHASH,
    USERNAME,
    XOR_MAPPED_ADDRESS,
)
from firmware.ice.credentials import long_term_key
from firmware.ice.message import BINDING, HEADER_SIZE, MAX_ATTRIBUTES, MAX_SIZE, Kind, Message

PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")

REQUEST = bytes.fromhex(  # RFC 5769 2.1
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b1"
    "51263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)
ANSWER = bytes.fromhex(  # RFC 5769 2.2
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599"
    "fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
ANSWER_IPV6 = bytes.fromhex(  # RFC 5769 2.3
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5"
    "bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c"
)
LONG_TERM = bytes.fromhex(  # RFC 5769 2.4
    "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b900000015001c662f2f3439396b39"
    "353464364f4c33346f4c394653547679363473410014000b6578616d706c652e6f72670000080014f67024656dd64a3e02b8e0712e85c9a2"
    "8ca89666"
)
LONG_TERM_SHA256 = bytes.fromhex(  # RFC 8489 B.1
    "000100882112a44278ad3433c6ad72c029da412e001e00204a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704"
    "001500296f624d61744a6f733241414143662f2f3439396b3935346436"
    "4f4c33346f4c39465354767936347341000000"
    "0014000b6578616d706c652e6f726700001c0020fd8c273860d2e18ebca4c89b6973befa7ee8ecc69e9642db326fab65a0b955ba"
)


def test_request_of_rfc_5769() -> None:
    found = Message.decode(REQUEST)
    assert (found.method, found.kind, found.transaction) == (BINDING, Kind.REQUEST, TRANSACTION)
    assert found.get(SOFTWARE) == "STUN test client"
    assert found.get(PRIORITY) == 0x6E0001FF
    assert found.get(ICE_CONTROLLED) == 0x932FF9B151263B36
    assert found.get(USERNAME) == "evtj:h6vY"
    assert found.unknown == ()
    assert found.proves(PASSWORD)
    assert not found.proves(b"another")
    assert not found.proves(PASSWORD, sha256=True)


@pytest.mark.parametrize(
    ("data", "address"),
    [(ANSWER, ("192.0.2.1", 32853)), (ANSWER_IPV6, ("2001:db8:1234:5678:11:2233:4455:6677", 32853))],
)
def test_answers_of_rfc_5769(data: bytes, address: tuple[str, int]) -> None:
    found = Message.decode(data)
    assert (found.method, found.kind) == (BINDING, Kind.SUCCESS)
    assert found.get(XOR_MAPPED_ADDRESS) == address
    assert found.get(SOFTWARE) == "test vector"
    assert found.proves(PASSWORD)


def test_long_term_request_of_rfc_5769() -> None:
    found = Message.decode(LONG_TERM)
    assert (found.get(USERNAME), found.get(REALM)) == ("マトリックス", "example.org")
    assert found.get(NONCE) == b"f//499k954d6OL34oL9FSTvy64sA"
    assert found.proves(long_term_key("マトリックス", "example.org", "TheMatrIX"))


def test_long_term_request_of_rfc_8489() -> None:
    found = Message.decode(LONG_TERM_SHA256)
    name = "マトリックス:example.org".encode()
    assert found.get(USERHASH) == hashlib.sha256(name).digest()
    assert found.get(NONCE) == b"obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA"
    assert found.proves(long_term_key("マトリックス", "example.org", "TheMatrIX"), sha256=True)


def test_what_we_write_is_what_the_vectors_are() -> None:
    fields = SOFTWARE("test vector"), XOR_MAPPED_ADDRESS(("192.0.2.1", 32853))
    written = Message.of(BINDING, Kind.SUCCESS, TRANSACTION, *fields).encode(PASSWORD)
    assert written == ANSWER.replace(b"vector ", b"vector\0")[:44] + written[44:], (
        "padding is ours: zero, theirs a space"
    )
    assert Message.decode(written).proves(PASSWORD)
    fields_long = USERNAME("マトリックス"), NONCE(b"f//499k954d6OL34oL9FSTvy64sA"), REALM("example.org")
    key = long_term_key("マトリックス", "example.org", "TheMatrIX")
    long_term = Message.of(BINDING, Kind.REQUEST, LONG_TERM[8:20], *fields_long)
    assert long_term.encode(key, fingerprint=False) == LONG_TERM


@pytest.mark.parametrize("sha256", [False, True])
@pytest.mark.parametrize("fingerprint", [False, True])
def test_every_changed_octet_is_noticed(sha256: bool, fingerprint: bool) -> None:
    """But the fingerprint's, which stands behind the signature and has a check of its own."""
    data = Message.of(BINDING, Kind.REQUEST, TRANSACTION, USERNAME("a:b"), PRIORITY(1)).encode(
        PASSWORD, sha256=sha256, fingerprint=fingerprint
    )
    assert Message.decode(data).proves(PASSWORD, sha256=sha256)
    for place in range(len(data) - (8 if fingerprint else 0)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with suppress(DecodeError):
            assert not Message.decode(changed).proves(PASSWORD, sha256=sha256), place


def test_a_sha256_may_be_cut_short_but_not_too_short() -> None:
    whole = Message.of(BINDING, Kind.REQUEST, TRANSACTION, PRIORITY(1))
    full = whole.encode(PASSWORD, sha256=True, fingerprint=False)

    def cut(size: int) -> bytes:
        head = full[: HEADER_SIZE + 8]
        length = len(head) + 4 + size - HEADER_SIZE
        head = head[:2] + length.to_bytes(2, "big") + head[4:]
        return head + b"\0\x1c" + size.to_bytes(2, "big") + hmac.digest(PASSWORD, head, "sha256")[:size]

    assert Message.decode(cut(32)).proves(PASSWORD, sha256=True)
    assert Message.decode(cut(16)).proves(PASSWORD, sha256=True)
    with pytest.raises(DecodeError):
        Message.decode(cut(12))


def signed_with_more(*more: bytes) -> bytes:
    """A signed message with attributes behind its signature."""
    data = Message.of(BINDING, Kind.REQUEST, TRANSACTION, PRIORITY(1)).encode(PASSWORD, fingerprint=False)
    data += b"".join(more)
    return data[:2] + (len(data) - HEADER_SIZE).to_bytes(2, "big") + data[4:]


def test_what_stands_behind_the_signature_does_not_count() -> None:
    found = Message.decode(signed_with_more(b"\0\x25\0\0", b"\0\x06\0\3a:b\0", b"\x7f\xff\0\0"))
    assert found.proves(PASSWORD)
    assert list(found.attributes) == [PRIORITY.type, MESSAGE_INTEGRITY.type]
    assert found.unknown == ()


def test_both_signatures_may_be_there() -> None:
    both = Message(BINDING, Kind.REQUEST, TRANSACTION, Message.decode(signed_with_more()).attributes).encode(
        PASSWORD, sha256=True
    )
    found = Message.decode(both)
    assert found.proves(PASSWORD, sha256=True)
    assert set(found.attributes) >= {MESSAGE_INTEGRITY.type, MESSAGE_INTEGRITY_SHA256.type}


def test_of_two_alike_the_first_counts() -> None:
    body = b"\0\x24\0\4\0\0\0\1\0\x24\0\4\0\0\0\2"
    found = Message.decode(b"\0\1\0\x10\x21\x12\xa4\x42" + TRANSACTION + body)
    assert found.get(PRIORITY) == 1


def test_unknown_types_are_told() -> None:
    body = b"\x7f\0\0\0\xff\0\0\0\x00\x77\0\1x\0\0\0"
    assert Message.decode(b"\0\1\0\x10\x21\x12\xa4\x42" + TRANSACTION + body).unknown == (0x7F00, 0x77)


@pytest.mark.parametrize("method", [1, 3, 9, 0x10, 0x80, 0xFFF])
@pytest.mark.parametrize("kind", list(Kind))
def test_methods_and_classes_survive_their_mixing(method: int, kind: Kind) -> None:
    found = Message.decode(Message.of(method, kind, TRANSACTION).encode())
    assert (found.method, found.kind) == (method, kind)


def test_types_are_those_of_the_registry() -> None:
    """RFC 8489 5: 0x0001, 0x0101, 0x0111; RFC 8656 17: 0x0016, 0x0017."""
    types = [(BINDING, Kind.REQUEST), (BINDING, Kind.SUCCESS), (BINDING, Kind.ERROR)]
    types += [(message.SEND, Kind.INDICATION), (message.DATA, Kind.INDICATION)]
    written = [Message.of(method, kind, TRANSACTION).encode()[:2].hex() for method, kind in types]
    assert written == ["0001", "0101", "0111", "0016", "0017"]


HOSTILE = {
    "nothing": b"",
    "RTP": b"\x80\x60" + bytes(30),
    "another cookie": REQUEST[:4] + b"\0\0\0\0" + REQUEST[8:],
    "cut": REQUEST[:-4],
    "longer": REQUEST + b"\0\0\0\0",
    "a length of no words": REQUEST[:2] + b"\0\x57" + REQUEST[4:-1],
    "a wrong fingerprint": REQUEST[:-1] + b"\0",
    "an attribute that ends behind the message": b"\0\1\0\4\x21\x12\xa4\x42" + TRANSACTION + b"\0\6\0\1",
    "a fingerprint in the middle": b"\0\1\0\x0c\x21\x12\xa4\x42" + TRANSACTION + b"\x80\x28\0\4abcd\x80\x22\0\0",
    "too many attributes": b"\0\1\x01\x04\x21\x12\xa4\x42" + TRANSACTION + b"\x80\x22\0\0" * (MAX_ATTRIBUTES + 1),
    "too long": b"\0\1\x20\0\x21\x12\xa4\x42" + TRANSACTION + bytes(0x2000),
    "a priority of three octets": b"\0\1\0\x08\x21\x12\xa4\x42" + TRANSACTION + b"\0\x24\0\3abc\0",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        Message.decode(data)


def test_a_message_may_be_as_long_as_is_read() -> None:
    assert Message.decode(b"\0\1\x0f\xec\x21\x12\xa4\x42" + TRANSACTION + b"\xff\0\x0f\xe8" + bytes(MAX_SIZE - 24))


values = st.one_of(st.binary(max_size=40), st.sampled_from([b"", b"\0\1\0\0\0\0\0\0", b"\0\2" + bytes(18), b"\xff"]))
types = st.one_of(st.sampled_from([*message.KNOWN, FINGERPRINT.type]), st.integers(0, 0xFFFF))


@st.composite
def almost_messages(draw: st.DrawFn) -> bytes:
    """A header that is right mostly, and attributes of known types with any octets."""
    body = b""
    for number, value in draw(st.lists(st.tuples(types, values), max_size=12)):
        length = len(value) + draw(st.sampled_from([0, 0, 0, 0, 1, -1]))
        body += number.to_bytes(2, "big") + max(0, length).to_bytes(2, "big") + value + bytes(-len(value) % 4)
    length = len(body) + draw(st.sampled_from([0, 0, 0, 0, 4, -4]))
    kind = draw(st.one_of(st.sampled_from([1, 0x101, 0x111, 0x17, 0x103]), st.integers(0, 0xFFFF)))
    return kind.to_bytes(2, "big") + max(0, length).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + TRANSACTION + body


def read_all(data: bytes) -> None:
    with suppress(DecodeError):
        found = Message.decode(data)
        found.proves(PASSWORD)
        found.proves(PASSWORD, sha256=True)
        for number in found.attributes:
            unpack = message.KNOWN.get(number)
            if unpack is not None:
                unpack(found.attributes[number], found.transaction)
        assert Message.decode(found.encode(fingerprint=False)).attributes == found.attributes


@given(st.binary(max_size=200))
def test_any_octets(data: bytes) -> None:
    read_all(data)


@given(almost_messages())
def test_any_attributes(data: bytes) -> None:
    read_all(data)


@given(st.sampled_from([REQUEST, ANSWER, ANSWER_IPV6, LONG_TERM]), st.data())
def test_damaged_messages(data: bytes, draw: st.DataObject) -> None:
    place = draw.draw(st.integers(0, len(data) - 1))
    read_all(data[:place] + draw.draw(st.binary(max_size=4)) + data[place + draw.draw(st.integers(0, 4)) :])
