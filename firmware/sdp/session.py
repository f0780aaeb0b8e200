"""A session description (RFC 8866 5) as a frozen value, read from and written to bytes.

Rule 1: reading keeps the order of the media descriptions and of their formats and attributes.
Rule 2: everything is bounded, and nothing here is looked up or connected to: an address may be a name.
Rule 3: writing a description and reading it again gives the same value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from firmware.errors import DecodeError

MAX_BYTES: Final = 32 * 1024
"""A browser with all its candidates sends 8 KiB."""
MAX_LINES: Final = 1_000
MAX_LINE: Final = 4 * 1024
"""Characters; H.264 parameter sets in base64 are the longest of the honest ones."""
MAX_MEDIA: Final = 32
MAX_FORMATS: Final = 64
"""Of one media description; half of all RTP payload types."""

Attributes = tuple[tuple[str, str], ...]
"""Name and value in order; the value of a property attribute (``a=sendrecv``) is ""."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made the description, and which version of it this is (RFC 8866 5.2)."""

    session_id: int = 0
    version: int = 0
    address: str = "0.0.0.0"
    username: str = "-"


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """A proposed limit (RFC 8866 5.8)."""

    type: str
    """``AS`` or ``CT`` (kbit/s with IP, UDP and RTP headers), ``TIAS`` (bit/s without; RFC 3890), or another."""
    value: int


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """An ``m=`` line and what belongs to it (RFC 8866 5.14)."""

    kind: str
    """``audio``, ``video``, ``application``, or whatever the far end said."""
    port: int
    """0: refused, or no longer in use (RFC 3264 6)."""
    protocol: str
    formats: tuple[str, ...]
    connection: str | None = None
    """Address of its own ``c=`` line."""
    bandwidths: tuple[Bandwidth, ...] = ()
    attributes: Attributes = ()

    def attribute(self, name: str) -> str | None:
        """Value of the first attribute of this name; None: there is none."""
        return next((value for n, value in self.attributes if n == name), None)

    def values(self, name: str) -> tuple[str, ...]:
        """Values of all attributes of this name, in order."""
        return tuple(value for n, value in self.attributes if n == name)

    def refused(self) -> MediaDescription:
        """Give the same line with port 0, which refuses it (RFC 3264 6)."""
        return MediaDescription(self.kind, 0, self.protocol, self.formats)


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A whole description."""

    origin: Origin = field(default_factory=Origin)
    name: str = "-"
    connection: str | None = None
    """Address of the ``c=`` line that counts for all media without their own."""
    bandwidths: tuple[Bandwidth, ...] = ()
    attributes: Attributes = ()
    media: tuple[MediaDescription, ...] = ()

    def attribute(self, name: str) -> str | None:
        """Value of the first session-level attribute of this name; None: there is none."""
        return next((value for n, value in self.attributes if n == name), None)

    def address_of(self, media: MediaDescription) -> str | None:
        """Where the media go: the line's own address, or the session's (RFC 8866 5.7); None: nobody said."""
        return media.connection or self.connection

    def encode(self) -> bytes:
        """Give the description as it goes over the wire."""
        origin = self.origin
        lines = [
            "v=0",
            f"o={origin.username} {origin.session_id} {origin.version} {_network(origin.address)}",
            f"s={self.name or '-'}",
        ]
        if self.connection:
            lines.append(f"c={_network(self.connection)}")
        lines += [f"b={b.type}:{b.value}" for b in self.bandwidths]
        lines.append("t=0 0")  # RFC 3264 5: a session without bounds in time
        lines += [f"a={name}:{value}" if value else f"a={name}" for name, value in self.attributes]
        for media in self.media:
            lines.append(f"m={media.kind} {media.port} {media.protocol} {' '.join(media.formats)}")
            if media.connection:
                lines.append(f"c={_network(media.connection)}")
            lines += [f"b={b.type}:{b.value}" for b in media.bandwidths]
            lines += [f"a={name}:{value}" if value else f"a={name}" for name, value in media.attributes]
        return "\r\n".join([*lines, ""]).encode()


def parse(body: bytes) -> SessionDescription:
    """Read a description.  DecodeError: this is none, or it passes a bound."""
    if len(body) > MAX_BYTES:
        raise DecodeError(f"a session description of {len(body)} bytes")
    lines = body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > MAX_LINES:
        raise DecodeError(f"a session description of {len(lines)} lines")
    session = _Part()
    media: list[tuple[MediaDescription, _Part]] = []
    part = session
    started = False
    for number, text in enumerate(lines, 1):
        line = text.rstrip(" \t\0")
        if not line:
            continue
        letter, value = line[:1], line[2:]
        if line[1:2] != "=" or not letter.isalpha() or len(line) > MAX_LINE:
            raise DecodeError(f"line {number} of a session description: {line[:40]!r}")
        if not started:
            # RFC 8866 5: v= is first; this is also what tells SDP from anything else.
            if letter != "v" or value.strip() != "0":
                raise DecodeError(f"a session description begins with {line[:40]!r} instead of v=0")
            started = True
        elif letter == "m":
            if len(media) == MAX_MEDIA:
                raise DecodeError(f"more than {MAX_MEDIA} media descriptions")
            part = _Part()
            media.append((_media_line(value, number), part))
        else:
            part.take(letter, value, number)
    if not started:
        raise DecodeError("an empty session description")
    return SessionDescription(
        session.origin,
        session.name,
        session.connection,
        tuple(session.bandwidths),
        tuple(session.attributes),
        tuple(
            MediaDescription(
                m.kind, m.port, m.protocol, m.formats, p.connection, tuple(p.bandwidths), tuple(p.attributes)
            )
            for m, p in media
        ),
    )


class _Part:
    """The lines of the session part or of one media description, as they come."""

    def __init__(self) -> None:
        self.origin = Origin()
        self.name = "-"
        self.connection: str | None = None
        self.bandwidths: list[Bandwidth] = []
        self.attributes: list[tuple[str, str]] = []

    def take(self, letter: str, value: str, number: int) -> None:
        """Take a line; i= u= e= p= t= r= z= k= say nothing to us, other letters nothing to anybody."""
        match letter:
            case "a":
                name, _, text = value.partition(":")
                self.attributes.append((name.strip(), text.strip()))
            case "c":
                # RFC 8866 5.7: several c= lines are layers of a multicast; the first one serves.
                address = _connection(value, number)
                self.connection = self.connection or address
            case "b":
                kind, _, amount = (word.strip() for word in value.partition(":"))
                if amount.isdecimal() and len(amount) <= 15:
                    self.bandwidths.append(Bandwidth(kind, int(amount)))
            case "o":
                self.origin = _origin(value)
            case "s":
                self.name = value.strip() or "-"
            case _:
                pass


def _origin(value: str) -> Origin:
    """Read ``username sess-id sess-version nettype addrtype address``; numbers that are none count as 0."""
    words = value.split()
    if len(words) != 6:
        return Origin()
    session_id, version = (int(word) if word.isdecimal() and len(word) <= 30 else 0 for word in words[1:3])
    return Origin(session_id, version, words[5], words[0])


def _connection(value: str, number: int) -> str:
    """Read ``nettype addrtype address``, without a multicast's ``/ttl``."""
    words = value.split()
    address = words[2].partition("/")[0] if len(words) == 3 and words[0].upper() == "IN" else ""
    if not address:
        raise DecodeError(f"line {number} of a session description: c={value[:40]!r}")
    return address


def _media_line(value: str, number: int) -> MediaDescription:
    words = value.split()
    port, _, count = words[1].partition("/") if len(words) >= 3 else ("", "", "")
    if not (_is_port(port) and (not count or _is_port(count))) or len(words) - 3 > MAX_FORMATS:
        raise DecodeError(f"line {number} of a session description: m={value[:40]!r}")
    return MediaDescription(words[0].lower(), int(port), words[2].upper(), tuple(words[3:]))


def _is_port(word: str) -> bool:
    return word.isdecimal() and len(word) <= 5 and int(word) <= 0xFFFF


def _network(address: str) -> str:
    return f"IN {'IP6' if ':' in address else 'IP4'} {address}"
