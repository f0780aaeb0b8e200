"""What a UAS answers, and in which order it looks (RFC 3261 8.2, 11.2)."""

from __future__ import annotations

from typing import Any

import pytest
from sip_peer import Line, request

from firmware.sip.identity import METHODS
from firmware.sip.invite import State
from firmware.sip.message import Response


def answer(line: Line, method: str, **fields: Any) -> Response:
    line.send(request(method, **fields))
    line.settle(1.0)
    return line.peer.responses[-1]


@pytest.mark.parametrize(
    ("method", "status"), [("REGISTER", 405), ("PUBLISH", 405), ("SUBSCRIBE", 405), ("newmethod", 501)]
)
def test_a_method_that_we_do_not_have(method: str, status: int) -> None:
    """RFC 3261 8.2.1, 21.5.2: the answer lists those that we have."""
    refusal = answer(Line(), method)
    assert refusal.status == status
    assert refusal.allow == METHODS
    assert refusal.to.tag


@pytest.mark.parametrize("uri", ["tel:+123", "unknown:x"])
def test_a_scheme_that_we_do_not_have(uri: str) -> None:
    assert answer(Line(), "INVITE", uri=uri).status == 416


def test_sips_without_tls_is_refused() -> None:
    """RFC 5630 5.1.2, 380: the last hop was not secured."""
    refusal = answer(Line(), "INVITE", uri="sips:room@10.0.0.1")
    assert refusal.status == 480
    assert refusal.headers.get("Warning") == '380 visavis "SIPS Not Allowed"'


def test_sips_by_tls_is_answered_with_a_contact_of_sips() -> None:
    for uri, contact in (("sips:room@10.0.0.1", "sips:"), ("sip:room@10.0.0.1", "sip:")):
        line = Line("tls")
        answered = answer(line, "OPTIONS", uri=uri, transport="TLS")
        assert answered.status == 200
        assert str(answered.contact.uri if answered.contact else "").startswith(contact)


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_what_began_by_tls_is_not_changed_in_the_clear(method: str) -> None:
    """Whoever reads it would have the keys in it, and the answer's."""
    line = Line("tls")
    session = line.taken()
    change = line.in_dialog(method, body=b"offer 2")
    line.peer.send(change.encode().replace(b"/TLS", b"/UDP"))
    assert line.peer.statuses[-1] == 403
    assert session.state is State.CONFIRMED
    assert "Offered" not in line.kinds
    line.send(line.in_dialog(method, cseq=3, body=b"offer 2"))
    assert "Offered" in line.kinds
    line.peer.send(line.in_dialog("BYE", cseq=4).encode().replace(b"/TLS", b"/UDP"))
    assert 200 in line.peer.statuses[-2:], "it tells nothing"


def test_an_ack_in_the_clear_answers_no_offer_that_went_by_tls() -> None:
    line = Line("tls")
    session = line.incoming(body=b"")
    session.accept(b"our offer", line.now)
    line.settle()
    line.peer.send(line.in_dialog("ACK", cseq=1, body=b"their answer").encode().replace(b"/TLS", b"/UDP"))
    assert session.state is State.ACCEPTED
    line.send(line.in_dialog("ACK", cseq=1, body=b"their answer"))
    assert session.state is State.CONFIRMED


def test_any_user_is_at_home() -> None:
    assert answer(Line(), "OPTIONS", uri="sip:somebody.else@10.0.0.1").status == 200


def test_an_extension_that_we_do_not_have() -> None:
    """RFC 3261 8.2.2.3: all of them are listed; CANCEL is spared."""
    line = Line()
    refusal = answer(line, "INVITE", Require="100rel, teleport, precondition")
    assert refusal.status == 420
    assert refusal.unsupported == ("teleport", "precondition")
    line.incoming(cseq=2, branch="z9hG4bKcancelled")
    line.send(request("CANCEL", cseq=2, branch="z9hG4bKcancelled", Require="foo"))
    assert 200 in line.peer.statuses


def test_a_body_that_is_no_session_description() -> None:
    """RFC 3261 8.2.3."""
    for fields in ({"Content_Type": "text/plain"}, {"Content_Encoding": "gzip"}):
        refusal = answer(Line(), "INVITE", body=b"x", **fields)
        assert refusal.status == 415
        assert "application/sdp" in (refusal.headers.get("Accept") or "")
        assert refusal.headers.get("Accept-Encoding") == "identity"
    assert answer(Line(), "INVITE", body=b"x", Content_Type=None).status == 400


def test_a_request_without_a_dialog_that_needs_one() -> None:
    """RFC 3261 12.2.2."""
    for method in ("BYE", "INFO", "PRACK", "UPDATE", "NOTIFY"):
        assert answer(Line(), method).status == 481
    for method in ("INVITE", "OPTIONS", "BYE", "INFO"):
        assert answer(Line(), method, to_tag="unknown").status == 481


def test_a_request_that_came_by_two_ways() -> None:
    """RFC 3261 8.2.2.2: the second branch of a fork is 482; once the first is done it is a new call."""
    line = Line()
    session = line.incoming()
    assert answer(line, "INVITE", branch="z9hG4bKother", body=b"offer").status == 482
    assert line.kinds == ["Incoming"]
    session.reject(486, line.now)
    line.settle(40)
    line.send(request("INVITE", branch="z9hG4bKthird", body=b"offer"))
    assert line.kinds.count("Incoming") == 2


def test_the_first_fault_in_the_standards_order_is_answered() -> None:
    faults: dict[str, Any] = {"uri": "tel:1", "to_tag": "unknown", "Require": "foo"}
    line = Line()
    assert answer(line, "FOO", branch="z9hG4bK1", **faults).status == 501
    assert answer(line, "INVITE", branch="z9hG4bK2", **faults).status == 416
    del faults["uri"]
    assert answer(line, "INVITE", branch="z9hG4bK3", **faults).status == 481
    del faults["to_tag"]
    assert answer(line, "INVITE", branch="z9hG4bK4", body=b"x", Content_Type="text/plain", **faults).status == 420
    del faults["Require"]
    assert answer(line, "INVITE", branch="z9hG4bK5", cseq=2, body=b"x", Content_Type="text/plain").status == 415
    assert line.agent.counters["refused 420"] == 1


def test_an_invite_without_contact_makes_no_dialog() -> None:
    line = Line()
    assert answer(line, "INVITE", Contact=None).status == 400
    assert not line.agent.sessions
    assert line.gone()


def test_all_lines_taken_is_486() -> None:
    """RFC 3261 21.4.24."""
    line = Line(max_sessions=1)
    session = line.incoming()
    assert answer(line, "INVITE", call_id="2", branch="z9hG4bK2", body=b"offer").status == 486
    assert answer(line, "OPTIONS", call_id="3", branch="z9hG4bK3").status == 486, "RFC 3261 11.2"
    session.reject(603, line.now)
    line.settle()
    line.send(request("OPTIONS", call_id="4", branch="z9hG4bK4"))
    assert line.peer.statuses[-1] == 200


def test_options_tells_what_we_can_do() -> None:
    """RFC 3261 11.2."""
    line = Line()
    line.agent.capabilities = b"v=0"
    told = answer(line, "OPTIONS")
    assert told.status == 200
    assert told.allow[:2] == ("INVITE", "ACK")
    assert "application/sdp" in (told.headers.get("Accept") or "")
    assert (told.body, str(told.content_type)) == (b"v=0", "application/sdp")
    assert told.contact is not None
    assert not line.events
    line = Line()
    line.agent.capabilities = b"v=0"
    assert answer(line, "OPTIONS", Accept="text/plain").body == b""
    line = Line()
    line.agent.capabilities = b"v=0"
    assert answer(line, "OPTIONS", Accept="application/*").body == b"v=0"


def test_options_in_a_dialog() -> None:
    line = Line(max_sessions=1)
    line.taken()
    line.send(line.in_dialog("OPTIONS"))
    assert line.peer.statuses[-1] == 200, "the call that asks takes no second line"


def test_a_stray_ack_is_dropped() -> None:
    line = Line()
    line.send(request("ACK"))
    line.send(request("ACK", to_tag="unknown"))
    assert not line.peer.received
    assert line.agent.counters["stray ACK"] == 2
