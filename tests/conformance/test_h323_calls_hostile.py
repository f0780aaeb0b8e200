"""Far ends that mean no good: nothing that they send raises, disturbs another call, or stays in memory."""

from __future__ import annotations

import random
import struct

import pytest
from conformance.h323_transcript import connections
from h323_terminals import CAPABILITIES, CAPABILITY_SET, HOSTS, PORTS, Bench, ScriptedBench, ScriptedPeer

from firmware.asn1 import Value
from firmware.h323 import events, h245, q931, tpkt
from firmware.h323.address import encode_transport
from firmware.h323.control_channel import MAX_CONNECTIONS
from firmware.h323.identity import Destination
from firmware.h323.q931 import Message
from firmware.h323.q931 import MessageType as M
from firmware.h323.streams import SILENCE
from firmware.sansio import Flow

CAPTURES = ("ast1-ast2", "ast-to-h323p", "h323p-fast-tun", "h323p-slow-tun", "h323p-h264-slowtun")
ATTACKER = ("203.0.113.66", 1720)


def damaged(payload: bytes, rng: random.Random) -> bytes:
    """Flip, cut, double or lengthen something."""
    octets = bytearray(payload)
    for _ in range(rng.choice((1, 1, 2, 5, 30))):
        at = rng.randrange(len(octets))
        match rng.randrange(6):
            case 0:
                octets[at] ^= 1 << rng.randrange(8)
            case 1:
                octets[at] = rng.choice((0x00, 0x7F, 0x80, 0xFF))
            case 2:
                del octets[at : at + rng.randrange(8)]
            case 3:
                octets[at:at] = octets[at : at + rng.randrange(16)]
            case 4:
                octets[at:at] = rng.randbytes(rng.randrange(4))
            case 5:
                del octets[max(at, 5) :]
        octets = octets or bytearray(b"\0")
    return bytes(octets)


def messages() -> list[tuple[bool, bytes]]:
    return [
        (by_opener, payload)
        for name in CAPTURES
        for connection in connections(name)
        if connection.signals
        for by_opener, payload in connection.said
    ]


@pytest.mark.parametrize("seed", range(4))
def test_damaged_answers(seed: int) -> None:
    """Captured messages of called sides, damaged, on calls of ours in every state."""
    rng = random.Random(seed)
    said = [payload for by_opener, payload in messages() if not by_opener]
    for _ in range(60):
        bench = ScriptedBench()
        bench.call(tunnelling=rng.random() < 0.8, h245_in_setup=rng.random() < 0.3)
        (flow,) = bench.far.flows
        reference = (0x8000 | bench.far.call_reference).to_bytes(2, "big")
        for _ in range(rng.randrange(1, 15)):
            payload = rng.choice(said)
            payload = payload[:2] + reference + payload[4:]
            octets = tpkt.encode(damaged(payload, rng) if rng.random() < 0.7 else payload)
            bench.far.send_octets(flow, damaged(octets, rng) if rng.random() < 0.05 else octets)
            bench.settle(0.03)
        bench.settle(400)
        assert len(bench.unit.of(events.Ended)) <= 1
        for session in bench.unit.terminal.sessions:
            session.release(16, bench.wire.now)
        bench.settle(10)
        bench.check_clean()


@pytest.mark.parametrize("seed", range(4))
def test_damaged_calls(seed: int) -> None:
    """Captured messages of callers, damaged, to a terminal that answers all that rings."""
    rng = random.Random(seed)
    callers = [
        [payload for by_opener, payload in connection.said if by_opener]
        for name in CAPTURES
        for connection in connections(name)
        if connection.signals
    ]
    bench = ScriptedBench()

    def react(event: events.Event) -> None:
        if isinstance(event, events.Incoming):
            event.session.accept(CAPABILITIES, bench.wire.now)

    bench.wire.on_event[bench.address] = react
    for _ in range(150):
        flow = bench.far.open(bench.far_address, bench.address)
        for payload in rng.choice(callers):
            whole = tpkt.encode(damaged(payload, rng) if rng.random() < 0.3 else payload)
            bench.far.send_octets(flow, whole)
        bench.settle(0.05)
        bench.far.close(flow)
        bench.settle(0.05)
    bench.settle(SILENCE + 1)
    assert bench.unit.of(events.Incoming)
    assert len(bench.unit.of(events.Ended)) == len(bench.unit.of(events.Incoming))
    bench.check_clean()


def test_attacks_disturb_no_call() -> None:
    bench = Bench()
    bench.answer_at_once()
    session = bench.call()
    bench.settle()
    attacker = ScriptedPeer()
    bench.wire.attach(ATTACKER, attacker, also=[(ATTACKER[0], port) for port in PORTS])
    rng = random.Random(7)
    target = bench.called.address
    for _ in range(300):  # half-open by the hundred
        attacker.open(ATTACKER, target)
    bench.settle(0.1)
    for flow in list(attacker.flows):
        attacker.send_octets(flow, b"\x03\x00\xff\xff" + rng.randbytes(3000))
    for port in PORTS:
        attacker.open(ATTACKER, (target[0], port))
    bench.settle(SILENCE + 1)
    for _ in range(50):
        flow = attacker.open(ATTACKER, target)
        attacker.send_octets(flow, tpkt.encode(rng.randbytes(500)))
        attacker.send_octets(flow, rng.randbytes(500))
    bench.settle(SILENCE + 1)
    assert bench.called.terminal.sizes == {"sessions": 1, "streams": 1, "ports": 0}
    assert session.control.ready
    session.release(16, bench.wire.now)
    bench.settle()
    assert bench.called.ended.cause == 16
    bench.check_clean()


def test_flood_from_everywhere_keeps_nobody_out() -> None:
    bench = Bench()
    bench.answer_at_once()
    for index in range(200):
        attacker = ScriptedPeer()
        address = (f"203.0.113.{index}", 1720)
        bench.wire.attach(address, attacker)
        attacker.open(address, bench.called.address)
    bench.settle(0.1)
    session = bench.call(tunnelling=False)
    bench.settle()
    assert session.control.ready
    bench.settle(SILENCE)
    assert bench.called.terminal.sizes == {"sessions": 1, "streams": 2, "ports": 1}


def test_unanswered_calls_of_one_host_keep_nobody_out() -> None:
    bench = ScriptedBench()
    for _ in range(30):
        bench.called()
    assert len(bench.unit.terminal.sessions) == 4
    other = ScriptedPeer()
    other.outgoing = True
    bench.wire.attach(ATTACKER, other)
    flow = other.open(ATTACKER, bench.address)
    bench.settle(0.1)
    other.send(flow, M.SETUP)
    bench.settle()
    assert len(bench.unit.terminal.sessions) == 5


@pytest.mark.parametrize(
    "lie",
    [
        b"\x28\xff" + b"A" * 10,
        b"\x7e\xff\xff\x05" + b"A" * 10,
        b"\x28\x00" * 20_000,
        b"\xa1" * 60_000,
        b"\x97" * 60_000,
        b"\x7e\x00\x01\x05" * 10_000,
    ],
    ids=["length", "User-user length", "20,000 elements", "60,000 elements of one octet", "shifts", "User-users"],
)
def test_lying_elements(lie: bytes) -> None:
    bench = ScriptedBench()
    bench.call()
    head = struct.pack(">BBHB", q931.PROTOCOL_DISCRIMINATOR, 2, 0x8000 | bench.far.call_reference, M.ALERTING)
    bench.far.send_octets(bench.far.flows[0], tpkt.encode(head + lie))
    bench.say(M.CONNECT)
    assert bench.unit.of(events.Connected)


def test_messages_nested_and_repeated() -> None:
    """An H.245 message a thousand times in one message, and one of the greatest length."""
    bench = ScriptedBench()
    bench.call()
    bench.say(M.CONNECT)
    bench.say(M.FACILITY, control=[CAPABILITY_SET] * 200)
    assert len(bench.far.controls()) < 40
    octets = Message(M.FACILITY, bench.far.call_reference, True, {}, b"\x30" * 65_000).encode()
    bench.far.send_octets(bench.far.flows[0], tpkt.encode(octets))
    bench.settle()
    assert bench.unit.terminal.counters["malformed user information"] == 1
    assert bench.unit.of(events.Ended) == []


def test_flood_of_status_inquiries_is_answered_one_by_one() -> None:
    bench = ScriptedBench()
    bench.call()
    for _ in range(500):
        bench.far.send(bench.far.flows[0], M.STATUS_INQUIRY)
        bench.far.send(bench.far.flows[0], M.STATUS)
    bench.settle()
    assert bench.far.types().count("STATUS") == 500


def test_far_end_that_sends_us_everywhere() -> None:
    """Addresses for H.245 that lead to others cost a few connections at most, and none to ourselves."""
    bench = ScriptedBench()
    bench.call(tunnelling=False)
    bench.say(M.ALERTING, tunnelling=False)
    opened: list[Flow] = []
    terminal = bench.unit.terminal
    terminal.flow_closed = lambda flow, now, tell=terminal.flow_closed: (opened.append(flow), tell(flow, now))  # type: ignore[method-assign, misc]
    for index in range(50):
        address = ("127.0.0.1", 8000 + index) if index % 2 else (f"198.51.100.{index}", 80)
        body: dict[str, Value] = {"reason": ("startH245", None), "h245Address": encode_transport(address)}
        bench.far.send(bench.far.flows[0], M.FACILITY, body, tunnelling=False)
        bench.settle(0.02)
    assert 0 < len(opened) <= MAX_CONNECTIONS
    assert not [flow for flow in opened if flow.remote[0].startswith("127.")]
    assert bench.unit.terminal.sizes["streams"] == 1


def test_two_that_forward_to_each_other_end_each_call() -> None:
    bench = ScriptedBench()
    for _ in range(5):
        bench.far.call_reference = 0
        flow = Flow("tcp", bench.address, bench.far_address)
        bench.unit.terminal.call(flow, Destination(), bench.wire.now, capabilities=CAPABILITIES)
        bench.settle()
        there = encode_transport(bench.far_address)
        bench.say(M.FACILITY, {"reason": ("callForwarded", None), "alternativeAddress": there})
    assert len(bench.unit.of(events.Forwarded)) == len(bench.unit.of(events.Ended)) == 5
    bench.check_clean()


def test_h245_connection_that_only_keeps_open() -> None:
    bench = ScriptedBench()
    bench.call(tunnelling=False)
    bench.say(M.CONNECT, {"h245Address": encode_transport((HOSTS[1], PORTS[0]))}, tunnelling=False)
    for _ in range(20):
        bench.far.send_octets(bench.far.flows[1], b"\x03")
        bench.settle(1.0)
    bench.settle(120)
    assert bench.unit.ended.by_far_end is False
    bench.check_clean()


def test_h245_flood_ends_the_call_at_most() -> None:
    bench = ScriptedBench()
    bench.call(tunnelling=False)
    bench.say(M.CONNECT, {"h245Address": encode_transport((HOSTS[1], PORTS[0]))}, tunnelling=False)
    flood = tpkt.encode(h245.MESSAGE.encode(CAPABILITY_SET)) * 2000
    bench.far.send_octets(bench.far.flows[1], flood)
    bench.settle()
    assert len(bench.far.controls(Flow("tcp", bench.far_address, bench.address))) < 2000
    bench.settle(300)
    assert len(bench.unit.of(events.Ended)) == 1


@pytest.mark.parametrize("seed", range(3))
def test_damaged_h245(seed: int) -> None:
    """Captured H.245, damaged, on a connection of its own and in the tunnel."""
    rng = random.Random(seed)
    said = [
        payload
        for name in ("ast1-ast2-slow", "h323p-slow-notun")
        for connection in connections(name)
        if not connection.signals
        for _, payload in connection.said
    ]
    for _ in range(40):
        bench = ScriptedBench()
        bench.call(tunnelling=False)
        bench.say(M.CONNECT, {"h245Address": encode_transport((HOSTS[1], PORTS[0]))}, tunnelling=False)
        for _ in range(20):
            if len(bench.far.flows) > 1:
                payload = rng.choice(said)
                bench.far.send_octets(bench.far.flows[1], tpkt.encode(damaged(payload, rng)))
                bench.settle(0.02)
        bench.settle(300)
        for session in bench.unit.terminal.sessions:
            session.release(16, bench.wire.now)
        bench.settle(10)
        assert len(bench.unit.of(events.Ended)) == 1
        bench.check_clean()
