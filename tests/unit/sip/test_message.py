from __future__ import annotations

import pytest

from firmware.errors import LocalProtocolError, RemoteProtocolError
from firmware.sip import message as module
from firmware.sip.field import Headers
from firmware.sip.field_property import MAX_VALUES
from firmware.sip.header import CSeq, MediaType, NameAddr, Via
from firmware.sip.message import MalformedMessage, Message, Request, Response, parse, respond
from firmware.sip.uri import Uri

INVITE = b"""INVITE sip:room@127.0.0.1 SIP/2.0\r
Via: SIP/2.0/UDP 127.0.0.2:5060;branch=z9hG4bKx;rport\r
Via: SIP/2.0/TCP a.example.com;branch=z9hG4bKy, SIP/2.0/TLS b.example.com;branch=z9hG4bKz\r
Max-Forwards: 70\r
Record-Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\r
Contact: <sip:alice@127.0.0.2:5060>\r
To: <sip:room@127.0.0.1>\r
From: "Alice" <sip:alice@127.0.0.2>;tag=1\r
Call-ID: a@b\r
CSeq: 1 INVITE\r
Allow: INVITE,ACK, BYE\r
Supported: \r
Timestamp: 54\r
Content-Type: application/sdp\r
Content-Length: 3\r
\r
v=0"""


def without(name: bytes) -> bytes:
    return b"\r\n".join(line for line in INVITE.split(b"\r\n") if not line.startswith(name + b":"))


def request(data: bytes = INVITE) -> Request:
    message = parse(data)
    assert isinstance(message, Request)
    return message


def malformed(data: bytes) -> MalformedMessage:
    with pytest.raises(MalformedMessage) as raised:
        parse(data)
    return raised.value


def test_request() -> None:
    message = request()
    assert (message.method, message.uri) == ("INVITE", Uri("sip", "room", "127.0.0.1"))
    assert message.via == Via("UDP", "127.0.0.2", 5060, (("branch", "z9hG4bKx"), ("rport", None)))
    assert [via.branch for via in message.vias] == ["z9hG4bKx", "z9hG4bKy", "z9hG4bKz"]
    assert message.from_ == NameAddr("Alice", Uri("sip", "alice", "127.0.0.2"), (("tag", "1"),))
    assert message.to == NameAddr("", Uri("sip", "room", "127.0.0.1"))
    assert message.call_id == "a@b"
    assert message.cseq == CSeq(1, "INVITE")
    assert message.max_forwards == 70
    assert [route.uri.host for route in message.record_routes] == ["p1.example.com", "p2.example.com"]
    assert message.routes == ()
    assert message.contact == NameAddr("", Uri("sip", "alice", "127.0.0.2", 5060))
    assert message.allow == ("INVITE", "ACK", "BYE")
    assert message.supported == message.require == message.unsupported == message.accept == ()
    assert message.content_type == MediaType("application", "sdp")
    assert message.content_length == 3
    assert message.expires is message.retry_after is message.content_disposition is None
    assert message.body == b"v=0"
    message.check()


def test_response() -> None:
    message = parse(b"SIP/2.0 486 Busy Here\r\nReason: SIP;cause=600, Q.850;cause=17\r\nRetry-After: 5 (x)\r\n\r\n")
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (486, "Busy Here")
    assert [reason.parameter("cause") for reason in message.reasons] == ["600", "17"]
    assert message.retry_after == 5


def test_what_is_written_is_read() -> None:
    message = request()
    assert message.encode() == (
        INVITE.replace(b"Supported: \r", b"Supported: \r")
        .replace(b"Content-Length: 3\r\n\r\n", b"")
        .replace(b"application/sdp\r\nv=0", b"application/sdp\r\nContent-Length: 3\r\n\r\nv=0")
    )


def test_content_length_is_that_of_the_body() -> None:
    message = Request("OPTIONS", Uri("sip", None, "h"), Headers([("l", "99"), ("To", "x")]), b"four")
    assert message.encode() == b"OPTIONS sip:h SIP/2.0\r\nTo: x\r\nContent-Length: 4\r\n\r\nfour"
    assert Response(200).encode() == b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"
    assert Response(499, "So").encode() == b"SIP/2.0 499 So\r\nContent-Length: 0\r\n\r\n"


def test_no_line_break_gets_into_a_start_line() -> None:
    with pytest.raises(LocalProtocolError):
        Response(200, "OK\r\nVia: x").encode()
    with pytest.raises(LocalProtocolError):
        Request("A\nB", Uri("sip", None, "h")).encode()


def test_bytes_that_are_not_utf_8_pass_unharmed() -> None:
    line = b'From: "Andr\xe9 \xd0\xaf" <sip:alice@h>;tag=1'
    data = INVITE.replace(b'From: "Alice" <sip:alice@127.0.0.2>;tag=1', line)
    message = request(data)
    assert message.from_.display_name == "Andr\ufffd Я"
    assert line in message.encode()
    assert line in respond(message, 180, to_tag="x").encode()
    reply = parse(b"SIP/2.0 200 \xff\xd0\xaf\r\n\r\n")
    assert isinstance(reply, Response)
    assert reply.reason == "\ufffdЯ"


def test_folded_lines() -> None:
    message = request(INVITE.replace(b"CSeq: 1 INVITE", b"CSeq: 1\r\n\t \r\n  INVITE"))
    assert message.cseq == CSeq(1, "INVITE")


@pytest.mark.parametrize("fold", [b"\r\n ", b"\r\n\t"])
def test_one_folded_line(fold: bytes) -> None:
    assert request(INVITE.replace(b"CSeq: 1 INVITE", b"CSeq: 1" + fold + b"INVITE")).cseq == CSeq(1, "INVITE")


def test_properties_follow_the_header_fields() -> None:
    message = request()
    assert message.via is message.via, "read once"
    message.headers.set("Via", "SIP/2.0/UDP other")
    assert message.vias == (Via("UDP", "other"),)
    message.headers.remove("Contact")
    assert message.contact is None
    assert isinstance(Message.via, property)


def test_empty_values_among_tokens_do_no_harm() -> None:
    message = request(
        INVITE.replace(b"Allow: INVITE,ACK, BYE", b"Allow: INVITE,,ACK,").replace(b"Supported: ", b"k: ,")
    )
    assert message.allow == ("INVITE", "ACK")
    assert message.supported == ()
    with pytest.raises(RemoteProtocolError):
        _ = request(INVITE.replace(b"Contact: <", b"Contact: ,<")).contacts


def test_star_contact() -> None:
    assert request(INVITE.replace(b"Contact: <sip:alice@127.0.0.2:5060>", b"Contact: *")).contacts == ()
    with pytest.raises(RemoteProtocolError):
        _ = request(INVITE.replace(b"Contact: <", b"Contact: *, <")).contacts


@pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_missing_field(name: str) -> None:
    message = request(without(name.encode()))
    with pytest.raises(RemoteProtocolError, match=name) as raised:
        message.check()
    assert raised.value.status == 400
    assert message.answerable == (name != "Via")


@pytest.mark.parametrize("name", ["Max-Forwards", "Contact", "Content-Type", "Record-Route", "Allow", "Timestamp"])
def test_field_that_may_be_missing(name: str) -> None:
    request(without(name.encode())).check()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Max-Forwards: 70", b"Max-Forwards: 256"),
        (b"CSeq: 1 INVITE", b"CSeq: 2147483648 INVITE"),
        (b"CSeq: 1 INVITE", b"CSeq: 1 ACK"),
        (b"CSeq: 1 INVITE", b"CSeq: 1 invite"),
        (b"Call-ID: a@b", b"Call-ID: a b"),
        (b"Timestamp: 54", b"Expires: 4294967296"),
        (b"Timestamp: 54", b"Require: a b"),
        (b"Timestamp: 54", b"Route: sip:x"[:-1]),
        (b"Content-Type: application/sdp", b"Content-Type: sdp"),
        (b"Via: SIP/2.0/UDP 127.0.0.2:5060", b"Via: SIP/2.0/UDP 127.0.0.2:506000"),
        (b"SIP/2.0/TLS b.example.com", b"SIP/2.0/TLS"),
        (b"sip:room@127.0.0.1 SIP", b"sip:room@127.0.0.1?Subject=x SIP"),
        (b"Allow: INVITE,ACK, BYE", b"Allow: " + b",".join([b"A"] * (MAX_VALUES + 1))),
    ],
)
def test_malformed_field(old: bytes, new: bytes) -> None:
    assert INVITE.count(old) == 1
    message = request(INVITE.replace(old, new))
    with pytest.raises(RemoteProtocolError) as raised:
        message.check()
    assert raised.value.status == 400


@pytest.mark.parametrize("name", [b"From", b"To", b"Call-ID", b"CSeq", b"Max-Forwards", b"Content-Type", b"l"])
def test_field_that_must_not_be_repeated(name: bytes) -> None:
    error = malformed(INVITE.replace(b"\r\nVia", b"\r\n" + name + b": 3\r\nVia", 1))
    assert error.status == 400
    assert error.request is not None
    assert error.request.method == "INVITE"


def test_a_repeated_field_is_found_however_the_message_was_made() -> None:
    message = Request("OPTIONS", Uri("sip", None, "h"), Headers([("To", "sip:a"), ("t", "sip:b")]))
    with pytest.raises(RemoteProtocolError, match="2 header fields To"):
        _ = message.to


@pytest.mark.parametrize(
    ("line", "status", "method"),
    [
        (b"INVITE sip:a@b SIP/3.0", 505, "INVITE"),
        (b"INVITE sip:a@b SIP/2", 505, "INVITE"),
        (b"INVITE sip:" + b"a" * 2048 + b"@b SIP/2.0", 414, "INVITE"),
        (b"INVITE  sip:a@b SIP/2.0", 400, "INVITE"),
        (b"INVITE sip:a@b  SIP/2.0", 400, "INVITE"),
        (b"INVITE sip:a@b SIP/2.0 ", 400, "INVITE"),
        (b"INVITE sip:a @b SIP/2.0", 400, "INVITE"),
        (b"INVITE SIP/2.0", 400, "INVITE"),
        (b"ACK sip:a@b SIP/3.0", 505, None),
        (b"IN(VITE sip:a@b SIP/2.0", 400, None),
        (b"INVITE sip:a@b", 400, None),
        (b"INVITE sip:a@b HTTP/1.1", 400, None),
        (b"GET / HTTP/1.1", 400, None),
        (b"INVITE " + b"a" * 9000 + b" SIP/2.0", 414, None),
        (b"SIP/2.0 99 Low", 400, None),
        (b"SIP/2.0 700 High", 400, None),
        (b"SIP/2.0 0200 OK", 400, None),
        (b"SIP/2.0 200OK", 400, None),
        (b"SIP/3.0 200 OK", 400, None),
        (b"SIP/2.0  200 OK", 400, None),
        (b"", 400, None),
        (b" INVITE sip:a@b SIP/2.0", 400, None),
        (b"\x00\xff", 400, None),
    ],
)
def test_bad_start_line(line: bytes, status: int, method: str | None) -> None:
    error = malformed(line + INVITE[INVITE.index(b"\r\n") :])
    assert error.status == status
    assert (error.request.method if error.request else None) == method


def test_methods_differ_in_case_and_versions_do_not() -> None:
    message = request(INVITE.replace(b"INVITE sip", b"invite sip").replace(b"127.0.0.1 SIP/2.0", b"127.0.0.1 sip/2.0"))
    assert message.method == "invite"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"\r\n",
        b"\x00\x00\x00\x00",
        INVITE[: INVITE.index(b"\r\n\r\n")],
        INVITE[:-1],
        INVITE.replace(b"\r\n", b"\n"),
        INVITE.replace(b"54\r\n", b"54\n"),
        INVITE.replace(b"54\r\n", b"54\r\r\n"),
        INVITE.replace(b"Timestamp: 54", b"Timestamp"),
        INVITE.replace(b"Timestamp: 54", b": 54"),
        INVITE.replace(b"Timestamp: 54", b"Time stamp: 54"),
        INVITE.replace(b"Content-Length: 3", b"Content-Length: 4"),
        INVITE.replace(b"Content-Length: 3", b"Content-Length: -3"),
        INVITE.replace(b"Content-Length: 3", b"Content-Length: "),
        INVITE.replace(b"Content-Length: 3", b"Content-Length: " + b"9" * 5000),
        INVITE.replace(b"Timestamp: 54", b"Subject: " + b"x" * (module.MAX_LINE + 1)),
        INVITE.replace(b"Timestamp: 54", b"\r\n".join([b"X-A: 1"] * module.MAX_FIELDS)),
    ],
)
def test_malformed_message(data: bytes) -> None:
    assert malformed(data).status == 400


def test_a_truncated_request_can_be_answered() -> None:
    error = malformed(INVITE[: INVITE.index(b"Allow") + 3])
    assert error.request is not None
    response = respond(error.request, error.status, to_tag="x")
    assert response.to.tag == "x"
    assert response.cseq == CSeq(1, "INVITE")


def test_half_a_line_break_is_not_echoed() -> None:
    error = malformed(INVITE.replace(b"To: <", b"To: \r<"))
    assert error.request is not None
    assert respond(error.request, 400).headers.get("To") == "<sip:room@127.0.0.1>"


def test_too_large_a_message() -> None:
    assert malformed(INVITE[:40] + b"x" * 70_000).status == 513


def test_largest_lines_and_counts_are_taken() -> None:
    line = b"Subject: " + b"x" * (module.MAX_LINE - 1)
    assert request(INVITE.replace(b"Timestamp: 54", line)).headers.get("Subject") is not None
    fields = INVITE[: INVITE.index(b"\r\n\r\n")].count(b"\r\n")
    more = b"\r\n".join([b"X-A: 1"] * (module.MAX_FIELDS - fields + 1))
    assert len(request(INVITE.replace(b"Timestamp: 54", more)).headers) == module.MAX_FIELDS


def test_what_follows_the_body_is_ignored() -> None:
    assert request(INVITE + b"more").body == b"v=0"
    assert request(b"\r\n\r\n" + INVITE).body == b"v=0"


def test_without_content_length_a_datagram_is_the_body() -> None:
    assert request(without(b"Content-Length") + b"\r\n").body == b"v=0\r\n"


def test_respond() -> None:
    message = request()
    response = respond(message, 486, to_tag="ours")
    assert response.encode() == (
        b"SIP/2.0 486 Busy Here\r\n"
        b"Via: SIP/2.0/UDP 127.0.0.2:5060;branch=z9hG4bKx;rport\r\n"
        b"Via: SIP/2.0/TCP a.example.com;branch=z9hG4bKy, SIP/2.0/TLS b.example.com;branch=z9hG4bKz\r\n"
        b'From: "Alice" <sip:alice@127.0.0.2>;tag=1\r\n'
        b"To: <sip:room@127.0.0.1>;tag=ours\r\n"
        b"Call-ID: a@b\r\n"
        b"CSeq: 1 INVITE\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


def test_respond_100_has_the_timestamp_and_no_tag() -> None:
    response = respond(request(), 100, to_tag="ours")
    assert response.headers.get("Timestamp") == "54"
    assert response.to.tag is None


@pytest.mark.parametrize("to", [b"<sip:room@h>;tag=theirs", b"sip:room@h;x;TAG=theirs"])
def test_respond_keeps_a_tag(to: bytes) -> None:
    response = respond(request(INVITE.replace(b"To: <sip:room@127.0.0.1>", b"To: " + to)), 481, to_tag="ours")
    assert response.to.tag == "theirs"
    assert response.headers.get("To") == to.decode()


def test_respond_echoes_the_first_of_a_repeated_field() -> None:
    error = malformed(INVITE.replace(b"\r\nCall-ID", b"\r\nt: <sip:other@h>\r\nCall-ID"))
    assert error.request is not None
    assert respond(error.request, 400).headers.lines("To") == ["<sip:room@127.0.0.1>"]


def test_respond_with_a_reason() -> None:
    assert respond(request(), 400, "Bad CSeq").reason == "Bad CSeq"
    assert respond(request(), 499).reason == ""


def test_request_uri_can_be_set() -> None:
    message = request()
    message.uri = Uri("sips", "b", "h")
    assert message.encode().startswith(b"INVITE sips:b@h SIP/2.0\r\n")


def test_repr_is_short_and_shows_no_body() -> None:
    assert repr(request()) == "<Request 'INVITE sip:room@127.0.0.1 SIP/2.0' '1 INVITE' 3 bytes>"
