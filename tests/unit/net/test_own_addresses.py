"""The machine's own addresses: as the kernel says them, and in a network of their own when they change."""

from __future__ import annotations

import asyncio
import ctypes
import ipaddress
import logging
import os
import socket
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from firmware.net import own_addresses as module
from firmware.net.own_addresses import AddressWatch, own_addresses


def entry(family: int, scope: int, short_flags: int, **attributes: bytes) -> bytes:
    """Write what the kernel says of one address."""
    kinds = {"address": 1, "local": 2, "flags": 8}
    body = struct.pack("=BBBBI", family, 24, short_flags, scope, 2)
    for name, value in attributes.items():
        body += struct.pack("=HH", 4 + len(value), kinds[name]) + value + bytes(-len(value) % 4)
    return body


def ipv4(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


def test_those_by_which_others_reach_us() -> None:
    found = own_addresses()
    for each in map(ipaddress.ip_address, found):
        assert not each.is_loopback
        assert not each.is_link_local
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("body", "address"),
    [
        (entry(socket.AF_INET, 0, 0, address=ipv4("192.0.2.1")), "192.0.2.1"),
        (entry(socket.AF_INET, 0, 0, address=ipv4("192.0.2.1"), local=ipv4("192.0.2.2")), "192.0.2.2"),
        (entry(socket.AF_INET6, 0, 0, address=ipv4("2001:db8::1")), "2001:db8::1"),
        (entry(socket.AF_INET6, 200, 0, address=ipv4("fec0::1")), "fec0::1"),
        (entry(socket.AF_INET, 254, 0, address=ipv4("127.0.0.1")), None),
        (entry(socket.AF_INET, 0, 0, address=ipv4("127.0.0.1")), None),
        (entry(socket.AF_INET6, 253, 0, address=ipv4("fe80::1")), None),
        (entry(socket.AF_INET, 0, 0, address=ipv4("169.254.1.1")), None),
        (entry(socket.AF_INET6, 0, 0x40, address=ipv4("2001:db8::1")), None),
        (entry(socket.AF_INET6, 0, 0, address=ipv4("2001:db8::1"), flags=struct.pack("=I", 0x20)), None),
        (entry(socket.AF_INET6, 0, 0x40, address=ipv4("2001:db8::1"), flags=struct.pack("=I", 0x100)), "2001:db8::1"),
        (entry(socket.AF_INET, 0, 0, address=b"\1\2\3"), None),
        (entry(socket.AF_INET, 0, 0), None),
        (entry(9, 0, 0, address=ipv4("192.0.2.1")), None),
        (b"\2", None),
        (entry(socket.AF_INET, 0, 0) + b"\0\0\1\0", None),
    ],
)
def test_what_the_kernel_says_of_one(body: bytes, address: str | None) -> None:
    assert module._read(body) == address


@pytest.fixture
def own_network() -> Any:
    """Have this thread in a network with nothing in it."""
    if os.geteuid() != 0:
        pytest.skip("a network of one's own takes root")
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open("rb") as here:
        assert libc.unshare(0x40000000) == 0, os.strerror(ctypes.get_errno())
        try:
            yield
        finally:
            libc.setns(here.fileno(), 0x40000000)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def test_a_change_is_told_once_it_has_settled(
    own_network: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "SETTLE_TIME", 0.05)
    changes: list[tuple[str, ...]] = []

    async def told(count: int) -> None:
        for _ in range(1000):
            if len(changes) >= count:
                return
            await asyncio.sleep(0.005)
        raise AssertionError("it is never told")

    async def main() -> None:
        watch = AddressWatch(lambda: changes.append(own_addresses()))
        ip("link", "set", "lo", "up")
        ip("addr", "add", "192.0.2.1/24", "dev", "lo")
        await told(1)
        ip("addr", "del", "192.0.2.1/24", "dev", "lo")
        ip("addr", "add", "192.0.2.7/24", "dev", "lo")
        await told(2)
        ip("addr", "add", "127.0.0.2/8", "dev", "lo", "scope", "host")  # nobody else's business
        await asyncio.sleep(0.2)
        watch.close()
        ip("addr", "add", "192.0.2.8/24", "dev", "lo")
        await asyncio.sleep(0.2)

    with caplog.at_level(logging.INFO):
        asyncio.run(main())
    assert changes == [("192.0.2.1",), ("192.0.2.7",)]
    assert "= address -192.0.2.1" in caplog.text


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_where_the_kernel_does_not_say_nothing_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> tuple[str, ...]:
        raise PermissionError

    monkeypatch.setattr(module, "own_addresses", refuse)

    async def main() -> None:
        before = open_files()
        with pytest.raises(PermissionError):
            AddressWatch(lambda: None)
        assert open_files() == before

    asyncio.run(main())
