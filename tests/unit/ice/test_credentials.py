"""Fragments, passwords and keys."""

from __future__ import annotations

import hashlib
import random
import re

from firmware.ice.credentials import long_term_key, make_credentials


def test_credentials_are_long_enough_and_new_each_time() -> None:
    rng = random.Random(1)
    made = [make_credentials(rng) for _ in range(50)]
    for each in made:  # RFC 8839 5.4: ice-char; RFC 8445 5.3: 24 and 128 bits
        assert re.fullmatch(r"[A-Za-z0-9+/]{4,256}", each.fragment)
        assert re.fullmatch(r"[A-Za-z0-9+/]{22,256}", each.password)
    assert len({each.fragment for each in made}) == len({each.password for each in made}) == 50


def test_long_term_key() -> None:
    """RFC 8489 9.2.2: MD5 of "user:realm:pass" in the standard's own example."""
    assert long_term_key("user", "realm", "pass").hex() == "8493fbc53ba582fb4c044c456bdc40eb"
    assert long_term_key("user", "realm", "pass", sha256=True) == hashlib.sha256(b"user:realm:pass").digest()


def test_passwords_are_put_into_one_form() -> None:
    assert long_term_key("u", "r", "e\u0301") == long_term_key("u", "r", "\u00e9")
    assert long_term_key("u", "r", "a\u00a0b") == long_term_key("u", "r", "a b")
