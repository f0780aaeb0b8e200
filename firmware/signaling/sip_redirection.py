"""Where a call goes that is taken elsewhere (RFC 3261 8.1.3.4): the addresses that 3xx responses name, one by one.

Rule 1: the same as for transfers: whoever answers may name whom he likes, but not this machine's own services.
Rule 2: who was called by SIPS sends nobody elsewhere but by SIPS: RFC 3261 8.1.3.4 would have a person informed, and
nobody could be asked.
Rule 3: nobody is called twice, and after so many addresses it is enough; so nobody can send us round in circles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.errors import CallError
from firmware.signaling.fair import is_fair
from firmware.signaling.sip_address import parse_address
from firmware.signaling.sip_transfer import Target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware.sip.uri import Uri

MAX_TARGETS: Final = 10
"""Addresses that one call is tried at."""


class Redirection:
    """The addresses of one call that are still to be tried."""

    def __init__(self) -> None:
        self._known: list[Uri] = []
        self._waiting: list[Target] = []
        self._secure = False
        self.insecure = False
        """An address was named to which a call by SIPS does not go."""

    def called(self, uri: Uri) -> None:
        """Take that this address is being called."""
        self._secure = self._secure or uri.scheme == "sips"
        if uri not in self._known:
            self._known.append(uri)

    def add(self, uris: Iterable[Uri], fields: tuple[tuple[str, str], ...], far: str) -> None:
        """Take addresses, the best first, from the one at *far*; they come before those that others have named."""
        found: list[Target] = []
        for named in uris:
            if len(self._known) >= MAX_TARGETS:
                break
            if named.scheme not in ("sip", "sips"):
                continue
            if self._secure and named.scheme != "sips":
                self.insecure = True
                continue
            try:
                uri = parse_address(str(named))
            except CallError:
                continue
            if is_fair(uri.host, far) and not any(uri.equivalent(known) for known in self._known):
                self._known.append(uri)
                found.append(Target(uri, fields, far))
        self._waiting[:0] = found

    def next(self) -> Target | None:
        """Give the next address to call; None: there is none."""
        return self._waiting.pop(0) if self._waiting else None
