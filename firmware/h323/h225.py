"""H.225.0's messages (annex H): encoding and decoding of the user-user element of call signalling, and of RAS."""

from __future__ import annotations

from typing import Final

from .h235_types import SCHEMA as H235
from .h245 import SCHEMA as H245
from .schema import load

IDENTIFIER: Final = "0.0.8.2250.0.7"
"""Protocol identifier that we announce: H.225.0 version 7."""
SCHEMA: Final = load("h225", h235=H235, h245=H245)
USER_INFORMATION: Final = SCHEMA["H323-UserInformation"]
"""What the user-user information element of a Q.931 message holds (H.225.0 7.2.2.31)."""
RAS_MESSAGE: Final = SCHEMA["RasMessage"]
"""What a datagram of RAS is."""
