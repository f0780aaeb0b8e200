"""What is read of fingerprints and of who begins a handshake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.sdp import fingerprint
from firmware.sdp.fingerprint import Setup
from firmware.sdp.session import Attributes, MediaDescription, SessionDescription

RFC8122 = "12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD"


def described(medium: Attributes = (), session: Attributes = ()) -> tuple[SessionDescription, MediaDescription]:
    return SessionDescription(attributes=session), MediaDescription("audio", 5000, "", ("0",), attributes=medium)


def values(*written: str) -> tuple[tuple[str, bytes], ...]:
    return fingerprint.read(*described(tuple(("fingerprint", each) for each in written)))


def test_a_fingerprint() -> None:
    [(name, value)] = values(f"SHA-256 {RFC8122}")
    assert name == "sha-256"
    assert value == bytes.fromhex(RFC8122.replace(":", ""))
    assert fingerprint.write((name, value)) == f"sha-256 {RFC8122}"


def test_order_and_case_make_no_difference() -> None:
    assert values("sha-1 AA:BB", "sha-256 CC:DD") == values("sha-256 cc:dd", "SHA-1 aa:bb", "sha-1 AA:bb")


def test_the_medium_counts_before_the_session() -> None:
    session = (("fingerprint", "sha-1 01"), ("setup", "passive"))
    assert fingerprint.read(*described((), session)) == (("sha-1", b"\1"),)
    assert fingerprint.read(*described((("fingerprint", "sha-1 02"),), session)) == (("sha-1", b"\2"),)
    assert fingerprint.read_setup(*described((), session)) is Setup.PASSIVE
    assert fingerprint.read_setup(*described((("setup", "ACTIVE"),), session)) is Setup.ACTIVE


@pytest.mark.parametrize("value", ["", "sha-256", "sha-256 ", "sha-256 1", "sha-256 GG", "sha-256 AA:B", "AA:BB"])
def test_what_can_not_be_read_counts_as_absent(value: str) -> None:
    assert values(value) == ()
    assert fingerprint.read_setup(*described((("setup", value),))) is None


def test_fingerprints_are_bounded() -> None:
    assert len(values(*(f"sha-1 {number:02x}" for number in range(200)))) == 16


@given(st.text(max_size=60))
def test_nothing_raises(text: str) -> None:
    values(text, f"sha-1 {text}")
    fingerprint.read_setup(*described((("setup", text),)))
