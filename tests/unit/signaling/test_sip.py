"""The SIP endpoint on real sockets of the loopback: starting, dialling, stopping."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from certificates import Authority
from names import KnownNames

from firmware import config
from firmware.call.call import Call, EndReason, State
from firmware.call.callers import Callers
from firmware.call.media import Capabilities, Direction
from firmware.errors import CallError, FirmwareError
from firmware.net import dns, tls_stream
from firmware.net.ports import PortPool
from firmware.net.resolver import UnknownHostError
from firmware.net.tls import Tls, Verify
from firmware.sansio import Flow
from firmware.signaling import endpoint as base
from firmware.signaling.sip import SipEndpoint, caller
from firmware.sip.header import NameAddr
from firmware.sip.uri import Uri

UNIT, FAR = "127.0.0.11", "127.0.0.12"


def free_port(*hosts: str) -> int:
    """Give a port that is free for UDP and TCP on all of these."""
    while True:
        port = random.randrange(20_000, 28_000)
        try:
            for host in hosts:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
                        probe.bind((host, port))
        except OSError:
            continue
        return port


@pytest.fixture
def ports() -> Iterator[PortPool]:
    pool = PortPool(28_200, 28_299)
    yield pool
    assert pool.reserved == frozenset()
    pool.close()


def endpoint(ports: PortPool, *hosts: str, port: int, **settings: Any) -> SipEndpoint:
    return SipEndpoint(config.Sip(addresses=hosts, port=port, **settings), Capabilities(), ports, "A room")


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it never came true")


async def with_two(
    ports: PortPool, host: str, other: str, then: Callable[[SipEndpoint, SipEndpoint, int], Awaitable[None]]
) -> None:
    port = free_port(host, other)
    # Two endpoints on one address need two ports.
    far_port = port if host != other else free_port(other)
    unit, far = endpoint(ports, host, port=port), endpoint(ports, other, port=far_port)
    await unit.start()
    await far.start()
    try:
        await then(unit, far, far_port)
    finally:
        await unit.stop()
        await far.stop()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("ip", [4, 6])
def test_a_call(ports: PortPool, transport: str, ip: int, request: pytest.FixtureRequest) -> None:
    hosts = (UNIT, FAR) if ip == 4 else (request.getfixturevalue("ipv6"),) * 2

    async def main(unit: SipEndpoint, far: SipEndpoint, port: int) -> None:
        calls: list[Call] = []

        def take(call: Call) -> None:
            calls.append(call)
            call.alert()
            call.accept()

        far.on_call = take
        call = unit.dial(f"sip:room@{f'[{hosts[1]}]' if ip == 6 else hosts[1]}:{port};transport={transport}")
        await until(lambda: call.state is State.ACTIVE and calls[0].state is State.ACTIVE)
        sent = {c.remote for c in call.channels if c.direction is Direction.SEND}
        received = {c.local for c in calls[0].channels if c.direction is Direction.RECEIVE}
        assert sent == received
        assert len(sent) == 2
        assert ports.reserved >= received
        call.hold(True)
        await until(lambda: calls[0].held_by_far_end)
        calls[0].hang_up()
        await until(lambda: call.state is State.ENDED)
        assert call.end_reason is EndReason.HUNG_UP

    asyncio.run(with_two(ports, *hosts, main))


def test_a_far_end_that_does_not_listen_is_told_at_once(ports: PortPool) -> None:
    async def main(unit: SipEndpoint, far: SipEndpoint, port: int) -> None:
        call = unit.dial(f"127.0.0.13:{port}")
        began = time.monotonic()
        await until(lambda: call.state is State.ENDED)
        assert call.end_reason is EndReason.UNREACHABLE
        assert time.monotonic() - began < 10  # 32 s where nobody says anything

    asyncio.run(with_two(ports, UNIT, FAR, main))


def test_a_name_is_looked_up(ports: PortPool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(unit: SipEndpoint, far: SipEndpoint, port: int) -> None:
        async def look_up(host: str, at: int, transport: str) -> list[tuple[str, tuple[str, int]]]:
            await asyncio.sleep(0)
            if host == "far.example":
                return [(transport, (FAR, at))]
            raise UnknownHostError(f"there is no host {host}") if host == "no.example" else FirmwareError("no answer")

        monkeypatch.setattr(dns, "resolve", look_up)
        far.on_call = Call.accept
        call, unknown, unsaid = (unit.dial(f"{name}.example:{port}") for name in ("far", "no", "slow"))
        assert call.state is unknown.state is unsaid.state is State.DIALING
        await until(lambda: call.state is State.ACTIVE)
        await until(lambda: unknown.state is unsaid.state is State.ENDED)
        assert (unknown.end_reason, unknown.end_detail) == (EndReason.NOT_FOUND, "there is no host no.example")
        assert (unsaid.end_reason, unsaid.end_detail) == (EndReason.UNREACHABLE, "no answer")

    asyncio.run(with_two(ports, UNIT, FAR, main))


def test_a_call_given_up_during_the_look_up_is_over(ports: PortPool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(unit: SipEndpoint, far: SipEndpoint, port: int) -> None:
        answered = asyncio.Event()

        async def look_up(host: str, at: int, transport: str) -> list[tuple[str, tuple[str, int]]]:
            await answered.wait()
            return [(transport, (FAR, at))]

        monkeypatch.setattr(dns, "resolve", look_up)
        calls: list[Call] = []
        far.on_call = calls.append
        one, other = unit.dial(f"far.example:{port}"), unit.dial(f"far.example:{port}")
        await asyncio.sleep(0)
        one.hang_up()
        assert (one.state, one.end_reason) == (State.ENDED, EndReason.HUNG_UP)
        await unit.stop()
        assert other.state is State.ENDED
        answered.set()
        await asyncio.sleep(0.01)
        assert calls == []

    asyncio.run(with_two(ports, UNIT, FAR, main))


def test_stop_ends_calls_politely(ports: PortPool) -> None:
    async def main(unit: SipEndpoint, far: SipEndpoint, port: int) -> None:
        calls: list[Call] = []

        def take(call: Call) -> None:
            calls.append(call)
            call.accept() if len(calls) == 1 else call.alert()

        far.on_call = take
        active, ringing = unit.dial(f"{FAR}:{port}"), unit.dial(f"{FAR}:{port}")
        await until(lambda: active.state is State.ACTIVE and ringing.state is State.ALERTING)
        await unit.stop()
        assert active.state is ringing.state is State.ENDED
        await until(lambda: all(call.state is State.ENDED for call in calls))
        assert [call.end_reason for call in calls] == [EndReason.HUNG_UP, EndReason.CANCELLED]
        await unit.stop()

    asyncio.run(with_two(ports, UNIT, FAR, main))


def test_stop_does_not_wait_for_the_dead(ports: PortPool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(unit: SipEndpoint, far: SipEndpoint, port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
            mute.bind(("127.0.0.13", 0))
            call = unit.dial(f"127.0.0.13:{mute.getsockname()[1]}")
            await asyncio.sleep(0.01)
            await unit.stop()
            assert call.state is State.ENDED

    monkeypatch.setattr(base, "STOP_TIME", 0.1)
    asyncio.run(with_two(ports, UNIT, FAR, main))


def test_a_port_in_use_is_one_line_and_leaves_nothing_open(ports: PortPool) -> None:
    async def main() -> None:
        port = free_port(UNIT)
        with socket.socket() as other:
            other.bind((UNIT, port))
            other.listen()
            unit = endpoint(ports, UNIT, port=port)
            with pytest.raises(FirmwareError, match=f"^cannot listen on tcp {UNIT}:{port}: the port is in use$"):
                await unit.start()
            assert unit.addresses == ()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.bind((UNIT, port))
            with pytest.raises(CallError, match="not started"):
                unit.dial(FAR)

    asyncio.run(main())


def test_addresses_that_can_be_dialled(ports: PortPool) -> None:
    async def main() -> None:
        port = free_port(UNIT, "0.0.0.0")
        unit = endpoint(ports, UNIT, port=port)
        await unit.start()
        assert unit.addresses == (f"sip:room@{UNIT}:{port}",)
        await unit.stop()
        unit = endpoint(ports, UNIT, port=port, transports=("tcp",), user="a b".replace(" ", "."))
        await unit.start()
        assert unit.addresses == (f"sip:a.b@{UNIT}:{port};transport=tcp",)
        await unit.stop()
        unit = endpoint(ports, "0.0.0.0", "::", port=port)
        await unit.start()
        assert all("0.0.0.0" not in address and "[::]" not in address for address in unit.addresses)
        assert b"0.0.0.0" not in (unit._agent.capabilities or b"0.0.0.0")
        await unit.stop()

    asyncio.run(main())


def test_a_unit_on_all_addresses_answers_from_the_one_that_was_called(ports: PortPool) -> None:
    async def main() -> None:
        port = free_port("0.0.0.0")
        far_port = free_port(FAR)
        unit, far = endpoint(ports, "0.0.0.0", port=port), endpoint(ports, FAR, port=far_port)
        await unit.start()
        await far.start()
        unit.on_call = Call.accept
        call = far.dial(f"127.0.0.14:{port}")
        await until(lambda: call.state is State.ACTIVE)
        assert {c.remote[0] for c in call.channels if c.remote} == {"127.0.0.14"}
        await far.stop()
        await unit.stop()

    asyncio.run(main())


def test_what_it_handles(ports: PortPool) -> None:
    unit = endpoint(ports, UNIT, port=5060)
    assert [unit.handles(text) for text in ("sip:a@b", "sips:a@b", "a@b", "h323:a")] == [True, True, False, False]
    assert unit.name == "SIP"


@pytest.mark.parametrize(
    ("from_", "contact", "expected"),
    [
        ("sip:a@host.example;tag=1", "sip:a@192.0.2.2:5090", "sip:a@host.example"),
        ("sip:a@192.0.2.2", "sip:x@192.0.2.2:5090;transport=tcp", "sip:a@192.0.2.2:5090;transport=tcp"),
        ("sip:192.0.2.2", "sip:x@192.0.2.2:5090;transport=udp", "sip:x@192.0.2.2:5090"),
        ("tel:+1234", "sip:x@192.0.2.2", "tel:+1234"),
    ],
)
def test_how_a_caller_is_called_back(from_: str, contact: str, expected: str) -> None:
    class Session:
        account = None
        remote_target = Uri.parse(contact)

    assert str(caller(NameAddr("", Uri.parse(from_)), Session())) == expected  # type: ignore[arg-type]


# TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def secured(
    ports: PortPool,
    authority: Authority,
    host: str,
    *names: str,
    verify: Verify = Verify.CALLED,
    callers: Callers | None = None,
    **settings: Any,
) -> SipEndpoint:
    """An endpoint with a certificate for these names, or else for its address."""
    issued = authority.issue(*names or (host,))
    port, tls_port = free_port(host), free_port(host)
    return SipEndpoint(
        config.Sip(addresses=(host,), port=port, tls_port=tls_port, **settings),
        Capabilities(),
        ports,
        tls=Tls(issued.certificate, issued.key, authority.certificate, verify),
        names=KnownNames({"far.example.com": [FAR]}),
        callers=callers,
    )


async def with_secured(
    unit: SipEndpoint, far: SipEndpoint, then: Callable[[SipEndpoint, SipEndpoint, int], Awaitable[None]]
) -> None:
    await unit.start()
    await far.start()
    try:
        await then(unit, far, far._settings.tls_port)
    finally:
        await unit.stop()
        await far.stop()


@pytest.mark.parametrize(
    "address",
    ["sips:room@{host}:{port}", "sip:room@{host}:{port};transport=tls", "sips:room@far.example.com:{port}"],
)
def test_a_call_by_tls(ports: PortPool, authority: Authority, address: str) -> None:
    async def main(unit: SipEndpoint, far: SipEndpoint, port: int) -> None:
        calls: list[Call] = []

        def take(call: Call) -> None:
            calls.append(call)
            call.accept()

        far.on_call = take
        call = unit.dial(address.format(host=FAR, port=port))
        await until(lambda: call.state is State.ACTIVE and calls[0].state is State.ACTIVE)
        session = unit._agent.sessions[0]
        assert session.flow.transport == "tls"
        call.hold(True)
        await until(lambda: calls[0].held_by_far_end)
        scheme = address.partition(":")[0]
        assert calls[0].remote.startswith(f"{scheme}:room@{UNIT}:{unit._settings.tls_port}")
        back = far.dial(calls[0].remote)
        assert back.state is State.DIALING
        unit.on_call = Call.accept
        await until(lambda: back.state is State.ACTIVE)
        back.hang_up()
        calls[0].hang_up()
        await until(lambda: call.state is State.ENDED)

    unit, far = secured(ports, authority, UNIT), secured(ports, authority, FAR, FAR, "far.example.com")
    asyncio.run(with_secured(unit, far, main))


@pytest.mark.parametrize("verify", [Verify.CALLED, Verify.ALL])
def test_who_showed_a_certificate_is_called_back_on_its_own_connection(
    ports: PortPool, authority: Authority, verify: Verify
) -> None:
    """RFC 5923; one that did not is connected to."""

    async def main(unit: SipEndpoint, far: SipEndpoint, port: int) -> None:
        unit.on_call = far.on_call = Call.accept
        call = unit.dial(f"sips:room@{FAR}:{port}")
        await until(lambda: call.state is State.ACTIVE)
        back = far.dial(f"sips:room@{UNIT}:{unit._settings.tls_port}")
        await until(lambda: back.state is State.ACTIVE)
        first, second = (session.flow for session in far._agent.sessions)
        assert (first == second) is (verify is Verify.ALL)
        back.hang_up()
        call.hang_up()
        await until(lambda: not far._agent.sessions and not unit._agent.sessions)

    unit, far = (secured(ports, authority, host, verify=verify) for host in (UNIT, FAR))
    asyncio.run(with_secured(unit, far, main))


@pytest.mark.parametrize("verify", [Verify.CALLED, Verify.ALL])
def test_a_certificate_that_was_asked_for_says_who_may_call(
    ports: PortPool, authority: Authority, verify: Verify
) -> None:
    async def main(unit: SipEndpoint, far: SipEndpoint, port: int) -> None:
        far.on_call = Call.accept
        call = unit.dial(f"sips:room@{FAR}:{port}")
        await until(lambda: call.state in (State.ACTIVE, State.ENDED))
        assert (call.state is State.ACTIVE) is (verify is Verify.ALL)
        call.hang_up()
        await until(lambda: not unit._agent.sessions)

    unit = secured(ports, authority, UNIT, "unit.example.com", UNIT)
    far = secured(ports, authority, FAR, verify=verify, callers=Callers(["unit.example.com"]))
    asyncio.run(with_secured(unit, far, main))


def test_sips_does_not_take_the_way_of_an_account_that_is_not_secured(ports: PortPool, authority: Authority) -> None:
    async def main(unit: SipEndpoint, far: SipEndpoint, port: int) -> None:
        far.on_call = Call.accept
        [account] = unit._accounts._settings
        account.flow = Flow("udp", (UNIT, unit._settings.port), (FAR, far._settings.port))
        call = unit.dial(f"sips:bob@far.example.com:{port}")
        await until(lambda: call.state is State.ACTIVE)
        [session] = unit._agent.sessions
        assert session.flow.transport == "tls"
        call.hang_up()
        await until(lambda: not unit._agent.sessions)
        account.flow = None

    far = secured(ports, authority, FAR, "far.example.com")
    server = config.SipAccount(
        address="room@far.example.com", registrar=f"far.example.com:{far._settings.tls_port}", register=False
    )
    unit = secured(ports, authority, UNIT, accounts=(server,))
    asyncio.run(with_secured(unit, far, main))


def test_why_there_is_no_tls_is_said_to_who_called(
    ports: PortPool, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(unit: SipEndpoint, far: SipEndpoint, port: int) -> None:
        far.on_call = Call.accept
        call = unit.dial(f"sips:room@far.example.com:{port}")
        await until(lambda: call.state is State.ENDED)
        assert call.end_reason is EndReason.UNREACHABLE
        assert call.end_detail == "its certificate is for other.example.com, not for far.example.com"
        call = unit.dial(f"sips:room@{FAR}:{far._settings.port}")  # where it speaks plain SIP
        await until(lambda: call.state is State.ENDED)
        assert call.end_detail == "TLS was not agreed on within 0 s"

    monkeypatch.setattr(tls_stream, "HANDSHAKE_TIME", 0.3)
    unit, far = secured(ports, authority, UNIT), secured(ports, authority, FAR, "other.example.com")
    asyncio.run(with_secured(unit, far, main))


def test_without_a_certificate_sips_can_not_be_called(ports: PortPool) -> None:
    async def main(unit: SipEndpoint, far: SipEndpoint, port: int) -> None:
        call = unit.dial(f"sips:room@{FAR}:{port}")
        assert (call.state, call.end_reason) == (State.ENDED, EndReason.UNREACHABLE)
        assert "does not use tls" in call.end_detail

    asyncio.run(with_two(ports, UNIT, FAR, main))


def test_addresses_of_one_that_has_tls(ports: PortPool, authority: Authority) -> None:
    async def main() -> None:
        unit = secured(ports, authority, UNIT)
        await unit.start()
        assert unit.addresses == (f"sip:room@{UNIT}:{unit._settings.port}",)
        await unit.stop()
        unit = secured(ports, authority, UNIT, transports=("tls",))
        await unit.start()
        assert unit.addresses == (f"sips:room@{UNIT}:{unit._settings.tls_port}",)
        await unit.stop()

    asyncio.run(main())
