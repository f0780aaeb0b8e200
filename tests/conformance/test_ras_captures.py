"""RAS as two real programs spoke it (GnuGk 5.15 and H323Plus 1.28, `tests/captures`)."""

from __future__ import annotations

import random
from typing import Any

import pytest
from conformance.h323_capture import CAPTURES, datagrams

from firmware.h323.h225 import RAS_MESSAGE
from firmware.h323.h235_baseline import Baseline, hashed_token
from firmware.h323.identity import Identity
from firmware.h323.ras import RasClient
from firmware.h323.ras_call import CallInformation, State
from firmware.h323.ras_event import Admitted, Registered, Unregistered
from firmware.h323.ras_settings import Settings
from firmware.sansio import Flow, Send

OURS, GATEKEEPER = ("127.0.0.10", 33_245), ("127.0.0.10", 1719)
FLOW = Flow("udp", OURS, GATEKEEPER)
PASSWORDS = {"alice": "alicepw", "bob": "bobpw"}
WRONG_PASSWORD = 20
"""Number of the RRQ in gk-auth-h2351 that was refused: securityDenial follows."""


def messages(capture: str) -> list[tuple[bytes, str, dict[str, Any]]]:
    return [(data, *RAS_MESSAGE.decode(data)) for data in datagrams(CAPTURES / f"{capture}.pcap")]


def test_every_hash_is_right_but_that_of_the_wrong_password() -> None:
    names: set[str] = {"TestGK"}
    users = {}
    checks = {user: Baseline(password, random.Random(1)) for user, password in PASSWORDS.items()}
    found = []
    asked: dict[int, str] = {}
    for _, name, body in messages("gk-auth-h2351"):
        if name == "registrationRequest":
            asked[body["requestSeqNum"]] = body["terminalAlias"][0][1]
        elif name == "registrationConfirm":
            users[body["endpointIdentifier"]] = asked[body["requestSeqNum"]]
    names |= set(users) | set(PASSWORDS)
    for number, (data, name, body) in enumerate(messages("gk-auth-h2351")):
        token = hashed_token(body)
        if token is None:
            continue
        values = token["hashedVals"]
        user = next(users.get(n, n) for n in (values["sendersID"], values["generalID"]) if n != "TestGK")
        wrong = checks[user].verify(body, data, senders=names, recipients=names, time=values["timeStamp"] + 3)
        assert wrong == ("securityIntegrityFailed" if number == WRONG_PASSWORD else ""), (number, name)
        found.append(name)
    assert len(found) == 15
    assert {"registrationConfirm", "admissionConfirm", "disengageConfirm", "unregistrationConfirm"} <= set(found)


def answer(client: RasClient, now: float, confirms: list[dict[str, Any]], name: str) -> None:
    """Give the client the next confirm of the capture, as an answer to what it has just sent."""
    [action] = client.actions()
    assert isinstance(action, Send)
    assert action.flow == FLOW
    _, request = RAS_MESSAGE.decode(action.data)
    body = {**confirms.pop(0), "requestSeqNum": request["requestSeqNum"]}
    client.receive_data(FLOW, RAS_MESSAGE.encode((name, body)), now)


def test_a_client_of_ours_understands_a_real_gatekeeper() -> None:
    captured = messages("gk-open-routed")

    def confirms(name: str) -> list[dict[str, Any]]:
        return [body for _, found, body in captured if found == name]

    identity = Identity((("h323-ID", "alice"), ("dialledDigits", "3000")))
    client = RasClient(Settings(identity, OURS, ("127.0.0.30", 1720), GATEKEEPER), random.Random(1))
    client.start(0.0)
    for name in ("gatekeeperConfirm", "registrationConfirm"):
        answer(client, 0.1, confirms(name), name)
    [registered] = client.events()
    assert isinstance(registered, Registered)
    assert registered.gatekeeper.identifier == "TestGK"
    assert registered.aliases == identity.aliases
    assert client.call_signal_address == ("127.0.0.10", 1721)
    call = CallInformation(bytes(16), bytes(16), 1, answer=False, bandwidth=10_000_000, destination=identity.aliases)
    admission = client.admit(call, 0.2)
    answer(client, 0.3, confirms("admissionConfirm"), "admissionConfirm")
    assert client.events() == [Admitted(admission)]
    assert (admission.state, admission.routed) == (State.ADMITTED, True)
    assert admission.address == ("127.0.0.10", 1721)
    assert admission.report_interval == 120
    assert client.timer() == pytest.approx(0.1 + 30, abs=3.1)


def test_a_client_of_ours_understands_a_real_refusal() -> None:
    [refusal] = [body for _, name, body in messages("gk-auth-h2351") if name == "registrationReject"]
    settings = Settings(Identity((("h323-ID", "alice"),)), OURS, ("127.0.0.30", 1720), GATEKEEPER, discover=False)
    client = RasClient(settings, random.Random(1))
    client.start(0.0)
    answer(client, 0.1, [refusal], "registrationReject")
    [event] = client.events()
    assert isinstance(event, Unregistered)
    assert event.reason == "securityDenial"


def test_what_we_send_says_no_less_than_what_real_endpoints_send() -> None:
    """Every component that a real endpoint sends is there, or is one of those that we have no use for."""
    not_ours = {
        "featureSet",
        "genericData",
        "supportsAssignedGK",
        "usageReportingCapability",
        "callCreditCapability",
        "canMapSrcAlias",
    }
    identity = Identity((("h323-ID", "alice"), ("dialledDigits", "3000")))
    client = RasClient(Settings(identity, OURS, ("127.0.0.30", 1720), GATEKEEPER), random.Random(1))
    captured = messages("gk-open-routed")
    client.start(0.0)
    ours: dict[str, dict[str, Any]] = {}

    def exchange(confirm: str) -> None:
        [action] = client.actions()
        assert isinstance(action, Send)
        name, request = RAS_MESSAGE.decode(action.data)
        ours[name] = request
        body = next(body for _, found, body in captured if found == confirm)
        answer_body = {**body, "requestSeqNum": request["requestSeqNum"]}
        client.receive_data(FLOW, RAS_MESSAGE.encode((confirm, answer_body)), 0.1)

    exchange("gatekeeperConfirm")
    exchange("registrationConfirm")
    call = CallInformation(bytes(16), bytes(16), 1, answer=False, bandwidth=1_000_000, destination=identity.aliases)
    client.admit(call, 0.2)
    exchange("admissionConfirm")
    for _, name, body in captured[:5]:
        if name in ours:
            assert set(body) - set(ours[name]) <= not_ours, name
    assert set(ours) == {"gatekeeperRequest", "registrationRequest", "admissionRequest"}
