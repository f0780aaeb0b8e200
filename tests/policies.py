"""What two ends with a policy of encryption each come to, whatever protocol they speak."""

from __future__ import annotations

import pytest

from firmware.call.media import Encryption

OFF, PREFERRED, REQUIRED = Encryption

BOTH_CALL = pytest.mark.parametrize("by_far_end", [False, True], ids=["ours", "theirs"])
COME_TO_A_CALL = pytest.mark.parametrize(
    ("unit", "far", "encrypted"),
    [
        (OFF, OFF, False),
        (OFF, PREFERRED, False),
        (PREFERRED, OFF, False),
        (PREFERRED, PREFERRED, True),
        (PREFERRED, REQUIRED, True),
        (REQUIRED, PREFERRED, True),
        (REQUIRED, REQUIRED, True),
    ],
)
COME_TO_NONE = pytest.mark.parametrize(("unit", "far"), [(OFF, REQUIRED), (REQUIRED, OFF)])
