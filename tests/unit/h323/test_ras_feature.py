from __future__ import annotations

import pytest

from firmware.h323.h460_feature import find_feature
from firmware.h323.h460_security import TLS_PORT, read_tls
from firmware.h323.identity import Identity
from firmware.h323.ras_feature import features
from firmware.h323.ras_settings import Settings

OURS, SECURE = ("192.0.2.1", 1720), ("192.0.2.1", 1301)


@pytest.mark.parametrize(("transport", "inside"), [("udp", False), ("tcp", True), ("tls", True)])
def test_h460_17_is_named_where_it_is_used(transport: str, inside: bool) -> None:
    body = features(Settings(Identity(()), OURS, OURS, transport=transport, tls_address=SECURE))
    assert (find_feature(body, 17) is not None) is inside
    assert (find_feature(body, 22) is None) is inside


def test_tls_is_named_with_its_address_or_without() -> None:
    settings = Settings(Identity(()), OURS, OURS, tls_address=SECURE)
    assert read_tls(features(settings, address=True), OURS[0]) == SECURE
    assert read_tls(features(settings), OURS[0]) == (OURS[0], TLS_PORT)


def test_who_can_nothing_says_nothing() -> None:
    assert features(Settings(Identity(()), OURS, OURS)) == {}
