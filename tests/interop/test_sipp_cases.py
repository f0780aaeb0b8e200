"""What telephones, PBXs and SBCs do to a room, by SIPp: each case says what the room does and how its calls went.

A case is a row: a scenario that SIPp holds the unit to, the steps that the room's people take meanwhile, and the states
that the room's calls went through, which the unit's log has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from interop.conftest import SMALL
from interop.ports import free_port, own_address
from interop.sipp import Sipp
from interop.unit import Unit
from interop.waiting import until

from firmware.call.call import EndReason

pytestmark = pytest.mark.interop

StartSipp = Callable[..., Sipp]
Step = Callable[[Unit, Sipp], object]

# What the room's people do and see


def do(command: str) -> Step:
    return lambda unit, _: unit.command(unit.state()["calls"][-1]["id"], command)


def is_so(wanted: str) -> Step:
    """Wait until a call is in this state, and nothing else is up."""
    return lambda unit, _: unit.wait(lambda state: [call["state"] for call in state["calls"]] == [wanted])


def view(name: str, value: Any) -> Step:
    """Wait until this is to be seen of the call."""
    return lambda unit, _: unit.wait(lambda state: [call[name] for call in state["calls"]] == [value])


def heard(text: str, times: int = 1) -> Step:
    """Wait until SIPp has had or sent something so many times."""

    def step(unit: Unit, run: Sipp) -> None:
        assert until(lambda: run.messages().count(text) >= times), run.messages()[-6000:]

    return step


def pictures(on: bool) -> Step:
    """Wait until the call has or hasn't pictures, besides its sound."""
    return lambda unit, _: unit.wait(lambda state: any(("H264" in call["codecs"]) is on for call in state["calls"]))


INCOMING, ALERTING, ACTIVE = is_so("incoming"), is_so("alerting"), is_so("active")
ANSWER, HANG_UP, HOLD = do("answer"), do("hang_up"), do("hold")
CALLED = ("connecting", "active", "ended")
CALLING = ("alerting", "active", "ending", "ended")


@dataclass(frozen=True)
class Case:
    scenario: str
    steps: tuple[Step, ...]
    went: tuple[str, ...]
    """The states of the room's only call, after the one that it began with."""
    ended: EndReason | None = EndReason.HUNG_UP
    transports: tuple[str, ...] = ("udp", "tcp")
    replace: dict[str, str] = field(default_factory=dict)
    exact: bool = False

    def check(self, unit: Unit, run: Sipp) -> None:
        for step in self.steps:
            step(unit, run)
        run.finish()
        unit.wait_for_idle()
        why = [self.ended.value] if self.ended else []
        assert unit.history(f":{run.port}") == [[*self.went, *why]]


def rows(cases: dict[str, Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("case", "transport"),
        [
            pytest.param(case, transport, id=f"{name} {transport}")
            for name, case in cases.items()
            for transport in case.transports
        ],
    )


# SIPp calls

ANSWERED = (INCOMING, ANSWER, ACTIVE)
PROXIES = "\n  ".join(
    f"Record-Route: <sip:p{number}.example.com;lr;token={'x' * 120}>"
    if number == 39
    else f"X-Hop-{number}: p{number}.example.com;token={'x' * 120}"
    for number in range(40)
)
CALLERS = {
    "repeats itself": Case(
        "caller_repeats_itself",
        (INCOMING, heard("SIP/2.0 180", 2), ANSWER, ACTIVE),
        CALLED,
        transports=("udp",),
        exact=True,
    ),
    "misses the 200": Case("caller_misses_the_200", (INCOMING, ANSWER), CALLED, transports=("udp",), exact=True),
    "forgets the answer": Case(
        "caller_forgets_the_answer", (INCOMING, ANSWER), ("connecting", "ended"), EndReason.NO_COMMON_MEDIA
    ),
    "cancels too late": Case("caller_cancels_too_late", ANSWERED, CALLED),
    "updates early": Case("caller_updates_early", (INCOMING, heard("CSeq: 4 UPDATE", 2), ANSWER, ACTIVE), CALLED),
    "updates too early": Case("caller_updates_too_early", (INCOMING, heard("SIP/2.0 500"), ANSWER, ACTIVE), CALLED),
    "crosses our offer": Case("caller_crosses", (*ANSWERED, HOLD, view("held", True)), CALLED),
    "comes twice": Case("caller_merges", (INCOMING, heard("SIP/2.0 482"), ANSWER, ACTIVE), CALLED),
    "speaks compactly": Case("caller_speaks_compactly", ANSWERED, CALLED),
    "folds": Case("caller_folds", ANSWERED, CALLED),
    "is wordy": Case("caller_is_wordy", ANSWERED, CALLED, replace={"WORDS": PROXIES}),
    "asks in the call": Case("caller_asks_in_the_call", ANSWERED, CALLED),
    "has no sound": Case("caller_without_sound", ANSWERED, CALLED),
    "gives up": Case("caller_cancels", (INCOMING,), ("ended",), EndReason.CANCELLED),
    "hangs up while it rings": Case("caller_hangs_up_while_it_rings", (INCOMING,), ("ended",), EndReason.CANCELLED),
}


@rows(CALLERS)
def test_a_caller(sipp: StartSipp, ringing: Unit, case: Case, transport: str) -> None:
    replace = tuple(case.replace.items())
    case.check(ringing, sipp(case.scenario, remote=ringing.sip, transport=transport, replace=replace, exact=case.exact))


# SIPp asks for what cannot be


@dataclass(frozen=True)
class Refusal:
    """A request that is answered so, and of which the room hears nothing."""

    expected: str
    """The status, and what must stand in the response."""
    method: str = "INVITE"
    fields: str = "Subject: none"
    uri: str = "sip:[service]@[remote_ip]:[remote_port]"
    body: str = "\n  SDP sendrecv 1"


NO_BODY = ""
REFUSALS = {
    "unknown method": Refusal("501 Allow:.*INVITE", "FROBNICATE"),
    "PUBLISH": Refusal("405 Allow:.*INVITE", "PUBLISH"),
    "REGISTER": Refusal("405 Allow:.*INVITE", "REGISTER", body=NO_BODY),
    "MESSAGE": Refusal("405 Allow:.*INVITE", "MESSAGE"),
    "SUBSCRIBE to its state": Refusal("405 Allow:.*INVITE", "SUBSCRIBE", "Event: dialog", body=NO_BODY),
    "NOTIFY of voice mail": Refusal("481 Server", "NOTIFY", "Event: message-summary", body=NO_BODY),
    "REFER by a stranger": Refusal("603 Server", "REFER", "Refer-To: <sip:a@192.0.2.1>", body=NO_BODY),
    "unknown extension": Refusal("420 Unsupported: teleport", fields="Require: 100rel, teleport"),
    "two unknown extensions": Refusal("420 Unsupported: a, b", fields="Require: a, timer\n  Require: b"),
    "BYE of nothing": Refusal("481 Server", "BYE", body=NO_BODY),
    "CANCEL of nothing": Refusal("481 Server", "CANCEL", body=NO_BODY),
    "UPDATE of nothing": Refusal("481 Server", "UPDATE"),
    "PRACK of nothing": Refusal("481 Server", "PRACK", "RAck: 1 1 INVITE", body=NO_BODY),
    "INFO of nothing": Refusal("481 Server", "INFO", body=NO_BODY),
    "Replaces of nothing": Refusal("481 Server", fields="Replaces: a;to-tag=b;from-tag=c"),
    "two Replaces": Refusal("400 Server", fields="Replaces: a;to-tag=b;from-tag=c\n  Replaces: d;to-tag=b;from-tag=c"),
    "a telephone number": Refusal("416 Server", uri="tel:+4930123456"),
    "a web page": Refusal("416 Server", uri="http://example.com/"),
    "sips in the clear": Refusal("480 Warning: 380", uri="sips:room@[remote_ip]"),
    "an interval too short": Refusal("422 Min-SE: 90", fields="Supported: timer\n  Session-Expires: 60"),
    "no word for an answer": Refusal("406 Server", fields="Accept: text/plain"),
    "an unknown body": Refusal(
        "415 Accept:.*application/sdp", fields="Content-Type: application/x-foo", body="\n\n  words"
    ),
    "an encoded body": Refusal(
        "415 Accept-Encoding: identity",
        fields="Content-Type: application/sdp\n  Content-Encoding: gzip",
        body="\n\n  words",
    ),
    "a body that is no SDP": Refusal("400 Server", fields="Content-Type: application/sdp", body="\n\n  words"),
    "no codec in common": Refusal(
        "488 Server",
        fields="Content-Type: application/sdp",
        body="\n\n  v=0\n  o=- 1 1 IN IP4 127.0.0.1\n  s=-\n  c=IN IP4 127.0.0.1\n  t=0 0\n"
        "  m=audio 40000 RTP/AVP 18\n  m=image 40002 udptl t38",
    ),
    "a hop count that is no number": Refusal("400 Server", fields="Max-Forwards: many"),
    "two senders": Refusal("400 Server", fields="From: <sip:somebody@example.com>;tag=x"),
}


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_request_that_is_refused(sipp: StartSipp, ringing: Unit, refusal: Refusal, transport: str) -> None:
    status, expected = refusal.expected.split(" ", 1)
    words = {
        "METHOD": refusal.method,
        "ADDRESS": refusal.uri,
        "FIELDS": refusal.fields + refusal.body,
        "STATUS": status,
        "EXPECTED": expected,
        "THEN": "SEND ACK 1 same" if refusal.method == "INVITE" else "WAIT 1",
    }
    run = sipp("caller_asks_too_much", remote=ringing.sip, transport=transport, replace=tuple(words.items()))
    run.finish()
    assert ringing.state()["calls"] == []
    assert ringing.history(f":{run.port}") == []


# SIPp is called

CALLEES = {
    "repeats its 200": Case(
        "callee_repeats_its_200",
        (ACTIVE, heard("ACK sip:", 3), HANG_UP),
        CALLING,
        transports=("udp",),
        exact=True,
    ),
    "forks, and one answers": Case("callee_forks_and_one_answers", (ALERTING, ACTIVE, HANG_UP), CALLING),
    "takes its time": Case("callee_takes_its_time", (ALERTING, ACTIVE, HANG_UP), CALLING),
    "has no picture": Case(
        "callee_has_no_picture",
        (ACTIVE, pictures(False), pictures(True), pictures(False)),
        ("active", "ended"),
    ),
    **{
        f"holds by {way}": Case(
            "callee_holds",
            (ACTIVE, view("held_by_far_end", True), view("held_by_far_end", False)),
            ("active", "ended"),
            replace={"HOLD": way},
        )
        for way in ("sendonly", "inactive")
    },
    "holds by 0.0.0.0": Case(
        "callee_holds",
        (ACTIVE, view("held_by_far_end", True), view("held_by_far_end", False)),
        ("active", "ended"),
        replace={"HOLD 2": "sendrecv 2 zero-address"},
    ),
    "is not held": Case(
        "callee_is_not_held",
        (ACTIVE, HOLD, heard("CSeq: 2 ACK"), view("held", False), HANG_UP),
        ("active", "ending", "ended"),
    ),
    "has forgotten the call": Case("callee_has_forgotten", (ACTIVE, HOLD), ("active", "ended"), EndReason.LOST),
    "does not know the BYE": Case("callee_does_not_know_the_bye", (ACTIVE, HANG_UP), ("active", "ending", "ended")),
    "does not know the CANCEL": Case(
        "callee_does_not_know_the_cancel", (ALERTING, HANG_UP), ("alerting", "ending", "ended")
    ),
}


@rows(CALLEES)
def test_a_callee(sipp: StartSipp, ringing: Unit, case: Case, transport: str) -> None:
    run = sipp(case.scenario, transport=transport, replace=tuple(case.replace.items()), exact=case.exact)
    ringing.dial(run.uri)
    case.check(ringing, run)


REFUSED = {
    "300": EndReason.NOT_FOUND,
    "400": EndReason.PROTOCOL_ERROR,
    "401": EndReason.UNAUTHORIZED,
    "403": EndReason.REFUSED,
    "404": EndReason.NOT_FOUND,
    "407": EndReason.UNAUTHORIZED,
    "408": EndReason.UNREACHABLE,
    "410": EndReason.NOT_FOUND,
    "415": EndReason.NO_COMMON_MEDIA,
    "416": EndReason.NOT_FOUND,
    "420": EndReason.PROTOCOL_ERROR,
    "480": EndReason.NO_ANSWER,
    "481": EndReason.PROTOCOL_ERROR,
    "482": EndReason.UNREACHABLE,
    "483": EndReason.UNREACHABLE,
    "484": EndReason.NOT_FOUND,
    "486": EndReason.BUSY,
    "487": EndReason.CANCELLED,
    "499": EndReason.PROTOCOL_ERROR,
    "500": EndReason.REFUSED,
    "503": EndReason.UNREACHABLE,
    "504": EndReason.UNREACHABLE,
    "600": EndReason.BUSY,
    "603": EndReason.DECLINED,
    "604": EndReason.NOT_FOUND,
    "699": EndReason.DECLINED,
}
FIELDS = {
    "300": "Contact: <mailto:room@example.com>",
    "401": "WWW-Authenticate: Digest realm=x, nonce=x",
    "407": "Proxy-Authenticate: Digest realm=x, nonce=x",
    "503": "Retry-After: 120 (overload)",
    "486": "Retry-After: 5",
    "420": "Unsupported: timer",
}


@pytest.mark.parametrize(("status", "reason"), REFUSED.items())
def test_the_unit_is_refused(sipp: StartSipp, ringing: Unit, status: str, reason: EndReason) -> None:
    """The room says so in words of its own, and doesn't call again by itself, whatever Retry-After promises."""
    words = (("STATUS", status), ("FIELD", FIELDS.get(status, "Server: SIPp")))
    run = sipp("callee_refuses_at_once", replace=words, transport="tcp" if int(status) % 2 else "udp")
    ringing.dial(run.uri)
    run.finish()
    assert ringing.wait_for_idle()["notice"]["text"] == reason.value
    assert ringing.history(f":{run.port}") == [["ended", reason.value]]
    assert run.messages().count("INVITE sip:") == 1


@pytest.mark.parametrize("status", ["488", "606"])
def test_whoever_likes_no_offer(sipp: StartSipp, ringing: Unit, status: str) -> None:
    """It may be the encryption that is not to its taste: each way is offered once, then it is over."""
    run = sipp("callee_refuses_at_once", replace=(("STATUS", status), ("FIELD", "Server: SIPp")), calls=4)
    ringing.dial(run.uri)
    run.finish()
    ringing.wait_for_idle()
    assert ringing.history(f":{run.port}") == [["ended", EndReason.NO_COMMON_MEDIA.value]]
    assert run.messages().count("INVITE sip:") == 4


CHALLENGING = [
    ("401", "WWW-Authenticate", "PASSWORD alice secret", "auth"),
    ("401", "WWW-Authenticate", "PASSWORD alice secret", "auth-int"),
    ("407", "Proxy-Authenticate", 'CHECK Proxy-Authorization: Digest username="alice"', "auth"),
]
"""The password is proven by the first, and by the second the body too; SIPp can verify no other header field."""


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(("status", "field", "proof", "qop"), CHALLENGING)
def test_the_unit_shows_its_password(
    sipp: StartSipp, unit: Callable[..., Unit], status: str, field: str, proof: str, qop: str, transport: str
) -> None:
    words = (("STATUS", status), ("FIELD", field), ("PROOF", proof), ("QOP", qop))
    run = sipp("callee_challenges", transport=transport, replace=words)
    account = {
        "address": f"alice@{run.address}:{run.port}",
        "password": "secret",
        "register": False,
        "transport": transport,
    }
    ours = unit({"sip": {"accounts": [account]}, "media": SMALL})
    ours.dial("1000")
    ours.wait_for_call()
    ours.command("current", "hang_up")
    run.finish()
    ours.wait_for_idle()
    assert ours.history("1000@") == [["active", "ending", "ended", "The call was hung up."]]
    assert f"qop={qop}," in run.messages()


# By IPv6


def test_pictures_and_sound_by_ipv6_of_who_calls_by_ipv4(sipp: StartSipp, unit: Callable[..., Unit], ipv6: str) -> None:
    """A server between that knows both passes on a description as it is (RFC 6157 4)."""
    address, port = own_address(), free_port(ipv6)
    ours = unit(
        {
            "room": {"auto_answer": True},
            "sip": {"port": port, "tls_port": free_port(ipv6), "addresses": [address, ipv6]},
            "h323": {"enabled": False},
            "media": {**SMALL, "encryption": "off"},
        },
        address=address,
    )
    run = sipp("caller_stays", remote=ours.sip, media_address=ipv6)
    call = ours.wait_for_call()
    assert until(lambda: len(ours.streams(call)) == 4)
    # SIPp sends nothing back by IPv6.
    assert until(lambda: all(ours.streams(call)[kind, "send"]["packets"] > 20 for kind in ("audio", "video")))
    assert f"c=IN IP6 {ipv6}" in run.messages().partition("SIP/2.0 200")[2]
    ours.command(call, "hang_up")
    run.finish()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_over_ipv6(sipp: StartSipp, unit: Callable[..., Unit], ipv6: str, transport: str) -> None:
    ours = unit(
        {
            "room": {"auto_answer": False},
            "sip": {"port": free_port(ipv6)},
            "h323": {"enabled": False},
            "web": {"port": free_port(ipv6)},
            "media": SMALL,
        },
        address=ipv6,
    )
    for name in ("crosses our offer", "updates early", "speaks compactly"):
        case = CALLERS[name]
        case.check(ours, sipp(case.scenario, remote=ours.sip, address=ipv6, transport=transport))
    for name in ("has no picture", "forks, and one answers", "takes its time"):
        case = CALLEES[name]
        run = sipp(case.scenario, address=ipv6, transport=transport)
        ours.dial(run.uri)
        case.check(ours, run)
