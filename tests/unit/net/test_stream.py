"""One TCP connection, apart from a driver."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from firmware.net.stream import MAX_UNSENT, Stream
from firmware.sansio import Flow

FLOW = Flow("tcp", ("127.0.0.1", 1), ("127.0.0.1", 2))


class Log:
    def __init__(self, *, welcome: bool = True) -> None:
        self.entries: list[Any] = []
        self.welcome = welcome

    def stream(self, flow: Flow | None = FLOW) -> Stream:
        return Stream(self, flow)

    def connected(self, stream: Stream) -> bool:
        self.entries.append("connected")
        return self.welcome

    def opened(self, stream: Stream) -> None:
        self.entries.append("opened")

    def received(self, stream: Stream, data: bytes) -> None:
        self.entries.append(data)

    def closed(self, stream: Stream, words: str) -> None:
        self.entries.append(("closed", words))

    async def until(self, entry: Any) -> None:
        for _ in range(5_000):
            if entry in self.entries:
                return
            await asyncio.sleep(0.002)
        raise AssertionError(f"{entry} is not in {self.entries}")


def test_what_waits_is_bounded(run: Any) -> None:
    async def main() -> None:
        stream = Log().stream()
        assert stream.write(b"x")
        assert not stream.write(bytes(MAX_UNSENT))

    run(main())


def test_early_words_come_first_and_the_end_is_told_once(run: Any) -> None:
    async def main() -> None:
        log, heard = Log(), []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.readexactly(10))
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        stream = log.stream()
        stream.write(b"early")
        await asyncio.get_running_loop().create_connection(lambda: stream, *server.sockets[0].getsockname())
        stream.write(b" late")
        await log.until(("closed", "closed by the far end"))
        assert heard == [b"early late"]
        assert log.entries == ["connected", "opened", ("closed", "closed by the far end")]
        stream.fail("again")
        stream.close()
        assert len(log.entries) == 3
        server.close()
        await stream.lost.wait()

    run(main())


def test_one_who_is_not_welcome_is_cut_off_in_silence(run: Any) -> None:
    async def main() -> None:
        log = Log(welcome=False)
        loop = asyncio.get_running_loop()
        streams: list[Stream] = []

        def accept() -> Stream:
            streams.append(log.stream(None))
            return streams[-1]

        server = await loop.create_server(accept, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        await streams[0].lost.wait()
        assert log.entries == ["connected"]
        server.close()

    run(main())


def test_a_vanished_far_end_is_noticed_by_the_kernel(run: Any) -> None:
    async def main() -> None:
        log = Log()
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        stream = log.stream()
        await asyncio.get_running_loop().create_connection(lambda: stream, *server.sockets[0].getsockname())
        assert stream.transport is not None
        connection = stream.transport.get_extra_info("socket")
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60
        stream.abort()
        await stream.lost.wait()
        server.close()

    run(main())


def test_a_message_does_not_wait_for_the_acknowledgement_of_the_last(run: Any) -> None:
    """asyncio alone leaves Nagle's algorithm on where it was given the listening socket."""

    async def main() -> None:
        accepted: list[Stream] = []
        loop, log = asyncio.get_running_loop(), Log()

        def accept() -> Stream:
            accepted.append(log.stream(None))
            return accepted[0]

        listener = socket.create_server(("127.0.0.1", 0))
        server = await loop.create_server(accept, sock=listener)
        ours = Log()
        stream = ours.stream()
        await loop.create_connection(lambda: stream, *listener.getsockname())
        await ours.until("opened")
        await log.until("opened")
        for each in (stream, *accepted):
            assert each.transport is not None
            connection = each.transport.get_extra_info("socket")
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            each.abort()
            await each.lost.wait()
        server.close()

    run(main())


def test_nothing_waits_for_a_connection_that_is_closed(run: Any) -> None:
    async def main() -> None:
        loop, far = asyncio.get_running_loop(), Log()
        server = await loop.create_server(lambda: far.stream(None), "127.0.0.1", 0)
        stream = Log().stream()
        await loop.create_connection(lambda: stream, *server.sockets[0].getsockname())
        stream.close()
        await stream.lost.wait()
        assert stream._linger is not None
        assert stream._linger.cancelled(), "thousands of connections in a second would be kept for LINGER_TIME"
        await far.until(("closed", "closed by the far end"))
        server.close()

    run(main())
