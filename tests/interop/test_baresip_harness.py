"""The harness itself, proven between two baresips: what it says of a unit later can be believed."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from interop.baresip import Baresip

from board.sim.counter import read_counter


@pytest.mark.parametrize("codec", ["G722", "PCMU", "opus"])
def test_two_baresips_see_and_hear_each_other(baresip: Callable[..., Baresip], codec: str) -> None:
    far = baresip(codec=codec, tone=1000)
    near = baresip(codec=codec, tone=440)
    near.dial(far.uri)
    near.wait_for("CALL_ESTABLISHED")
    far.wait_for("CALL_ESTABLISHED")
    time.sleep(2)
    for end in (near, far):
        first = read_counter(end.received_picture())
        time.sleep(0.5)
        second = read_counter(end.received_picture())
        assert first is not None
        assert second is not None
        assert second > first
    assert near.received_tone(1000) > 0.9
    assert near.received_tone(440) < 0.1
    assert far.received_tone(440) > 0.9
    assert far.received_tone(1000) < 0.1
    near.command("hold")
    time.sleep(0.5)
    heard = far.decoded_seconds()
    time.sleep(1)
    assert far.decoded_seconds() == heard
    near.command("resume")
    time.sleep(1.5)
    assert far.decoded_seconds() > heard + 0.5
    near.command("hangup")
    far.wait_for("CALL_CLOSED")
