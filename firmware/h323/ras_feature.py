"""Which features of H.460 a RAS client says that it supports.

Rule: H.460.17 and H.460.22 exclude each other: calls that go by the connection that RAS goes by are as secure as that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware.h323 import h460_ras, h460_security
from firmware.h323.h460_feature import encode_feature, supported

if TYPE_CHECKING:
    from firmware.h323.ras_message import Body
    from firmware.h323.ras_settings import Settings


def features(settings: Settings, *, address: bool = False) -> Body:
    """Give the component of a GRQ, RRQ or ARQ that names them, with the *address* of TLS or not; {}: there are none."""
    if settings.transport != "udp":
        return {"featureSet": supported(encode_feature(h460_ras.FEATURE))}
    if settings.tls_address is not None:
        return {"featureSet": supported(h460_security.encode_tls(settings.tls_address if address else None))}
    return {}
