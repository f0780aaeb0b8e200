"""Keys pressed: the userInput indication of H.245 B.14, in its two forms.

``signal`` is one key with its duration, ``alphanumeric`` any text.  We send the first where the far end says that it
takes it (the UserInputCapability ``dtmf``), otherwise the second, which every terminal takes (H.323 6.2.8.5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.errors import LocalProtocolError
from firmware.h323.control.events import Digit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firmware.asn1 import Value

DIGITS: Final = frozenset("0123456789*#ABCD!")
"""H.245 annex A: what signalType may be; ``!`` is hookflash."""
MAX_DIGITS: Final = 64
"""In one message; no caller types faster than that."""
MAX_DURATION: Final = 65535
"""Milliseconds, of one signal (H.245 annex A)."""


def user_input(digit: str, duration: float | None, *, as_signal: bool) -> Value:
    """Give the UserInputIndication for a key; *duration* in seconds.  LocalProtocolError: there is no such key."""
    if len(digit) != 1 or digit not in DIGITS:
        raise LocalProtocolError(f"{digit!r} is no key")
    if not as_signal:
        return ("alphanumeric", digit)
    signal: dict[str, Value] = {"signalType": digit}
    if duration is not None:
        signal["duration"] = min(max(round(duration * 1000), 1), MAX_DURATION)
    return ("signal", signal)


def digits(message: Value) -> Iterator[Digit]:
    """Give the keys of a UserInputIndication; none where it is words, encrypted, or only prolongs a signal."""
    form, content = message
    match form:
        case "alphanumeric":
            yield from _keys(content, in_rtp=False)
        case "extendedAlphanumeric":
            yield from _keys(content["alphanumeric"], in_rtp="rtpPayloadIndication" in content)
        case "signal" if content["signalType"] in DIGITS:
            duration = content["duration"] / 1000 if "duration" in content else None
            yield Digit(content["signalType"], duration, in_rtp="rtpPayloadIndication" in content)


def _keys(text: str, *, in_rtp: bool) -> Iterator[Digit]:
    if len(text) <= MAX_DIGITS and DIGITS.issuperset(text):
        for character in text:
            yield Digit(character, in_rtp=in_rtp)
