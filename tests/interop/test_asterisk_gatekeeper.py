"""Asterisk and the unit in the zone of one gatekeeper: they call each other by numbers, and it hears of each call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from interop.asterisk import Asterisk
from interop.asterisk_calls import assert_both_hear, notice
from interop.asterisk_configuration import EXTENSIONS, Settings
from interop.gatekeeper_thread import GatekeeperThread
from interop.unit import Unit
from interop.waiting import until

NUMBER = "2000"
StartAsterisk = Callable[..., Asterisk]


@pytest.fixture
def zone() -> Iterator[GatekeeperThread]:
    with GatekeeperThread() as running:
        yield running


@pytest.fixture
def registered(zone: GatekeeperThread, tmp_path: Path) -> Iterator[Unit]:
    settings = {"h323": {"gatekeeper": zone.address, "number": NUMBER}, "media": {"width": 320, "height": 180}}
    with Unit(tmp_path / "unit", settings) as running:
        assert until(lambda: NUMBER in zone.names())
        yield running


def answered(zone: GatekeeperThread) -> dict[bytes, set[bool]]:
    """The calls that somebody asked to answer; Asterisk's first one goes nowhere."""
    return {call: sides for call, sides in list(zone.gatekeeper.calls.items()) if True in sides}


@pytest.mark.parametrize("tunnelling", [True, False], ids=["tunnelled", "separate"])
def test_calls_by_number(zone: GatekeeperThread, registered: Unit, asterisk: StartAsterisk, tunnelling: bool) -> None:
    far = asterisk(Settings(peer=registered.address, gatekeeper=zone.address, tunnelling=tunnelling))
    assert until(lambda: EXTENSIONS["tone"] in zone.names()), far.log()[-2000:]
    call = registered.dial(f"h323:{EXTENSIONS['tone']}")
    far.wait_for_call()
    registered.wait_for_call()
    assert_both_hear(registered, far)
    assert list(answered(zone).values()) == [{True, False}], "both sides asked"
    registered.command(call, "hang_up")
    assert until(lambda: answered(zone) == {}), answered(zone)
    far.wait_for_idle()
    far_call = far.call("OOH323", NUMBER, by_gatekeeper=True)
    registered.wait_for_call()
    assert_both_hear(registered, far)
    assert list(answered(zone).values()) == [{True, False}]
    far.hang_up(far_call)
    assert notice(registered) == "The call was hung up."
    assert until(lambda: answered(zone) == {}), answered(zone)
    assert zone.gatekeeper.faults == []


def test_a_number_that_nobody_has(zone: GatekeeperThread, registered: Unit) -> None:
    registered.dial("h323:999")
    assert notice(registered) == "The address is not known there."


def test_the_gatekeeper_ends_a_call(zone: GatekeeperThread, registered: Unit, asterisk: StartAsterisk) -> None:
    far = asterisk(Settings(peer=registered.address, gatekeeper=zone.address))
    assert until(lambda: EXTENSIONS["tone"] in zone.names())
    registered.dial(f"h323:{EXTENSIONS['tone']}")
    registered.wait_for_call()
    (identifier,) = answered(zone)
    zone.disengage(NUMBER, identifier)
    registered.wait_for_idle()
    far.wait_for_idle()
