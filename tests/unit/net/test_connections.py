"""The streams of a driver, plain and by TLS: who is let in, and what strangers may hold open."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from recorder import Recorder

from firmware.errors import FirmwareError
from firmware.net import connections as connections_module
from firmware.net.connections import MAX_HANDSHAKES, MAX_STREAMS_PER_HOST
from firmware.net.driver import Driver
from firmware.net.tls import Tls, Verify
from firmware.sansio import Address, Close, Flow, Open, Send

LOCALHOST = "127.0.0.1"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


async def make(authority: Authority, *names: str, verify: Verify = Verify.CALLED) -> tuple[Recorder, Driver, Address]:
    """A driver that listens for TLS with a certificate for these names, 127.0.0.1 if there are none."""
    issued = authority.issue(*names or (LOCALHOST,))
    core = Recorder()
    tls = Tls(issued.certificate, issued.key, authority.certificate, verify)
    driver = Driver(core, lambda event: None, tls)
    await driver.listen("tls", LOCALHOST, 0)
    return core, driver, driver.listeners[0][1]


async def empty(table: dict[Any, Any]) -> None:
    for _ in range(5_000):
        if not table:
            return
        await asyncio.sleep(0.002)
    raise AssertionError(table)


def test_two_units_talk_by_tls(run: Any, authority: Authority) -> None:
    async def main() -> None:
        core, driver, address = await make(authority)
        other, caller, _ = await make(authority)
        flow = caller.local_flow("tls", address)
        other.todo += [Open(flow), Send(flow, b"ping")]
        caller.run()
        there = await core.hears(b"ping")
        assert (there.transport, there.local, there.domain, there.shown) == ("tls", address, "", ())
        assert await other.hears(b"pong") == flow
        other.todo.append(Close(flow))
        caller.run()
        assert await core.hears("closed") == there
        await caller.stop()
        await driver.stop()

    run(main())


def test_a_domain_is_verified_wherever_it_is_reached(
    run: Any, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        core, driver, address = await make(authority, "room.example.com")
        other, caller, _ = await make(authority)
        good = caller.local_flow("tls", address, "Room.example.com")
        assert good.domain == "room.example.com"
        other.todo += [Open(good), Send(good, b"ping")]
        caller.run()
        assert await other.hears(b"pong") == good
        bad = caller.local_flow("tls", address, "other.example.com")
        other.todo += [Open(bad), Send(bad, b"secret")]
        caller.run()
        assert await other.hears("closed") == bad
        assert not [told for told in core.told if told[0] == b"secret"]
        await caller.stop()
        await driver.stop()

    run(main())
    assert "(other.example.com): no connection: its certificate is for room.example.com, not" in caplog.text


def test_who_shows_a_certificate_is_known_by_it(run: Any, authority: Authority) -> None:
    async def main() -> None:
        core, driver, address = await make(authority, verify=Verify.ALL)
        other, caller, _ = await make(authority, "a.example.com", "b.example.com")
        flow = caller.local_flow("tls", address)
        other.todo += [Open(flow), Send(flow, b"ping")]
        caller.run()
        there = await core.hears(b"ping")
        assert there.shown == ("a.example.com", "b.example.com")
        await other.hears(b"pong")
        core.todo.append(Close(Flow("tls", there.local, there.remote)))
        driver.run()
        assert await other.hears("closed") == flow
        await caller.stop()
        await driver.stop()

    run(main())


def test_a_stranger_is_refused_and_complained_about_once(
    run: Any, authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        core, driver, address = await make(authority, verify=Verify.ALL)
        for _ in range(5):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await reader.read()
            writer.close()
        assert core.told == []
        await driver.stop()

    with caplog.at_level(logging.INFO):
        run(main())
    assert caplog.text.count("it called, but it speaks HTTP, not TLS") == 1


def test_hundreds_of_half_open_handshakes_keep_nobody_out(run: Any, authority: Authority) -> None:
    async def main() -> None:
        core, driver, address = await make(authority)
        silent: list[socket.socket] = []
        for number in range(300):
            each = socket.socket()
            each.bind((f"127.0.1.{number // MAX_STREAMS_PER_HOST + 1}", 0))
            each.setblocking(False)
            await asyncio.get_running_loop().sock_connect(each, address)
            if number % 2:
                each.send(b"\x16\x03\x01\x02\x00")  # the head of a ClientHello that never comes
            silent.append(each)
        await asyncio.sleep(0.1)
        assert len(driver._connections._handshakes) <= MAX_HANDSHAKES
        assert len(driver._connections._streams) <= MAX_HANDSHAKES
        other, caller, _ = await make(authority)
        flow = caller.local_flow("tls", address)
        other.todo += [Open(flow), Send(flow, b"ping")]
        caller.run()
        await other.hears(b"pong")
        for each in silent:
            each.close()
        assert [told[0] for told in core.told] == ["opened", b"ping"], "the core never hears of them"
        other.todo.append(Close(flow))
        caller.run()
        await core.hears("closed")
        await empty(driver._connections._streams)
        assert not driver._connections._handshakes
        assert not driver._connections._accepted
        await caller.stop()
        await driver.stop()

    run(main())


def test_one_host_may_not_take_all(run: Any, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        _, driver, address = await make(authority)
        context = ssl.create_default_context(cafile=str(authority.certificate))
        first = [await asyncio.open_connection(*address, ssl=context) for _ in range(2)]
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await asyncio.open_connection(*address, ssl=context)
        other = await asyncio.open_connection(*address, ssl=context, local_addr=("127.0.0.5", 0))
        other[1].write(b"ping")
        assert await other[0].readexactly(4) == b"pong"
        for _, writer in (*first, other):
            writer.close()
        await driver.stop()

    monkeypatch.setattr(connections_module, "MAX_STREAMS_PER_HOST", 2)
    run(main())


def test_a_wrong_file_is_told_when_listening_begins(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        missing = tmp_path / "missing.pem"
        driver = Driver(Recorder(), lambda event: None, Tls(missing, missing))
        with pytest.raises(FirmwareError, match=r"missing\.pem"):
            await driver.listen("tls", LOCALHOST, 0)
        assert driver.listeners == ()
        await driver.stop()

    run(main())


def test_without_a_certificate_there_is_no_tls(run: Any) -> None:
    async def main() -> None:
        core = Recorder()
        driver = Driver(core, lambda event: None)
        with pytest.raises(FirmwareError, match="certificate"):
            await driver.listen("tls", LOCALHOST, 0)
        flow = Flow("tls", (LOCALHOST, 5061), (LOCALHOST, 9))
        core.todo.append(Open(flow))
        driver.run()
        assert await core.hears("closed") == flow
        await driver.stop()

    run(main())


def test_stop_lets_what_is_written_leave(run: Any, authority: Authority) -> None:
    async def main() -> None:
        core, driver, address = await make(authority)
        other, caller, _ = await make(authority)
        flow = caller.local_flow("tls", address)
        other.todo.append(Open(flow))
        caller.run()
        there = await core.hears("opened")
        await other.hears("opened")
        core.todo.append(Send(there, b"goodbye"))
        await driver.stop()
        assert await other.hears(b"goodbye") == flow
        assert await other.hears("closed") == flow
        await caller.stop()

    run(main())
