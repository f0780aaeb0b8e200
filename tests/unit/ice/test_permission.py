"""Permissions and channels: RFC 8656 9 and 12."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from firmware.ice import channel_data
from firmware.ice.attribute import DATA, XOR_PEER_ADDRESS, Field
from firmware.ice.message import CHANNEL_BIND, CREATE_PERMISSION, SEND, Kind, Message
from firmware.ice.permission import MAX_HOSTS, MAX_PEERS, RENEW, USED, WAITING, Permissions

PEER = ("192.0.2.1", 4000)


class Server:
    """Remembers what is asked, and answers when told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, Callable[[Message | None, float], None]]] = []
        self.sent: list[bytes] = []
        rng = random.Random(1)
        self.permissions = Permissions(self._request, self.sent.append, lambda: rng.randbytes(12))

    def _request(
        self, method: int, fields: list[Field], on_end: Callable[[Message | None, float], None], now: float
    ) -> None:
        self.asked.append((method, on_end))

    def answer(self, kind: Kind | None = Kind.SUCCESS, now: float = 0.0) -> int:
        method, on_end = self.asked.pop(0)
        on_end(None if kind is None else Message.of(method, kind, bytes(12)), now)
        return method


def inner(data: bytes) -> tuple[bytes | None, object]:
    message = Message.decode(data)
    assert (message.method, message.kind) == (SEND, Kind.INDICATION)
    return message.get(DATA), message.get(XOR_PEER_ADDRESS)


def test_what_is_sent_waits_for_the_permission() -> None:
    server = Server()
    for number in range(WAITING + 3):
        server.permissions.send(PEER, b"%d" % number, 0.0)
    assert server.sent == []
    assert server.permissions.wrap(PEER, b"x") is None
    assert server.answer() == CREATE_PERMISSION
    assert server.asked == [], "one request for a host"
    assert [inner(data) for data in server.sent] == [(b"3", PEER), (b"4", PEER), (b"5", PEER), (b"6", PEER)]
    server.permissions.send(PEER, b"now", 0.0)
    assert inner(server.sent[-1]) == (b"now", PEER)


@pytest.mark.parametrize("kind", [Kind.ERROR, None])
def test_a_host_that_is_refused_gets_nothing(kind: Kind | None) -> None:
    server = Server()
    server.permissions.send(PEER, b"x", 0.0)
    server.answer(kind)
    server.permissions.send(PEER, b"y", 1.0)
    assert server.sent == []
    assert server.asked == []
    assert server.permissions.wrap(PEER, b"x") is None
    assert server.permissions.timer() is None


def test_a_permission_is_for_all_ports_of_a_host() -> None:
    server = Server()
    server.permissions.send(PEER, b"x", 0.0)
    server.answer()
    assert server.permissions.wrap((PEER[0], 1), b"y") is not None
    assert server.permissions.wrap(("192.0.2.2", 4000), b"y") is None


def test_it_is_renewed_as_long_as_it_is_used() -> None:
    server = Server()
    server.permissions.send(PEER, b"x", 0.0)
    server.answer()
    assert server.permissions.timer() == RENEW
    server.permissions.send(PEER, b"x", 100.0)
    server.permissions.handle_timer(RENEW)
    assert server.answer(now=RENEW) == CREATE_PERMISSION
    assert server.permissions.timer() == 2 * RENEW
    server.permissions.handle_timer(2 * RENEW)
    assert server.asked == []
    assert 2 * RENEW > 100.0 + USED
    assert server.permissions.wrap(PEER, b"x") is None


def test_channel() -> None:
    server = Server()
    server.permissions.send(PEER, b"x", 0.0)
    server.answer()
    server.permissions.bind(PEER, 0.0)
    server.permissions.bind(PEER, 0.0)
    assert [method for method, _ in server.asked] == [CHANNEL_BIND]
    wrapped = server.permissions.wrap(PEER, b"x")
    assert wrapped is not None
    assert inner(wrapped) == (b"x", PEER), "until it is bound"
    number = channel_data.number_of(PEER)
    assert server.permissions.peer(number) == PEER, "the server may use it before its answer is here"
    server.answer()
    assert server.permissions.wrap(PEER, b"x") == channel_data.encode(number, b"x")
    server.permissions.send(PEER, b"y", 200.0)
    server.permissions.handle_timer(RENEW)
    assert sorted(method for method, _ in server.asked) == [CREATE_PERMISSION, CHANNEL_BIND]


def test_without_its_host_a_channel_ends() -> None:
    server = Server()
    server.permissions.send(PEER, b"x", 0.0)
    server.answer()
    server.permissions.bind(PEER, 0.0)
    server.answer()
    server.permissions.handle_timer(RENEW)
    server.answer(now=RENEW)
    server.answer(now=RENEW)
    server.permissions.handle_timer(2 * RENEW)
    assert server.asked == []
    assert server.permissions.timer() is None


def test_a_channel_that_somebody_bound_before_us_leads_to_whom_we_send() -> None:
    server = Server()
    number = channel_data.number_of(PEER)
    assert server.permissions.peer(number) is None
    server.permissions.send(PEER, b"x", 0.0)
    assert server.permissions.peer(number) == PEER
    for port in range(10_000):
        server.permissions.send((PEER[0], port), b"x", 0.0)
    assert len(server.permissions._numbers) == MAX_PEERS


def test_a_refused_channel_leaves_indications() -> None:
    server = Server()
    server.permissions.send(PEER, b"x", 0.0)
    server.answer()
    server.permissions.bind(PEER, 0.0)
    server.answer(Kind.ERROR)
    wrapped = server.permissions.wrap(PEER, b"x")
    assert wrapped is not None
    assert inner(wrapped) == (b"x", PEER)


def test_hosts_are_bounded() -> None:
    server = Server()
    for number in range(MAX_HOSTS + 10):
        server.permissions.send((f"192.0.2.{number}", 1), b"x", 0.0)
    assert len(server.asked) == MAX_HOSTS


def test_what_is_forgotten_is_gone() -> None:
    server = Server()
    server.permissions.send(PEER, b"x", 0.0)
    server.permissions.clear()
    server.answer()
    assert server.sent == []
    assert server.permissions.peer(0x4000) is None
