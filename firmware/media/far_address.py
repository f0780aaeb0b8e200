"""Where a stream's packets go and from whom they may come.

Rule 1: packets go to the signalled address, from the socket on which we receive (RFC 4961: symmetric RTP).
Rule 2: the signalled host is always believed, whatever port its packets come from.
Rule 3: another host is believed only where the signalled one can't be meant literally, because it is a private address
or there is none, or because the packets prove that he has the far end's key; and only as long as nobody else is heard.
A far end behind a NAT is reached so, while nobody on the Internet can put himself in a far end's place.
"""

from __future__ import annotations

import ipaddress

from firmware.sansio import Address

SILENCE = 5.0
"""Seconds after which a host that was believed by rule 3 gives way to another."""


class FarAddress:
    """One destination and its sources."""

    def __init__(self, signalled: Address | None) -> None:
        self._signalled = signalled
        self._host = _literal(signalled)
        self._guess = self._host is None or self._host.is_private or self._host.is_unspecified
        self._heard: Address | None = None
        self._heard_time = float("-inf")
        self._foreign: Address | None = None
        """The heard address, where it is of another host than signalled."""

    @property
    def destination(self) -> Address | None:
        """Where to send, or None: not known yet."""
        return self._foreign or (self._signalled if self._host is not None and self._signalled else None)

    def accepts(self, source: Address, now: float, proof: bool = False) -> bool:
        """Whether a packet from this address may be believed; with *proof*, if it turns out to have the right key."""
        if source == self._heard:
            return True
        host = _literal(source)
        if host == self._host and host is not None:
            return True
        if not self._guess and not proof:
            return False
        same_host = self._heard is not None and source[0] == self._heard[0]
        return same_host or now - self._heard_time > SILENCE

    def heard(self, source: Address, now: float) -> None:
        """Tell that a packet from this address was accepted, and made sense."""
        self._heard_time = now
        if source != self._heard:
            self._heard = source
            self._foreign = None if _literal(source) == self._host else source


def _literal(address: Address | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The host as a number; None for a name, which is never looked up here: that could take seconds."""
    if address is None:
        return None
    try:
        return ipaddress.ip_address(address[0].partition("%")[0])
    except ValueError:
        return None
