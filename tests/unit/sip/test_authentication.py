from __future__ import annotations

import random
from collections import Counter

from sip_peer import request, response

from firmware.sip.authentication import MAX_SPACES, Authenticator, Credential, Space
from firmware.sip.message import Request


def authenticator(**credential: str) -> Authenticator:
    return Authenticator(Credential(**{"user": "u", "password": "p"} | credential), "example.com", random.Random(1))


def challenged(ours: Authenticator, method: str, realm: str, *, proxy: bool = False, more: str = "") -> Request | None:
    """The request with what it shows after one challenge; None: it isn't sent again."""
    asked = request(method)
    name = "Proxy_Authenticate" if proxy else "WWW_Authenticate"
    text = f'Digest realm="{realm}", nonce="n"{more}'
    answer = response(asked, 407 if proxy else 401, **{name: text})
    if not ours.challenged(asked, answer, Counter()):
        return None
    ours.authorize(asked)
    return asked


def test_the_password_is_not_in_what_is_printed() -> None:
    assert "secret" not in repr(Credential("u", "secret"))


def test_what_the_registrar_was_shown_is_not_shown_to_others() -> None:
    """The far end of a call could try passwords on it."""
    ours = authenticator()
    assert challenged(ours, "REGISTER", "pbx") is not None
    invite = request("INVITE")
    ours.authorize(invite)
    assert "Authorization" not in invite.headers
    again = request("REGISTER")
    ours.authorize(again)
    assert "Authorization" in again.headers


def test_a_user_agent_server_must_be_of_a_realm_that_is_known() -> None:
    ours = authenticator()
    assert challenged(ours, "INVITE", "whoever") is not None  # nothing is known yet
    ours = authenticator()
    challenged(ours, "REGISTER", "pbx")
    assert challenged(ours, "INVITE", "evil") is None
    assert challenged(ours, "INVITE", "pbx") is not None
    assert challenged(ours, "INVITE", "Example.COM") is not None
    assert challenged(ours, "INVITE", "edge", proxy=True) is not None
    # Whoever asks for a proxy's realm without being it, is somebody behind it.
    assert challenged(ours, "INVITE", "edge") is None


def test_a_named_realm_is_the_only_one() -> None:
    ours = authenticator(realm="pbx")
    assert challenged(ours, "REGISTER", "other") is None
    assert challenged(ours, "INVITE", "other", proxy=True) is None
    assert challenged(ours, "INVITE", "pbx") is not None


def test_what_is_remembered_is_bounded() -> None:
    ours = authenticator()
    for number in range(100):
        challenged(ours, "INVITE", f"realm{number}", proxy=True)
    invite = request("INVITE")
    ours.authorize(invite)
    assert len(invite.headers.lines("Proxy-Authorization")) == MAX_SPACES


def test_a_nonce_of_ours_is_new_for_each_of_theirs() -> None:
    ours = authenticator()
    seen = set()
    for _ in range(3):
        asked = challenged(ours, "INVITE", "pbx", more=', qop="auth"')
        assert asked is not None
        seen.add((asked.headers.get("Authorization") or "").partition("cnonce=")[2][:40])
    assert len(seen) == 3


def test_spaces_are_told_apart() -> None:
    assert len({Space(False, False, "r"), Space(True, False, "r"), Space(False, True, "r")}) == 3
