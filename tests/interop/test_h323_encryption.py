"""Two units by H.323, encrypted: what they see and hear of each other, and what somebody on the wire does not."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from interop.conftest import SMALL
from interop.test_h323_units import LABELS, TONES, Pair, assert_sees
from interop.unit import Unit
from interop.waiting import until

from firmware.call.call import EndReason
from firmware.rtp.packet import HEADER_SIZE

pytestmark = pytest.mark.interop

ETHERTYPE_IP = 0x0800
IN_CLEAR, ENCRYPTED = {102, 97}, {104, 105}
"""Payload types of Opus and H.264, and of what is encrypted."""
PARAMETER_SETS = (b"\x67\x42", b"\x67\x64", b"\x67\x4d")
"""How a sequence parameter set of H.264 begins, by profile (H.264 7.3.1, 7.3.2.1.1)."""


class Rtp(NamedTuple):
    """One packet on the wire."""

    payload_type: int
    payload: bytes


class Listener:
    """Somebody on the wire between two units of this machine."""

    def __init__(self, pair: Pair) -> None:
        self._between = {socket.inet_aton(unit.address) for unit in pair.units}
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETHERTYPE_IP))
        except PermissionError:
            pytest.skip("listening on the wire takes root")
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
        self._socket.bind(("lo", ETHERTYPE_IP))
        self._socket.settimeout(0.2)

    def hear(self, seconds: float) -> list[Rtp]:
        """Give the RTP of the next seconds."""
        heard: list[Rtp] = []
        end = time.monotonic() + seconds
        with contextlib.closing(self._socket):
            while time.monotonic() < end:
                with contextlib.suppress(TimeoutError):
                    packet = self._socket.recv(4096)
                    rtp = self._rtp(packet)
                    if rtp is not None:
                        heard.append(rtp)
        return heard

    def _rtp(self, packet: bytes) -> Rtp | None:
        start = 4 * (packet[0] & 0x0F)
        is_udp = packet[0] >> 4 == 4 and packet[9] == socket.IPPROTO_UDP
        if not is_udp or {packet[12:16], packet[16:20]} != self._between:
            return None
        port, data = int.from_bytes(packet[start + 2 : start + 4], "big"), packet[start + 8 :]
        if port % 2 or len(data) < HEADER_SIZE or data[0] >> 6 != 2:
            return None
        return Rtp(data[1] & 0x7F, data[HEADER_SIZE:])


def start(running: ExitStack, folder: Path, *policies: str) -> Pair:
    units = []
    for number, (tone, label, policy) in enumerate(zip(TONES, LABELS, policies, strict=True)):
        settings = {"board.sim": {"camera_label": label}, "media": {**SMALL, "encryption": policy}}
        units.append(running.enter_context(Unit(folder / f"unit-{number}", settings, tone=tone)))
    return Pair((units[0], units[1]))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[ExitStack, Path]]:
    with ExitStack() as running:
        yield running, tmp_path


@pytest.mark.parametrize(("policy", "encrypted"), [("preferred", True), ("off", False)])
def test_what_is_on_the_wire(folder: tuple[ExitStack, Path], policy: str, encrypted: bool) -> None:
    pair = start(*folder, policy, policy)
    listener = Listener(pair)
    call, call_there = pair.connect(pair.units[0])
    heard = listener.hear(6)
    assert [unit.state()["calls"][0]["encrypted"] for unit in pair.units] == [encrypted] * 2
    for unit, label in zip(pair.units, reversed(LABELS), strict=True):
        assert_sees(unit, label)
    pair.assert_all_hear()
    assert {rtp.payload_type for rtp in heard} == (ENCRYPTED if encrypted else IN_CLEAR)
    assert len(heard) > 300
    video = [rtp.payload for rtp in heard if rtp.payload_type in (97, 105)]
    first_octets = {payload[0] for payload in video}
    # Of a thousand encrypted packets one begins so by chance, now and then; but few are as short.
    has_parameters = any(len(payload) < 64 and payload.startswith(PARAMETER_SETS) for payload in video)
    if encrypted:
        assert len(first_octets) > len(video) // 3 or len(first_octets) > 200, "NAL units would begin alike"
        assert all(len(rtp.payload) % 16 == 0 for rtp in heard)
    else:
        assert len(first_octets) < 12
    assert has_parameters is not encrypted
    for unit, number in zip(pair.units, (call, call_there), strict=True):
        assert all(stream["lost"] == 0 for stream in unit.streams(number).values())
        assert "encryptedSessionKey" not in unit.log()
    pair.units[0].command(call, "hang_up")
    assert pair.wait_for_idle() == ["The call was hung up."] * 2


def test_a_unit_that_must_and_one_that_will_not(folder: tuple[ExitStack, Path]) -> None:
    pair = start(*folder, "required", "off")
    strict, plain = pair.units
    words = EndReason.NOT_ENCRYPTED.value
    strict.dial(plain.h323_url)
    assert until(lambda: any((unit.state()["notice"] or {}).get("text") == words for unit in pair.units))
    strict.wait_for_idle()
    plain.wait_for_idle()
    assert (strict.state()["notice"] or {}).get("text") == words
    plain.dial(strict.h323_url)
    assert until(lambda: (plain.state()["notice"] or {}).get("text") == words)
    plain.wait_for_idle()


def test_the_media_process_may_die(folder: tuple[ExitStack, Path]) -> None:
    pair = start(*folder, "required", "preferred")
    call, _ = pair.connect(pair.units[0])
    for unit in pair.units:
        unit.kill_media_worker()
    for unit, label in zip(pair.units, reversed(LABELS), strict=True):
        assert_sees(unit, label)
        assert unit.state()["calls"][0]["encrypted"]
    pair.units[0].command(call, "hang_up")
    pair.wait_for_idle()
