from __future__ import annotations

import asyncio
import socket

import pytest

from firmware.command.demo import free_port, until
from firmware.errors import FirmwareError


def test_a_port_that_is_free_is_taken_and_another_otherwise() -> None:
    port = free_port("127.0.0.1", 0)
    assert free_port("127.0.0.1", port) == port
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as taken:
            taken.bind(("127.0.0.1", port))
            if kind == socket.SOCK_STREAM:
                taken.listen()
            other = free_port("127.0.0.1", port)
            assert other not in (0, port)


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(FirmwareError, match="no port is free"):
        free_port("192.0.2.1", 5060)


def test_work_goes_on_until_it_is_stopped() -> None:
    async def main() -> list[str]:
        done: list[str] = []
        stopped = asyncio.Event()

        async def work() -> None:
            done.append("begun")
            try:
                await asyncio.Event().wait()
            finally:
                done.append("cancelled")

        asyncio.get_running_loop().call_later(0.01, stopped.set)
        await until(stopped, work())
        return done

    assert asyncio.run(main()) == ["begun", "cancelled"]


def test_what_goes_wrong_in_the_work_is_told() -> None:
    async def fail() -> None:
        raise FirmwareError("no answer")

    async def main() -> None:
        await until(asyncio.Event(), fail())

    with pytest.raises(FirmwareError, match="no answer"):
        asyncio.run(main())
