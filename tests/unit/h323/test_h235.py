from __future__ import annotations

from firmware.h323.h225 import RAS_MESSAGE
from firmware.h323.h235 import OFFERS, Credentials, Method, NoSecurity

REQUEST = {"requestSeqNum": 7, "disengageReason": ("normalDrop", None)}


def test_a_password_is_not_shown() -> None:
    assert "hidden" not in repr(Credentials("room", "hidden"))


def test_the_baseline_profile_is_what_is_allowed_unless_somebody_says_otherwise() -> None:
    assert Credentials("room", "hidden").methods == (Method.BASELINE,)


def test_every_method_can_be_offered() -> None:
    assert set(OFFERS) == set(Method)
    assert len({algorithm for _, algorithm in OFFERS.values()}) == len(Method)


def test_without_security_a_message_is_left_as_it_is_and_believed() -> None:
    body = {"requestSeqNum": 7}
    data = NoSecurity().protect("unregistrationConfirm", body, sender="a", recipient="b", time=1)
    assert data == RAS_MESSAGE.encode(("unregistrationConfirm", body))
    assert NoSecurity().verify(body, data, senders={"b"}, recipients={"a"}, time=1) == ""
    assert not NoSecurity().mutual
