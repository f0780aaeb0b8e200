"""The torture messages of RFC 4475 at the parser, and the responses made for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conformance.rfc4475 import MESSAGES, READ, Torture

from firmware.errors import RemoteProtocolError
from firmware.sip.body import session_description
from firmware.sip.header import MediaType, Via
from firmware.sip.message import MalformedMessage, Message, Request, Response, parse, respond
from firmware.sip.stream import StreamReader
from firmware.sip.uri import Uri

BY_NAME = {torture.name: torture for torture in MESSAGES}


def outcome(data: bytes) -> tuple[int, Message | None]:
    """Give what parsing and checking raise (READ when nothing), and the message as far as it was read."""
    try:
        message = parse(data)
    except MalformedMessage as error:
        return error.status, error.request
    try:
        message.check()
    except RemoteProtocolError as error:
        return error.status, message
    return READ, message


def test_all_49_are_here() -> None:
    assert len(BY_NAME) == len(MESSAGES) == 49


@pytest.mark.parametrize("torture", MESSAGES, ids=[torture.name for torture in MESSAGES])
def test_outcome(torture: Torture) -> None:
    status, message = outcome(torture.data)
    assert status == torture.decodes
    answerable = message is not None and isinstance(message, Request) and message.answerable
    is_request = not torture.data.startswith(b"SIP/")
    assert answerable == is_request, "every request here has a Via, so that its error can be answered"


@pytest.mark.parametrize("torture", [t for t in MESSAGES if t.decodes == READ], ids=lambda torture: torture.name)
def test_what_is_read_is_written_again(torture: Torture) -> None:
    message = parse(torture.data)
    again = parse(message.encode())
    assert again.start_line == message.start_line
    assert again.body == message.body
    without_length = [item for item in again.headers if item[0] != "Content-Length"]
    assert without_length == [item for item in message.headers if item[0] != "Content-Length"]


@pytest.mark.parametrize(
    "torture", [t for t in MESSAGES if t.decodes not in (READ,) and t.answers], ids=lambda torture: torture.name
)
def test_a_bad_request_gets_a_response_that_echoes_it(torture: Torture) -> None:
    status, request = outcome(torture.data)
    assert isinstance(request, Request)
    response = parse(respond(request, status, to_tag="ours").encode())
    assert isinstance(response, Response)
    assert response.status == status
    assert response.headers.lines("Via") == request.headers.lines("Via")
    for name in ("From", "Call-ID", "CSeq"):
        assert response.headers.get(name) == request.headers.get(name)


@pytest.mark.parametrize("torture", [t for t in MESSAGES if t.name != "dblreq"], ids=lambda torture: torture.name)
def test_in_a_stream_of_single_bytes_the_next_message_is_found_or_the_stream_is_broken(torture: Torture) -> None:
    follower = BY_NAME["lwsdisp"].data
    reader = StreamReader()
    found = [item for byte in torture.data + follower for item in reader.receive(bytes([byte]))]
    # RFC 3261 18.3, 20.14: without one good Content-Length a stream can't be divided.
    if torture.name in ("ncl", "mcl01", "inv2543", "bigcode"):
        assert reader.broken
        assert len(found) == 1
    elif torture.name == "clerr":
        assert not reader.broken, "the rest of the 9999 bytes is still awaited"
        assert found == []
    else:
        assert not reader.broken
        assert isinstance(found[-1], Request)
        assert found[-1].call_id == "lwsdisp.1234abcd@funky.example.com"
        assert len(found) == 2


def test_dblreq_is_two_requests_in_a_stream() -> None:
    first, second = StreamReader().receive(BY_NAME["dblreq"].data)
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert (first.method, second.method) == ("REGISTER", "INVITE")
    assert len(second.body) == 150


def request(name: str) -> Request:
    message = parse(BY_NAME[name].data)
    assert isinstance(message, Request)
    return message


def test_wsinv() -> None:
    message = request("wsinv")
    assert message.method == "INVITE"
    assert message.uri == Uri("sip", "vivekg", "chair-dnrc.example.com", parameters=(("unknownparam", None),))
    assert message.to.uri == Uri("sip", "vivekg", "chair-dnrc.example.com")
    assert message.to.tag == "1918181833n"
    assert message.from_.display_name == 'J Rosenberg \\"'
    assert message.from_.uri == Uri("sip", "jdrosen", "example.com")
    assert message.from_.tag == "98asjd8"
    assert message.max_forwards == 68
    assert message.call_id == "wsinv.ndaksdj@192.0.2.1"
    assert message.content_length == len(message.body) == 150
    assert (message.cseq.number, message.cseq.method) == (9, "INVITE")
    assert message.vias == (
        Via("UDP", "192.0.2.2", parameters=(("branch", "390skdjuw"),)),
        Via("TCP", "spindle.example.com", parameters=(("branch", "z9hG4bK9ikj8"),)),
        Via("UDP", "192.168.255.111", parameters=(("branch", "z9hG4bK30239"),)),
    )
    assert message.headers.get("Subject") == ""
    assert message.headers.get("newfangledheader") == "newfangled value continued newfangled value"
    assert message.headers.all("UnknownHeaderWithUnusualValue") == [";;,,;;,;"]
    assert message.content_type == MediaType("application", "sdp")
    assert [str(route.uri) for route in message.routes] == [
        "sip:services.example.com;lr;unknownwith=value;unknown-no-value"
    ]
    assert message.contact is not None
    assert message.contact.display_name == 'Quoted string ""'
    assert message.contact.parameters == (("newparam", "newvalue"), ("secondparam", None), ("q", "0.33"))


def test_intmeth() -> None:
    message = request("intmeth")
    assert message.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert message.uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert message.uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    assert message.via.branch == "z9hG4bK-.!%66*_+`'~"
    assert message.to.display_name == "BEL:\ufffd NUL:\ufffd DEL:\ufffd"
    assert message.from_.display_name == "token1~` token2'+_ token3*%!.-"
    assert message.from_.parameter("fromparam''~+*_!.-%") == "работающий"
    assert message.from_.tag == "_token~1'+`*%!-."
    assert message.call_id == """intmeth.word%ZK-!.*_+'@word`~)(><:\\/"][?}{"""
    assert message.cseq.method == message.method
    assert message.max_forwards == 255
    assert message.headers.get("extensionHeader-!.%*+_`'~") == "\ufeff大停電"


def test_esc01() -> None:
    message = request("esc01")
    assert message.uri.user == "sips%3Auser%40example.com"
    assert message.uri.unescaped_user == "sips:user@example.com"
    assert message.to.uri.equivalent(Uri("sip", "user", "example.com"))
    assert message.from_.uri.unescaped_user == "I have spaces"
    assert message.contact is not None
    assert message.contact.uri.equivalent(Uri.parse("sip:caller@host5.example.net;lr;name=value%2541"))


def test_escnull() -> None:
    message = request("escnull")
    assert message.to.uri.unescaped_user == "null-\ufffd-null"
    assert [contact.uri.unescaped_user for contact in message.contacts] == ["\ufffd", "\ufffd\ufffd"]


def test_esc02() -> None:
    message = request("esc02")
    assert message.method == message.cseq.method == "RE%47IST%45R"
    assert message.to.display_name == "%Z%45"
    assert message.via.branch == "z9hG4bK209%fzsnel234"
    assert [contact.uri.user for contact in message.contacts] == ["alias1", "alias3"]


def test_lwsdisp() -> None:
    message = request("lwsdisp")
    assert message.from_.display_name == "caller"
    assert message.from_.tag == "323"


def test_longreq() -> None:
    message = request("longreq")
    assert message.to.display_name == f"I have a user name of {'extreme' * 10} proportion"
    assert message.to.uri.port == 6000
    assert message.to.uri.parameter(f"longparam{'name' * 25}") == "shortvalue"
    assert message.from_.uri.user == "amazinglylongcallername" * 5
    assert message.from_.tag == f"12{'982' * 50}424"
    assert message.call_id == f"longreq.one{'really' * 20}longcallid"
    assert len(message.vias) == 34
    assert [via.host for via in message.vias[:-1]] == [f"sip{number}.example.com" for number in range(33, 0, -1)]
    assert message.vias[-1].received == "192.0.2.5"
    assert message.content_length == len(message.body) == 150


def test_dblreq() -> None:
    message = request("dblreq")
    assert message.method == "REGISTER"
    assert message.body == b"", "the second request is not its body"


def test_semiuri() -> None:
    message = request("semiuri")
    assert message.uri == Uri("sip", "user;par=u%40example.net", "example.com")
    assert [str(range_) for range_ in message.accept] == [
        "application/sdp",
        "application/pkcs7-mime",
        "multipart/mixed",
        "multipart/signed",
        "message/sip",
        "message/sipfrag",
    ]


def test_transports() -> None:
    message = request("transports")
    assert [via.transport for via in message.vias] == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]


def test_mpart01() -> None:
    message = request("mpart01")
    assert str(message.content_type) == "multipart/mixed;boundary=7a9cbec02ceef655"
    assert message.content_length == len(message.body) == 553
    assert message.body.count(0) == 2
    with pytest.raises(RemoteProtocolError) as raised:
        session_description(message)
    assert raised.value.status == 415


def test_unreason() -> None:
    message = parse(BY_NAME["unreason"].data)
    assert isinstance(message, Response)
    assert message.status == 200
    assert message.reason == "= 2**3 * 5**2 но сто девяносто девять - простое"


def test_noreason() -> None:
    message = parse(BY_NAME["noreason"].data)
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (100, "")


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("badinv01", lambda message: message.vias),
        ("badinv01", lambda message: message.contacts),
        ("scalar02", lambda message: message.cseq),
        ("scalar02", lambda message: message.max_forwards),
        ("scalar02", lambda message: message.expires),
        ("scalarlg", lambda message: message.cseq),
        ("scalarlg", lambda message: message.retry_after),
        ("quotbal", lambda message: message.to),
        ("regbadct", lambda message: message.contacts),
        ("badaspec", lambda message: message.to),
        ("baddn", lambda message: message.from_),
        ("baddn", lambda message: message.to),
        ("insuf", lambda message: message.from_),
        ("insuf", lambda message: message.to),
        ("insuf", lambda message: message.call_id),
    ],
)
def test_each_bad_field_is_found(name: str, field: Callable[[Message], object]) -> None:
    message = parse(BY_NAME[name].data)
    with pytest.raises(RemoteProtocolError) as raised:
        field(message)
    assert raised.value.status == 400


@pytest.mark.parametrize(
    ("name", "scheme"), [("unkscm", "nobodyknowsthisscheme"), ("novelsc", "soap.beep"), ("regaut01", "sip")]
)
def test_the_scheme_of_the_request_uri_is_known(name: str, scheme: str) -> None:
    assert request(name).uri.scheme == scheme


def test_unksm2() -> None:
    message = request("unksm2")
    assert str(message.to.uri) == "isbn:2983792873"
    assert str(message.from_.uri) == "http://www.example.com"
    assert [str(contact) for contact in message.contacts] == ["<name:John_Smith>"]


def test_bext01() -> None:
    message = request("bext01")
    assert message.require == ("nothingSupportsThis", "nothingSupportsThisEither")
    assert message.headers.all("Proxy-Require") == ["noProxiesSupportThis", "norDoAnyProxiesSupportThis"]


def test_badbranch() -> None:
    assert request("badbranch").via.branch == "z9hG4bK"


def test_cparam() -> None:
    [without] = request("cparam01").contacts
    [within] = request("cparam02").contacts
    assert (without.uri.parameters, without.parameters) == ((), (("unknownparam", None),))
    assert (within.uri.parameters, within.parameters) == ((("unknownparam", None),), ())


def test_regescrt() -> None:
    [contact] = request("regescrt").contacts
    assert contact.uri.headers == (("Route", "%3Csip:sip.example.com%3E"),)


def test_inv2543() -> None:
    message = request("inv2543")
    assert message.max_forwards is None
    assert message.via.branch is None
    assert message.from_.tag is None
    assert message.to.uri.user == "+16505552222"
    assert message.to.parameter("user") == "phone"
    assert message.record_routes[0].uri.parameter("maddr") == "ss1.example.com"
    assert message.body.endswith(b"m=audio 49217 RTP/AVP 0\r\n")
