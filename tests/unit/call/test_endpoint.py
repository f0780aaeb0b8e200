"""The SIP classes are what the room's protocols ask for; mypy compares their signatures, this their names."""

from __future__ import annotations

import inspect

import pytest

from firmware.call.endpoint import Endpoint, Leg
from firmware.signaling.sip import SipEndpoint
from firmware.signaling.sip_leg import SipLeg


def as_endpoint(endpoint: SipEndpoint) -> Endpoint:
    return endpoint


def as_leg(leg: SipLeg) -> Leg:
    return leg


@pytest.mark.parametrize(("protocol", "implementation"), [(Endpoint, SipEndpoint), (Leg, SipLeg)])
def test_nothing_is_missing(protocol: type, implementation: type) -> None:
    wanted = {name for name, _ in inspect.getmembers(protocol, inspect.isfunction) if not name.startswith("_")}
    assert wanted
    for name in wanted:
        ours, theirs = inspect.signature(getattr(implementation, name)), inspect.signature(getattr(protocol, name))
        assert list(ours.parameters) == list(theirs.parameters), name
