"""The H.323 endpoint on real sockets; what far ends may do to a call is tried on the virtual network."""

from __future__ import annotations

import asyncio
import functools
import random
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from gatekeeper import Gatekeeper, serve
from interop.ports import free_port, free_ports, own_address
from names import KnownNames
from tunnel_gatekeeper import TunnelGatekeeper

from firmware import config
from firmware.call.call import Call, EndReason, State
from firmware.call.media import Capabilities, Direction, Kind
from firmware.errors import CallError, FirmwareError
from firmware.net.address import at
from firmware.net.dns import Srv
from firmware.net.driver import Driver
from firmware.net.ports import PortPool
from firmware.net.tls import Tls
from firmware.signaling import h323 as module
from firmware.signaling.h323 import H323Endpoint


@pytest.fixture
def ports() -> Iterator[PortPool]:
    pool = PortPool(28_300, 28_399)
    yield pool
    assert pool.reserved == frozenset()
    pool.close()


def endpoint(
    ports: PortPool, host: str, name: str = "A room", names: KnownNames | None = None, **settings: Any
) -> H323Endpoint:
    port, ras, first, last = free_ports(4, host)
    return H323Endpoint(
        config.H323(addresses=(host,), port=port, ras_port=ras, h245_first_port=first, h245_last_port=last, **settings),
        Capabilities(),
        ports,
        name,
        rng=random.Random(str(port)),
        names=names,
    )


async def until(condition: Callable[[], object]) -> None:
    for _ in range(2_500):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it never came true")


async def started(*endpoints: H323Endpoint, then: Callable[[], Awaitable[None]]) -> None:
    for each in endpoints:
        await each.start()
    try:
        await then()
    finally:
        for each in endpoints:
            await each.stop()


def answering(far: H323Endpoint) -> list[Call]:
    """Let it answer every call; give the calls."""
    calls: list[Call] = []

    def take(call: Call) -> None:
        calls.append(call)
        call.alert()
        call.accept()

    far.on_call = take
    return calls


@pytest.mark.parametrize("settings", [{}, {"tunnelling": False}, {"fast_connect": True}], ids=str)
@pytest.mark.parametrize("ip", [4, 6])
def test_a_call(ports: PortPool, ip: int, settings: dict[str, Any], request: pytest.FixtureRequest) -> None:
    hosts = (own_address(), own_address()) if ip == 4 else (request.getfixturevalue("ipv6"),) * 2
    unit, far = endpoint(ports, hosts[0], **settings), endpoint(ports, hosts[1], **settings)
    calls = answering(far)

    async def main() -> None:
        (address,) = far.addresses
        call = unit.dial(address)
        everything = {(kind, direction) for kind in Kind for direction in (Direction.SEND, Direction.RECEIVE)}
        await until(lambda: {(c.kind, c.direction) for c in call.channels} == everything)
        await until(lambda: {(c.kind, c.direction) for c in calls[0].channels} == everything)
        sent = {c.remote for c in call.channels if c.direction is Direction.SEND}
        assert sent == {c.local for c in calls[0].channels if c.direction is Direction.RECEIVE}
        assert calls[0].remote_name == "A room"
        back = far.dial(calls[0].remote)
        unit.on_call = Call.accept
        await until(lambda: back.state is State.ACTIVE)
        calls[0].hang_up()
        await until(lambda: call.state is State.ENDED)
        assert call.end_reason is EndReason.HUNG_UP

    asyncio.run(started(unit, far, then=main))


def test_a_domain_is_called_where_its_name_server_says_and_asked_for_the_whole_name(ports: PortPool) -> None:
    far = endpoint(ports, own_address())
    host, port = far._settings.addresses[0], far._settings.port
    dead = Srv(1, 1, free_port(host), "dead.example.com")
    names = KnownNames(
        {"gateway.example.com": [host], "dead.example.com": [host]},
        {"_h323cs._tcp.example.com": [Srv(2, 1, port, "gateway.example.com"), dead]},
    )
    unit, calls = endpoint(ports, own_address(), names=names), answering(far)

    async def main() -> None:
        call = unit.dial("h323:room 12@example.com")
        assert call.state is State.DIALING
        await until(lambda: call.state is State.ACTIVE)
        [session] = unit._terminal.sessions
        names_said = session._setup[0]["destinationAddress"]
        assert names_said == [("h323-ID", "room 12@example.com"), ("url-ID", "h323:room%2012@example.com")]
        calls[0].hang_up()
        await until(lambda: call.state is State.ENDED)
        nobody = unit.dial("h323:room@nowhere.example.com")
        await until(lambda: nobody.state is State.ENDED)
        assert nobody.end_reason is EndReason.NOT_FOUND
        assert names.asked["SRV _h323cs._tcp.nowhere.example.com"] == 1

    asyncio.run(started(unit, far, then=main))


def test_a_domain_that_nobody_knows_is_asked_of_the_gatekeeper(ports: PortPool) -> None:
    gatekeeper = Gatekeeper((own_address(), 0))

    async def main() -> None:
        transport, _ = await serve(gatekeeper)
        unit = endpoint(ports, own_address(), names=KnownNames(), gatekeeper=at(gatekeeper.address))
        await unit.start()
        await until(lambda: unit.has_gatekeeper)
        call = unit.dial("h323:room@nowhere.example.com")
        await until(lambda: call.state is State.ENDED)
        assert call.end_reason is EndReason.NOT_FOUND, "the gatekeeper does not know it, either"
        asked = [heard.body for heard in gatekeeper.heard if heard.name == "admissionRequest"]
        [request] = asked
        assert request["destinationInfo"] == [
            ("h323-ID", "room@nowhere.example.com"),
            ("url-ID", "h323:room@nowhere.example.com"),
        ]
        assert "destCallSignalAddress" not in request
        await unit.stop()
        transport.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("leads", "reason"),
    [("to somebody", None), ("nowhere", EndReason.NOT_FOUND), ("to this very machine", EndReason.REFUSED)],
)
def test_a_far_end_may_name_a_host_to_call_instead(
    ports: PortPool, leads: str, reason: EndReason | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    third = endpoint(ports, own_address())
    host, port = third._settings.addresses[0], third._settings.port
    names = KnownNames({} if leads == "nowhere" else {"c.example.com": [host]})
    unit, far = endpoint(ports, own_address()), endpoint(ports, own_address(), names=names)
    if reason is EndReason.REFUSED:
        monkeypatch.setattr(module, "is_fair", lambda host, far: False)
    calls, there, new = answering(far), answering(third), list[Call]()

    async def main() -> None:
        call = unit.dial(far.addresses[0])
        await until(lambda: calls and calls[0].state is call.state is State.ACTIVE)
        calls[0].on_transfer_request = lambda asked: new.append(asked.follow())
        call.transfer(f"h323:room@c.example.com:{port}")
        await until(lambda: new and new[0].state in (State.ACTIVE, State.ENDED))
        assert new[0].remote == f"h323:room@c.example.com:{port}"
        assert new[0].end_reason is reason
        assert bool(there) is (reason is None)

    asyncio.run(started(unit, far, third, then=main))


def test_a_gatekeeper_finds_the_unit_by_all_of_its_names(ports: PortPool) -> None:
    gatekeeper = Gatekeeper((own_address(), 0))
    aliases = ("room@example.com", "h323:room@example.com", "A room")

    async def main() -> None:
        transport, _ = await serve(gatekeeper)
        unit = endpoint(ports, own_address(), number="4711", aliases=aliases, gatekeeper=at(gatekeeper.address))
        await unit.start()
        await until(lambda: unit.has_gatekeeper)
        [registered] = gatekeeper.endpoints.values()
        assert registered.aliases == [
            ("h323-ID", "A room"),
            ("dialledDigits", "4711"),
            ("h323-ID", "room@example.com"),
            ("url-ID", "h323:room@example.com"),
        ]
        await unit.stop()
        transport.close()

    asyncio.run(main())


def test_nobody_listens(ports: PortPool) -> None:
    unit, host = endpoint(ports, own_address()), own_address()

    async def main() -> None:
        call = unit.dial(f"h323:{host}")
        await until(lambda: call.state is State.ENDED)
        assert call.end_reason is EndReason.UNREACHABLE

    asyncio.run(started(unit, then=main))


def test_addresses_are_those_of_calls_only(ports: PortPool) -> None:
    unit = endpoint(ports, "127.0.0.1")
    assert unit.addresses == ()

    async def main() -> None:
        (address,) = unit.addresses
        assert address.startswith("h323:127.0.0.1:")
        assert unit.handles(address)
        assert not unit.handles("sip:room@127.0.0.1")

    asyncio.run(started(unit, then=main))


def test_a_port_in_use_is_said(ports: PortPool) -> None:
    unit = endpoint(ports, "127.0.0.1")

    async def main() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", unit._settings.port))
            taken.listen()
            with pytest.raises(FirmwareError, match="the port is in use"):
                await unit.start()

    asyncio.run(main())
    with pytest.raises(CallError, match="not started"):
        unit.dial("h323:127.0.0.1")


def test_a_gatekeeper_finds_numbers(ports: PortPool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    keeper = Gatekeeper((own_address(), 0), users={"Aalto": "alvar", "Berg": "alban"})
    unit = endpoint(ports, own_address(), "Aalto", number="4711", password="alvar", gatekeeper="later")
    far = endpoint(ports, own_address(), "Berg", number="4712", password="alban", gatekeeper="later")
    calls = answering(far)

    async def main() -> None:
        transport, _ = await serve(keeper)
        for each in (unit, far):
            each._settings = each._gatekeeper._settings = _with(each._settings, gatekeeper=at(keeper.address))
            await each.start()
        with pytest.raises(CallError, match="is a number"):
            unit.dial("4712")
        await until(lambda: unit._gatekeeper.address and far._gatekeeper.address)
        call = unit.dial("4712")
        assert call.remote == "h323:4712"
        await until(lambda: call.state is State.ACTIVE)
        assert calls[0].remote_name == "Aalto"
        call.hang_up()
        await until(lambda: calls[0].state is State.ENDED)
        unknown = unit.dial("9999")
        await until(lambda: unknown.state is State.ENDED)
        assert unknown.end_reason is EndReason.NOT_FOUND
        for each in (unit, far):
            await each.stop()
        await until(lambda: [heard.name for heard in keeper.heard].count("unregistrationRequest") == 2)
        transport.close()

    asyncio.run(main())
    assert keeper.faults == []
    assert f"registered with gatekeeper {keeper.address[0]}" in caplog.text
    assert "alvar" not in caplog.text


def _with(settings: config.H323, **values: Any) -> config.H323:
    from msgspec.structs import replace

    return replace(settings, **values)


def secured(ports: PortPool, authority: Authority, host: str, *names: str, **settings: Any) -> H323Endpoint:
    issued = authority.issue(*names or (host,))
    port, tls_port, first, last = free_ports(4, host)
    return H323Endpoint(
        config.H323(
            addresses=(host,),
            port=port,
            tls=True,
            tls_port=tls_port,
            h245_first_port=first,
            h245_last_port=last,
            **settings,
        ),
        Capabilities(),
        ports,
        tls=Tls(issued.certificate, issued.key, authority.certificate),
    )


@pytest.mark.parametrize("settings", [{}, {"tunnelling": False}, {"fast_connect": True}], ids=str)
def test_a_call_by_tls(ports: PortPool, tmp_path: Path, settings: dict[str, Any]) -> None:
    """H.245 is tunnelled whatever the settings say: nothing but media leaves the secured connection."""
    authority, hosts = Authority(tmp_path), (own_address(), own_address())
    unit, far = secured(ports, authority, hosts[0], **settings), secured(ports, authority, hosts[1], **settings)
    calls = answering(far)

    async def main() -> None:
        call = unit.dial(f"h323s:{hosts[1]}:{far._settings.tls_port}")
        everything = {(kind, direction) for kind in Kind for direction in (Direction.SEND, Direction.RECEIVE)}
        await until(lambda: {(c.kind, c.direction) for c in call.channels} == everything)
        await until(lambda: {(c.kind, c.direction) for c in calls[0].channels} == everything)
        for each in (unit, far):
            flows = list(each._transport._connections._streams)  # type: ignore[union-attr]
            assert [flow.transport for flow in flows] == ["tls"]
        assert calls[0].remote == f"h323s:{hosts[0]}:{unit._settings.tls_port}"
        unit.on_call = Call.accept
        back = far.dial(calls[0].remote)
        await until(lambda: back.state is State.ACTIVE)
        calls[0].hang_up()
        await until(lambda: call.state is State.ENDED)

    asyncio.run(started(unit, far, then=main))


def test_by_tls_the_certificate_must_fit(ports: PortPool, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    unit, far = secured(ports, authority, own_address()), secured(ports, authority, own_address(), "other.example.com")

    async def main() -> None:
        host = far._settings.addresses[0]
        call = unit.dial(f"h323s:{host}:{far._settings.tls_port}")
        await until(lambda: call.state is State.ENDED)
        assert call.end_reason is EndReason.UNREACHABLE
        assert call.end_detail == f"its certificate is for other.example.com, not for {host}"

    asyncio.run(started(unit, far, then=main))


def test_without_tls_nothing_is_called_by_it(ports: PortPool) -> None:
    unit = endpoint(ports, own_address())

    async def main() -> None:
        call = unit.dial("h323s:127.0.0.1")
        await until(lambda: call.state is State.ENDED)
        assert "does not use tls" in call.end_detail

    asyncio.run(started(unit, then=main))


@pytest.mark.parametrize("way", ["tcp", "tls"])
def test_all_signalling_by_one_connection_to_the_gatekeeper(ports: PortPool, tmp_path: Path, way: str) -> None:
    """H.460.17: registration and calls both ways."""
    host, hosts = own_address(), (own_address(), own_address())
    authority = Authority(tmp_path)
    issued = authority.issue("localhost", host)
    tls = Tls(issued.certificate, issued.key, authority.certificate)
    gatekeeper = TunnelGatekeeper(host)
    gatekeeper.address = (host, free_port(host))
    named = at(gatekeeper.address)
    units = [
        endpoint(ports, each, gatekeeper=named, gatekeeper_transport=way, number=str(n)) for n, each in enumerate(hosts)
    ]
    for n, each in enumerate(units):
        each._gatekeeper._identity = replace(each._gatekeeper._identity, aliases=(("dialledDigits", str(n)),))
        each._make_transport = functools.partial(Driver, tls=tls)
    first, second = units

    async def main() -> None:
        driver = Driver(gatekeeper, lambda event: None, tls)
        await driver.listen(way, *gatekeeper.address)

        async def then() -> None:
            await until(lambda: len(gatekeeper.zone.endpoints) == 2)
            await until(lambda: all(each._gatekeeper.address for each in units))
            for calling, called, number in ((first, second, "1"), (second, first, "0")):
                calls = answering(called)
                call = calling.dial(number)
                await until(lambda call=call: len(call.channels) == 2 * len(Kind))
                call.hang_up()
                await until(lambda calls=calls: calls and calls[-1].state is State.ENDED)
            for each in units:
                flows = list(each._transport._connections._streams)  # type: ignore[union-attr]
                assert [flow.transport for flow in flows] == [way]

        await started(*units, then=then)
        await driver.stop()

    asyncio.run(main())
    assert gatekeeper.zone.faults == []
    assert gatekeeper.zone.names()[-1] == "unregistrationRequest"


def test_the_gatekeeper_and_the_unit_agree_on_tls(ports: PortPool, tmp_path: Path) -> None:
    """H.460.22: registered by UDP, calls of both go by TLS, where none of the addresses says so."""
    host, hosts = own_address(), (own_address(), own_address())
    authority = Authority(tmp_path)
    issued = authority.issue(host)
    gatekeeper = TunnelGatekeeper(host)
    ras, secure = free_ports(2, host)
    gatekeeper.zone.address = (host, ras)
    gatekeeper.secure(secure)
    named = at(gatekeeper.zone.address)
    units = [
        secured(ports, authority, each, gatekeeper=named, ras_port=free_port(each), number=str(n))
        for n, each in enumerate(hosts)
    ]
    for n, each in enumerate(units):
        each._gatekeeper._identity = replace(each._gatekeeper._identity, aliases=(("dialledDigits", str(n)),))
    first, second = units

    async def main() -> None:
        driver = Driver(gatekeeper, lambda event: None, Tls(issued.certificate, issued.key, authority.certificate))
        await driver.listen("udp", host, ras)
        await driver.listen("tls", host, secure)

        async def then() -> None:
            await until(lambda: all(each._gatekeeper.address for each in units))
            calls = answering(second)
            call = first.dial("1")
            await until(lambda: len(call.channels) == 2 * len(Kind))
            for each in units:
                flows = list(each._transport._connections._streams)  # type: ignore[union-attr]
                assert [flow.transport for flow in flows] == ["tls"]
            call.hang_up()
            await until(lambda: calls[0].state is State.ENDED)

        await started(*units, then=then)
        await driver.stop()

    asyncio.run(main())
