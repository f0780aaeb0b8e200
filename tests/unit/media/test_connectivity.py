"""Two ends that look for a way to each other, on sockets of the loopback."""

from __future__ import annotations

import random
import select
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from ice_ends import Sockets, agreed

from firmware.call.ice import CandidateType, Ice, Selected
from firmware.ice import consent
from firmware.ice.credentials import make_credentials
from firmware.media import connectivity
from firmware.media.connectivity import DIRECT, RELAYED, TRANSLATED, Connectivity

HOST = "127.0.0.1"


class End:
    """One end, its sockets, and what came out of it."""

    def __init__(self, sockets: Sockets, ice: Ice) -> None:
        self.sockets = sockets
        self.heard: list[tuple[bytes, bool]] = []
        self.selected: list[tuple[Selected, ...]] = []
        self.lost: list[tuple[str, bool]] = []
        self.begin(ice)

    def begin(self, ice: Ice) -> None:
        """Begin, or begin again in the place of one who is gone."""
        self.way = Connectivity(ice, self.sockets, time.monotonic())
        self.way.on_selected = self.selected.append
        self.way.on_lost = lambda why, found: self.lost.append((why, found))

    def work(self) -> None:
        now = time.monotonic()
        for sock in self.sockets:
            try:
                data, source = sock.recvfrom(2048)
            except BlockingIOError:
                continue
            control = sock is self.sockets[1]
            found = self.way.receive(data, control, source, now)
            if found is not None:
                self.heard.append((found[0], control))
        if self.way.timer() <= now:
            self.way.handle_timer(now)


def bound() -> Sockets:
    pair = tuple(socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    for sock in pair:
        sock.bind((HOST, 0))
        sock.setblocking(False)
    return pair[0], pair[1]


@pytest.fixture
def pairs() -> Iterator[tuple[Sockets, Sockets]]:
    both = bound(), bound()
    yield both
    for pair in both:
        for sock in pair:
            sock.close()


def go_on(ends: list[End], until: Callable[[], bool], timeout: float = 5.0) -> None:
    deadline = time.monotonic() + timeout
    while not until():
        assert time.monotonic() < deadline, [(end.selected, end.lost, end.heard) for end in ends]
        select.select([sock for end in ends for sock in end.sockets], [], [], 0.01)
        for end in ends:
            end.work()


def ends_of(pairs: tuple[Sockets, Sockets], components: int = 2) -> list[End]:
    return [End(pair, ice) for pair, ice in zip(pairs, agreed(*pairs, components), strict=True)]


@pytest.mark.parametrize("components", [1, 2])
def test_a_way_is_found(pairs: tuple[Sockets, Sockets], components: int) -> None:
    ends = ends_of(pairs, components)
    assert not any(end.way.settled for end in ends)
    assert ends[0].way.kind == ""
    ends[0].way.send(b"\x80too early", False)
    go_on(ends, lambda: all(end.selected for end in ends))
    for end in ends:
        assert end.way.settled
        assert end.way.kind == DIRECT
        assert len(end.selected[-1]) == components
    ends[0].way.send(b"\x80sound", False)
    go_on(ends, lambda: (b"\x80sound", False) in ends[1].heard)
    ends[1].way.send(b"\x80\xc8report", components == 2)
    go_on(ends, lambda: (b"\x80\xc8report", components == 2) in ends[0].heard)
    assert (b"\x80too early", False) not in ends[1].heard


def test_a_stranger_is_not_heard(pairs: tuple[Sockets, Sockets]) -> None:
    ends = ends_of(pairs)
    go_on(ends, lambda: all(end.selected for end in ends))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((HOST, 0))
        stranger.sendto(b"\x80a stranger's", ends[0].sockets[0].getsockname())
        ends[1].way.send(b"\x80sound", False)
        go_on(ends, lambda: bool(ends[0].heard))
        time.sleep(0.05)
        ends[0].work()
    assert ends[0].heard == [(b"\x80sound", False)]


def test_who_takes_the_place_of_another_goes_on_at_once(pairs: tuple[Sockets, Sockets]) -> None:
    ends = ends_of(pairs)
    go_on(ends, lambda: all(end.selected for end in ends))
    for end in ends:
        end.begin(replace(end.way.ice, selected=end.selected[-1]))
        assert end.way.settled
        end.way.send(b"\x80again", False)
        end.heard.clear()
    go_on(ends, lambda: all((b"\x80again", False) in end.heard for end in ends))


def test_what_was_agreed_later_begins_anew(pairs: tuple[Sockets, Sockets]) -> None:
    ends = ends_of(pairs)
    go_on(ends, lambda: all(end.selected for end in ends))
    same = [end.way.ice for end in ends]
    for end, ice in zip(ends, same, strict=True):
        end.way.update(ice, time.monotonic())
        assert end.way.settled
        end.selected.clear()
    rng = random.Random(6)
    names = make_credentials(rng), make_credentials(rng)
    for end, (ours, theirs) in zip(ends, (names, names[::-1]), strict=True):
        end.way.update(replace(end.way.ice, ours=ours, theirs=theirs), time.monotonic())
        assert not end.way.settled
    # Until that has come to something, the way before goes on (RFC 8445 9).
    ends[0].way.send(b"\x80meanwhile", False)
    go_on(ends, lambda: all(end.selected for end in ends) and bool(ends[1].heard))
    assert ends[1].heard == [(b"\x80meanwhile", False)]


def test_that_there_is_no_way_is_said_late(pairs: tuple[Sockets, Sockets], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connectivity, "GRACE", 0.2)
    nowhere = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for sock in nowhere:
        sock.bind((HOST, 0))  # and nobody ever reads there
    ice, _ = agreed(pairs[0], (nowhere[0], nowhere[1]))
    end = End(pairs[0], ice)
    now = time.monotonic()
    for step in range(1, 3_000):
        end.way.handle_timer(now + step * 0.05)
    [(why, found)] = end.lost
    assert why
    assert not found
    end.way.send(b"\x80nobody", False)
    for sock in nowhere:
        sock.close()


def test_who_hears_nothing_any_more_has_lost_the_way(pairs: tuple[Sockets, Sockets]) -> None:
    ends = ends_of(pairs)
    go_on(ends, lambda: all(end.selected for end in ends))
    now = time.monotonic()
    for step in range(1, 1_000):
        ends[0].way.handle_timer(now + step * 0.05)
    assert [found for _, found in ends[0].lost] == [True]  # RFC 7675 5.1: after 30 s


@pytest.mark.parametrize(
    ("local", "remote", "kind"),
    [
        (CandidateType.HOST, CandidateType.HOST, DIRECT),
        (CandidateType.PEER_REFLEXIVE, CandidateType.HOST, TRANSLATED),
        (CandidateType.HOST, CandidateType.SERVER_REFLEXIVE, TRANSLATED),
        (CandidateType.RELAYED, CandidateType.HOST, RELAYED),
        (CandidateType.HOST, CandidateType.RELAYED, RELAYED),
    ],
)
def test_kinds_of_way(pairs: tuple[Sockets, Sockets], local: CandidateType, remote: CandidateType, kind: str) -> None:
    ice, _ = agreed(*pairs)
    pair = Selected(1, replace(ice.local[0], type=local), replace(ice.remote[0], type=remote))
    assert Connectivity(replace(ice, selected=(pair,)), pairs[0], time.monotonic()).kind == kind


def test_silence_is_told_while_there_is_hope(pairs: tuple[Sockets, Sockets], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent, "INTERVAL", 0.05)
    monkeypatch.setattr(consent, "DOUBT", 0.2)
    ends = ends_of(pairs)
    doubts: list[int] = []
    ends[0].way.on_doubt = lambda: doubts.append(1)
    go_on(ends, lambda: all(end.selected for end in ends))
    go_on(ends[:1], lambda: len(doubts) > 1)
    assert ends[0].lost == []
