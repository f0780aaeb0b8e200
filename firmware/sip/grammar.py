"""The lexical rules that SIP header fields share (RFC 3261 25.1), on text that is already unfolded.

- Text is what the wire carried, decoded as UTF-8 with ``surrogateescape``: bytes that are not UTF-8 survive a round
  trip.  `printable` makes such text fit for people.
- White space is SP and HTAB alone: Python's own idea of white space (``strip()``, ``\\s``) knows far more characters.
- A parameter's value may have more characters than a token (``=``, ``@``, ``/``...): peers put base64 into tags.
- Every pattern runs in linear time on any text: loops are possessive, and an unterminated quoted string is consumed
  to its end, never tried again from its next character.
"""

from __future__ import annotations

import re
from sys import intern

from firmware.errors import DecodeError

Parameters = tuple[tuple[str, str | None], ...]
"""Parameters in order, as written: a quoted value keeps its quotes, a parameter without value has None."""

SPACE = " \t"
TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]"
"""RFC 3261 25.1 token: one of its characters."""

_TOKEN = re.compile(rf"{TOKEN}+")
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_QUOTED_STRING = re.compile(_QUOTED, re.DOTALL)
_PARAMETER = re.compile(
    rf"[ \t]*+;[ \t]*+({TOKEN}++)(?:[ \t]*+=[ \t]*+({_QUOTED}|[!#-+\--:=?-~]++))?",
    re.DOTALL,
)
_OPAQUE_OR_COMMA = re.compile(r'"(?:[^"\\]|\\(?:.|\Z))*+(?:"|\Z)|<[^>]*+|,', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TO_ESCAPE = re.compile(r'(["\\])')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line and paragraph separators, those that turn the direction of writing, and surrogates."""


def is_token(text: str) -> bool:
    """Whether the whole text is one token (RFC 3261 25.1)."""
    return _TOKEN.fullmatch(text) is not None


def number(text: str, most: int, what: str) -> int:
    """Read 1*DIGIT from 0 to *most*; leading zeros are allowed, and no length of them costs more than a look.

    Raises DecodeError, naming *what*.
    """
    digits = text.lstrip("0") or text[-1:]
    if text.isascii() and text.isdigit() and len(digits) <= 10 and (value := int(digits)) <= most:
        return value
    raise DecodeError(f"{what} {text[:20]!r} is not a number from 0 to {most}")


def split_list(value: str) -> list[str]:
    """Split a comma-separated field value; commas in quoted strings and between ``<`` and ``>`` don't count.

    The parts are stripped; an empty value has none, an empty part stays (RFC 3261 7.3.1).
    """
    if "," not in value:
        value = value.strip(SPACE)
        return [value] if value else []
    if '"' not in value and "<" not in value:
        return [part.strip(SPACE) for part in value.split(",")]
    parts, start = [], 0
    for match in _OPAQUE_OR_COMMA.finditer(value):
        if match[0] == ",":
            parts.append(value[start : match.start()].strip(SPACE))
            start = match.end()
    parts.append(value[start:].strip(SPACE))
    return parts


def parse_parameters(text: str, position: int, what: str) -> Parameters:
    """Read ``*(SEMI generic-param)`` from *position* to the text's end; DecodeError if there is anything else."""
    parameters = []
    end = len(text)
    while position < end:
        match = _PARAMETER.match(text, position)
        if match is None:
            if not text[position:].strip(SPACE):
                break
            raise DecodeError(f"{what}: {text[position : position + 20]!r} is not a parameter")
        parameters.append((intern(match[1]), match[2]))  # there are few names, and many messages
        position = match.end()
    return tuple(parameters)


def parameter(parameters: Parameters, name: str) -> str | None:
    """Give a parameter's value, unquoted; "" when it has none, None when there is no such parameter.

    *name* is in lower case; the first one counts when there are several.
    """
    for key, value in parameters:
        if key == name or key.lower() == name:
            return "" if value is None else unquote(value)
    return None


def with_parameter(parameters: Parameters, name: str, value: str | None) -> Parameters:
    """Give the parameters with this one set: in its place where it stood, else at the end."""
    result = tuple((key, value if key.lower() == name else old) for key, old in parameters)
    return result if any(key.lower() == name for key, _ in parameters) else (*result, (name, value))


def format_parameters(parameters: Parameters) -> str:
    """Write parameters, each with its semicolon."""
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in parameters)


def match_quoted(text: str) -> tuple[str, int] | None:
    """Read the quoted string that the text begins with: its content, unquoted, and its end; None if there is none."""
    match = _QUOTED_STRING.match(text)
    return None if match is None else (unquote(match[0]), match.end())


def unquote(text: str) -> str:
    """Give a quoted string's content (RFC 3261 25.1 quoted-string, quoted-pair); any other text as it is."""
    if not text.startswith('"'):
        return text
    text = text[1:-1]
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def quote(text: str) -> str:
    """Write a quoted string; control characters, among them CR and LF, become spaces."""
    return '"' + _TO_ESCAPE.sub(r"\\\1", _CONTROL.sub(" ", text)) + '"'


def printable(text: str) -> str:
    """Give the text fit for a screen, JSON or a log: U+FFFD for bytes that weren't UTF-8 and for control characters."""
    return text if text.isprintable() else _UNPRINTABLE.sub("\ufffd", text)
