"""Asterisk calls the unit and is called by SIP, with either of its SIP stacks: sound both ways, proven by its tones."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from interop.asterisk import Asterisk
from interop.asterisk_calls import assert_both_hear, be_called, call_in_a_row, connect, notice, target
from interop.asterisk_configuration import Settings
from interop.unit import Unit
from interop.waiting import until

StartUnit = Callable[..., Unit]
StartAsterisk = Callable[..., Asterisk]
SMALL = {"width": 320, "height": 180}
UNSAID, NORMAL, BUSY, REJECTED = 0, 16, 17, 21
"""Causes of Q.850."""

both_stacks = pytest.mark.parametrize("technology", ["PJSIP", "SIP"])
codecs = pytest.mark.parametrize(
    ("codec", "name", "tones"), [("g722", "G722", (5000, 5800)), ("ulaw", "PCMU", (440, 660))]
)
"""Tones that G.711 can't carry prove that G.722 is wide band to the end."""


@both_stacks
@codecs
def test_the_unit_calls(
    unit: StartUnit, asterisk: StartAsterisk, technology: str, codec: str, name: str, tones: tuple[int, int]
) -> None:
    calling, far = unit({"media": SMALL}, tone=tones[0]), asterisk(Settings(codecs=(codec,)), tone=tones[1])
    call, far_call = connect(calling, far, technology)
    assert_both_hear(calling, far)
    assert {stream["codec"] for stream in calling.streams(call).values()} == {name}
    calling.command(call, "hang_up")
    assert far.cause(far_call) in (NORMAL, UNSAID)
    calling.wait_for_idle()


@both_stacks
@codecs
def test_the_unit_is_called(
    unit: StartUnit, asterisk: StartAsterisk, technology: str, codec: str, name: str, tones: tuple[int, int]
) -> None:
    answering, far = unit({"media": SMALL}, tone=tones[0]), asterisk(Settings(codecs=(codec,)), tone=tones[1])
    call, far_call = be_called(answering, far, technology)
    assert_both_hear(answering, far)
    assert {stream["codec"] for stream in answering.streams(call).values()} == {name}
    far.hang_up(far_call)
    assert notice(answering) == "The call was hung up."


@both_stacks
def test_the_unit_hears_itself(answering: Unit, asterisk: StartAsterisk, technology: str) -> None:
    far = asterisk()
    _, far_call = connect(answering, far, technology, "echo")
    answering.forget_sound()
    assert until(lambda: answering.heard_tone(answering.tone) > 0.8)
    far.hang_up(far_call)
    assert notice(answering) == "The call was hung up."


def test_calls_over_tcp(answering: Unit, asterisk: StartAsterisk) -> None:
    far = asterisk()
    call = answering.dial(f"{far.uri('PJSIP', 'tone')};transport=tcp")
    answering.wait_for_call()
    assert_both_hear(answering, far)
    answering.command(call, "hang_up")
    far.wait_for_idle()
    far_call = far.call("PJSIP", f"{target(answering, 'PJSIP')};transport=tcp")
    assert far.outcome(far_call) == "ANSWER"
    assert_both_hear(answering, far)
    far.hang_up(far_call)


@both_stacks
def test_asterisk_is_busy(answering: Unit, asterisk: StartAsterisk, technology: str) -> None:
    answering.dial(asterisk().uri(technology, "busy"))
    assert notice(answering) == "The far end is busy."


@both_stacks
def test_asterisk_knows_no_such_extension(answering: Unit, asterisk: StartAsterisk, technology: str) -> None:
    answering.dial(asterisk().uri(technology, "nobody"))
    assert notice(answering) == "The address is not known there."


@both_stacks
def test_the_unit_is_busy(ringing: Unit, asterisk: StartAsterisk, technology: str) -> None:
    far = asterisk()
    first = far.call(technology, target(ringing, technology))
    ringing.wait_for_call("incoming")
    second = far.call(technology, target(ringing, technology))
    assert far.outcome(second) == "BUSY"
    assert far.cause(second) == BUSY
    far.hang_up(first)


@both_stacks
def test_nobody_answers(unit: StartUnit, asterisk: StartAsterisk, technology: str) -> None:
    calling, far = unit({"room": {"ring_time": 5}, "media": SMALL}), asterisk()
    calling.dial(far.uri(technology, "ring"))
    calling.wait_for_call("alerting")
    far.wait_for_call("Ring")
    assert notice(calling) == "Nobody answered."
    far.wait_for_idle()


@both_stacks
def test_the_unit_gives_up(answering: Unit, asterisk: StartAsterisk, technology: str) -> None:
    far = asterisk()
    call = answering.dial(far.uri(technology, "ring"))
    answering.wait_for_call("alerting")
    answering.command(call, "hang_up")
    far.wait_for_idle()


@both_stacks
def test_asterisk_gives_up(ringing: Unit, asterisk: StartAsterisk, technology: str) -> None:
    far = asterisk()
    call = far.call(technology, target(ringing, technology))
    ringing.wait_for_call("incoming")
    far.wait_for_call("Ringing")
    far.hang_up(call)
    assert notice(ringing) == "The caller gave up."


@both_stacks
def test_the_unit_declines(ringing: Unit, asterisk: StartAsterisk, technology: str) -> None:
    far = asterisk()
    call = far.call(technology, target(ringing, technology))
    ringing.command(ringing.wait_for_call("incoming"), "hang_up")
    assert far.cause(call) == REJECTED


@both_stacks
@pytest.mark.parametrize("digits", ["rfc2833", "info"])
def test_digits(answering: Unit, asterisk: StartAsterisk, technology: str, digits: str) -> None:
    far = asterisk(Settings(digits=digits))
    call, far_call = connect(answering, far, technology)
    answering.command(call, "digits", {"digits": "17*#0D"})
    assert until(lambda: far.digits(far_call) == "17*#0D"), far.digits(far_call)
    far.send_digits(far_call, "17*#0D")
    answering.wait(lambda state: state["calls"][0]["digits"] == "17*#0D")
    assert_both_hear(answering, far)
    answering.command(call, "hang_up")


@both_stacks
def test_hold_and_resume(answering: Unit, asterisk: StartAsterisk, technology: str) -> None:
    far = asterisk()
    call, _ = connect(answering, far, technology)
    assert_both_hear(answering, far)
    answering.command(call, "hold")
    answering.wait(lambda state: state["calls"][0]["held"])
    time.sleep(1)
    answering.forget_sound()
    far.forget_sound()
    time.sleep(1.5)
    assert answering.heard_tone(far.tone) < 0.1
    assert far.received_tone(answering.tone) < 0.1
    answering.command(call, "resume")
    answering.wait(lambda state: not state["calls"][0]["held"])
    assert_both_hear(answering, far)
    answering.command(call, "hang_up")
    far.wait_for_idle()


@both_stacks
def test_calls_in_a_row(answering: Unit, asterisk: StartAsterisk, technology: str) -> None:
    call_in_a_row(answering, asterisk(), technology, 10)
