"""What endpoints have in common; their calls and stopping are tried with each protocol."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import h323_exchange
import pytest
import sip_exchange

from firmware.call.call import Call, EndReason, State
from firmware.call.callers import Callers
from firmware.errors import CallError, FirmwareError
from firmware.signaling import endpoint
from firmware.signaling.endpoint import MAX_NAME, BaseEndpoint, reachable, readable_name


class Nowhere:
    """Sockets on a machine without the addresses wanted."""

    listeners: tuple[tuple[str, tuple[str, int]], ...] = ()

    def __init__(self) -> None:
        self.wanted: list[tuple[str, str, int]] = []
        self.stopped = False

    async def listen(self, transport: str, host: str, port: int) -> None:
        self.wanted.append((transport, host, port))

    async def stop(self) -> None:
        self.stopped = True


class Leg:
    """A leg that does what it is told at once."""

    call: Call

    def release(self, reason: EndReason) -> None:
        self.call.released(reason)

    def fail(self, reason: EndReason, detail: str) -> None:
        self.call.released(reason, detail)

    def abandon(self) -> None:
        pass


class Endpoint(BaseEndpoint[Leg]):  # type: ignore[type-var]
    name = "Carrier pigeon"


def test_an_endpoint_that_listens_nowhere_does_not_start() -> None:
    transport = Nowhere()
    unit = Endpoint()
    with pytest.raises(FirmwareError, match="Carrier pigeon: this machine has none"):
        asyncio.run(unit._listen(transport, [("udp", "192.0.2.1", 1)]))  # type: ignore[arg-type]
    assert transport.wanted == [("udp", "192.0.2.1", 1)]
    assert transport.stopped
    with pytest.raises(CallError, match="not started"):
        unit._require_transport()


def test_a_search_that_leads_to_another_is_not_taken_for_it() -> None:
    """Stopping must find the one that is under way."""

    async def main() -> None:
        unit, leg = Endpoint(), Leg()
        answered = asyncio.Event()

        async def find(host: str) -> list[str]:
            if host == "elsewhere":
                await answered.wait()
            return [host]

        unit._begin(leg, State.DIALING, "somebody")  # type: ignore[arg-type]
        found: list[str] = []

        def then(hosts: list[str]) -> None:
            unit._search(leg, find("elsewhere"), found.extend)  # type: ignore[arg-type]

        unit._search(leg, find("here"), then)  # type: ignore[arg-type]
        first = unit._lookups[leg]  # type: ignore[index]
        await first
        await asyncio.sleep(0)
        assert unit._lookups[leg] is not first  # type: ignore[index]
        answered.set()
        await unit._lookups[leg]  # type: ignore[index]
        await asyncio.sleep(0)
        assert (found, unit._lookups) == (["elsewhere"], {})

    asyncio.run(main())


def test_nobody_takes_a_call_before_the_room_is_there() -> None:
    unit, leg = Endpoint(), Leg()
    call = unit._begin(leg, State.INCOMING, "somebody")  # type: ignore[arg-type]
    unit.on_call(call)
    assert (call.state, call.end_reason) == (State.ENDED, EndReason.REFUSED)


def test_names_are_shown_short_and_printable() -> None:
    assert readable_name(" Room\x07 1\n") == "Room 1"
    assert len(readable_name("x" * 1000)) == MAX_NAME


def test_a_wildcard_is_reached_at_a_real_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reachable("192.0.2.7") == "192.0.2.7"

    def no_way(remote: object) -> str:
        raise FirmwareError("no route")

    monkeypatch.setattr(endpoint, "source_address", lambda remote: "192.0.2.9")
    assert reachable("0.0.0.0") == "192.0.2.9"
    monkeypatch.setattr(endpoint, "source_address", no_way)
    assert reachable("::") is None


@pytest.mark.parametrize("exchange", [sip_exchange.Exchange, h323_exchange.Exchange], ids=["SIP", "H.323"])
@pytest.mark.parametrize(
    ("entries", "admitted"), [(("192.0.2.1",), True), (("192.0.2.9", "198.51.100.0/24", "bob@example.com"), False)]
)
def test_only_those_on_the_list_may_call(
    exchange: Callable[[str], Any], entries: tuple[str, ...], admitted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    zone = exchange("AB")
    zone["B"].endpoint._callers = Callers(entries)
    for _ in range(3):
        call = zone["A"].dial(zone["B"])
        zone.settle()
        assert (call.state is State.ACTIVE) is admitted
        call.hang_up()
        zone.settle()
    assert len(zone["B"].calls) == (3 if admitted else 0)
    assert admitted or call.end_reason is EndReason.REFUSED
    lines = [record for record in caplog.records if "allowed callers" in record.getMessage()]
    assert len(lines) == (0 if admitted else 1), "one line a minute"
    zone.check_clean()
