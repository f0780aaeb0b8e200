"""Which flow a message takes (RFC 3261 18, RFC 3581)."""

from __future__ import annotations

from collections import Counter

import pytest
from sip_peer import OURS, flow, request

from firmware.errors import RemoteProtocolError
from firmware.sansio import Close, Flow, Open, Send
from firmware.sip.message import MalformedMessage, Request
from firmware.sip.transport import Transport, mark_source
from firmware.sip.uri import Uri


@pytest.fixture
def transport() -> Transport:
    return Transport(3, Counter())


def test_a_datagram_is_a_message(transport: Transport) -> None:
    [message] = transport.receive(flow(), request("OPTIONS").encode())
    assert isinstance(message, Request)
    [error] = transport.receive(flow(), b"OPTIONS sip:x SIP/2.0\r\nVia: x")
    assert isinstance(error, MalformedMessage)
    for keep_alive in (b"", b"\r\n\r\n", b"\x00\x00", b"\r\n"):
        assert transport.receive(flow(), keep_alive) == []


def test_a_stream_that_nobody_opened_says_nothing(transport: Transport) -> None:
    assert transport.receive(flow("tcp"), request("OPTIONS").encode()) == []
    assert not transport.is_broken(flow("tcp"))


def test_a_stream_is_opened_once(transport: Transport) -> None:
    transport.send(flow("tcp"), b"1")
    transport.send(flow("tcp"), b"2")
    assert transport.actions == [Open(flow("tcp")), Send(flow("tcp"), b"1"), Send(flow("tcp"), b"2")]
    transport.flow_closed(flow("tcp"))
    transport.actions.clear()
    transport.send(flow("tcp"), b"3")
    assert transport.actions == [Open(flow("tcp")), Send(flow("tcp"), b"3")]
    transport.close(flow("tcp"))
    assert transport.actions[-1] == Close(flow("tcp"))
    transport.send(flow("tcp"), b"4")
    assert transport.actions[-2] == Open(flow("tcp"))


@pytest.mark.parametrize(
    ("via", "expected"),
    [
        ("SIP/2.0/UDP 10.0.0.2:5060;branch=1", "SIP/2.0/UDP 10.0.0.2:5060;branch=1"),
        ("SIP/2.0/UDP pc:5060;branch=1", "SIP/2.0/UDP pc:5060;branch=1;received=10.0.0.2"),
        ("SIP/2.0/UDP 10.0.0.2;rport;branch=1", "SIP/2.0/UDP 10.0.0.2;rport=5060;branch=1;received=10.0.0.2"),
        (
            "SIP/2.0/UDP 10.0.0.2;rport=7;received=9.9.9.9",
            "SIP/2.0/UDP 10.0.0.2;rport=5060;received=10.0.0.2",
        ),
        ("SIP/2.0/UDP 10.0.0.2;received=9.9.9.9", "SIP/2.0/UDP 10.0.0.2;received=10.0.0.2"),
    ],
)
def test_the_source_is_written_into_the_top_via_only(via: str, expected: str) -> None:
    message = request("OPTIONS", Via=f"{via}, SIP/2.0/UDP second;rport")
    mark_source(message, flow())
    assert [str(each) for each in message.vias] == [expected, "SIP/2.0/UDP second;rport"]
    message = request("OPTIONS", Via=via)
    mark_source(message, flow())
    assert message.headers.all("Via") == [expected]


def test_a_request_without_a_good_via_has_no_source() -> None:
    for via in (None, "x"):
        with pytest.raises(RemoteProtocolError):
            mark_source(request("OPTIONS", Via=via), flow())


def test_responses_over_a_stream_that_is_gone_are_bounded(transport: Transport) -> None:
    """A client that closes every stream before its response must not make us open streams without end."""
    for port in range(10):
        message = request("OPTIONS", transport="TCP", sent_by=f"10.0.0.2:{port + 1000}")
        transport.send_response(Flow("tcp", OURS, ("10.0.0.2", 40000 + port)), message.via, b"x")
    assert sum(isinstance(action, Open) for action in transport.actions) == 3


def test_what_no_datagram_holds_is_dropped_and_fails_nobody_else() -> None:
    """Sending it would be an error, and an error fails all that goes to the same proxy."""
    counters: Counter[str] = Counter()
    transport = Transport(3, counters)
    transport.send(flow(), bytes(65_507))
    transport.send(flow(), bytes(65_508))
    transport.send(flow("tcp"), bytes(65_508))
    sent = [(each.flow.transport, len(each.data)) for each in transport.actions if isinstance(each, Send)]
    assert sent == [("udp", 65_507), ("tcp", 65_508)]
    assert counters == {"message too large for UDP": 1}


@pytest.mark.parametrize(
    ("uri", "transport_of_dialog", "expected"),
    [
        ("sip:x@10.0.0.2:5060", "udp", ("udp", ("10.0.0.2", 5060))),
        ("sip:x@10.0.0.3", "udp", ("udp", ("10.0.0.3", 5060))),
        ("sip:x@10.0.0.3:5080;transport=tcp", "udp", ("tcp", ("10.0.0.3", 5080))),
        ("sip:x@10.0.0.3:5080;transport=UDP", "tcp", ("udp", ("10.0.0.3", 5080))),
        ("sip:x@10.0.0.2:5099;transport=tcp", "tcp", None),
        ("sip:x@10.0.0.2:5099", "tcp", None),
        ("sip:x@example.com", "udp", None),
        ("sip:x@10.0.0.3;transport=sctp", "udp", None),
        ("sip:x@[2001:db8::1]", "udp", None),
        ("sip:x@0.0.0.0", "udp", None),
        ("sip:x@239.1.1.1", "udp", None),
        ("sip:x@127.0.1.1", "udp", None),
        ("sip:x@127.0.1.1:8080;transport=tcp", "udp", None),
        ("tel:+1", "udp", None),
        ("sips:x@10.0.0.3", "tls", ("tls", ("10.0.0.3", 5061))),
        ("sips:x@10.0.0.3:5071;transport=tcp", "tls", ("tls", ("10.0.0.3", 5071))),
        ("sip:x@10.0.0.3;transport=tls", "tls", ("tls", ("10.0.0.3", 5061))),
        ("sips:x@10.0.0.2:5061", "tls", None),
        ("sip:x@10.0.0.3;transport=tcp", "tls", None),
        ("sip:x@10.0.0.2:5060;transport=udp", "tls", None),
    ],
)
def test_the_next_hop_of_a_dialog(
    transport: Transport, uri: str, transport_of_dialog: str, expected: tuple[str, tuple[str, int]] | None
) -> None:
    dialogs = Flow(transport_of_dialog, OURS, ("10.0.0.2", 40000))
    if dialogs.reliable:
        transport.flow_opened(dialogs)
    found = transport.flow_to(Uri.parse(uri), dialogs)
    assert found == (dialogs if expected is None else Flow(expected[0], OURS, expected[1]))


@pytest.mark.parametrize("uri", ["sips:x@10.0.0.3", "sip:x@10.0.0.3;transport=tls"])
def test_from_a_plain_dialog_to_tls(uri: str) -> None:
    """What stands in Via and Contact is where we listen for TLS."""
    transport = Transport(3, Counter(), 5071)
    found = transport.flow_to(Uri.parse(uri), flow("udp"))
    assert found == Flow("tls", ("10.0.0.1", 5071), ("10.0.0.3", 5061))


def test_a_response_over_tls_goes_back_to_who_has_the_name_in_via(transport: Transport) -> None:
    """RFC 3261 18.2.2: the connection is gone, and another one is made to the port in Via, 5061 by default."""
    gone = Flow("tls", OURS, ("10.0.0.2", 40000))
    for sent_by, domain in (("Proxy.example.com", "proxy.example.com"), ("10.0.0.2", "")):
        message = request("OPTIONS", transport="TLS", sent_by=sent_by)
        mark_source(message, gone)
        transport.send_response(gone, message.via, b"x")
        there = Flow("tls", OURS, ("10.0.0.2", 5061), domain=domain)
        assert transport.actions[-2:] == [Open(there), Send(there, b"x")]


def test_a_connection_is_reused_for_whom_it_is_proven() -> None:
    """RFC 5923 8.2, 9.2."""
    transport = Transport(3, Counter())
    made = Flow("tls", OURS, ("10.0.0.2", 40000), shown=("a.example.com", "10.0.0.2"))
    transport.flow_opened(made)
    to_a, to_b = (Flow("tls", OURS, ("10.0.0.2", 5061), domain=f"{name}.example.com") for name in "ab")
    message = request("OPTIONS", transport="TLS", sent_by="A.example.com")
    transport.learn_alias(made, message.via)
    assert transport.reuse(to_a) == to_a, "it has not been offered"
    message = request("OPTIONS", Via="SIP/2.0/TLS A.example.com;branch=z9hG4bKx;alias")
    transport.learn_alias(made, message.via)
    assert transport.reuse(to_a) == made
    assert transport.reuse(to_b) == to_b, "that is somebody else"
    assert transport.reuse(Flow("tls", OURS, ("10.0.0.2", 5061))) == made, "the address is in the certificate, too"
    for other in (("10.0.0.2", 5071), ("10.0.0.3", 5061)):
        flow_to_other = Flow("tls", OURS, other, domain="a.example.com")
        assert transport.reuse(flow_to_other) == flow_to_other
    udp = Flow("udp", OURS, ("10.0.0.2", 5061))
    assert transport.reuse(udp) == udp
    transport.flow_opened(to_a)
    assert transport.reuse(to_a) == to_a, "ours is there already"
    transport.flow_closed(to_a)
    transport.close(made)
    assert transport.reuse(to_a) == to_a


@pytest.mark.parametrize("shown", [(), ("b.example.com",)])
def test_an_alias_of_one_who_did_not_prove_it_is_ignored(shown: tuple[str, ...]) -> None:
    transport = Transport(3, Counter())
    made = Flow("tls", OURS, ("10.0.0.2", 40000), shown=shown)
    transport.flow_opened(made)
    transport.learn_alias(made, request("OPTIONS", Via="SIP/2.0/TLS a.example.com;branch=z9hG4bKx;alias").via)
    there = Flow("tls", OURS, ("10.0.0.2", 5061), domain="a.example.com")
    assert transport.reuse(there) == there


def test_the_contact_of_a_neighbour_is_on_the_link_that_it_called_by(transport: Transport) -> None:
    dialogs = Flow("udp", ("fe80::1", 5060), ("fe80::2%eth0", 5060))
    for contact, host in (("fe80::2", "fe80::2%eth0"), ("fe80::3", "fe80::3%eth0"), ("2001:db8::3", "2001:db8::3")):
        found = transport.flow_to(Uri.parse(f"sip:x@[{contact}]:5070"), dialogs)
        assert found == Flow("udp", ("fe80::1", 5060), (host, 5070))


def test_the_scope_of_an_address_stays_here(transport: Transport) -> None:
    message = request("OPTIONS", Via="SIP/2.0/UDP [fe80::2];rport;branch=z9hG4bKx")
    came = Flow("udp", ("fe80::1", 5060), ("fe80::2%eth0", 5062))
    mark_source(message, came)
    assert str(message.via) == "SIP/2.0/UDP [fe80::2];rport=5062;branch=z9hG4bKx;received=fe80::2"
    transport.send_response(came, message.via, b"x")
    assert transport.actions == [Send(came, b"x")]


def test_a_stream_that_is_gone_is_replaced_by_one_to_the_contact(transport: Transport) -> None:
    gone = Flow("tcp", OURS, ("10.0.0.2", 40000))
    assert transport.flow_to(Uri.parse("sip:x@10.0.0.2:5062"), gone) == Flow("tcp", OURS, ("10.0.0.2", 5062))


def test_the_wire_log_shows_start_lines_and_no_bodies(transport: Transport, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", "firmware.sip.transport"):
        transport.receive(flow(), request("INVITE", body=b"a=crypto:secret").encode())
        transport.receive(flow(), b"nonsense")
        transport.send(flow(), request("INVITE", body=b"a=crypto:secret").encode())
    received, malformed, sent = (record.getMessage() for record in caplog.records)
    assert received.startswith("< udp ('10.0.0.2', 5060): <Request 'INVITE sip:room@10.0.0.1 SIP/2.0'")
    assert malformed.startswith("< udp")
    assert sent == "> udp ('10.0.0.2', 5060): 'INVITE sip:room@10.0.0.1 SIP/2.0'"
    assert "secret" not in caplog.text
