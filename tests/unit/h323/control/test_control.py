"""The door: what may be done when, its one timer, its allowance, and that nothing that comes makes it raise."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from h245_bench import AUDIO, CAPABILITIES, Bench, Pair, capability_set, request, response

from firmware.asn1 import Value
from firmware.errors import LocalProtocolError
from firmware.h323.control.allowance import BURST
from firmware.h323.control.capability_exchange import T101
from firmware.h323.control.control import TERMINAL, Control
from firmware.h323.control.events import Determined, Failed
from firmware.h323.control.link import PATIENCE
from firmware.h323.control.master_slave import T106
from firmware.h323.control.round_trip import INTERVAL


def test_start() -> None:
    control = Control(random.Random(1))
    assert not control.started
    control.start(CAPABILITIES, 0.0)
    assert control.started
    (_, (first, _)), (_, (second, content)) = control.outgoing()
    assert (first, second) == ("terminalCapabilitySet", "masterSlaveDetermination")
    assert content["terminalType"] == TERMINAL
    assert control.outgoing() == []
    with pytest.raises(LocalProtocolError):
        control.start(CAPABILITIES, 0.0)


def test_start_after_the_far_end_has_determined() -> None:
    bench = Bench()
    bench.receive(
        request("masterSlaveDetermination", terminalType=190, statusDeterminationNumber=1),
        response("masterSlaveDeterminationAck", decision=("slave", None)),
    )
    assert bench.events() == [Determined(False)]
    bench.sent()
    bench.start()
    assert bench.names() == ["terminalCapabilitySet"]


def test_nothing_may_be_sent_before_the_start() -> None:
    with pytest.raises(LocalProtocolError):
        Control(random.Random(1)).send_capabilities({}, 0.0)


def test_channels_only_when_ready() -> None:
    bench = Bench()
    steps: list[Callable[[], None]] = [
        bench.start,
        lambda: bench.receive(capability_set(1)),
        lambda: bench.receive(response("masterSlaveDeterminationAck", decision=("master", None))),
    ]
    for step in steps:
        assert not bench.control.ready
        with pytest.raises(LocalProtocolError):
            bench.control.open_channel(AUDIO, {"sessionID": 1}, 0.0)
        step()
    assert bench.control.ready
    assert bench.control.open_channel(AUDIO, {"sessionID": 1}, 0.0) == 1


def test_timer_is_the_first_of_all() -> None:
    bench = Bench()
    assert bench.control.timer() is None
    bench.start()
    assert bench.control.timer() == T101
    bench.receive(response("terminalCapabilitySetAck", sequenceNumber=1))
    assert bench.control.timer() == T106, "the determination is still under way"


def test_timer_of_a_call_that_goes_on() -> None:
    bench = Bench()
    bench.establish()
    assert bench.control.timer() == INTERVAL
    bench.control.open_channel(AUDIO, {"sessionID": 1}, 5.0)
    assert bench.control.timer() == INTERVAL
    bench.now = 6.0
    bench.control.request_mode([], 6.0)
    assert bench.control.timer() == 16.0


def paused() -> Bench:
    """A call that goes on, until the far end wants to be sent nothing, and then something again."""
    bench = Bench()
    bench.establish()
    bench.receive(capability_set(2, {}))
    assert bench.names() == ["terminalCapabilitySetAck"]
    bench.receive(capability_set(3))
    bench.events()
    return bench


def test_who_may_send_again_begins_anew() -> None:
    # H.323 8.4.6: it may be another terminal now, which knows nothing of us.
    bench = paused()
    assert bench.names() == ["terminalCapabilitySetAck", "terminalCapabilitySet", "masterSlaveDetermination"]
    assert not bench.control.ready
    bench.receive(response("masterSlaveDeterminationAck", decision=("slave", None)))
    assert bench.events() == [Determined(False)]
    assert bench.control.ready


def test_who_does_not_determine_again_is_what_it_was() -> None:
    bench = paused()
    for _ in range(6):
        bench.pass_time(5.0)
        bench.receive(response("roundTripDelayResponse", sequenceNumber=0))  # a sign of life
    assert Determined(True) in bench.events()
    assert bench.control.ready


def test_change_of_a_set_begins_nothing() -> None:
    bench = Bench()
    bench.establish()
    bench.receive(capability_set(2))
    assert bench.names() == ["terminalCapabilitySetAck"]


def test_flood_is_the_end() -> None:
    bench = Bench()
    bench.start()
    bench.sent()
    question = request("roundTripDelayRequest", sequenceNumber=1)
    for _ in range(BURST):
        bench.control.receive(question, 0.0)
    assert len(bench.control.outgoing()) == BURST
    bench.control.receive(question, 0.0)
    bench.control.receive(question, 0.0)
    assert bench.events() == [Failed("the far end sends too many messages")]
    assert bench.sent() == []
    assert bench.control.timer() is None


def test_what_is_known_of_the_far_end() -> None:
    bench = Bench()
    assert (bench.control.master, bench.control.capabilities) == (None, {})
    bench.establish()
    assert (bench.control.master, bench.control.capabilities) == (True, CAPABILITIES)


def unlucky(seed: int) -> Callable[[int, Value], bool]:
    luck = random.Random(seed)
    return lambda sender, message: luck.random() < 0.5


def test_messages_lost_at_random_raise_nothing_and_leave_nothing_undecided() -> None:
    for seed in range(40):
        pair = Pair(lost=unlucky(seed))
        pair.start()
        pair.run(200.0)
        failed = any(pair.of(number, Failed) for number in (0, 1))
        assert failed or all(control.ready for control in pair.controls), seed


def test_while_it_rings_the_far_end_may_be_silent() -> None:
    bench = Bench()
    bench.control.start(CAPABILITIES, 0.0)
    bench.sent()
    bench.pass_time(100.0)
    assert bench.sent() == bench.events() == []
    bench.control.answered(bench.now)
    assert bench.control.timer() == 100.0 + min(T101, T106)
    bench.pass_time(T101)
    assert "terminalCapabilitySetRelease" in bench.names()


def test_who_has_said_one_word_must_answer() -> None:
    bench = Bench()
    bench.control.start(CAPABILITIES, 0.0)
    bench.pass_time(50.0)
    bench.receive(request("roundTripDelayRequest", sequenceNumber=1))
    assert bench.control.timer() == 50.0 + min(T101, T106)


def test_silence_in_a_call_that_is_never_answered() -> None:
    bench = Bench()
    bench.control.start(CAPABILITIES, 0.0)
    bench.pass_time(PATIENCE - 1)
    assert bench.events() == []
    bench.pass_time(2 * T101 + 2)
    assert isinstance(bench.events()[-1], Failed)
