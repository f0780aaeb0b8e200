"""Marks on packets: every family, and what a listening socket hands on."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from firmware.net.driver import Driver
from firmware.net.dscp import mark
from firmware.sansio import Flow


def octet(sock: socket.socket) -> int:
    if sock.family == socket.AF_INET6:
        return sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS)
    return sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_the_octet_has_the_code_point_above(family: int, kind: int) -> None:
    with socket.socket(family, kind) as sock:
        for dscp in (46, 34, 24, 0, 63):
            mark(sock, dscp)
            assert octet(sock) == dscp << 2


class Quiet:
    """A core that says nothing."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()

    def flow_opened(self, flow: Flow, now: float) -> None:
        self.opened.set()

    def flow_closed(self, flow: Flow, now: float) -> None: ...
    def receive_data(self, flow: Flow, data: bytes, now: float) -> None: ...
    def handle_timer(self, now: float) -> None: ...

    def timer(self) -> float | None:
        return None

    def actions(self) -> list[Any]:
        return []

    def events(self) -> list[Any]:
        return []


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_all_that_a_driver_has_is_marked(host: str) -> None:
    async def check() -> None:
        core = Quiet()
        driver = Driver(core, lambda event: None, dscp=24)
        for transport in ("udp", "tcp"):
            await driver.listen(transport, host, 0)
        [datagrams] = driver._datagrams.values()
        assert octet(datagrams._socket) == 24 << 2
        port = next(address[1] for way, address in driver.listeners if way == "tcp")
        _reader, writer = await asyncio.open_connection(host, port)
        await core.opened.wait()
        accepted = next(iter(driver._connections._streams.values()))
        assert accepted.transport is not None
        assert octet(accepted.transport.get_extra_info("socket")) == 24 << 2
        writer.close()
        await driver.stop()

    asyncio.run(check())
