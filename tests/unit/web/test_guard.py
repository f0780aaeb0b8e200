from __future__ import annotations

import base64

import aiohttp
import pytest
from simple_web import Web, on_web, run

from firmware.web.auth import FREE_ATTEMPTS, hash_password

PASSWORD = "correct horse"
HASH = hash_password(PASSWORD)


def status(headers: dict[str, str], method: str = "GET", path: str = "/state", **settings: object) -> int:
    """What a request with these headers is answered."""
    statuses: list[int] = []

    async def test(web: Web) -> None:
        body = {"muted": True} if method == "PUT" else None
        statuses.append((await web.ask(method, path, body, headers=headers))[0])

    run(test, **settings)
    return statuses[0]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8080", "localhost", "LOCALHOST:8080", "[::1]:8080", "192.0.2.7", "localhost."]
)
def test_our_own_names(host: str) -> None:
    assert status({"Host": host}) == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "localhost.evil.example:8080"])
def test_names_that_others_may_have_pointed_at_us(host: str) -> None:
    assert status({"Host": host}) == 403


def test_a_name_that_the_settings_give() -> None:
    assert status({"Host": "room.example:8080"}, host_names=("room.example",)) == 200


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),
        ({"Origin": "http://localhost:8080"}, 200),
        ({"Origin": "http://localhost"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[x"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_who_may_change_something(headers: dict[str, str], expected: int) -> None:
    assert status({"Host": "localhost:8080", **headers}, "PUT", "/mute") == expected


@on_web
async def test_another_site_may_not_listen_to_events(web: Web) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await web.session.ws_connect(f"{web.url}/api/v1/events", headers={"Origin": "http://evil.example"})
    assert caught.value.status == 403
    async with web.session.ws_connect(f"{web.url}/api/v1/events", headers={"Origin": web.url}) as socket:
        assert (await socket.receive_json())["name"] == "Aalto"


def with_password(test: object) -> object:
    def runner() -> None:
        run(test, password_hash=HASH)  # type: ignore[arg-type]

    runner.__name__ = test.__name__  # type: ignore[attr-defined]
    return runner


@with_password
async def test_nothing_without_the_password(web: Web) -> None:
    for path in ("/state", "/screen.png", "/screen.mjpeg", "/events", "/openapi.json", "/nothing", "/board"):
        assert await web.ask("GET", path) == (401, {"error": "a password is needed"}), path
    assert (await web.ask("POST", "/calls", {"address": "sip:a@example.com"}))[0] == 401
    assert web.endpoint.calls == []


@with_password
async def test_the_page_itself_is_for_everybody(web: Web) -> None:
    for path in ("/", "/panel.js", "/panel.css", "/icon.svg"):
        async with web.session.get(web.url + path) as response:
            assert response.status == 200, path


@with_password
async def test_scripts_send_the_password_with_each_request(web: Web) -> None:
    for password, expected in ((PASSWORD, 200), ("wrong", 401)):
        credentials = "Basic " + base64.b64encode(f"any:{password}".encode()).decode()
        assert (await web.ask("GET", "/state", headers={"Authorization": credentials}))[0] == expected
    for header in ("Basic", "Basic !", "Basic \xe4", "Basic /w==", "Bearer x", "Basic " + "QQ" * 10):
        assert (await web.ask("GET", "/state", headers={"Authorization": header}))[0] == 401, header


@with_password
async def test_only_scripts_are_asked_by_the_browser_s_dialog(web: Web) -> None:
    for headers, asked in (({}, True), ({"Sec-Fetch-Mode": "navigate"}, True), ({"Sec-Fetch-Mode": "cors"}, False)):
        async with web.session.get(f"{web.url}/api/v1/state", headers=headers) as response:
            assert ("WWW-Authenticate" in response.headers) is asked


@with_password
async def test_a_session(web: Web) -> None:
    jar = aiohttp.CookieJar(unsafe=True)  # "unsafe" means cookies of addresses instead of names
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        web.session, before = session, web.session
        assert (await web.ask("POST", "/session", {"password": "wrong"}))[0] == 403
        assert (await web.ask("GET", "/state"))[0] == 401
        assert (await web.ask("POST", "/session", {"password": PASSWORD}))[0] == 204
        cookie = next(iter(jar))
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"
        assert (await web.ask("GET", "/state"))[0] == 200
        assert (await web.ask("DELETE", "/session"))[0] == 204
        assert (await web.ask("GET", "/state"))[0] == 401
        web.session = before


@with_password
async def test_guessing_is_slowed_down(web: Web) -> None:
    for _ in range(FREE_ATTEMPTS):
        assert (await web.ask("POST", "/session", {"password": "wrong"}))[0] == 403
    async with web.session.post(f"{web.url}/api/v1/session", json={"password": PASSWORD}) as response:
        assert response.status == 429
        assert int(response.headers["Retry-After"]) >= 1


@on_web
async def test_refusals_are_json_and_every_answer_has_the_headers(web: Web) -> None:
    for method, path, expected in (
        ("GET", "/api/v1/state", 200),
        ("GET", "/", 200),
        ("GET", "/etc/passwd", 404),
        ("GET", "/panel/../auth.py", 404),
        ("GET", "/api/v1/nothing", 404),
        ("DELETE", "/api/v1/state", 405),
    ):
        async with web.session.request(method, web.url + path) as response:
            assert response.status == expected
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "aiohttp" not in response.headers["Server"]
            if expected >= 400:
                assert (await response.json())["error"]
