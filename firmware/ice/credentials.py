"""What ends prove themselves by: fragments and passwords of ICE, keys of TURN servers (RFC 8445 5.3, RFC 8489 9, 14).

The key of a short-term credential is the password itself (RFC 8489 9.1.1).
"""

from __future__ import annotations

import hashlib
import random
import string
import unicodedata
from typing import Final

from firmware.call.ice import Credentials

_CHARACTERS: Final = string.ascii_letters + string.digits + "+/"
"""RFC 8839 5.4: ice-char; each is 6 bits of chance."""
_FRAGMENT, _PASSWORD = 8, 24
"""Characters; RFC 8445 5.3 asks for 24 and 128 bits at least."""


def make_credentials(rng: random.Random) -> Credentials:
    """Give new ones for one medium, or for its restart."""
    return Credentials(
        "".join(rng.choices(_CHARACTERS, k=_FRAGMENT)),
        "".join(rng.choices(_CHARACTERS, k=_PASSWORD)),
    )


def long_term_key(username: str, realm: str, password: str, *, sha256: bool = False) -> bytes:
    """Give the key that signs requests to a server (RFC 8489 9.2.2, 18.5.1)."""
    text = f"{username}:{realm}:{_prepared(password)}".encode()
    return hashlib.sha256(text).digest() if sha256 else hashlib.md5(text, usedforsecurity=False).digest()


def _prepared(password: str) -> str:
    # RFC 8265 4.2.2 (OpaqueString): spaces of other scripts become ours, and the text is put in form C.
    spaces = "".join(" " if unicodedata.category(each) == "Zs" else each for each in password)
    return unicodedata.normalize("NFC", spaces)
