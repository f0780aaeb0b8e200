"""Why a STUN or TURN server, or the far end, refuses a request: its codes, in words (RFC 8489 14.8, RFC 8656 19)."""

from __future__ import annotations

from typing import Final

from firmware.ice.attribute import ErrorCode

TRY_ALTERNATE: Final = 300
BAD_REQUEST: Final = 400
UNAUTHENTICATED: Final = 401
FORBIDDEN: Final = 403
UNKNOWN_ATTRIBUTE: Final = 420
ALLOCATION_MISMATCH: Final = 437
STALE_NONCE: Final = 438
ROLE_CONFLICT: Final = 487

WORDS: Final = {
    TRY_ALTERNATE: "it sends us to another server",
    BAD_REQUEST: "it calls the request wrong",
    UNAUTHENTICATED: "it does not know this user, or the password is another",
    FORBIDDEN: "it does not allow that",
    UNKNOWN_ATTRIBUTE: "it does not understand a part of the request",
    ALLOCATION_MISMATCH: "it has lost the allocation",
    STALE_NONCE: "it wants another nonce again and again",
    440: "it has no addresses of this family",
    441: "the allocation belongs to another user",
    442: "it does not relay UDP",
    443: "the peer's address is of another family",
    486: "this user has as many allocations as it gives",
    ROLE_CONFLICT: "both ends want to choose",
    500: "it is out of order",
    508: "it has no more addresses to give",
}

REASONS: Final = {
    BAD_REQUEST: "Bad Request",
    UNAUTHENTICATED: "Unauthenticated",
    UNKNOWN_ATTRIBUTE: "Unknown Attribute",
    ROLE_CONFLICT: "Role Conflict",
}
"""What we say to others, in the standard's words."""


def words(error: ErrorCode | None) -> str:
    """Say why, for the log: with the code, and never with what a stranger wrote."""
    if error is None:
        return "its refusal has no reason"
    return f"{WORDS.get(error.code, 'it refuses')} ({error.code})"
