"""tshark reads RTP, RTCP, H.264 and telephone events as we wrote them; nothing is sent, the capture is made up."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from interop.pcap import MARKED, Dissection, write_datagrams

from firmware.call.media import Feedback, Kind
from firmware.rtp import rtcp
from firmware.rtp.h264 import packetize
from firmware.rtp.packet import Packet
from firmware.rtp.session import Session
from firmware.rtp.telephone_event import EventSender

RTP, RTCP = 40_000, 40_001
AS_RTP = (
    *("-d", f"udp.port=={RTP},rtp", "-d", f"udp.port=={RTCP},rtcp"),
    *("-o", "h264.dynamic.payload.type:96", "-o", "rtpevent.event_payload_type_value:101"),
)


Read = Callable[..., list[list[str]]]


@pytest.fixture
def read(program: Callable[[str], str], tmp_path: Path) -> Read:
    """Give the fields of the packets that pass a display filter."""
    tshark = program("tshark")

    def fields(datagrams: list[tuple[int, bytes]], wanted: str, *names: str) -> list[list[str]]:
        return Dissection(tshark, write_datagrams(tmp_path / "made-up.pcap", datagrams), AS_RTP).lines(wanted, *names)

    return fields


def test_rtp(read: Read) -> None:
    packets = [
        Packet(97, True, 65_535, 0xFFFFFFFF, 0xDEADBEEF, b"picture"),
        Packet(8, False, 0, 1, 2, b"sound", (3, 4)),
    ]
    datagrams = [(RTP, packet.encode()) for packet in packets]
    names = ("rtp.p_type", "rtp.marker", "rtp.seq", "rtp.timestamp", "rtp.ssrc", "rtp.csrc.item")
    first, second = read(datagrams, "rtp", *names)
    assert first[:4] == ["97", "1", "65535", "4294967295"]
    assert int(first[4], 16) == 0xDEADBEEF
    assert second[:4] == ["8", "0", "0", "1"]
    assert [int(one, 16) for one in second[5].split(",")] == [3, 4]
    assert read(datagrams, MARKED, "frame.number") == []


def test_h264(read: Read) -> None:
    stream = b"".join(b"\x00\x00\x00\x01" + unit for unit in (b"\x65" + b"\xb8" * 3000, b"\x41" + b"\x9a" * 50))
    session = Session(Kind.VIDEO, 90_000, random.Random(1), "cname", 0.0)
    payloads = packetize(stream)
    datagrams = [
        (RTP, session.send(payload, 0, place == len(payloads) - 1, 96, 0.0)) for place, payload in enumerate(payloads)
    ]
    lines = read(datagrams, "h264", "h264.nal_unit_hdr", "h264.start.bit", "h264.end.bit", "rtp.marker")
    assert len(lines) == 4
    types = [int(line[0].split(",")[0], 0) & 0x1F for line in lines]
    assert types == [28, 28, 28, 1]
    assert [line[1:3] for line in lines[:3]] == [["1", "0"], ["0", "0"], ["0", "1"]]
    assert [line[3] for line in lines] == ["0", "0", "0", "1"]


def test_telephone_event(read: Read) -> None:
    sender = EventSender()
    sender.send("#")
    session = Session(Kind.AUDIO, 8000, random.Random(1), "cname", 0.0)
    datagrams = []
    for number in range(8):
        packet = sender.next(160 * number)
        if packet:
            datagrams.append((RTP, session.send(packet.payload, packet.timestamp, packet.marker, 101, 0.02 * number)))
    names = ("rtpevent.event_id", "rtpevent.end_of_event", "rtpevent.volume", "rtpevent.duration", "rtp.marker")
    lines = read(datagrams, "rtpevent", *names)
    assert [line[0] for line in lines] == ["11"] * 7
    assert [line[1] for line in lines] == ["0"] * 4 + ["1"] * 3
    assert [line[2:4] for line in lines] == [["10", str(d)] for d in (160, 320, 480, 640, 800, 800, 800)]
    assert [line[4] for line in lines] == ["1"] + ["0"] * 6
    assert read(datagrams, MARKED, "frame.number") == []


def test_rtcp(read: Read) -> None:
    block = rtcp.Report(0xBBBB, 64, -3, 0x00012345, 99, 0x11112222, 65_536)
    messages: list[rtcp.Message] = [
        rtcp.SenderReport(0xAAAA, 0xE0000000_80000000, 1234, 10, 2000, (block,)),
        rtcp.SourceDescription(0xAAAA, "room-1"),
        rtcp.Nack(0xAAAA, 0xBBBB, (7, 9, 100)),
        rtcp.PictureLoss(0xAAAA, 0xBBBB),
        rtcp.FullIntra(0xAAAA, ((0xBBBB, 5),)),
        rtcp.Goodbye((0xAAAA,), "over"),
    ]
    datagrams = [(RTCP, rtcp.compound(messages))]
    names = (
        *("rtcp.pt", "rtcp.ssrc.fraction", "rtcp.ssrc.cum_nr", "rtcp.ssrc.jitter", "rtcp.sdes.text"),
        *("rtcp.rtpfb.nack_pid", "rtcp.psfb.fmt", "rtcp.psfb.fir.fci.csn", "rtcp.sender.packetcount"),
    )
    (line,) = read(datagrams, "rtcp", *names)
    assert line == ["200,202,205,206,206,203", "64", "-3", "99", "room-1,over", "7,9,100", "1,4", "5", "10"]
    assert read(datagrams, MARKED, "frame.number") == []
    assert read(datagrams, "rtcp.length_check == 0 || rtcp.length_check.bad", "frame.number") == []


def test_rtcp_of_a_session(read: Read) -> None:
    ours = Session(Kind.VIDEO, 90_000, random.Random(1), "room-1", 0.0, feedback=frozenset(Feedback))
    far = Session(Kind.VIDEO, 90_000, random.Random(2), "room-2", 0.0, feedback=frozenset(Feedback))
    datagrams = []
    for tick in range(500):
        now = tick / 50
        ours.send(b"x", 1800 * tick, True, 96, now)
        ours.receive(far.send(b"y", 1800 * tick, True, 96, now), now)
        control = ours.handle_timer(now)
        datagrams += [(RTCP, control)] if control else []
    extra = (ours.request_key_frame(10.0), ours.report_missing([5, 6, 70], 10.0), ours.close(10.0))
    datagrams += [(RTCP, control) for control in extra if control]
    lines = read(datagrams, "rtcp && rtcp.pt == 200 && rtcp.pt == 202", "rtcp.sdes.text")
    assert len(lines) == len(datagrams) > 6
    assert {line[0] for line in lines} == {"room-1"}
    assert read(datagrams, MARKED, "frame.number") == []
