"""Which features of H.460 a RAS client says that it supports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware.h323 import h460_ras
from firmware.h323.h460_feature import encode_feature, supported

if TYPE_CHECKING:
    from firmware.h323.ras_message import Body
    from firmware.h323.ras_settings import Settings


def features(settings: Settings) -> Body:
    """Give the component of a GRQ or RRQ that names them; {} if there are none."""
    if settings.transport != "udp":
        return {"featureSet": supported(encode_feature(h460_ras.FEATURE))}
    return {}
