"""The call flows of RFC 3665 with our user agent as Bob, who registers, and as Alice and Bob, who call each other.

The messages of the others (F1, F2 ... in the RFC) are written here; what ours sends is compared.  Flow 3.4 (a proxy
that does not answer) is in test_rfc3263.py, by the names of two proxies.  Flows 2.2 and 2.3 are those of clients that
manage several contacts, which a room does not.
"""

from __future__ import annotations

from typing import Any

import pytest
from registration_zone import Zone
from sip_peer import OURS, THEIRS, Line, flow, request, response

from firmware.sip.account import AccountSettings
from firmware.sip.authentication import Credential
from firmware.sip.events import Accepted, Confirmed, Ended, Incoming, Offered
from firmware.sip.invite import State
from firmware.sip.message import Request, Response
from firmware.sip.registration import State as RegistrationState
from firmware.sip.uri import Uri

PROXIES = "<sip:ss2.biloxi.example.com;lr>, <sip:ss1.atlanta.example.com;lr>"
"""Record-Route as it reaches Bob and comes back to Alice."""
BOB = Uri.parse("sip:bob@biloxi.example.com")


def seen(line: Line) -> list[str]:
    """What the peer has received: methods and statuses, without 100."""
    received = [
        message.method if isinstance(message, Request) else str(message.status) for _, message in line.peer.received
    ]
    return [each for each in received if each != "100"]


def test_2_1_bob_registers() -> None:
    """F1 to F4: challenged, then taken; all but CSeq, branch and credentials is as it was."""
    zone = Zone(transport="tls").run(1)
    first, second = (heard.request for heard in zone.heard)
    assert [bool(heard.credentials) for heard in zone.heard] == [False, True]
    assert (first.call_id, first.from_, first.uri) == (second.call_id, second.from_, second.uri)
    assert [each.cseq.number for each in (first, second)] == [1, 2]
    assert first.via.branch != second.via.branch
    assert zone.state is RegistrationState.REGISTERED
    assert len(zone.registrar.bound()) == 1


def test_2_4_bob_cancels_his_registration() -> None:
    """F1, F2: what the nonce is good for need not be asked again; nothing is bound any more."""
    zone = Zone().run(1)
    zone.registration.stop(zone.wire.now)
    zone.run(1)
    assert [(heard.expires, bool(heard.credentials)) for heard in zone.heard] == [
        (3600, False),
        (3600, True),
        (0, True),
    ]
    assert zone.registrar.bound() == []


def test_2_5_bob_does_not_know_his_password() -> None:
    """F1 to F4: the second 401 is not stale, so that the same password is not shown again."""
    zone = Zone(password="guess").run(20)
    assert [bool(heard.credentials) for heard in zone.heard] == [False, True]
    assert (zone.state, zone.registration.status) == (RegistrationState.FAILED, 401)


def test_3_1_alice() -> None:
    """Successful session establishment."""
    line = Line()
    session = line.dial()
    line.answer(180)
    line.answer(200, body=b"answer")
    line.send(line.in_dialog("BYE"))
    assert seen(line) == ["INVITE", "ACK", "200"]
    assert line.kinds == ["Progress", "Accepted", "Ended"]
    invite, ack = line.peer.requests
    assert (ack.call_id, ack.from_, ack.cseq.number) == (invite.call_id, invite.from_, invite.cseq.number)
    assert ack.via.branch != invite.via.branch
    assert session.state is State.ENDED
    assert line.gone()


def test_3_1_bob() -> None:
    line = Line()
    session = line.incoming()
    session.ring(line.now)
    session.accept(b"answer", line.now)
    line.settle()
    line.send(line.in_dialog("ACK", cseq=1))
    session.end(line.now)
    line.settle()
    line.send(response(line.peer.last_request("BYE"), 200))
    assert seen(line) == ["180", "200", "BYE"]
    bye = line.peer.last_request("BYE")
    assert bye.to.tag == "peer"
    assert bye.from_.tag == line.peer.responses[0].to.tag
    assert line.gone()


def test_3_2_alice_through_two_proxies() -> None:
    line = Line()
    session = line.dial()
    line.answer(180, Record_Route=PROXIES)
    line.answer(200, body=b"answer", Record_Route=PROXIES, contact="<sip:bob@client.biloxi.example.com>")
    session.end(line.now)
    line.settle()
    for method in ("ACK", "BYE"):
        sent = line.peer.last_request(method)
        assert str(sent.uri) == "sip:bob@client.biloxi.example.com"
        # F14: the route set is the Record-Route of the response, reversed.
        assert [str(route) for route in sent.routes] == [
            "<sip:ss1.atlanta.example.com;lr>",
            "<sip:ss2.biloxi.example.com;lr>",
        ]
    line.send(response(line.peer.last_request("BYE"), 200))
    assert line.gone()


def test_3_2_bob_through_two_proxies() -> None:
    line = Line()
    session = line.incoming(Record_Route=PROXIES, Contact="<sip:alice@client.atlanta.example.com;transport=tcp>")
    session.accept(b"answer", line.now)
    line.settle()
    accepted = line.peer.responses[-1]
    assert ", ".join(accepted.headers.all("Record-Route")) == PROXIES
    line.send(line.in_dialog("ACK", cseq=1))
    session.end(line.now)
    line.settle()
    bye = line.peer.last_request("BYE")
    assert ", ".join(str(route) for route in bye.routes) == PROXIES
    assert str(bye.uri) == "sip:alice@client.atlanta.example.com;transport=tcp"


CHALLENGE = 'Digest realm="{}", qop="auth", nonce="f84f1cec41e6cbe5aea9c8e88d359", algorithm=MD5'


def test_3_3_alice_with_two_proxies_that_want_a_password() -> None:
    """F1 to F14: challenged by one proxy and then by the other; the last INVITE satisfies both."""
    line = Line()
    account = line.agent.add_account(
        AccountSettings(Uri.parse("sip:alice@atlanta.example.com"), credential=Credential("alice", "secret"))
    )
    session = line.agent.invite(flow(), BOB, b"offer", line.now, account=account)
    line.settle()
    realms = ("atlanta.example.com", "biloxi.example.com")
    for realm in realms:
        line.answer(407, Proxy_Authenticate=CHALLENGE.format(realm))
        line.settle()
    line.answer(180)
    line.answer(200, body=b"answer")
    line.settle()
    invites = [each for each in line.peer.requests if each.method == "INVITE"]
    credentials = [" ".join(each.headers.all("Proxy-Authorization")) for each in invites]
    shown = [[realm for realm in realms if f'realm="{realm}"' in each] for each in credentials]
    assert shown == [[], [realms[0]], list(realms)]
    assert [each.cseq.number for each in invites] == [1, 2, 3]
    assert len({(each.call_id, each.from_.tag) for each in invites}) == 1
    assert seen(line) == ["INVITE", "ACK", "INVITE", "ACK", "INVITE", "ACK"]
    assert session.state is State.CONFIRMED


def test_3_5_alice_behind_a_gateway_that_writes_descriptions_anew() -> None:
    """F1 to F16: Proxy 1 puts its own address into what both say, and stays in the way of each later request."""
    line = Line()
    session = line.dial()
    said = {"Record_Route": "<sip:ss1.atlanta.example.com;lr>", "contact": "<sip:bob@client.biloxi.example.com>"}
    line.answer(180, **said)
    line.answer(200, body=b"the gateway's answer", **said)
    assert line.event(Accepted).body == b"the gateway's answer"
    line.send(line.in_dialog("INVITE", cseq=2, body=b"the gateway's offer", Contact=said["contact"]))
    session.answer(b"answer", line.now)
    line.settle()
    line.send(line.in_dialog("ACK", cseq=2))
    session.end(line.now)
    line.settle()
    bye = line.peer.last_request("BYE")
    assert [str(route) for route in bye.routes] == ["<sip:ss1.atlanta.example.com;lr>"]
    assert str(bye.uri) == "sip:bob@client.biloxi.example.com"
    line.send(response(bye, 200))
    assert line.gone()


def test_3_6_alice_is_redirected_and_says_what_she_sends_in_ack() -> None:
    line = Line()
    line.dial(offer=None)
    line.answer(302, Contact="<sip:bob@biloxi.example.com>")
    assert [str(uri) for uri in line.event(Ended).contacts] == ["sip:bob@biloxi.example.com"]
    assert seen(line) == ["INVITE", "ACK"]
    session = line.agent.invite(flow(), BOB, None, line.now)
    line.settle()
    line.answer(200, body=b"bob's offer")
    assert line.event(Accepted).body == b"bob's offer"
    session.acknowledge(b"alice's answer", line.now)
    line.settle()
    assert line.peer.last_request("ACK").body == b"alice's answer"


def test_3_6_bob_gets_an_invite_without_a_description() -> None:
    line = Line()
    session = line.incoming(body=b"")
    assert line.event(Incoming).offer is None
    session.accept(b"bob's offer", line.now)
    line.settle()
    line.send(line.in_dialog("ACK", cseq=1, body=b"alice's answer"))
    assert line.event(Confirmed).body == b"alice's answer"


def test_3_7_alice_gets_a_reinvite_because_bob_has_moved() -> None:
    line = Line()
    session = line.established()
    line.send(line.in_dialog("INVITE", cseq=14, body=b"offer 2", Contact="<sip:bob@10.0.0.2:5070>"))
    assert line.event(Offered).body == b"offer 2"
    session.answer(b"answer 2", line.now)
    line.settle()
    line.send(line.in_dialog("ACK", cseq=14))
    assert str(session.remote_target) == "sip:bob@10.0.0.2:5070"
    assert session.state is State.CONFIRMED


def test_3_7_bob_moves() -> None:
    line = Line()
    session = line.taken()
    session.reinvite(b"offer 2", line.now)
    line.settle()
    again = line.peer.last_request("INVITE")
    assert (again.to.tag, again.body) == ("peer", b"offer 2")
    line.send(response(again, 200, body=b"answer 2"))
    line.settle()
    assert line.peer.last_request("ACK").cseq.number == again.cseq.number


def test_3_8_alice_gives_up() -> None:
    """No answer: F12 CANCEL, its 200, 487, ACK."""
    line = Line()
    session = line.dial()
    line.answer(180)
    session.end(line.now)
    line.settle()
    cancel, invite = line.peer.last_request("CANCEL"), line.peer.last_request("INVITE")
    assert cancel.via == invite.via
    assert (cancel.uri, cancel.to, cancel.cseq.number) == (invite.uri, invite.to, invite.cseq.number)
    line.send(response(cancel, 200))
    line.answer(487)
    assert seen(line) == ["INVITE", "CANCEL", "ACK"]
    assert line.peer.last_request("ACK").via.branch == invite.via.branch
    assert line.gone()


def test_3_8_bob_is_given_up() -> None:
    line = Line()
    line.incoming().ring(line.now)
    line.settle()
    line.send(request("CANCEL"))
    assert seen(line) == ["180", "200", "487"]
    assert len({answer.to.tag for answer in line.peer.responses if answer.status != 100}) == 1
    line.send(request("ACK", to_tag=line.peer.responses[-1].to.tag or ""))
    assert line.gone()


@pytest.mark.parametrize(("status", "clause"), [(486, "3.9"), (480, "3.11")])
def test_3_9_and_3_11_alice_does_not_get_through(status: int, clause: str) -> None:
    line = Line()
    line.dial()
    line.answer(status)
    assert line.event(Ended).status == status, clause
    assert seen(line) == ["INVITE", "ACK"]
    assert line.peer.last_request("ACK").to.tag == "peer"
    assert line.gone()


@pytest.mark.parametrize("status", [486, 480])
def test_3_9_and_3_11_bob_does_not_answer(status: int) -> None:
    line = Line()
    line.incoming().reject(status, line.now)
    line.settle()
    line.send(request("ACK", to_tag=line.peer.responses[-1].to.tag or ""))
    assert seen(line) == [str(status)]
    assert line.gone()


def test_3_10_nobody_answers_the_proxy() -> None:
    """F2 to F9: Bob's proxy hears nothing, and answers 480; with no proxy, Alice herself gives up after 64*T1."""
    line = Line()
    line.dial()
    line.settle(31.9)
    assert line.events == []
    assert line.peer.times("INVITE") == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    line.settle(0.2)
    assert line.event(Ended).status == 408
    assert line.gone()


def test_what_the_flows_have_in_common() -> None:
    """Every request has what RFC 3261 8.1.1 asks for, every response what 8.2.6 does."""
    line = Line()
    session = line.established()
    session.end(line.now)
    line.settle()
    messages: list[Any] = [message for _, message in line.peer.received]
    for message in messages:
        message.check()
        assert isinstance(message, Request | Response)
        assert message.headers.get("Content-Length") is not None
    assert all(each.max_forwards == 70 for each in line.peer.requests)
    assert (flow().local, flow().remote) == (OURS, THEIRS)
