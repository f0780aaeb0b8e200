"""Dialogs (RFC 3261 section 12)."""

from __future__ import annotations

import pytest
from sip_peer import flow, request, response

from firmware.errors import RemoteProtocolError
from firmware.sip.dialog import Dialog, DialogId, request_uri
from firmware.sip.uri import Uri


def caller(status: int = 200, **fields: str) -> Dialog:
    return Dialog.of_caller(request("INVITE", cseq=7), response(request("INVITE"), status, **fields), flow())


def test_the_callers_dialog() -> None:
    """12.1.2."""
    dialog = caller(Record_Route="<sip:a;lr>, <sip:b;lr>", Contact="<sip:desk@10.0.0.2>")
    assert dialog.id == DialogId("call@peer", local_tag="peer", remote_tag="peer")
    assert [str(route) for route in dialog.route_set] == ["<sip:b;lr>", "<sip:a;lr>"], "reversed"
    assert str(dialog.remote_target) == "sip:desk@10.0.0.2"
    assert dialog.remote_sequence is None
    assert dialog.request("BYE").cseq.number == 8


def test_the_callees_dialog() -> None:
    """12.1.1."""
    invite = request("INVITE", cseq=9, from_tag="theirs", Record_Route="<sip:a;lr>, <sip:b;lr>")
    dialog = Dialog.of_callee(invite, "ours", flow())
    assert dialog.id == DialogId("call@peer", local_tag="ours", remote_tag="theirs")
    assert [str(route) for route in dialog.route_set] == ["<sip:a;lr>", "<sip:b;lr>"], "in order"
    assert str(dialog.remote_target) == "sip:peer@10.0.0.2:5060"
    assert dialog.remote_sequence == 9
    bye = dialog.request("BYE")
    assert (bye.from_.tag, bye.to.tag, bye.cseq.number) == ("ours", "theirs", 1)


SIPS = "<sips:x@10.0.0.2>"


@pytest.mark.parametrize(
    ("fields", "secure"),
    [
        ({}, False),
        ({"uri": "sips:room@10.0.0.1"}, True),
        ({"Contact": SIPS}, True),
        ({"Record_Route": "<sip:a;lr>", "Contact": SIPS}, False),
        ({"Record_Route": "<sips:a;lr>, <sip:b;lr>"}, True),
        ({"Record_Route": "<sip:a;lr>, <sips:b;lr>"}, False),
    ],
)
def test_a_callee_is_asked_for_sips(fields: dict[str, str], secure: bool) -> None:
    """12.1.1."""
    assert Dialog.of_callee(request("INVITE", **fields), "ours", flow("tls")).secure is secure


@pytest.mark.parametrize(
    ("fields", "secure"),
    [
        ({}, False),
        ({"uri": "sips:room@10.0.0.1"}, True),
        ({"Route": "<sips:a;lr>, <sip:b;lr>"}, True),
        ({"Route": "<sip:a;lr>, <sips:b;lr>"}, False),
    ],
)
def test_a_caller_asks_for_sips(fields: dict[str, str], secure: bool) -> None:
    """8.1.1.8."""
    invite = request("INVITE", **fields)
    assert Dialog.of_caller(invite, response(invite, 200), flow("tls")).secure is secure


def test_a_request_that_makes_a_dialog_must_say_where_its_sender_is() -> None:
    with pytest.raises(RemoteProtocolError) as error:
        Dialog.of_callee(request("INVITE", Contact=None), "ours", flow())
    assert error.value.status == 400


def test_a_2xx_without_contact_leaves_the_request_uri_as_target() -> None:
    accepted = response(request("INVITE"), 200)
    accepted.headers.remove("Contact")
    dialog = Dialog.of_caller(request("INVITE"), accepted, flow())
    assert str(dialog.remote_target) == "sip:room@10.0.0.1"


def test_a_peer_of_rfc_2543_has_a_null_tag() -> None:
    dialog = Dialog.of_callee(request("INVITE", from_tag=""), "ours", flow())
    assert dialog.id.remote_tag == ""
    assert dialog.request("BYE").to.tag is None


def test_requests_are_numbered_but_ack_and_cancel_keep_the_invites() -> None:
    """12.2.1.1."""
    dialog = caller()
    assert [dialog.request(method).cseq.number for method in ("INFO", "INVITE")] == [8, 9]
    assert dialog.request("ACK", 9).cseq.number == 9
    assert dialog.request("BYE").cseq.number == 10


def test_a_request_has_what_every_request_needs() -> None:
    """8.1.1."""
    bye = caller().request("BYE")
    assert bye.max_forwards == 70
    assert str(bye.from_.uri) == "sip:peer@10.0.0.2"
    assert str(bye.to.uri) == "sip:room@10.0.0.1"
    assert bye.call_id == "call@peer"


def test_loose_routing() -> None:
    """12.2.1.1: the target stays the Request-URI, the whole route set is in Route."""
    dialog = caller(Record_Route="<sip:10.0.0.8;lr>;x=y, <sip:10.0.0.9:5070;lr>", Contact="<sip:desk@10.0.0.2>")
    bye = dialog.request("BYE")
    assert str(bye.uri) == "sip:desk@10.0.0.2"
    assert [str(route) for route in bye.routes] == ["<sip:10.0.0.9:5070;lr>", "<sip:10.0.0.8;lr>;x=y"]
    assert str(dialog.next_hop) == "sip:10.0.0.9:5070;lr"


def test_strict_routing() -> None:
    """12.2.1.1: the first route is the Request-URI, the target the last route."""
    dialog = caller(Record_Route="<sip:10.0.0.8;lr>, <sip:10.0.0.9;method=BYE?x=y>", Contact="<sip:desk@10.0.0.2>")
    bye = dialog.request("BYE")
    assert str(bye.uri) == "sip:10.0.0.9", "19.1.1: without what no Request-URI has"
    assert [str(route) for route in bye.routes] == ["<sip:10.0.0.8;lr>", "<sip:desk@10.0.0.2>"]
    assert dialog.next_hop.host == "10.0.0.9"


def test_without_routes_the_target_is_the_next_hop() -> None:
    dialog = caller(Contact="<sip:desk@10.0.0.2:5070>")
    assert dialog.request("BYE").routes == ()
    assert str(dialog.next_hop) == "sip:desk@10.0.0.2:5070"


def test_the_2xx_sets_routes_and_target_anew() -> None:
    """13.2.2.4."""
    dialog = caller(180, Record_Route="<sip:a;lr>", Contact="<sip:early@10.0.0.2>")
    dialog.confirm(response(request("INVITE"), 200, Record_Route="<sip:b;lr>", Contact="<sip:desk@10.0.0.2>"))
    assert [str(route) for route in dialog.route_set] == ["<sip:b;lr>"]
    assert str(dialog.remote_target) == "sip:desk@10.0.0.2"


def test_a_target_refresh_changes_the_target_and_no_route() -> None:
    """12.2.1.2, 12.2.2."""
    dialog = caller(Record_Route="<sip:a;lr>")
    dialog.refresh(request("INVITE", Contact="<sip:moved@10.0.0.3>", Record_Route="<sip:z;lr>"))
    assert str(dialog.remote_target) == "sip:moved@10.0.0.3"
    assert [str(route) for route in dialog.route_set] == ["<sip:a;lr>"]
    dialog.refresh(request("INVITE", Contact=None))
    assert str(dialog.remote_target) == "sip:moved@10.0.0.3"


def test_the_far_ends_numbers_never_fall() -> None:
    """12.2.2."""
    dialog = caller()
    assert [dialog.in_order(request("INFO", cseq=number)) for number in (5, 9, 9, 8, 2**31 - 1, 1)] == [
        True,
        True,
        True,
        False,
        True,
        False,
    ]


def test_a_request_uri_has_no_method_and_no_header_fields() -> None:
    assert str(request_uri(Uri.parse("sip:a@b;method=BYE;lr;maddr=c?x=y"))) == "sip:a@b;lr;maddr=c"
    plain = Uri.parse("sip:a@b;lr")
    assert request_uri(plain) is plain
