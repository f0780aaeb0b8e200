"""The values of structured header fields (RFC 3261 20): what stands between a field's colon and its CRLF.

Each class reads one value (one element where the field is a list) by ``parse`` and writes it by ``str``.  ``parse``
raises DecodeError with status 400.  Parameters that the standard doesn't name are kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from firmware.errors import DecodeError
from firmware.sip.grammar import (
    SPACE,
    TOKEN,
    Parameters,
    format_parameters,
    is_token,
    match_quoted,
    number,
    parameter,
    parse_parameters,
    printable,
    quote,
    with_parameter,
)
from firmware.sip.uri import Uri, check_ipv6, format_host_port, parse_port

MAX_CSEQ = 2**31 - 1
"""RFC 3261 8.1.1.5: a sequence number is less than 2**31."""
MAX_SECONDS = 2**32 - 1
"""RFC 3261 20.19: an interval in seconds is at most 2**32 - 1."""

_DISPLAY_NAME = re.compile(r'[^\x00-\x08\x0a-\x1f\x7f",;<>\\]*+')
"""Unquoted: wider than RFC 3261's tokens, because a room named "Room #5 (HQ)" must be able to call; but RFC 4475
3.1.2.15: a comma is not forgiven."""
_VIA = re.compile(
    rf"({TOKEN}++)[ \t]*+/[ \t]*+({TOKEN}++)[ \t]*+/[ \t]*+({TOKEN}++)[ \t]++"
    r"(?:\[([0-9A-Fa-f:.]++)\]|([A-Za-z0-9_][A-Za-z0-9_.\-]*+))(?:[ \t]*+:[ \t]*+([0-9]++))?"
)
_CSEQ = re.compile(rf"([0-9]++)[ \t]++({TOKEN}++)")
_RACK = re.compile(rf"([0-9]++)[ \t]++([0-9]++)[ \t]++({TOKEN}++)")
_DIGITS = re.compile(r"[0-9]++")
_MEDIA_TYPE = re.compile(rf"({TOKEN}++)[ \t]*+/[ \t]*+({TOKEN}++)")
_TOKEN_START = re.compile(rf"{TOKEN}++")
_SECONDS = re.compile(r"([0-9]++)[ \t]*+(?=[(;]|\Z)")


@dataclass(frozen=True, slots=True)
class NameAddr:
    """An address with an optional name: From, To, Contact, Route, Record-Route, Refer-To (RFC 3261 20.10)."""

    display_name: str
    """Unquoted, "" when there is none; what is not printable text is U+FFFD."""
    uri: Uri
    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> NameAddr:
        """Read ``name-addr`` or ``addr-spec``, with parameters."""
        if text.startswith('"'):
            quoted = match_quoted(text)
            if quoted is None:
                raise DecodeError(f"{text[:40]!r} has an unterminated quoted string")
            name, start = quoted
            start += len(text) - start - len(text[start:].lstrip(SPACE))
            if not text.startswith("<", start):
                raise DecodeError(f"{text[:40]!r} has a name but no address in < >")
        else:
            start = text.find("<")
            if start < 0:
                return cls._parse_addr_spec(text)
            name = text[:start].strip(SPACE)
            if _DISPLAY_NAME.fullmatch(name) is None:
                raise DecodeError(f"the display name {name[:40]!r} must be quoted")
        end = text.find(">", start)
        if end < 0:
            raise DecodeError(f"{text[:40]!r} lacks a >")
        return cls(printable(name), Uri.parse(text[start + 1 : end]), parse_parameters(text, end + 1, "an address"))

    @classmethod
    def _parse_addr_spec(cls, text: str) -> NameAddr:
        address, semicolon, _ = text.partition(";")
        # RFC 3261 20.10: a URI with a comma, a question mark or a semicolon must be in < >; what follows a semicolon
        # is then a parameter of the header field, not of the URI.
        if "?" in address or "," in address:
            raise DecodeError(f"the address {address[:40]!r} must be in < >")
        parameters = parse_parameters(text, len(address), "an address") if semicolon else ()
        return cls("", Uri.parse(address.rstrip(SPACE)), parameters)

    def __str__(self) -> str:
        name = f"{quote(self.display_name)} " if self.display_name else ""
        return f"{name}<{self.uri}>{format_parameters(self.parameters)}"

    @property
    def tag(self) -> str | None:
        """The tag (RFC 3261 19.3), or None."""
        return self.parameter("tag")

    def parameter(self, name: str) -> str | None:
        """Give a parameter's value ("" when it has none), or None when there is no such parameter."""
        return parameter(self.parameters, name)

    def with_tag(self, tag: str) -> NameAddr:
        """Give the same address with this tag."""
        return replace(self, parameters=with_parameter(self.parameters, "tag", tag))


@dataclass(frozen=True, slots=True)
class Via:
    """One hop of a request's path (RFC 3261 20.42)."""

    transport: str
    """In upper case; any token."""
    host: str
    """sent-by: a name, an IPv4 address or an IPv6 address without brackets."""
    port: int | None = None
    parameters: Parameters = ()
    protocol: str = "SIP/2.0"
    """In upper case; another version is read, so that its request can be answered with 505."""

    @classmethod
    def parse(cls, text: str) -> Via:
        """Read ``sent-protocol sent-by *( ; via-params )``."""
        match = _VIA.match(text)
        if match is None:
            raise DecodeError(f"{text[:40]!r} is not a Via")
        protocol, version, transport, ipv6, name, port = match.groups()
        return cls(
            transport.upper(),
            name or check_ipv6(ipv6),
            None if port is None else parse_port(port),
            parse_parameters(text, match.end(), "Via"),
            f"{protocol}/{version}".upper(),
        )

    def __str__(self) -> str:
        address = format_host_port(self.host, self.port)
        return f"{self.protocol}/{self.transport} {address}{format_parameters(self.parameters)}"

    @property
    def branch(self) -> str | None:
        """The transaction's identifier (RFC 3261 8.1.1.7), or None: a peer of RFC 2543."""
        return self.parameter("branch")

    @property
    def received(self) -> str | None:
        """The address that the request came from (RFC 3261 18.2.1), or None; RFC 5118 4.5: brackets may be there."""
        received = self.parameter("received")
        return None if received is None else received.strip("[]")

    @property
    def rport(self) -> int | None:
        """The port that the request came from (RFC 3581 4), or None when there is none, or none yet."""
        rport = self.parameter("rport")
        return parse_port(rport) if rport else None

    @property
    def wants_rport(self) -> bool:
        """Whether the client asks for symmetric response routing (RFC 3581 3)."""
        return self.parameter("rport") is not None

    def parameter(self, name: str) -> str | None:
        """Give a parameter's value ("" when it has none), or None when there is no such parameter."""
        return parameter(self.parameters, name)

    def with_parameter(self, name: str, value: str | None) -> Via:
        """Give the same hop with this parameter set."""
        return replace(self, parameters=with_parameter(self.parameters, name, value))

    def for_response(self) -> Via:
        """Give of this hop what says where a response goes (RFC 3261 18.2.2, RFC 3581 4)."""
        return replace(self, parameters=tuple(item for item in self.parameters if item[0].lower() == "rport"))


@dataclass(frozen=True, slots=True)
class CSeq:
    """A request's number in its dialog, and its method (RFC 3261 20.16)."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> CSeq:
        """Read ``1*DIGIT LWS Method``."""
        match = _CSEQ.fullmatch(text)
        if match is None:
            raise DecodeError(f"{text[:40]!r} is not a CSeq")
        return cls(number(match[1], MAX_CSEQ, "CSeq"), match[2])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


@dataclass(frozen=True, slots=True)
class MediaType:
    """What a body is (RFC 3261 20.15), or, with wildcards, what is accepted (20.1)."""

    type: str
    """In lower case."""
    subtype: str
    """In lower case."""
    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> MediaType:
        """Read ``m-type / m-subtype *( ; m-parameter )``."""
        match = _MEDIA_TYPE.match(text)
        if match is None:
            raise DecodeError(f"{text[:40]!r} is not a media type")
        return cls(match[1].lower(), match[2].lower(), parse_parameters(text, match.end(), "a media type"))

    def __str__(self) -> str:
        return f"{self.type}/{self.subtype}{format_parameters(self.parameters)}"

    def parameter(self, name: str) -> str | None:
        """Give a parameter's value ("" when it has none), or None when there is no such parameter."""
        return parameter(self.parameters, name)

    def includes(self, other: MediaType) -> bool:
        """Whether this range accepts that type; parameters don't count."""
        return self.type in ("*", other.type) and self.subtype in ("*", other.subtype)


@dataclass(frozen=True, slots=True)
class Valued:
    """A token with parameters: Reason (RFC 3326), Content-Disposition, Event, Accept-Encoding and others."""

    value: str
    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> Valued:
        """Read ``token *( ; generic-param )``."""
        match = _TOKEN_START.match(text)
        if match is None:
            raise DecodeError(f"{text[:40]!r} is not a token with parameters")
        return cls(match[0], parse_parameters(text, match.end(), match[0][:20]))

    def __str__(self) -> str:
        return f"{self.value}{format_parameters(self.parameters)}"

    def parameter(self, name: str) -> str | None:
        """Give a parameter's value ("" when it has none), or None when there is no such parameter."""
        return parameter(self.parameters, name)


@dataclass(frozen=True, slots=True)
class RAck:
    """Which reliable provisional response a PRACK is for (RFC 3262 7.2)."""

    response: int
    """RSeq of the response."""
    number: int
    """CSeq of the request that it answers, and its method."""
    method: str

    @classmethod
    def parse(cls, text: str) -> RAck:
        """Read ``response-num LWS CSeq-num LWS Method``."""
        match = _RACK.fullmatch(text)
        if match is None:
            raise DecodeError(f"{text[:40]!r} is not an RAck")
        return cls(parse_response_number(match[1]), number(match[2], MAX_CSEQ, "RAck"), match[3])

    def __str__(self) -> str:
        return f"{self.response} {self.number} {self.method}"


@dataclass(frozen=True, slots=True)
class SessionExpires:
    """How long a session lasts without being refreshed, and who is to refresh it (RFC 4028 4)."""

    seconds: int
    refresher: str = ""
    """``uac`` or ``uas`` of the transaction; "" where that is left open."""
    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> SessionExpires:
        """Read ``delta-seconds *( ; se-params )``."""
        seconds, parameters = _interval(text, "Session-Expires")
        refresher = (parameter(parameters, "refresher") or "").lower()
        return cls(seconds, refresher if refresher in ("uac", "uas") else "", parameters)

    def __str__(self) -> str:
        return f"{self.seconds}{format_parameters(self.parameters)}"

    def with_seconds(self, seconds: int) -> SessionExpires:
        """Give the same with this interval."""
        return replace(self, seconds=seconds)


def parse_min_se(text: str) -> int:
    """Read ``delta-seconds *( ; generic-param )`` (RFC 4028 5)."""
    return _interval(text, "Min-SE")[0]


def _interval(text: str, what: str) -> tuple[int, Parameters]:
    match = _DIGITS.match(text)
    if match is None:
        raise DecodeError(f"{text[:40]!r} is not a {what}")
    return number(match[0], MAX_SECONDS, what), parse_parameters(text, match.end(), what)


def parse_response_number(text: str) -> int:
    """Read the number of a reliable provisional response, 1 to 2**32 - 1 (RFC 3262 7.1)."""
    found = number(text, 2**32 - 1, "RSeq")
    if found == 0:
        raise DecodeError("RSeq 0")
    return found


def parse_token(text: str) -> str:
    """Read one token: a method, an option tag."""
    if not is_token(text):
        raise DecodeError(f"{text[:40]!r} is not a token")
    return text


def parse_call_id(text: str) -> str:
    """Read ``word [ @ word ]`` (RFC 3261 20.8) as one piece: it has no white space, and is never looked into."""
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise DecodeError(f"{text[:40]!r} is not a Call-ID")
    return text


def parse_max_forwards(text: str) -> int:
    """Read 0 to 255 (RFC 3261 20.22)."""
    return number(text, 255, "Max-Forwards")


def parse_seconds(text: str) -> int:
    """Read delta-seconds (RFC 3261 20.19)."""
    return number(text, MAX_SECONDS, "an interval")


def parse_retry_after(text: str) -> int:
    """Read delta-seconds, followed by an optional comment and parameters, which are ignored (RFC 3261 20.33)."""
    match = _SECONDS.match(text)
    if match is None:
        raise DecodeError(f"{text[:40]!r} is not a Retry-After")
    return number(match[1], MAX_SECONDS, "Retry-After")


def parse_content_length(text: str) -> int:
    """Read a length in bytes (RFC 3261 20.14); what it may be is the matter of whoever frames the message."""
    return number(text, 2**32 - 1, "Content-Length")
