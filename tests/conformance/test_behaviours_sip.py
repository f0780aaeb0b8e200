"""All behaviours of far ends, by SIP: over UDP, TCP and TLS (SIPS), with the offer in INVITE and in the answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from behaviours import BEHAVIOURS, run
from parties import Bench, Party, accept, check_agreement, ended, settle
from wire import Wire
from wire_transport import MemoryPorts, WireTransport, complete

from firmware import config
from firmware.call.call import Call, EndReason, State
from firmware.call.media import Capabilities, Kind
from firmware.net.tls import Tls
from firmware.sansio import Action, Address, Send
from firmware.signaling.sip import SipEndpoint
from firmware.signaling.sip_media import NoCommonMediaError, SipMedia
from firmware.sip.user_agent import UserAgent

UNIT, FAR, OTHER = ("192.0.2.1", 5060), ("192.0.2.2", 5070), ("192.0.2.3", 5080)
NONSENSE = b"v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 224.2.2.2\r\nt=0 0\r\nm=audio 9 RTP/AVP 127\r\n"


class LyingMedia(SipMedia):
    """Says what can't be."""

    def offer(self, *, anew: bool = False) -> bytes:
        super().offer(anew=anew)
        return NONSENSE

    def answer(self, body: bytes) -> bytes:
        super().answer(body)
        return NONSENSE


class StubbornMedia(SipMedia):
    """Agrees once."""

    agreed = False

    def answer(self, body: bytes) -> bytes:
        if self.agreed:
            raise NoCommonMediaError("no changes")
        self.agreed = True
        return super().answer(body)


class SipBench:
    """A unit and a far end, both of ours."""

    def __init__(self, transport: str = "udp", delayed_offer: bool = False) -> None:
        self.wire = Wire()
        self.transport = transport
        self.agents: list[UserAgent] = []
        self.ports = MemoryPorts()
        self.unit, self.unit_endpoint = self.party(UNIT, delayed_offer)
        self.far, self.far_endpoint = self.party(FAR, delayed_offer)

    def party(self, address: tuple[str, int], delayed_offer: bool) -> tuple[Party, SipEndpoint]:
        def make(core: UserAgent, on_event: Callable[[object], None]) -> WireTransport:
            self.agents.append(core)
            return WireTransport(self.wire, address, core, on_event)

        endpoint = SipEndpoint(
            config.Sip(addresses=(address[0],), port=address[1], tls_port=address[1]),
            Capabilities(),
            self.ports,
            "A room",
            rng=random.Random(str(address)),
            tls=Tls(Path("unused"), Path("unused")) if self.transport == "tls" else None,
            make_transport=make,  # type: ignore[arg-type]
            delayed_offer=delayed_offer,
        )
        complete(endpoint.start())
        host = f"room@{address[0]}:{address[1]}"
        uri = f"sips:{host}" if self.transport == "tls" else f"sip:{host};transport={self.transport}"
        return Party(endpoint, uri), endpoint

    def far_end_forks(self) -> Party:
        """Give one more, that is called whenever the far end is, as a proxy before both would.

        It is all sound, and so by UDP.
        """
        other, endpoint = self.party(OTHER, delayed_offer=False)
        sound = Capabilities(codecs=Capabilities().of(Kind.AUDIO))
        for each in (self.unit_endpoint, self.far_endpoint, endpoint):
            each._capabilities = sound
        act = self.wire._act

        def fork(address: Address, action: Action) -> None:
            act(address, action)
            if (
                isinstance(action, Send)
                and action.flow.remote == FAR
                and action.data.startswith((b"INVITE", b"CANCEL"))
            ):
                act(address, replace(action, flow=replace(action.flow, remote=OTHER)))

        self.wire._act = fork  # type: ignore[method-assign]
        return other

    def far_end_can(self, capabilities: Capabilities) -> None:
        self.far_endpoint._capabilities = capabilities

    def far_end_lies(self) -> None:
        self._far_media(LyingMedia)

    def far_end_refuses_changes(self) -> None:
        for leg in self.far_endpoint._legs.values():
            assert leg._media is not None
            leg._media.__class__ = StubbornMedia
            StubbornMedia.agreed = True

    def far_end_dies(self) -> None:
        self.wire._queue.clear()
        self.wire._act = lambda address, action: None  # type: ignore[method-assign]

    def check_clean(self) -> None:
        assert self.ports.reserved == set()
        for agent in self.agents:
            assert agent.sizes["sessions"] == agent.sizes["dialogs"] == agent.sizes["transactions"] == 0

    def _far_media(self, kind: type[SipMedia]) -> None:
        endpoint = self.far_endpoint
        endpoint._make_media = lambda flow: kind(  # type: ignore[method-assign]
            endpoint._capabilities, endpoint._ports, flow.local[0], 1
        )


@pytest.mark.parametrize("delayed_offer", [False, True], ids=["early offer", "delayed offer"])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.__name__)
def test_behaviour(behaviour: Callable[[Bench], None], transport: str, delayed_offer: bool) -> None:
    run(behaviour, SipBench(transport, delayed_offer))


# Forks, which H.323 has not (RFC 3261 13.2.2.4, 16.7)


def end(bench: SipBench, *calls: Call) -> None:
    for call in calls:
        call.hang_up()
    settle(bench, 300.0)
    assert all(call.state is State.ENDED for call in calls)
    bench.check_clean()


def test_forks_and_both_ring() -> None:
    bench = SipBench()
    other = bench.far_end_forks()
    bench.far.when_called = other.when_called = Call.alert
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert bench.unit.states[ours] == [State.DIALING, State.ALERTING]
    other.call.accept()
    settle(bench)
    assert (ours.state, other.call.state) == (State.ACTIVE, State.ACTIVE)
    check_agreement(ours, other.call)
    # The proxy would cancel the first.
    bench.far.call.hang_up()
    end(bench, ours, other.call)


def test_forks_and_both_answer() -> None:
    bench = SipBench()
    other = bench.far_end_forks()
    bench.far.when_called = other.when_called = accept
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert bench.unit.states[ours] == [State.DIALING, State.ALERTING, State.ACTIVE]
    up, down = (party.call for party in (bench.far, other))
    if up.state is not State.ACTIVE:
        up, down = down, up
    assert up.state is State.ACTIVE
    assert ended(down, EndReason.HUNG_UP)
    check_agreement(ours, up)
    end(bench, ours, up)


def test_forks_and_one_is_busy() -> None:
    """A 486 from one branch reaches a caller only through a bad proxy; it is final (RFC 3261 17.1.1.2)."""
    bench = SipBench()
    other = bench.far_end_forks()
    bench.far.when_called = lambda call: call.hang_up(EndReason.BUSY)
    other.when_called = Call.alert
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert ended(ours, EndReason.BUSY)
    other.call.accept()
    end(bench, other.call)


def test_forks_and_we_give_up() -> None:
    bench = SipBench()
    other = bench.far_end_forks()
    bench.far.when_called = other.when_called = Call.alert
    ours = bench.unit.dial(bench.far)
    settle(bench)
    ours.hang_up()
    settle(bench)
    assert ended(bench.far.call, EndReason.CANCELLED)
    assert ended(other.call, EndReason.CANCELLED)
    end(bench, ours)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_never_acknowledges(transport: str) -> None:
    """The far end lives and hears, but no ACK of its comes: BYE after 64*T1 (RFC 3261 13.3.1.4)."""
    bench = SipBench(transport)
    bench.unit.when_called = accept
    act = bench.wire._act
    bench.wire._act = lambda address, action: (  # type: ignore[method-assign]
        None if isinstance(action, Send) and action.data.startswith(b"ACK") else act(address, action)
    )
    bench.far.dial(bench.unit)
    settle(bench, 30.0)
    assert bench.far.call.state is State.ACTIVE
    settle(bench, 5.0)
    assert ended(bench.unit.call, EndReason.LOST)
    assert bench.far.call.state is State.ENDED
    end(bench, bench.unit.call)
