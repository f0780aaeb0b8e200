"""The bodies of INFO requests (RFC 6086) that rooms and telephones exchange in a call.

Key frames are asked for by media control (RFC 5168), where RTCP can't; digits travel as ``application/dtmf-relay`` or
``application/dtmf``, which no RFC describes but everybody reads.
"""

from __future__ import annotations

import re
from typing import Final

MEDIA_CONTROL: Final = "application/media_control+xml"
DTMF_RELAY: Final = "application/dtmf-relay"
DTMF: Final = "application/dtmf"

PICTURE_FAST_UPDATE: Final = (
    b'<?xml version="1.0" encoding="utf-8"?>\r\n'
    b"<media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>\r\n"
)
"""RFC 5168 7.1: all video streams at once."""
_FAST_UPDATE: Final = re.compile(rb"<\s*picture_fast_update[\s/>]")

DIGIT_TIME: Final = 160
"""Milliseconds that we say a digit lasted."""
_SIGNAL: Final = re.compile(rb"^\s*signal\s*=\s*([0-9A-D*#]{1,2})\s*$", re.IGNORECASE | re.MULTILINE)
_BARE: Final = re.compile(rb"\s*([0-9A-D*#]{1,2})\s*", re.IGNORECASE)
_NUMBERED: Final = dict(zip(("10", "11", "12", "13", "14", "15"), "*#ABCD", strict=True))
"""Events of RFC 4733 3.2 by number, as some write them."""


def wants_key_frame(body: bytes) -> bool:
    """Whether a media control document asks for a key frame.  It is searched, not parsed: nothing else in it counts."""
    return _FAST_UPDATE.search(body) is not None


def digit_body(content_type: str, digit: str) -> bytes:
    """Write a digit as a body of either type."""
    if content_type == DTMF:
        return digit.encode()
    return f"Signal={digit}\r\nDuration={DIGIT_TIME}\r\n".encode()


def read_digit(content_type: str, body: bytes) -> str | None:
    """Read the digit of a body of either type: one of ``0-9 * # A-D``, or None."""
    found = _SIGNAL.search(body)
    if found is None and content_type == DTMF:
        found = _BARE.fullmatch(body)
    if found is None:
        return None
    text = found[1].decode().upper()
    return text if len(text) == 1 else _NUMBERED.get(text)
