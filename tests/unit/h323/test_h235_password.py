from __future__ import annotations

import hashlib
import random

import pytest

from firmware.h323.h225 import RAS_MESSAGE
from firmware.h323.h235 import CAT, MD5
from firmware.h323.h235_password import CallAccessToken, PasswordHash, cat_challenge, password_digest

TIME = 1_700_000_000


def test_the_digest_covers_name_password_and_time() -> None:
    digests = {
        password_digest("room", "secret", TIME),
        password_digest("room", "secreu", TIME),
        password_digest("roon", "secret", TIME),
        password_digest("room", "secret", TIME + 1),
    }
    assert len(digests) == 4


def test_the_digest_is_that_of_a_clear_token_with_closed_strings() -> None:
    # ClearToken {tokenOID 0.0, timeStamp, password "pw" NUL, generalID "me" NUL} as pycrate encodes it
    encoding = bytes.fromhex("61000100c06553f0ff0400700077000004006d00650000")
    assert password_digest("me", "pw", TIME) == hashlib.md5(encoding).digest()


def test_the_challenge_is_one_octet_the_password_and_the_time() -> None:
    assert cat_challenge("secret", 7, TIME) == hashlib.md5(b"\x07secret" + TIME.to_bytes(4, "big")).digest()


@pytest.mark.parametrize(("user", "kind"), [("room", "h323-ID"), ("3000", "dialledDigits"), ("a@b.org", "email-ID")])
def test_a_password_hash_names_the_user(user: str, kind: str) -> None:
    data = PasswordHash(user, "secret").protect(
        "unregistrationConfirm", {"requestSeqNum": 3}, sender="me", recipient="you", time=TIME
    )
    _, body = RAS_MESSAGE.decode(data)
    [(choice, token)] = body["cryptoTokens"]
    assert choice == "cryptoEPPwdHash"
    assert token["alias"] == (kind, user)
    assert token["timeStamp"] == TIME
    digest = int.from_bytes(password_digest(user, "secret", TIME), "big")
    assert token["token"] == {"algorithmOID": MD5, "paramS": {}, "hash": (digest, 128)}


def test_a_cat_is_new_each_time() -> None:
    security = CallAccessToken("room", "secret", random.Random(1))
    seen = set()
    for _ in range(300):
        data = security.protect("unregistrationConfirm", {"requestSeqNum": 3}, sender="me", recipient="you", time=TIME)
        [token] = RAS_MESSAGE.decode(data)[1]["tokens"]
        assert (token["tokenOID"], token["generalID"], token["timeStamp"]) == (CAT, "room\0", TIME)
        assert 0 <= token["random"] < 256
        assert token["challenge"] == cat_challenge("secret", token["random"], TIME)
        seen.add(token["random"])
    assert len(seen) == 256


@pytest.mark.parametrize("security", [PasswordHash("a", "b"), CallAccessToken("a", "b", random.Random(1))])
def test_the_far_end_shows_nothing_and_nothing_is_found_wrong(security: PasswordHash | CallAccessToken) -> None:
    assert not security.mutual
    assert security.verify({}, b"", senders={"x"}, recipients={"y"}, time=TIME) == ""
