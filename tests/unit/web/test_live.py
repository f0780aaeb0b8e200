from __future__ import annotations

import asyncio
import itertools

import aiohttp
import pytest
from simple_web import Web, on_web, until

from firmware.errors import DeviceError
from firmware.web import live


async def settled(web: Web, listeners: int = 0, viewers: int = 0) -> None:
    """Wait until the server knows who has gone."""
    kept = web.server._live
    await until(lambda: (len(kept._listeners), len(kept._viewers)) == (listeners, viewers))


@on_web
async def test_the_state_comes_at_once_and_with_each_change(web: Web) -> None:
    async with web.session.ws_connect(f"{web.url}/api/v1/events") as socket:
        assert (await socket.receive_json())["muted"] is False
        web.room.set_mute(True)
        assert (await socket.receive_json())["muted"] is True
        web.room.set_volume(3)
        web.room.set_volume(4)
        assert (await socket.receive_json())["volume"] == 4
    await settled(web)


@on_web
async def test_what_a_listener_says_changes_nothing(web: Web) -> None:
    async with web.session.ws_connect(f"{web.url}/api/v1/events") as socket:
        await socket.receive()
        await socket.send_str("hello")
        await socket.send_bytes(b"\x00")
        web.room.set_mute(True)
        assert (await socket.receive_json())["muted"] is True
        await socket.send_bytes(bytes(5000))
        assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    await settled(web)


@on_web
async def test_listeners_are_bounded(web: Web) -> None:
    url = f"{web.url}/api/v1/events"
    sockets = [await web.session.ws_connect(url) for _ in range(live.MAX_LISTENERS)]
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await web.session.ws_connect(url)
    assert caught.value.status == 503
    for socket in sockets:
        await socket.close()
    await settled(web)
    async with web.session.ws_connect(url) as socket:
        assert (await socket.receive_json())["name"] == "Aalto"


@on_web
async def test_listeners_are_told_when_the_unit_stops(web: Web) -> None:
    async with web.session.ws_connect(f"{web.url}/api/v1/events") as socket:
        await socket.receive()
        await web.server.stop()
        message = await socket.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)


@on_web
async def test_viewers_do_not_keep_the_unit_from_stopping(web: Web) -> None:
    web.media.picture = b"one"
    async with web.session.get(f"{web.url}/api/v1/screen.mjpeg") as response:
        await first_picture(response)
        await web.server.stop()
        assert await response.content.read() == b""


@on_web
async def test_a_viewer_who_does_not_read_neither(web: Web) -> None:
    async with web.session.get(f"{web.url}/api/v1/screen.mjpeg"):
        (transport,) = web.server._live._viewers.values()
        assert transport is not None
        for number in itertools.count():
            web.media.picture = bytes(4_000_000) + str(number).encode()
            await asyncio.sleep(live.FRAME_TIME)
            if transport.get_write_buffer_size():
                break
        await web.server.stop()
        assert transport.is_closing()
        assert web.server._live._viewers == {}


async def first_picture(response: aiohttp.ClientResponse) -> bytes:
    """Read the head of the stream, and its first part."""
    assert await next_picture(response) == b""
    return await next_picture(response)


async def next_picture(response: aiohttp.ClientResponse) -> bytes:
    """Read one part of the multipart stream."""
    return (await response.content.readuntil(live.PART)).removesuffix(live.PART)


@on_web
async def test_the_screen_is_seen_live_and_only_what_differs(web: Web) -> None:
    web.media.picture = b"one"
    async with web.session.get(f"{web.url}/api/v1/screen.mjpeg") as response:
        assert response.headers["Content-Type"] == f"multipart/x-mixed-replace; boundary={live.BOUNDARY}"
        assert await first_picture(response) == b"one"
        seen = web.media.screenshots
        await until(lambda: web.media.screenshots >= seen + 3)
        web.media.picture = b"two"
        assert await next_picture(response) == b"two"


@on_web
async def test_one_who_comes_later_sees_the_picture_at_once(web: Web) -> None:
    web.media.picture = b"one"
    async with web.session.get(f"{web.url}/api/v1/screen.mjpeg") as first:
        await first_picture(first)
        async with web.session.get(f"{web.url}/api/v1/screen.mjpeg") as second:
            assert await first_picture(second) == b"one"


@on_web
async def test_the_screen_is_read_only_while_somebody_watches(web: Web) -> None:
    web.media.picture = b"one"
    response = await web.session.get(f"{web.url}/api/v1/screen.mjpeg")
    await first_picture(response)
    response.close()
    await settled(web)
    await asyncio.sleep(2 * live.FRAME_TIME)
    seen = web.media.screenshots
    await asyncio.sleep(2 * live.FRAME_TIME)
    assert web.media.screenshots == seen
    async with web.session.get(f"{web.url}/api/v1/screen.mjpeg") as response:
        assert await first_picture(response) == b"one"


@on_web
async def test_viewers_are_bounded(web: Web) -> None:
    web.media.picture = b"one"
    url = f"{web.url}/api/v1/screen.mjpeg"
    responses = [await web.session.get(url) for _ in range(live.MAX_VIEWERS)]
    async with web.session.get(url) as refused:
        assert refused.status == 503
    for response in responses:
        response.close()
    await settled(web)


@on_web
async def test_the_stream_goes_on_after_the_media_have_failed(web: Web) -> None:
    web.media.picture = b"one"
    async with web.session.get(f"{web.url}/api/v1/screen.mjpeg") as response:
        await first_picture(response)
        web.media.picture = b""
        with pytest.raises(DeviceError):
            await web.room.screenshot()
        await asyncio.sleep(2 * live.FRAME_TIME)
        web.media.picture = b"two"
        assert await next_picture(response) == b"two"


def test_an_unchanged_picture_is_sent_again_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "REPEAT_TIME", 0.05)

    @on_web
    async def test(web: Web) -> None:
        web.media.picture = b"one"
        async with web.session.get(f"{web.url}/api/v1/screen.mjpeg") as response:
            assert await first_picture(response) == b"one"
            assert await next_picture(response) == b"one"

    test()
