"""Asterisk as a PBX between two units: it joins them, lets hold through, is told to transfer; it echoes pictures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from interop.asterisk import Asterisk
from interop.asterisk_calls import assert_both_hear
from interop.asterisk_configuration import Settings
from interop.conftest import SMALL
from interop.unit import CARD_LABEL, Unit
from interop.waiting import until

from board.sim.counter import card_number, read_cards

pytestmark = pytest.mark.interop

StartUnit = Callable[..., Unit]
StartAsterisk = Callable[..., Asterisk]
both_stacks = pytest.mark.parametrize("technology", ["PJSIP", "SIP"])
WITH_PICTURES = Settings(codecs=("ulaw", "h264"), sip=("videosupport=yes",))
ONE_AT_A_TIME = {"room": {"auto_answer": True, "several_calls": "hold"}, "media": SMALL}
NARROW = (480, 270)
"""A screen on which the code of the self-view is too small to be read, and that of the far end is not."""


def echoed(unit: Unit) -> int | None:
    """The counter of the unit's own card where the far end's picture is."""
    return read_cards(unit.screen(*NARROW)).get(card_number(CARD_LABEL))


@both_stacks
def test_the_unit_sees_itself(unit: StartUnit, asterisk: StartAsterisk, technology: str) -> None:
    ours, far = unit({"media": {"width": 640, "height": 360}}), asterisk(WITH_PICTURES)
    assert echoed(ours) is None
    call = ours.dial(far.uri(technology, "echo"))
    ours.wait_for_call()
    assert until(lambda: echoed(ours) is not None), ours.log()[-4000:]
    first = echoed(ours)
    assert first is not None
    assert until(lambda: (echoed(ours) or 0) > first + 30), "the picture moves"
    sent, received = (ours.streams(call)["video", direction] for direction in ("send", "receive"))
    assert sent["codec"] == received["codec"] == "H264"
    ours.forget_sound()
    assert until(lambda: ours.heard_tone(ours.tone) > 0.8)
    # On hold nothing comes; after it, the picture is there again.
    ours.command(call, "hold")
    ours.wait(lambda state: state["calls"][0]["held"])
    assert until(lambda: echoed(ours) is None)
    ours.command(call, "resume")
    assert until(lambda: echoed(ours) is not None), ours.log()[-4000:]
    ours.command(call, "hang_up")
    far.wait_for_idle()


def joined(unit: StartUnit, asterisk: StartAsterisk, technology: str, *lines: str) -> tuple[Unit, Unit, Asterisk]:
    """Two units that Asterisk has joined: who called, and who was called."""
    calling, called = unit(ONE_AT_A_TIME, tone=660), unit(ONE_AT_A_TIME, tone=880)
    settings = Settings(passes_to=called.uri.removeprefix("sip:"), pjsip=lines if technology == "PJSIP" else ())
    far = asterisk(settings, tone=440)
    calling.dial(far.uri(technology, f"through-{technology}"))
    calling.wait_for_call()
    called.wait_for_call()
    for one, other in ((calling, called), (called, calling)):
        one.forget_sound()
        assert until(lambda one=one, tone=other.tone: one.heard_tone(tone) > 0.8), one.log()[-4000:]  # type: ignore[misc]
    return calling, called, far


def check_passed_on(calling: Unit, called: Unit, far: Asterisk) -> None:
    assert calling.wait_for_idle()["notice"]["text"] == "The call was passed on."
    called.forget_sound()
    assert until(lambda: called.heard_tone(far.tone) > 0.8), called.log()[-4000:]
    called.command("current", "hang_up")
    called.wait_for_idle()
    far.wait_for_idle()


@both_stacks
def test_the_unit_passes_another_on(unit: StartUnit, asterisk: StartAsterisk, technology: str) -> None:
    calling, called, far = joined(unit, asterisk, technology)
    calling.command(calling.wait_for_call(), "transfer", {"address": far.uri(technology, "tone")})
    check_passed_on(calling, called, far)


@both_stacks
def test_the_unit_passes_another_on_after_consultation(
    unit: StartUnit, asterisk: StartAsterisk, technology: str
) -> None:
    calling, called, far = joined(unit, asterisk, technology)
    first = calling.state()["calls"][0]["id"]
    second = calling.dial(far.uri(technology, "tone"))
    calling.wait(
        lambda state: (
            [(call["state"], call["held"]) for call in state["calls"]] == [("active", True), ("active", False)]
        )
    )
    assert_both_hear(calling, far)
    calling.command(first, "transfer", {"call": second})
    check_passed_on(calling, called, far)


@both_stacks
def test_the_unit_passes_another_on_to_nobody(unit: StartUnit, asterisk: StartAsterisk, technology: str) -> None:
    calling, called, far = joined(unit, asterisk, technology)
    calling.command(calling.wait_for_call(), "transfer", {"address": far.uri(technology, "nobody")})
    calling.wait(lambda state: (state["notice"] or {}).get("text") == "The call could not be passed on.")
    assert [view["state"] for each in (calling, called) for view in each.state()["calls"]] == ["active"] * 2
    calling.command("current", "hang_up")
    called.wait_for_idle()
    far.wait_for_idle()


def test_hold_that_goes_through(unit: StartUnit, asterisk: StartAsterisk) -> None:
    """Asterisk holds the unit as soon as the other unit holds Asterisk."""
    calling, called, far = joined(unit, asterisk, "PJSIP", "moh_passthrough=yes")
    for holding, held in ((called, calling), (calling, called)):
        holding.command(holding.wait_for_call(), "hold")
        held.wait(lambda state: state["calls"][0]["held_by_far_end"])
        holding.command(holding.wait_for_call(), "resume")
        held.wait(lambda state: not state["calls"][0]["held_by_far_end"])
        held.forget_sound()
        assert until(lambda held=held, tone=holding.tone: held.heard_tone(tone) > 0.8)  # type: ignore[misc]
    called.command("current", "hang_up")
    calling.wait_for_idle()
    far.wait_for_idle()
