from __future__ import annotations

import pytest

from firmware.errors import DecodeError
from firmware.sip import header
from firmware.sip.header import CSeq, MediaType, NameAddr, RAck, SessionExpires, Valued, Via, parse_min_se
from firmware.sip.uri import Uri

ALICE = Uri("sip", "alice", "example.com")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("sip:alice@example.com", NameAddr("", ALICE)),
        ("<sip:alice@example.com>", NameAddr("", ALICE)),
        ("sip:alice@example.com;tag=x", NameAddr("", ALICE, (("tag", "x"),))),
        ("sip:alice@example.com ; tag = x", NameAddr("", ALICE, (("tag", "x"),))),
        (
            "<sip:alice@example.com;lr>;tag=x",
            NameAddr("", Uri("sip", "alice", "example.com", parameters=(("lr", None),)), (("tag", "x"),)),
        ),
        ("Alice<sip:alice@example.com>", NameAddr("Alice", ALICE)),
        ("Alice  of Example. <sip:alice@example.com>", NameAddr("Alice  of Example.", ALICE)),
        ('"Alice, \\"A\\" <a>" <sip:alice@example.com>;tag=x', NameAddr('Alice, "A" <a>', ALICE, (("tag", "x"),))),
        ('""<sip:alice@example.com>', NameAddr("", ALICE)),
        ("Room #5 (HQ): A/B <sip:alice@example.com>", NameAddr("Room #5 (HQ): A/B", ALICE)),
        ("Алиса <sip:alice@example.com>", NameAddr("Алиса", ALICE)),
        ('"\udce9" <sip:alice@example.com>', NameAddr("\ufffd", ALICE)),
        ("<tel:+1234>", NameAddr("", Uri("tel", opaque="+1234"))),
    ],
)
def test_name_addr(text: str, address: NameAddr) -> None:
    assert NameAddr.parse(text) == address
    assert NameAddr.parse(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Alice",
        '"Alice <sip:alice@example.com>',
        '"Alice" sip:alice@example.com',
        '"Alice" x <sip:alice@example.com>',
        'A"lice" <sip:alice@example.com>',
        "Bell; Alexander <sip:alice@example.com>",
        "Bell\\ <sip:alice@example.com>",
        "Bell\x00 <sip:alice@example.com>",
        "Bell, Alexander <sip:alice@example.com>",
        "<sip:alice@example.com",
        "< sip:alice@example.com >",
        "<sip:alice@example.com>x",
        "<sip:alice@example.com>;",
        "<>",
        "sip:alice@example.com?Subject=x",
        "sip:al,ice@example.com",
        "<sip:alice@example.com>, <sip:bob@example.com>",
    ],
)
def test_malformed_name_addr(text: str) -> None:
    with pytest.raises(DecodeError):
        NameAddr.parse(text)


def test_tag() -> None:
    address = NameAddr("Alice", ALICE, (("x", None),))
    assert address.tag is None
    assert address.with_tag("1").with_tag("2").tag == "2"
    assert str(address.with_tag("2")) == '"Alice" <sip:alice@example.com>;x;tag=2'


@pytest.mark.parametrize(
    ("text", "via"),
    [
        ("SIP/2.0/UDP host", Via("UDP", "host")),
        ("sip / 2.0 / tcp\thost : 5060 ; branch = z", Via("TCP", "host", 5060, (("branch", "z"),))),
        (
            "SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z",
            Via("UDP", "2001:db8::9:1", None, (("received", "[2001:db8::9:255]"), ("branch", "z"))),
        ),
        (
            "SIP/2.0/TLS 192.0.2.1:5061;rport;branch=z",
            Via("TLS", "192.0.2.1", 5061, (("rport", None), ("branch", "z"))),
        ),
        ("SIP/7.0/UDP under_score.example.com", Via("UDP", "under_score.example.com", protocol="SIP/7.0")),
    ],
)
def test_via(text: str, via: Via) -> None:
    assert Via.parse(text) == via
    assert Via.parse(str(via)) == via


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SIP/2.0 host",
        "SIP/2.0/UDP",
        "SIP/2.0/UDPhost",
        "SIP/2.0/UDP host:",
        "SIP/2.0/UDP host:0",
        "SIP/2.0/UDP host:99999",
        "SIP/2.0/UDP host x",
        "SIP/2.0/UDP host;;",
        "SIP/2.0/UDP 2001:db8::1",
        "SIP/2.0/UDP [2001:db8::g]",
        "SIP/2.0/UDP ;branch=z",
    ],
)
def test_malformed_via(text: str) -> None:
    with pytest.raises(DecodeError):
        Via.parse(text)


def test_via_parameters() -> None:
    via = Via.parse("SIP/2.0/UDP h;branch=z9hG4bKx;rport")
    assert (via.branch, via.received, via.rport, via.wants_rport) == ("z9hG4bKx", None, None, True)
    via = via.with_parameter("rport", "5070").with_parameter("received", "192.0.2.1")
    assert (via.received, via.rport) == ("192.0.2.1", 5070)
    assert str(via) == "SIP/2.0/UDP h;branch=z9hG4bKx;rport=5070;received=192.0.2.1"
    assert not Via.parse("SIP/2.0/UDP h").wants_rport
    with pytest.raises(DecodeError):
        _ = Via.parse("SIP/2.0/UDP h;rport=99999").rport


@pytest.mark.parametrize("received", ["2001:db8::9:255", "[2001:db8::9:255]"])
def test_received_address_with_and_without_brackets(received: str) -> None:
    # RFC 5118 4.5: both are valid.
    assert Via.parse(f"SIP/2.0/UDP [2001:db8::1];received={received}").received == "2001:db8::9:255"


def test_cseq() -> None:
    assert CSeq.parse("0009 \t INVITE") == CSeq(9, "INVITE")
    assert CSeq.parse("2147483647 X") == CSeq(2**31 - 1, "X")
    assert str(CSeq(9, "INVITE")) == "9 INVITE"


@pytest.mark.parametrize("text", ["", "1", "INVITE", "1INVITE", "-1 INVITE", "2147483648 X", "1 A B", "1 A@", "1 "])
def test_malformed_cseq(text: str) -> None:
    with pytest.raises(DecodeError):
        CSeq.parse(text)


def test_media_type() -> None:
    media_type = MediaType.parse('Multipart / Mixed ; boundary="a b"')
    assert media_type == MediaType("multipart", "mixed", (("boundary", '"a b"'),))
    assert media_type.parameter("boundary") == "a b"
    assert str(media_type) == 'multipart/mixed;boundary="a b"'
    sdp = MediaType.parse("application/sdp")
    assert [MediaType.parse(text).includes(sdp) for text in ("*/*", "application/*;q=0.5", "application/SDP")] == [
        True,
        True,
        True,
    ]
    assert not MediaType.parse("text/*").includes(sdp)
    assert not MediaType.parse("application/pidf").includes(sdp)


@pytest.mark.parametrize("text", ["", "application", "application/", "/sdp", "application/sdp x", "a/b;"])
def test_malformed_media_type(text: str) -> None:
    with pytest.raises(DecodeError):
        MediaType.parse(text)


def test_valued() -> None:
    reason = Valued.parse('Q.850 ;cause=16;text="Terminated"')
    assert (reason.value, reason.parameter("cause"), reason.parameter("text")) == ("Q.850", "16", "Terminated")
    assert str(reason) == 'Q.850;cause=16;text="Terminated"'
    with pytest.raises(DecodeError):
        Valued.parse(";cause=16")


@pytest.mark.parametrize(
    ("text", "seconds"), [("120", 120), ("5 (in a meeting (long))", 5), ("18000;duration=3600", 18000)]
)
def test_retry_after(text: str, seconds: int) -> None:
    assert header.parse_retry_after(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "5 minutes", "4294967296"])
def test_malformed_retry_after(text: str) -> None:
    with pytest.raises(DecodeError):
        header.parse_retry_after(text)


def test_bounds() -> None:
    assert header.parse_max_forwards("255") == 255
    assert header.parse_seconds("4294967295") == 2**32 - 1
    for read, text in ((header.parse_max_forwards, "256"), (header.parse_seconds, "4294967296")):
        with pytest.raises(DecodeError):
            read(text)


def test_call_id() -> None:
    assert header.parse_call_id('a@b"<[') == 'a@b"<['
    for text in ("", "a b", "a\x00", "ä"):
        with pytest.raises(DecodeError):
            header.parse_call_id(text)


def test_rack() -> None:
    """RFC 3262 7.2."""
    assert RAck.parse("776656  1\tINVITE") == RAck(776656, 1, "INVITE")
    assert str(RAck(776656, 1, "INVITE")) == "776656 1 INVITE"
    for text in ("", "1 INVITE", "1 1", "0 1 INVITE", "1 1 INVITE x", "4294967296 1 INVITE", "1 2147483648 INVITE"):
        with pytest.raises(DecodeError):
            RAck.parse(text)


def test_session_expires() -> None:
    """RFC 4028 4."""
    read = SessionExpires.parse("1800;Refresher=UAC;x=y")
    assert (read.seconds, read.refresher) == (1800, "uac")
    assert str(read.with_seconds(90)) == "90;Refresher=UAC;x=y"
    assert SessionExpires.parse("1800 ; refresher=me").refresher == ""
    assert parse_min_se("90;x") == 90
    for text in ("", "x", "-1", "90 x", "4294967296", ";refresher=uac"):
        with pytest.raises(DecodeError):
            SessionExpires.parse(text)
        with pytest.raises(DecodeError):
            parse_min_se(text)


def test_what_a_response_needs_of_a_via() -> None:
    via = Via.parse("SIP/2.0/UDP host.example.com:5070;branch=z9hG4bKx;received=192.0.2.1;RPort=5080;alias")
    kept = via.for_response()
    assert (kept.host, kept.port, kept.rport, kept.branch) == ("host.example.com", 5070, 5080, None)
    assert Via.parse("SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKx").for_response().parameters == ()
