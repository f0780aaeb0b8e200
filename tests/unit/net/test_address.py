"""Addresses for people and for the kernel."""

from __future__ import annotations

import socket

import pytest

from firmware.errors import FirmwareError
from firmware.net.address import (
    at,
    is_near,
    kernel_address,
    own_kernel_address,
    remote_address,
    source_address,
    with_scope_of,
    without_scope,
)


def test_source_address_is_never_a_wildcard() -> None:
    assert source_address(("127.0.0.1", 9)) == "127.0.0.1"


def test_addresses_are_written_with_brackets_where_needed() -> None:
    assert (at(("127.0.0.1", 1)), at(("::1", 2))) == ("127.0.0.1:1", "[::1]:2")


def test_a_scope_is_for_this_machine_only() -> None:
    assert [without_scope(host) for host in ("fe80::1%eth0", "::1", "192.0.2.1")] == ["fe80::1", "::1", "192.0.2.1"]


def test_the_kernel_is_told_the_link_by_its_number() -> None:
    assert kernel_address(("192.0.2.1", 1)) == ("192.0.2.1", 1)
    assert kernel_address(("2001:db8::1", 1)) == ("2001:db8::1", 1)
    assert kernel_address(("fe80::1%7", 1)) == ("fe80::1", 1, 0, 7)
    assert kernel_address(("fe80::1%lo", 1)) == ("fe80::1", 1, 0, socket.if_nametoindex("lo"))
    with pytest.raises(OSError, match="interface"):
        kernel_address(("fe80::1%nowhere", 1))
    with pytest.raises(FirmwareError, match="no way to"):
        source_address(("fe80::1%nowhere", 1))


def test_the_kernel_tells_the_link_by_its_number() -> None:
    assert remote_address(("192.0.2.1", 1)) == ("192.0.2.1", 1)
    assert remote_address(("2001:db8::1", 1, 0, 0)) == ("2001:db8::1", 1)
    assert remote_address(("fe80::1", 1, 0, socket.if_nametoindex("lo"))) == ("fe80::1%lo", 1)
    assert remote_address(("fe80::1", 1, 0, 123_456)) == ("fe80::1%123456", 1)


def test_our_own_link_is_found_out(link_local: str) -> None:
    host, _, link = link_local.partition("%")
    number = socket.if_nametoindex(link)
    assert own_kernel_address((host, 1)) == (host, 1, 0, number)
    assert own_kernel_address((link_local, 1)) == (host, 1, 0, number)
    assert own_kernel_address(("fe80::dead:beef", 1)) == ("fe80::dead:beef", 1, 0, 0)
    assert own_kernel_address(("::", 1)) == ("::", 1)
    assert own_kernel_address(("127.0.0.1", 1)) == ("127.0.0.1", 1)
    assert source_address((link_local, 9)) == host


def test_a_connection_begins_on_the_link_where_it_ends() -> None:
    assert with_scope_of("fe80::1", "fe80::2%eth0") == "fe80::1%eth0"
    assert with_scope_of("2001:db8::1", "fe80::2%eth0") == "2001:db8::1"
    assert with_scope_of("fe80::1", "2001:db8::2") == "fe80::1"
    assert with_scope_of("fe80::1%lo", "fe80::2%eth0") == "fe80::1%lo"


def test_who_is_near() -> None:
    assert is_near("10.0.0.1", "192.168.1.1")
    assert is_near("2001:db8::1", "2a00::1")
    assert not is_near("10.0.0.1", "8.8.8.8")
    assert not is_near("10.0.0.1", "")
