"""The session description in a message's body (RFC 3261 7.4, 8.2.3), alone or as a part of a multipart body."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from firmware.errors import DecodeError, RemoteProtocolError
from firmware.sip.grammar import SPACE
from firmware.sip.header import MediaType

if TYPE_CHECKING:
    from firmware.sip.message import Message

SDP: Final = MediaType("application", "sdp")
ACCEPTED: Final = f"{SDP}, multipart/mixed, multipart/alternative"
"""The value of Accept in a 415 and in the answer to OPTIONS."""
MAX_PARTS: Final = 16
"""Parts of one body."""
MAX_DEPTH: Final = 3
"""Multiparts within multiparts."""
MAX_BOUNDARY: Final = 70
"""Characters (RFC 2046 5.1.1)."""

_CONTENT_TYPE: Final = re.compile(r"\r\n(?:content-type|c)[ \t]*+:[ \t]*+([^\r\n]*+)", re.IGNORECASE)
_FOLD: Final = re.compile(r"\r\n[ \t]+")


def session_description(message: Message) -> bytes | None:
    """The session description that a message carries, or None.

    RemoteProtocolError: 400, a body without Content-Type; 415, a body that we must understand and don't (8.2.3).
    """
    if not message.body:
        return None
    if message.content_type is None:
        raise RemoteProtocolError("a body without Content-Type")
    encoded = any(encoding.lower() != "identity" for encoding in message.content_encoding)
    found = None if encoded else _find(message.content_type, message.body, MAX_DEPTH)
    disposition = message.content_disposition
    # RFC 3261 20.11: what need not be understood is as if it were not there.
    if found is None and (disposition is None or disposition.parameter("handling") != "optional"):
        raise RemoteProtocolError(f"a body of type {message.content_type}", 415)
    return found


def readable_description(message: Message) -> bytes | None:
    """The same of a response or an ACK, which nobody can refuse: None also where the body makes no sense."""
    try:
        return session_description(message)
    except RemoteProtocolError:
        return None


def add_description(message: Message, body: bytes | None) -> None:
    """Put a session description into a message."""
    if body is not None:
        message.headers.set("Content-Type", str(SDP))
        message.body = body


def _find(content_type: MediaType, body: bytes, depth: int) -> bytes | None:
    """The first description in a body of this type; a part that makes no sense is passed over."""
    if SDP.includes(content_type):
        return body
    boundary = content_type.parameter("boundary")
    if content_type.type != "multipart" or not boundary or len(boundary) > MAX_BOUNDARY or not depth:
        return None
    # RFC 2046 5.1.1: the CRLF before a delimiter belongs to it; before the first one it may be the header fields'.
    delimiter = b"\r\n--" + boundary.encode("utf-8", "surrogateescape")
    for part in (b"\r\n" + body).split(delimiter, MAX_PARTS + 1)[1 : MAX_PARTS + 1]:
        if part.startswith(b"--"):
            break
        head, _, content = part.partition(b"\r\n\r\n")
        written = _CONTENT_TYPE.search(_FOLD.sub(" ", head.decode("utf-8", "surrogateescape")))
        if written is None:
            continue  # RFC 2046 5.1: a part that doesn't say what it is, is text/plain.
        try:
            found = _find(MediaType.parse(written[1].strip(SPACE)), content, depth - 1)
        except DecodeError:
            continue
        if found is not None:
            return found
    return None
