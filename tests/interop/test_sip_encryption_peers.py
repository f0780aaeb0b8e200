"""Encrypted calls with baresip and with Asterisk, both ways: picture and sound are proven by their content."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from interop.asterisk import Asterisk
from interop.asterisk_calls import assert_both_hear as asterisk_hears
from interop.asterisk_calls import be_called, connect
from interop.asterisk_configuration import Settings
from interop.baresip import Baresip
from interop.test_baresip import assert_both_hear, assert_both_see_and_hear
from interop.unit import Unit
from interop.waiting import until

pytestmark = pytest.mark.interop

StartUnit = Callable[..., Unit]
StartBaresip = Callable[..., Baresip]
StartAsterisk = Callable[..., Asterisk]
SMALL = {"width": 640, "height": 360}


def policy(name: str) -> dict[str, dict[str, object]]:
    return {"media": {**SMALL, "encryption": name}}


def is_encrypted(unit: Unit) -> bool:
    return bool(unit.state()["calls"][0]["encrypted"])


@pytest.mark.parametrize(
    ("encryption", "wanted"),
    [("srtp", "preferred"), ("srtp-mand", "preferred"), ("srtp-mandf", "required"), ("srtp", "required")],
)
def test_baresip_calls(unit: StartUnit, baresip: StartBaresip, encryption: str, wanted: str) -> None:
    answering, far = unit(policy(wanted)), baresip(encryption=encryption)
    far.dial(answering.uri)
    far.wait_for("CALL_ESTABLISHED")
    call = answering.wait_for_call()
    assert_both_see_and_hear(answering, far)
    assert is_encrypted(answering)
    assert far.log().count("SRTP is Enabled") == 2
    assert all(stream["lost"] == 0 for stream in answering.streams(call).values())
    far.command("hangup")
    answering.wait_for_idle()


@pytest.mark.parametrize(
    ("encryption", "wanted"), [("srtp", "preferred"), ("srtp-mand", "preferred"), ("srtp-mand", "required")]
)
def test_baresip_is_called(unit: StartUnit, baresip: StartBaresip, encryption: str, wanted: str) -> None:
    calling, far = unit(policy(wanted)), baresip(encryption=encryption)
    call = calling.dial(far.uri)
    calling.wait_for_call()
    assert_both_see_and_hear(calling, far)
    assert is_encrypted(calling)
    assert until(lambda: calling.streams(call)["audio", "send"]["round_trip"] is not None), "reports are read"
    calling.command(call, "hold")
    calling.wait(lambda state: state["calls"][0]["held"])
    calling.command(call, "resume")
    calling.wait(lambda state: not state["calls"][0]["held"])
    calling.forget_sound()
    assert until(lambda: calling.heard_tone(far.tone) > 0.8), "the same keys go on after hold"
    calling.command(call, "hang_up")
    far.wait_for("CALL_CLOSED")


DTLS = {"sip": {"srtp": ["dtls"]}}


@pytest.mark.parametrize(("wanted", "settings"), [("preferred", {}), ("required", {}), ("required", DTLS)])
def test_baresip_calls_with_dtls(
    unit: StartUnit, baresip: StartBaresip, wanted: str, settings: dict[str, dict[str, object]]
) -> None:
    answering, far = unit({**policy(wanted), **settings}), baresip(encryption="dtls_srtp")
    far.dial(answering.uri)
    far.wait_for("CALL_ESTABLISHED")
    call = answering.wait_for_call()
    assert_both_see_and_hear(answering, far)
    assert is_encrypted(answering)
    assert until(lambda: answering.streams(call)["audio", "send"]["round_trip"] is not None), "reports are read"
    far.command("hangup")
    answering.wait_for_idle()


@pytest.mark.parametrize(("wanted", "settings"), [("preferred", {}), ("required", {}), ("required", DTLS)])
def test_baresip_is_called_with_dtls(
    unit: StartUnit, baresip: StartBaresip, wanted: str, settings: dict[str, dict[str, object]]
) -> None:
    calling, far = unit({**policy(wanted), **settings}), baresip(encryption="dtls_srtp")
    call = calling.dial(far.uri)
    calling.wait_for_call()
    assert_both_see_and_hear(calling, far)
    assert is_encrypted(calling)
    calling.command(call, "hold")
    calling.wait(lambda state: state["calls"][0]["held"])
    calling.command(call, "resume")
    calling.wait(lambda state: not state["calls"][0]["held"])
    calling.forget_sound()
    assert until(lambda: calling.heard_tone(far.tone) > 0.8), "the same keys go on after hold"
    assert until(lambda: is_encrypted(calling))
    calling.command(call, "hang_up")
    far.wait_for("CALL_CLOSED")


def test_baresip_knows_no_encryption(unit: StartUnit, baresip: StartBaresip) -> None:
    """What a unit offers by itself has to be answered by those who never heard of keys."""
    calling, far = unit(policy("preferred")), baresip()
    calling.dial(far.uri)
    calling.wait_for_call()
    assert_both_hear(calling, far)
    assert not is_encrypted(calling)


both_stacks = pytest.mark.parametrize("technology", ["PJSIP", "SIP"])


@both_stacks
@pytest.mark.parametrize("wanted", ["preferred", "required"])
def test_asterisk_is_called(unit: StartUnit, asterisk: StartAsterisk, technology: str, wanted: str) -> None:
    calling, far = unit(policy(wanted), tone=660), asterisk(Settings(encryption="sdes"), tone=880)
    call, _ = connect(calling, far, technology)
    asterisk_hears(calling, far)
    assert is_encrypted(calling)
    calling.command(call, "hang_up")
    far.wait_for_idle()


@pytest.mark.parametrize("wanted", ["preferred", "required"])
def test_asterisk_calls(unit: StartUnit, asterisk: StartAsterisk, wanted: str) -> None:
    """By PJSIP only: chan_sip encrypts calls to those it has in its configuration."""
    answering, far = unit(policy(wanted), tone=660), asterisk(Settings(encryption="sdes"), tone=880)
    _, far_call = be_called(answering, far, "PJSIP")
    asterisk_hears(answering, far)
    assert is_encrypted(answering)
    far.hang_up(far_call)
    answering.wait_for_idle()


@both_stacks
def test_asterisk_is_called_with_dtls(unit: StartUnit, asterisk: StartAsterisk, technology: str) -> None:
    calling, far = unit(policy("required"), tone=660), asterisk(Settings(encryption="dtls"), tone=880)
    call, _ = connect(calling, far, technology)
    asterisk_hears(calling, far)
    assert is_encrypted(calling)
    calling.command(call, "hang_up")
    far.wait_for_idle()


def test_asterisk_calls_with_dtls(unit: StartUnit, asterisk: StartAsterisk) -> None:
    answering, far = unit(policy("required"), tone=660), asterisk(Settings(encryption="dtls"), tone=880)
    _, far_call = be_called(answering, far, "PJSIP")
    asterisk_hears(answering, far)
    assert is_encrypted(answering)
    far.hang_up(far_call)
    answering.wait_for_idle()


@both_stacks
def test_asterisk_without_encryption_is_called(unit: StartUnit, asterisk: StartAsterisk, technology: str) -> None:
    calling, far = unit(policy("preferred"), tone=660), asterisk(tone=880)
    connect(calling, far, technology)
    asterisk_hears(calling, far)
