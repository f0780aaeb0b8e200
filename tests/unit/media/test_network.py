"""The network thread."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from firmware.media.network import MAX_DATAGRAM, MAX_FAILURES, Network

NEVER = float("inf")


class Member:
    def __init__(self) -> None:
        self.received: list[tuple[bytes, tuple[str, int]]] = []
        self.due = NEVER
        self.timed = 0
        self.error: Exception | None = None
        self.failure: Exception | None = None
        self.thread = ""

    def receive(self, sock: socket.socket, data: bytes, source: tuple[str, int], now: float) -> None:
        self.thread = threading.current_thread().name
        self.received.append((data, source))
        if self.error is not None:
            raise self.error

    def timer(self) -> float:
        return self.due

    def handle_timer(self, now: float) -> None:
        assert now >= self.due
        self.due = NEVER
        self.timed += 1

    def failed(self, error: Exception) -> None:
        self.failure = error


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    pair = []
    for _ in range(2):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        pair.append(sock)
    yield pair[0], pair[1]
    for sock in pair:
        sock.close()


def test_datagrams_reach_their_member(network: Network, sockets, eventually) -> None:
    ours, theirs = sockets
    member, other = Member(), Member()
    network.call(lambda: (network.add(member, (ours,)), network.add(other, ())))
    for number in range(200):
        theirs.sendto(b"%d" % number, ours.getsockname())
    eventually(lambda: len(member.received) == 200)
    assert member.received[7] == (b"7", theirs.getsockname())
    assert member.thread == "network"
    assert other.received == []
    network.call(lambda: network.remove(member))
    theirs.sendto(b"late", ours.getsockname())
    time.sleep(0.05)
    assert len(member.received) == 200


def test_a_datagram_that_is_too_long_is_dropped_not_cut(network: Network, sockets, eventually) -> None:
    ours, theirs = sockets
    member = Member()
    network.call(lambda: network.add(member, (ours,)))
    for size in (MAX_DATAGRAM, MAX_DATAGRAM + 1, 1):
        theirs.sendto(bytes(size), ours.getsockname())
    eventually(lambda: [len(data) for data, _ in member.received][-1:] == [1])
    assert [len(data) for data, _ in member.received] == [MAX_DATAGRAM, 1]


def test_a_timer_is_kept_and_may_be_moved_closer(network: Network, eventually) -> None:
    member = Member()
    member.due = time.monotonic() + 0.05
    network.call(lambda: network.add(member, ()))
    eventually(lambda: member.timed == 1)

    def closer() -> None:
        member.due = time.monotonic()

    network.call_soon(member, closer)
    eventually(lambda: member.timed == 2)


def test_call_gives_the_result_or_raises_it(network: Network) -> None:
    assert network.call(lambda: threading.current_thread().name) == "network"
    with pytest.raises(KeyError):
        network.call(lambda: {}["nothing"])
    assert network.call(lambda: 1) == 1


def test_a_member_that_fails_now_and_then_goes_on(network: Network, sockets, eventually) -> None:
    ours, theirs = sockets
    member = Member()
    network.call(lambda: network.add(member, (ours,)))
    member.error = ValueError("a bug")
    for _ in range(MAX_FAILURES - 1):
        theirs.sendto(b"x", ours.getsockname())
    eventually(lambda: len(member.received) == MAX_FAILURES - 1)
    member.error = None
    theirs.sendto(b"good", ours.getsockname())
    eventually(lambda: member.received[-1][0] == b"good")
    assert member.failure is None


def test_a_member_that_always_fails_is_stopped_alone(network: Network, sockets, eventually) -> None:
    ours, theirs = sockets
    member, other = Member(), Member()
    member.error = ValueError("a bug")
    network.call(lambda: (network.add(member, (ours,)), network.add(other, ())))
    for _ in range(MAX_FAILURES + 5):
        theirs.sendto(b"x", ours.getsockname())
    eventually(lambda: member.failure is member.error)
    time.sleep(0.05)
    assert len(member.received) == MAX_FAILURES
    other.due = time.monotonic()
    network.call_soon(other, lambda: None)
    eventually(lambda: other.timed)


def test_work_for_a_member_that_is_gone_is_dropped(network: Network) -> None:
    member = Member()
    done: list[int] = []
    network.call_soon(member, lambda: done.append(1))
    network.call(lambda: None)
    assert done == []


def test_the_thread_shows_that_it_lives(network: Network, eventually) -> None:
    before = network.beat
    eventually(lambda: network.beat > before)
    network.stop()
    assert all(thread.name != "network" for thread in threading.enumerate())
