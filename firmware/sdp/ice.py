"""What a description says of ICE: candidates and the credentials of their checks (RFC 8839).

Rule 1: a candidate that can't be read, or that is of no use here (by TCP, under a name, of a component that RTP doesn't
have), counts as absent; names are never looked up, those of mDNS (``.local``) neither.
Rule 2: credentials stand in a medium, or once for all of them in the session part (5.4).
Rule 3: who describes ICE, but whose default destination is none of his candidates, was rewritten on the way (4.2.5).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware.call.ice import Candidate, CandidateType, Credentials
from firmware.sdp import attributes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from firmware.sansio import Address
    from firmware.sdp.session import Attributes, MediaDescription, SessionDescription

CANDIDATE: Final = "candidate"
FRAGMENT: Final = "ice-ufrag"
PASSWORD: Final = "ice-pwd"
LITE: Final = "ice-lite"
OPTIONS: Final = "ice-options"
MISMATCH: Final = "ice-mismatch"
REMOTE_CANDIDATES: Final = "remote-candidates"
END_OF_CANDIDATES: Final = "end-of-candidates"
"""RFC 8840 8.2; we say so because nothing is trickled."""
NAMES: Final = frozenset(
    {CANDIDATE, FRAGMENT, PASSWORD, LITE, OPTIONS, MISMATCH, REMOTE_CANDIDATES, END_OF_CANDIDATES, "rtcp"}
)
"""What a line that is described by `write` says of ICE."""
RFC_8445: Final = "ice2"
"""The option of who keeps to RFC 8445 instead of RFC 5245 (RFC 8445 10)."""

RTP, RTCP = 1, 2
"""Components (RFC 8445 13)."""
MAX_LINES: Final = 64
"""Candidates of one medium that are looked at; a browser with many links has 30."""
MAX_CANDIDATES: Final = 16
"""Of one component that are used: each is checked from each address of ours."""
_NOWHERE: Final = {("0.0.0.0", 9), ("::", 9)}
"""The default destination of who tells his candidates later (RFC 8840 4.1)."""

_CREDENTIAL: Final = re.compile(r"[A-Za-z0-9+/]+", re.ASCII)
_LINE: Final = re.compile(
    r"([A-Za-z0-9+/]{1,32}) ([0-9]{1,3}) ([A-Za-z]{1,16}) ([0-9]{1,10}) ([0-9A-Fa-f.:]{2,45}) ([0-9]{1,5}) typ ([a-z]+)"
    r"(?: raddr ([0-9A-Fa-f.:]{2,45}) rport ([0-9]{1,5}))?(?: .*)?",
    re.ASCII,
)
"""RFC 8839 5.1; extensions follow in pairs."""
_TYPES: Final = {each.value: each for each in CandidateType}


@dataclass(frozen=True, slots=True)
class IceDescription:
    """What a medium says."""

    credentials: Credentials
    candidates: tuple[Candidate, ...]
    lite: bool = False
    remote_candidates: tuple[tuple[int, Address], ...] = ()
    """Of the reader, by component: those that the writer, who chooses, has chosen (5.2)."""
    mismatch: bool = False
    """The default destination is none of the candidates."""
    ice2: bool = False
    """The writer keeps to RFC 8445, else to RFC 5245 (RFC 8839 4.2.1.5)."""


def read(session: SessionDescription, media: MediaDescription) -> IceDescription | None:
    """Give what a medium says of ICE; None: it takes no part in it, or says that it was rewritten (5.3)."""
    fragment = media.attribute(FRAGMENT) or session.attribute(FRAGMENT) or ""
    password = media.attribute(PASSWORD) or session.attribute(PASSWORD) or ""
    for text, least in ((fragment, 4), (password, 22)):  # RFC 8839 5.4
        if not least <= len(text) <= 256 or _CREDENTIAL.fullmatch(text) is None:
            return None
    if media.attribute(MISMATCH) is not None:
        return None
    lines = media.values(CANDIDATE)[:MAX_LINES]
    found: dict[tuple[int, Address], Candidate] = {}
    counts = {RTP: 0, RTCP: 0}
    for candidate in map(_read, lines):
        if candidate is None or counts[candidate.component] == MAX_CANDIDATES:
            continue
        if found.setdefault((candidate.component, candidate.address), candidate) is candidate:
            counts[candidate.component] += 1
    return IceDescription(
        Credentials(fragment, password),
        tuple(found.values()),
        session.attribute(LITE) is not None,
        tuple(_remote_candidates(media.attribute(REMOTE_CANDIDATES) or "")),
        bool(lines) and _is_mismatched(session, media, lines, counts[RTCP] > 0),
        RFC_8445 in (media.attribute(OPTIONS) or session.attribute(OPTIONS) or "").split(),
    )


def write(
    credentials: Credentials,
    candidates: Iterable[Candidate],
    defaults: Mapping[int, Address],
    remote_candidates: Mapping[int, Address] | None = None,
) -> Attributes:
    """Give what a medium says; *defaults* are its default destinations by component."""
    said: list[tuple[str, str]] = []
    if RTCP in defaults:
        host, port = defaults[RTCP]
        said.append(("rtcp", f"{port} IN {'IP6' if ':' in host else 'IP4'} {host}"))  # RFC 8839 4.2.2
    said += [(FRAGMENT, credentials.fragment), (PASSWORD, credentials.password), (OPTIONS, RFC_8445)]
    said += [(CANDIDATE, _write(each)) for each in candidates]
    if remote_candidates:
        words = (f"{component} {host} {port}" for component, (host, port) in remote_candidates.items())
        said.append((REMOTE_CANDIDATES, " ".join(words)))
    return (*said, (END_OF_CANDIDATES, ""))


def defaults(session: SessionDescription, media: MediaDescription) -> dict[int, Address]:
    """Give the default destinations by component (RFC 8839 4.2.2), as far as they are addresses."""
    host, control = session.address_of(media) or "", attributes.rtcp(media)
    said = {RTP: (host, media.port), RTCP: (control[1] or host, control[0]) if control else (host, media.port + 1)}
    found = {component: _address(host, str(port), least=0) for component, (host, port) in said.items()}
    return {component: address for component, address in found.items() if address is not None}


def _read(value: str) -> Candidate | None:
    line = _LINE.fullmatch(value)
    if line is None or line[3].upper() != "UDP" or line[7] not in _TYPES or int(line[2]) not in (RTP, RTCP):
        return None
    address, priority = _address(line[5], line[6]), int(line[4])
    if address is None or not 1 <= priority < 1 << 31:
        return None
    related = _address(line[8], line[9], least=0) if line[8] is not None else None
    return Candidate(line[1], int(line[2]), priority, address, _TYPES[line[7]], related)


def _address(host: str, port: str, least: int = 1) -> Address | None:
    """Read an address in the form in which addresses are compared; None: nobody can be there."""
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        return None
    nobody = literal.is_multicast or (least > 0 and literal.is_unspecified)
    return (str(literal), int(port)) if least <= int(port) <= 0xFFFF and not nobody else None


def _remote_candidates(value: str) -> Iterable[tuple[int, Address]]:
    words = value.split()[: 3 * RTCP]
    for number, host, port in zip(words[::3], words[1::3], words[2::3], strict=False):
        if number in ("1", "2") and port.isdecimal() and len(port) <= 5:
            address = _address(host, port)
            if address is not None:
                yield int(number), address


def _is_mismatched(
    session: SessionDescription, media: MediaDescription, lines: Iterable[str], has_control: bool
) -> bool:
    """Whether a default destination is none of the candidates, of those that nobody can use neither (4.2.5)."""
    host = session.address_of(media) or ""
    try:
        default = str(ipaddress.ip_address(host)), media.port
    except ValueError:  # a name is no mismatch
        return False
    if default in _NOWHERE:
        return False
    said: set[tuple[str, Address]] = set()
    for line in lines:
        words = line.split()
        address = _address(words[4], words[5]) if len(words) > 5 and words[5].isdecimal() else None
        if address is not None:
            said.add((words[1], address))
    if ("1", default) not in said:
        return True
    control = attributes.rtcp(media)
    if control is None or not has_control or control[0] == 9:
        return False
    address = _address(control[1] or host, str(control[0]))
    return address is not None and ("2", address) not in said and ("1", address) not in said


def _write(candidate: Candidate) -> str:
    said = f"{candidate.foundation} {candidate.component} UDP {candidate.priority}"
    said += f" {candidate.address[0]} {candidate.address[1]} typ {candidate.type.value}"
    return said if candidate.related is None else f"{said} raddr {candidate.related[0]} rport {candidate.related[1]}"
