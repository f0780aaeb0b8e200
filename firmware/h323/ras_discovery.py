"""Gatekeeper discovery: which gatekeeper is ours, and how it wants us to show who we are (H.323 7.2.1).

GRQ goes to the gatekeeper of the settings, or by multicast to all; the first that confirms is ours.  A gatekeeper's
confirm names the address for all further messages, and chooses among the methods of `firmware.h323.h235` that we offer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware.h323 import h225
from firmware.h323.address import decode_transport, encode_transport
from firmware.h323.h235 import OFFERS, Method
from firmware.h323.identity import endpoint_type
from firmware.h323.ras_alias import encode_aliases
from firmware.h323.ras_alternate import Gatekeeper
from firmware.h323.ras_feature import features
from firmware.h323.ras_message import text
from firmware.h323.ras_settings import DISCOVERY

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.h323.h235 import Credentials
    from firmware.h323.ras_message import Body
    from firmware.h323.ras_settings import Settings
    from firmware.h323.ras_transaction import Answer, Transactions
    from firmware.h323.ras_transport import Transport
    from firmware.sansio import Address

    Report = Callable[["Found | NotFound", float], None]

SECURITY_DENIAL: Final = "securityDenial"
"""The reason to go on where a gatekeeper wants a method that we are not allowed."""


@dataclass(frozen=True, slots=True)
class Found:
    """A gatekeeper confirmed."""

    gatekeeper: Gatekeeper
    method: Method | None
    """How to show who we are; None: the gatekeeper left that open."""
    body: Body
    """Its GCF, for the alternates in it."""


@dataclass(frozen=True, slots=True)
class NotFound:
    """None confirmed."""

    reason: str
    """A name of GatekeeperRejectReason, or ``noAnswer``."""
    body: Body
    """Of the GRJ, for the alternates in it; {} if there was none."""


class Discovery:
    """One client's searches, one at a time; *report* hears what came of each."""

    def __init__(self, settings: Settings, transport: Transport, transactions: Transactions, report: Report) -> None:
        self._settings = settings
        self._transport = transport
        self._transactions = transactions
        self._report = report
        self._number = 0

    def start(self, address: Address | None, now: float) -> None:
        """Ask this gatekeeper, or with None all of them."""
        self.stop()
        flow = self._transport.flow(address or DISCOVERY)
        self._number = self._transactions.request(
            "gatekeeperRequest", self._body(), flow, now, self._answered, multicast=address is None
        )

    def stop(self) -> None:
        """Search no more."""
        self._transactions.forget(self._number)

    def _body(self) -> Body:
        settings = self._settings
        body: Body = {
            "protocolIdentifier": h225.IDENTIFIER,
            "rasAddress": encode_transport(settings.ras_address),
            "endpointType": endpoint_type(settings.identity),
            "endpointAlias": encode_aliases(settings.identity.aliases),
            "supportsAltGK": None,
        }
        body |= features(settings)
        if settings.gatekeeper_identifier:
            body["gatekeeperIdentifier"] = settings.gatekeeper_identifier
        if settings.credentials is not None:
            offers = [OFFERS[method] for method in settings.credentials.methods]
            # H.225.0 7.8.1: the two lists are each a set; both baseline and MD5 are a pwdHash.
            body["authenticationCapability"] = list(dict.fromkeys(mechanism for mechanism, _ in offers))
            body["algorithmOIDs"] = [algorithm for _, algorithm in offers]
        return body

    def _answered(self, answer: Answer, now: float) -> None:
        if not answer.confirmed:
            self._report(NotFound(answer.reason, answer.body), now)
            return
        body = answer.body
        # A gatekeeper behind a translator may not know its own address; then the one that it answers from must do.
        # And who is asked inside call signalling goes on there (H.460.17).
        given = None if answer.flow.reliable else decode_transport(body["rasAddress"])
        address = given or answer.flow.remote
        wanted = self._settings.gatekeeper_identifier
        identifier = text(body, "gatekeeperIdentifier")
        try:
            method = chosen_method(body, self._settings.credentials)
        except PermissionError:
            self._report(NotFound(SECURITY_DENIAL, {}), now)
            return
        if wanted and identifier and identifier != wanted:
            self._report(NotFound("terminalExcluded", {}), now)
            return
        self._report(Found(Gatekeeper(address, identifier or wanted), method, body), now)


def chosen_method(body: Body, credentials: Credentials | None) -> Method | None:
    """Give the method that a GCF asks for; None if it leaves that open.  PermissionError: one that we don't allow."""
    mechanism, algorithm = body.get("authenticationMode"), body.get("algorithmOID")
    if mechanism is None or credentials is None:
        return None
    for method in credentials.methods:
        offered, its_algorithm = OFFERS[method]
        if offered == mechanism and algorithm in (None, its_algorithm):
            return method
    raise PermissionError("the gatekeeper asks for a way to authenticate that the settings don't allow")
