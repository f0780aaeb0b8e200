"""Encrypted calls to baresip out of a house, and its own calls out of one (in the clear: test_nat)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from interop.baresip import Baresip
from interop.conftest import SMALL
from interop.coturn import Coturn
from interop.namespaces import Internet, Namespace
from interop.unit import Unit
from interop.waiting import until

TONE, FAR_TONE = 660, 440


class World:
    """An Internet with a STUN and TURN server, a unit and a baresip."""

    def __init__(self, running: ExitStack, program: Callable[[str], str], folder: Path) -> None:
        self._running, self._program, self._folder = running, program, folder
        program("ip")
        self.internet = running.enter_context(Internet())
        outside = self.internet.outside
        self.turn = running.enter_context(
            Coturn(program("turnserver"), folder / "turn", outside.address, namespace=outside)
        )

    def house(self, *, symmetric: bool = False) -> Namespace:
        return self.internet.house(self._program("nft"), symmetric=symmetric)

    def unit(self, home: Namespace) -> Unit:
        settings = {"h323": {"enabled": False}, "media": SMALL, "nat": self.turn.settings}
        return self._running.enter_context(
            Unit(self._folder / "unit", settings, address=home.address, tone=TONE, namespace=home)
        )

    def baresip(self, home: Namespace, *, encryption: str = "") -> Baresip:
        far = Baresip(
            self._program("baresip"),
            self._folder / "baresip",
            tone=FAR_TONE,
            encryption=encryption,
            ice=True,
            server=f"stun:{self.turn.address}:3478",
            address=home.address,
            namespace=home,
        )
        return self._running.enter_context(far)


@pytest.fixture
def world(program: Callable[[str], str], tmp_path: Path) -> Iterator[World]:
    with ExitStack() as running:
        yield World(running, program, tmp_path)


def assert_they_hear(unit: Unit, far: Baresip) -> None:
    assert until(lambda: unit.heard_tone(FAR_TONE) > 0.8, 20.0), far.log()[-3000:]
    assert until(lambda: far.received_tone(TONE) > 0.8, 20.0), far.log()[-3000:]


def way(unit: Unit) -> set[str]:
    [call] = unit.state()["calls"]
    return {stream["way"] for stream in unit.streams(call["id"]).values()}


@pytest.mark.parametrize("encryption", ["srtp", "dtls_srtp"])
def test_the_unit_calls_out_of_its_house(world: World, encryption: str) -> None:
    unit = world.unit(world.house())
    far = world.baresip(world.internet.host(), encryption=encryption)
    unit.dial(far.uri)
    call = unit.wait_for_call()
    assert_they_hear(unit, far)
    assert until(lambda: way(unit) == {"nat"})
    unit.command(call, "hold")
    unit.wait(lambda state: state["calls"][0]["held"])
    unit.command(call, "resume")
    unit.wait(lambda state: not state["calls"][0]["held"])
    unit.forget_sound()
    assert until(lambda: unit.heard_tone(FAR_TONE) > 0.8, 20.0), far.log()[-3000:]


def test_baresip_calls_out_of_its_house(world: World) -> None:
    unit = world.unit(world.internet.host())
    far = world.baresip(world.house())
    far.dial(f"sip:room@{unit.address}")
    unit.wait_for_call()
    assert_they_hear(unit, far)
    assert until(lambda: way(unit) == {"nat"})
