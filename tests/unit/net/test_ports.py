"""Pairs of ports, on real sockets of the loopback."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator

import pytest

from firmware.errors import CallError
from firmware.net.ports import PortPool

HOST = "127.0.0.1"
FIRST = 28_100
"""Below what Linux gives to programs that ask for any port (from 32768 on)."""


@pytest.fixture
def pool() -> Iterator[PortPool]:
    pool = PortPool(FIRST, FIRST + 7, random.Random(1))
    yield pool
    pool.close()


def test_a_pair_is_even_and_bound(pool: PortPool) -> None:
    pair = pool.reserve(HOST)
    assert pair.address[1] % 2 == 0
    assert FIRST <= pair.address[1] <= FIRST + 6
    assert pair.rtp.getsockname() == pair.address
    assert pair.rtcp.getsockname() == (HOST, pair.address[1] + 1)
    assert not pair.rtp.getblocking()
    assert pool.sockets(pair.address) == (pair.rtp, pair.rtcp)
    assert pool.reserved == {pair.address}


def test_an_odd_first_port_is_left_out() -> None:
    pool = PortPool(FIRST + 1, FIRST + 3)
    assert pool.reserve(HOST).address[1] == FIRST + 2
    with pytest.raises(CallError):
        pool.reserve(HOST)
    pool.close()


def test_no_pair_is_given_twice_and_the_end_is_told(pool: PortPool) -> None:
    pairs = [pool.reserve(HOST) for _ in range(4)]
    assert len({pair.address for pair in pairs}) == 4
    with pytest.raises(CallError, match=f"no pair of media ports is free on {HOST} .ports {FIRST} to {FIRST + 7}"):
        pool.reserve(HOST)
    assert pool.reserve("127.0.0.2").address[0] == "127.0.0.2"


def test_a_released_pair_is_free_and_comes_last(pool: PortPool) -> None:
    first = pool.reserve(HOST)
    pool.release(first.address)
    pool.release(first.address)
    assert first.rtp.fileno() == -1
    with pytest.raises(KeyError):
        pool.sockets(first.address)
    following = [pool.reserve(HOST).address for _ in range(4)]
    assert following.index(first.address) == 3


@pytest.mark.parametrize("taken", [0, 1])
def test_what_another_program_uses_is_passed_over(pool: PortPool, taken: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, FIRST + 2 + taken))
        ports = {pool.reserve(HOST).address[1] for _ in range(3)}
        assert ports == {FIRST, FIRST + 4, FIRST + 6}
        with pytest.raises(CallError, match="in use"):
            pool.reserve(HOST)


def test_pools_do_not_begin_alike() -> None:
    starts = set()
    for _ in range(20):
        pool = PortPool(FIRST, FIRST + 199)
        starts.add(pool.reserve(HOST).address)
        pool.close()
    assert len(starts) > 3


def test_a_foreign_address_is_refused(pool: PortPool) -> None:
    with pytest.raises(CallError, match="assign"):
        pool.reserve("192.0.2.77")


def test_ipv6(pool: PortPool, ipv6: str) -> None:
    pair = pool.reserve(ipv6)
    assert pair.rtp.family == socket.AF_INET6


def test_a_range_without_pairs_has_none() -> None:
    with pytest.raises(CallError, match="none"):
        PortPool(5, 5).reserve(HOST)


def test_a_link_local_address(link_local: str) -> None:
    """What stands in a description has no link; packets go out on the right one."""
    host = link_local.partition("%")[0]
    pool = PortPool(28_300, 28_303)
    pair = pool.reserve(host)
    assert pair.address[0] == host
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as other:
        other.bind((host, 0, 0, socket.if_nametoindex(link_local.partition("%")[2])))
        pair.rtp.sendto(b"hello", (host, other.getsockname()[1]))
        other.settimeout(5)
        assert other.recvfrom(10)[0] == b"hello"
    pool.close()
