"""Addresses for people and for the kernel."""

from __future__ import annotations

from firmware.net.address import at, source_address, without_scope


def test_source_address_is_never_a_wildcard() -> None:
    assert source_address(("127.0.0.1", 9)) == "127.0.0.1"


def test_addresses_are_written_with_brackets_where_needed() -> None:
    assert (at(("127.0.0.1", 1)), at(("::1", 2))) == ("127.0.0.1:1", "[::1]:2")


def test_a_scope_is_for_this_machine_only() -> None:
    assert [without_scope(host) for host in ("fe80::1%eth0", "::1", "192.0.2.1")] == ["fe80::1", "::1", "192.0.2.1"]
