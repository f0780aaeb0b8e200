"""Asterisk refreshes calls, wants to be sure that it rings, sends the unit elsewhere and passes it on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from interop.asterisk import Asterisk
from interop.asterisk_calls import assert_both_hear, target
from interop.asterisk_configuration import Settings
from interop.conftest import SMALL
from interop.sipp import Sipp
from interop.unit import Unit
from interop.waiting import until

pytestmark = pytest.mark.interop

StartUnit = Callable[..., Unit]
StartAsterisk = Callable[..., Asterisk]
both_stacks = pytest.mark.parametrize("technology", ["PJSIP", "SIP"])
TIMED = Settings(
    pjsip=("timers=always", "timers_min_se=90", "timers_sess_expires=90"),
    sip=("session-timers=originate", "session-expires=90", "session-minse=90"),
)


def test_calls_with_a_session_timer_outlive_its_interval(unit: StartUnit, asterisk: StartAsterisk) -> None:
    """90 s, refreshed after 45: whoever does it, the calls are there after 95 s; both stacks and directions at once."""
    settings = {"room": {"several_calls": "together", "auto_answer": True}, "media": SMALL}
    answering, far = unit(settings), asterisk(TIMED)
    for technology in ("PJSIP", "SIP"):
        answering.dial(far.uri(technology, "tone"))
        far.call(technology, target(answering, technology))

    def active(state: dict[str, Any]) -> int:
        return sum(call["state"] == "active" for call in state["calls"])

    answering.wait(lambda state: active(state) == 4)
    begin = time.monotonic()
    with pytest.raises(AssertionError):
        answering.wait(lambda state: active(state) < 4, 95.0)
    assert time.monotonic() - begin > 90
    refreshes = [line for line in answering.log().splitlines() if "UPDATE sip" in line or "INVITE sip" in line]
    assert len(refreshes) > 8, "four calls, and a refresh of each"
    for call in answering.state()["calls"]:
        answering.command(call["id"], "hang_up")


@pytest.mark.parametrize("reliable", ["yes", "required"])
def test_ringing_for_sure(ringing: Unit, asterisk: StartAsterisk, reliable: str) -> None:
    far = asterisk(Settings(pjsip=(f"100rel={reliable}",)))
    call = ringing.dial(far.uri("PJSIP", "ring"))
    ringing.wait_for_call("alerting")
    if reliable == "required":
        assert until(lambda: "PRACK sip:" in ringing.log()), "Asterisk answers it with 200"
    ringing.command(call, "hang_up")
    ringing.wait_for_idle()
    far_call = far.call("PJSIP", target(ringing, "PJSIP"))
    incoming = ringing.wait_for_call("incoming")
    far.wait_for_call("Ringing")
    ringing.command(incoming, "answer")
    assert far.outcome(far_call) == "ANSWER"
    assert_both_hear(ringing, far)
    far.hang_up(far_call)


@both_stacks
@pytest.mark.parametrize("extension", ["pass", "move"])
def test_asterisk_sends_the_unit_to_somebody_else(
    answering: Unit, asterisk: StartAsterisk, sipp: Callable[..., Sipp], technology: str, extension: str
) -> None:
    third = sipp("callee")
    far = asterisk(Settings(passes_to=third.uri.removeprefix("sip:")))
    answering.dial(far.uri(technology, f"{extension}-{technology}"))
    third_call = answering.wait(
        lambda state: (
            [view["state"] for view in state["calls"]] == ["active"]
            and ("sipp@" in state["calls"][0]["remote"] or extension == "move")
        )
    )["calls"][0]["id"]
    answering.command(third_call, "hang_up")
    third.finish()
