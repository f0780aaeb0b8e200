"""From names to addresses; nothing here asks a name server outside of this machine."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from firmware.errors import FirmwareError
from firmware.net import resolver
from firmware.net.resolver import MAX_ADDRESSES, UnknownHostError, is_address, resolve


def test_an_address_is_itself(run: Any) -> None:
    async def main() -> None:
        assert await resolve("192.0.2.1", 5060, "udp") == [("udp", ("192.0.2.1", 5060))]
        assert await resolve("2001:db8::1", 5070, "tcp") == [("tcp", ("2001:db8::1", 5070))]

    run(main())


def test_localhost(run: Any) -> None:
    async def main() -> None:
        found = await resolve("localhost", 5060, "udp")
        assert {address for _, address in found} <= {("127.0.0.1", 5060), ("::1", 5060)}
        assert found

    run(main())


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".example", "x" * 300])
def test_what_is_no_name_is_unknown(run: Any, name: str) -> None:
    async def main() -> None:
        with pytest.raises(UnknownHostError):
            await resolve(name, 5060, "udp")

    run(main())


@pytest.mark.parametrize(("number", "kind"), [(socket.EAI_NONAME, UnknownHostError), (socket.EAI_AGAIN, FirmwareError)])
def test_failures_tell_unknown_from_unreachable(number: int, kind: type[Exception]) -> None:
    async def main() -> None:
        async def fail(*_: Any, **__: Any) -> Any:
            raise socket.gaierror(number, "words")

        asyncio.get_running_loop().getaddrinfo = fail  # type: ignore[method-assign]
        with pytest.raises(FirmwareError) as caught:
            await resolve("host.example", 5060, "udp")
        assert type(caught.value) is kind
        assert "host.example" in str(caught.value)

    asyncio.run(main())


def test_a_silent_name_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async def wait(*_: Any, **__: Any) -> Any:
            await asyncio.Event().wait()

        asyncio.get_running_loop().getaddrinfo = wait  # type: ignore[method-assign]
        with pytest.raises(FirmwareError, match="no answer"):
            await resolve("host.example", 5060, "udp")

    monkeypatch.setattr(resolver, "RESOLVE_TIME", 0.02)
    asyncio.run(main())


def test_addresses_are_given_once_in_the_systems_order_and_bounded() -> None:
    async def main() -> None:
        async def many(*_: Any, **__: Any) -> Any:
            hosts = ["2001:db8::1", "192.0.2.1", "192.0.2.1", *(f"192.0.2.{n}" for n in range(2, 50))]
            return [(0, 0, 0, "", (host, 5060)) for host in hosts]

        asyncio.get_running_loop().getaddrinfo = many  # type: ignore[method-assign]
        found = await resolve("host.example", 5060, "udp")
        assert [address[0] for _, address in found[:3]] == ["2001:db8::1", "192.0.2.1", "192.0.2.2"]
        assert len(found) == MAX_ADDRESSES

    asyncio.run(main())


def test_is_address() -> None:
    assert [is_address(text) for text in ("192.0.2.1", "::1", "host", "1.2.3", "[::1]", "")] == [True, True] + [
        False
    ] * 4
