"""One TCP connection with TLS on it, apart from a driver."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

import pytest
from certificates import Authority
from stream_log import Log

from firmware.net import tls_stream as tls_stream_module
from firmware.net.tls import Tls
from firmware.net.tls_layer import TlsLayer
from firmware.net.tls_stream import TlsStream
from firmware.sansio import Flow

FLOW = Flow("tls", ("127.0.0.1", 1), ("127.0.0.1", 2), domain="room.example.com")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    issued = authority.issue("room.example.com")
    return Tls(issued.certificate, issued.key, authority.certificate)


async def pair(tls: Tls, domain: str = "room.example.com") -> tuple[Log, TlsStream, Log, TlsStream, asyncio.Server]:
    """A connection of ours to ourselves, begun."""
    accepted: asyncio.Queue[TlsStream] = asyncio.Queue()
    near, far, loop = Log(), Log(), asyncio.get_running_loop()

    def accept() -> TlsStream:
        accepted.put_nowait(TlsStream(far, TlsLayer(tls)))
        return accepted._queue[0]  # type: ignore[attr-defined,no-any-return]

    server = await loop.create_server(accept, "127.0.0.1", 0)
    stream = TlsStream(near, TlsLayer(tls, domain), FLOW)
    stream.write(b"early")
    await loop.create_connection(lambda: stream, *server.sockets[0].getsockname())
    return near, stream, far, await accepted.get(), server


def test_early_words_wait_for_the_handshake(run: Any, tls: Tls) -> None:
    async def main() -> None:
        near, stream, far, other, server = await pair(tls)
        await far.until(b"early")
        assert far.entries == ["connected", "opened", b"early"]
        other.write(b"answer")
        await near.until(b"answer")
        assert near.entries == ["connected", "opened", b"answer"]
        stream.close()
        await far.until(("closed", "closed by the far end"))
        await other.lost.wait()
        await stream.lost.wait()
        assert near.entries == ["connected", "opened", b"answer"], "who closes is not told"
        server.close()

    run(main())


def test_much_data_goes_in_pieces(run: Any, tls: Tls) -> None:
    async def main() -> None:
        _, stream, far, other, server = await pair(tls)
        data = bytes(range(256)) * 500
        await far.until(b"early")
        assert stream.write(data)
        await far.holds(len(b"early") + len(data))
        assert b"".join(far.entries[3:]) == data
        stream.abort()
        await other.lost.wait()
        server.close()

    run(main())


def test_a_wrong_name_ends_it_before_anything_is_said(run: Any, tls: Tls) -> None:
    async def main() -> None:
        near, stream, far, other, server = await pair(tls, "other.example.com")
        words = "its certificate is for room.example.com, not for other.example.com"
        await near.until(("closed", words))
        await other.lost.wait()
        await stream.lost.wait()
        assert near.entries == ["connected", ("closed", words)]
        assert b"early" not in far.entries
        server.close()

    run(main())


def test_a_handshake_that_does_not_come_is_given_up(run: Any, tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        far, loop = Log(), asyncio.get_running_loop()
        server = await loop.create_server(lambda: TlsStream(far, TlsLayer(tls)), "127.0.0.1", 0)
        with socket.create_connection(server.sockets[0].getsockname()) as silent:
            silent.setblocking(False)
            assert await loop.sock_recv(silent, 1) == b""
        assert far.entries == ["connected", ("closed", "TLS was not agreed on within 0 s")]
        server.close()

    monkeypatch.setattr(tls_stream_module, "HANDSHAKE_TIME", 0.1)
    run(main())


def test_what_is_no_tls_is_cut_off(run: Any, tls: Tls) -> None:
    async def main() -> None:
        far, loop = Log(), asyncio.get_running_loop()
        server = await loop.create_server(lambda: TlsStream(far, TlsLayer(tls)), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"OPTIONS sip:room@127.0.0.1 SIP/2.0\r\n\r\n")
        assert b"SIP" not in await reader.read()
        writer.close()
        await far.until(("closed", "it does not speak TLS, or only a version before 1.2"))
        server.close()

    run(main())


def test_an_ordinary_client_is_served(run: Any, tls: Tls) -> None:
    """Python's own TLS, which is not ours."""

    async def main() -> None:
        far, loop = Log(), asyncio.get_running_loop()
        streams: list[TlsStream] = []

        def accept() -> TlsStream:
            streams.append(TlsStream(far, TlsLayer(tls)))
            return streams[-1]

        server = await loop.create_server(accept, "127.0.0.1", 0)
        assert tls.authorities is not None
        context = ssl.create_default_context(cafile=str(tls.authorities))
        reader, writer = await asyncio.open_connection(
            *server.sockets[0].getsockname(), ssl=context, server_hostname="room.example.com"
        )
        writer.write(b"hello")
        await far.until(b"hello")
        streams[0].write(b"answer")
        assert await reader.readexactly(6) == b"answer"
        streams[0].close()
        assert await reader.read() == b""
        writer.close()
        await streams[0].lost.wait()
        server.close()

    run(main())
