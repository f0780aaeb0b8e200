from __future__ import annotations

import pytest

from firmware.sip.message import MAX_MESSAGE, MalformedMessage, Request, Response
from firmware.sip.stream import StreamReader

OPTIONS = b"OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nCSeq: 1 OPTIONS\r\nContent-Length: 4\r\n\r\nbody"
OK = b"SIP/2.0 200 OK\r\nl: 0\r\n\r\n"
PING = b"\r\n\r\n"


def test_messages_in_one_piece() -> None:
    first, second, third = StreamReader().receive(OPTIONS + OK + OPTIONS)
    assert isinstance(first, Request)
    assert isinstance(second, Response)
    assert isinstance(third, Request)
    assert first.body == third.body == b"body"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 50])
def test_messages_in_pieces(size: int) -> None:
    data = PING + OPTIONS + b"\r\n" + OK + PING + PING + OPTIONS
    reader, found, pings = StreamReader(), [], 0
    for start in range(0, len(data), size):
        found += reader.receive(data[start : start + size])
        pings += reader.pings
    assert [type(item) for item in found] == [Request, Response, Request]
    assert pings == 3
    assert not reader.broken


def test_a_message_is_given_as_soon_as_it_is_complete() -> None:
    reader = StreamReader()
    assert reader.receive(OPTIONS[:-1]) == []
    assert len(reader.receive(OPTIONS[-1:])) == 1


def test_keep_alive() -> None:
    # RFC 5626 4.4.1: double CRLF is a ping, single CRLF its answer.
    reader = StreamReader()
    assert reader.pings == 0
    assert reader.receive(PING) == []
    assert reader.pings == 1
    assert reader.receive(b"\r\n") == []
    assert reader.pings == 0
    assert reader.receive(b"\r\n") == []
    assert reader.pings == 1
    assert reader.receive(OPTIONS) != []
    assert reader.pings == 0


def test_an_answer_to_our_ping_before_a_message_is_no_half_of_a_ping() -> None:
    reader = StreamReader()
    reader.receive(b"\r\n" + OPTIONS + b"\r\n")
    assert reader.pings == 0


def test_a_bad_message_with_a_length_does_not_break_the_stream() -> None:
    reader = StreamReader()
    bad = OPTIONS.replace(b"sip:h ", b"<sip:h> ")
    error, good = reader.receive(bad + OK)
    assert isinstance(error, MalformedMessage)
    assert error.status == 400
    assert error.request is not None
    assert error.request.body == b"body"
    assert isinstance(good, Response)
    assert not reader.broken


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (OPTIONS.replace(b"Content-Length: 4\r\n", b""), 400),
        (OPTIONS.replace(b": 4", b": -4"), 400),
        (OPTIONS.replace(b": 4", b": 4\r\nl: 4"), 400),
        (OPTIONS.replace(b": 4", b": %d" % (MAX_MESSAGE + 1)), 513),
        (b"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
        (b"OPTIONS sip:h SIP/2.0\r\nX: " + b"x" * MAX_MESSAGE, 513),
    ],
)
def test_without_a_length_the_stream_is_broken(head: bytes, status: int) -> None:
    reader = StreamReader()
    [error] = reader.receive(head + OK)
    assert isinstance(error, MalformedMessage)
    assert error.status == status
    assert reader.broken
    assert reader.receive(OK + PING) == []
    assert reader.pings == 0


def test_what_waits_is_bounded() -> None:
    reader = StreamReader()
    fed = 0
    while not reader.broken:
        reader.receive(b"x" * 1000)
        fed += 1000
        assert fed <= MAX_MESSAGE + 1000


def test_the_largest_body_is_taken() -> None:
    head = OPTIONS[:-4].replace(b": 4", b": %d" % MAX_MESSAGE)
    [message] = StreamReader().receive(head + b"x" * MAX_MESSAGE)
    assert isinstance(message, Request)
    assert len(message.body) == MAX_MESSAGE


def test_the_answer_to_a_keep_alive_is_no_half_of_another() -> None:
    """RFC 5626 4.4.1: one CRLF answers; two ask."""
    reader = StreamReader()
    reader.awaits_pong = True
    assert reader.receive(b"\r\n") == []
    assert (reader.awaits_pong, reader.pings) == (False, 0)
    reader.receive(b"\r\n")
    assert reader.pings == 0
    reader.receive(b"\r\n")
    assert reader.pings == 1
    reader.awaits_pong = True
    reader.receive(b"\r\n\r\n\r\n")
    assert (reader.awaits_pong, reader.pings) == (False, 1)
