"""What two descriptions agree of ICE, and what is said of it then."""

from __future__ import annotations

import random

import pytest
from gatherers import INTERNET, RELAY, MemoryGatherers
from offers import AUDIO, OURS, THEIRS, VIDEO, lines, sdp
from wire_transport import MemoryPorts

from firmware.call.ice import Candidate, CandidateType, Ice, Selected
from firmware.call.media import Capabilities, Direction, Kind
from firmware.errors import CallError
from firmware.sansio import Address
from firmware.sdp import ice
from firmware.sdp.ice import IceDescription
from firmware.sdp.session import MediaDescription, SessionDescription, parse
from firmware.signaling.sip_ice import SipIce
from firmware.signaling.sip_media import SipMedia

IDENTITY = "a=ice-ufrag:theirs\na=ice-pwd:theirsecretofmorethan22\n"
RESTARTED = "a=ice-ufrag:others\na=ice-pwd:othersecretofmorethan22\n"


def candidate(port: int, component: int = 1, host: str = THEIRS) -> str:
    return f"a=candidate:1 {component} UDP {2130706431 - component} {host} {port} typ host\n"


A = AUDIO + candidate(5000) + candidate(5001, 2)
V = VIDEO + candidate(5002) + candidate(5003, 2)
BOTH = (A, V)


class Side:
    """One side of a call, with its gatherers."""

    def __init__(self, *, at_once: bool = True, near: bool = False) -> None:
        self.gatherers = MemoryGatherers(at_once=at_once)
        self.ports = MemoryPorts()
        self.media = SipMedia(
            Capabilities(), self.ports, OURS, 1, ice=SipIce(self.gatherers, random.Random(1), near=near)
        )
        self.done = 0

    def offer(self) -> bytes:
        assert self.media.prepare(None, self.when_done)
        return self.media.offer()

    def answer(self, offer: bytes) -> bytes:
        assert self.media.prepare(offer, self.when_done)
        return self.media.answer(offer)

    def when_done(self) -> None:
        self.done += 1

    def agreed(self, kind: Kind = Kind.AUDIO) -> Ice | None:
        found = {channel.ice for channel in self.media.channels if channel.kind is kind}
        assert len(found) == 1
        return found.pop()

    @property
    def local(self) -> Address:
        return next(channel.local for channel in self.media.channels if channel.kind is Kind.AUDIO)

    def select(self, *pairs: tuple[CandidateType, Address]) -> bool:
        """Choose these pairs, by component, for the sound, and the defaults for the picture."""
        wanted = False
        for kind in Kind:
            agreed = self.agreed(kind)
            if agreed is None:
                continue
            channel = next(channel for channel in self.media.channels if channel.kind is kind)
            selected = []
            for component, (local, remote) in enumerate(pairs, 1):
                ours = next(each for each in agreed.local if (each.component, each.type) == (component, local))
                theirs = Candidate("9", component, 1, remote, CandidateType.HOST)
                selected.append(Selected(component, ours, theirs))
            wanted = self.media.way_found(channel.local, tuple(selected))
        return wanted


def said(media: MediaDescription) -> IceDescription | None:
    return ice.read(SessionDescription(connection=OURS), media)


def fragment(body: bytes) -> str:
    return lines(body)[0].attribute("ice-ufrag") or ""


def test_an_offer_has_all_candidates() -> None:
    body = Side().offer()
    for media in lines(body):
        found = said(media)
        assert found is not None
        assert not found.mismatch
        assert {(each.component, each.type.value) for each in found.candidates} == {
            (component, kind) for component in (1, 2) for kind in ("host", "srflx", "relay")
        }
        # RFC 8445 5.1.4: by default where a far end without ICE reaches us; a relay would not let it in.
        assert (media.connection, media.attribute("rtcp")) == (INTERNET, f"{media.port + 1} IN IP4 {INTERNET}")
    credentials = {found.credentials for media in lines(body) if (found := said(media))}
    assert len(credentials) == 2


def test_who_is_near_gets_our_own_address() -> None:
    media = lines(Side(near=True).offer())[0]
    assert media.connection is None
    assert (media.attribute("rtcp") or "").endswith(OURS)


def test_what_browsers_have_is_offered_with_ice_only() -> None:
    assert b"a=rtcp-fb:* goog-remb" in Side().offer()
    assert b"remb" not in SipMedia(Capabilities(), MemoryPorts(), OURS, 1).offer()


def test_an_answer_with_ice_is_agreed() -> None:
    side = Side()
    side.offer()
    side.media.accept(sdp(*BOTH, session=IDENTITY))
    agreed = side.agreed()
    assert agreed is not None
    assert agreed.controlling
    assert agreed.theirs.fragment == "theirs"
    assert [each.address for each in agreed.remote] == [(THEIRS, 5000), (THEIRS, 5001)]
    assert len(agreed.allocations) == 2
    assert side.gatherers.states == {"handed over"}
    assert len(side.media.channels) == 4


def test_an_answer_without_goes_on_without() -> None:
    side = Side()
    side.offer()
    side.media.accept(sdp(AUDIO, VIDEO))
    assert side.agreed() is None
    assert side.gatherers.states == {"closed"}
    for media in lines(side.offer()):
        assert said(media) is None
        assert (media.connection, media.attribute("rtcp")) == (None, None)
    # Nor does it begin later.
    assert b"ice-" not in side.answer(sdp(*BOTH, session=IDENTITY))


def test_an_offer_without_is_answered_without() -> None:
    plain = SipMedia(Capabilities(), MemoryPorts(), OURS, 1)
    side = Side(at_once=False)
    assert side.answer(sdp(AUDIO, VIDEO)) == plain.answer(sdp(AUDIO, VIDEO))
    assert side.media.channels == plain.channels
    assert side.gatherers.made == {}
    assert side.offer() == plain.offer()


def test_without_ice_descriptions_are_as_before() -> None:
    offer = SipMedia(Capabilities(), MemoryPorts(), OURS, 1).offer()
    assert not any(word in offer for word in (b"ice", b"candidate", b"a=rtcp:"))


def test_an_offer_is_answered_with_ice() -> None:
    side = Side()
    for media in lines(side.answer(sdp(*BOTH, session=IDENTITY))):
        found = said(media)
        assert found is not None
        assert len(found.candidates) == 6
    agreed = side.agreed()
    assert agreed is not None
    assert not agreed.controlling
    assert fragment(side.media.offer()) == agreed.ours.fragment


def test_who_is_lite_leaves_the_choice_to_us() -> None:
    side = Side()
    side.answer(sdp(*BOTH, session=IDENTITY + "a=ice-lite\n"))
    agreed = side.agreed()
    assert agreed is not None
    assert (agreed.lite, agreed.controlling) == (True, True)


def test_an_offer_that_was_rewritten() -> None:
    side = Side()
    rewritten = AUDIO.replace("5000", "9000") + candidate(5000)
    audio, video = lines(side.answer(sdp(rewritten, V, session=IDENTITY)))
    assert audio.attribute("ice-mismatch") is not None
    assert audio.values("candidate") == ()
    assert said(video) is not None
    assert side.agreed(Kind.AUDIO) is None
    assert side.agreed(Kind.VIDEO) is not None
    assert b"ice-mismatch" not in side.media.offer()


def test_who_answers_that_ours_was_rewritten() -> None:
    side = Side()
    side.offer()
    side.media.accept(sdp(AUDIO + "a=ice-mismatch\n", V, session=IDENTITY))
    assert side.agreed(Kind.AUDIO) is None
    assert side.agreed(Kind.VIDEO) is not None
    assert side.gatherers.states == {"closed", "handed over"}


def test_who_shares_a_port_has_one_component() -> None:
    side = Side()
    side.offer()
    side.media.accept(sdp(AUDIO + "a=rtcp-mux\n" + candidate(5000), session=IDENTITY))
    agreed = side.agreed()
    assert agreed is not None
    assert {each.component for each in agreed.remote} == {1}
    again = said(lines(side.media.offer())[0])
    assert again is not None
    assert {each.component for each in again.candidates} == {1}


def test_nothing_is_described_before_servers_have_answered() -> None:
    side = Side(at_once=False)
    assert not side.media.prepare(None, side.when_done)
    assert not side.media.prepare(None, side.when_done)
    assert len(side.ports.reserved) == len(side.gatherers.made) == 2
    side.gatherers.answer()
    assert side.done == 2
    assert side.media.prepare(None, side.when_done)


def test_what_is_given_up_gives_all_back() -> None:
    side = Side(at_once=False)
    side.media.prepare(None, side.when_done)
    side.media.close()
    assert side.gatherers.states == {"closed"}
    assert side.ports.reserved == set()


def test_a_change_keeps_what_was_agreed() -> None:
    side = Side()
    first = side.offer()
    side.media.accept(sdp(*BOTH, session=IDENTITY))
    before = side.agreed()
    again = side.offer()
    assert fragment(again) == fragment(first)
    assert lines(again)[0].values("candidate") == lines(first)[0].values("candidate")
    side.media.accept(sdp(*BOTH, session=IDENTITY))
    assert side.agreed() == before


def test_more_candidates_may_come_later() -> None:
    side = Side()
    side.answer(sdp(*BOTH, session=IDENTITY))
    side.answer(sdp(A + candidate(7000), V, session=IDENTITY))
    agreed = side.agreed()
    assert agreed is not None
    assert [each.address[1] for each in agreed.remote] == [5000, 5001, 7000]
    many = "".join(candidate(port) for port in range(8000, 8100))
    for _ in range(9):
        side.answer(sdp(A + many, V, session=IDENTITY))
    agreed = side.agreed()
    assert agreed is not None
    assert len(agreed.remote) <= 32


def test_a_restart_is_answered_by_one() -> None:
    side = Side()
    first = side.answer(sdp(*BOTH, session=IDENTITY))
    second = side.answer(sdp(*BOTH, session=RESTARTED))
    assert fragment(first) != fragment(second)
    agreed = side.agreed()
    assert agreed is not None
    assert (agreed.theirs.fragment, agreed.ours.fragment) == ("others", fragment(second))
    assert not agreed.controlling
    assert lines(second)[0].values("candidate") == lines(first)[0].values("candidate")


def test_another_that_answers_begins_anew() -> None:
    side = Side()
    body = side.offer()
    side.media.accept(sdp(*BOTH, session=IDENTITY))
    side.media.accept(sdp(*BOTH, session=RESTARTED))
    agreed = side.agreed()
    assert agreed is not None
    assert (agreed.theirs.fragment, agreed.ours.fragment) == ("others", fragment(body))


HOST, REFLEXIVE, RELAYED = CandidateType.HOST, CandidateType.SERVER_REFLEXIVE, CandidateType.RELAYED


def test_who_chose_what_was_default_has_nothing_to_offer() -> None:
    side = Side()
    side.offer()
    side.media.accept(sdp(*BOTH, session=IDENTITY))
    assert side.agreed(Kind.VIDEO) is not None
    wanted = [
        side.media.way_found(
            channel.local,
            tuple(
                Selected(
                    component,
                    next(e for e in channel.ice.local if (e.component, e.type) == (component, REFLEXIVE)),
                    Candidate("9", component, 1, (THEIRS, port + component - 1), HOST),
                )
                for component in (1, 2)
            ),
        )
        for channel, port in zip(side.media.channels[::2], (5000, 5002), strict=True)
        if channel.ice is not None
    ]
    assert wanted == [False, False]


def test_what_was_chosen_is_offered() -> None:
    side = Side()
    side.offer()
    side.media.accept(sdp(*BOTH, session=IDENTITY))
    assert side.select((RELAYED, (THEIRS, 9000)), (HOST, (THEIRS, 9001)))
    audio = lines(side.offer())[0]
    found = said(audio)
    assert found is not None
    assert not found.mismatch
    # RFC 8839 4.4.1.2.2
    assert [(each.component, each.type) for each in found.candidates] == [(1, RELAYED), (2, HOST)]
    assert audio.connection == RELAY
    assert found.remote_candidates == ((1, (THEIRS, 9000)), (2, (THEIRS, 9001)))
    # It is said once.
    assert not side.select((RELAYED, (THEIRS, 9000)), (HOST, (THEIRS, 9001)))
    assert side.select((HOST, (THEIRS, 9000)), (HOST, (THEIRS, 9001)))


def test_who_keeps_to_rfc_8445_is_told_with_the_next_offer() -> None:
    side = Side()
    side.offer()
    side.media.accept(sdp(*BOTH, session=IDENTITY + "a=ice-options:ice2\n"))
    assert not side.select((RELAYED, (THEIRS, 9000)), (HOST, (THEIRS, 9001)))  # RFC 8839 4.3.4
    found = said(lines(side.offer())[0])
    assert found is not None
    assert [each.type for each in found.candidates] == [RELAYED, HOST]


@pytest.mark.parametrize("by_us", [True, False])
def test_music_of_a_server_without_ice_comes_between(by_us: bool) -> None:
    side = Side()
    first = side.offer()
    side.media.accept(sdp(*BOTH, session=IDENTITY))
    side.select((RELAYED, (THEIRS, 9000)), (HOST, (THEIRS, 9001)))
    if by_us:
        side.offer()
        side.media.accept(sdp(AUDIO, VIDEO))
    else:
        assert b"ice-" not in side.answer(sdp(AUDIO, VIDEO))
    assert side.agreed() is None
    again = side.offer()
    found = said(lines(again)[0])
    assert found is not None
    assert fragment(again) != fragment(first)  # RFC 8839 4.4.3.1
    assert {each.type for each in found.candidates} == {HOST, REFLEXIVE}  # what relayed is given back
    side.media.accept(sdp(*BOTH, session=RESTARTED))
    agreed = side.agreed()
    assert agreed is not None
    assert (agreed.ours.fragment, agreed.allocations, agreed.selected) == (fragment(again), (), ())


def test_who_comes_back_from_it_finds_a_way_again() -> None:
    side = Side()
    side.answer(sdp(*BOTH, session=IDENTITY))
    side.answer(sdp(AUDIO, VIDEO))
    answer = side.answer(sdp(*BOTH, session=RESTARTED))
    agreed = side.agreed()
    assert agreed is not None
    assert agreed.ours.fragment == fragment(answer)


def test_all_media_are_waited_for() -> None:
    side = Side()
    side.offer()
    side.media.accept(sdp(*BOTH, session=IDENTITY))
    agreed = side.agreed()
    assert agreed is not None
    pairs = tuple(
        Selected(component, agreed.local[3 * component - 3], Candidate("9", component, 1, (THEIRS, 9), HOST))
        for component in (1, 2)
    )
    assert not side.media.way_found(side.local, pairs[:1])
    assert not side.media.way_found(side.local, pairs)  # the picture has none yet
    assert not side.media.way_found(("192.0.2.77", 1), pairs)


def test_who_did_not_choose_says_what_was_chosen_when_asked() -> None:
    side = Side()
    side.answer(sdp(*BOTH, session=IDENTITY))
    assert not side.select((REFLEXIVE, (THEIRS, 9000)), (REFLEXIVE, (THEIRS, 9001)))
    answer = lines(side.answer(sdp(*BOTH, session=IDENTITY)))[0]
    found = said(answer)
    assert found is not None
    assert [each.type for each in found.candidates] == [REFLEXIVE, REFLEXIVE]
    assert found.remote_candidates == ()


def test_who_has_chosen_before_we_know_is_answered_so() -> None:
    side = Side()
    first = lines(side.answer(sdp(*BOTH, session=IDENTITY)))[0]
    port = first.port
    chosen = f"a=remote-candidates:1 {RELAY} {port} 2 {OURS} {port + 1}\n"
    answer = lines(side.answer(sdp(A + chosen, V, session=IDENTITY)))[0]
    assert (answer.connection, answer.port) == (RELAY, port)
    assert answer.attribute("rtcp") == f"{port + 1} IN IP4 {OURS}"
    # Addresses that are not ours are nobody's choice.
    wrong = "a=remote-candidates:1 198.51.100.1 9 2 198.51.100.1 10\n"
    assert lines(side.answer(sdp(A + wrong, V, session=IDENTITY)))[0].connection in (RELAY, INTERNET)


@pytest.mark.parametrize("by_us", [True, False])
def test_on_hold_the_way_is_kept(by_us: bool) -> None:
    side = Side()
    side.offer()
    side.media.accept(sdp(*BOTH, session=IDENTITY))
    before = side.agreed()
    if by_us:
        side.media.held = True
        side.offer()
        side.media.accept(sdp(*(part + "a=recvonly\n" for part in BOTH), session=IDENTITY))
    else:
        side.answer(sdp(*(part + "a=inactive\n" for part in BOTH), session=IDENTITY))
    assert {channel.direction for channel in side.media.channels} == {Direction.NEITHER}
    assert side.agreed() == before


def test_without_ice_nothing_is_kept_on_hold() -> None:
    side = Side()
    side.answer(sdp(AUDIO, VIDEO))
    side.answer(sdp(AUDIO + "a=inactive\n", VIDEO + "a=inactive\n"))
    assert side.media.channels == ()


def test_who_has_no_address_yet_is_not_on_hold() -> None:
    side = Side()
    nowhere = [part.replace("5000", "9").replace("5002", "9") for part in (AUDIO, VIDEO)]
    side.answer(sdp(*nowhere, session=IDENTITY, host="0.0.0.0"))
    assert not side.media.held_by_far_end
    assert len(side.media.channels) == 4
    assert side.agreed() is not None


def test_the_version_grows_with_what_is_said() -> None:
    side = Side()
    first = side.offer()
    side.media.accept(sdp(*BOTH, session=IDENTITY))
    assert side.offer() == first
    side.select((RELAYED, (THEIRS, 9000)), (HOST, (THEIRS, 9001)))
    assert side.offer() != first


def test_selected_pairs_of_old_are_forgotten_in_a_restart() -> None:
    side = Side()
    side.answer(sdp(*BOTH, session=IDENTITY))
    side.select((RELAYED, (THEIRS, 9000)), (HOST, (THEIRS, 9001)))
    found = said(lines(side.answer(sdp(*BOTH, session=RESTARTED)))[0])
    assert found is not None
    assert len(found.candidates) == 6


# Restarts of ours

ELSEWHERE = "192.0.2.9"


def restarting(host: str = OURS) -> tuple[Side, bytes, bytes]:
    """Give a side that wants another search, its first offer and the one that says so."""
    side = Side()
    first = side.offer()
    side.media.accept(sdp(*BOTH, session=IDENTITY))
    assert side.media.restart(host)
    assert side.media.restarting
    return side, first, side.offer()


@pytest.mark.parametrize("host", [OURS, ELSEWHERE])
def test_a_restart_of_ours(host: str) -> None:
    side, first, second = restarting(host)
    before = {channel.kind: channel.local for channel in side.media.channels}
    assert fragment(first) != fragment(second)
    for old, new in zip(lines(first), lines(second), strict=True):
        found = said(new)
        assert found is not None
        assert not found.mismatch
        assert {each.address for each in found.candidates if each.type is HOST} == {
            (host, port) for each in found.candidates if each.type is HOST for port in (each.address[1],)
        }
        assert {each.address[1] for each in found.candidates}.isdisjoint(
            {each.address[1] for each in (said(old) or found).candidates}
        )
    described = [parse(body) for body in (first, second)]
    assert described[0].origin.address == described[1].origin.address == OURS
    assert described[1].connection == host
    side.media.accept(sdp(*BOTH, session=RESTARTED))
    agreed = side.agreed()
    assert agreed is not None
    assert (agreed.ours.fragment, agreed.theirs.fragment) == (fragment(second), "others")
    assert agreed.controlling, "roles stay as they are (RFC 8445 6.1.1)"
    for channel in side.media.channels:
        assert channel.local[0] == host
        assert channel.moved_from == before[channel.kind]
    assert side.ports.reserved == {channel.local for channel in side.media.channels}
    assert not side.media.restarting
    side.media.close()
    assert side.ports.reserved == set()
    assert side.gatherers.states == {"handed over"}


def test_who_was_called_keeps_his_role_in_his_own_restart() -> None:
    side = Side()
    side.answer(sdp(*BOTH, session=IDENTITY))
    assert side.media.restart(OURS)
    side.offer()
    side.media.accept(sdp(*BOTH, session=RESTARTED))
    agreed = side.agreed()
    assert agreed is not None
    assert not agreed.controlling


def test_a_restart_that_is_refused_leaves_no_trace_but_is_offered_again() -> None:
    side, first, second = restarting()
    before = side.media.channels
    third = side.answer(sdp(*BOTH, session=IDENTITY))
    assert fragment(third) == fragment(first)
    assert side.agreed() == next(channel.ice for channel in before if channel.kind is Kind.AUDIO)
    assert fragment(side.offer()) == fragment(second)
    side.media.close()
    assert side.ports.reserved == set()
    assert "gathers" not in side.gatherers.states


def test_an_answer_to_an_older_offer_is_none_to_the_restart() -> None:
    side = Side()
    first = side.offer()
    side.media.accept(sdp(*BOTH, session=IDENTITY))
    side.media.offer()  # a hold, say
    assert side.media.restart(OURS)
    side.media.accept(sdp(*BOTH, session=IDENTITY))
    agreed = side.agreed()
    assert agreed is not None
    assert agreed.ours.fragment == fragment(first)
    assert side.media.restarting


def test_the_far_ends_restart_comes_before_ours() -> None:
    side, first, second = restarting(ELSEWHERE)
    answer = side.answer(sdp(*BOTH, session=RESTARTED))
    assert fragment(answer) == fragment(second) != fragment(first)
    assert {channel.local[0] for channel in side.media.channels} == {ELSEWHERE}
    assert not side.media.restarting


def test_a_far_end_that_answers_a_restart_without_ice() -> None:
    side, _, _ = restarting()
    side.media.accept(sdp(*BOTH))
    assert side.agreed() is None
    assert not side.media.restarting
    side.media.close()
    assert side.ports.reserved == set()
    assert "gathers" not in side.gatherers.states


def test_restarts_that_come_to_nothing_are_counted() -> None:
    side, _, _ = restarting()
    assert not side.media.restart(OURS), "one is under way"
    assert side.media.restart(ELSEWHERE), "but not from there"
    assert len(side.ports.reserved) == 4, "two that are in use, and two that may be"
    side.offer()
    side.media.accept(sdp(*BOTH, session=RESTARTED))
    assert not side.media.restart(OURS), "enough"
    side.select((HOST, (THEIRS, 5000)), (HOST, (THEIRS, 5001)))
    assert side.media.restart(OURS), "after a success it begins anew"


def test_a_restart_without_ports_for_all_leaves_no_trace() -> None:
    side = Side()
    side.offer()
    side.media.accept(sdp(*BOTH, session=IDENTITY))
    before = set(side.ports.reserved)
    side.ports._count = len(before) + 1
    with pytest.raises(CallError):
        side.media.restart(ELSEWHERE)
    assert side.ports.reserved == before
    assert not side.media.restarting
    side.ports._count += 1
    assert side.media.restart(ELSEWHERE)
    offered = set(side.ports.reserved)
    with pytest.raises(CallError):
        side.media.restart("192.0.2.10")
    assert side.ports.reserved == offered
    assert side.media.restarting, "the search that is offered goes on"


def test_without_ice_there_is_nothing_to_restart() -> None:
    side = Side()
    side.offer()
    side.media.accept(sdp(*BOTH))
    assert not side.media.restart(OURS)


def test_more_addresses_of_ours_go_to_the_media_but_not_into_the_default() -> None:
    side = Side()
    side.media.prepare(None, side.when_done)
    for (host, port), gatherer in side.gatherers.made.items():
        gatherer.others = (("2001:db8::1", port),)
        more = Candidate("9", 1, 2**31 - 1, ("2001:db8::1", port), HOST)
        gatherer.candidates = (more, *gatherer.candidates)
        assert host == OURS
    body = side.offer()
    for media in lines(body):
        assert "2001:db8::1" not in f"{media.connection} {media.attribute('rtcp')}"
        assert any("2001:db8::1" in value for value in media.values("candidate"))
    side.media.accept(sdp(*BOTH, session=IDENTITY))
    for channel in side.media.channels:
        assert channel.others == (("2001:db8::1", channel.local[1]),)
    side.media.accept(sdp(*BOTH))
    assert {channel.others for channel in side.media.channels} == {()}
