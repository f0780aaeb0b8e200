"""REGISTER as a message: what stands in it, and what its responses say (RFC 3261 10.2, RFC 5626, RFC 3608, RFC 3327).

What a registrar writes that can't be read, or is out of all bounds, is as if it were not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.errors import RemoteProtocolError
from firmware.sip.account import LINE
from firmware.sip.header import NameAddr, parse_seconds
from firmware.sip.identity import METHODS
from firmware.sip.message import MAX_FORWARDS, Headers, Request, Response
from firmware.sip.uri import Uri

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from firmware.sansio import Flow
    from firmware.sip.account import Account

    T = TypeVar("T")

MAX_EXPIRES: Final = 86_400
"""Seconds; we register at least once a day, and agree to no longer Min-Expires."""
MAX_ROUTES: Final = 16
"""Hops of a service route."""
MAX_PUT_OFF: Final = 7200
"""Seconds that a server may put us off at a time."""


def register(
    account: Account, target: Uri, flow: Flow, expires: int, identifiers: tuple[str, str, int], *, outbound: bool
) -> Request:
    """Begin a REGISTER to *target*, for *expires* seconds; 0 unregisters.

    *identifiers* are Call-ID, From tag and number; *outbound*: whether the flow is to be known by (RFC 5626 4.2.1).
    """
    settings = account.settings
    call_id, tag, number = identifiers
    headers = Headers()
    if settings.proxy is not None:
        headers.add("Route", account.proxy_route)
    headers.add("Max-Forwards", str(MAX_FORWARDS))
    headers.add("From", str(account.from_address.with_tag(tag)))
    headers.add("To", str(NameAddr("", settings.address)))
    headers.add("Call-ID", call_id)
    headers.add("CSeq", f"{number} REGISTER")
    contact = f"<{account.contact(flow, dialog=False)}>"
    if settings.instance:
        contact += f';+sip.instance="<{settings.instance}>"'
    # RFC 5626 4.2.1: each flow of an address of record has a number of its own.
    headers.add("Contact", f"{contact};reg-id={settings.flow_number}" if outbound else contact)
    headers.add("Expires", str(expires))
    # RFC 3327 5.1, RFC 5626 4.2.1
    headers.add("Supported", "path, outbound" if outbound else "path")
    headers.add("Allow", ", ".join(METHODS))
    return Request("REGISTER", target, headers)


def granted(response: Response, account: Account, asked: int) -> int:
    """For how many seconds a 2xx registers us (RFC 3261 10.2.4)."""
    contacts = _read(lambda: response.contacts) or ()
    own = (contact for contact in contacts if contact.uri.parameter(LINE) == account.line)
    # A contact that is alone is ours, whatever a gateway on the way has made of it.
    contact = next(own, contacts[0] if len(contacts) == 1 else None)
    written = contact.parameter("expires") if contact is not None else None
    seconds = _read(lambda: parse_seconds(written) if written is not None else response.expires)
    return min(asked if seconds is None else seconds, MAX_EXPIRES)


def service_route(response: Response) -> tuple[NameAddr, ...]:
    """What our requests are to pass through (RFC 3608 6.1)."""
    return (_read(lambda: response.service_routes) or ())[:MAX_ROUTES]


def keeps_outbound(response: Response) -> bool:
    """Whether the registrar has taken the flow for what it is (RFC 5626 6: it requires ``outbound`` then)."""
    return "outbound" in (_read(lambda: response.require) or ())


def flow_timer(response: Response) -> int | None:
    """Seconds after which the server takes a silent flow for dead (RFC 5626 4.4.1), or None."""
    return _read(lambda: response.flow_timer)


def longer(response: Response, asked: int) -> int | None:
    """What a 423 wants instead (RFC 3261 10.2.8); None: nothing that we can agree to."""
    least = _read(lambda: response.min_expires)
    return least if least is not None and asked < least <= MAX_EXPIRES else None


def redirected(response: Response, *, secure: bool) -> Uri | None:
    """Where a 3xx sends us (RFC 3261 8.1.3.4), as a Request-URI of a REGISTER; None: nowhere that we can go.

    *secure*: a registrar of SIPS, who can't send us where that is not wanted.
    """
    contacts = _read(lambda: response.contacts) or ()
    # RFC 3261 20.10: the preferred one has the highest q, which is 1 where none is written.
    for contact in sorted(contacts, key=_preference, reverse=True):
        if contact.uri.scheme in (("sips",) if secure else ("sip", "sips")):
            uri = contact.uri
            return Uri(uri.scheme, None, uri.host, uri.port, parameters=uri.parameters)
    return None


def put_off(response: Response) -> int:
    """Seconds after which to try again at the earliest (RFC 3261 20.33); 0: the server says nothing of it."""
    return min(_read(lambda: response.retry_after) or 0, MAX_PUT_OFF)


def _preference(contact: NameAddr) -> float:
    written = contact.parameter("q") or "1"
    # RFC 3261 25.1 qvalue: at most three decimals.
    return float(written) if len(written) <= 5 and written.isascii() and written.replace(".", "", 1).isdigit() else 0.0


def _read(read: Callable[[], T | None]) -> T | None:
    try:
        return read()
    except RemoteProtocolError:
        return None
