"""Offers and answers that wait until it is known where we can be reached; those that don't are in test_sip_leg."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from gatherers import MemoryGatherers
from parties import ALL, Party, accept, directions
from wire import Wire
from wire_transport import MemoryPorts, WireTransport, complete

from firmware import config
from firmware.call.call import Call, EndReason, State
from firmware.call.ice import Candidate, CandidateType, Selected
from firmware.call.media import Capabilities, Kind
from firmware.errors import CallError, FirmwareError
from firmware.sdp import ice
from firmware.sdp.ice import IceDescription
from firmware.sdp.session import MediaDescription, SessionDescription
from firmware.signaling.sip import SipEndpoint
from firmware.signaling.sip_media import SipMedia
from firmware.sip.user_agent import UserAgent


class Bench:
    """A unit with ICE and a far end, which has it too unless *plain*."""

    def __init__(self, *, at_once: bool = False, plain: bool = False, delayed_offer: bool = False) -> None:
        self.wire = Wire()
        self.ports = MemoryPorts()
        self.gatherers, self.theirs = MemoryGatherers(at_once=at_once), MemoryGatherers()
        self.unit = self._party(("10.0.0.1", 5060), self.gatherers, delayed_offer=delayed_offer)
        self.far = self._party(("10.0.0.2", 5060), None if plain else self.theirs)
        self.far.when_called = accept

    def _party(self, address: tuple[str, int], gather: MemoryGatherers | None, *, delayed_offer: bool = False) -> Party:
        def make(core: UserAgent, on_event: Callable[[object], None]) -> WireTransport:
            return WireTransport(self.wire, address, core, on_event)

        endpoint = SipEndpoint(
            config.Sip(addresses=(address[0],), port=address[1]),
            Capabilities(),
            self.ports,
            rng=random.Random(str(address)),
            make_transport=make,  # type: ignore[arg-type]
            delayed_offer=delayed_offer,
            gather=gather,
        )
        complete(endpoint.start())
        return Party(endpoint, f"sip:room@{address[0]};transport=tcp")

    def settle(self, seconds: float = 1.0) -> None:
        self.wire.pass_time(seconds)

    def call(self) -> tuple[Call, Call]:
        call = self.unit.dial(self.far)
        self.settle()
        self.gatherers.answer()
        self.settle()
        return call, self.far.call

    def sent(self, start: bytes) -> int:
        return sum(data.startswith(start) for _, flow, data in self.wire.sent if flow.local[0] == "10.0.0.1")

    def check_clean(self) -> None:
        self.settle(100)
        assert self.ports.reserved == set()
        assert "gathers" not in self.gatherers.states | self.theirs.states


def agrees(call: Call) -> bool:
    return bool(call.channels) and all(channel.ice is not None for channel in call.channels)


def test_a_call_is_made_once_it_is_known_where_we_are() -> None:
    bench = Bench()
    call = bench.unit.dial(bench.far)
    bench.settle()
    assert (call.state, bench.sent(b"INVITE"), bench.far.calls) == (State.DIALING, 0, [])
    bench.gatherers.answer()
    bench.settle()
    assert call.state is bench.far.call.state is State.ACTIVE
    assert directions(call) == ALL
    assert agrees(call)
    assert agrees(bench.far.call)
    ours, theirs = (each.channels[0].ice for each in (call, bench.far.call))
    assert ours is not None
    assert theirs is not None
    assert (ours.controlling, theirs.controlling) == (True, False)
    assert (ours.ours, ours.theirs) == (theirs.theirs, theirs.ours)
    call.hang_up()
    bench.check_clean()


def test_who_gives_up_before_that_leaves_nothing() -> None:
    bench = Bench()
    call = bench.unit.dial(bench.far)
    call.hang_up()
    assert call.state is State.ENDED
    assert bench.gatherers.states == {"closed"}
    bench.gatherers.answer()
    bench.settle()
    assert bench.sent(b"INVITE") == 0
    bench.check_clean()


def test_a_call_is_answered_once_it_is_known() -> None:
    bench = Bench()
    bench.unit.when_called = accept
    call = bench.far.dial(bench.unit)
    bench.settle()
    assert (call.state, bench.unit.call.state) == (State.ALERTING, State.CONNECTING)
    bench.gatherers.answer()
    bench.settle()
    assert call.state is bench.unit.call.state is State.ACTIVE
    assert agrees(bench.unit.call)
    bench.unit.call.hang_up()
    bench.check_clean()


def test_what_is_needed_is_found_out_while_it_rings() -> None:
    bench = Bench()
    bench.unit.when_called = lambda call: call.alert()
    bench.far.dial(bench.unit)
    bench.settle()
    assert len(bench.gatherers.made) == 2
    bench.gatherers.answer()
    bench.settle(60)
    assert bench.gatherers.states == {"gathers"}  # that is, they keep what was found
    bench.unit.call.accept()
    bench.settle()
    assert bench.unit.call.state is State.ACTIVE
    assert bench.gatherers.states == {"handed over"}


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_a_call_that_ends_while_it_is_answered(who: str) -> None:
    bench = Bench()
    bench.unit.when_called = accept
    call = bench.far.dial(bench.unit)
    bench.settle()
    (call if who == "caller" else bench.unit.call).hang_up()
    bench.settle()
    assert call.state is bench.unit.call.state is State.ENDED
    assert bench.gatherers.states == {"closed"}
    bench.gatherers.answer()
    bench.check_clean()


def test_a_caller_without_an_offer_gets_ours_later() -> None:
    bench = Bench(delayed_offer=True)
    bench.far.when_called = accept
    call = bench.unit.dial(bench.far)
    bench.settle()
    # Theirs came in 200; the answer that goes with ACK waits.
    assert bench.sent(b"ACK") == 0
    bench.gatherers.answer()
    bench.settle()
    assert call.state is bench.far.call.state is State.ACTIVE
    assert agrees(call)
    ice = call.channels[0].ice
    assert ice is not None
    assert not ice.controlling


def test_a_far_end_without_ice_notices_nothing() -> None:
    bench = Bench(plain=True)
    call, far = bench.call()
    assert directions(call) == directions(far) == ALL
    assert not agrees(call)
    assert bench.gatherers.states == {"closed"}
    call.hold(True)
    bench.settle()
    call.hold(False)
    bench.settle()
    assert directions(call) == ALL
    call.hang_up()
    bench.check_clean()


def test_an_offer_without_ice_is_answered_at_once() -> None:
    bench = Bench(plain=True)
    bench.unit.when_called = accept
    call = bench.far.dial(bench.unit)
    bench.settle()
    assert call.state is State.ACTIVE
    assert bench.gatherers.made == {}


def test_hold_and_back_keep_the_way() -> None:
    bench = Bench()
    call, far = bench.call()
    before = {channel.ice for channel in call.channels}
    call.hold(True)
    bench.settle()
    assert {channel.direction.value for channel in call.channels} == {"neither"}
    assert {channel.direction.value for channel in far.channels} == {"receive"}
    assert {channel.ice for channel in call.channels} == before
    assert not call.encrypted
    call.hold(False)
    bench.settle()
    assert directions(call) == directions(far) == ALL
    assert {channel.ice for channel in call.channels} == before
    call.hang_up()
    bench.check_clean()


def find(call: Call, kind: Kind) -> tuple[Selected, ...]:
    """Choose the relay of the unit and the address that the far end has in its house."""
    channel = next(channel for channel in call.channels if channel.kind is kind)
    ice = channel.ice
    assert ice is not None
    mux = {each.component for each in ice.remote} == {1}
    found = []
    for component in (1,) if mux else (1, 2):
        local = next(c for c in ice.local if (c.component, c.type) == (component, CandidateType.RELAYED))
        remote: Candidate = next(c for c in ice.remote if (c.component, c.type) == (component, CandidateType.HOST))
        found.append(Selected(component, local, remote))
    call.way_found(channel.local, tuple(found))
    return tuple(found)


def be_of_rfc_5245(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let far ends not say that they keep to RFC 8445: they have to be told what was chosen (RFC 8839 4.3.4)."""
    read = ice.read

    def read_old(session: SessionDescription, media: MediaDescription) -> IceDescription | None:
        found = read(session, media)
        return replace(found, ice2=False) if found is not None else None

    monkeypatch.setattr(ice, "read", read_old)


def test_who_keeps_to_rfc_8445_need_not_be_told() -> None:
    bench = Bench()
    call, _ = bench.call()
    for kind in Kind:
        find(call, kind)
    bench.settle()
    assert bench.sent(b"INVITE") == 1


def test_who_chooses_offers_what_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    be_of_rfc_5245(monkeypatch)
    bench = Bench()
    call, far = bench.call()
    before = {channel.ice for channel in far.channels}
    assert bench.sent(b"INVITE") == 1
    find(call, Kind.AUDIO)
    bench.settle()
    assert bench.sent(b"INVITE") == 1  # the picture has found nothing yet
    chosen = find(call, Kind.VIDEO)
    bench.settle()
    assert bench.sent(b"INVITE") == 2
    assert {channel.ice for channel in far.channels} == before
    assert chosen[0].local.address in {channel.remote for channel in far.channels}
    assert (call.state, far.state) == (State.ACTIVE, State.ACTIVE)
    find(call, Kind.VIDEO)
    bench.settle()
    assert bench.sent(b"INVITE") == 2


def test_who_does_not_choose_offers_nothing() -> None:
    bench = Bench()
    _, far = bench.call()
    sent = len(bench.wire.sent)
    for kind in Kind:
        find(far, kind)
    bench.settle()
    assert len(bench.wire.sent) == sent


def test_what_is_found_in_the_middle_of_another_offer_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    be_of_rfc_5245(monkeypatch)
    bench = Bench()
    call, _ = bench.call()
    call.hold(True)
    for channel, kind in ((channel, channel.kind) for channel in call.channels):
        assert channel.ice is not None
        find(call, kind)
    bench.settle(5)
    assert bench.sent(b"INVITE") == 3
    assert call.state is State.ACTIVE
    assert call.held


def test_who_chooses_ends_what_finds_no_way() -> None:
    bench = Bench()
    call, far = bench.call()
    far.go_on_without(Kind.VIDEO)  # it is not for him to do
    bench.settle()
    assert directions(call) == directions(far) == ALL
    call.go_on_without(Kind.VIDEO)
    bench.settle()
    for each in (call, far):
        assert {channel.kind for channel in each.channels} == {Kind.AUDIO}
        assert agrees(each)
    call.hold(True)
    bench.settle()
    call.hold(False)
    bench.settle()
    assert {channel.kind for channel in far.channels} == {Kind.AUDIO}
    call.hang_up()
    bench.check_clean()


def test_a_call_without_ports_fails_at_once() -> None:
    bench = Bench()
    bench.ports._count = 1
    call = bench.unit.dial(bench.far)
    bench.settle()
    assert (call.state, call.end_reason) == (State.ENDED, EndReason.LOCAL_ERROR)
    bench.check_clean()


def test_what_ends_is_told_nothing() -> None:
    bench = Bench()
    call, _ = bench.call()
    local = call.channels[0].local
    call.hang_up()
    bench.settle()
    call.way_found(local, ())
    bench.check_clean()


# Restarts of ours


def in_a_call() -> tuple[Bench, Call, Call]:
    bench = Bench()
    call, far = bench.call()
    bench.gatherers.at_once = True
    return bench, call, far


def fragments(call: Call) -> set[tuple[str, str]]:
    return {(each.ice.ours.fragment, each.ice.theirs.fragment) for each in call.channels if each.ice is not None}


def assert_found_again(call: Call, far: Call, before: tuple[set[tuple[str, str]], set[tuple[str, str]]]) -> None:
    now = fragments(call), fragments(far)
    assert len(now[0]) == len(now[1]) == 2
    assert {pair[::-1] for pair in now[0]} == now[1]
    assert not now[0] & before[0]
    assert call.state is far.state is State.ACTIVE


@pytest.mark.parametrize("who", ["caller", "callee", "both"])
def test_a_way_that_is_lost_is_looked_for_again(who: str) -> None:
    bench, call, far = in_a_call()
    before = fragments(call), fragments(far)
    ports = bench.ports.reserved.copy()
    for each in {"caller": (call,), "callee": (far,), "both": (call, far)}[who]:
        each.find_way_again()
        each.find_way_again()
    bench.settle(10)
    assert_found_again(call, far, before)
    assert len(bench.ports.reserved) == 4
    assert bench.ports.reserved - ports
    bench.settle(100)
    assert bench.sent(b"INVITE") <= 2 + (who == "both") * 2
    call.hang_up()
    bench.check_clean()


def test_a_restart_waits_until_it_is_known_where_we_are() -> None:
    bench, call, far = in_a_call()
    bench.gatherers.at_once = False
    before = fragments(call), fragments(far)
    call.find_way_again()
    bench.settle()
    assert bench.sent(b"INVITE") == 1
    assert fragments(call) == before[0], "what is agreed stays until something else is"
    bench.gatherers.answer()
    bench.settle()
    assert_found_again(call, far, before)


def test_what_is_looked_for_in_vain_is_given_up() -> None:
    bench, call, _ = in_a_call()
    for _ in range(5):
        call.find_way_again()
        bench.settle(10)
    assert bench.sent(b"INVITE") == 3


def test_a_restart_that_was_refused_is_offered_again_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, call, far = in_a_call()
    before = fragments(call), fragments(far)

    def no_ports(*_: object) -> None:
        raise CallError("no ports are free")

    with monkeypatch.context() as patch:
        patch.setattr(SipMedia, "answer", no_ports)
        call.find_way_again()
        bench.settle(5)
    assert fragments(call) == before[0]
    call.find_way_again()
    bench.settle(5)
    assert_found_again(call, far, before)
    assert bench.sent(b"INVITE") == 3


def move(bench: Bench, host: str) -> None:
    """Give the unit another address."""
    transport = bench.unit.endpoint._transport
    assert isinstance(transport, WireTransport)
    moved = (host, 5060)
    transport.wire.attach(transport.address, transport.core, transport._event, also=[moved])
    transport.listeners = tuple((way, moved) for way, _ in transport.listeners)
    transport.address = moved


@pytest.mark.parametrize("told", [False, True])
def test_who_has_another_address_says_so(told: bool) -> None:
    bench, call, far = in_a_call()
    before = fragments(call), fragments(far)
    bench.unit.endpoint.network_changed()
    bench.settle()
    assert fragments(call) == before[0], "it is where it was"
    move(bench, "10.0.0.7")
    if told:
        bench.unit.endpoint.network_changed()
    else:
        call.find_way_again()
    bench.settle(10)
    assert_found_again(call, far, before)
    assert {channel.local[0] for channel in call.channels} == {"10.0.0.7"}
    far.hang_up()
    bench.settle(10)
    assert call.state is far.state is State.ENDED, "his requests find us there"


def test_where_no_route_is_nothing_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, call, far = in_a_call()

    def no_route(*_: object) -> None:
        raise FirmwareError("no way to it")

    with monkeypatch.context() as patch:
        patch.setattr(WireTransport, "local_flow", no_route)
        call.find_way_again()
        bench.settle()
    assert bench.sent(b"INVITE") == 1
    before = fragments(call), fragments(far)
    call.find_way_again()
    bench.settle()
    assert_found_again(call, far, before)


def test_a_far_end_without_ice_is_asked_for_no_other_way() -> None:
    bench = Bench(at_once=True, plain=True)
    call, _ = bench.call()
    call.find_way_again()
    bench.settle()
    assert bench.sent(b"INVITE") == 1
