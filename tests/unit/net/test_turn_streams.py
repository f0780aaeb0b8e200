"""Streams to a TURN server, with a server of the test's own; coturn is in tests/interop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority

from firmware.ice import channel_data
from firmware.ice.attribute import LIFETIME
from firmware.ice.framing import FrameReader, frame
from firmware.ice.message import BINDING, REFRESH, Kind, Message
from firmware.net import turn_streams as module
from firmware.net.tls import Tls
from firmware.net.turn_streams import TurnStreams

HOST, NAME = "127.0.0.1", "turn.example.com"
SOUND = channel_data.encode(0x4001, b"sound")


@pytest.fixture(autouse=True)
def soon_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LAST_WORDS", 0.2)


def request(number: int) -> bytes:
    return Message.of(BINDING, Kind.REQUEST, bytes(11) + bytes([number])).encode()


class Server:
    """Takes streams, and keeps what each has brought, by the order in which they came."""

    def __init__(self) -> None:
        self.heard: list[list[bytes]] = []
        self.octets: list[int] = []
        self.ended = 0
        self.writers: list[asyncio.StreamWriter] = []
        self.reads = asyncio.Event()
        self.reads.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard: list[bytes] = []
        self.heard.append(heard)
        self.writers.append(writer)
        frames = FrameReader()
        while True:
            await self.reads.wait()
            try:
                data = await reader.read(4096)
            except OSError:
                data = b""
            if not data:
                break
            self.octets.append(len(data))
            heard += frames.receive(data)
        self.ended += 1
        writer.close()


class Bench:
    """A server, two sockets that use it, and the streams."""

    def __init__(self, server: Server, port: int, transport: str, tls: Tls | None, domain: str) -> None:
        self.server = server
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for each in self.sockets:
            each.bind((HOST, 0))
            each.setblocking(False)
        self.failed: list[str] = []
        clients = [each.getsockname() for each in self.sockets]
        self.streams = TurnStreams(clients, transport, (HOST, port), domain, tls, self.failed.append)

    def send(self, data: bytes, number: int = 0) -> None:
        self.sockets[number].sendto(data, self.streams.address)

    def received(self, number: int = 0) -> bytes:
        """Give the next datagram that came; b"": none has."""
        try:
            data, source = self.sockets[number].recvfrom(4096)
        except BlockingIOError:
            return b""
        assert source == self.streams.address
        return data


async def until(wanted: Any) -> None:
    for _ in range(2_000):
        if wanted():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came true")


@contextlib.asynccontextmanager
async def bench(
    transport: str = "tcp", tls: Tls | None = None, domain: str = "", context: ssl.SSLContext | None = None
) -> AsyncIterator[Bench]:
    server = Server()
    listening = await asyncio.start_server(server.serve, HOST, 0, ssl=context)
    there = Bench(server, listening.sockets[0].getsockname()[1], transport, tls, domain)
    try:
        yield there
    finally:
        there.streams.close()
        await asyncio.sleep(module.LAST_WORDS + 0.1)
        for writer in server.writers:
            writer.transport.abort()
        listening.close()
        await asyncio.sleep(0.05)
        for each in there.sockets:
            each.close()


def test_each_socket_has_its_stream(run: Any) -> None:
    async def main() -> None:
        async with bench() as there:
            there.send(request(1), 0)
            await until(lambda: [request(1)] in there.server.heard)
            first = there.server.heard.index([request(1)])
            there.send(SOUND, 0)
            there.send(request(2), 1)
            await until(lambda: there.server.heard[first] == [request(1), SOUND])
            await until(lambda: there.server.heard[1 - first] == [request(2)])
            there.server.writers[first].write(request(1) + frame(SOUND) + request(3)[:7])
            await until(lambda: there.received(0) == request(1))
            await until(lambda: there.received(0) == SOUND)
            there.server.writers[first].write(request(3)[7:])
            await until(lambda: there.received(0) == request(3))
            assert there.received(1) == b""
            assert there.failed == []

    run(main())


def test_nobody_else_is_carried(run: Any) -> None:
    async def main() -> None:
        async with bench() as there:
            there.send(request(1))
            await until(lambda: [request(1)] in there.server.heard)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.sendto(request(9), there.streams.address)
            there.send(b"\x40\x01" + bytes(3000))
            there.send(request(2))
            await until(lambda: [request(1), request(2)] in there.server.heard)

    run(main())


def test_last_words_still_leave(run: Any) -> None:
    async def main() -> None:
        async with bench() as there:
            there.send(request(1))
            await until(lambda: [request(1)] in there.server.heard)
            there.streams.close()
            there.send(request(2))
            await until(lambda: [request(1), request(2)] in there.server.heard)
            await until(lambda: there.server.ended == 2)
            there.send(request(3))
            assert there.failed == []

    run(main())


def test_what_can_not_leave_is_dropped_but_for_requests(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)

    async def main() -> None:
        async with bench() as there:
            there.send(request(1))
            await until(lambda: [request(1)] in there.server.heard)
            stream = there.server.heard.index([request(1)])
            there.server.reads.clear()
            known = there.streams._clients[there.sockets[0].getsockname()]
            packet = channel_data.encode(0x4001, bytes(1200))
            for _ in range(20_000):
                there.send(packet)
                await asyncio.sleep(0)
                if known.dropped > 1000:
                    break
            assert known.dropped > 1000
            assert there.streams._connections.unsent(known.flow) < 300_000
            there.send(request(2))
            await asyncio.sleep(0.05)
            there.server.reads.set()
            await until(lambda: request(2) in there.server.heard[stream])
            there.send(SOUND)
            await until(lambda: there.server.heard[stream][-1] == SOUND)
            assert there.failed == []

    run(main())


@pytest.mark.parametrize("junk", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 100])
def test_a_server_that_speaks_something_else(run: Any, junk: bytes) -> None:
    async def main() -> None:
        async with bench() as there:
            await until(lambda: len(there.server.writers) == 2)
            for writer in there.server.writers:
                writer.write(junk)
            await until(lambda: there.failed)
            assert len(there.failed) == 1
            assert there.failed[0].startswith("it does not speak TURN: ")
            await until(lambda: there.server.ended == 2)
            there.send(request(1))
            await asyncio.sleep(0.05)
            assert there.server.heard == [[], []]

    run(main())


def test_a_server_that_is_not_there(run: Any) -> None:
    async def main() -> None:
        with socket.socket() as nobody:
            nobody.bind((HOST, 0))
            there = Bench(Server(), nobody.getsockname()[1], "tcp", None, "")
            await until(lambda: there.failed)
        assert len(there.failed) == 1
        there.streams.close()
        await asyncio.sleep(module.LAST_WORDS + 0.1)
        for each in there.sockets:
            each.close()

    run(main())


@pytest.mark.parametrize("domain", [NAME, "turn.example.org"])
def test_by_tls_it_must_be_who_it_is(run: Any, tmp_path: Path, domain: str) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue(NAME)
    tls = Tls(issued.certificate, issued.key, authority.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)

    async def main() -> None:
        async with bench("tls", tls, domain, context) as there:
            there.send(request(1))
            if domain == NAME:
                await until(lambda: [request(1)] in there.server.heard)
            else:
                await until(lambda: there.failed)
                assert there.failed == [f"its certificate is for {NAME}, not for {domain}"]
                assert all(heard == [] for heard in there.server.heard)

    run(main())


def test_without_a_certificate_of_ours_there_is_no_tls(run: Any) -> None:
    async def main() -> None:
        async with bench("tls", None, NAME) as there:
            await until(lambda: there.failed)
            assert there.failed == ["there is no certificate for TLS"]

    run(main())


@pytest.mark.parametrize("lifetime", [0, 600])
def test_a_server_may_close_what_was_given_back(run: Any, lifetime: int) -> None:
    async def main() -> None:
        async with bench() as there:
            refresh = Message.of(REFRESH, Kind.REQUEST, bytes(12), LIFETIME(lifetime)).encode()
            there.send(refresh)
            await until(lambda: [refresh] in there.server.heard)
            there.server.writers[there.server.heard.index([refresh])].transport.abort()
            await until(lambda: any(known.gone for known in there.streams._clients.values()))
            await asyncio.sleep(0.05)
            assert len(there.failed) == (lifetime > 0)

    run(main())
