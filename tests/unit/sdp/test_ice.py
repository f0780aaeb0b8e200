"""What is read and written of ICE in a medium."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.call.ice import Candidate, CandidateType, Credentials
from firmware.sdp import ice
from firmware.sdp.ice import MAX_CANDIDATES, RTCP, RTP, IceDescription
from firmware.sdp.session import Attributes, MediaDescription, SessionDescription

OURS = Credentials("9uB6", "YH75Fviy6338Vbrhrlp8Yh")
IDENTITY = (("ice-ufrag", OURS.fragment), ("ice-pwd", OURS.password))
# RFC 8839 4.6 (the offer of the example), and an RTCP of the same host.
HOST = "1 1 UDP 2130706431 203.0.113.141 8998 typ host"
CONTROL = "1 2 UDP 2130706430 203.0.113.141 8999 typ host"
REFLEXIVE = "2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998"


def read(
    medium: Attributes, session: Attributes = (), *, host: str = "203.0.113.141", port: int = 8998
) -> IceDescription | None:
    return ice.read(
        SessionDescription(attributes=session), MediaDescription("audio", port, "RTP/AVP", ("0",), host, (), medium)
    )


def candidates(*lines: str) -> tuple[Candidate, ...]:
    found = read((*IDENTITY, *(("candidate", line) for line in lines)))
    assert found is not None
    return found.candidates


def test_a_description() -> None:
    found = read((*IDENTITY, ("candidate", HOST), ("candidate", CONTROL), ("candidate", REFLEXIVE)))
    assert found is not None
    assert found.credentials == OURS
    assert OURS.password not in repr(found)
    assert not found.lite
    assert not found.mismatch
    assert found.candidates == (
        Candidate("1", RTP, 2130706431, ("203.0.113.141", 8998), CandidateType.HOST),
        Candidate("1", RTCP, 2130706430, ("203.0.113.141", 8999), CandidateType.HOST),
        Candidate("2", RTP, 1694498815, ("192.0.2.3", 45664), CandidateType.SERVER_REFLEXIVE, ("203.0.113.141", 8998)),
    )


def test_what_is_written_is_read() -> None:
    all_of_them = (
        Candidate("a+/", RTP, 1, ("2001:db8::1", 1), CandidateType.PEER_REFLEXIVE, ("2001:db8::2", 2)),
        Candidate("b", RTCP, (1 << 31) - 1, ("2001:db8::1", 65535), CandidateType.RELAYED, ("2001:db8::3", 0)),
    )
    said = ice.write(OURS, all_of_them, {RTP: ("2001:db8::1", 1), RTCP: ("2001:db8::1", 65535)}, {1: ("192.0.2.1", 7)})
    assert dict(said)["rtcp"] == "65535 IN IP6 2001:db8::1"
    assert {name for name, _ in said} <= ice.NAMES
    assert ("ice-options", "ice2") in said
    found = read(said, host="2001:db8::1", port=1)
    assert found == IceDescription(OURS, all_of_them, remote_candidates=((1, ("192.0.2.1", 7)),), ice2=True)


@pytest.mark.parametrize(
    ("medium", "session", "ice2"),
    [("", "", False), ("ice2", "", True), ("", "trickle ice2", True), ("ice22", "", False), ("rtp+ecn", "", False)],
)
def test_who_keeps_to_which_rfc(medium: str, session: str, ice2: bool) -> None:
    said: list[Attributes] = [(("ice-options", text),) if text else () for text in (medium, session)]
    found = read((*IDENTITY, *said[0]), said[1])
    assert found is not None
    assert found.ice2 is ice2


def test_who_says_nothing_takes_no_part() -> None:
    assert read(()) is None
    assert read((("candidate", HOST),)) is None


def test_the_medium_counts_before_the_session() -> None:
    session = (("ice-ufrag", "other"), ("ice-pwd", "x" * 22), ("ice-lite", ""))
    found = read((("candidate", HOST),), session)
    assert found is not None
    assert (found.credentials, found.lite) == (Credentials("other", "x" * 22), True)
    found = read((*IDENTITY, ("candidate", HOST)), session)
    assert found is not None
    assert found.credentials == OURS


@pytest.mark.parametrize(
    ("fragment", "password"),
    [("abc", "x" * 22), ("abcd", "x" * 21), ("a" * 257, "x" * 22), ("abcd", "x" * 257), ("ab c", "x" * 22), ("", "")],
)
def test_credentials_have_a_form(fragment: str, password: str) -> None:
    assert read((("ice-ufrag", fragment), ("ice-pwd", password))) is None


def test_who_says_that_it_was_rewritten_takes_no_part() -> None:
    assert read((*IDENTITY, ("ice-mismatch", ""))) is None  # RFC 8839 4.2.5


@pytest.mark.parametrize(
    "line",
    [
        "",
        HOST.replace("UDP", "TCP"),
        HOST.replace("203.0.113.141", "1f8a2b3c-0000-4000-8000-000000000000.local"),
        HOST.replace("203.0.113.141", "host.example.com"),
        HOST.replace("203.0.113.141", "224.0.0.1"),
        HOST.replace("203.0.113.141", "0.0.0.0"),
        HOST.replace("203.0.113.141", "fe80::1%eth0"),
        HOST.replace("8998", "0"),
        HOST.replace("8998", "65536"),
        HOST.replace("host", "magic"),
        HOST.replace("1 1 UDP", "1 3 UDP"),
        HOST.replace("1 1 UDP", "1 0 UDP"),
        HOST.replace("2130706431", "0"),
        HOST.replace("2130706431", "2147483648"),
        HOST.replace("1 1 UDP", f"{'f' * 33} 1 UDP"),
        HOST.replace("1 1 UDP", "1 ² UDP"),
    ],
)
def test_a_candidate_of_no_use_counts_as_absent(line: str) -> None:
    assert candidates(line, CONTROL) == candidates(CONTROL)


def test_extensions_are_passed_over() -> None:
    assert candidates(f"{HOST} generation 0 ufrag EEtu network-id 3") == candidates(HOST)
    assert candidates(HOST.replace("UDP", "udp")) == candidates(HOST)


def test_candidates_are_bounded_by_component() -> None:
    many = [HOST.replace("8998", str(port)) for port in range(1000, 1400)]
    assert len(candidates(*many)) == MAX_CANDIDATES
    assert len(candidates(CONTROL, *many[:40])) == MAX_CANDIDATES + 1
    assert len(candidates(HOST, HOST, HOST)) == 1


@pytest.mark.parametrize(
    ("medium", "host", "port", "mismatch"),
    [
        ((("candidate", HOST),), "203.0.113.141", 8998, False),
        ((("candidate", HOST),), "203.0.113.142", 8998, True),
        ((("candidate", HOST),), "203.0.113.141", 9000, True),
        ((("candidate", HOST),), "0.0.0.0", 9, False),
        ((("candidate", HOST),), "::", 9, False),
        ((("candidate", HOST),), "host.example.com", 8998, False),
        ((), "203.0.113.141", 9000, False),  # candidates come later
        ((("candidate", HOST), ("candidate", CONTROL), ("rtcp", "8999")), "203.0.113.141", 8998, False),
        ((("candidate", HOST), ("candidate", CONTROL), ("rtcp", "9001")), "203.0.113.141", 8998, True),
        (
            (("candidate", HOST), ("candidate", CONTROL), ("rtcp", "9 IN IP4 0.0.0.0"), ("rtcp-mux", "")),
            "203.0.113.141",
            8998,
            False,
        ),
        ((("candidate", HOST), ("rtcp", "8998 IN IP4 203.0.113.141")), "203.0.113.141", 8998, False),
        # A candidate that is of no use to us is the default of one that was not rewritten.
        ((("candidate", HOST.replace("UDP", "TCP")),), "203.0.113.141", 8998, False),
    ],
)
def test_who_was_rewritten_is_recognised(medium: Attributes, host: str, port: int, mismatch: bool) -> None:
    found = read((*IDENTITY, *medium), host=host, port=port)
    assert found is not None
    assert found.mismatch is mismatch


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1 192.0.2.3 45664", ((1, ("192.0.2.3", 45664)),)),
        ("1 192.0.2.3 45664 2 192.0.2.3 45665", ((1, ("192.0.2.3", 45664)), (2, ("192.0.2.3", 45665)))),
        ("1 192.0.2.3", ()),
        ("3 192.0.2.3 1", ()),
        ("1 name.example 1", ()),
        ("1 192.0.2.3 1 1 192.0.2.3 2 1 192.0.2.3 3", ((1, ("192.0.2.3", 1)), (1, ("192.0.2.3", 2)))),
    ],
)
def test_remote_candidates(value: str, expected: object) -> None:
    found = read((*IDENTITY, ("remote-candidates", value)))
    assert found is not None
    assert found.remote_candidates == expected


@given(st.text(max_size=80), st.text(max_size=40))
def test_nothing_raises(text: str, more: str) -> None:
    read((*IDENTITY, ("candidate", text), ("candidate", f"{HOST} {text}"), ("remote-candidates", more), ("rtcp", more)))
    read((("ice-ufrag", text), ("ice-pwd", more)))


@given(st.lists(st.sampled_from([*HOST.split(), *REFLEXIVE.split(), "²", ".local", "-1", ""]), max_size=12))
def test_no_candidate_raises(words: list[str]) -> None:
    read((*IDENTITY, ("candidate", " ".join(words))))
