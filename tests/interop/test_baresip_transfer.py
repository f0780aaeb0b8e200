"""baresip passes the unit on, and is passed on by it (RFC 3515); and keys digits in both ways."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from interop.baresip import Baresip
from interop.conftest import SMALL
from interop.unit import Unit
from interop.waiting import until

pytestmark = pytest.mark.interop

StartUnit = Callable[..., Unit]
StartBaresip = Callable[..., Baresip]


def test_baresip_passes_the_unit_on(unit: StartUnit, baresip: StartBaresip) -> None:
    answering, far, third = unit({"media": SMALL}), baresip(card=None), baresip(card=None, tone=660.0)
    far.dial(answering.uri)
    far.wait_for("CALL_ESTABLISHED")
    answering.wait_for_call()
    far.command("transfer", third.uri)
    third.wait_for("CALL_ESTABLISHED")
    far.wait_for("CALL_CLOSED")
    state = answering.wait(
        lambda state: [(call["remote"], call["state"]) for call in state["calls"]] == [(third.uri, "active")]
    )
    answering.forget_sound()
    assert until(lambda: answering.heard_tone(660.0) > 0.8), "the unit hears the third"
    answering.command(state["calls"][0]["id"], "hang_up")
    third.wait_for("CALL_CLOSED")


def test_baresip_passes_the_unit_on_to_nobody(unit: StartUnit, baresip: StartBaresip) -> None:
    answering, far, third = unit({"media": SMALL}), baresip(card=None), baresip(card=None, answer="manual")
    far.dial(answering.uri)
    far.wait_for("CALL_ESTABLISHED")
    answering.wait_for_call()
    far.command("transfer", third.uri)
    third.wait_for("CALL_INCOMING")
    third.command("hangup")
    assert "486" in far.wait_for("TRANSFER_FAILED")["param"], "what the third said"
    answering.wait_for_idle()  # baresip does not stay in the call


@pytest.mark.parametrize("far_calls", [True, False], ids=["that called", "that was called"])
def test_the_unit_passes_baresip_on(unit: StartUnit, baresip: StartBaresip, far_calls: bool) -> None:
    calling, far, third = unit({"media": SMALL}), baresip(card=None), baresip(card=None, tone=660.0)
    if far_calls:
        far.dial(calling.uri)
    else:
        calling.dial(far.uri)
    call = calling.wait_for_call()
    far.wait_for("CALL_ESTABLISHED")
    calling.command(call, "transfer", {"address": third.uri})
    third.wait_for("CALL_ESTABLISHED")
    assert calling.wait_for_idle()["notice"]["text"] == "The call was passed on."
    far.forget_sound()
    assert until(lambda: far.received_tone(660.0) > 0.8), "baresip hears the third"


def test_the_unit_passes_baresip_on_to_somebody_who_declines(unit: StartUnit, baresip: StartBaresip) -> None:
    calling, far, third = unit({"media": SMALL}), baresip(card=None), baresip(card=None, answer="manual")
    call = calling.dial(far.uri)
    calling.wait_for_call()
    calling.command(call, "transfer", {"address": third.uri})
    third.wait_for("CALL_INCOMING")
    third.command("hangup")
    calling.wait(lambda state: (state["notice"] or {}).get("text") == "The call could not be passed on.")
    assert [view["id"] for view in calling.state()["calls"]] == [call]


def test_digits_from_baresip(unit: StartUnit, baresip: StartBaresip) -> None:
    answering, far = unit({"media": SMALL}), baresip(card=None)
    far.dial(answering.uri)
    far.wait_for("CALL_ESTABLISHED")
    answering.wait_for_call()
    far.command("sndcode", "42#")
    answering.wait(lambda state: state["calls"][0]["digits"] == "42#")
