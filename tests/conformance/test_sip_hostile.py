"""Hostile SIP: whatever bytes come, only the promised errors, and never more work than a few looks at each byte.

What it costs is measured by `linear_time`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from conformance.rfc4475 import MESSAGES
from hypothesis import example, given, settings
from hypothesis import strategies as st
from linear_time import assert_linear

from firmware.errors import DecodeError, RemoteProtocolError
from firmware.sip import header
from firmware.sip.grammar import parse_parameters, split_list
from firmware.sip.header import CSeq, MediaType, NameAddr, Valued, Via
from firmware.sip.message import MAX_LINE, MAX_MESSAGE, MalformedMessage, Message, Request, Response, parse, respond
from firmware.sip.reason import read_reason
from firmware.sip.refer import read_refer_to
from firmware.sip.refusal import Refusal
from firmware.sip.replaces import Replaces
from firmware.sip.stream import StreamReader
from firmware.sip.subscription import read_fragment
from firmware.sip.uri import Uri

INVITE = b"""INVITE sip:room:x@[::1]:5060;lr?a=b SIP/2.0\r
Via: SIP/2.0/UDP 127.0.0.2:5060;branch=z9hG4bKx;rport, SIP/2.0/TLS [::1];received="x"\r
Max-Forwards: 70\r
Route: "p\\"1" <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\r
Contact: <sip:alice@127.0.0.2:5060>;q=0.5\r
To: <sip:room@127.0.0.1>\r
From: "Al\\"ice" <sip:alice@127.0.0.2>;tag=1\r
Call-ID: a@b\r
CSeq: 1 INVITE\r
Content-Type: application/sdp;x="y"\r
Content-Disposition: session;handling=optional\r
Retry-After: 5 (x);duration=1\r
Reason: Q.850;cause=16;text="x"\r
Require: a, b\r
Content-Length: 3\r
\r
v=0"""

PROPERTIES = tuple(
    name
    for name in dir(Message)
    if not name.startswith("_") and name not in ("check", "encode", "read_once", "headers", "body", "start_line")
)


def exercise(data: bytes) -> None:
    """Do with a datagram all that can be done with one; any error but the promised ones escapes."""
    try:
        message: Request | Response | None = parse(data)
        status = 200
    except MalformedMessage as error:
        message, status = error.request, error.status
    assert status in (200, 400, 414, 505, 513)
    if message is None:
        return
    for name in PROPERTIES:
        with contextlib.suppress(RemoteProtocolError):
            getattr(message, name)
    if isinstance(message, Request):
        with contextlib.suppress(RemoteProtocolError):
            str(message.uri)
        parse(respond(message, 400, to_tag="x").encode())
    with contextlib.suppress(RemoteProtocolError):
        message.check()
        again = parse(message.encode())
        again.check()
        assert again.from_ == message.from_
        assert again.vias == message.vias
    repr(message)


def test_the_properties_are_all_exercised() -> None:
    assert {"vias", "via", "contact", "from_", "reasons", "retry_after"} <= set(PROPERTIES)


@given(st.binary(max_size=2000))
@example(b"\r\n\r\n")
def test_arbitrary_bytes(data: bytes) -> None:
    exercise(data)
    exercise(b"INVITE sip:a@b SIP/2.0\r\n" + data)
    exercise(b"SIP/2.0 200 OK\r\nVia: " + data)


FRAGMENTS = st.sampled_from(
    [
        *(bytes([byte]) for byte in b'\r\n \t"\\<>;,:=@%[]/*\x00\xff'),
        *(
            "я".encode(),
            "\u2028\u00a0\u0660\u00b2".encode(),
            b"\x1c",
            b"\x1f",
            b"9" * 20,
            b"SIP/2.0",
            b"sip:",
            b"Via: ",
            b"\r\n",
            b"\r\n ",
            b"\r\n\r\n",
            b"-1",
        ),
    ]
)
MUTATION = st.tuples(st.integers(0, 700), st.integers(0, 30), st.one_of(FRAGMENTS, st.binary(max_size=8)))


@given(st.sampled_from([INVITE, *(torture.data for torture in MESSAGES)]), st.lists(MUTATION, min_size=1, max_size=6))
@settings(max_examples=400)
def test_mutated_messages(data: bytes, mutations: list[tuple[int, int, bytes]]) -> None:
    for position, length, replacement in mutations:
        start = position % (len(data) + 1)
        data = data[:start] + replacement + data[start + length :]
    exercise(data)


@given(
    st.lists(st.sampled_from([INVITE, b"\r\n\r\n", b"\r\n", *(torture.data for torture in MESSAGES)]), max_size=4),
    st.lists(MUTATION, max_size=2),
    st.integers(1, 400),
)
def test_streams_in_any_pieces_give_the_same(
    parts: list[bytes], mutations: list[tuple[int, int, bytes]], size: int
) -> None:
    data = b"".join(parts)
    for position, length, replacement in mutations:
        start = position % (len(data) + 1)
        data = data[:start] + replacement + data[start + length :]
    whole, pieces = StreamReader(), StreamReader()
    at_once = whole.receive(data)
    pings = whole.pings
    one_by_one, counted = [], 0
    for start in range(0, len(data), size):
        one_by_one += pieces.receive(data[start : start + size])
        counted += pieces.pings
    assert [repr(item) for item in at_once] == [repr(item) for item in one_by_one]
    assert (whole.broken, pings) == (pieces.broken, counted)


TEXT = st.text(alphabet=st.sampled_from('ab1 \t"\\<>;,:=@%[]()/*.я\x00\udcff'), max_size=60)


def _refer_to(text: str) -> None:
    with contextlib.suppress(Refusal):  # an address that is none to be called
        read_refer_to(text)


READERS: tuple[Callable[[str], object], ...] = (
    Uri.parse,
    NameAddr.parse,
    Via.parse,
    CSeq.parse,
    MediaType.parse,
    Valued.parse,
    header.parse_token,
    header.parse_call_id,
    header.parse_max_forwards,
    header.parse_retry_after,
    header.parse_min_se,
    header.parse_response_number,
    header.RAck.parse,
    header.SessionExpires.parse,
    Replaces.parse,
    _refer_to,
    lambda text: read_reason(text, "SIP"),
    lambda text: read_fragment(text.encode("utf-8", "surrogateescape")),
    lambda text: parse_parameters(text, 0, "x"),
)


PREFIXES = [
    "",
    "sip:",
    "<sip:",
    "SIP/2.0/UDP ",
    "1 ",
    "a/b",
    "a;",
    "1 1 ",
    "a;to-tag=b;from-tag=c",
    "<sip:a@b?Replaces=",
]


@given(TEXT, st.sampled_from(PREFIXES))
@settings(max_examples=400)
def test_values_give_nothing_but_decode_errors(text: str, prefix: str) -> None:
    for read in READERS:
        with contextlib.suppress(DecodeError):
            read(prefix + text)
    assert all(part == part.strip(" \t") for part in split_list(prefix + text))


@given(TEXT, TEXT)
def test_any_name_addr_that_is_made_can_be_read(name: str, tag: str) -> None:
    address = NameAddr(name, Uri("sip", "a", "h"), (("text", header.quote(tag)),))
    read = NameAddr.parse(str(address))
    assert read.uri == address.uri
    assert read.display_name == name.replace("\x00", " ").replace("\t", " ").replace("\udcff", "\ufffd")


UNITS = [
    b'"',
    b'"\\',
    b'\\"',
    b"<",
    b"<>",
    b'"<',
    b",",
    b", ",
    b";",
    b" ",
    b" \t;",
    b";a",
    b";a=",
    b';a="',
    b"a=b;",
    b" a",
    b"a,",
    b"%",
    b"%61",
    b":",
    b"@",
    b"a@",
    b"[",
    b":::",
    b"0",
    b"9",
    b"(",
    b"/",
    b"a/",
    b"SIP/2.0/UDP ",
    b"\xff",
    b'"a" ',
    b"a ;",
    b"sip:a,",
    b"<sip:a>,",
]
NAMES = [
    b"Via",
    b"From",
    b"Contact",
    b"CSeq",
    b"Call-ID",
    b"Content-Type",
    b"Require",
    b"Retry-After",
    b"Content-Length",
]


@pytest.mark.parametrize("unit", UNITS)
def test_no_field_costs_more_than_linear_time(unit: bytes) -> None:
    def make(size: int) -> bytes:
        value = unit * (size // len(unit))
        lines = [
            name + b": " + prefix + value for name in NAMES for prefix in (b"", b'"', b"<sip:a", b"SIP/2.0/UDP h;a")
        ]
        return b"INVITE sip:a@b SIP/2.0\r\n" + b"\r\n".join(lines) + b"\r\n\r\n"

    def work(data: bytes) -> None:
        with contextlib.suppress(MalformedMessage):
            parse(data)
        for line in data.split(b"\r\n")[1:-2]:
            value = line.partition(b":")[2].decode("utf-8", "surrogateescape")
            split_list(value)
            for read in READERS:
                with contextlib.suppress(DecodeError):
                    read(value.strip(" \t"))

    # Below MAX_URI nothing is cut short by a bound: the patterns themselves must be linear.
    assert_linear(work, make, MAX_LINE)


@pytest.mark.parametrize(
    "unit",
    [
        b"\r\n ",
        b"\r\n\t",
        b"\r\n",
        b"\n",
        b"\r",
        b"a: b\r\n",
        b": \r\n",
        b" ",
        b"\r\n  \t ",
        b"Via: a\r\n",
        b"x",
        b"SIP/",
    ],
)
def test_no_message_costs_more_than_linear_time(unit: bytes) -> None:
    def make(size: int) -> bytes:
        return b"INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nSubject: " + unit * (size // len(unit)) + b"\r\n\r\n"

    assert_linear(exercise, make, MAX_MESSAGE - 200)


@pytest.mark.parametrize("unit", [b"x", b"\r\n\r", b"\r\n", b"a: b\r\n", b"\r\n\r\n", b"SIP/2.0 200 OK\r\nl:0\r\n\r\n"])
def test_no_stream_costs_more_than_linear_time(unit: bytes) -> None:
    def work(data: bytes) -> None:
        reader = StreamReader()
        for start in range(0, len(data), 16):
            reader.receive(data[start : start + 16])

    assert_linear(work, lambda size: unit * (size // len(unit)), MAX_MESSAGE - 200)


def test_a_long_stream_in_one_piece_costs_no_more_than_linear_time() -> None:
    def work(data: bytes) -> None:
        StreamReader().receive(data)

    assert_linear(work, lambda size: b"SIP/2.0 200 OK\r\nl:0\r\n\r\n" * (size // 23), 400_000)
