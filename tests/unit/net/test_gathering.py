"""Gathering on real sockets of the loopback, with servers of the test's own; real ones are in tests/interop."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from firmware.call.ice import CandidateType
from firmware.config import Nat
from firmware.ice.attribute import XOR_MAPPED_ADDRESS
from firmware.ice.message import BINDING, Kind, Message
from firmware.net.gathering import MAX_OTHERS, PATIENCE, Gatherer, Gatherers
from firmware.net.ports import PortPool

HOST = "127.0.0.1"
SEEN = ("203.0.113.1", 4711)


class Server(asyncio.DatagramProtocol):
    """A STUN server that sees everybody at SEEN, or says nothing."""

    def __init__(self) -> None:
        self.silent = False
        self.asked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked += 1
        request = Message.decode(data)
        answer = Message.of(BINDING, Kind.SUCCESS, request.transaction, XOR_MAPPED_ADDRESS(SEEN))
        if not self.silent:
            self.transport.sendto(answer.encode(), addr)


@pytest.fixture
def pool() -> Iterator[PortPool]:
    pool = PortPool(28_300, 28_339, random.Random(2))
    yield pool
    pool.close()


def run(work: Callable[[Server, str], Coroutine[Any, Any, None]]) -> None:
    """Do this with a server and its name for settings."""

    async def body() -> None:
        transport, server = await asyncio.get_running_loop().create_datagram_endpoint(Server, local_addr=(HOST, 0))
        try:
            await work(server, f"{HOST}:{transport.get_extra_info('sockname')[1]}")
        finally:
            transport.close()

    asyncio.run(body())


async def finished(gatherer: Gatherer) -> float:
    """Wait until it is done; give how long that took, s."""
    began = time.monotonic()
    done = asyncio.Event()
    gatherer.on_done = done.set
    if not gatherer.done:
        async with asyncio.timeout(2 * PATIENCE):
            await done.wait()
    assert gatherer.done
    return time.monotonic() - began


def types(gatherer: Gatherer) -> set[tuple[int, str]]:
    return {(each.component, each.type.value) for each in gatherer.candidates}


HOSTS = {(1, "host"), (2, "host")}


def test_without_servers_nothing_is_waited_for(pool: PortPool) -> None:
    async def work(_server: Server, _name: str) -> None:
        pair = pool.reserve(HOST)
        gatherer = Gatherers(pool, Nat(ice=True))(pair.address)
        assert gatherer.done
        assert types(gatherer) == HOSTS
        assert [each.address for each in gatherer.candidates] == [pair.address, (HOST, pair.address[1] + 1)]
        gatherer.close()

    run(work)


def test_a_server_says_where_we_are(pool: PortPool) -> None:
    async def work(_server: Server, name: str) -> None:
        gatherer = Gatherers(pool, Nat(ice=True, stun=(name,)))(pool.reserve(HOST).address)
        await finished(gatherer)
        assert types(gatherer) == HOSTS | {(1, "srflx"), (2, "srflx")}
        assert {c.address for c in gatherer.candidates if c.type is CandidateType.SERVER_REFLEXIVE} == {SEEN}
        gatherer.hand_over()

    run(work)


def test_a_server_may_have_a_name(pool: PortPool) -> None:
    async def work(_server: Server, name: str) -> None:
        nat = Nat(ice=True, stun=(f"localhost:{name.partition(':')[2]}",))
        gatherer = Gatherers(pool, nat)(pool.reserve(HOST).address)
        assert not gatherer.done
        await finished(gatherer)
        assert (1, "srflx") in types(gatherer)
        gatherer.close()

    run(work)


@pytest.mark.parametrize("name", ["no.such.host.invalid", "[::1]:9"])
def test_a_server_that_is_not_there_is_left_out(pool: PortPool, name: str) -> None:
    async def work(_server: Server, _name: str) -> None:
        gatherer = Gatherers(pool, Nat(ice=True, stun=(name,)))(pool.reserve(HOST).address)
        assert await finished(gatherer) < 2 * PATIENCE
        assert types(gatherer) == HOSTS
        gatherer.close()

    run(work)


def test_nobody_waits_for_ever(pool: PortPool) -> None:
    async def work(server: Server, name: str) -> None:
        server.silent = True
        nat = Nat(ice=True, stun=(name,), turn=name, turn_user="room", turn_password="word")
        gatherer = Gatherers(pool, nat)(pool.reserve(HOST).address)
        assert await finished(gatherer) >= PATIENCE / 2
        assert types(gatherer) == HOSTS
        gatherer.close()

    run(work)


def test_who_goes_leaves_the_sockets(pool: PortPool) -> None:
    async def work(server: Server, name: str) -> None:
        for leave in (Gatherer.hand_over, Gatherer.close):
            pair = pool.reserve(HOST)
            gatherer = Gatherers(pool, Nat(ice=True, stun=(name,)))(pair.address)
            called: list[bool] = []
            gatherer.on_done = lambda called=called: called.append(True)  # type: ignore[misc]
            leave(gatherer)
            leave(gatherer)
            asked = server.asked
            await asyncio.sleep(0.3)
            assert called == []
            assert server.asked <= asked + 2  # what was under way
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
                peer.sendto(b"for the media process", pair.address)
            await asyncio.sleep(0.05)
            heard = []
            while not heard or heard[-1] != b"for the media process":
                heard.append(pair.rtp.recv(2048))

    run(work)


def test_what_strangers_send_does_no_harm(pool: PortPool) -> None:
    async def work(server: Server, name: str) -> None:
        server.silent = True
        pair = pool.reserve(HOST)
        gatherer = Gatherers(pool, Nat(ice=True, stun=(name,)))(pair.address)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            for data in (b"", b"\0" * 20, b"\1\1\0\0\x21\x12\xa4\x42" + b"x" * 12, b"\x80" * 1500):
                peer.sendto(data, pair.address)
        await finished(gatherer)
        assert types(gatherer) == HOSTS
        gatherer.close()

    run(work)


def test_all_addresses_of_the_machine_are_candidates(pool: PortPool) -> None:
    others = [f"127.0.0.{number}" for number in range(2, 9)]

    async def work(_server: Server, _name: str) -> None:
        make = Gatherers(pool, Nat(ice=True), hosts=lambda: ["203.0.113.9", *others])
        assert make(pool.reserve(HOST).address).others == (), "who is called on loopback needs none"
        gatherer = make(pool.reserve("0.0.0.0").address)
        assert gatherer.done
        hosts = {each.address[0] for each in gatherer.candidates}
        # One is not ours (any more); of the others there are no more than are of use.
        assert hosts == set(others[: MAX_OTHERS - 1])
        assert len({each.priority for each in gatherer.candidates}) == len(gatherer.candidates)
        for other in gatherer.others:
            assert all(sock.getsockname()[0] == other[0] for sock in pool.sockets(other))
        gatherer.hand_over()
        assert set(gatherer.others) < pool.reserved
        gatherer.close()
        assert pool.reserved.isdisjoint(gatherer.others)
        again = pool.reserve(gatherer.others[0][0])
        gatherer.close()
        assert again.address in pool.reserved, "given back once"

    run(work)


def test_where_the_kernel_tells_no_addresses_there_is_one(pool: PortPool) -> None:
    def no_netlink() -> list[str]:
        raise OSError("no such protocol")

    async def work(_server: Server, _name: str) -> None:
        gatherer = Gatherers(pool, Nat(ice=True), hosts=no_netlink)(pool.reserve("0.0.0.0").address)
        assert gatherer.others == ()
        gatherer.close()

    run(work)
