"""What stands in the information elements that a room reads or writes (H.225.0 7.2.2, Q.931 4.5).

Rule: reading never fails.  Contents that make no sense give None, or an empty text.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_EXTENSION: Final = 0x80
"""Q.931 4.5.1: set in the last octet of a group."""
_E164: Final = 0x01
"""Q.931 4.5.8: numbering plan ISDN/telephony, type of number unknown."""
_PRESENTATION_ALLOWED: Final = 0x80
"""Q.931 4.5.10, octet 3a: presentation allowed, user-provided, not screened."""
_RESTRICTED: Final = 0x20
MAX_DISPLAY: Final = 82
"""Octets (H.225.0 7.2.2, Display)."""
MAX_DIGITS: Final = 128
"""Digits of a number (H.225.0: dialledDigits)."""
_CHANNEL: Final = 64_000
"""bit/s: the unit of the information transfer rate."""
_MULTIRATE: Final = 0x18


def bearer_capability(bitrate: int) -> bytes:
    """Say that *bitrate* (bit/s) is wanted for audiovisual data (Q.931 4.5.5, H.225.0 7.2.2)."""
    multiplier = min(max(-(-bitrate // _CHANNEL), 1), 0x7F)
    # Unrestricted digital information; circuit mode, multirate and its multiplier; layer 1 is H.221 and H.242.
    return bytes((0x88, _EXTENSION | _MULTIRATE, _EXTENSION | multiplier, 0xA5))


def encode_cause(value: int) -> bytes:
    """Write a Cause (Q.931 4.5.12): coded by ITU-T, given by the user."""
    return bytes((_EXTENSION, _EXTENSION | value))


def decode_cause(contents: bytes | None) -> int | None:
    """Read the cause value of Q.850."""
    if not contents or contents[0] & 0x60:
        return None  # coded by somebody else than ITU-T
    at = 1 if contents[0] & _EXTENSION else 2
    return contents[at] & 0x7F if at < len(contents) else None


def encode_display(text: str) -> bytes:
    """Write a name for people, as much of it as fits; characters are whole."""
    return text.encode()[:MAX_DISPLAY].decode("utf-8", "ignore").encode()


def decode_display(contents: bytes | None) -> str:
    """Read a name for people; some end it in a NUL octet."""
    text = _decode_text((contents or b"").partition(b"\0")[0])
    return "".join(c for c in text if not unicodedata.category(c).startswith("C")).strip()


def encode_called_number(digits: str) -> bytes:
    """Write a called party number (Q.931 4.5.8)."""
    return bytes((_EXTENSION | _E164,)) + digits.encode("ascii")


def encode_calling_number(digits: str) -> bytes:
    """Write a calling party number (Q.931 4.5.10), which may be shown."""
    return bytes((_E164, _PRESENTATION_ALLOWED)) + digits.encode("ascii")


def decode_number(contents: bytes | None) -> str:
    """Read the digits of a calling, called, connected or redirecting number; "" for one that must not be shown."""
    if not contents:
        return ""
    at = 0
    while at < len(contents) and not contents[at] & _EXTENSION:
        at += 1
    if 0 < at < len(contents) and contents[1] & 0x60 == _RESTRICTED:
        return ""
    return _dialable(contents[at + 1 :])


def encode_keypad(digits: str) -> bytes:
    """Write a Keypad facility (Q.931 4.5.18)."""
    return digits.encode("ascii")


def decode_keypad(contents: bytes | None) -> str:
    """Read the digits of a Keypad facility."""
    return _dialable(contents or b"")


def encode_call_state(value: int) -> bytes:
    """Write a Call state (Q.931 4.5.7)."""
    return bytes((value,))


def decode_call_state(contents: bytes | None) -> int | None:
    """Read a Call state as a number of Q.931 2.1."""
    return contents[0] & 0x3F if contents and not contents[0] & 0xC0 else None


def _decode_text(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _dialable(octets: bytes) -> str:
    text = octets.partition(b"\0")[0].decode("ascii", "replace")
    return text if len(text) <= MAX_DIGITS and all(c in "0123456789*#,+" for c in text) else ""
