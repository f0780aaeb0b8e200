"""Registered at a real Asterisk with either of its SIP stacks: by its digest, which challenges calls with 401."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from interop.asterisk import Asterisk
from interop.asterisk_calls import assert_both_hear, notice
from interop.asterisk_configuration import PORTS, Settings
from interop.conftest import SMALL
from interop.unit import Unit

both_stacks = pytest.mark.parametrize("technology", ["PJSIP", "SIP"])


def account(far: Asterisk, technology: str, **settings: Any) -> dict[str, Any]:
    address = f"alice@{far.address}:{PORTS[technology]}"
    return {"sip": {"accounts": [{"address": address, "password": "secret", **settings}]}, "media": SMALL}


@both_stacks
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_calls_both_ways(
    unit: Callable[..., Unit], asterisk: Callable[..., Asterisk], technology: str, transport: str
) -> None:
    far = asterisk(Settings(users=(("alice", "secret"),)))
    ours = unit(account(far, technology, transport=transport))
    ours.wait(lambda state: state["registrations"][0]["state"] == "registered")
    # By the number alone.
    call = ours.dial("100")
    far_call = far.wait_for_call()
    ours.wait_for_call()
    assert_both_hear(ours, far)
    ours.command(call, "hold")
    ours.command(call, "resume")
    far.hang_up(far_call)
    assert notice(ours) == "The call was hung up."
    # And by its registration.
    far_call = far.call_user(technology, "alice")
    assert far.outcome(far_call) == "ANSWER", far.log()[-4000:]
    ours.wait_for_call()
    assert_both_hear(ours, far)
    far.hang_up(far_call)
    assert notice(ours) == "The call was hung up."


@both_stacks
def test_a_wrong_password(unit: Callable[..., Unit], asterisk: Callable[..., Asterisk], technology: str) -> None:
    far = asterisk(Settings(users=(("alice", "another"),)))
    ours = unit(account(far, technology))
    state = ours.wait(lambda state: state["registrations"][0]["state"] == "failed")
    reasons = {"PJSIP": "the user name or the password is wrong", "SIP": "the server does not allow it"}
    assert state["registrations"][0]["reason"] == reasons[technology]
