from __future__ import annotations

import random
from typing import Any

import pytest
from ras_zone import EPOCH, FIRST, OURS

from firmware.h323.h225 import IDENTIFIER, RAS_MESSAGE
from firmware.h323.h235 import Credentials, Method
from firmware.h323.h235_baseline import Baseline, hashed_token
from firmware.h323.identity import Identity
from firmware.h323.ras_message import Body
from firmware.h323.ras_settings import Settings
from firmware.h323.ras_transport import MAX_MESSAGE, Received, Transport
from firmware.sansio import Close, Flow, Send

GATEKEEPER = Flow("udp", OURS, FIRST)
REQUEST: Body = {
    "requestSeqNum": 5,
    "protocolIdentifier": IDENTIFIER,
    "discoveryComplete": True,
    "callSignalAddress": [],
    "rasAddress": [],
    "terminalType": {"mc": False, "undefinedNode": False},
    "endpointVendor": {"vendor": {"t35CountryCode": 1, "t35Extension": 0, "manufacturerCode": 1}},
}
CONFIRM: Body = {
    "requestSeqNum": 5,
    "protocolIdentifier": IDENTIFIER,
    "callSignalAddress": [],
    "gatekeeperIdentifier": "GK",
    "endpointIdentifier": "ep1",
}


def make(*methods: Method) -> Transport:
    credentials = Credentials("room", "secret", methods) if methods else None
    settings = Settings(Identity(()), OURS, OURS, credentials=credentials)
    transport = Transport(settings, random.Random(1), EPOCH)
    transport.gatekeeper_identifier = "GK"
    return transport


def sent(transport: Transport) -> Body:
    [action] = transport.actions()
    assert isinstance(action, Send)
    assert action.flow == GATEKEEPER
    body: Body = RAS_MESSAGE.decode(action.data)[1]
    return body


def values(transport: Transport) -> Body:
    token = hashed_token(sent(transport))
    assert token is not None
    return dict(token["hashedVals"])


def test_a_full_registration_is_the_user_s_and_all_else_the_endpoint_s() -> None:
    transport = make(Method.BASELINE)
    transport.endpoint_identifier = "ep1"
    transport.send(GATEKEEPER, "registrationRequest", {**REQUEST, "keepAlive": False}, 10.0)
    assert {"sendersID": "room", "generalID": "GK", "timeStamp": int(EPOCH) + 10}.items() <= values(transport).items()
    transport.send(GATEKEEPER, "registrationRequest", {**REQUEST, "keepAlive": True}, 10.0)
    assert values(transport)["sendersID"] == "ep1"
    transport.send(GATEKEEPER, "unregistrationRequest", {"requestSeqNum": 5, "callSignalAddress": []}, 10.0)
    assert values(transport)["sendersID"] == "ep1"


def test_discovery_is_not_protected_and_is_believed() -> None:
    transport = make(Method.BASELINE)
    body: Body = {"requestSeqNum": 5, "protocolIdentifier": IDENTIFIER, "rejectReason": ("undefinedReason", None)}
    transport.send(GATEKEEPER, "gatekeeperReject", body, 0.0)
    assert "cryptoTokens" not in sent(transport)
    received = transport.open(GATEKEEPER, RAS_MESSAGE.encode(("gatekeeperReject", body)), 0.0)
    assert received == Received("gatekeeperReject", body, GATEKEEPER, trusted=True)


@pytest.mark.parametrize(("method", "place"), [(Method.MD5, "cryptoTokens"), (Method.CAT, "tokens")])
def test_one_way_methods_send_a_token_and_believe_the_answer(method: Method, place: str) -> None:
    transport = make(method)
    transport.send(GATEKEEPER, "registrationRequest", REQUEST, 0.0)
    assert len(sent(transport)[place]) == 1
    received = transport.open(GATEKEEPER, RAS_MESSAGE.encode(("registrationConfirm", CONFIRM)), 0.0)
    assert received is not None
    assert received.trusted


def test_without_credentials_no_method_is_used() -> None:
    transport = make()
    transport.use(Method.BASELINE)
    transport.send(GATEKEEPER, "registrationRequest", REQUEST, 0.0)
    assert not {"tokens", "cryptoTokens"} & set(sent(transport))


def protected(password: str = "secret", name: str = "registrationConfirm", body: Body = CONFIRM, **more: Any) -> bytes:
    words = {"sender": "GK", "recipient": "ep1", "time": int(EPOCH), **more}
    return Baseline(password, random.Random(2)).protect(name, body, **words)


def test_a_confirm_may_speak_to_us_by_the_name_that_it_gives_us() -> None:
    received = make(Method.BASELINE).open(GATEKEEPER, protected(), 0.0)
    assert received is not None
    assert received.trusted


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (protected("wrong"), "securityIntegrityFailed"),
        (protected(sender="OtherGK"), "securityWrongSendersID"),
        (protected(recipient="ep2"), "securityWrongGeneralID"),
        (protected(time=5), "securityWrongSyncTime"),
        (RAS_MESSAGE.encode(("registrationConfirm", CONFIRM)), "securityTokenMissing"),
    ],
)
def test_what_is_wrong_is_counted_and_not_trusted(data: bytes, why: str) -> None:
    transport = make(Method.BASELINE)
    received = transport.open(GATEKEEPER, data, 0.0)
    assert received is not None
    assert not received.trusted
    assert transport.dropped == {why: 1}


def test_an_unknown_gatekeeper_s_name_is_the_one_that_it_gives() -> None:
    transport = make(Method.BASELINE)
    transport.gatekeeper_identifier = ""
    received = transport.open(GATEKEEPER, protected(), 0.0)
    assert received is not None
    assert received.trusted


def test_the_same_method_again_still_knows_old_messages() -> None:
    transport = make(Method.BASELINE)
    data = protected()
    first = transport.open(GATEKEEPER, data, 0.0)
    transport.use(Method.BASELINE)
    again = transport.open(GATEKEEPER, data, 0.0)
    assert first is not None
    assert again is not None
    assert (first.trusted, again.trusted) == (True, False)
    assert transport.dropped == {"securityReplay": 1}


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"", "malformed"), (b"\x0e", "malformed"), (b"\xff" * 40, "malformed"), (bytes(MAX_MESSAGE + 1), "too long")],
)
def test_what_is_no_message_is_dropped(data: bytes, why: str) -> None:
    transport = make()
    assert transport.open(GATEKEEPER, data, 0.0) is None
    assert transport.dropped == {why: 1}


def test_a_message_of_the_future_is_a_name_without_a_body() -> None:
    # X.691 22.5, 22.8: the extension bit, index 20 as a small number, an open type of one octet
    received = make().open(GATEKEEPER, bytes([0x80 | 20, 1, 0]), 0.0)
    assert received is not None
    assert received.name.startswith("+")
    assert received.body == {}
    secured = make(Method.BASELINE).open(GATEKEEPER, bytes([0x80 | 20, 1, 0]), 0.0)
    assert secured is not None
    assert not secured.trusted


def test_time_may_be_set() -> None:
    transport = make(Method.BASELINE)
    transport.epoch = 100.0
    transport.send(GATEKEEPER, "registrationRequest", REQUEST, 7.9)
    assert values(transport)["timeStamp"] == 107


def test_by_a_connection_the_gatekeeper_of_the_settings_has_a_name_and_others_have_an_address() -> None:
    settings = Settings(Identity(()), OURS, OURS, gatekeeper=FIRST, transport="tls", domain="gk.example")
    transport = Transport(settings, random.Random(1), EPOCH)
    assert transport.flow(FIRST) == Flow("tls", OURS, FIRST, domain="gk.example")
    assert transport.flow(("192.0.2.77", 1300)) == Flow("tls", OURS, ("192.0.2.77", 1300))
    transport.close(FIRST)
    assert transport.actions() == [Close(transport.flow(FIRST))]


def test_there_is_no_connection_to_close_by_udp() -> None:
    transport = make()
    transport.close(FIRST)
    assert transport.actions() == []
