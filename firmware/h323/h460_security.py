"""Which security call signalling has, agreed on in RAS: H.460.22, with TLS as all that we know of it.

::

    feature 22 ── parameter 1, TLS ── compound ┬─ 1: priority, 1 the best
                                               └─ 2: the address that takes connections by TLS

Each side names what it can; a registration tells the gatekeeper where we are reached by TLS, and the confirm of an
admission tells where the call goes by it.  What is agreed on so is kept to: a call that should go by TLS and can't,
fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.h323.address import decode_transport, encode_transport
from firmware.h323.h460_feature import encode_feature, encode_parameters, find_feature, read_parameters

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.sansio import Address

FEATURE: Final = 22
"""H.460.22, negotiation of security protocols."""
TLS_PORT: Final = 1300
"""H.225.0 annex D; where an offer of TLS names no address."""
_TLS: Final = 1
_PRIORITY: Final = 1
_ADDRESS: Final = 2
_BEST: Final = 1


def encode_tls(address: Address | None = None) -> Value:
    """Write that we take TLS, and at which address."""
    settings: list[tuple[int, Value]] = [(_PRIORITY, ("number8", _BEST))]
    if address is not None:
        settings.append((_ADDRESS, ("transport", encode_transport(address))))
    return encode_feature(FEATURE, [(_TLS, ("compound", encode_parameters(settings)))])


def read_tls(body: dict[str, Value], host: str) -> Address | None:
    """Give where a message offers TLS, at *host* if it names no address; None: it does not offer it."""
    offers = [content for number, content in find_feature(body, FEATURE) or () if number == _TLS]
    if not offers:
        return None
    match offers[0]:
        case ("compound", list(values)):
            for number, content in read_parameters(values):
                if number == _ADDRESS and content is not None and content[0] == "transport":
                    return decode_transport(content[1]) or (host, TLS_PORT)
    return host, TLS_PORT
