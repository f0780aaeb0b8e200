"""What a gatekeeper, or who stands for one, may send by the connection that carries all signalling (H.460.17): nothing
raises, nothing grows, calls go on.
"""

from __future__ import annotations

import random

import pytest
from h323_bench import UNIT, TunnelBench
from h323_mutation import change_octets, change_payload
from parties import accept, established

from firmware.call.call import State
from firmware.h323 import h460_ras, q931, tpkt
from firmware.h323.h225 import RAS_MESSAGE
from firmware.h323.q931 import Message, MessageType
from firmware.h323.ras_event import Registered
from firmware.sansio import Flow


def flow_of(bench: TunnelBench) -> Flow:
    return next(flow for flow in bench.gatekeeper.flows if flow.remote[0] == UNIT[0])


def recorded() -> list[bytes]:
    """All that the gatekeeper says to the unit in a few calls, of RAS and of them."""
    bench = TunnelBench()
    for by_far_end in (True, False):
        ours, _ = established(bench, by_far_end=by_far_end)
        ours.hang_up()
        bench.wire.pass_time(70)
    return [data for _, flow, data in bench.wire.sent if flow.remote[0] == UNIT[0]]


@pytest.mark.parametrize("seed", range(12))
def test_changed_by_chance(seed: int) -> None:
    rng, words = random.Random(seed), recorded()
    bench = TunnelBench()
    bench.unit.when_called = accept
    for _ in range(150):
        word = rng.choice(words)
        match rng.randrange(3):
            case 0:
                word = change_payload(word, rng)
            case 1 if q931.decode(word[tpkt.HEADER :]).call_reference == 0:
                inside = h460_ras.read_facility(q931.decode(word[tpkt.HEADER :]))
                word = tpkt.encode(h460_ras.encode_facility(change_octets(inside[0], rng)))
            case 2 if rng.random() < 0.1:
                word = change_octets(word, rng)
        for flow in [flow for flow in bench.gatekeeper.flows if flow.remote[0] == UNIT[0]]:
            bench.gatekeeper.send_octets(flow, word)
        bench.wire.pass_time(rng.choice((0.0, 0.1, 2.0)))
        sizes = bench.terminals[0].sizes
        assert sizes["sessions"] <= 32
        assert sizes["streams"] <= 40
    # Whatever it was: with time, all is as it was.
    bench.wire.pass_time(1_300)
    assert isinstance([e for e in bench.wire.events[UNIT] if type(e).__name__.endswith("egistered")][-1], Registered)
    for call in bench.unit.calls:
        call.hang_up()
    bench.wire.pass_time(20)
    ours, _ = established(bench)
    assert ours.state is State.ACTIVE


def test_many_ras_messages_in_one_and_in_many_packets() -> None:
    bench = TunnelBench()
    ours, _ = established(bench)
    client = bench.terminals[0]._gatekeeper
    assert client is not None
    stray = RAS_MESSAGE.encode(("unregistrationConfirm", {"requestSeqNum": 9}))
    for _ in range(2_000):
        bench.gatekeeper.send_octets(flow_of(bench), tpkt.encode(h460_ras.encode_facility(stray)))
    bench.wire.pass_time(1)
    assert client.dropped["not for us"] == 2_000
    assert ours.state is State.ACTIVE


def test_strangers_calls_by_the_hundred() -> None:
    bench = TunnelBench()
    ours, _ = established(bench)
    setup = next(m for _, m in bench.gatekeeper.messages if m.type == MessageType.SETUP)
    for reference in range(1_000, 1_300):
        bench.gatekeeper.say(
            flow_of(bench), Message(setup.type, reference, False, setup.elements, setup.user_information)
        )
    bench.wire.pass_time(1)
    assert bench.terminals[0].sizes["sessions"] <= 32
    assert ours.state is State.ACTIVE
    for reference in range(1_000, 1_300):
        bench.gatekeeper.say(flow_of(bench), Message(MessageType.RELEASE_COMPLETE, reference, False))
    bench.wire.pass_time(1)
    assert bench.terminals[0].sizes["sessions"] == 1
    assert ours.state is State.ACTIVE


def test_one_that_hangs_up_on_whom_it_registers_is_not_called_in_a_circle() -> None:
    bench = TunnelBench()
    for _ in range(600):
        for flow in [flow for flow in bench.gatekeeper.flows if flow.remote[0] == UNIT[0]]:
            bench.gatekeeper.hang_up(flow)
        bench.wire.pass_time(0.1)
    registrations = [heard for heard in bench.gatekeeper.zone.heard if heard.name == "registrationRequest"]
    assert len(registrations) < 12


def test_endless_breaks() -> None:
    bench = TunnelBench()
    for _ in range(50):
        for flow in [flow for flow in bench.gatekeeper.flows if flow.remote[0] == UNIT[0]]:
            bench.gatekeeper.hang_up(flow)
        bench.wire.pass_time(0.05)
    bench.wire.pass_time(1_300)
    assert bench.terminals[0].sizes["streams"] == 1
    ours, _ = established(bench)
    assert ours.state is State.ACTIVE
