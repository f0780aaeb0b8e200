"""Whom far ends may have us call."""

from __future__ import annotations

import pytest

from firmware.signaling.fair import is_fair


@pytest.mark.parametrize(
    ("host", "far", "fair"),
    [
        ("192.0.2.3", "192.0.2.1", True),
        ("pbx.example.com", "192.0.2.1", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "192.0.2.1", False),
        ("0.0.0.0", "192.0.2.1", False),
        ("::ffff:127.0.0.1", "192.0.2.1", False),
        ("::1", "::1", True),
        ("::1", "fe80::1%eth0", False),
        ("192.0.2.9", "fe80::1%eth0", True),
        ("224.2.2.2", "192.0.2.1", False),
        ("ff02::1", "::1", False),
    ],
)
def test_fair(host: str, far: str, fair: bool) -> None:
    assert is_fair(host, far) is fair
