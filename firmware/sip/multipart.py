"""Bodies of several parts (RFC 2046 5.1, RFC 5621): how to find the one that is meant.

A part's own header fields are Content-... alone.  Bodies in SIP are binary (RFC 3261 7.4.1); a part that says it is
encoded as base64 or quoted-printable is taken for what it is not, and never found.
"""

from __future__ import annotations

from firmware.errors import DecodeError
from firmware.sip.field import Headers
from firmware.sip.grammar import SPACE
from firmware.sip.header import MediaType
from firmware.sip.message import Message

MAX_PARTS = 16
"""Parts of one body."""
MAX_DEPTH = 3
"""Multiparts within multiparts."""
MAX_BOUNDARY = 70
"""Characters (RFC 2046 5.1.1)."""

_PLAIN_ENCODINGS = ("", "binary", "7bit", "8bit")


def find_body(message: Message, media_type: MediaType) -> bytes | None:
    """Give the body, or the first part of it, that is of this type; None when there is none.

    Raises RemoteProtocolError, status 400, when the message says multipart and isn't.
    """
    content_type = message.content_type
    if content_type is None:
        return None
    return _find(content_type, message.body, media_type, MAX_DEPTH)


def _find(content_type: MediaType, body: bytes, wanted: MediaType, depth: int) -> bytes | None:
    if wanted.includes(content_type):
        return body
    if content_type.type != "multipart" or not depth:
        return None
    for part_type, part in split(content_type, body):
        found = _find(part_type, part, wanted, depth - 1)
        if found is not None:
            return found
    return None


def split(content_type: MediaType, body: bytes) -> list[tuple[MediaType, bytes]]:
    """Give the parts of a multipart body, in order: the type and the content of each.

    Raises DecodeError when the boundary is missing, or the body isn't divided by it.
    """
    boundary = content_type.parameter("boundary")
    if not boundary or len(boundary) > MAX_BOUNDARY:
        raise DecodeError("a multipart body without a good boundary")
    delimiter = b"\r\n--" + boundary.encode("utf-8", "surrogateescape")
    # RFC 2046 5.1.1: the CRLF before a delimiter belongs to it; before the first one it may be the header fields'.
    pieces = (b"\r\n" + body).split(delimiter, MAX_PARTS + 1)
    parts: list[tuple[MediaType, bytes]] = []
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            return parts
        parts.append(_read_part(piece))
    raise DecodeError(f"a multipart body without end, or of more than {MAX_PARTS} parts")


def _read_part(piece: bytes) -> tuple[MediaType, bytes]:
    padding, line_break, rest = piece.partition(b"\r\n")
    if padding.strip(b" \t") or not line_break:
        raise DecodeError("a multipart delimiter with something behind it")
    head, _, content = (b"\r\n" + rest).partition(b"\r\n\r\n")
    headers = Headers()
    text = head.decode("utf-8", "surrogateescape").replace("\r\n ", " ").replace("\r\n\t", " ")
    for line in text.split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        if not colon or not headers.add_parsed(name, value.strip(SPACE)):
            raise DecodeError(f"{line[:40]!r} is not a header field of a part")
    encoding = headers.get("Content-Transfer-Encoding") or ""
    if encoding.lower() not in _PLAIN_ENCODINGS:
        return MediaType("application", "octet-stream"), content
    # RFC 2046 5.1: a part that doesn't say what it is, is text/plain.
    return MediaType.parse(headers.get("Content-Type") or "text/plain"), content
