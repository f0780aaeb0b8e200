"""One TCP connection, apart from a driver."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from stream_log import Log

from firmware.net.stream import MAX_UNSENT, Stream
from firmware.sansio import Flow

FLOW = Flow("tcp", ("127.0.0.1", 1), ("127.0.0.1", 2))


def test_what_waits_is_bounded(run: Any) -> None:
    async def main() -> None:
        stream = Stream(Log(), FLOW)
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
        stream = Stream(log, FLOW)
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
            streams.append(Stream(log))
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
        stream = Stream(log, FLOW)
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
            accepted.append(Stream(log))
            return accepted[0]

        listener = socket.create_server(("127.0.0.1", 0))
        server = await loop.create_server(accept, sock=listener)
        ours = Log()
        stream = Stream(ours, FLOW)
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
        server = await loop.create_server(lambda: Stream(far), "127.0.0.1", 0)
        stream = Stream(Log(), FLOW)
        await loop.create_connection(lambda: stream, *server.sockets[0].getsockname())
        stream.close()
        await stream.lost.wait()
        assert stream._linger is not None
        assert stream._linger.cancelled(), "thousands of connections in a second would be kept for LINGER_TIME"
        await far.until(("closed", "closed by the far end"))
        server.close()

    run(main())


def test_what_waits_is_counted(run: Any) -> None:
    async def main() -> None:
        stream = Stream(Log(), FLOW)
        assert stream.unsent == 0
        stream.write(b"early")
        assert stream.unsent == len(b"early")

    run(main())
