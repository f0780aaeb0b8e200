"""Two units by SIP, encrypted: what they see and hear of each other, and what somebody on the wire does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from interop.conftest import SMALL
from interop.test_h323_units import LABELS, TONES, Pair, assert_sees
from interop.unit import Unit
from interop.waiting import until
from interop.wire_listener import Heard, WireListener

from firmware.call.call import EndReason

pytestmark = pytest.mark.interop

PARAMETER_SETS = (b"\x67\x42", b"\x67\x64", b"\x67\x4d")
"""How a sequence parameter set of H.264 begins, by profile (H.264 7.3.1, 7.3.2.1.1)."""
VIDEO = 100
"""The payload type of H.264 in High profile, which two units agree on."""
TAG = {"preferred": 10, "required": 16}
"""Octets by which SRTP makes packets longer, by the suite that is agreed."""


class SipPair(Pair):
    """Two units that call each other by SIP."""

    def connect(self, caller: Unit) -> tuple[str, str]:
        callee = self.other(caller)
        call = caller.dial(callee.uri)
        caller.wait_for_call()
        return call, callee.wait_for_call()


def start(running: ExitStack, folder: Path, *policies: str, srtp: Sequence[str] = ("sdes", "dtls")) -> SipPair:
    units = []
    for number, (tone, label, policy) in enumerate(zip(TONES, LABELS, policies, strict=True)):
        settings = {
            "board.sim": {"camera_label": label},
            "media": {**SMALL, "encryption": policy},
            "sip": {"srtp": list(srtp)},
        }
        units.append(running.enter_context(Unit(folder / f"unit-{number}", settings, tone=tone)))
    return SipPair((units[0], units[1]))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[ExitStack, Path]]:
    with ExitStack() as running:
        yield running, tmp_path


def assert_scrambled(heard: list[Heard]) -> None:
    """Assert that neither pictures nor the names of who sends them are to be read."""
    video = [each.payload for each in heard if each.is_rtp and each.payload_type == VIDEO]
    first_octets = {payload[0] for payload in video}
    assert len(video) > 100
    assert len(first_octets) > len(video) // 3 or len(first_octets) > 200, "NAL units would begin alike"
    # Of a thousand long ones that say nothing, one in twenty times begins so by chance.
    assert not any(len(payload) < 64 and payload.startswith(PARAMETER_SETS) for payload in video)
    controls = [each.data for each in heard if each.is_control]
    assert controls, "there are reports"
    for data in controls:
        length = 4 + 4 * int.from_bytes(data[2:4], "big")
        assert len(data) > length + 4
        assert data[length : length + 2] != b"\x81\xca", "a description of the source would follow"


@pytest.mark.parametrize("policy", ["preferred", "required", "off"])
def test_what_is_on_the_wire(folder: tuple[ExitStack, Path], policy: str) -> None:
    pair = start(*folder, policy, policy)
    listener = WireListener(*(unit.address for unit in pair.units))
    call, call_there = pair.connect(pair.units[0])
    heard = listener.hear(6)
    encrypted = policy != "off"
    assert [unit.state()["calls"][0]["encrypted"] for unit in pair.units] == [encrypted] * 2
    for unit, label in zip(pair.units, reversed(LABELS), strict=True):
        assert_sees(unit, label)
    pair.assert_all_hear()
    if encrypted:
        assert_scrambled(heard)
        sound = {len(each.payload) for each in heard if each.is_rtp and each.payload_type == 9}
        assert not sound or sound == {160 + TAG[policy]}
    else:
        assert any(each.payload.startswith(PARAMETER_SETS) for each in heard if each.is_rtp)
    for unit, number in zip(pair.units, (call, call_there), strict=True):
        assert all(stream["lost"] == 0 for stream in unit.streams(number).values())
        assert "inline" not in unit.log()
    pair.units[0].command(call, "hang_up")
    assert pair.wait_for_idle() == ["The call was hung up."] * 2


@pytest.mark.parametrize("srtp", [("dtls",), ("dtls", "sdes")])
def test_keys_that_are_agreed_on_the_wire(folder: tuple[ExitStack, Path], srtp: Sequence[str]) -> None:
    pair = start(*folder, "preferred", "required", srtp=srtp)
    listener = WireListener(*(unit.address for unit in pair.units))
    call, _ = pair.connect(pair.units[0])
    heard = listener.hear(6)
    assert [unit.state()["calls"][0]["encrypted"] for unit in pair.units] == [True] * 2
    pair.assert_all_see_and_hear()
    assert_scrambled(heard)
    first_rtp = {each.port: number for number, each in reversed(list(enumerate(heard))) if not each.is_dtls}
    first_dtls = {each.port: number for number, each in reversed(list(enumerate(heard))) if each.is_dtls}
    assert len(first_dtls) == 4, "each medium, both ways, on the ports of RTP"
    assert all(first_dtls[port] < number for port, number in first_rtp.items())
    for command in ("hold", "resume"):
        pair.units[0].command(call, command)
        pair.units[1].wait(lambda state, c=command: state["calls"][0]["held_by_far_end"] is (c == "hold"))  # type: ignore[misc]
    pair.assert_all_see_and_hear()
    for unit in pair.units:
        unit.kill_media_worker()
    pair.assert_all_see_and_hear()
    assert [unit.state()["calls"][0]["encrypted"] for unit in pair.units] == [True] * 2
    pair.units[0].command(call, "hang_up")
    assert pair.wait_for_idle() == ["The call was hung up."] * 2


@pytest.mark.parametrize("strict", [0, 1])
def test_a_unit_that_must_and_one_that_will_not(folder: tuple[ExitStack, Path], strict: int) -> None:
    policies = ["off", "off"]
    policies[strict] = "required"
    pair = start(*folder, *policies)
    caller, called = pair.units
    caller.dial(called.uri)
    assert until(lambda: not caller.state()["calls"] and caller.state()["notice"] is not None)
    assert (caller.state()["notice"] or {}).get("text") == EndReason.NOT_ENCRYPTED.value
    assert called.wait_for_idle()["calls"] == []


def test_hold_and_a_media_process_that_dies(folder: tuple[ExitStack, Path]) -> None:
    pair = start(*folder, "required", "preferred")
    call, _ = pair.connect(pair.units[0])
    pair.assert_all_see_and_hear()
    for command in ("hold", "resume"):
        pair.units[0].command(call, command)
        pair.units[1].wait(lambda state, c=command: state["calls"][0]["held_by_far_end"] is (c == "hold"))  # type: ignore[misc]
    pair.assert_all_see_and_hear()
    for unit in pair.units:
        unit.kill_media_worker()
    pair.assert_all_see_and_hear()
    assert all(unit.state()["calls"][0]["encrypted"] for unit in pair.units)
    pair.units[0].command(call, "hang_up")
    pair.wait_for_idle()
