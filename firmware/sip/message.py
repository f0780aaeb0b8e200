"""SIP messages (RFC 3261 7): requests and responses, read from bytes and written to them.

- `parse` looks only at the start line, at where header fields begin and end, and at the length of the body.  What a
  header field means is read when it is first asked for, by the properties of `Message`, and kept until the header
  fields change.  A property raises RemoteProtocolError, status 400, when the field is malformed, repeated though it
  must not be, or missing though a message must have it.  `check` asks for all of them at once.
- A message that can't be read raises `MalformedMessage`; a request that can still be answered is in its ``request``.
- Bytes that are not UTF-8 pass through the header fields unharmed (``surrogateescape``); display names and reason
  phrases, which people see, have U+FFFD in their place.
- Every bound is a constant here; no length, count or number that a peer writes makes work that isn't linear.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar, cast

from firmware.errors import DecodeError, LocalProtocolError, RemoteProtocolError
from firmware.sip.field import Headers
from firmware.sip.field_property import FieldProperty, list_of, optional_of, required_of, tokens_of, values_of
from firmware.sip.grammar import SPACE, is_token, printable
from firmware.sip.header import (
    CSeq,
    MediaType,
    NameAddr,
    RAck,
    SessionExpires,
    Valued,
    Via,
    parse_call_id,
    parse_content_length,
    parse_max_forwards,
    parse_min_se,
    parse_response_number,
    parse_retry_after,
    parse_seconds,
)
from firmware.sip.status import REASONS
from firmware.sip.uri import Uri

__all__ = ["REASONS", "Headers", "MalformedMessage", "Message", "Request", "Response", "parse", "respond"]

MAX_FORWARDS = 70
"""RFC 3261 8.1.1.6; what our requests begin with."""
MAX_MESSAGE = 65_535
"""Bytes; RFC 3261 18.1.1: a datagram with its headers is at most 65,535, and all must take that much."""
MAX_FIELDS = 128
"""Header fields of one message; a call through ten proxies has about 40."""
MAX_LINE = 8192
"""Characters of the start line or of one header field with its folded lines; peers take 4096 and more."""

T = TypeVar("T")

_FOLD = re.compile(r"\r\n[ \t]+")
_HALF_BREAK = re.compile(r"\r(?!\n)|(?<!\r)\n")
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.*))?", re.IGNORECASE | re.DOTALL)


class MalformedMessage(DecodeError):
    """These bytes are not a message; *request* is the request in them, if it can still be answered with *status*."""

    def __init__(self, text: str, status: int = 400, request: Request | None = None) -> None:
        super().__init__(text, status)
        self.request = request


def _read_vias(headers: Headers) -> tuple[Via, ...]:
    values = values_of("Via", headers)
    if not values:
        raise RemoteProtocolError("no header field Via")
    return tuple(Via.parse(value) for value in values)


def _read_contacts(headers: Headers) -> tuple[NameAddr, ...]:
    values = values_of("Contact", headers)
    # RFC 3261 20.10: "*" stands alone, for all of them, in a REGISTER.
    return () if values == ["*"] else tuple(NameAddr.parse(value) for value in values)


class Message:
    """What requests and responses have in common: header fields and a body."""

    vias = FieldProperty(_read_vias)
    """All hops, the nearest first; never empty."""
    from_ = required_of("From", NameAddr.parse)
    to = required_of("To", NameAddr.parse)
    call_id = required_of("Call-ID", parse_call_id)
    cseq = required_of("CSeq", CSeq.parse)
    contacts = FieldProperty(_read_contacts)
    """All contacts; empty for the ``*`` of a REGISTER."""
    routes = list_of("Route", NameAddr.parse)
    service_routes = list_of("Service-Route", NameAddr.parse)
    record_routes = list_of("Record-Route", NameAddr.parse)
    max_forwards = optional_of("Max-Forwards", parse_max_forwards)
    """None when missing, as a client of RFC 2543 leaves it."""
    content_type = optional_of("Content-Type", MediaType.parse)
    content_length = optional_of("Content-Length", parse_content_length)
    content_disposition = optional_of("Content-Disposition", Valued.parse)
    content_encoding = tokens_of("Content-Encoding")
    accept = list_of("Accept", MediaType.parse)
    """Empty when missing, and when nothing is accepted; ``"Accept" in headers`` tells (RFC 3261 20.1)."""
    allow = tokens_of("Allow")
    supported = tokens_of("Supported")
    require = tokens_of("Require")
    unsupported = tokens_of("Unsupported")
    expires = optional_of("Expires", parse_seconds)
    """Seconds."""
    min_expires = optional_of("Min-Expires", parse_seconds)
    """Seconds."""
    flow_timer = optional_of("Flow-Timer", parse_seconds)
    """Seconds (RFC 5626 11)."""
    retry_after = optional_of("Retry-After", parse_retry_after)
    """Seconds."""
    session_expires = optional_of("Session-Expires", SessionExpires.parse)
    """RFC 4028 4."""
    min_se = optional_of("Min-SE", parse_min_se)
    """Seconds (RFC 4028 5)."""
    rseq = optional_of("RSeq", parse_response_number)
    """RFC 3262 7.1."""
    rack = optional_of("RAck", RAck.parse)
    """RFC 3262 7.2."""
    event = optional_of("Event", Valued.parse)
    """RFC 6665 8.2.1; ``id`` among its parameters."""
    subscription_state = optional_of("Subscription-State", Valued.parse)
    """RFC 6665 8.2.3; ``expires`` and ``reason`` among its parameters."""
    reasons = list_of("Reason", Valued.parse)
    """RFC 3326: the protocol (``SIP``, ``Q.850``) as value, ``cause`` and ``text`` as parameters."""

    _CHECKED: tuple[str, ...] = (
        "vias", "from_", "to", "call_id", "cseq", "contacts", "routes", "record_routes", "max_forwards", "expires",
        "content_type", "content_length", "content_disposition", "content_encoding", "accept", "allow", "supported",
        "require", "session_expires", "min_se",
    )  # fmt: skip

    def __init__(self, headers: Headers | None = None, body: bytes = b"") -> None:
        self.headers = Headers() if headers is None else headers
        self.body = body
        self._revision = -1
        self._kept: dict[str, object] = {}

    def read_once(self, key: str, read: Callable[[Headers], T]) -> T:
        """Give what *read* makes of the header fields: kept under *key* until they change."""
        if self.headers.revision != self._revision:
            self._revision = self.headers.revision
            self._kept.clear()
        elif key in self._kept:
            return cast(T, self._kept[key])
        value = read(self.headers)
        self._kept[key] = value
        return value

    @property
    def via(self) -> Via:
        """The nearest hop."""
        return self.vias[0]

    @property
    def contact(self) -> NameAddr | None:
        """The first contact, or None."""
        contacts = self.contacts
        return contacts[0] if contacts else None

    @property
    def start_line(self) -> str:
        """The first line, without its CRLF."""
        raise NotImplementedError

    def check(self) -> None:
        """Read every header field that a user agent acts on; RemoteProtocolError, status 400, at the first bad one."""
        for name in self._CHECKED:
            getattr(self, name)

    def encode(self) -> bytes:
        """Write the message; Content-Length is that of the body, whatever the header fields say.

        Raises LocalProtocolError when a line break would get into the start line.
        """
        start_line = self.start_line
        if "\r" in start_line or "\n" in start_line:
            raise LocalProtocolError(f"a line break in {start_line!r}")
        lines = [start_line]
        lines += [f"{name}: {value}" for name, value in self.headers if name != "Content-Length"]
        lines.append(f"Content-Length: {len(self.body)}\r\n\r\n")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + self.body

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.start_line[:80]!r} {self.headers.get('CSeq')!r} {len(self.body)} bytes>"


class Request(Message):
    """A request (RFC 3261 7.1)."""

    def __init__(self, method: str, uri: Uri | str, headers: Headers | None = None, body: bytes = b"") -> None:
        """Make a request; a *uri* given as text is read when `uri` is asked for."""
        super().__init__(headers, body)
        self.method = method
        self._uri = uri

    @property
    def uri(self) -> Uri:
        """The Request-URI; RemoteProtocolError when it is malformed (400) or too long (414)."""
        if isinstance(self._uri, str):
            self._uri = Uri.parse(self._uri)
        return self._uri

    @uri.setter
    def uri(self, uri: Uri) -> None:
        self._uri = uri

    @property
    def start_line(self) -> str:
        """The Request-Line."""
        return f"{self.method} {self._uri} SIP/2.0"

    @property
    def answerable(self) -> bool:
        """Whether a response may be made at all: not to an ACK (RFC 3261 17), nor where no Via leads it back."""
        return self.method != "ACK" and "Via" in self.headers

    def check(self) -> None:
        """Do as for any message, and compare the methods and look at the Request-URI."""
        super().check()
        # RFC 3261 8.1.1.5: the method of CSeq matches that of the request.
        if self.cseq.method != self.method:
            raise RemoteProtocolError(f"{self.method} with the CSeq method {self.cseq.method[:40]}")
        # RFC 3261 19.1.5, RFC 4475 3.1.2.11: a Request-URI has no header fields.
        if self.uri.headers:
            raise RemoteProtocolError("header fields in the Request-URI")


class Response(Message):
    """A response (RFC 3261 7.2)."""

    def __init__(
        self, status: int, reason: str | None = None, headers: Headers | None = None, body: bytes = b""
    ) -> None:
        """Make a response; without a *reason* it has the standard's phrase."""
        super().__init__(headers, body)
        self.status = status
        self.reason = REASONS.get(status, "") if reason is None else reason

    @property
    def start_line(self) -> str:
        """The Status-Line."""
        return f"SIP/2.0 {self.status} {self.reason}"


def respond(request: Request, status: int, reason: str | None = None, to_tag: str | None = None) -> Response:
    """Make a response to the request (RFC 3261 8.2.6): Via, From, To, Call-ID and CSeq as they were written.

    *to_tag* goes to To unless a tag is there already, or the status is 100.  What a malformed request lacks, the
    response lacks too.
    """
    headers = _identifying(request)
    # RFC 3261 8.2.6.1: Timestamp goes into the 100.
    if status == 100 and (timestamp := request.headers.get("Timestamp")):
        headers.add("Timestamp", timestamp)
    to = headers.get("To")
    # RFC 3261 8.2.6.2: any response but a 100 has a tag in To.
    if to is not None and to_tag is not None and status != 100 and not _has_tag(to):
        headers.set("To", f"{to};tag={to_tag}")
    return Response(status, reason, headers)


def _identifying(message: Message) -> Headers:
    headers = Headers()
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        for value in message.headers.lines(name):
            headers.add(name, value)
            if name != "Via":
                break
    return headers


def _has_tag(address: str) -> bool:
    try:
        return NameAddr.parse(address).tag is not None
    except DecodeError:
        return False


def parse(datagram: bytes) -> Request | Response:
    """Read the one message of a datagram; what follows its body is ignored (RFC 3261 18.3).

    Raises MalformedMessage, whose ``request`` is the request if it can be answered with ``status``.
    """
    # RFC 3261 7.5: CRLF before the start line is ignored.
    start = len(datagram) - len(datagram.lstrip(b"\r\n")) if datagram[:1] in b"\r\n" else 0
    end = datagram.find(b"\r\n\r\n", start)
    message, problem = parse_head(datagram[start:] if end < 0 else datagram[start:end])
    if problem is None and end < 0:
        problem = DecodeError("the header fields have no end")
    if problem is None and message is not None:
        try:
            length = message.content_length
        except RemoteProtocolError as error:
            problem = error
        else:
            body = datagram[end + 4 :]
            # RFC 3261 18.3: fewer bytes than Content-Length says are an error, more are ignored.
            message.body = body if length is None else body[:length]
            if length is not None and len(body) < length:
                problem = DecodeError(f"{len(body)} bytes of body where Content-Length says {length}")
    return finish(message, problem)


def finish(message: Request | Response | None, problem: RemoteProtocolError | None) -> Request | Response:
    """Give the message if there is no problem; raise MalformedMessage otherwise."""
    if problem is None and message is not None:
        return message
    request = message if isinstance(message, Request) and message.answerable else None
    raise MalformedMessage(str(problem), 400 if problem is None else problem.status, request)


def parse_head(head: bytes) -> tuple[Request | Response | None, RemoteProtocolError | None]:
    """Read a start line and header fields, without the CRLFs that end them, as far as they can be read.

    Gives the message, or None when its start line tells nothing, and the first thing that is wrong with it, or None.
    """
    if len(head) > MAX_MESSAGE:
        return None, DecodeError(f"a message of {len(head)} bytes", 513)
    text = head.decode("utf-8", "surrogateescape")
    breaks = text.count("\r\n")
    problem: RemoteProtocolError | None = None
    if text.count("\n") != breaks or text.count("\r") != breaks:
        # RFC 3261 25.1: CR and LF stand only together; half of one is how header fields are smuggled.
        problem = DecodeError("a line break that is not CRLF")
        text = _HALF_BREAK.sub(" ", text)
    if "\r\n " in text or "\r\n\t" in text:
        # RFC 3261 7.3.1: a line that begins with white space continues the one before, and is one space.
        text = _FOLD.sub(" ", text)
    lines = text.split("\r\n")
    message, wrong = _parse_start_line(lines[0])
    problem = wrong or problem
    if message is not None:
        wrong = _parse_fields(lines, message.headers)
    return message, problem or wrong


def _parse_start_line(line: str) -> tuple[Request | Response | None, RemoteProtocolError | None]:
    if len(line) > MAX_LINE:
        return None, DecodeError(f"a start line of {len(line)} characters", 414)
    if line[:4].upper() == "SIP/":
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            return None, DecodeError(f"{line[:40]!r} is not a Status-Line")
        return Response(int(match[1]), printable(match[2] or "")), None
    method, _, rest = line.partition(" ")
    target, _, version = rest.rstrip(SPACE).rpartition(" ")
    if not is_token(method) or version[:4].upper() != "SIP/":
        return None, DecodeError(f"{line[:40]!r} is not a start line")
    request = Request(method, target)
    if version.upper() != "SIP/2.0":
        return request, RemoteProtocolError(f"version {version[:20]!r}", 505)
    try:
        request.uri  # noqa: B018
    except RemoteProtocolError as error:
        return request, error
    if len(rest) != len(target) + 1 + len(version):
        # RFC 3261 7.1: no white space but the two single spaces.
        return request, DecodeError(f"{line[-40:]!r} ends in white space")
    return request, None


def _parse_fields(lines: list[str], headers: Headers) -> RemoteProtocolError | None:
    """Add header fields from the lines after the first; give the first thing that is wrong."""
    problem = None
    add = headers.add_parsed
    for number in range(1, min(len(lines), MAX_FIELDS + 1)):
        name, colon, value = lines[number].partition(":")
        if len(value) > MAX_LINE:
            problem = problem or DecodeError(f"header field {name[:40]!r} of {len(value)} characters")
        elif not colon or not add(name, value.strip(SPACE)):
            problem = problem or DecodeError(f"{lines[number][:40]!r} is not a header field")
    if len(lines) > MAX_FIELDS + 1:
        problem = problem or DecodeError(f"{len(lines) - 1} header fields")
    if duplicates := headers.duplicates():
        problem = problem or DecodeError(f"more than one header field {', '.join(duplicates)}")
    return problem
