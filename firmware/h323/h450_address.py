"""Whom a supplementary service speaks of: EndpointAddress (H.450.1, Addressing-Data-Elements)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware.h323.address import MAX_ALIASES, decode_aliases, decode_transport, encode_transport
from firmware.h323.ras_alias import encode_aliases, host_port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware.asn1 import Value
    from firmware.h323.address import Alias
    from firmware.sansio import Address, Flow


def encode_endpoint(aliases: Sequence[Alias], address: Address | None) -> Value:
    """Write whom to call and where.  ValueError: an alias can't be written, or there is neither."""
    written = [("transportID", encode_transport(address))] if address is not None else []
    written += encode_aliases(aliases)
    if not written:
        raise ValueError("nobody is named")
    return {"destinationAddress": written}


def encode_reached(aliases: Sequence[Alias], flow: Flow) -> Value:
    """Write where we are reached as safely as by this flow; by TLS a URL of ours says so, which no transport address
    could.
    """
    if flow.transport != "tls":
        return encode_endpoint(aliases, flow.local)
    return encode_endpoint((*aliases, ("url-ID", f"h323s:{host_port(flow.local)}")), None)


def decode_endpoint(value: Value) -> tuple[tuple[Alias, ...], Address | None]:
    """Read whom to call and where; what is not there, or can't be used, is empty or None."""
    match value:
        case {"destinationAddress": list(values)}:
            found = (decode_transport(v) for kind, v in values[:MAX_ALIASES] if kind == "transportID")
            address = next((address for address in found if address is not None), None)
            return decode_aliases(values), address
    return (), None
