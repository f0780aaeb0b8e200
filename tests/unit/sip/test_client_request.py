from __future__ import annotations

import re
from typing import Any

import pytest
from sip_peer import Line, flow, response

from firmware.sip.account import Account, AccountSettings
from firmware.sip.authentication import Credential
from firmware.sip.events import Accepted, Ended, OptionsAnswered
from firmware.sip.invite import State
from firmware.sip.message import Request
from firmware.sip.uri import Uri

TARGET = Uri.parse("sip:peer@10.0.0.2")
ADDRESS = Uri.parse("sip:alice@example.com")


def with_account(line: Line, **credential: str) -> Account:
    return line.agent.add_account(
        AccountSettings(ADDRESS, "Alice", Credential(**{"user": "alice", "password": "secret"} | credential))
    )


def challenge(realm: str = "example.com", nonce: str = "n1", more: str = "") -> str:
    return f'Digest realm="{realm}", nonce="{nonce}", qop="auth", algorithm=SHA-256{more}'


def shown(request: Request, name: str = "Authorization") -> dict[str, str]:
    """What the credentials of a request say; nothing: there are none."""
    text = request.headers.get(name) or ""
    return dict(re.findall(r'(\w+)="?([^",]*)"?', text))


class Options:
    """OPTIONS by an account, which the peer answers as the test says."""

    def __init__(self, **credential: str) -> None:
        self.line = Line()
        self.account = with_account(self.line, **credential)
        self.again()

    def again(self) -> None:
        self.line.agent.options(flow(), TARGET, self.line.now, account=self.account)
        self.line.settle()

    def answer(self, status: int, *challenges: str, **more: Any) -> None:
        message = response(self.request, status)
        name = "Proxy-Authenticate" if status == 407 else "WWW-Authenticate"
        for text in challenges:
            message.headers.add(name, text)
        for field, value in more.items():
            message.headers.add(field.replace("_", "-"), value)
        self.line.send(message)

    @property
    def request(self) -> Request:
        return self.line.peer.last_request("OPTIONS")

    @property
    def requests(self) -> int:
        return len(self.line.peer.requests)

    @property
    def outcome(self) -> int | None:
        answered = [event for event in self.line.events if isinstance(event, OptionsAnswered)]
        return answered[-1].status if answered else None


def test_a_challenged_request_is_sent_again_with_credentials() -> None:
    """RFC 3261 22.2, 8.1.3.5."""
    options = Options()
    first = options.request
    assert not shown(first)
    options.answer(401, challenge())
    second = options.request
    assert second is not first
    assert (second.call_id, second.from_, second.to, second.uri) == (first.call_id, first.from_, first.to, first.uri)
    assert second.cseq.number == first.cseq.number + 1
    assert second.via.branch != first.via.branch
    assert len(second.vias) == 1
    assert second.headers.lines("User-Agent") == first.headers.lines("User-Agent")
    said = shown(second)
    assert (said["username"], said["realm"], said["nonce"]) == ("alice", "example.com", "n1")
    assert (said["uri"], said["nc"], said["algorithm"]) == ("sip:peer@10.0.0.2", "00000001", "SHA-256")
    assert options.outcome is None
    options.answer(200)
    assert options.outcome == 200
    assert options.line.gone()


def test_a_proxy_is_answered_in_its_own_field() -> None:
    options = Options()
    options.answer(407, challenge("proxy"))
    assert not shown(options.request)
    assert shown(options.request, "Proxy-Authorization")["realm"] == "proxy"


def test_proxy_and_server_are_both_answered() -> None:
    """RFC 3261 22.3: what the proxy was shown stays there when the server asks as well."""
    options = Options()
    options.answer(407, challenge("edge", "p1"))
    options.answer(401, challenge("example.com", "s1"))
    request = options.request
    assert shown(request, "Proxy-Authorization")["nonce"] == "p1"
    assert shown(request)["nonce"] == "s1"
    assert request.cseq.number == 3
    options.answer(200)
    assert options.outcome == 200


def test_a_wrong_password_is_not_shown_again() -> None:
    options = Options()
    options.answer(401, challenge(nonce="n1"))
    options.answer(401, challenge(nonce="n2"))
    assert options.outcome == 401
    assert options.requests == 2
    assert options.line.gone()


def test_a_stale_nonce_costs_one_more_request() -> None:
    """RFC 7616 3.3."""
    options = Options()
    options.answer(401, challenge(nonce="n1"))
    options.answer(401, challenge(nonce="n2", more=", stale=true"))
    assert shown(options.request)["nonce"] == "n2"
    assert shown(options.request)["nc"] == "00000001"
    options.answer(401, challenge(nonce="n3", more=", stale=true"))
    assert options.outcome == 401
    assert options.requests == 3


def test_ever_new_realms_end() -> None:
    options = Options()
    for number in range(50):
        if options.outcome is not None:
            break
        options.answer(407, challenge(f"realm{number}"))
    assert options.outcome == 407
    assert options.requests <= 6
    assert options.line.gone()


def test_the_next_request_shows_what_is_known_at_once() -> None:
    """RFC 7616 3.6; the count goes on."""
    options = Options()
    options.answer(407, challenge())
    options.answer(200)
    options.again()
    said = shown(options.request, "Proxy-Authorization")
    assert (said["nonce"], said["nc"]) == ("n1", "00000002")
    # The server has forgotten its nonce, and does not say that it is stale: that alone is no wrong password.
    options.answer(407, challenge(nonce="n9"))
    assert shown(options.request, "Proxy-Authorization")["nonce"] == "n9"
    options.answer(200)
    assert options.outcome == 200


def test_what_was_refused_is_not_shown_by_the_next_request() -> None:
    options = Options()
    options.answer(401, challenge())
    options.answer(401, challenge())
    options.again()
    assert not shown(options.request)


def test_only_the_realm_of_the_settings_is_answered() -> None:
    options = Options(realm="example.com")
    options.answer(401, challenge("elsewhere"))
    assert options.outcome == 401
    assert options.requests == 1


def test_a_stranger_s_realm_gets_nothing_once_the_account_s_own_are_known() -> None:
    """A digest is enough to try passwords on."""
    options = Options()
    options.answer(407, challenge("pbx"))
    options.answer(401, challenge("evil"))
    assert options.outcome == 401
    options.again()
    options.answer(401, challenge("example.com"))
    assert shown(options.request)["realm"] == "example.com"


@pytest.mark.parametrize("text", ['Basic realm="x"', "Digest", 'Digest realm="r", nonce="n", algorithm=X', ""])
def test_a_challenge_that_can_t_be_answered_is_the_answer(text: str) -> None:
    options = Options()
    options.answer(401, *([text] if text else []))
    assert options.outcome == 401
    assert options.requests == 1


def test_without_an_account_nobody_is_answered() -> None:
    line = Line()
    line.agent.options(flow(), TARGET, line.now)
    line.settle()
    line.send(response(line.peer.last_request("OPTIONS"), 401, WWW_Authenticate=challenge()))
    assert line.event(OptionsAnswered).status == 401


# Calls


class Calling:
    """A call by an account."""

    def __init__(self, transport: str = "udp") -> None:
        self.line = Line(transport)
        self.account = with_account(self.line)
        self.session = self.line.agent.invite(flow(transport), TARGET, b"offer", 0.0, account=self.account)
        self.line.settle()

    def challenge(self, method: str = "INVITE", status: int = 407, nonce: str = "n1", more: str = "") -> None:
        name = "Proxy_Authenticate" if status == 407 else "WWW_Authenticate"
        text = challenge(nonce=nonce, more=more)
        self.line.send(response(self.line.peer.last_request(method), status, **{name: text}))

    def of(self, method: str) -> list[Request]:
        return [message for message in self.line.peer.requests if message.method == method]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_is_made_through_a_challenge(transport: str) -> None:
    calling = Calling(transport)
    calling.challenge()
    first, second = calling.of("INVITE")
    # The 407 is acknowledged by its own transaction (17.1.1.3).
    [ack] = calling.of("ACK")
    assert (ack.cseq.number, ack.via.branch) == (first.cseq.number, first.via.branch)
    assert second.cseq.number == 2
    assert second.body == b"offer"
    assert str(second.from_.uri) == "sip:alice@example.com"
    assert second.contact is not None
    assert second.contact.uri.user == "alice"
    assert second.contact.uri.parameter("line") == calling.account.line
    calling.line.answer(200, body=b"answer")
    assert calling.line.event(Accepted).body == b"answer"
    # RFC 3261 13.2.2.4: the ACK has the INVITE's credentials and number.
    ack = calling.of("ACK")[-1]
    assert ack.headers.get("Proxy-Authorization") == second.headers.get("Proxy-Authorization")
    assert ack.cseq.number == 2
    assert calling.session.account is calling.account
    # What follows in the dialog has them too, and takes the next number.
    calling.session.end(calling.line.now)
    calling.line.settle()
    [bye] = calling.of("BYE")
    assert bye.cseq.number == 3
    assert shown(bye, "Proxy-Authorization")["nc"] == "00000002"
    calling.challenge("BYE", nonce="n2", more=", stale=true")
    bye = calling.of("BYE")[-1]
    assert (bye.cseq.number, shown(bye, "Proxy-Authorization")["nonce"]) == (4, "n2")
    calling.line.send(response(bye, 200))
    assert calling.line.event(Ended).status is None
    assert calling.line.gone()


def test_a_re_invite_is_challenged_and_accepted() -> None:
    calling = Calling()
    calling.line.answer(200, body=b"answer")
    calling.session.reinvite(b"offer 2", calling.line.now)
    calling.line.settle()
    calling.challenge()
    second = calling.of("INVITE")[-1]
    assert (second.cseq.number, second.body, second.to.tag) == (3, b"offer 2", "peer")
    calling.line.answer(200, body=b"answer 2")
    assert calling.of("ACK")[-1].cseq.number == 3
    assert calling.session.state is State.CONFIRMED
    assert not calling.session.negotiating
    calling.session.info("text/plain", b"x", calling.line.now)
    calling.line.settle()
    assert calling.of("INFO")[-1].cseq.number == 4


def test_a_wrong_password_ends_the_call() -> None:
    calling = Calling()
    calling.challenge()
    calling.challenge(nonce="n2")
    ended = calling.line.event(Ended)
    assert (ended.status, ended.by_far_end) == (407, True)
    assert calling.line.gone()


def test_a_call_that_was_given_up_is_not_made_again_because_of_a_challenge() -> None:
    calling = Calling()
    calling.session.end(calling.line.now)
    calling.challenge()
    assert len(calling.of("INVITE")) == 1
    assert calling.line.event(Ended).by_far_end is False
    assert calling.line.gone()


def test_cancel_waits_for_a_provisional_response_to_the_invite_that_is_out() -> None:
    """RFC 3261 9.1: a 100 to the INVITE before the challenge says nothing of the one after it."""
    calling = Calling()
    calling.line.send(response(calling.of("INVITE")[0], 100))
    calling.challenge()
    calling.session.end(calling.line.now)
    calling.line.settle()
    assert not calling.of("CANCEL")
    second = calling.of("INVITE")[-1]
    calling.line.send(response(second, 100))
    [cancel] = calling.of("CANCEL")
    assert (cancel.cseq.number, cancel.via.branch) == (2, second.via.branch)
    calling.line.send(response(cancel, 200))
    calling.line.send(response(second, 487))
    assert calling.line.event(Ended).by_far_end is False
    assert calling.line.gone()


@pytest.mark.parametrize("status", [401, 407])
@pytest.mark.parametrize("known", [True, False])
def test_who_calls_directly_gets_nothing_to_try_passwords_on(status: int, known: bool) -> None:
    """Known as "SIP digest leak": call a telephone, wait for its BYE, and challenge it."""
    line = Line()
    account = with_account(line)
    account.trust(flow(remote=("10.0.0.9", 5060)))
    session = line.incoming(uri=f"sip:alice@10.0.0.1:5060;line={account.line}" if known else "sip:alice@10.0.0.1")
    session.accept(b"answer", line.now)
    line.settle()
    line.send(line.in_dialog("ACK", cseq=1))
    session.end(line.now)
    line.settle()
    name = "Proxy_Authenticate" if status == 407 else "WWW_Authenticate"
    line.send(response(line.peer.last_request("BYE"), status, **{name: challenge()}))
    assert [message.method for message in line.peer.requests].count("BYE") == 1
    assert line.event(Ended)


def test_a_far_end_behind_a_proxy_gets_nothing_of_what_the_proxy_asks_for() -> None:
    options = Options()
    options.answer(407, challenge("example.com", "p1"))
    options.answer(401, challenge("example.com", "s1"))
    assert options.outcome == 401


def test_an_incoming_call_of_the_account_answers_as_the_account() -> None:
    line = Line()
    account = with_account(line)
    account.trust(flow())
    session = line.incoming(uri=f"sip:alice@10.0.0.1:5060;line={account.line}")
    assert session.account is account
    session.accept(b"answer", line.now)
    line.settle()
    contact = line.peer.responses[-1].contact
    assert contact is not None
    assert contact.uri.parameter("line") == account.line
    line.send(line.in_dialog("ACK", cseq=1))
    session.end(line.now)
    line.settle()
    line.send(response(line.peer.last_request("BYE"), 401, WWW_Authenticate=challenge()))
    assert shown(line.peer.last_request("BYE"))["username"] == "alice"
