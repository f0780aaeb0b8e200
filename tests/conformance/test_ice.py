"""Two agents find each other through NATs, loss and disorder, on the virtual clock (RFC 8445, RFC 8656, RFC 7675)."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from ice_network import End, Nat, Network, connect, fresh, gather, talk
from ice_servers import TurnSimulation

from firmware.call.ice import CandidateType, Credentials, Selected
from firmware.ice.consent import DOUBT, DOUBT_CONTROLLED, EXPIRY
from firmware.ice.event import ConsentLost, Failed
from firmware.ice.message import ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH
from firmware.ice.turn_server import TurnServer

STUN, TURN = "198.51.100.1", "198.51.100.2"
USERS = {"room": "correct horse"}


class World:
    """A network with a STUN and a TURN server."""

    def __init__(self, **settings: float) -> None:
        self.network = Network(**settings)  # type: ignore[arg-type]
        self.stun = TurnSimulation(self.network, STUN, {})
        self.turn = TurnSimulation(self.network, TURN, USERS)

    def end(self, number: int, nat: Nat | None = None, *, turn: bool = False, stun: bool = True, **more: int) -> End:
        host = f"10.0.{number}.1" if nat is not None else f"203.0.113.{number}"
        server = TurnServer(self.turn.address, "room", USERS["room"]) if turn else None
        return End(self.network, host, nat, stun=[self.stun.address] if stun else [], turn=server, **more)


def nat(number: int, kind: str) -> Nat:
    host = f"192.0.2.{number}"
    return {
        "full cone": Nat(host, filters=""),
        "restricted": Nat(host, filters="host"),
        "port restricted": Nat(host),
        "symmetric": Nat(host, symmetric=True),
    }[kind]


# Ways through


@pytest.mark.parametrize("components", [1, 2])
def test_two_ends_in_the_open(components: int) -> None:
    world = World()
    one, other = world.end(1, components=components), world.end(2, components=components)
    connect(world.network, one, other, 3.0)
    for end in (one, other):
        assert sorted(end.selected()) == list(range(1, components + 1))
        assert {each.local.type for each in end.selected().values()} == {CandidateType.HOST}
        assert end.failures() == []
    for component in range(1, components + 1):
        talk(world.network, one, other, component)


def test_two_ends_of_ipv6() -> None:
    """They write their addresses differently, and one is behind a wall that lets in only what was asked for."""
    network = Network()
    one = End(network, "2001:db8:1::1", Nat("2001:db8:9::1"))
    other = End(network, "2001:db8:2::1", components=2)
    gather(network, one, other)
    shown = tuple(
        replace(each, address=("2001:DB8:2:0:0:0:0:1", each.address[1])) for each in other.gathering.candidates
    )
    one.start(replace(one.ice(other, controlling=True), remote=shown))
    other.start(other.ice(one, controlling=False))
    network.run(3)
    talk(network, one, other)
    assert other.selected()[1].remote.type is CandidateType.PEER_REFLEXIVE


CONES = ["full cone", "restricted", "port restricted"]


@pytest.mark.parametrize("first", [*CONES, "symmetric"])
@pytest.mark.parametrize("second", CONES)
def test_through_nats(first: str, second: str) -> None:
    """Without a relay, but for a symmetric NAT in front of one that looks at ports."""
    world = World()
    one, other = world.end(1, nat(1, first)), world.end(2, nat(2, second))
    connect(world.network, one, other)
    if (first, second) == ("symmetric", "port restricted"):
        assert not one.selected()
        assert not one.say(b"\x80nothing")
        world.network.run(60)
        assert [type(event) for event in one.events] == [Failed]
        assert [type(event) for event in other.events] == [Failed]
    else:
        talk(world.network, one, other)
        assert one.selected()[1].local.type is not CandidateType.RELAYED


@pytest.mark.parametrize("relays", [1, 2])
@pytest.mark.parametrize("second", ["port restricted", "symmetric"])
def test_behind_a_symmetric_nat_a_relay_is_needed(second: str, relays: int) -> None:
    world = World()
    one = world.end(1, nat(1, "symmetric"), turn=True)
    other = world.end(2, nat(2, second), turn=relays > 1)
    connect(world.network, one, other)
    talk(world.network, one, other)
    kinds = {one.selected()[1].local.type, one.selected()[1].remote.type}
    assert CandidateType.RELAYED in kinds
    assert world.turn.relayed > 2


def test_both_behind_one_nat_meet_inside() -> None:
    world = World()
    home = nat(1, "port restricted")
    one = world.end(1, home)
    other = world.end(2, home)
    connect(world.network, one, other)
    talk(world.network, one, other)
    assert one.selected()[1].remote.address == other.bases[1]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("loss", [0.0, 0.05, 0.15])
def test_loss_and_disorder(seed: int, loss: float) -> None:
    """A datagram by the relay crosses the network twice: of 100 checks with their answers, at worst 52 are left."""
    world = World(reorder=0.2, seed=seed)
    one = world.end(1, nat(1, "port restricted"), turn=True, components=2)
    other = world.end(2, nat(2, "symmetric"), turn=True, components=2)
    gather(world.network, one, other)
    world.network.loss = loss
    connect(world.network, one, other, 0.0, both=seed % 2 == 0)
    for _ in range(600):
        world.network.run(0.1)
        if all(sorted(end.selected()) == [1, 2] for end in (one, other)):
            break
    world.network.loss = 0.0
    world.network.run(1)
    for end in (one, other):
        assert sorted(end.selected()) == [1, 2]
    for component in (1, 2):
        talk(world.network, one, other, component)
        chosen, mirrored = one.selected()[component], other.selected()[component]
        assert chosen.remote.address == mirrored.local.address
        assert chosen.local.address == mirrored.remote.address


def test_with_mux_on_one_side_one_component_is_used() -> None:
    world = World()
    one, other = world.end(1, components=2), world.end(2, components=1)
    connect(world.network, one, other)
    assert one.agent is not None
    assert one.agent.components == (1,)
    assert sorted(one.selected()) == sorted(other.selected()) == [1]


def test_a_better_pair_is_chosen_though_a_worse_one_came_first() -> None:
    """The relay answers in 20 ms, the way past it after half a second."""
    world = World()
    one = world.end(1, nat(1, "port restricted"), turn=True)
    other = world.end(2, nat(2, "port restricted"), turn=True)
    gather(world.network, one, other)
    world.network.blocked = lambda source, destination: (
        world.network.now < 3.2 and TURN not in (source[0], destination[0])
    )
    one.start(one.ice(other, controlling=True))
    other.start(other.ice(one, controlling=False))
    world.network.run(5)
    assert one.selected()[1].local.type is CandidateType.SERVER_REFLEXIVE
    talk(world.network, one, other)


# Roles


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("both", [True, False])
def test_role_conflict(seed: int, both: bool) -> None:
    world = World(seed=seed)
    one, other = world.end(1, seed=seed), world.end(2, seed=seed + 100)
    gather(world.network, one, other)
    one.start(one.ice(other, controlling=both))
    other.start(other.ice(one, controlling=both))
    world.network.run(5)
    assert one.agent is not None
    assert other.agent is not None
    assert one.agent.controlling is not other.agent.controlling
    talk(world.network, one, other)
    assert one.selected()
    assert other.selected()


def test_a_lite_far_end_is_chosen_for() -> None:
    """It answers checks and makes none."""
    world = World()
    one, other = world.end(1, nat(1, "symmetric")), world.end(2)
    gather(world.network, one, other)
    one.start(one.ice(other, controlling=False, lite=True))
    # Its own checks go nowhere, as if it made none.
    nowhere = tuple(replace(each, address=("203.0.113.99", 9)) for each in one.gathering.candidates)
    other.start(other.ice(one, controlling=False, remote=nowhere))
    world.network.run(5)
    assert one.agent is not None
    assert one.agent.controlling
    assert one.selected()[1].remote.address == other.bases[1]


# Later


def test_restart_keeps_the_old_way_until_there_is_a_new_one() -> None:
    world = World()
    one, other = world.end(1, nat(1, "port restricted")), world.end(2, nat(2, "full cone"))
    connect(world.network, one, other)
    before = one.selected()[1]
    fresh(one)
    fresh(other)
    one.events.clear()
    one.update(replace(one.ice(other, controlling=True), selected=(before,)))
    assert one.say(b"\x80still")
    world.network.run(0.2)
    other.update(other.ice(one, controlling=False))
    world.network.run(5)
    assert one.selected()[1].remote.address == before.remote.address
    talk(world.network, one, other)
    world.network.run(120)
    assert one.failures() == other.failures() == []


def test_silence_is_told_until_it_ends() -> None:
    world = World()
    one, other = world.end(1), world.end(2)
    connect(world.network, one, other)
    world.network.run(100)
    world.network.blocked = lambda source, destination: True
    world.network.run(DOUBT - 6)
    assert one.doubts() == other.doubts() == 0
    world.network.run(DOUBT_CONTROLLED - DOUBT)
    assert 1 <= one.doubts() <= 3
    assert other.doubts() == 0, "the one that controls goes first"
    world.network.run(EXPIRY - DOUBT_CONTROLLED)
    assert 1 <= other.doubts() <= 3
    world.network.blocked = lambda source, destination: False
    world.network.run(5)
    one.events.clear()
    world.network.run(100)
    assert one.events == []
    talk(world.network, one, other)


def test_who_has_moved_is_found_again_by_a_restart() -> None:
    """His sockets are others, and a new agent; the one that stays where it was goes on with its own."""
    world = World()
    one, other = world.end(1, nat(1, "port restricted")), world.end(2, nat(2, "port restricted"))
    connect(world.network, one, other)
    gone = one.gathering.candidates[-1].address[0]
    world.network.blocked = lambda source, destination: gone in (source[0], destination[0])
    world.network.run(27)
    assert other.doubts()
    moved = world.end(3, nat(3, "port restricted"))
    gather(world.network, moved)
    fresh(other)
    moved.start(moved.ice(other, controlling=True))
    other.update(other.ice(moved, controlling=False))
    world.network.run(5)
    talk(world.network, moved, other)
    other.events.clear()
    world.network.run(60)
    assert other.events == []


def test_more_candidates_are_taken_without_a_restart() -> None:
    world = World()
    one, other = world.end(1), world.end(2)
    gather(world.network, one, other)
    one.start(one.ice(other, controlling=True, remote=()))
    world.network.run(1)
    one.update(one.ice(other, controlling=True))
    other.start(other.ice(one, controlling=False))
    world.network.run(3)
    talk(world.network, one, other)


def test_an_agent_in_anothers_place_goes_on_at_once() -> None:
    world = World()
    one = world.end(1, nat(1, "symmetric"), turn=True)
    other = world.end(2, nat(2, "symmetric"), turn=True)
    connect(world.network, one, other)
    world.network.run(100)
    found = tuple(one.selected().values())
    one.start(replace(one.ice(other, controlling=True), selected=found))
    world.network.run(0.2)
    talk(world.network, one, other)
    world.network.run(1000)
    talk(world.network, one, other)
    assert one.failures() == other.failures() == []
    assert len(one.events) == 1, "it is not chosen anew"


def test_an_agent_in_anothers_place_that_knows_nothing_of_the_choice_finds_it_again() -> None:
    """Though the server still uses the channel that the one before has bound."""
    world = World()
    one = world.end(1, nat(1, "symmetric"), turn=True)
    other = world.end(2, nat(2, "symmetric"), turn=True)
    connect(world.network, one, other)
    one.start(one.ice(other, controlling=True))
    world.network.run(5)
    talk(world.network, one, other)
    assert one.failures() == other.failures() == []


def test_a_pair_that_died_before_its_agent_is_given_up() -> None:
    world = World()
    one, other = world.end(1), world.end(2)
    connect(world.network, one, other)
    found = tuple(one.selected().values())
    other.drops = lambda data: True
    one.events.clear()
    one.start(replace(one.ice(other, controlling=True), selected=found))
    world.network.run(31)
    assert one.failures() == [ConsentLost(1)]


def test_consent_is_lost_after_30_seconds_of_silence() -> None:
    world = World()
    one, other = world.end(1), world.end(2)
    connect(world.network, one, other, 3.0)
    world.network.run(120)
    assert one.failures() == []
    began = world.network.now
    other.drops = lambda data: True
    world.network.run(23)
    assert one.say(b"\x80yet")
    world.network.run(9)
    assert one.failures() == [ConsentLost(1)]
    assert not one.say(b"\x80no more")
    world.network.run(60)
    late = [sent for sent in world.network.sent if sent[0] > began + 40 and sent[1] == one.bases[1]]
    assert late == [], "nothing is sent without consent"


def test_a_strangers_packets_are_not_given_on() -> None:
    world = World()
    one, other = world.end(1), world.end(2)
    connect(world.network, one, other)
    one.heard.clear()
    for data in (b"\x80media", b"\x16\xfe\xff", b"\x00\x01", b"\x40\x00\x00\x01x", b""):
        world.network.send(("203.0.113.66", 9), one.bases[1], data)
    world.network.run(1)
    assert one.heard == []


def test_checks_with_a_wrong_password_lead_nowhere() -> None:
    world = World()
    one, other = world.end(1), world.end(2)
    gather(world.network, one, other)
    wrong, wrong_too = (
        Credentials(other.credentials.fragment, "x" * 22),
        Credentials(one.credentials.fragment, "y" * 22),
    )
    one.start(replace(one.ice(other, controlling=True), theirs=wrong))
    other.start(replace(other.ice(one, controlling=False), theirs=wrong_too))
    world.network.run(60)
    assert [type(event) for event in one.events] == [Failed]
    assert one.selected() == other.selected() == {}


# Gathering


def test_candidates_of_all_kinds() -> None:
    world = World()
    end = world.end(1, nat(1, "port restricted"), turn=True, components=2)
    gather(world.network, end)
    kinds = [(each.component, each.type.value) for each in end.gathering.candidates]
    assert kinds == [(c, t) for c in (1, 2) for t in ("host", "srflx", "relay")]
    assert len({(each.component, each.priority) for each in end.gathering.candidates}) == 6
    assert [each.component for each in end.gathering.allocations] == [1, 2]
    assert end.gathering.failures == ()


def test_gathering_waits_two_seconds_at_most() -> None:
    world = World()
    world.stun.silent = world.turn.silent = True
    end = world.end(1, nat(1, "symmetric"), turn=True)
    world.network.run(1.9)
    assert not end.gathering.done
    world.network.run(0.2)
    assert end.gathering.done
    assert [each.type for each in end.gathering.candidates] == [CandidateType.HOST]
    assert len(end.gathering.failures) == 2


def test_an_address_that_comes_too_late_is_given_back() -> None:
    world = World()
    world.network.delay = 0.7
    end = world.end(1, nat(1, "symmetric"), turn=True)
    world.network.run(10)
    assert [each.type.value for each in end.gathering.candidates] == ["host", "srflx"]
    methods = [method for _, method in world.turn.requests]
    assert methods[0] == ALLOCATE
    assert methods[-1] == REFRESH
    assert world.turn.allocated == {}


REFUSALS = {486: "as many allocations", 508: "no more addresses", 441: "another user", 599: "it refuses"}


@pytest.mark.parametrize(("code", "words"), REFUSALS.items())
def test_refusals_in_words(code: int, words: str) -> None:
    world = World()
    world.turn.refuses = {ALLOCATE: code}
    end = world.end(1, turn=True)
    world.network.run(1)
    assert end.gathering.done
    [failure] = end.gathering.failures
    assert words in failure
    assert str(code) in failure


def test_a_wrong_password_is_said_at_once() -> None:
    world = World()
    world.turn.users = {"room": "another"}
    end = world.end(1, turn=True)
    world.network.run(1)
    [failure] = end.gathering.failures
    assert "password" in failure
    assert "correct horse" not in failure


def test_an_alternate_server_is_asked() -> None:
    world = World()
    third = TurnSimulation(world.network, "198.51.100.3", USERS)
    world.turn.alternate = third.address
    end = world.end(1, turn=True)
    gather(world.network, end)
    [allocation] = end.gathering.allocations
    assert allocation.server == third.address


def test_servers_that_point_at_each_other_are_left() -> None:
    world = World()
    third = TurnSimulation(world.network, "198.51.100.3", USERS)
    world.turn.alternate, third.alternate = third.address, world.turn.address
    end = world.end(1, turn=True)
    world.network.run(1)
    assert end.gathering.done
    assert end.gathering.allocations == ()


def test_what_was_found_is_kept_alive_for_as_long_as_it_rings() -> None:
    world = World()
    end = world.end(1, nat(1, "port restricted"), turn=True)
    gather(world.network, end)
    world.network.run(1800)
    asked = [now for now, _, destination, _ in world.network.sent if destination == world.stun.address]
    assert max(b - a for a, b in itertools.pairwise(asked)) <= 15.1
    [allocation] = end.gathering.allocations
    assert allocation.expires > world.network.now
    assert world.turn.allocated
    end.close()
    world.network.run(1)
    assert world.turn.allocated == {}


# The relay, in the long run


def relayed(world: World) -> tuple[End, End]:
    one = world.end(1, nat(1, "symmetric"), turn=True)
    other = world.end(2, nat(2, "symmetric"))
    connect(world.network, one, other)
    assert one.selected()[1].local.type is CandidateType.RELAYED
    return one, other


@pytest.mark.parametrize("sha256", [False, True])
def test_a_relayed_call_of_an_hour(sha256: bool) -> None:
    """Allocation, permission and channel are renewed, whatever nonce the server wants."""
    world = World()
    world.turn.sha256 = sha256
    one, other = relayed(world)
    for minute in range(60):
        world.turn.nonce = b"nonce-%d" % minute
        world.network.run(60)
        talk(world.network, one, other)
    assert one.failures() == other.failures() == []
    methods = [method for _, method in world.turn.requests]
    assert methods.count(REFRESH) >= 6
    assert methods.count(CHANNEL_BIND) >= 12
    one.close()
    world.network.run(1)
    assert world.turn.allocated == {}


def test_without_a_channel_packets_go_on_in_indications() -> None:
    world = World()
    world.turn.refuses = {CHANNEL_BIND: 508}
    one, other = relayed(world)
    for _ in range(10):
        world.network.run(60)
        talk(world.network, one, other)


def test_a_forbidden_peer_is_not_reached() -> None:
    world = World()
    world.turn.refuses = {CREATE_PERMISSION: 403}
    one = world.end(1, nat(1, "symmetric"), turn=True)
    other = world.end(2, nat(2, "symmetric"))
    connect(world.network, one, other, 60)
    assert [type(event) for event in one.events] == [Failed]


def test_a_lost_allocation_ends_consent() -> None:
    world = World()
    one, _ = relayed(world)
    world.turn.allocated.clear()
    world.network.run(40)
    assert one.failures() == [ConsentLost(1)]


def test_selected_is_told_once() -> None:
    world = World()
    one, other = relayed(world)
    world.network.run(600)
    for end in (one, other):
        assert len([each for each in end.events if isinstance(each, Selected)]) == 1


# Several addresses


@pytest.mark.parametrize("seed", range(5))
def test_two_addresses_find_the_one_that_leads_there(seed: int) -> None:
    """One has IPv4 and IPv6, the other IPv6 only; then both have both, and IPv6 is preferred (RFC 8421)."""
    world = World(seed=seed)
    one = End(world.network, "203.0.113.1", components=2, others=["2001:db8::1", "198.18.0.1"])
    other = End(world.network, "2001:db8::2", components=2)
    connect(world.network, one, other)
    for component in (1, 2):
        assert one.selected()[component].local.address[0] == "2001:db8::1"
        talk(world.network, one, other, component)
    third = End(world.network, "203.0.113.3", components=2, others=["2001:db8::3"])
    fourth = End(world.network, "203.0.113.4", components=2, others=["2001:db8::4"])
    connect(world.network, third, fourth)
    for component in (1, 2):
        assert third.selected()[component].local.address[0] == "2001:db8::3"
        talk(world.network, third, fourth, component)
    world.network.run(300)
    assert [end.failures() for end in (one, other, third, fourth)] == [[]] * 4


def test_where_one_address_leads_nowhere_the_other_is_taken() -> None:
    world = World()
    one = End(world.network, "203.0.113.1", others=["2001:db8::1"])
    other = End(world.network, "203.0.113.2", others=["2001:db8::2"])
    world.network.blocked = lambda source, destination: ":" in source[0]
    connect(world.network, one, other)
    assert one.selected()[1].local.address[0] == "203.0.113.1"
    talk(world.network, one, other)


def test_a_relay_is_asked_by_the_first_address_and_used_beside_the_others() -> None:
    world = World()
    server = TurnServer(world.turn.address, "room", USERS["room"])
    one = End(world.network, "10.0.1.1", nat(1, "symmetric"), turn=server, others=["2001:db8::1"])
    other = world.end(2, nat(2, "symmetric"))
    connect(world.network, one, other)
    assert one.selected()[1].local.type is CandidateType.RELAYED
    talk(world.network, one, other)


def test_whoever_goes_on_takes_the_address_that_was_chosen() -> None:
    world = World()
    one = End(world.network, "203.0.113.1", others=["2001:db8::1"])
    other = End(world.network, "2001:db8::2")
    connect(world.network, one, other)
    found = tuple(one.selected().values())
    one.start(replace(one.ice(other, controlling=True), selected=found))
    assert one.say(b"\x80at once")
    world.network.run(1)
    talk(world.network, one, other)
    world.network.run(60)
    assert one.failures() == []
