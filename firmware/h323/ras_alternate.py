"""Alternate gatekeepers: where to go when ours stays silent or sends us away (H.323 7.2.6).

Rule 1: a gatekeeper that asks us to go elsewhere is believed only as far as its own answer is; addresses that no packet
can be sent to, or of the other IP version than ours, are passed over.
Rule 2: each alternate is tried once between two registrations, in order of priority, so that two gatekeepers can't
send us to and fro.
Rule 3: what is told of an alternate is where its RAS channel is.  Where RAS goes inside call signalling (H.460.17), it
is looked for at the port where the first gatekeeper has that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from firmware.h323.address import decode_transport
from firmware.h323.ras_message import text

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.h323.ras_message import Body
    from firmware.sansio import Address

MAX_ALTERNATES: Final = 16


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """A gatekeeper that we may ask."""

    address: Address
    """Of its RAS channel."""
    identifier: str = ""
    """gatekeeperIdentifier; "" if it is not known."""
    need_to_register: bool = True
    """False: it knows its neighbour's registrations, ours too (H.225.0: AlternateGK.needToRegister)."""
    priority: int = 0
    """0 is tried first, 127 last."""


def read_alternates(values: list[Value]) -> tuple[Gatekeeper, ...]:
    """Read a list of AlternateGK, best first."""
    found: dict[Address, Gatekeeper] = {}
    for value in values[:MAX_ALTERNATES]:
        address = decode_transport(value["rasAddress"])
        if address is not None:
            found.setdefault(
                address,
                Gatekeeper(address, text(value, "gatekeeperIdentifier"), value["needToRegister"], value["priority"]),
            )
    # H.225.0: AlternateGK.priority: the lowest value first; sorting keeps the order among equals
    return tuple(sorted(found.values(), key=lambda gatekeeper: gatekeeper.priority))


def alternates_of(body: Body) -> tuple[tuple[Gatekeeper, ...], bool] | None:
    """Give the alternates that a message names, and whether they replace its sender for good; None if it names none.

    A confirm and a URQ have ``alternateGatekeeper``, a reject has ``altGKInfo``, and an endpoint that is assigned to a
    certain gatekeeper hears of it in ``assignedGatekeeper``.
    """
    if "assignedGatekeeper" in body:
        return read_alternates([body["assignedGatekeeper"]]), True
    if "altGKInfo" in body:
        information = body["altGKInfo"]
        return read_alternates(information["alternateGatekeeper"]), information["altGKisPermanent"]
    if "alternateGatekeeper" in body:
        return read_alternates(body["alternateGatekeeper"]), False
    return None


class Alternates:
    """The alternates that we know, and which have been tried since we were registered last."""

    def __init__(self, port: int | None = None) -> None:
        """*port* is where they are asked instead of on their RAS channels."""
        self._port = port
        self._known: tuple[Gatekeeper, ...] = ()
        self._tried: set[Address] = set()

    @property
    def known(self) -> tuple[Gatekeeper, ...]:
        """All of them, best first."""
        return self._known

    def learn(self, body: Body) -> bool:
        """Take those that a message names in the place of all before; whether it names any."""
        found = alternates_of(body)
        if found is not None:
            self._known = tuple(map(self._reached, found[0]))
        return bool(found and found[0])

    def next(self, ours: Address, now_at: Address | None) -> Gatekeeper | None:
        """Give the best one not tried yet, and not the one that we are at; None when there is none left."""
        if now_at is not None:
            self._tried.add(now_at)
        for gatekeeper in self._known:
            if gatekeeper.address not in self._tried and (":" in gatekeeper.address[0]) is (":" in ours[0]):
                self._tried.add(gatekeeper.address)
                return gatekeeper
        return None

    def _reached(self, gatekeeper: Gatekeeper) -> Gatekeeper:
        port = self._port or gatekeeper.address[1]
        return replace(gatekeeper, address=(gatekeeper.address[0], port))

    def settle(self) -> None:
        """Take that we are registered: all may be tried again, should this end."""
        self._tried.clear()
