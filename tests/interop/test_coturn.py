"""STUN and TURN against coturn: addresses, allocations, permissions, channels, nonces that go stale."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from interop.coturn import Coturn
from interop.ice_end import IceEnd, until
from interop.ports import own_address

from firmware.call.ice import Candidate, CandidateType
from firmware.ice.event import ConsentLost
from firmware.ice.turn_server import TurnServer

Start = Callable[..., Coturn]


@pytest.fixture
def coturn(program: Callable[[str], str], tmp_path: Path) -> Iterator[Start]:
    """Start a coturn; keywords are those of `Coturn`.  It ends with the test."""
    path = program("turnserver")
    with ExitStack() as running:
        count = 0

        def start(**settings: object) -> Coturn:
            nonlocal count
            count += 1
            return running.enter_context(Coturn(path, tmp_path / f"coturn-{count}", **settings))  # type: ignore[arg-type]

        yield start


def turn(server: Coturn, password: str = "") -> TurnServer:
    return TurnServer(server.server, server.user, password or server.password)


def relayed(end: IceEnd) -> tuple[Candidate, ...]:
    return tuple(each for each in end.gathering.candidates if each.type is CandidateType.RELAYED)


def connect(one: IceEnd, other: IceEnd) -> None:
    """Let each know of nothing but the other's relays."""
    one.start(other.credentials, relayed(other), controlling=True)
    other.start(one.credentials, relayed(one), controlling=False)


async def talk(one: IceEnd, other: IceEnd, component: int = 1) -> None:
    one.heard.clear()
    other.heard.clear()
    one.say(b"\x80one", component)
    other.say(b"\x80other", component)
    await until(lambda: bool(one.heard and other.heard), 5.0)
    assert [(each, data) for each, data, _ in one.heard] == [(component, b"\x80other")]
    assert [(each, data) for each, data, _ in other.heard] == [(component, b"\x80one")]


def test_binding(coturn: Start) -> None:
    """On one machine there is no NAT, so that what it sees is what we have; asked from elsewhere it is news."""
    server = coturn()

    async def main() -> None:
        async with IceEnd(own_address(), stun=[server.server]) as end:
            assert [each.type for each in end.gathering.candidates] == [CandidateType.HOST]
            assert end.gathering.failures == ()

    asyncio.run(main())


def test_allocations_of_two_components_are_given_back(coturn: Start) -> None:
    server = coturn()

    async def main() -> None:
        async with IceEnd(own_address(), 2, turn=turn(server)) as end:
            assert [(each.component, each.address[0]) for each in relayed(end)] == [
                (1, server.address),
                (2, server.address),
            ]
            assert [each.realm for each in end.gathering.allocations] == ["example.com"] * 2
        await until(lambda: server.granted("REFRESH") == 2)

    asyncio.run(main())
    assert server.granted("ALLOCATE") == 2
    assert server.log().count("lifetime=0") >= 2


def test_a_wrong_password(coturn: Start) -> None:
    server = coturn()

    async def main() -> None:
        async with IceEnd(own_address(), turn=turn(server, "wrong")) as end:
            [failure] = end.gathering.failures
            assert "password" in failure
            assert end.gathering.allocations == ()

    asyncio.run(main())


def test_a_quota(coturn: Start) -> None:
    server = coturn(arguments=("--user-quota=1",))

    async def main() -> None:
        async with IceEnd(own_address(), turn=turn(server)), IceEnd(own_address(), turn=turn(server)) as second:
            [failure] = second.gathering.failures
            assert "as many allocations" in failure

    asyncio.run(main())


def test_a_server_that_sends_us_to_another(coturn: Start) -> None:
    second = coturn()
    first = coturn(arguments=(f"--alternate-server={second.address}:3478",))

    async def main() -> None:
        async with IceEnd(own_address(), turn=turn(first)) as end:
            [allocation] = end.gathering.allocations
            assert allocation.server == second.server

    asyncio.run(main())


def test_from_relay_to_relay_by_channels(coturn: Start) -> None:
    server = coturn()

    async def main() -> None:
        async with (
            IceEnd(own_address(), 2, turn=turn(server)) as one,
            IceEnd(own_address(), 2, turn=turn(server)) as other,
        ):
            one_relays = tuple(each for each in one.gathering.candidates if each.type is CandidateType.RELAYED)
            other_relays = tuple(each for each in other.gathering.candidates if each.type is CandidateType.RELAYED)
            one.start(other.credentials, other_relays, controlling=True)
            other.start(one.credentials, one_relays, controlling=False)
            await until(lambda: len(one.selected()) == len(other.selected()) == 2)
            for component in (1, 2):
                await talk(one, other, component)
                kinds = {end.selected()[component].remote.type for end in (one, other)}
                assert CandidateType.RELAYED in kinds
            await until(lambda: server.granted("CHANNEL_BIND") >= 2)
            for component in (1, 2):
                await talk(one, other, component)

    asyncio.run(main())
    assert server.granted("CREATE_PERMISSION") >= 2


def test_stale_nonces(coturn: Start) -> None:
    """Nonces live for two seconds: the permission asked for later, and the end of it all, need a new one each."""
    server = coturn(arguments=("--stale-nonce=2",))

    async def main() -> None:
        async with IceEnd(own_address(), turn=turn(server)) as one, IceEnd(own_address(), turn=turn(server)) as other:
            await asyncio.sleep(3)
            connect(one, other)
            await until(lambda: bool(one.selected() and other.selected()))
            await talk(one, other)
        await until(lambda: "438" in server.log() or "stale" in server.log().lower(), 5.0)

    asyncio.run(main())
    assert server.granted("CREATE_PERMISSION") >= 1


def test_somebody_else_goes_on_with_the_allocation(coturn: Start) -> None:
    """A second agent takes the place of the first, with its allocations and its channel."""
    server = coturn()

    async def main() -> None:
        async with IceEnd(own_address(), turn=turn(server)) as one, IceEnd(own_address(), turn=turn(server)) as other:
            connect(one, other)
            await until(lambda: bool(one.selected() and other.selected()))
            await until(lambda: server.granted("CHANNEL_BIND") >= 1)
            before = one.agent
            one.start(other.credentials, relayed(other), controlling=True)
            assert one.agent is not before
            one.events.clear()
            await until(lambda: bool(one.selected()))
            await talk(one, other)
            assert ConsentLost(1) not in one.events + other.events

    asyncio.run(main())
