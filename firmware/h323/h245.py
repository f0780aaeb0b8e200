"""H.245's messages (annex A): encoding and decoding of what the control channel carries."""

from __future__ import annotations

from typing import Final

from .schema import load

IDENTIFIER: Final = "0.0.8.245.0.13"
"""Protocol identifier that we announce: H.245 version 13."""
SCHEMA: Final = load("h245")
MESSAGE: Final = SCHEMA["MultimediaSystemControlMessage"]
OPEN_LOGICAL_CHANNEL: Final = SCHEMA["OpenLogicalChannel"]
"""Each item of ``fastStart`` is one (H.323 8.1.7)."""
