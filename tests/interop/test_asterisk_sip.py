"""Asterisk calls the unit and is called by SIP, with either of its SIP stacks: sound both ways, proven by its tones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from interop.asterisk import Asterisk
from interop.asterisk_calls import assert_both_hear, be_called, call_in_a_row, connect, hold_and_resume, notice, target
from interop.asterisk_configuration import Settings
from interop.unit import Unit
from interop.waiting import until

StartUnit = Callable[..., Unit]
StartAsterisk = Callable[..., Asterisk]
SMALL = {"width": 320, "height": 180}
UNSAID, NORMAL = 0, 16
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
def test_asterisk_knows_no_such_extension(answering: Unit, asterisk: StartAsterisk, technology: str) -> None:
    answering.dial(asterisk().uri(technology, "nobody"))
    assert notice(answering) == "The address is not known there."


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
    hold_and_resume(answering, far, technology)


@both_stacks
def test_calls_in_a_row(answering: Unit, asterisk: StartAsterisk, technology: str) -> None:
    call_in_a_row(answering, asterisk(), technology, 10)
