from __future__ import annotations

import pytest

from firmware.h323.h460_feature import find_feature
from firmware.h323.identity import Identity
from firmware.h323.ras_feature import features
from firmware.h323.ras_settings import Settings

OURS = ("192.0.2.1", 1720)


@pytest.mark.parametrize(("transport", "inside"), [("udp", False), ("tcp", True), ("tls", True)])
def test_h460_17_is_named_where_it_is_used(transport: str, inside: bool) -> None:
    body = features(Settings(Identity(()), OURS, OURS, transport=transport))
    assert (find_feature(body, 17) is not None) is inside
