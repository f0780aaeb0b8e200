"""How calls between Asterisk and the unit begin and end, by each technology that Asterisk has for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from interop.asterisk import Asterisk
from interop.asterisk_calls import connect, notice, target
from interop.asterisk_configuration import Settings
from interop.unit import Unit
from interop.waiting import until

StartUnit = Callable[..., Unit]
StartAsterisk = Callable[..., Asterisk]
BUSY, REJECTED = 17, 21
"""Causes of Q.850."""

pytestmark = pytest.mark.parametrize("technology", ["PJSIP", "SIP", "OOH323"])


def test_the_unit_hears_itself(answering: Unit, asterisk: StartAsterisk, technology: str) -> None:
    far = asterisk(Settings(peer=answering.address))
    _, far_call = connect(answering, far, technology, "echo")
    answering.forget_sound()
    assert until(lambda: answering.heard_tone(answering.tone) > 0.8)
    far.hang_up(far_call)
    assert notice(answering) == "The call was hung up."


def test_asterisk_is_busy(answering: Unit, asterisk: StartAsterisk, technology: str) -> None:
    answering.dial(asterisk(Settings(peer=answering.address)).uri(technology, "busy"))
    assert notice(answering) == "The far end is busy."


def test_the_unit_is_busy(ringing: Unit, asterisk: StartAsterisk, technology: str) -> None:
    far = asterisk(Settings(peer=ringing.address))
    first = far.call(technology, target(ringing, technology))
    ringing.wait_for_call("incoming")
    second = far.call(technology, target(ringing, technology))
    assert far.outcome(second) == "BUSY"
    assert far.cause(second) == BUSY
    far.hang_up(first)


def test_nobody_answers(unit: StartUnit, asterisk: StartAsterisk, technology: str) -> None:
    calling = unit({"room": {"ring_time": 5}, "media": {"width": 320, "height": 180}})
    far = asterisk(Settings(peer=calling.address))
    calling.dial(far.uri(technology, "ring"))
    calling.wait_for_call("alerting")
    far.wait_for_call("Ring")
    assert notice(calling) == "Nobody answered."
    far.wait_for_idle()


def test_the_unit_gives_up(answering: Unit, asterisk: StartAsterisk, technology: str) -> None:
    far = asterisk(Settings(peer=answering.address))
    call = answering.dial(far.uri(technology, "ring"))
    answering.wait_for_call("alerting")
    answering.command(call, "hang_up")
    far.wait_for_idle()


def test_asterisk_gives_up(ringing: Unit, asterisk: StartAsterisk, technology: str) -> None:
    far = asterisk(Settings(peer=ringing.address))
    call = far.call(technology, target(ringing, technology))
    ringing.wait_for_call("incoming")
    far.wait_for_call("Ringing")
    far.hang_up(call)
    assert notice(ringing) == "The caller gave up."


def test_the_unit_declines(ringing: Unit, asterisk: StartAsterisk, technology: str) -> None:
    far = asterisk(Settings(peer=ringing.address))
    call = far.call(technology, target(ringing, technology))
    ringing.command(ringing.wait_for_call("incoming"), "hang_up")
    assert far.cause(call) == REJECTED
