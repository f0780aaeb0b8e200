"""Connectivity checks as STUN messages: what is asked, what is answered, what is refused (RFC 8445 7.1, 7.3).

Rule 1: requests carry both fragments, ``theirs:ours``, and are signed with the password of whoever answers them.
Rule 2: what can't prove itself is refused in a few octets, and the refusal is not signed (RFC 8489 9.1.3).
"""

from __future__ import annotations

from typing import Final

from firmware.call.ice import Credentials
from firmware.ice.attribute import (
    ERROR_CODE,
    ICE_CONTROLLED,
    ICE_CONTROLLING,
    PRIORITY,
    UNKNOWN_ATTRIBUTES,
    USE_CANDIDATE,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    ErrorCode,
)
from firmware.ice.error import BAD_REQUEST, REASONS, UNAUTHENTICATED, UNKNOWN_ATTRIBUTE
from firmware.ice.message import BINDING, Kind, Message
from firmware.sansio import Address

_NEEDED: Final = (USERNAME.type, PRIORITY.type)


def request(
    identifier: bytes,
    ours: Credentials,
    theirs: Credentials,
    priority: int,
    tie_breaker: int,
    *,
    controlling: bool,
    nominate: bool = False,
) -> bytes:
    """Give a check of ours; *priority*: of the candidate that the far end may find by it (RFC 8445 7.1.1)."""
    role = ICE_CONTROLLING if controlling else ICE_CONTROLLED
    fields = [USERNAME(f"{theirs.fragment}:{ours.fragment}"), PRIORITY(priority), role(tie_breaker)]
    if nominate:
        fields.append(USE_CANDIDATE(b""))
    return Message.of(BINDING, Kind.REQUEST, identifier, *fields).encode(theirs.password.encode())


def success(asked: Message, source: Address, ours: Credentials) -> bytes:
    """Give the answer to a check: where it came from (RFC 8445 7.3.1.2)."""
    answer = Message.of(BINDING, Kind.SUCCESS, asked.transaction, XOR_MAPPED_ADDRESS(source))
    return answer.encode(ours.password.encode())


def refusal(asked: Message, code: int, ours: Credentials | None = None) -> bytes:
    """Give the refusal of a check; signed where it had proved itself, with *ours*."""
    fields = [ERROR_CODE(ErrorCode(code, REASONS.get(code, "")))]
    if code == UNKNOWN_ATTRIBUTE:
        fields.append(UNKNOWN_ATTRIBUTES(asked.unknown))
    answer = Message.of(BINDING, Kind.ERROR, asked.transaction, *fields)
    return answer.encode(ours.password.encode() if ours is not None else b"")


def objection(asked: Message, ours: Credentials) -> int:
    """Say with which code a check is refused before its role matters (RFC 8489 9.1.3, 6.3.1); 0: it is not."""
    if not asked.signatures or any(number not in asked.attributes for number in _NEEDED):
        return BAD_REQUEST
    if not is_for(asked, ours) or not asked.proves(ours.password.encode()):
        return UNAUTHENTICATED
    return UNKNOWN_ATTRIBUTE if asked.unknown else 0


def is_for(asked: Message, ours: Credentials) -> bool:
    """Whether a check names our fragment."""
    return (asked.get(USERNAME) or "").startswith(f"{ours.fragment}:")
