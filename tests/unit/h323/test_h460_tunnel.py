"""One connection to a gatekeeper, seen from inside of a terminal."""

from __future__ import annotations

import random
from typing import Any

import pytest
from h323_bench import FAR, UNIT, TunnelBench
from parties import accept, ended, established

from firmware.call.call import Call, EndReason, State
from firmware.h323 import q931, tpkt, user_information
from firmware.h323.call_message import CallMessages
from firmware.h323.h460_tunnel import KEEP_ALIVE
from firmware.h323.identity import Destination, Identity
from firmware.h323.q931 import Message, MessageType
from firmware.h323.ras import RasClient
from firmware.h323.ras_event import Registered, Unregistered
from firmware.h323.ras_settings import Settings
from firmware.h323.streams import MAX_MALFORMED
from firmware.h323.terminal import Terminal
from firmware.sansio import Flow


class Bench(TunnelBench):
    def _register(self) -> None:
        super()._register()
        self.settle(15)  # one that breaks at once would not be called at once

    @property
    def terminal(self) -> Terminal:
        return self.terminals[0]

    @property
    def flow(self) -> Flow:
        """The unit's connection, as the gatekeeper sees it."""
        return next(flow for flow in self.gatekeeper.flows if flow.remote[0] == UNIT[0])

    @property
    def tunnel(self) -> Any:
        return self.terminal._layers.tunnels.current

    def settle(self, seconds: float = 1.0) -> None:
        self.wire.pass_time(seconds)

    def hear(self, message_type: int, reference: int = 0, *, answer: bool = False, **more: Any) -> None:
        """Let the gatekeeper say a message of a call."""
        self.gatekeeper.say(self.flow, Message(message_type, reference, answer, **more))
        self.settle()

    def said(self) -> list[Message]:
        """What the unit said of calls since it was asked last, by the tunnel."""
        said = [m for flow, m in self.gatekeeper.messages if flow.remote[0] == UNIT[0] and m.call_reference]
        self.gatekeeper.messages.clear()
        return said


def setup_message(reference: int) -> Message:
    identity = Identity((("h323-ID", "Gast"),))
    messages = CallMessages(identity, reference, bytes(15) + bytes([reference % 256]), outgoing=True)
    body, elements = messages.setup(Flow("tcp", ("192.0.2.100", 1720), UNIT), Destination(), bytes(16))
    return q931.decode(messages.encode(MessageType.SETUP, body, elements=elements, tunnelling=True))


# Calls


def test_all_goes_by_one_connection() -> None:
    bench = Bench()
    ours, theirs = established(bench)
    assert {flow.transport for _, flow, _ in bench.wire.sent} == {"tcp"}
    assert {flow.remote[0] for _, flow, _ in bench.wire.sent} >= {"192.0.2.100"}
    assert not [1 for _, flow, _ in bench.wire.sent if {flow.local, flow.remote} == {UNIT, FAR}]
    assert len(bench.gatekeeper.flows) == 2
    ours.hang_up()
    bench.settle()
    assert ended(theirs, EndReason.HUNG_UP)
    assert len(bench.gatekeeper.flows) == 2, "it outlives its calls"


def test_messages_say_that_the_connection_is_shared() -> None:
    bench = Bench()
    established(bench)
    setup = next(m for m in bench.said() if m.type == MessageType.SETUP)
    body = user_information.decode(setup.user_information).body
    assert body["multipleCalls"] is True
    assert body["maintainConnection"] is True


def test_a_call_by_tls_is_not_made_by_a_tunnel_in_the_clear() -> None:
    bench = Bench()
    bench.unit.endpoint.dial("h323s:192.0.2.2")
    bench.settle()
    opened = [flow for _, flow, _ in bench.wire.sent if flow.transport == "tls"]
    assert opened
    assert bench.tunnel.calls == []


def test_calls_have_references_of_their_own() -> None:
    bench = Bench()
    terminal, tunnel = bench.terminal, bench.tunnel
    numbers = iter([7, 7, 7, 8])
    terminal._layers.call_reference = lambda: next(numbers)  # type: ignore[method-assign]
    bench.far.when_called = accept
    first, second = bench.unit.endpoint.dial("h323:102"), bench.unit.endpoint.dial("h323:102")
    bench.settle()
    assert first.state is second.state is State.ACTIVE
    assert {session.call_reference for session in tunnel.calls} == {7, 8}


def test_a_reference_may_be_both_sides_own() -> None:
    bench = Bench()
    bench.terminal._layers.call_reference = lambda: 500  # type: ignore[method-assign]
    bench.unit.when_called = bench.far.when_called = accept
    ours = bench.unit.dial(bench.far)
    bench.settle()
    bench.hear(MessageType.SETUP, 500, **vars_of(setup_message(500)))
    theirs = bench.unit.call
    assert theirs is not ours
    assert {(s.call_reference, s.outgoing) for s in bench.tunnel.calls} == {(500, True), (500, False)}
    theirs.hang_up()
    bench.settle()
    assert ours.state is State.ACTIVE


def vars_of(message: Message) -> dict[str, Any]:
    return {"elements": message.elements, "user_information": message.user_information}


def test_a_message_of_no_call_is_answered_and_a_release_is_not() -> None:
    bench = Bench()
    bench.said()
    bench.hear(MessageType.FACILITY, 99)
    [release] = bench.said()
    assert (release.type, release.call_reference) == (MessageType.RELEASE_COMPLETE, 99)
    assert release.from_destination
    bench.hear(MessageType.RELEASE_COMPLETE, 99)
    bench.hear(0x00)  # GnuGk's own way to keep a connection alive: an escape to national use
    assert bench.said() == []


def test_a_setup_that_can_t_be_read_is_refused_and_the_tunnel_stays() -> None:
    bench = Bench()
    bench.said()
    bench.hear(MessageType.SETUP, 99, user_information=b"\xff")
    assert [m.type for m in bench.said()] == [MessageType.RELEASE_COMPLETE]
    assert bench.tunnel is not None


def test_many_calls_wait_behind_one_gatekeeper() -> None:
    bench = Bench()
    bench.unit.when_called = Call.alert
    more = bench.terminal._layers.identity.max_waiting_per_host + 3
    for number in range(1, more + 1):
        bench.gatekeeper.say(bench.flow, setup_message(number))
    bench.settle()
    assert len(bench.tunnel.calls) == more
    assert MessageType.RELEASE_COMPLETE not in [m.type for m in bench.said()]


def test_who_does_not_register_us_can_t_call_by_its_tunnel() -> None:
    bench = Bench()
    bench.gatekeeper.zone.silent.add("all")
    bench.said()
    bench.terminal._gatekeeper._registration.state = type(bench.terminal._gatekeeper._registration.state).WAITING  # type: ignore[union-attr]
    bench.hear(MessageType.SETUP, 9, **vars_of(setup_message(9)))
    assert bench.terminal.sessions == ()
    assert [m.type for m in bench.said()] == [MessageType.RELEASE_COMPLETE]


# The connection


def test_a_way_is_kept_open() -> None:
    bench = Bench()
    bench.gatekeeper.empty = 0
    bench.settle(3 * KEEP_ALIVE + 1)
    assert bench.gatekeeper.empty == 2 * 3


def test_too_much_that_is_no_message_ends_it_and_it_is_made_anew() -> None:
    bench = Bench()
    before = bench.flow
    for _ in range(MAX_MALFORMED):
        bench.gatekeeper.send_octets(before, tpkt.encode(b"nonsense"))
    bench.settle()
    assert bench.flow != before
    assert bench.tunnel is not None


def test_a_tunnel_that_nobody_needs_is_closed() -> None:
    bench = Bench()
    client = bench.terminal._gatekeeper
    assert client is not None
    client.stop(bench.wire.now)
    bench.settle()
    assert bench.wire.events[UNIT][-1] == Unregistered("stopped", None)
    bench.settle(KEEP_ALIVE)
    assert [flow.remote[0] for flow in bench.gatekeeper.flows] == [FAR[0]]
    assert len(bench.terminal._layers.tunnels) == 0


def test_there_is_room_for_no_tunnel() -> None:
    bench = Bench()
    layers = bench.terminal._layers
    bench.gatekeeper.hang_up(bench.flow)
    layers.identity = Identity((), max_streams=0)  # type: ignore[misc]
    layers.streams._identity = layers.identity
    bench.settle()
    assert isinstance(bench.wire.events[UNIT][-1], Unregistered)
    assert layers.counters["no room for a tunnel"] >= 1
    layers.streams._identity = Identity(())
    bench.settle(30)
    assert isinstance(bench.wire.events[UNIT][-1], Registered)


@pytest.mark.parametrize("by_far_end", [True, False])
def test_a_tunnel_that_is_lost_takes_its_calls_along_and_comes_back(by_far_end: bool) -> None:
    bench = Bench()
    ours, theirs = established(bench, by_far_end=by_far_end)
    bench.gatekeeper.hang_up(bench.flow)
    bench.settle()
    assert ended(ours, EndReason.LOST)
    assert theirs.state is State.ENDED
    assert isinstance(bench.wire.events[UNIT][-1], Registered)
    again, _ = established(bench)
    assert again.state is State.ACTIVE
    assert bench.ports.reserved
    again.hang_up()
    bench.settle()
    bench.check_clean()


def test_which_connection_failed_is_known_until_there_is_another() -> None:
    bench = Bench()
    assert bench.terminal.lost_tunnel is None
    gone = bench.tunnel.stream.flow
    bench.terminal._layers.tunnels.lose(bench.tunnel, bench.wire.now)
    assert bench.terminal.lost_tunnel == gone
    bench.settle()
    assert isinstance(bench.wire.events[UNIT][-1], Registered)
    assert bench.terminal.lost_tunnel is None


def test_that_there_is_no_room_for_one_is_told_at_once() -> None:
    identity = Identity((("h323-ID", "Aalto"),), max_streams=0)
    settings = Settings(identity, UNIT, UNIT, ("192.0.2.100", 1720), transport="tcp", discover=False)
    terminal = Terminal(identity, random.Random(1))
    terminal.register(RasClient(settings, random.Random(2)), 0.0)
    assert terminal.actions() == []
    assert [type(event) for event in terminal.events()] == [Unregistered]
