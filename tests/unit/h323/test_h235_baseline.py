"""H.235.1 against what two real programs sent each other (tests/captures/gk-auth-h2351.pcap), and against attacks."""

from __future__ import annotations

import random

import pytest

from firmware.h323.h225 import RAS_MESSAGE
from firmware.h323.h235 import MISSING
from firmware.h323.h235_baseline import WINDOW, Baseline, Replays, hashed_token

CAPTURED = {
    "registrationRequest": (
        "0ec00db5060008914a00078001007f00001e06b801007f00000ada3122c00900003d1048333233506c75732073696d706c6500001a312e"
        "32382e30202848333233706c75732076312e32382e30290000000140040061006c0069006300650a00540065007300740047004b600900"
        "003d1048333233506c75732073696d706c6500001a312e32382e30202848333233706c75732076312e32382e302900002eab190202003b"
        "4f0174070008816b000201c500070008816b000205c06b03944b04558521620a00540065007300740047004b02800b080061006c006900"
        "630065070008816b000206006062904b52ce67cd074b629f3f010001800100010002700001300100"
    ),
    "registrationConfirm": (
        "12c00db5060008914a000701007f00000a06b90140040061006c0069006300650a00540065007300740047004b1c003200360038003200"
        "3100300034003200370032005f0065006e0064007012ab8002003b630174070008816b000201c500070008816b000205c06b03944b0404"
        "e254851c0032003600380032003100300034003200370032005f0065006e0064007002800d0a00540065007300740047004b070008816b"
        "00020600601f3071534bd199ccc2f1f24e010001000501400060a00100"
    ),
    "admissionRequest": (
        "26800db603800032003600380032003100300034003200370032005f0065006e006400700140020062006f00620140040061006c006900"
        "630065800186a02b7a7ac48d6649e5f1119c3602fc00000001096520700180110070c48d6649e5f1119c3602fc000000010d0a00540065"
        "007300740047004b630174070008816b000201c500070008816b000205c06b03944b04558521630a00540065007300740047004b02801f"
        "1c0032003600380032003100300034003200370032005f0065006e00640070070008816b0002060060cb030d7862bacf0e2e5d27990180"
        "0510010000090d01080a2b0601040181854200090100"
    ),
}
"""Messages of the user alice, whose password is alicepw, at the gatekeeper TestGK, which named her ENDPOINT."""
ENDPOINT, GATEKEEPER, SENT_AT = "2682104272_endp", "TestGK", 1_795_396_684
NAMES = {ENDPOINT, GATEKEEPER, "alice"}
"""Of both sides, as the captured messages go both ways."""


def captured(name: str) -> tuple[dict[str, object], bytes]:
    data = bytes.fromhex(CAPTURED[name])
    decoded, body = RAS_MESSAGE.decode(data)
    assert decoded == name
    return body, data


def verify(name: str, password: str = "alicepw", *, time: int = SENT_AT, damage: int = -1) -> str:
    body, data = captured(name)
    if damage >= 0:
        data = data[:damage] + bytes([data[damage] ^ 1]) + data[damage + 1 :]
    baseline = Baseline(password, random.Random(1))
    return baseline.verify(body, data, senders=NAMES, recipients=NAMES, time=time)


@pytest.mark.parametrize("name", CAPTURED)
def test_what_real_programs_sent_is_right(name: str) -> None:
    assert verify(name) == ""


@pytest.mark.parametrize("name", CAPTURED)
def test_the_password_matters(name: str) -> None:
    assert verify(name, "alicepx") == "securityIntegrityFailed"


@pytest.mark.parametrize("name", CAPTURED)
def test_every_octet_matters(name: str) -> None:
    _, data = captured(name)
    for at in range(len(data)):
        assert verify(name, damage=at) == "securityIntegrityFailed", at


def test_the_time_may_differ_a_little() -> None:
    assert verify("admissionRequest", time=SENT_AT + WINDOW) == ""
    assert verify("admissionRequest", time=SENT_AT - WINDOW) == ""
    assert verify("admissionRequest", time=SENT_AT + WINDOW + 1) == "securityWrongSyncTime"
    assert verify("admissionRequest", time=SENT_AT - WINDOW - 1) == "securityWrongSyncTime"


def test_names_are_looked_at_both_ways() -> None:
    body, data = captured("admissionRequest")

    def look(senders: set[str], recipients: set[str]) -> str:
        baseline = Baseline("alicepw", random.Random(1))
        return baseline.verify(body, data, senders=senders, recipients=recipients, time=SENT_AT)

    assert look({ENDPOINT}, {GATEKEEPER}) == ""
    assert look(set(), {GATEKEEPER}) == ""
    assert look({"alice"}, {GATEKEEPER}) == "securityWrongSendersID"
    assert look({ENDPOINT}, {"OtherGK"}) == "securityWrongGeneralID"
    assert look({ENDPOINT}, set()) == "securityWrongGeneralID"


def test_a_message_counts_once() -> None:
    body, data = captured("registrationConfirm")
    baseline = Baseline("alicepw", random.Random(1))
    said = [
        baseline.verify(body, data, senders={GATEKEEPER}, recipients={ENDPOINT}, time=time)
        for time in (SENT_AT, SENT_AT, SENT_AT + 60)
    ]
    assert said == ["", "securityReplay", "securityReplay"]


def test_what_we_protect_the_other_side_accepts() -> None:
    ours, theirs = Baseline("secret", random.Random(1)), Baseline("secret", random.Random(2))
    marks = set()
    for _ in range(3):
        data = ours.protect("unregistrationConfirm", {"requestSeqNum": 9}, sender="we", recipient="they", time=50_000)
        name, body = RAS_MESSAGE.decode(data)
        assert (name, body["requestSeqNum"]) == ("unregistrationConfirm", 9)
        assert theirs.verify(body, data, senders={"we"}, recipients={"they"}, time=50_003) == ""
        token = hashed_token(body)
        assert token is not None
        marks.add(token["hashedVals"]["random"])
    assert len(marks) == 3


def test_what_we_protect_is_the_message_and_not_the_caller_s_value() -> None:
    body = {"requestSeqNum": 9}
    Baseline("secret", random.Random(1)).protect("unregistrationConfirm", body, sender="we", recipient="", time=1)
    assert body == {"requestSeqNum": 9}


def test_a_recipient_that_is_not_known_yet_is_left_out() -> None:
    data = Baseline("secret", random.Random(1)).protect(
        "unregistrationConfirm", {"requestSeqNum": 9}, sender="we", recipient="", time=1
    )
    token = hashed_token(RAS_MESSAGE.decode(data)[1])
    assert token is not None
    assert "generalID" not in token["hashedVals"]


def test_a_message_without_a_token() -> None:
    data = RAS_MESSAGE.encode(("unregistrationConfirm", {"requestSeqNum": 9}))
    baseline = Baseline("secret", random.Random(1))
    assert baseline.verify({"requestSeqNum": 9}, data, senders=set(), recipients=set(), time=1) == MISSING


@pytest.mark.parametrize(
    ("at", "value"),
    [(("tokenOID",), "0.0.8.235.0.2.2"), (("hashedVals", "tokenOID"), "0.0"), (("token", "algorithmOID"), "1.2.3")],
)
def test_a_token_of_another_kind(at: tuple[str, ...], value: str) -> None:
    body, data = captured("admissionRequest")
    place = hashed_token(body)
    assert place is not None
    for name in at[:-1]:
        place = place[name]
    place[at[-1]] = value
    baseline = Baseline("alicepw", random.Random(1))
    assert baseline.verify(body, data, senders=NAMES, recipients=NAMES, time=SENT_AT) == "securityWrongOID"


@pytest.mark.parametrize("value", [(0, 0), (1, 8), (1 << 159, 160)])
def test_a_hash_of_another_length(value: tuple[int, int]) -> None:
    body, data = captured("admissionRequest")
    token = hashed_token(body)
    assert token is not None
    token["token"]["hash"] = value
    baseline = Baseline("alicepw", random.Random(1))
    assert baseline.verify(body, data, senders=NAMES, recipients=NAMES, time=SENT_AT) == "securityIntegrityFailed"


def test_a_message_full_of_things_that_look_like_the_hash_is_soon_given_up() -> None:
    body, _ = captured("admissionRequest")
    token = hashed_token(body)
    assert token is not None
    token["token"]["hash"] = (0, 96)
    baseline = Baseline("alicepw", random.Random(1))
    assert baseline.verify(body, bytes(60_000), senders=NAMES, recipients=NAMES, time=1) == "securityIntegrityFailed"


def test_replays_are_remembered_and_what_is_older_than_memory_is_refused() -> None:
    replays = Replays(most=3)
    assert all(replays.accept(10 + i, 1) for i in range(3))
    assert not replays.accept(11, 1)
    assert replays.accept(11, 2)
    assert not replays.accept(10, 1), "forgotten, but not accepted again"
    assert not replays.accept(10, 99)
    assert replays.accept(13, 1)
