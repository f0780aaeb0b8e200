"""Who may call."""

from __future__ import annotations

import pytest

from firmware.call.callers import Callers

NAMES = ("alice@example.com", "alice", "example.com")


@pytest.mark.parametrize(
    ("entries", "host", "admitted"),
    [
        ((), "192.0.2.1", True),
        (("192.0.2.1",), "192.0.2.1", True),
        (("192.0.2.1",), "192.0.2.2", False),
        (("192.0.2.0/24",), "192.0.2.2", True),
        (("192.0.2.77/24",), "192.0.2.2", True),
        (("192.0.2.0/24",), "::ffff:192.0.2.2", True),
        (("192.0.2.0/24",), "2001:db8::1", False),
        (("2001:db8::/32",), "2001:db8::1", True),
        (("[2001:db8::1]",), "2001:db8::1", True),
        (("fe80::/10",), "fe80::1%eth0", True),
        (("alice@example.com",), "192.0.2.2", True),
        (("sip:Alice@Example.com",), "192.0.2.2", True),
        (("bob@example.com",), "192.0.2.2", False),
        (("example.com",), "192.0.2.2", True),
        (("alice",), "192.0.2.2", True),
        (("ample.com", "lice", "alice@example.co"), "192.0.2.2", False),
        (("10.0.0.0/8", "bob", "example.com"), "192.0.2.2", True),
    ],
)
def test_callers(entries: tuple[str, ...], host: str, admitted: bool) -> None:
    assert Callers(entries).admits(host, NAMES) is admitted


def test_a_caller_without_a_name() -> None:
    assert not Callers(("alice",)).admits("192.0.2.2", ())
