"""Candidates: RFC 8445's formulas, and what can be a pair."""

from __future__ import annotations

import pytest

from firmware.call.ice import Candidate, CandidateType
from firmware.ice.candidate import (
    can_pair,
    canonical,
    canonical_all,
    default,
    foundation,
    pair_priority,
    preference,
    priority,
    ranked,
)

HOST, REFLEXIVE, RELAYED = CandidateType.HOST, CandidateType.SERVER_REFLEXIVE, CandidateType.RELAYED


def at(host: str, port: int = 4000, component: int = 1, kind: CandidateType = HOST) -> Candidate:
    return Candidate("1", component, priority(kind, component), (host, port), kind)


def test_priorities_are_those_that_others_reckon() -> None:
    """RFC 8839 C gives 2130706431 for a host and 1694498815 for a reflexive candidate."""
    assert priority(HOST, 1) == 2_130_706_431
    assert priority(REFLEXIVE, 1) == 1_694_498_815
    assert priority(RELAYED, 2) == 16_777_214
    order = [priority(kind, 1) for kind in (HOST, CandidateType.PEER_REFLEXIVE, REFLEXIVE, RELAYED)]
    assert order == sorted(order, reverse=True)
    assert preference(at("192.0.2.1")) == 65535


def test_pair_priority() -> None:
    assert pair_priority(2, 1) == (1 << 32) + 2 * 2 + 1
    assert pair_priority(1, 2) == (1 << 32) + 2 * 2
    assert pair_priority(2_130_706_431, 2_130_706_431) == 9_151_314_442_783_293_438 + 0


def test_foundations_differ_by_type_base_and_server() -> None:
    same = {foundation(HOST, "192.0.2.1"), foundation(HOST, "192.0.2.1", "")}
    assert len(same) == 1
    found = {
        foundation(HOST, "192.0.2.1"),
        foundation(REFLEXIVE, "192.0.2.1", "192.0.2.9"),
        foundation(REFLEXIVE, "192.0.2.1", "192.0.2.8"),
        foundation(RELAYED, "192.0.2.1", "192.0.2.9"),
        foundation(HOST, "192.0.2.2"),
    }
    assert len(found) == 5
    assert all(each.isalnum() and len(each) <= 32 for each in found)


def test_the_default_is_what_most_likely_works() -> None:
    host, reflexive, relayed = at("10.0.0.1"), at("192.0.2.1", kind=REFLEXIVE), at("192.0.2.9", kind=RELAYED)
    assert default((host, reflexive, relayed), 1) == relayed
    assert default((host, reflexive), 1) == reflexive
    assert default((host,), 1) == host
    assert default((host,), 2) is None


@pytest.mark.parametrize(
    ("host", "port"),
    [
        *(("0.0.0.0", 4000), ("::", 4000), ("224.0.0.1", 4000), ("ff02::1", 4000), ("255.255.255.255", 4000)),
        *(("192.0.2.1", 0), ("192.0.2.1", 65536), ("4c1b.local", 4000), ("", 4000), ("192.0.2.1\n", 4000)),
    ],
)
def test_where_nobody_can_be(host: str, port: int) -> None:
    assert canonical(at(host, port)) is None


def test_addresses_become_what_the_kernel_writes() -> None:
    found = canonical(at("2001:DB8:0:0::1"))
    assert found is not None
    assert found.address == ("2001:db8::1", 4000)


@pytest.mark.parametrize(("rank", "ground"), [(0, "1"), (-1, "1"), (2**31, "1"), (1, ""), (1, "x" * 33)])
def test_priorities_and_foundations_out_of_bounds(rank: int, ground: str) -> None:
    assert canonical(Candidate(ground, 1, rank, ("192.0.2.1", 4000), HOST)) is None


def test_each_is_taken_once() -> None:
    assert len(canonical_all([at("2001:db8::1"), at("2001:DB8::1"), at("nowhere")])) == 1


@pytest.mark.parametrize(
    ("ours", "theirs", "pairs"),
    [
        ("192.0.2.1", "192.0.2.2", True),
        ("2001:db8::1", "2001:db8::2", True),
        ("192.0.2.1", "2001:db8::2", False),
        ("127.0.0.1", "127.0.0.2", True),
        ("192.0.2.1", "127.0.0.1", False),
        ("127.0.0.1", "192.0.2.1", False),
        ("::1", "::1", True),
        ("fe80::1", "fe80::2", False),
        ("2001:db8::1", "fe80::2", False),
        ("192.0.2.1", "169.254.1.1", True),
    ],
)
def test_what_can_be_a_pair(ours: str, theirs: str, pairs: bool) -> None:
    assert can_pair(at(ours), at(theirs)) is pairs


def test_components_do_not_mix() -> None:
    assert not can_pair(at("192.0.2.1", component=1), at("192.0.2.2", component=2))


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (["192.0.2.1"], ["192.0.2.1"]),
        (["192.0.2.1", "2001:db8::1"], ["2001:db8::1", "192.0.2.1"]),
        (["192.0.2.1", "192.0.2.2", "2001:db8::1"], ["2001:db8::1", "192.0.2.1", "192.0.2.2"]),
        (["2001:db8::1", "2001:db8::2", "192.0.2.1"], ["2001:db8::1", "192.0.2.1", "2001:db8::2"]),
        ([], []),
    ],
)
def test_families_take_turns(hosts: list[str], expected: list[str]) -> None:
    assert ranked(hosts) == expected
