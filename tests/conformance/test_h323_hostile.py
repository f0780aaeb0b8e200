"""Strangers and far ends that mean no good, against an endpoint that is in a call: it goes on, and nothing grows."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest
from asn1_values import random_value
from behaviours import PATIENCE
from conformance.h323_transcript import connections
from h323_bench import FAR, UNIT, H323Bench
from h323_mutation import change_message, change_octets, change_payload
from h323_terminals import ScriptedPeer
from parties import ALL, accept, directions

from firmware import config
from firmware.call.call import Call, State
from firmware.h323 import h245, q931, tpkt
from firmware.h323.call_message import CallMessages
from firmware.h323.identity import Identity
from firmware.h323.q931 import MessageType as M
from firmware.h323.streams import SILENCE
from firmware.h323.terminal import Terminal
from firmware.sansio import Flow, Send
from firmware.signaling.endpoint import MAX_SESSIONS

Change = Callable[[bytes, random.Random], bytes]
CAPTURES = ("ast1-ast2", "ast1-ast2-slow", "ast-to-h323p", "h323p-slow-tun", "h323p-fast-tun", "h323p-h264-slowtun")
H245_PORTS = range(config.H323().h245_first_port, config.H323().h245_last_port + 1)
MOST = 400
"""Calls of strangers in a test."""
LIES = (0x00, 0x01, 0x7F, 0x80, 0x81, 0xBF, 0xC0, 0xFF)


class Siege:
    """A unit in a call with a far end, and strangers around it."""

    def __init__(self) -> None:
        self.bench = H323Bench()
        self.wire = self.bench.wire
        self.bench.far.when_called = accept
        self.call = self.bench.unit.dial(self.bench.far)
        self.wire.pass_time(1)
        self.bench.unit.when_called = accept
        self.terminal: Terminal = self.bench.terminals[0]
        self.calm = self.terminal.sizes
        self.reported = len(self.bench.unit.states[self.call])
        self._hosts = 0

    def stranger(self) -> tuple[str, ScriptedPeer]:
        """Somebody at an address of his own."""
        self._hosts += 1
        host = f"203.0.{self._hosts // 250 + 113}.{self._hosts % 250 + 1}"
        peer = ScriptedPeer()
        self.wire.attach((host, 1720), peer, also=[(host, port) for port in H245_PORTS])
        return host, peer

    def open(self, host: str, peer: ScriptedPeer, port: int = UNIT[1]) -> Flow:
        return peer.open((host, 1720), (UNIT[0], port))

    def end(self) -> None:
        """Assert that the call has not noticed, and that all else is over."""
        for call in self.bench.unit.calls[1:]:
            call.hang_up()
        self.wire.pass_time(PATIENCE)
        assert self.terminal.sizes == self.calm
        assert (self.call.state, directions(self.call)) == (State.ACTIVE, ALL)
        assert len(self.bench.unit.states[self.call]) == self.reported
        assert len(self.bench.ports.reserved) == 4, "of the one call, at both ends"
        self.bench.unit.call.hang_up()
        self.call.hang_up()
        self.wire.pass_time(PATIENCE)
        self.bench.check_clean()


@pytest.fixture
def siege() -> Iterator[Siege]:
    made = Siege()
    yield made
    made.end()


def own_setup(*mode: bool) -> bytes:
    bench = H323Bench(*mode)
    bench.unit.dial(bench.far)
    bench.wire.pass_time(0.1)
    return bench.wire.sent[0][2]


def captured_setup(name: str) -> bytes:
    said = [connection.of(opener=True) for connection in connections(name) if connection.signals]
    return tpkt.encode(said[0][0])


SETUPS: dict[str, Callable[[], bytes]] = {
    "ours": lambda: own_setup(True, False),
    "ours, fast": lambda: own_setup(True, True),
    **{name: (lambda n=name: captured_setup(n)) for name in CAPTURES},  # type: ignore[misc]
}
setups = pytest.mark.parametrize("setup", SETUPS.values(), ids=[name.replace(", ", " ") for name in SETUPS])


def throw(siege: Siege, host: str, peer: ScriptedPeer, data: bytes) -> None:
    """Connect, say it, and go; whoever is called by it answers."""
    flow = siege.open(host, peer)
    peer.send_octets(flow, data)
    siege.wire.pass_time(0.1)
    peer.close(flow)
    peer.heard.clear()
    peer.closed.clear()
    siege.wire.pass_time(0.1)
    siege.wire.sent.clear()


@setups
def test_setups_that_lie_in_any_octet(siege: Siege, setup: Callable[[], bytes]) -> None:
    """Lengths, counts, choices, markers and numbers among them, of every field that there is."""
    whole = setup()
    host, peer = siege.stranger()
    rng = random.Random(1)
    each = 3 if len(whole) < 300 else 1
    for at in sorted(rng.sample(range(len(whole)), min(len(whole), MOST // each))):
        for lie in rng.sample(LIES, each):
            throw(siege, host, peer, whole[:at] + bytes([lie]) + whole[at + 1 :])
    assert len(siege.bench.unit.calls) > 1, "some of it was harmless"


@setups
@pytest.mark.parametrize("change", [change_octets, change_payload, change_message], ids=lambda c: c.__name__)
def test_damaged_setups(
    siege: Siege, setup: Callable[[], bytes], change: Callable[[bytes, random.Random], bytes]
) -> None:
    whole = setup()
    host, peer = siege.stranger()
    rng = random.Random(2)
    for _ in range(MOST // 4):
        throw(siege, host, peer, change(whole, rng))


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 40, 0x7FFF, 0x8000, 0xFFFF])
@pytest.mark.parametrize("version", [0, 2, 3, 4, 255])
def test_packets_whose_length_lies(siege: Siege, version: int, length: int) -> None:
    whole = own_setup()
    host, peer = siege.stranger()
    for data in (whole, whole[:4], whole * 3, b""):
        throw(siege, host, peer, bytes((version, 0)) + length.to_bytes(2, "big") + data[4:])


def test_an_octet_a_second(siege: Siege) -> None:
    """A Setup must be there in time, however busily it comes."""
    host, peer = siege.stranger()
    flow = siege.open(host, peer)
    for octet in own_setup():
        peer.send_octets(flow, bytes([octet]))
        siege.wire.pass_time(1)
    assert peer.closed == [flow]
    assert len(siege.bench.unit.calls) == 1


def test_setup_in_single_octets_is_a_call_in_time(siege: Siege) -> None:
    host, peer = siege.stranger()
    flow = siege.open(host, peer)
    for octet in own_setup():
        peer.send_octets(flow, bytes([octet]))
        siege.wire.pass_time(0.05)
    siege.wire.pass_time(1)
    assert "CONNECT" in peer.types()


def test_unfinished_packets_keep_little(siege: Siege) -> None:
    """On connections that are calls, where there is no hurry any more."""
    peers = [siege.stranger() for _ in range(7)]
    for host, peer in peers:
        flow = siege.open(host, peer)
        peer.send_octets(flow, own_setup())
        for _ in range(100):
            peer.send_octets(flow, b"\x03\x00\xff\xff" + bytes(2_000))
    siege.wire.pass_time(5)
    kept = sum(len(stream.reader) for stream in siege.terminal._layers.streams._streams.values())
    assert kept <= 8 * 0xFFFF


def test_half_open_connections_by_the_hundred_keep_no_caller_out(siege: Siege) -> None:
    for _ in range(300):
        siege.open(*siege.stranger())
    siege.wire.pass_time(0.1)
    assert siege.terminal.sizes["streams"] <= 64
    host, peer = siege.stranger()
    peer.outgoing = True
    flow = siege.open(host, peer)
    peer.send_octets(flow, own_setup())
    siege.wire.pass_time(1)
    assert "CONNECT" in peer.types()
    siege.wire.pass_time(SILENCE)


def test_setups_by_the_thousand(siege: Siege) -> None:
    setup = own_setup()
    for _ in range(20):
        host, peer = siege.stranger()
        for _ in range(50):
            peer.send_octets(siege.open(host, peer), setup)
        siege.wire.pass_time(0.05)
        assert siege.terminal.sizes["sessions"] <= MAX_SESSIONS
    assert siege.terminal.sizes["streams"] <= 64
    siege.wire.pass_time(1)


@pytest.mark.parametrize("seed", range(3))
def test_garbage_on_the_ports_for_h245(siege: Siege, seed: int) -> None:
    rng = random.Random(seed)
    host, peer = siege.stranger()
    for _ in range(200):
        port = rng.choice(H245_PORTS)
        flow = siege.open(host, peer, port)
        peer.send_octets(flow, rng.choice((rng.randbytes(300), tpkt.encode(h245.MESSAGE.encode(END)), own_setup())))
        siege.wire.pass_time(0.02)
    assert peer.flows == []


END = ("command", ("endSessionCommand", ("disconnect", None)))


@pytest.mark.parametrize("tunnelling", [True, False], ids=["tunnelled", "separate"])
@pytest.mark.parametrize("seed", range(12))
def test_far_end_that_says_anything(seed: int, tunnelling: bool) -> None:
    """Messages of H.245 that are right by the syntax, at random, from the far end of a call that is up."""
    rng = random.Random(seed)
    for _ in range(8):
        bench = H323Bench(tunnelling)
        bench.far.when_called = accept
        bench.unit.dial(bench.far)
        bench.wire.pass_time(1)
        say = tunnelled(bench) if tunnelling else separate(bench)
        for _ in range(60):
            say(h245.MESSAGE.encode(random_value(h245.MESSAGE, rng)))
            bench.wire.pass_time(rng.choice((0.0, 0.05, 0.3)))
        for call in (*bench.unit.calls, *bench.far.calls):
            call.hang_up()
        bench.wire.pass_time(PATIENCE)
        assert ended(bench.unit.call)
        bench.check_clean()


def tunnelled(bench: H323Bench) -> Callable[[bytes], None]:
    """Give what says a message of H.245 for the far end, tunnelled."""
    flow = next(flow for _, flow, _ in bench.wire.sent if flow.local == FAR)
    reference = q931.decode(bench.wire.sent[0][2][tpkt.HEADER :]).call_reference
    messages = CallMessages(Identity(()), reference, bytes(16), outgoing=False)

    def say(octets: bytes) -> None:
        body = {"reason": ("transportedInformation", None)}
        message = messages.encode(M.FACILITY, body, elements={}, tunnelling=True, control=[octets])
        bench.wire._act(FAR, Send(flow, tpkt.encode(message)))

    return say


def separate(bench: H323Bench) -> Callable[[bytes], None]:
    """Give what says a message of H.245 for the far end on its connection."""
    flow = [flow for _, flow, _ in bench.wire.sent if flow.local[0] == FAR[0]][-1]
    assert {flow.local[1], flow.remote[1]} & set(H245_PORTS)
    return lambda octets: bench.wire._act(FAR, Send(flow, tpkt.encode(octets)))


def ended(call: Call) -> bool:
    return call.state is State.ENDED
