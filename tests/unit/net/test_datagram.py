"""One UDP socket: what it tells of datagrams and errors."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from typing import Any

import pytest

from firmware.net.datagram import BATCH, DatagramSocket, unreachable

HERE = ("127.0.0.1", 0)


async def until(condition: Any) -> None:
    for _ in range(5_000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it never came true")


def test_a_flood_leaves_the_loop_its_turn(run: Any) -> None:
    async def main() -> None:
        got: list[bytes] = []
        batches: list[int] = []
        loop = asyncio.get_running_loop()
        ours = DatagramSocket(
            loop, HERE, lambda *a: got.append(a[2]), lambda *a: None, lambda: batches.append(len(got))
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            for _ in range(3 * BATCH):
                peer.sendto(b"x", ours.address)
        await until(lambda: len(got) == 3 * BATCH)
        assert max(b - a for a, b in zip([0, *batches], batches, strict=False)) == BATCH
        ours.close()
        ours.close()

    run(main())


def test_what_comes_while_nobody_reads_waits(run: Any) -> None:
    async def main() -> None:
        got: list[bytes] = []
        loop = asyncio.get_running_loop()
        ours = DatagramSocket(loop, HERE, lambda *a: got.append(a[2]), lambda *a: None, lambda: None)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            default = peer.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            granted = ours._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            assert granted > default, "more than one has that asks for nothing"
            for _ in range(200):
                peer.sendto(bytes(700), ours.address)
        await until(lambda: len(got) == 200)
        ours.close()

    run(main())


def test_errors_name_the_far_end(run: Any) -> None:
    async def main() -> None:
        errors: list[tuple[Any, str]] = []
        loop = asyncio.get_running_loop()
        ours = DatagramSocket(loop, ("0.0.0.0", 0), lambda *a: None, lambda *a: errors.append(a), lambda: None)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
            nobody.bind(HERE)
            closed = nobody.getsockname()
        for count in (1, 2):
            ours.send(("127.0.0.1", ours.address[1]), closed, b"anybody?")
            await until(lambda count=count: len(errors) == count)
        assert errors == [(closed, "Connection refused")] * 2
        ours.close()

    run(main())


@pytest.mark.parametrize(
    ("number", "origin", "kind", "code", "fails"),
    [
        (errno.ECONNREFUSED, 2, 3, 3, True),  # ICMP: port unreachable
        (errno.EHOSTUNREACH, 2, 3, 1, True),  # host unreachable
        (errno.EPROTO, 2, 12, 0, True),  # parameter problem
        (errno.EMSGSIZE, 2, 3, 4, False),  # fragmentation needed
        (errno.EHOSTUNREACH, 2, 11, 0, False),  # time to live exceeded
        (errno.ECONNREFUSED, 3, 1, 4, True),  # ICMPv6: port unreachable
        (errno.EMSGSIZE, 3, 2, 0, False),  # packet too big
        (errno.EHOSTUNREACH, 3, 3, 0, False),  # hop limit exceeded
        (errno.EMSGSIZE, 1, 0, 0, False),  # our own kernel
    ],
)
def test_only_some_errors_mean_unreachable(number: int, origin: int, kind: int, code: int, fails: bool) -> None:
    """RFC 3261 18.4."""
    assert unreachable(struct.pack("=IBBBBII", number, origin, kind, code, 0, 0, 0)) == (number if fails else 0)
    assert unreachable(b"") == 0


def test_an_address_in_use_raises_and_leaves_nothing_open(run: Any) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        first = DatagramSocket(loop, HERE, lambda *a: None, lambda *a: None, lambda: None)
        with pytest.raises(OSError, match="in use"):
            DatagramSocket(loop, first.address, lambda *a: None, lambda *a: None, lambda: None)
        first.close()

    run(main())


def test_closing_inside_of_a_callback(run: Any) -> None:
    async def main() -> None:
        got: list[bytes] = []
        loop = asyncio.get_running_loop()

        def on_datagram(local: Any, remote: Any, data: bytes) -> None:
            got.append(data)
            ours.close()

        ours = DatagramSocket(loop, HERE, on_datagram, lambda *a: None, lambda: None)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(b"1", ours.address)
            peer.sendto(b"2", ours.address)
        await until(lambda: got)
        await asyncio.sleep(0.01)
        assert got == [b"1"]

    run(main())
