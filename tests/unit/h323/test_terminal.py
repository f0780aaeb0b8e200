"""The core of all calls: flows, bounds, the gatekeeper's datagrams."""

from __future__ import annotations

import random

import pytest
from h323_terminals import CAPABILITIES, HOSTS, PORTS, Bench, ScriptedBench, ScriptedPeer

from firmware.errors import LocalProtocolError
from firmware.h323 import events, tpkt
from firmware.h323.identity import Destination, Identity
from firmware.h323.q931 import MessageType as M
from firmware.h323.ras import RasClient
from firmware.h323.ras_settings import Settings
from firmware.h323.streams import SILENCE
from firmware.h323.terminal import Terminal
from firmware.sansio import Close, Flow

FLOW = Flow("tcp", (HOSTS[0], 1720), (HOSTS[1], 1720))


def test_no_more_calls_than_it_takes() -> None:
    terminal = Terminal(Identity((), max_sessions=1), random.Random(1))
    terminal.call(FLOW, Destination(), 0.0, capabilities=CAPABILITIES)
    with pytest.raises(LocalProtocolError, match="1 calls"):
        terminal.call(FLOW, Destination(), 0.0, capabilities=CAPABILITIES)


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"destination": Destination((("dialledDigits", "abc"),))}, ValueError),
        ({"fast_start": [{"nonsense": 1}]}, ValueError),
        ({"h245_in_setup": True, "tunnelling": False, "fast_start": [{"nonsense": 1}]}, ValueError),
    ],
)
def test_call_that_can_not_be_made_leaves_nothing(how: dict[str, object], error: type[Exception]) -> None:
    terminal = Terminal(Identity((), h245_ports=PORTS), random.Random(1))
    with pytest.raises(error):
        terminal.call(
            FLOW,
            how.pop("destination", Destination()),  # type: ignore[arg-type]
            0.0,
            capabilities=CAPABILITIES,
            **how,  # type: ignore[arg-type]
        )
    assert terminal.sizes == {"sessions": 0, "streams": 0, "ports": 0}
    assert (terminal.actions(), terminal.events(), terminal.timer()) == ([], [], None)


def test_no_room_for_one_more_connection() -> None:
    terminal = Terminal(Identity((), max_streams=1), random.Random(1))
    terminal.call(FLOW, Destination(), 0.0, capabilities=CAPABILITIES)
    with pytest.raises(LocalProtocolError, match="connections"):
        terminal.call(FLOW, Destination(), 0.0, capabilities=CAPABILITIES)
    assert len(terminal.sessions) == 1


def test_unexpected_connection_for_h245_is_closed() -> None:
    terminal = Terminal(Identity((), h245_ports=PORTS), random.Random(1))
    flow = Flow("tcp", (HOSTS[0], PORTS[0]), (HOSTS[1], 40_000))
    terminal.flow_opened(flow, 0.0)
    assert terminal.actions() == [Close(flow)]
    assert terminal.counters == {"unexpected H.245 connection": 1}


def test_connection_for_h245_of_another_host_is_closed() -> None:
    bench = ScriptedBench()
    bench.call(tunnelling=False)
    bench.say(M.CONNECT, tunnelling=False)
    address = bench.far.messages()[-1][1].h245_address
    assert address
    stranger = ScriptedPeer()
    bench.wire.attach(("203.0.113.9", 1), stranger)
    flow = stranger.open(("203.0.113.9", 1), address)
    bench.settle()
    assert stranger.closed == [flow]
    assert bench.unit.terminal.counters == {"unexpected H.245 connection": 1}


def test_silent_connections_are_closed_and_do_not_pile_up() -> None:
    bench = ScriptedBench(max_silent_per_host=5)
    for _ in range(100):
        bench.far.open(bench.far_address, bench.address)
    bench.settle()
    assert bench.unit.terminal.sizes["streams"] == 5
    bench.settle(SILENCE)
    bench.check_clean()
    assert bench.unit.terminal.counters == {"too many connections": 95, "silent connection": 5}


def test_trickle_of_a_setup_has_little_time() -> None:
    bench = ScriptedBench()
    flow = bench.far.open(bench.far_address, bench.address)
    bench.settle()
    for octet in b"\x03\x00\x08\x00\x08\x02":
        bench.far.send_octets(flow, bytes([octet]))
        bench.settle(2.0)
    assert bench.far.closed == [flow]
    bench.check_clean()


def test_stream_that_is_no_tpkt_is_closed() -> None:
    bench = ScriptedBench()
    flow = bench.far.open(bench.far_address, bench.address)
    bench.far.send_octets(flow, b"GET / HTTP/1.1\r\n\r\n")
    bench.settle()
    assert bench.far.closed == [flow]
    assert bench.unit.terminal.counters == {"broken stream": 1}
    bench.check_clean()


def test_stream_that_breaks_in_a_call_ends_it() -> None:
    bench = ScriptedBench()
    bench.call()
    bench.say(M.CONNECT)
    bench.far.send_octets(bench.far.flows[0], b"\x00\x00\x00\x00")
    bench.settle()
    assert bench.unit.ended.detail == "connection lost"
    bench.check_clean()


def test_several_messages_in_one_segment_and_one_in_several() -> None:
    for size in (1, 7, 100_000):
        bench = Bench()
        bench.answer_at_once()
        original = bench.called.terminal.receive_data

        def in_pieces(flow: Flow, data: bytes, now: float, size: int = size, take: object = original) -> None:
            for at in range(0, len(data), size):
                take(flow, data[at : at + size], now)  # type: ignore[operator]

        bench.called.terminal.receive_data = in_pieces  # type: ignore[method-assign]
        session = bench.call()
        bench.settle()
        assert session.control.ready


def test_signs_of_life_are_passed_over() -> None:
    bench = ScriptedBench()
    bench.call()
    bench.far.send_octets(bench.far.flows[0], tpkt.encode(b"") * 100)
    bench.say(M.CONNECT)
    assert bench.unit.of(events.Connected)


def test_data_of_a_stream_that_is_closed_is_nothing() -> None:
    terminal = Terminal(Identity(()), random.Random(1))
    terminal.receive_data(FLOW, b"\x03\x00\x00\x05x", 0.0)
    terminal.flow_closed(FLOW, 0.0)
    assert (terminal.actions(), terminal.events()) == ([], [])


def test_what_follows_the_end_in_one_segment_is_not_looked_at() -> None:
    bench = ScriptedBench()
    bench.call()
    bench.far.send(bench.far.flows[0], M.RELEASE_COMPLETE)
    bench.far.send(bench.far.flows[0], M.CONNECT)
    bench.settle()
    assert [type(event) for event in bench.unit.events] == [events.Ended]
    bench.check_clean()


def test_register_asks_the_gatekeeper_from_then_on() -> None:
    terminal = Terminal(Identity(()), random.Random(1))
    settings = Settings(
        Identity((("h323-ID", "a"),)), (HOSTS[0], 1719), (HOSTS[0], 1720), gatekeeper=("192.0.2.9", 1719)
    )
    terminal.register(RasClient(settings, random.Random(1)), 0.0)
    (asked,) = terminal.actions()
    assert asked.flow == Flow("udp", (HOSTS[0], 1719), ("192.0.2.9", 1719))
    assert terminal.timer() is not None
    terminal.flow_closed(asked.flow, 1.0)
    terminal.receive_data(asked.flow, b"rubbish", 1.0)
    told: list[type] = []
    for _ in range(10):
        due = terminal.timer()
        assert due is not None
        terminal.handle_timer(due)
        told += [type(event) for event in terminal.events()]
    assert told
    assert set(told) == {events.Unregistered}
