"""tshark reads what the unit sends: SIP, SDP, RTP and RTCP without a mark of malformed."""

from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from interop.peer import Peer
from interop.unit import Unit

MALFORMED, WARNING = 0x0700_0000, 0x0060_0000  # tshark's PI_MALFORMED and PI_WARN
NOT_DECODED = "[Not decoded yet]"
"""What tshark says of slices of H.264: it reads their headers only."""


class Capture:
    """What passed between a peer and the unit, as tshark sees it."""

    def __init__(self, program: str, path: Path, peer: Peer) -> None:
        self._program, self._path = program, peer.write_capture(path)
        audio, audio_control, video, video_control = (media.getsockname()[1] for media in peer.media)
        kinds = {peer.address[1]: "sip", audio: "rtp", audio_control: "rtcp", video: "rtp", video_control: "rtcp"}
        self._decode = [word for port, kind in kinds.items() for word in ("-d", f"udp.port=={port},{kind}")]
        self._decode += ["-o", "h264.dynamic.payload.type:96,97"]

    def lines(self, wanted: str, *fields: str) -> list[list[str]]:
        """The packets that a display filter selects, as the values of these fields."""
        shown = [word for field in fields for word in ("-e", field)]
        arguments = [self._program, "-r", str(self._path), *self._decode, "-Y", wanted, "-T", "fields", *shown]
        output = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60).stdout
        return [line.split("\t") for line in output.splitlines()]


@pytest.fixture(scope="module")
def capture(
    idle_unit: Unit, program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Capture, Unit]:
    """Eight seconds of a call in which the unit holds, resumes and hangs up, and an OPTIONS before it."""
    tshark = program("tshark")
    with Peer("127.0.0.1") as peer:
        peer.options(idle_unit.sip)
        call = peer.call(idle_unit.sip)
        call.established()
        number = idle_unit.wait_for_call()
        time.sleep(6)
        idle_unit.command(number, "digits", {"digits": "5"})
        time.sleep(1)
        for command in ("hold", "resume"):
            idle_unit.command(number, command)
            peer.answer(peer.receive(), "200 OK", peer.offer)
            assert peer.receive().startswith("ACK ")
            time.sleep(0.5)
        idle_unit.command(number, "hang_up")
        peer.answer(peer.receive(), "200 OK")
        idle_unit.wait_for_idle()
        time.sleep(0.2)
        return Capture(tshark, tmp_path_factory.mktemp("capture") / "call.pcap", peer), idle_unit


def from_unit(unit: Unit, wanted: str) -> str:
    return f"ip.src=={unit.address} && ({wanted})"


def test_nothing_is_malformed(capture: tuple[Capture, Unit]) -> None:
    tshark, unit = capture
    marked = from_unit(unit, f"_ws.malformed || _ws.expert.group == {MALFORMED} || _ws.expert.severity >= {WARNING}")
    found = tshark.lines(marked, "frame.number", "frame.protocols", "_ws.expert.message")
    assert [packet for packet in found if packet[2] != NOT_DECODED] == []


def test_sip_and_sdp_are_seen(capture: tuple[Capture, Unit]) -> None:
    tshark, unit = capture
    methods = [line[0] for line in tshark.lines(from_unit(unit, "sip.Method"), "sip.Method")]
    assert methods == ["INVITE", "ACK", "INVITE", "ACK", "BYE"]
    assert len(tshark.lines(from_unit(unit, "sip.Status-Code == 200 && sdp"), "sip.Status-Code")) >= 2
    assert tshark.lines(from_unit(unit, "sip && sdp.version != 0"), "frame.number") == []


def test_rtp_goes_on_in_order(capture: tuple[Capture, Unit]) -> None:
    tshark, unit = capture
    packets = tshark.lines(from_unit(unit, "rtp && !rtcp"), "rtp.ssrc", "rtp.seq", "rtp.timestamp", "rtp.p_type")
    streams: dict[str, list[tuple[int, int, int]]] = {}
    for source, sequence, timestamp, payload_type in packets:
        streams.setdefault(source, []).append((int(sequence), int(timestamp), int(payload_type)))
    assert len(streams) >= 2
    for stream in streams.values():
        steps = {(b[0] - a[0]) & 0xFFFF for a, b in itertools.pairwise(stream)}
        assert steps == {1}, "RFC 3550 5.1: the sequence number increments by one for each packet"
    kinds = {payload_type for stream in streams.values() for _, _, payload_type in stream}
    assert {9, 101} <= kinds
    assert kinds & {96, 97}


def test_h264_is_understood(capture: tuple[Capture, Unit]) -> None:
    tshark, unit = capture
    units = {
        int(line[0].split(",")[0]) for line in tshark.lines(from_unit(unit, "h264"), "h264.nal_unit_hdr") if line[0]
    }
    assert units <= {1, 5, 6, 7, 8, 24, 28}, "RFC 6184 5.2: single NAL units, STAP-A, FU-A"
    assert {5, 28} & units
    assert {7, 24} & units, "parameter sets, alone or aggregated"


def test_rtcp_reports_are_whole(capture: tuple[Capture, Unit]) -> None:
    tshark, unit = capture
    seen = [set(line[0].split(",")) for line in tshark.lines(from_unit(unit, "rtcp"), "rtcp.pt")]
    assert {"200", "202", "203"} <= set().union(*seen), "SR, SDES and BYE (RFC 3550 6)"
    assert all(kinds & {"200", "201", "205", "206"} for kinds in seen)
    assert tshark.lines(from_unit(unit, "rtcp.length_check == 0"), "frame.number") == []
    reported = tshark.lines(from_unit(unit, "rtcp.ssrc.identifier == 0x5eedbeef"), "rtcp.ssrc.fraction")
    assert reported, "report blocks on what it receives"
