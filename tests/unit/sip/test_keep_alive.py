from __future__ import annotations

import random

import pytest
from sip_peer import flow

from firmware.sansio import Flow, Send
from firmware.sip.identity import Identity
from firmware.sip.keep_alive import KeepAlive
from firmware.sip.layers import Layers


class Alive:
    """The keep-alives of one flow, whose stream the test speaks for."""

    def __init__(self, transport: str = "tcp", *, strict: bool = False, flow_timer: int | None = None) -> None:
        self.layers = Layers(Identity("room"), random.Random(3))
        self.flow = flow(transport)
        self.dead: list[tuple[Flow, float]] = []
        if transport != "udp":
            self.layers.transport.flow_opened(self.flow)
        self.keep_alive = KeepAlive(
            self.layers,
            self.flow,
            flow_timer,
            0.0,
            strict=strict,
            when_dead=lambda flow, now: self.dead.append((flow, now)),
        )

    def run(self, until: float, *, pong: bool = True) -> list[float]:
        """Let time pass; give when there was a ping."""
        pings = []
        while (due := self.layers.timers.next()) is not None and due <= until:
            self.layers.timers.fire(due)
            actions, self.layers.transport.actions = self.layers.transport.actions, []
            if actions:
                assert actions == [Send(self.flow, b"\r\n\r\n")]
                pings.append(due)
                if pong:
                    assert self.layers.transport.receive(self.flow, b"\r\n") == []
        return pings


@pytest.mark.parametrize(
    ("transport", "flow_timer", "least", "most"),
    [
        ("tcp", None, 95, 120),
        ("tcp", 60, 48, 60),
        ("tcp", 9999, 95, 120),
        ("tcp", 0, 8, 10),
        ("udp", None, 23, 29),
        ("udp", 60, 23, 29),
    ],
)
def test_how_often(transport: str, flow_timer: int | None, least: float, most: float) -> None:
    """RFC 5626 4.4."""
    pings = Alive(transport, flow_timer=flow_timer).run(3000)
    gaps = {round(b - a, 6) for a, b in zip([0.0, *pings], pings, strict=False)}
    assert len(gaps) > 10
    assert least <= min(gaps)
    assert max(gaps) <= most


def test_who_has_answered_once_must_go_on_answering() -> None:
    alive = Alive()
    alive.run(130)
    alive.run(1000, pong=False)
    [(flow, at)] = alive.dead
    assert flow == alive.flow
    assert 200 < at < 260
    assert alive.layers.timers.next() is None


def test_who_never_answered_need_not() -> None:
    alive = Alive()
    assert len(alive.run(1000, pong=False)) > 7
    assert not alive.dead


def test_who_keeps_to_the_standard_must_answer_at_once() -> None:
    alive = Alive(strict=True)
    [ping] = alive.run(1000, pong=False)
    assert alive.dead == [(alive.flow, ping + 10)]


def test_a_stream_that_is_gone_is_not_written_to() -> None:
    alive = Alive(strict=True)
    alive.layers.transport.flow_closed(alive.flow)
    assert alive.run(1000) == []
    assert len(alive.dead) == 1


def test_stopped_is_stopped() -> None:
    alive = Alive()
    alive.keep_alive.stop()
    assert alive.run(1000) == []
