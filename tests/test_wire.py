"""The virtual network: delay, loss, reordering, streams, and a clock that costs nothing."""

from __future__ import annotations

from typing import Any

import pytest
from wire import Wire

from firmware.sansio import Action, Close, Flow, Open, Send

A, B = ("192.0.2.1", 1), ("192.0.2.2", 2)


class Core:
    """Writes down what it is told and when; a timer as a test sets it."""

    def __init__(self) -> None:
        self.told: list[tuple[float, str, Any]] = []
        self.todo: list[Action] = []
        self.happened: list[Any] = []
        self.due: list[float] = []
        self.stuck = False

    def flow_opened(self, flow: Flow, now: float) -> None:
        self.told.append((now, "opened", flow))

    def flow_closed(self, flow: Flow, now: float) -> None:
        self.told.append((now, "closed", flow))

    def receive_data(self, flow: Flow, data: bytes, now: float) -> None:
        self.told.append((now, "data", data))
        self.happened.append(data)
        self.last_flow = flow

    def handle_timer(self, now: float) -> None:
        self.told.append((now, "timer", None))
        if not self.stuck:
            self.due.pop(0)

    def timer(self) -> float | None:
        return self.due[0] if self.due else None

    def actions(self) -> list[Action]:
        todo, self.todo = self.todo, []
        return todo

    def events(self) -> list[Any]:
        happened, self.happened = self.happened, []
        return happened


def pair(**settings: Any) -> tuple[Wire, Core, Core]:
    wire, a, b = Wire(**settings), Core(), Core()
    wire.attach(A, a)
    wire.attach(B, b)
    return wire, a, b


def data(core: Core) -> list[bytes]:
    return [what for _, kind, what in core.told if kind == "data"]


def test_a_datagram_takes_its_time_and_turns_round() -> None:
    wire, a, b = pair(delay=0.25)
    a.todo.append(Send(Flow("udp", A, B), b"x"))
    wire.run(0.2)
    assert b.told == []
    wire.run(1.0)
    assert b.told == [(0.25, "data", b"x")]
    assert b.last_flow == Flow("udp", B, A)
    assert wire.now == 1.0
    assert wire.sent == [(0.0, Flow("udp", A, B), b"x")]
    assert wire.events[B] == [b"x"]


def test_loss_is_asked_for_each_datagram() -> None:
    wire, a, b = pair(lost=lambda number, what: number == 2 or what == b"4")
    a.todo += [Send(Flow("udp", A, B), b"%d" % n) for n in range(1, 6)]
    wire.pass_time(1)
    assert data(b) == [b"1", b"3", b"5"]


def test_reordering_repeats_exactly() -> None:
    runs = []
    for _ in range(2):
        wire, a, b = pair(reorder=1.0, seed=7)
        a.todo += [Send(Flow("udp", A, B), b"%d" % n) for n in range(9)]
        wire.pass_time(5)
        runs.append(data(b))
    assert runs[0] == runs[1]
    assert sorted(runs[0]) == [b"%d" % n for n in range(9)] != runs[0]


def test_timers_run_in_order_without_waiting() -> None:
    wire, a, b = pair()
    a.due, b.due = [5.0, 100_000.0], [3.0]
    wire.run(200_000.0)
    assert [now for now, *_ in a.told] == [5.0, 100_000.0]
    assert [now for now, *_ in b.told] == [3.0]


def test_a_core_that_never_lets_go_of_its_timer_is_found() -> None:
    wire, a, _ = pair()
    a.due, a.stuck = [1.0], True
    with pytest.raises(AssertionError, match="same timer"):
        wire.run(2.0)


def test_a_stream_opens_at_both_ends_carries_and_closes() -> None:
    wire, a, b = pair(lost=lambda number, what: True, reorder=5.0)
    flow = Flow("tcp", A, B)
    a.todo += [Open(flow), Send(flow, b"early")]
    wire.pass_time(1)
    accepted = b.told[0][2]
    assert (accepted.local, accepted.remote[0]) == (B, A[0])
    assert a.told == [(0.01, "opened", flow)]
    a.todo += [Send(flow, b"%d" % n) for n in range(5)]
    b.todo.append(Send(accepted, b"back"))
    wire.pass_time(1)
    assert data(b) == [b"early", *(b"%d" % n for n in range(5))]
    assert data(a) == [b"back"]
    b.todo.append(Close(accepted))
    wire.pass_time(1)
    assert a.told[-1][1:] == ("closed", flow)
    a.todo.append(Send(flow, b"late"))
    wire.pass_time(1)
    assert data(b) == [b"early", *(b"%d" % n for n in range(5))]


def test_a_stream_to_nobody_is_closed() -> None:
    wire, a, _ = pair()
    flow = Flow("tcp", A, ("192.0.2.9", 9))
    a.todo.append(Open(flow))
    a.todo.append(Send(Flow("udp", A, ("192.0.2.9", 9)), b"lost in space"))
    wire.pass_time(1)
    assert a.told == [(0.01, "closed", flow)]


def test_listeners_hear_events_as_they_happen() -> None:
    wire, a, b = pair()
    heard: list[tuple[float, Any]] = []
    wire.on_event[B] = lambda event: heard.append((wire.now, event))
    a.todo.append(Send(Flow("udp", A, B), b"x"))
    wire.pass_time(1)
    assert heard == [(0.01, b"x")]
    assert b.happened == []


def test_one_core_at_several_addresses() -> None:
    wire, a, b = pair()
    wire.attach(B, b, also=[("192.0.2.2", 3), ("192.0.2.22", 9)])
    a.todo = [Open(flow := Flow("tcp", A, ("192.0.2.22", 9))), Send(flow, b"stream")]
    a.todo.append(Send(Flow("udp", A, ("192.0.2.2", 3)), b"datagram"))
    wire.run(1)
    assert sorted(data(b)) == [b"datagram", b"stream"]
    assert [told.local for _, what, told in b.told if what == "opened"] == [("192.0.2.22", 9)]


def test_streams_to_one_far_end_are_told_apart_by_number() -> None:
    wire, a, b = pair()
    flows = [Flow("tcp", A, B, number) for number in (1, 2)]
    a.todo = [action for flow in flows for action in (Open(flow), Send(flow, bytes([flow.number])))]
    wire.run(1)
    assert sorted(data(b)) == [b"\x01", b"\x02"]
    assert len({told for _, what, told in b.told if what == "opened"}) == 2
    a.todo = [Close(flows[0])]
    wire.run(2)
    assert len([told for _, what, told in b.told if what == "closed"]) == 1


def test_stream_closed_before_it_is_open_never_opens() -> None:
    wire, a, b = pair()
    flow = Flow("tcp", A, B)
    a.todo = [Open(flow), Send(flow, b"x"), Close(flow)]
    wire.run(1)
    assert (a.told, b.told) == ([], [])


def test_cut_stream_is_lost_for_both() -> None:
    wire, a, b = pair()
    flow = Flow("tcp", A, B)
    a.todo = [Open(flow)]
    wire.run(1)
    wire.cut(A, flow)
    wire.cut(A, flow)
    a.todo = [Send(flow, b"x")]
    wire.run(2)
    assert [what for _, what, _ in a.told] == ["opened", "closed"]
    assert [what for _, what, _ in b.told] == ["opened", "closed"]
