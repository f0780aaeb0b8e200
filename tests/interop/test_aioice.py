"""ICE against aioice, an agent that is not ours: either of us chooses, directly and by coturn's relay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import aioice
import aioice.ice
import pytest
from interop.coturn import Coturn
from interop.ice_end import IceEnd, until
from interop.ports import own_address

from firmware.call.ice import Candidate, CandidateType, Credentials
from firmware.ice.event import ConsentLost
from firmware.ice.turn_server import TurnServer


@pytest.fixture
def far_address(monkeypatch: pytest.MonkeyPatch) -> str:
    """Where aioice is: it leaves out the loopback by itself."""
    address = own_address()
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **_: [address])
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 1)
    return address


def theirs_to_ours(candidate: aioice.Candidate) -> Candidate:
    related = (candidate.related_address, candidate.related_port) if candidate.related_address else None
    address, kind = (candidate.host, candidate.port), CandidateType(candidate.type)
    return Candidate(candidate.foundation, candidate.component, candidate.priority, address, kind, related)  # type: ignore[arg-type]


def ours_to_theirs(candidate: Candidate) -> aioice.Candidate:
    host, port = candidate.address
    return aioice.Candidate(
        *(candidate.foundation, candidate.component, "udp", candidate.priority, host, port, candidate.type.value),
        *(candidate.related if candidate.related is not None else ()),
    )


async def connect(end: IceEnd, far: aioice.Connection, *, controlling: bool) -> None:
    """Let both look for a way."""
    await far.gather_candidates()
    far.remote_username, far.remote_password = end.credentials.fragment, end.credentials.password
    for candidate in end.gathering.candidates:
        await far.add_remote_candidate(ours_to_theirs(candidate))
    await far.add_remote_candidate(None)  # type: ignore[arg-type]
    remote = tuple(theirs_to_ours(each) for each in far.local_candidates)
    end.start(Credentials(far.local_username, far.local_password), remote, controlling=controlling)
    async with asyncio.timeout(20):
        await far.connect()


async def talk(end: IceEnd, far: aioice.Connection, components: int) -> None:
    await until(lambda: len(end.selected()) == components)
    for component in range(1, components + 1):
        end.heard.clear()
        end.say(b"\x80ours", component)
        await far.sendto(b"\x80theirs", component)
        assert await asyncio.wait_for(far.recvfrom(), 5) == (b"\x80ours", component)
        await until(lambda: bool(end.heard), 5.0)
        assert end.heard[0][:2] == (component, b"\x80theirs")


@pytest.mark.parametrize("components", [1, 2])
@pytest.mark.parametrize("controlling", [True, False])
def test_directly(far_address: str, controlling: bool, components: int) -> None:
    async def main() -> None:
        far = aioice.Connection(ice_controlling=not controlling, components=components, use_ipv6=False)
        async with IceEnd(own_address(), components) as end:
            await connect(end, far, controlling=controlling)
            await talk(end, far, components)
            assert end.agent is not None
            assert end.agent.controlling is controlling
            if components == 1:
                await asyncio.sleep(7)  # consent of both is asked for and given
                await talk(end, far, components)
            assert ConsentLost(1) not in end.events
            await far.close()

    asyncio.run(main())


@pytest.mark.parametrize("controlling", [True, False])
def test_role_conflict(far_address: str, controlling: bool) -> None:
    """Both think the same of who chooses; the tie-breakers settle it."""

    async def main() -> None:
        far = aioice.Connection(ice_controlling=controlling, components=1, use_ipv6=False)
        async with IceEnd(own_address()) as end:
            await connect(end, far, controlling=controlling)
            await talk(end, far, 1)
            assert end.agent is not None
            assert end.agent.controlling is not far.ice_controlling
            await far.close()

    asyncio.run(main())


@pytest.mark.parametrize("whose", ["ours", "theirs", "both"])
@pytest.mark.parametrize("controlling", [True, False])
def test_by_a_relay(
    far_address: str, program: Callable[[str], str], tmp_path: Path, controlling: bool, whose: str
) -> None:
    """Whose relay it is can reach the world by it only."""

    async def main(server: Coturn) -> None:
        far = aioice.Connection(ice_controlling=not controlling, components=1, use_ipv6=False)
        if whose != "ours":
            far = aioice.Connection(
                *(not controlling, 1, None, server.server, server.user, server.password),
                use_ipv6=False,
                transport_policy=aioice.TransportPolicy.RELAY,
            )
        user = TurnServer(server.server, server.user, server.password)
        async with IceEnd(own_address(), turn=user if whose != "theirs" else None) as end:
            if whose != "theirs":
                end.only = server.server
            await connect(end, far, controlling=controlling)
            await talk(end, far, 1)
            kinds = {end.selected()[1].local.type, end.selected()[1].remote.type}
            assert CandidateType.RELAYED in kinds
            await asyncio.sleep(2)
            await talk(end, far, 1)
            await far.close()

    with Coturn(program("turnserver"), tmp_path / "coturn") as server:
        asyncio.run(main(server))
