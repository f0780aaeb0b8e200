"""REFER, as who sends it and who gets it (RFC 3515); test_subscription.py has what follows."""

from __future__ import annotations

from typing import Any

import pytest
from sip_peer import Line, request, response

from firmware.errors import DecodeError, LocalProtocolError, RemoteProtocolError
from firmware.sip.events import Ended, ReferProgress, Referred
from firmware.sip.invite import State
from firmware.sip.refer import read_refer_to, write_refer_to
from firmware.sip.replaces import Replaces
from firmware.sip.uri import Uri

TARGET = Uri.parse("sip:third@10.0.0.3")
PLACE = Replaces("a@b", "1", "2")
ESCAPED = "a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2"


@pytest.mark.parametrize(
    ("text", "target", "place"),
    [
        ("<sip:third@10.0.0.3>", "sip:third@10.0.0.3", None),
        ("sip:third@10.0.0.3", "sip:third@10.0.0.3", None),
        ('"Third" <sips:third@c.example.com;transport=tcp>;x=y', "sips:third@c.example.com;transport=tcp", None),
        ("<sip:third@10.0.0.3;method=INVITE>", "sip:third@10.0.0.3", None),
        (f"<sip:third@10.0.0.3?Replaces={ESCAPED}>", "sip:third@10.0.0.3", PLACE),
        (f"<sip:third@10.0.0.3?Require=replaces&replaces={ESCAPED}&Subject=x>", "sip:third@10.0.0.3", PLACE),
        (f"sip:third@10.0.0.3?Replaces={ESCAPED}", "sip:third@10.0.0.3", PLACE),
    ],
)
def test_reading_refer_to(text: str, target: str, place: Replaces | None) -> None:
    uri, found = read_refer_to(text)
    assert (str(uri), found) == (target, place)
    assert read_refer_to(write_refer_to(uri, found)) == (uri, found)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 400),
        ("<>", 400),
        ("<sip:a@b>, <sip:c@d>", 400),
        ("<sip:third@10.0.0.3?Replaces=a>", 400),
        ("<sip:third@10.0.0.3?Replaces>", 400),
        (f"<sip:third@10.0.0.3?Replaces={ESCAPED}&Replaces={ESCAPED}>", 400),
        ("<sip:third@10.0.0.3?Replaces=a%0d%0ab%3Bto-tag%3D1%3Bfrom-tag%3D2>", 400),
        ("<sip:third@10.0.0.3?Replaces=%ff%3Bto-tag%3D1%3Bfrom-tag%3D2>", 400),
        ("<tel:+4711>", 603),
        ("<http://example.com/>", 603),
        ("<sip:third@10.0.0.3;method=BYE>", 603),
    ],
)
def test_refer_to_that_can_not_be_followed(text: str, status: int) -> None:
    with pytest.raises(RemoteProtocolError) as error:
        read_refer_to(text)
    assert error.value.status == status
    assert status != 400 or isinstance(error.value, DecodeError)


# We refer


def test_what_we_send() -> None:
    line = Line()
    session = line.established()
    session.referral.refer(TARGET, line.now, PLACE)
    line.settle()
    refer = line.peer.last_request("REFER")
    assert refer.headers.get("Refer-To") == f"<sip:third@10.0.0.3?Replaces={ESCAPED}>"
    assert refer.headers.get("Referred-By") == "<sip:room@10.0.0.1:5060>"
    assert refer.contact is not None
    assert refer.to.tag == "peer"
    with pytest.raises(LocalProtocolError):
        session.referral.refer(TARGET, line.now)


@pytest.mark.parametrize("ours", [True, False], ids=["we called", "we were called"])
def test_the_place_of_a_call_as_its_far_end_knows_it(ours: bool) -> None:
    """RFC 3891 4: to-tag is the tag of whoever gets the Replaces."""
    line = Line()
    session = line.established() if ours else line.taken()
    place = session.referral.replaces
    assert (place.call_id, place.to_tag) == (session.call_id, "peer")
    assert place.from_tag == line.in_dialog("BYE").to.tag


@pytest.mark.parametrize("status", [400, 405, 488, 501, 603])
def test_it_is_refused(status: int) -> None:
    line = Line()
    session = line.established()
    session.referral.refer(TARGET, line.now)
    line.settle()
    line.send(response(line.peer.last_request("REFER"), status))
    assert line.event(ReferProgress).status == status
    assert session.state is State.CONFIRMED
    session.referral.refer(TARGET, line.now)  # once more


@pytest.mark.parametrize("status", [408, 481])
def test_the_call_is_not_there_any_more(status: int) -> None:
    """RFC 3261 12.2.1.2."""
    line = Line()
    session = line.established()
    session.referral.refer(TARGET, line.now)
    line.settle()
    line.send(response(line.peer.last_request("REFER"), status))
    assert line.event(Ended).status == status
    assert session.state is State.ENDED
    assert line.gone()


def test_nobody_will_tell_us() -> None:
    """RFC 4488 4: no subscription, so the 2xx is the last word."""
    line = Line()
    line.established().referral.refer(TARGET, line.now)
    line.settle()
    line.send(response(line.peer.last_request("REFER"), 202, Refer_Sub="false"))
    assert line.event(ReferProgress).status == 202


def test_only_in_a_call_that_is_up() -> None:
    line = Line()
    session = line.dial()
    with pytest.raises(LocalProtocolError):
        session.referral.refer(TARGET, line.now)
    line.answer(200, body=b"answer")
    referral = session.referral
    session.end(line.now)
    with pytest.raises(LocalProtocolError):
        session.referral.refer(TARGET, line.now)
    with pytest.raises(LocalProtocolError):
        referral.accept(line.now)


# We are referred


def refer(line: Line, cseq: int = 2, **fields: Any) -> int | None:
    """Let the peer send a REFER; gives the status it is answered with."""
    before = len(line.peer.statuses)
    line.send(line.in_dialog("REFER", cseq=cseq, **{"Refer_To": f"<{TARGET}>", **fields}))
    return line.peer.statuses[-1] if len(line.peer.statuses) > before else None


def notified(line: Line) -> list[tuple[str, str, str]]:
    """Event, Subscription-State and body of each of our NOTIFY requests."""
    return [
        (each.headers.get("Event") or "", each.headers.get("Subscription-State") or "", each.body.decode())
        for each in line.peer.requests
        if each.method == "NOTIFY"
    ]


def test_accepting() -> None:
    line = Line()
    session = line.established()
    assert refer(line, Referred_By="<sip:peer@10.0.0.2>") is None
    event = line.event(Referred)
    assert (event.target, event.replaces, event.referred_by) == (TARGET, None, "<sip:peer@10.0.0.2>")
    session.referral.accept(line.now)
    line.settle()
    assert line.peer.statuses[-1] == 202
    assert notified(line) == [("refer", "active;expires=600", "SIP/2.0 100 Trying\r\n")]
    session.referral.notify(183, line.now)
    session.referral.notify(486, line.now)
    session.referral.notify(200, line.now)  # nobody listens any more
    line.settle()
    assert notified(line)[1:] == [
        ("refer", "active;expires=600", "SIP/2.0 183 Session Progress\r\n"),
        ("refer", "terminated;reason=noresource", "SIP/2.0 486 Busy Here\r\n"),
    ]


def test_refusing() -> None:
    line = Line()
    session = line.taken()
    refer(line)
    session.referral.refuse(603, line.now)
    line.settle()
    assert line.peer.statuses[-1] == 603
    assert notified(line) == []
    session.end(line.now)
    line.settle()
    line.send(response(line.peer.last_request("BYE"), 200))
    assert line.gone()


def test_one_at_a_time() -> None:
    line = Line()
    session = line.established()
    refer(line)
    assert refer(line, cseq=3) == 491
    session.referral.accept(line.now)
    assert refer(line, cseq=4) == 491
    session.referral.notify(486, line.now)
    assert refer(line, cseq=5) is None
    session.referral.accept(line.now)
    line.settle()
    assert notified(line)[-1][0] == "refer;id=5", "RFC 3515 2.4.6"


def test_who_does_not_want_to_know() -> None:
    """RFC 4488 4."""
    line = Line()
    session = line.established()
    refer(line, Refer_Sub="false", Require="norefersub")
    session.referral.accept(line.now)
    session.referral.notify(200, line.now)
    line.settle()
    assert line.peer.responses[-1].headers.get("Refer-Sub") == "false"
    assert notified(line) == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"Refer_To": None}, 400), ({"Refer_To": "x"}, 400), ({"Refer_To": "<tel:1>"}, 603), ({"Require": "x"}, 420)],
)
def test_what_is_refused(fields: dict[str, str | None], status: int) -> None:
    line = Line()
    session = line.established()
    assert refer(line, **fields) == status
    assert "Referred" not in line.kinds
    assert session.state is State.CONFIRMED


def test_a_stranger_refers_us() -> None:
    line = Line()
    line.send(request("REFER", Refer_To="<sip:third@10.0.0.3>"))
    assert line.peer.statuses == [603]
    assert line.events == []
    assert line.gone()


def test_before_the_call_is_up_and_after() -> None:
    line = Line()
    session = line.incoming()
    session.ring(line.now)
    line.settle()
    assert refer(line) == 491
    session.accept(b"answer", line.now)
    line.settle()
    line.send(line.in_dialog("ACK", cseq=1))
    session.end(line.now)
    assert refer(line, cseq=3) == 481


def test_a_call_that_ends_meanwhile() -> None:
    line = Line()
    line.established()
    refer(line)
    line.send(line.in_dialog("BYE", cseq=3))
    assert sorted(line.peer.statuses) == [200, 481]
    assert line.gone()


def test_nobody_answers_our_notify() -> None:
    line = Line()
    session = line.established()
    refer(line)
    session.referral.accept(line.now)
    line.settle(40)
    assert session.state is State.CONFIRMED, "he may have forgotten what he asked for; the call goes on"


def test_a_long_referred_by_is_left_out() -> None:
    line = Line()
    line.established()
    refer(line, Referred_By=f"<sip:{'x' * 2000}@10.0.0.2>")
    assert line.event(Referred).referred_by == ""
