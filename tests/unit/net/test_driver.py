"""The driver on real sockets of the loopback, on both event loops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import Any

import pytest
from recorder import Recorder

from firmware.errors import FirmwareError
from firmware.net import connections as connections_module
from firmware.net import stream as stream_module
from firmware.net.driver import Driver
from firmware.sansio import Address, Close, Flow, Open, Send

LOCALHOST = "127.0.0.1"


async def received(peer: socket.socket) -> tuple[bytes, Address]:
    while True:
        try:
            return peer.recvfrom(100)
        except BlockingIOError:
            await asyncio.sleep(0.002)


async def make(*listen: tuple[str, str]) -> tuple[Recorder, Driver, dict[str, Address]]:
    core = Recorder()
    driver = Driver(core, lambda event: None)
    for transport, host in listen:
        await driver.listen(transport, host, 0)
    return core, driver, dict(driver.listeners)


def test_a_datagram_comes_and_is_answered(run: Any) -> None:
    async def main() -> None:
        core, driver, at_ = await make(("udp", LOCALHOST))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind((LOCALHOST, 0))
            peer.setblocking(False)
            peer.sendto(b"ping", at_["udp"])
            flow = await core.hears(b"ping")
            assert flow == Flow("udp", at_["udp"], peer.getsockname())
            assert (await received(peer))[0] == b"pong"
        await driver.stop()

    run(main())


def test_a_core_is_asked_again_only_where_it_may_have_more_to_say(run: Any) -> None:
    async def main() -> None:
        core, driver, at_ = await make(("udp", LOCALHOST))
        asked: list[int] = []
        actions = core.actions
        core.actions = lambda: (asked.append(len(core.todo)), actions())[1]  # type: ignore[method-assign]
        driver._on_event = lambda event: core.todo.append(event)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind((LOCALHOST, 0))
            flow = Flow("udp", at_["udp"], peer.getsockname())
            core.todo.append(Send(flow, b"one"))
            driver.run()
            assert asked == [1], "what was sent changes nothing for the core"
            core.happened.append(Send(flow, b"two"))
            driver.run()
            assert asked == [1, 0, 1], "who hears of an event may have it do something"
        await driver.stop()

    run(main())


def test_a_wildcard_tells_which_address_was_meant_and_answers_from_it(run: Any) -> None:
    async def main() -> None:
        core, driver, at_ = await make(("udp", "0.0.0.0"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind((LOCALHOST, 0))
            peer.setblocking(False)
            for host in ("127.0.0.3", "127.0.0.1"):
                peer.sendto(b"ping", (host, at_["udp"][1]))
                flow = await core.hears(b"ping")
                assert flow.local == (host, at_["udp"][1])
                assert await received(peer) == (b"pong", flow.local)
        await driver.stop()

    run(main())


def test_ipv6(run: Any, ipv6: str) -> None:
    async def main() -> None:
        core, driver, at_ = await make(("udp", "::"), ("tcp", ipv6))
        other, caller, _ = await make(("udp", ipv6), ("tcp", ipv6))
        flow = caller.local_flow("udp", (ipv6, at_["udp"][1]))
        other.todo.append(Send(flow, b"ping"))
        caller.run()
        assert (await core.hears(b"ping")).local == (ipv6, at_["udp"][1])
        await other.hears(b"pong")
        flow = caller.local_flow("tcp", at_["tcp"])
        other.todo += [Open(flow), Send(flow, b"ping")]
        caller.run()
        assert (await core.hears(b"ping")).remote[0] == ipv6
        await other.hears(b"pong")
        await driver.stop()
        await caller.stop()

    run(main())


@pytest.mark.parametrize("listen", ["::", "itself"])
def test_link_local_ipv6(run: Any, link_local: str, listen: str) -> None:
    """What the far end sees of us has no link; what we see of it has."""

    async def main() -> None:
        host = link_local.partition("%")[0]
        address = "::" if listen == "::" else host
        core, driver, at_ = await make(("udp", address), ("tcp", address))
        other, caller, _ = await make(("udp", address), ("tcp", address))
        for transport in ("udp", "tcp"):
            flow = caller.local_flow(transport, (link_local, at_[transport][1]))
            assert flow.local[0] == host
            other.todo += [Open(flow)] if transport == "tcp" else []
            other.todo.append(Send(flow, b"ping"))
            caller.run()
            there = await core.hears(b"ping")
            assert (there.local[0], there.remote[0]) == (host, link_local)
            await other.hears(b"pong")
        await driver.stop()
        await caller.stop()

    run(main())


def test_all_datagrams_that_are_there_run_the_core_once(run: Any) -> None:
    async def main() -> None:
        core, driver, at_ = await make(("udp", LOCALHOST))
        rounds = []
        actions = core.actions
        core.actions = lambda: rounds.append(len(core.told)) or actions()  # type: ignore[func-returns-value,method-assign]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            for number in range(20):
                peer.sendto(b"%d" % number, at_["udp"])
        await core.hears(b"19")
        assert [data for data, _ in core.told] == [b"%d" % number for number in range(19)]
        assert len(rounds) <= 4
        await driver.stop()

    run(main())


def test_a_far_end_that_refuses_datagrams_is_reported_and_others_go_on(run: Any) -> None:
    async def main() -> None:
        core, driver, at_ = await make(("udp", LOCALHOST))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
            nobody.bind((LOCALHOST, 0))
            closed = nobody.getsockname()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind((LOCALHOST, 0))
            peer.setblocking(False)
            for _ in range(3):
                flow = driver.local_flow("udp", closed)
                core.todo.append(Send(flow, b"anybody?"))
                driver.run()
                assert await core.hears("closed") == flow
                # The pending error belongs to the other far end, this one still hears and is heard.
                core.todo.append(Send(flow, b"anybody?"))
                core.todo.append(Send(driver.local_flow("udp", peer.getsockname()), b"hello"))
                driver.run()
                assert (await received(peer))[0] == b"hello"
                peer.sendto(b"ping", at_["udp"])
                await core.hears(b"ping")
                assert (await received(peer))[0] == b"pong"
        await driver.stop()

    run(main())


def test_an_icmp_error_names_the_flow_that_was_used(run: Any) -> None:
    async def main() -> None:
        core, driver, at_ = await make(("udp", "0.0.0.0"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
            nobody.bind((LOCALHOST, 0))
            flow = Flow("udp", ("127.0.0.7", at_["udp"][1]), nobody.getsockname())
        core.todo.append(Send(flow, b"anybody?"))
        driver.run()
        assert await core.hears("closed") == flow
        await driver.stop()

    run(main())


def test_the_wire_log_has_first_lines_only(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        core, driver, at_ = await make(("udp", LOCALHOST))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind((LOCALHOST, 0))
            flow = driver.local_flow("udp", peer.getsockname())
            core.todo.append(Send(flow, b"OPTIONS \xff\r\nAuthorization: secret"))
            driver.run()
            peer.sendto(b"ping", at_["udp"])
            await core.hears(b"ping")
            peer.sendto(b"\x03\0\x1b[2J\n= a lie\\", at_["udp"])
            await core.hears(b"\x03\0\x1b[2J\n= a lie\\")
        await driver.stop()

    with caplog.at_level(logging.DEBUG, "firmware.net.driver"):
        run(main())
    words = [record.getMessage() for record in caplog.records if record.getMessage()[0] in "<>"]
    assert words[0].startswith("> udp 127.0.0.1:")
    assert words[0].endswith(" OPTIONS \\xff (32 bytes)")
    assert words[1].endswith(" ping (4 bytes)")
    assert words[3].endswith(" \\x03\\x00\\x1b[2J\\n= a lie\\\\ (15 bytes)"), "no stranger moves the cursor"


def test_what_can_not_be_sent_is_reported(run: Any) -> None:
    async def main() -> None:
        core, driver, at_ = await make(("udp", LOCALHOST))
        too_long = Flow("udp", at_["udp"], (LOCALHOST, 9))
        not_ours = Flow("udp", ("127.0.0.9", 1), (LOCALHOST, 9))
        no_stream = Flow("tcp", at_["udp"], (LOCALHOST, 9))
        core.todo = [Send(too_long, bytes(70_000)), Send(not_ours, b"x"), Send(no_stream, b"x")]
        driver.run()
        assert {flow for what, flow in core.told if what == "closed"} == {too_long, not_ours, no_stream}
        await driver.stop()

    run(main())


def test_a_stream_is_opened_used_and_closed_after_all_is_sent(run: Any) -> None:
    async def main() -> None:
        core, driver, at_ = await make(("tcp", LOCALHOST))
        other, caller, own = await make(("tcp", LOCALHOST))
        flow = caller.local_flow("tcp", at_["tcp"])
        assert flow == Flow("tcp", own["tcp"], at_["tcp"])
        other.todo += [Open(flow), Send(flow, b"ping")]
        caller.run()
        accepted = await core.hears("opened")
        assert accepted.local == at_["tcp"]
        assert await other.hears("opened") == flow
        assert await core.hears(b"ping") == accepted
        assert await other.hears(b"pong") == flow
        other.todo += [Open(flow), Send(flow, b"x" * 100_000), Close(flow)]
        caller.run()
        assert await other.hears("opened") == flow  # opening what is open is no error
        got = 0
        while got < 100_000:
            got += sum(len(what) for what, _ in core.told if isinstance(what, bytes))
            core.told = [entry for entry in core.told if entry[0] == "closed"]
            await asyncio.sleep(0.001)
        assert await core.hears("closed") == accepted
        assert ("closed", flow) not in other.told
        await driver.stop()
        await caller.stop()

    run(main())


def test_a_stream_to_nobody_is_reported(run: Any) -> None:
    async def main() -> None:
        core, driver, _ = await make(("tcp", LOCALHOST))
        with socket.socket() as nobody:
            nobody.bind((LOCALHOST, 0))
            flow = driver.local_flow("tcp", nobody.getsockname())
        core.todo = [Open(flow), Send(flow, b"anybody?")]
        driver.run()
        assert await core.hears("closed") == flow
        await driver.stop()

    run(main())


def test_a_connection_that_is_never_made_is_given_up(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        core, driver, _ = await make(("tcp", LOCALHOST))
        with socket.socket() as full:
            full.bind((LOCALHOST, 0))
            full.listen(0)
            waiting = [socket.socket() for _ in range(3)]
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(full.getsockname())
            flow = driver.local_flow("tcp", full.getsockname())
            core.todo = [Open(flow)]
            driver.run()
            assert await core.hears("closed") == flow
            for each in waiting:
                each.close()
        await driver.stop()

    monkeypatch.setattr(connections_module, "CONNECT_TIME", 0.2)
    run(main())


def test_a_stream_that_says_nothing_is_closed(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        core, driver, at_ = await make(("tcp", LOCALHOST))
        reader, writer = await asyncio.open_connection(*at_["tcp"])
        talker, talk = await asyncio.open_connection(*at_["tcp"])
        talk.write(b"ping")
        assert await reader.read() == b""
        assert await talker.read(4) == b"pong"
        talk.write(b"ping")
        assert await talker.read(4) == b"pong"
        writer.close()
        talk.close()
        await core.hears("closed")
        await driver.stop()

    monkeypatch.setattr(stream_module, "SILENCE_TIME", 0.2)
    run(main())


def test_connections_are_bounded(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        core, driver, at_ = await make(("tcp", LOCALHOST))
        first = [await asyncio.open_connection(*at_["tcp"]) for _ in range(2)]
        reader, writer = await asyncio.open_connection(*at_["tcp"])
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        # Another host is still welcome, and so is this one when a connection of its own is gone.
        other = await asyncio.open_connection(*at_["tcp"], local_addr=("127.0.0.5", 0))
        other[1].write(b"ping")
        assert await other[0].read(4) == b"pong"
        first[0][1].close()
        await core.hears("closed")
        again = await asyncio.open_connection(*at_["tcp"])
        again[1].write(b"ping")
        assert await again[0].read(4) == b"pong"
        for _, each in (*first, other, again):
            each.close()
        await driver.stop()

    monkeypatch.setattr(connections_module, "MAX_STREAMS_PER_HOST", 2)
    run(main())


def test_a_far_end_that_calls_back_from_its_own_port_leaves_our_connection_alone(run: Any) -> None:
    """Both connections would be the same flow, and the one's bytes would stand in the middle of the other's."""

    async def main() -> None:
        core, driver, at_ = await make(("tcp", LOCALHOST))
        with socket.create_server(("127.0.0.5", 0), reuse_port=True) as listener, socket.socket() as second:
            listener.setblocking(False)
            flow = driver.local_flow("tcp", listener.getsockname())
            core.todo += [Open(flow), Send(flow, b"hello")]
            driver.run()
            first, _ = await asyncio.get_running_loop().sock_accept(listener)
            await core.hears("opened")
            second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            second.bind(listener.getsockname())
            second.setblocking(False)
            await asyncio.get_running_loop().sock_connect(second, at_["tcp"])
            with contextlib.suppress(ConnectionError):
                assert await asyncio.get_running_loop().sock_recv(second, 1) == b""
            with first:
                first.setblocking(False)
                await asyncio.get_running_loop().sock_sendall(first, b"ping")
                assert await core.hears(b"ping") == flow
        assert not [each for each in core.told if each[0] == "opened"]
        await driver.stop()

    run(main())


def test_who_does_not_read_is_given_up(run: Any) -> None:
    async def main() -> None:
        core, driver, at_ = await make(("tcp", LOCALHOST))
        with socket.create_connection(at_["tcp"]) as lazy:
            flow = await core.hears("opened")
            for _ in range(1_000):
                core.todo.append(Send(flow, bytes(100_000)))
                driver.run()
                if ("closed", flow) in core.told:
                    break
            assert await core.hears("closed") == flow
            assert lazy.fileno() >= 0
        await driver.stop()

    run(main())


def test_an_exception_ends_its_flow_only(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        core, driver, at_ = await make(("tcp", LOCALHOST), ("udp", LOCALHOST))
        bad, bad_writer = await asyncio.open_connection(*at_["tcp"])
        good, good_writer = await asyncio.open_connection(*at_["tcp"])
        bad_writer.write(b"raise")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await bad.readexactly(1)
        await core.hears("closed")
        good_writer.write(b"ping")
        assert await good.read(4) == b"pong"
        await core.hears(b"ping")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(b"raise", at_["udp"])
            peer.sendto(b"ping", at_["udp"])
            await core.hears(b"ping")
        core.happened.append("event")
        driver._on_event = lambda event: core.missing  # type: ignore[attr-defined]
        driver.run()
        bad_writer.close()
        good_writer.close()
        await driver.stop()

    with caplog.at_level(logging.INFO):
        run(main())
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 3
    assert all("RuntimeError: a bug" in text for text in errors[:2])


def test_timers(run: Any) -> None:
    async def main() -> None:
        core, driver, _ = await make()
        core.due = due = driver.now() + 0.05
        driver.run()
        driver.run()
        core.due = driver.now() + 30
        driver.run()
        core.due = due
        driver.run()
        await asyncio.sleep(0.1)
        assert len(core.fired) == 1
        assert core.fired[0] >= due
        await driver.stop()

    run(main())


def test_events_in_events_keep_their_order(run: Any) -> None:
    async def main() -> None:
        core, driver, _ = await make()
        seen: list[int] = []

        def on_event(event: int) -> None:
            seen.append(event)
            if event < 5:
                core.happened.append(event + 10)
                driver.run()

        driver._on_event = on_event
        core.happened = [1, 2, 3]
        driver.run()
        assert seen == [1, 2, 3, 11, 12, 13]
        await driver.stop()

    run(main())


def test_a_core_that_never_rests_lets_others_work(run: Any) -> None:
    async def main() -> None:
        core, driver, _ = await make()
        driver._on_event = core.happened.append
        core.happened = [1]
        driver.run()
        await asyncio.sleep(0.01)
        core.happened.clear()
        await driver.stop()

    run(main())


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_port_in_use_is_one_clear_line(run: Any, transport: str) -> None:
    async def main() -> None:
        _, driver, at_ = await make((transport, LOCALHOST))
        port = at_[transport][1]
        with pytest.raises(
            FirmwareError, match=rf"^cannot listen on {transport} 127.0.0.1:{port}: the port is in use$"
        ):
            await driver.listen(transport, LOCALHOST, port)
        with pytest.raises(FirmwareError, match="no such address"):
            await driver.listen(transport, "192.0.2.77", 0)
        await driver.stop()

    run(main())


def test_stop_lets_what_is_written_leave(run: Any) -> None:
    async def main() -> None:
        core, driver, at_ = await make(("tcp", LOCALHOST))
        reader, writer = await asyncio.open_connection(*at_["tcp"])
        core.todo.append(Send(await core.hears("opened"), b"x" * 50_000))
        await driver.stop()
        assert len(await reader.read()) == 50_000
        writer.close()
        driver.run()  # too late, and no error
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(at_["tcp"])

    run(main())


def test_local_flow(run: Any) -> None:
    async def main() -> None:
        _, driver, _ = await make(("udp", "127.0.0.2"), ("udp", "127.0.0.3"))
        hosts = {driver.local_flow("udp", (host, 9)).local[0] for host in ("127.0.0.2", "127.0.0.3", "127.0.0.1")}
        assert hosts <= {"127.0.0.2", "127.0.0.3"}
        with pytest.raises(FirmwareError, match="does not use tcp"):
            driver.local_flow("tcp", (LOCALHOST, 9))
        with pytest.raises(FirmwareError, match="IPv6"):
            driver.local_flow("udp", ("::1", 9))
        await driver.stop()

    run(main())
