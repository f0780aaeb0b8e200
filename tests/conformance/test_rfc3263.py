"""RFC 3263 4.3, failover, on the virtual clock: what makes a caller go to the next server, when, and what does not."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from names import KnownNames
from virtual_loop import run
from wire import Wire
from wire_transport import MemoryPorts, WireTransport, complete

from firmware import config
from firmware.call.call import Call, EndReason, State
from firmware.call.media import Capabilities
from firmware.net.dns import Srv
from firmware.sansio import Address
from firmware.signaling.sip import SipEndpoint
from firmware.sip import events
from firmware.sip.identity import Identity
from firmware.sip.user_agent import UserAgent

UNIT: Address = ("192.0.2.1", 5060)
SERVERS: dict[str, Address] = {name: (f"192.0.2.1{n}", 5060) for n, name in enumerate("abc")}
ANSWER = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
    b"m=video 0 RTP/AVP 96\r\n"
)
Behaviour = Callable[[events.Incoming, float], None]


def accepts(event: events.Incoming, now: float) -> None:
    event.session.accept(ANSWER, now)


def refuses(status: int) -> Behaviour:
    return lambda event, now: event.session.reject(status, now)


def rings(event: events.Incoming, now: float) -> None:
    event.session.ring(now)


def says_nothing(event: events.Incoming, now: float) -> None:
    """Its 100 Trying has left: it is there."""


@dataclass
class Zone:
    """A unit, and the servers of example.com at which it may call; those without a behaviour are not there."""

    behaviours: dict[str, Behaviour]
    transport: str = "udp"
    calls: list[str] = field(default_factory=list)
    """Who was called, in order."""

    def __post_init__(self) -> None:
        self.wire = Wire()
        self.ports = MemoryPorts()
        names = KnownNames(
            {f"{name}.example.com": [address[0]] for name, address in SERVERS.items()},
            {
                f"_sip._{self.transport}.example.com": [
                    Srv(number, 1, 5060, f"{name}.example.com") for number, name in enumerate(SERVERS)
                ]
            },
        )
        self.unit = SipEndpoint(
            config.Sip(addresses=(UNIT[0],), transports=("udp", "tcp")),
            Capabilities(),
            self.ports,
            rng=random.Random(1),
            names=names,
            make_transport=lambda core, on_event: WireTransport(self.wire, UNIT, core, on_event),
        )
        complete(self.unit.start())
        for name in self.behaviours:
            self._attach(name)

    def _attach(self, name: str) -> None:
        agent = UserAgent(Identity(name), random.Random(name))

        def take(event: Any) -> None:
            if isinstance(event, events.Incoming):
                self.calls.append(name)
                self.behaviours[name](event, self.wire.now)

        self.wire.attach(SERVERS[name], agent, take)

    def dial(self) -> Call:
        async def main() -> Call:
            call = self.unit.dial("sip:room@example.com")
            while self.unit._lookups:
                await next(iter(self.unit._lookups.values()))
            return call

        return run(main())

    def invites(self) -> list[tuple[float, str]]:
        """When an INVITE began to be sent to whom, retransmissions left out."""
        seen: dict[bytes, tuple[float, str]] = {}
        for at, flow, data in self.wire.sent:
            if data.startswith(b"INVITE"):
                branch = data.partition(b"branch=")[2].partition(b"\r\n")[0].partition(b";")[0]
                name = next(name for name, address in SERVERS.items() if address == flow.remote)
                seen.setdefault(branch, (at, name))
        return list(seen.values())


def test_a_server_that_says_503_is_passed_over_at_once() -> None:
    zone = Zone({"a": refuses(503), "b": refuses(503), "c": accepts})
    call = zone.dial()
    zone.wire.pass_time(1.0)
    assert zone.calls == ["a", "b", "c"]
    assert call.state is State.ACTIVE


def test_a_silent_server_is_passed_over_when_timer_b_fires() -> None:
    """64*T1 without any response, neither provisional nor final."""
    zone = Zone({"b": accepts})
    call = zone.dial()
    zone.wire.pass_time(31.9)
    assert [name for _, name in zone.invites()] == ["a"]
    zone.wire.pass_time(1.0)
    [(_, first), (when, second)] = zone.invites()
    assert (first, second) == ("a", "b")
    assert when == pytest.approx(32.0)
    assert call.state is State.ACTIVE


def test_a_connection_that_is_refused_is_passed_over_at_once() -> None:
    zone = Zone({"c": accepts}, transport="tcp")
    call = zone.dial()
    zone.wire.pass_time(1.0)
    assert zone.calls == ["c"]
    assert call.state is State.ACTIVE


@pytest.mark.parametrize("status", [404, 408, 480, 486, 500, 600])
def test_any_other_answer_is_the_domains_answer(status: int) -> None:
    """Also a 408 that somebody sends is an answer: only our own time-out is none."""
    zone = Zone({"a": refuses(status), "b": accepts})
    call = zone.dial()
    zone.wire.pass_time(40.0)
    assert zone.calls == ["a"]
    assert call.state is State.ENDED
    assert call.end_detail.startswith(str(status))


def test_one_that_is_there_but_does_not_answer_is_waited_for() -> None:
    """A provisional response ends Timer B: whoever gave it may still ring."""
    zone = Zone({"a": says_nothing, "b": accepts})
    call = zone.dial()
    zone.wire.pass_time(60.0)
    assert zone.calls == ["a"]
    assert call.state is State.DIALING


def test_where_it_rings_another_server_would_be_another_telephone() -> None:
    def rings_and_refuses(event: events.Incoming, now: float) -> None:
        event.session.ring(now)
        event.session.reject(503, now)

    zone = Zone({"a": rings_and_refuses, "b": accepts})
    call = zone.dial()
    zone.wire.pass_time(40.0)
    assert zone.calls == ["a"]
    assert (call.state, call.end_reason) == (State.ENDED, EndReason.UNREACHABLE)


def test_the_next_call_does_not_wait_for_the_silent_server_again() -> None:
    zone = Zone({"b": accepts})
    zone.dial()
    zone.wire.pass_time(33.0)
    assert zone.calls == ["b"]
    second = zone.dial()
    zone.wire.pass_time(1.0)
    assert zone.calls == ["b", "b"]
    assert second.state is State.ACTIVE
    zone.wire.pass_time(300.0)
    zone.dial()
    zone.wire.pass_time(1.0)
    assert [name for _, name in zone.invites()][-1] == "a", "it may be back"


def test_when_all_have_failed_the_last_one_says_why() -> None:
    zone = Zone({"a": refuses(503), "b": refuses(503), "c": refuses(503)})
    call = zone.dial()
    zone.wire.pass_time(1.0)
    assert zone.calls == ["a", "b", "c"]
    assert call.state is State.ENDED
    assert call.end_detail == "503 Service Unavailable"
    assert zone.ports.reserved == set(), "every attempt gave its ports back"


def test_who_hangs_up_meanwhile_calls_nobody_else() -> None:
    zone = Zone({"b": accepts})
    call = zone.dial()
    zone.wire.pass_time(10.0)
    call.hang_up()
    zone.wire.pass_time(60.0)
    assert zone.calls == []
    assert [name for _, name in zone.invites()] == ["a"]
    assert call.state is State.ENDED
    assert zone.ports.reserved == set()


def test_each_attempt_is_a_transaction_of_its_own() -> None:
    """RFC 3263 4.3: "The client constructs a new request ... but with a different value of the branch ID"."""
    zone = Zone({"a": refuses(503), "b": refuses(503), "c": accepts})
    zone.dial()
    zone.wire.pass_time(1.0)
    assert [name for _, name in zone.invites()] == ["a", "b", "c"]
