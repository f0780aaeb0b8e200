from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from html.parser import HTMLParser
from pathlib import Path

import pytest
from simple_room import SimpleEndpoint, SimpleMedia
from simple_web import Web, on_web, until

from firmware import config
from firmware.errors import FirmwareError
from firmware.room import Room
from firmware.web import server
from firmware.web.auth import hash_password
from firmware.web.server import FILES, PANEL, Server, listen_addresses

HASH = hash_password("correct horse")


@pytest.mark.parametrize(
    ("configured", "chosen"),
    [
        (("0.0.0.0", "::"), ("127.0.0.1", "::1")),
        (("0.0.0.0", "192.0.2.1"), ("127.0.0.1",)),
        (("127.0.0.2",), ("127.0.0.2",)),
        (("::1", "2001:db8::1"), ("::1",)),
    ],
)
def test_loopback_only_until_a_password_is_set(configured: tuple[str, ...], chosen: tuple[str, ...]) -> None:
    assert listen_addresses(config.Web(addresses=configured)) == chosen
    assert listen_addresses(config.Web(addresses=configured, password_hash=HASH)) == configured


def test_that_it_is_on_loopback_only_is_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    listen_addresses(config.Web(addresses=("127.0.0.1",)))
    assert caplog.text == ""
    listen_addresses(config.Web())
    assert "loopback only" in caplog.text


def test_a_port_in_use_is_one_clear_line() -> None:
    async def main() -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            web = Server(config.Web(addresses=("127.0.0.1",), port=port), Room(config.Room(), [], SimpleMedia()))
            with pytest.raises(
                FirmwareError, match=f"^the panel can't listen on 127.0.0.1 port {port}: Address already"
            ):
                await web.start()

    asyncio.run(main())


def test_both_families(ipv6: str) -> None:
    async def main() -> tuple[str, ...]:
        room = Room(config.Room(), [SimpleEndpoint()], SimpleMedia())
        await room.start()
        web = Server(config.Web(addresses=("127.0.0.1", ipv6), port=0), room)
        await web.start()
        addresses = web.addresses
        await web.stop()
        await room.stop()
        return addresses

    ours, theirs = asyncio.run(main())
    assert ours.startswith("http://127.0.0.1:")
    assert theirs.startswith("http://[::1]:")


def test_a_wildcard_is_shown_as_the_machine_s_name() -> None:
    async def main() -> tuple[str, ...]:
        web = Server(
            config.Web(addresses=("0.0.0.0",), port=0, password_hash=HASH), Room(config.Room(), [], SimpleMedia())
        )
        await web.start()
        addresses = web.addresses
        await web.stop()
        return addresses

    (address,) = asyncio.run(main())
    assert address.startswith(f"http://{socket.gethostname()}:")


async def connect(web: Web) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", int(web.url.rpartition(":")[2]))


async def closed(reader: asyncio.StreamReader) -> bool:
    with contextlib.suppress(ConnectionError):
        return await reader.read() == b""
    return True


@on_web
async def test_connections_are_bounded(web: Web) -> None:
    connections = [await connect(web) for _ in range(server.MAX_CONNECTIONS)]
    await asyncio.sleep(0.1)
    reader, writer = await connect(web)
    assert await closed(reader)
    writer.close()
    for _, other in connections:
        other.close()
    runner = web.server._runner
    assert runner is not None
    await until(lambda: runner.server is not None and not runner.server.connections)
    assert (await web.ask("GET", "/state"))[0] == 200


def test_who_sends_no_request_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REQUEST_TIME", 0.2)

    @on_web
    async def test(web: Web) -> None:
        silent, slow, good = await connect(web), await connect(web), await connect(web)
        slow[1].write(b"GET /api/v1/state HTTP/1.1\r\nHost: local")
        good[1].write(b"GET /api/v1/state HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await closed(silent[0])
        assert await closed(slow[0])
        await asyncio.sleep(0.3)
        good[1].write(b"GET /api/v1/mute HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert (await good[0].read()).count(b"HTTP/1.1 200") == 2
        assert web.server._silent == {}
        for _, writer in (silent, slow, good):
            writer.close()

    test()


def test_what_comes_and_goes_leaves_little_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REQUEST_TIME", 1.0)
    monkeypatch.setattr(server, "MAX_SILENT", 3)

    @on_web
    async def test(web: Web) -> None:
        for _ in range(5):
            _, writer = await connect(web)
            writer.close()
            await writer.wait_closed()
            assert len(web.server._silent) <= 3
        await until(lambda: not web.server._silent)
        assert (await web.ask("GET", "/state"))[0] == 200

    test()


def test_a_body_that_does_not_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REQUEST_TIME", 0.2)

    @on_web
    async def test(web: Web) -> None:
        reader, writer = await connect(web)
        writer.write(b"PUT /api/v1/mute HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
        writer.close()

    test()


@on_web
async def test_a_large_body_is_refused(web: Web) -> None:
    status, answer = await web.ask("PUT", "/mute", data=b" " * (server.MAX_BODY + 1))
    assert status == 413
    assert answer["error"]


@on_web
async def test_a_compressed_body_is_not_unpacked(web: Web) -> None:
    import zlib

    bomb = zlib.compress(b" " * 10_000_000)
    assert len(bomb) < server.MAX_BODY
    assert (await web.ask("PUT", "/mute", data=bomb, headers={"Content-Encoding": "deflate"}))[0] == 400


class Links(HTMLParser):
    """What a page loads, and the names that its labels mean."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: set[str] = set()
        self.inline: list[str] = []
        self.inputs: set[str] = set()
        self.labelled: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if tag in ("link", "script", "img") and (source := found.get("href") or found.get("src")):
            self.loaded.add(f"/{source}")
        self.inline += [name for name in found if name == "style" or name.startswith("on")]
        if tag == "label" and (name := found.get("for")):
            self.labelled.add(name)
        if tag == "input":
            (self.labelled if "aria-label" in found or found.get("type") == "checkbox" else self.inputs).add(
                found["id"] or ""
            )


def test_the_page_uses_only_what_is_served_and_allowed() -> None:
    links = Links()
    links.feed((PANEL / "index.html").read_text())
    assert links.loaded <= set(FILES)
    assert links.inline == []  # the Content-Security-Policy would keep it out
    assert links.inputs <= links.labelled


def test_all_files_of_the_page_are_served() -> None:
    assert {PANEL / name for name in FILES.values()} == set(Path(PANEL).iterdir())


GARBAGE = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    "no version": b"GET /api/v1/state\r\n\r\n",
    "long line": b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 2000 + b"\r\n",
    "no host": b"GET /api/v1/state HTTP/1.1\r\n\r\n",
    "two lengths": b"PUT /api/v1/mute HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "length and chunks": b"PUT /api/v1/mute HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "broken chunks": b"PUT /api/v1/mute HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "broken WebSocket": b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 99\r\n\r\n",
    "no WebSocket": b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "broken path": b"GET /%ff%00/../..// HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


def test_garbage_is_answered_or_dropped_without_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    @on_web
    async def test(web: Web) -> None:
        for name, garbage in GARBAGE.items():
            reader, writer = await connect(web)
            writer.write(garbage)
            writer.write_eof()
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(5):
                    answer = await reader.read()
                    assert answer == b"" or b" 4" in answer.split(b"\r\n")[0], name
                    assert b"Traceback" not in answer
            writer.close()
            assert (await web.ask("GET", "/state"))[0] == 200

    test()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info] == []
