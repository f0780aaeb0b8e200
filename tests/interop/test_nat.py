"""Units behind NATs call each other: coturn says where they are and relays, Kamailio knows them by name.

The networks are namespaces of Linux with its own NAT, see `interop.namespaces`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from interop.baresip import Baresip
from interop.conftest import FAR_LABEL, SMALL
from interop.coturn import PORT, SECURE_PORT, Coturn
from interop.kamailio import Kamailio
from interop.namespaces import Internet, Namespace
from interop.test_baresip import assert_both_see_and_hear, assert_sees
from interop.test_h323_units import Pair
from interop.unit import CARD_LABEL, Unit
from interop.waiting import until

pytestmark = pytest.mark.interop

SIP_PORT = 5060
USERS = ("alice", "bob")
OFFERED = "the way that was found is offered"
"""Stands in the log of who offers again."""


class World:
    """An Internet with a TURN server and a SIP server, and units in houses."""

    def __init__(self, running: ExitStack, program: Callable[[str], str], folder: Path) -> None:
        self._running = running
        self.program = program
        self.houses: list[Namespace] = []
        """Where the units of `pair` are."""
        self.folder = folder
        program("ip")
        self.internet = running.enter_context(Internet())
        outside = self.internet.outside
        self.authority = Authority(folder / "authority")
        issued = self.authority.issue(outside.address)
        turn = Coturn(program("turnserver"), folder / "turn", outside.address, namespace=outside, certificate=issued)
        self.turn = running.enter_context(turn)
        self.sip = running.enter_context(
            Kamailio(program("kamailio"), folder / "sip", address=outside.address, namespace=outside, nat=True)
        )

    def pair(
        self,
        *,
        symmetric: bool = False,
        nat: dict[str, Any] | None = None,
        far_nat: dict[str, Any] | None = None,
        house: Namespace | None = None,
        far_house: Namespace | None = None,
        **sections: dict[str, Any],
    ) -> Pair:
        """Start two units, each behind a NAT of its own, and wait until both are registered.

        *nat* and *far_nat* are the settings of one and the other, else those of who has a TURN server.
        """
        units = []
        houses, nats = (house, far_house), (nat, far_nat)
        labels = CARD_LABEL, FAR_LABEL
        for user, tone, label, own, chosen in zip(USERS, (660, 880), labels, nats, houses, strict=True):
            house = chosen or self.internet.house(self.program("nft"), symmetric=symmetric)
            self.houses.append(house)
            settings = {
                "sip": {"accounts": [self.sip.account(user, transport="tcp")], **sections.get("sip", {})},
                "h323": {"enabled": False},
                "media": sections.get("media", SMALL),
                "board.sim": {"camera_label": label},
                "nat": self.turn.settings if own is None else own,
                "tls": {"ca": str(self.authority.certificate)},
            }
            unit = Unit(self.folder / user, settings, address=house.address, tone=tone, namespace=house)
            units.append(self._running.enter_context(unit))
        for unit in units:
            unit.wait(lambda state: [each["state"] for each in state["registrations"]] == ["registered"])
        return Pair((units[0], units[1]))

    def connect(self, pair: Pair) -> tuple[str, str]:
        """Have the first call the second; gives the call's number at both."""
        caller, callee = pair.units
        call = caller.dial(f"sip:{USERS[1]}@{self.sip.address}")
        caller.wait_for_call()
        return call, callee.wait_for_call()


@pytest.fixture
def world(program: Callable[[str], str], tmp_path: Path) -> Iterator[World]:
    with ExitStack() as running:
        yield World(running, program, tmp_path)


def ways(unit: Unit, call: str) -> set[str]:
    return {stream["way"] for stream in unit.streams(call).values()}


def invitations(unit: Unit) -> int:
    return len(re.findall(r"sip.transport: > .*'INVITE ", unit.log()))


@pytest.mark.parametrize(("symmetric", "way"), [(False, "nat"), (True, "relay")])
def test_a_call_between_two_houses(world: World, symmetric: bool, way: str) -> None:
    pair = world.pair(symmetric=symmetric)
    caller = pair.units[0]
    numbers = world.connect(pair)
    pair.assert_all_see_and_hear()
    for unit, number in zip(pair.units, numbers, strict=True):
        assert ways(unit, number) == {way}
    # RFC 8839 4.3.4: the pairs are others than the descriptions said, but both keep to RFC 8445.
    assert all(OFFERED not in unit.log() for unit in pair.units)
    caller.command(numbers[0], "hold")
    caller.wait(lambda state: state["calls"][0]["held"])
    time.sleep(2)
    caller.command(numbers[0], "resume")
    pair.assert_all_hear()
    for unit in pair.units:
        unit.kill_media_worker()
        pair.assert_all_see_and_hear()
    caller.command(numbers[0], "hang_up")
    assert pair.wait_for_idle() == ["The call was hung up."] * 2
    # Two media with two components each, of two units; all are given back.
    assert world.turn.granted("ALLOCATE") == 8
    assert until(lambda: world.turn.given_back == 8), world.turn.log()[-3000:]


@pytest.mark.parametrize(("transport", "port"), [("tcp", PORT), ("tls", SECURE_PORT)])
def test_a_call_out_of_a_house_that_lets_out_tcp_only(world: World, transport: str, port: int) -> None:
    house = world.internet.house(world.program("nft"), lets_out=(SIP_PORT, port))
    pair = world.pair(house=house, nat=world.turn.settings_by(transport))
    shut_in, other = pair.units
    numbers = world.connect(pair)
    pair.assert_all_see_and_hear()
    assert [ways(unit, number) for unit, number in zip(pair.units, numbers, strict=True)] == [{"relay"}, {"relay"}]
    # The streams are the room's: whoever codes the media may come and go.
    shut_in.kill_media_worker()
    pair.assert_all_see_and_hear()
    shut_in.command(numbers[0], "hang_up")
    assert pair.wait_for_idle() == ["The call was hung up."] * 2
    assert world.turn.granted("ALLOCATE") == 8
    assert until(lambda: world.turn.given_back == 8), world.turn.log()[-3000:]
    # And the other way round; it is heard whichever side has called.
    number = other.dial(f"sip:{USERS[0]}@{world.sip.address}")
    other.wait_for_call()
    shut_in.wait_for_call()
    pair.assert_all_see_and_hear()
    assert ways(other, number) == {"relay"}
    other.command(number, "hang_up")
    pair.wait_for_idle()


def test_a_server_that_is_somebody_else_relays_nothing(world: World, tmp_path: Path) -> None:
    house = world.internet.house(world.program("nft"), lets_out=(SIP_PORT, SECURE_PORT))
    world.authority = Authority(tmp_path / "other")
    pair = world.pair(house=house, nat=world.turn.settings_by("tls"))
    world.connect(pair)
    notices = [unit.wait_for_idle(60)["notice"]["text"] for unit in pair.units]
    assert "Sound and picture find no way between the two sides." in notices
    assert "its certificate is not accepted" in pair.units[0].log()


@pytest.mark.parametrize("moves", [0, 1])
@pytest.mark.parametrize("keys", ["sdes", "dtls"])
def test_a_call_goes_on_where_a_cable_is_plugged_in_elsewhere(world: World, moves: int, keys: str) -> None:
    """DHCP gives another address: it is noticed at once, and the far end is told where media are now (RFC 8445 9)."""
    pair = world.pair(sip={"srtp": [keys], "addresses": ["0.0.0.0"]})
    numbers = world.connect(pair)
    pair.assert_all_see_and_hear()
    moved, other = pair.units[moves], pair.units[1 - moves]
    world.internet.pull_cable(world.houses[moves])
    time.sleep(2)
    world.internet.plug_in(world.houses[moves])
    assert until(lambda: "another way is looked for" in moved.log(), 20)
    pair.assert_all_see_and_hear()
    assert [each["id"] for unit in pair.units for each in unit.state()["calls"]] == list(numbers)
    # It is registered from there as well, so that its own server finds it.
    moved.wait(lambda state: [each["state"] for each in state["registrations"]] == ["registered"])
    other.command(numbers[1 - moves], "hang_up")
    assert pair.wait_for_idle() == ["The call was hung up."] * 2


def test_a_call_goes_on_where_the_router_has_another_address(world: World) -> None:
    """Nobody tells the unit; it hears nothing any more."""
    pair = world.pair()
    numbers = world.connect(pair)
    pair.assert_all_see_and_hear()
    world.internet.renumber(world.houses[0])
    assert until(lambda: "another way is looked for" in pair.units[0].log(), 30)
    pair.assert_all_see_and_hear()
    pair.units[0].command(numbers[0], "hang_up")
    assert pair.wait_for_idle() == ["The call was hung up."] * 2


def test_a_call_outlives_its_turn_server(world: World) -> None:
    """Whoever needs the server asks it for another address, and tells the far end."""
    house = world.internet.house(world.program("nft"), lets_out=(SIP_PORT, SECURE_PORT))
    pair = world.pair(house=house, nat=world.turn.settings_by("tls"))
    numbers = world.connect(pair)
    pair.assert_all_see_and_hear()
    world.turn.__exit__()
    time.sleep(1)
    world.turn.__enter__()
    assert until(lambda: "another way is looked for" in pair.units[0].log(), 30)
    pair.assert_all_see_and_hear()
    assert ways(pair.units[0], numbers[0]) == {"relay"}
    pair.units[0].command(numbers[0], "hang_up")
    assert pair.wait_for_idle() == ["The call was hung up."] * 2


def test_a_call_with_keys_that_are_agreed_on_the_way(world: World) -> None:
    pair = world.pair(sip={"srtp": ["dtls"]}, media={**SMALL, "encryption": "required"})
    numbers = world.connect(pair)
    pair.assert_all_see_and_hear()
    for unit, number in zip(pair.units, numbers, strict=True):
        unit.wait(lambda state: state["calls"][0]["encrypted"])
        assert ways(unit, number) == {"nat"}


def test_who_is_on_the_internet_himself_needs_no_server(world: World) -> None:
    pair = world.pair(nat={"ice": True}, far_nat={"ice": True}, far_house=world.internet.host())
    numbers = world.connect(pair)
    pair.assert_all_see_and_hear()
    assert [ways(unit, number) for unit, number in zip(pair.units, numbers, strict=True)] == [{"nat"}, {"nat"}]
    assert world.turn.granted("ALLOCATE") == 0


@pytest.mark.parametrize("restricted", [False, True])
def test_media_may_take_another_address_than_signalling(
    program: Callable[[str], str], tmp_path: Path, restricted: bool
) -> None:
    """IPv4 brings the call, but lets no sound through; IPv6 does, if the unit is to be found there."""
    program("ip")
    with Internet() as internet, ExitStack() as running:
        units = []
        for user, tone, label in zip(USERS, (660, 880), (CARD_LABEL, FAR_LABEL), strict=True):
            host = internet.host(ipv6=True)
            internet.filter(program("nft"), host, "meta l4proto udp drop")
            settings = {
                "sip": {"addresses": ["0.0.0.0"] if restricted else ["0.0.0.0", "::"]},
                "h323": {"enabled": False},
                "media": SMALL,
                "board.sim": {"camera_label": label},
                "nat": {"ice": True},
            }
            unit = Unit(tmp_path / user, settings, address=host.address, tone=tone, namespace=host)
            units.append(running.enter_context(unit))
        pair = Pair((units[0], units[1]))
        call = units[0].dial(f"{units[1].uri};transport=tcp")
        units[0].wait_for_call()
        if restricted:
            units[1].wait_for_call()
            assert not until(lambda: units[0].heard_tone(units[1].tone) > 0.8, 3.0)
            return
        pair.assert_all_see_and_hear()
        assert ways(units[0], call) == {"direct"}
        units[0].kill_media_worker()
        pair.assert_all_see_and_hear()
        units[0].command(call, "hang_up")
        assert pair.wait_for_idle() == ["The call was hung up."] * 2


def test_without_servers_on_either_side_there_is_no_way(world: World) -> None:
    pair = world.pair(nat={"ice": True}, far_nat={"ice": True})
    world.connect(pair)
    notices = [unit.wait_for_idle(60)["notice"]["text"] for unit in pair.units]
    assert "Sound and picture find no way between the two sides." in notices


def test_without_ice_nothing_is_asked(world: World) -> None:
    pair = world.pair(nat={"ice": False}, far_nat={"ice": False})
    world.connect(pair)
    time.sleep(2)
    assert world.turn.granted("ALLOCATE") == 0
    caller = pair.units[0]
    assert invitations(caller) == 2  # one was challenged
    assert not until(lambda: caller.heard_tone(pair.units[1].tone) > 0.8, 3.0)


@pytest.mark.parametrize("by_us", [True, False])
def test_baresip_finds_a_way(
    program: Callable[[str], str], baresip: Callable[..., Baresip], tmp_path: Path, by_us: bool
) -> None:
    program("ip")
    with Internet() as internet:
        here, there = internet.host(), internet.host()
        # It takes an address for its own only where it finds it at a network interface, never on loopback.
        far = baresip(ice=True, namespace=there, address=there.address, settings=("net_interface eth0",))
        settings = {"h323": {"enabled": False}, "media": SMALL, "nat": {"ice": True}}
        with Unit(tmp_path / "unit", settings, address=here.address, namespace=here) as unit:
            call = unit.dial(far.uri) if by_us else ""
            if not by_us:
                far.dial(unit.uri)
            call = unit.wait_for_call()
            assert_both_see_and_hear(unit, far)
            assert ways(unit, call) <= {"direct", "nat"}
            assert "" not in ways(unit, call)
            unit.command(call, "hold")
            unit.wait(lambda state: state["calls"][0]["held"])
            unit.command(call, "resume")
            unit.wait(lambda state: not state["calls"][0]["held"])
            assert_sees(lambda: unit.counter(FAR_LABEL))
            unit.kill_media_worker()
            assert_sees(lambda: unit.counter(FAR_LABEL))
            unit.command(call, "hang_up")
            assert unit.wait_for_idle()["notice"]["text"] == "The call was hung up."


def test_baresip_on_the_internet_is_called_from_a_house(world: World, baresip: Callable[..., Baresip]) -> None:
    house, there = world.internet.house(world.program("nft")), world.internet.host()
    far = baresip(ice=True, namespace=there, address=there.address, settings=("net_interface eth0",))
    settings = {"h323": {"enabled": False}, "media": SMALL, "nat": world.turn.settings}
    with Unit(world.folder / "unit", settings, address=house.address, namespace=house) as unit:
        call = unit.dial(f"{far.uri};transport=tcp")
        unit.wait_for_call()
        assert_both_see_and_hear(unit, far)
        assert ways(unit, call) == {"nat"}
        assert until(lambda: OFFERED in unit.log())  # RFC 8839 4.3.4: baresip keeps to RFC 5245
        assert_both_see_and_hear(unit, far)
        unit.command(call, "hang_up")
        unit.wait_for_idle()
