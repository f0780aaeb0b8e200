"""The subscription that a REFER makes (RFC 3515 2.4.4 to 2.4.7); test_refer.py has the REFER."""

from __future__ import annotations

import pytest
from sip_peer import Line, response

from firmware.sip.events import ReferProgress
from firmware.sip.subscription import FIRST_LIMIT, MAX_EXPIRES, read_fragment, write_fragment
from firmware.sip.uri import Uri

TARGET = Uri.parse("sip:third@10.0.0.3")


def referring() -> Line:
    """A call whose far end has accepted our REFER."""
    line = Line()
    line.established().referral.refer(TARGET, line.now)
    line.settle()
    line.send(response(line.peer.last_request("REFER"), 202))
    return line


def notify(line: Line, cseq: int, fragment: bytes | None, state: str | None = "active;expires=60", **more: str) -> int:
    """Let the peer send a NOTIFY; gives the status it is answered with."""
    fields: dict[str, str | None] = {"Event": "refer", "Content_Type": "message/sipfrag;version=2.0", **more}
    if state is not None:
        fields["Subscription_State"] = state
    body = b"" if fragment is None else fragment
    line.send(line.in_dialog("NOTIFY", cseq=cseq, body=body, **fields))
    return line.peer.statuses[-1]


def progress(line: Line) -> list[tuple[int, str]]:
    return [(event.status, event.reason) for event in line.events if isinstance(event, ReferProgress)]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"SIP/2.0 200 OK\r\n", (200, "OK")),
        (b"SIP/2.0 200 OK", (200, "OK")),
        (b"\r\nsip/2.0 603 Nay thank you\r\nTo: <sip:a@b>\r\n", (603, "Nay thank you")),
        (b"SIP/2.0 486\r\n", (486, "")),
        (b"SIP/2.0 200 \xff\r\n", (200, "\N{REPLACEMENT CHARACTER}")),
        (b"SIP/2.0 200 " + b"x" * 5000, (200, "x" * 200)),
        (b"INVITE sip:a@b SIP/2.0\r\n", None),
        (b"SIP/2.0 700 OK\r\n", None),
        (b"SIP/2.0 20", None),
        (b"", None),
    ],
)
def test_fragments(body: bytes, said: tuple[int, str] | None) -> None:
    assert read_fragment(body) == said
    if said:
        assert read_fragment(write_fragment(*said)) == said


def test_no_line_break_gets_into_a_fragment() -> None:
    assert write_fragment(200, "OK\r\nContact: x").count(b"\r\n") == 1


def test_progress_and_outcome() -> None:
    line = referring()
    assert notify(line, 2, b"SIP/2.0 100 Trying\r\n") == 200
    assert notify(line, 3, b"SIP/2.0 180 Ringing\r\n") == 200
    assert notify(line, 4, b"SIP/2.0 200 OK\r\n", "terminated;reason=noresource") == 200
    assert progress(line) == [(100, "Trying"), (180, "Ringing"), (200, "OK")]
    assert notify(line, 5, b"SIP/2.0 486 Busy Here\r\n") == 481, "it has ended"
    line.settle(MAX_EXPIRES)
    assert len(progress(line)) == 3


def test_an_outcome_before_the_202() -> None:
    """RFC 3515 2.4.4: the NOTIFY may overtake the response to the REFER."""
    line = Line()
    line.established().referral.refer(TARGET, line.now)
    line.settle()
    assert notify(line, 2, b"SIP/2.0 200 OK\r\n", "terminated;reason=noresource") == 200
    line.send(response(line.peer.last_request("REFER"), 202))
    line.settle(MAX_EXPIRES)
    assert progress(line) == [(200, "OK")]


def test_nobody_says_anything() -> None:
    line = referring()
    line.settle(FIRST_LIMIT - 1)
    assert progress(line) == []
    line.settle(2)
    assert progress(line) == [(408, "Request Timeout")]


@pytest.mark.parametrize(
    ("state", "seconds"),
    [("active;expires=60", 60), ("active;expires=999999", MAX_EXPIRES), ("pending", MAX_EXPIRES), (None, MAX_EXPIRES)]
    + [(f"active;expires={text}", MAX_EXPIRES) for text in ("x", '"-1"', "9" * 300)],
)
def test_nobody_says_what_came_of_it(state: str | None, seconds: int) -> None:
    line = referring()
    assert notify(line, 2, b"SIP/2.0 100 Trying\r\n", state) == 200
    line.settle(seconds - 1)
    assert progress(line) == [(100, "Trying")]
    line.settle(2)
    assert progress(line)[-1] == (408, "Request Timeout")


def test_the_end_without_an_outcome() -> None:
    line = referring()
    notify(line, 2, b"SIP/2.0 100 Trying\r\n", "terminated;reason=giveup")
    assert progress(line) == [(408, "Subscription Ended: giveup")]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"Event": "presence"}, 489),
        ({"Event": None}, 489),
        ({"Event": "refer;id=77"}, 481),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": None}, 415),
        ({"Subscription_State": ";"}, 400),
        ({"Event": '"'}, 400),
    ],
)
def test_what_is_refused(fields: dict[str, str], status: int) -> None:
    line = referring()
    assert (
        notify(line, 2, b"SIP/2.0 200 OK\r\n", **{"state": None} if "Subscription_State" in fields else {}, **fields)
        == status
    )
    assert progress(line) == []
    number = line.peer.last_request("REFER").cseq.number
    assert notify(line, 3, b"SIP/2.0 200 OK\r\n", Event=f"refer;id={number}") == 200, "and it goes on"


def test_the_call_ends_first() -> None:
    line = referring()
    line.send(line.in_dialog("BYE"))
    assert line.gone(MAX_EXPIRES)
    assert progress(line) == []
