"""A SIP or SIPS URI (RFC 3261 19.1), or one of another scheme, which is kept as it is.

- The parts stay as written, escapes included, so that ``str(uri)`` gives back what was read; `Uri.unescaped_user` is
  for people.  A host keeps its case; only `Uri.equivalent` knows which differences don't matter.
- An IPv6 reference must be in brackets (RFC 3261 25.1, RFC 5118 4.2, 4.3); `Uri.host` is without them.
- A ``#`` in the user is taken unescaped, because peers write what was dialled.
- Any scheme is read, so that a server can answer 416 to the ones that it doesn't support (RFC 3261 8.2.2.1).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes

from firmware.errors import DecodeError
from firmware.sip.grammar import Parameters, format_parameters, number, parameter, printable

MAX_URI = 2048
"""Characters; RFC 3261 sets no bound (414 is for whom it is too long), peers take 256 to 8190."""

_UNRESERVED = r"A-Za-z0-9\-_.!~*'()"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*+):")
_SIP = re.compile(
    rf"(?:([{_UNRESERVED}&=+$,;?/%#]++)(?::([{_UNRESERVED}&=+$,%]*+))?@)?"
    r"(?:\[([0-9A-Fa-f:.]++)\]|([A-Za-z0-9_](?:[A-Za-z0-9_.\-]*+)))(?::([0-9]++))?"
    rf"((?:;[{_UNRESERVED}\[\]/:&+$%]++(?:=[{_UNRESERVED}\[\]/:&+$%]*+)?)*+)"
    rf"(?:\?([{_UNRESERVED}\[\]/?:+$%=&]++))?"
)
_OPAQUE = re.compile(r"[!#-;=?-~]++")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_TO_ESCAPE = re.compile(rf"[^{_UNRESERVED}&=+$,;?/]")
_IS_UNRESERVED = re.compile(rf"[{_UNRESERVED}]")

_COUNTS_ALONE = frozenset(("user", "ttl", "method", "maddr", "transport"))
"""RFC 3261 19.1.4: parameters that never match their own absence."""


@dataclass(frozen=True, slots=True)
class Uri:
    """A URI: ``scheme:user:password@host:port;parameters?headers``, or ``scheme:opaque``."""

    scheme: str
    """In lower case."""
    user: str | None = None
    host: str = ""
    """A name, an IPv4 address or an IPv6 address without brackets; "" for a scheme other than sip and sips."""
    port: int | None = None
    password: str | None = None
    parameters: Parameters = ()
    headers: Parameters = ()
    opaque: str = ""
    """All that follows the colon, for a scheme other than sip and sips."""

    @classmethod
    def parse(cls, text: str) -> Uri:
        """Read a URI; DecodeError says what is wrong, with status 414 when it is too long."""
        if len(text) > MAX_URI:
            raise DecodeError(f"a URI of {len(text)} characters is too long", 414)
        match = _SCHEME.match(text)
        if match is None:
            raise DecodeError(f"{text[:40]!r} is not a URI")
        if "%" in text and _BAD_ESCAPE.search(text):
            raise DecodeError(f"{text[:40]!r} has a bad escape")
        scheme = match[1].lower()
        if scheme not in ("sip", "sips"):
            if _OPAQUE.fullmatch(text, match.end()) is None:
                raise DecodeError(f"{text[:40]!r} is not a URI")
            return cls(scheme, opaque=text[match.end() :])
        match = _SIP.fullmatch(text, match.end())
        if match is None:
            raise DecodeError(f"{text[:40]!r} is not a SIP URI")
        user, password, ipv6, name, port, parameters, headers = match.groups()
        return cls(
            scheme,
            user,
            name or check_ipv6(ipv6),
            None if port is None else parse_port(port),
            password,
            _split(parameters[1:], ";") if parameters else (),
            _split(headers, "&") if headers else (),
        )

    def __str__(self) -> str:
        if self.opaque:
            return f"{self.scheme}:{self.opaque}"
        user = "" if self.user is None else self.user
        if self.password is not None:
            user += f":{self.password}"
        at = "" if self.user is None else "@"
        headers = "&".join(name if value is None else f"{name}={value}" for name, value in self.headers)
        question = f"?{headers}" if headers else ""
        address = format_host_port(self.host, self.port)
        return f"{self.scheme}:{user}{at}{address}{format_parameters(self.parameters)}{question}"

    @property
    def unescaped_user(self) -> str:
        """The user for people: escapes resolved, what is not printable text is U+FFFD; "" when there is none."""
        user = self.user or ""
        return printable(unquote_to_bytes(user).decode("utf-8", "replace")) if "%" in user else user

    def parameter(self, name: str) -> str | None:
        """Give a parameter's value ("" when it has none), or None when there is no such parameter."""
        return parameter(self.parameters, name)

    def equivalent(self, other: Uri) -> bool:
        """Whether both name the same resource (RFC 3261 19.1.4)."""
        return (
            self.scheme == other.scheme
            and self.opaque == other.opaque
            and _normal(self.user) == _normal(other.user)
            and _normal(self.password) == _normal(other.password)
            and self.host.lower() == other.host.lower()
            and self.port == other.port
            and _parameters_match(self.parameters, other.parameters)
            # RFC 3261 19.1.4: header components are never ignored; their order is.
            and _comparable(self.headers) == _comparable(other.headers)
        )


def as_sips(uri: Uri) -> Uri:
    """Give the SIPS URI of the same resource; that it is reached by TLS goes without saying (RFC 5630 5.1.1)."""
    parameters = tuple(item for item in uri.parameters if item[0].lower() != "transport")
    return replace(uri, scheme="sips", parameters=parameters)


def escape_user(text: str) -> str:
    """Write any text as the user part of a SIP URI (RFC 3261 19.1.2)."""
    data = text.encode("utf-8", "surrogateescape").decode("latin-1")
    return _TO_ESCAPE.sub(lambda match: f"%{ord(match[0]):02X}", data)


def check_ipv6(text: str) -> str:
    """Give the text back if it is an IPv6 address; DecodeError otherwise."""
    # RFC 5118 4.10: RFC 3261's grammar could produce ":::" before an embedded IPv4 address; be liberal in accepting it.
    text = text.replace(":::", "::")
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        raise DecodeError(f"{text[:40]!r} is not an IPv6 address") from None
    return text


def parse_port(text: str) -> int:
    """Read a port, 1 to 65535; DecodeError otherwise."""
    port = number(text, 65535, "port")
    if port == 0:
        raise DecodeError("port 0 reaches nobody")
    return port


def format_host_port(host: str, port: int | None) -> str:
    """Write ``host:port`` with an IPv6 address in brackets; without the port when it is None."""
    if ":" in host:
        host = f"[{host}]"
    return host if port is None else f"{host}:{port}"


def _split(text: str, separator: str) -> Parameters:
    result = []
    for part in text.split(separator):
        name, equals, value = part.partition("=")
        result.append((name, value if equals else None))
    return tuple(result)


def _normal(text: str | None) -> str | None:
    """Resolve the escapes that don't matter: those of characters that are not reserved."""
    if text is None or "%" not in text:
        return text

    def replace(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if _IS_UNRESERVED.match(character) else match[0].upper()

    return _ESCAPE.sub(replace, text)


def _comparable(parameters: Parameters) -> dict[str, str]:
    return {(_normal(name) or "").lower(): (_normal(value) or "").lower() for name, value in parameters}


def _parameters_match(ours: Parameters, theirs: Parameters) -> bool:
    a, b = _comparable(ours), _comparable(theirs)
    return all(a[name] == b[name] if name in a and name in b else name not in _COUNTS_ALONE for name in a.keys() | b)
