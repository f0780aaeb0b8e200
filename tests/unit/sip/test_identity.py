from __future__ import annotations

import random

from sip_peer import flow, request

from firmware.sansio import Send
from firmware.sip import uas
from firmware.sip.identity import EXTENSIONS, METHODS, Identity
from firmware.sip.user_agent import UserAgent


def test_every_method_that_is_allowed_is_answered_and_the_other_way_round() -> None:
    agent = UserAgent(Identity("room"), random.Random(1))
    for number, method in enumerate((*METHODS, *sorted(uas._KNOWN), "OTHER")):
        agent.receive_data(flow(), request(method, branch=f"z9hG4bK{number}", call_id=str(number)).encode(), 0.0)
        agent.handle_timer(1.0)
        statuses = [action.data.split()[1] for action in agent.actions() if isinstance(action, Send)]
        if method == "ACK":
            assert not statuses
        else:
            assert (statuses[-1] in (b"405", b"501")) == (method not in METHODS), method


def test_no_extension_is_promised_that_is_not_there() -> None:
    assert EXTENSIONS == ("100rel", "timer", "replaces", "norefersub"), (
        "RFC 3261 8.1.1.9: what Supported names must be obeyed"
    )
