"""Hostile RTP and RTCP: no datagram, and no row of datagrams, costs more than its size."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from linear_time import assert_linear

from firmware.call.media import Feedback, Kind
from firmware.errors import DecodeError
from firmware.rtp import h261, h263, h263_rfc2190, h264, rtcp
from firmware.rtp.jitter import PlayoutBuffer
from firmware.rtp.packet import Packet
from firmware.rtp.reorder import ReorderBuffer
from firmware.rtp.session import Session
from firmware.rtp.telephone_event import EventReceiver

Payloads = Callable[[int], list[bytes]]
PIECE = 1200
"""Octets of one packet's payload."""


def packets(payloads: Iterable[bytes], step: int = 1, ticks: int = 0) -> list[Packet]:
    return [
        Packet(96, False, number * step & 0xFFFF, number * ticks & 0xFFFFFFFF, 7, payload)
        for number, payload in enumerate(payloads)
    ]


# One datagram


def decode(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        rtcp.decode(data)


RTCP = {
    "empty reports": b"\x80\xc9\0\1\0\0\0\7",
    "empty descriptions": b"\x80\xca\0\0",
    "descriptions": b"\x81\xca\0\2\0\0\0\7\1\1x\0",
    "goodbyes": b"\x81\xcb\0\1\0\0\0\7",
    "NACKs": b"\x81\xcd\0\3\0\0\0\7\0\0\0\7\0\0\xff\xff",
    "bitrates": b"\x83\xcd\0\4\0\0\0\7\0\0\0\0\0\0\0\7\x04\0\0\x28",
    "FIRs": b"\x84\xce\0\4\0\0\0\7\0\0\0\0\0\0\0\7\1\0\0\0",
    "unknown": b"\x80\xcf\0\0",
    "of no version": b"\0\0\0\0",
}


@pytest.mark.parametrize("unit", RTCP.values(), ids=RTCP)
def test_no_rtcp_costs_more_than_linear_time(unit: bytes) -> None:
    assert_linear(decode, lambda size: unit * (size // len(unit)), rtcp.MAX_DATAGRAM)


ONE_LONG = {
    "NACK": b"\x81\xcd%b\0\0\0\7\0\0\0\7%b",
    "limits": b"\x83\xcd%b\0\0\0\7\0\0\0\0%b",
    "FIR": b"\x84\xce%b\0\0\0\7\0\0\0\0%b",
    "description": b"\x81\xca%b\0\0\0\7\1\1x%b",
    "goodbye": b"\x81\xcb%b\0\0\0\7\0\0\0\7%b",
    "application": b"\x81\xcc%b\0\0\0\7VISA%b",
}


@pytest.mark.parametrize("octet", [b"\0", b"\1", b"\xff"])
@pytest.mark.parametrize("pattern", ONE_LONG.values(), ids=ONE_LONG)
def test_no_long_rtcp_costs_more_than_linear_time(pattern: bytes, octet: bytes) -> None:
    def make(size: int) -> bytes:
        whole = pattern % (b"\0\0", octet * (size - 16))
        whole = whole[: len(whole) // 4 * 4]
        return whole[:2] + (len(whole) // 4 - 1).to_bytes(2, "big") + whole[4:]

    assert_linear(decode, make, rtcp.MAX_DATAGRAM)


# A row of packets, of which none is ever complete, or all are


FRAGMENTS: dict[str, tuple[Callable[[], Any], Payloads]] = {
    "H.264 fragments without end": (
        h264.Depacketizer,
        lambda count: [b"\x7c\x85" + bytes(PIECE), *[b"\x7c\x05" + bytes(PIECE)] * count],
    ),
    "H.264 fragments without begin": (h264.Depacketizer, lambda count: [b"\x7c\x05" + bytes(PIECE)] * count),
    "H.264 units of one octet": (h264.Depacketizer, lambda count: [b"\x61"] * count),
    "H.264 aggregates of nothing": (h264.Depacketizer, lambda count: [b"\x78" + b"\0\0" * (PIECE // 2)] * count),
    "H.264 aggregates": (h264.Depacketizer, lambda count: [b"\x78" + b"\0\1\x61" * (PIECE // 3)] * count),
    "H.264 parameter sets": (
        h264.Depacketizer,
        lambda count: [b"\x78" + b"\0\2\x67\1\0\2\x68\1" * (PIECE // 8)] * count,
    ),
    "H.263 zeros": (h263.depacketizer, lambda count: [b"\4\0" + bytes(PIECE)] * count),
    "H.263 fragments": (h263.depacketizer, lambda count: [b"\0\0" + b"\xff" * PIECE] * count),
    "H.263 of 1996": (h263_rfc2190.depacketizer, lambda count: [bytes(4 + PIECE)] * count),
    "H.261 zeros": (h261.depacketizer, lambda count: [bytes(4 + PIECE)] * count),
    "H.261 start codes": (h261.depacketizer, lambda count: [bytes(4) + b"\0\1" * (PIECE // 2)] * count),
}


@pytest.mark.parametrize("step", [1, 2, 40], ids=["in order", "with gaps", "with large gaps"])
@pytest.mark.parametrize(("make", "payloads"), FRAGMENTS.values(), ids=FRAGMENTS)
def test_no_pictures_cost_more_than_linear_time(make: Callable[[], Any], payloads: Payloads, step: int) -> None:
    def work(row: list[Packet]) -> None:
        depacketizer = make()
        for packet in row:
            depacketizer.receive(packet)

    assert_linear(work, lambda count: packets(payloads(count), step), 1600)


ORDERS: dict[str, Callable[[int], list[int]]] = {
    "in order": lambda count: list(range(count)),
    "backwards": lambda count: list(range(count, 0, -1)),
    "every other": lambda count: list(range(0, 2 * count, 2)),
    "shuffled": lambda count: random.Random(1).sample(range(count), count),
    "far apart": lambda count: [number * 20_011 for number in range(count)],
    "the same": lambda count: [1] * count,
}


def numbered(order: list[int]) -> list[Packet]:
    return [Packet(96, False, number & 0xFFFF, number * 160 & 0xFFFFFFFF, 7, b"x") for number in order]


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_no_order_costs_more_than_linear_time(order: Callable[[int], list[int]]) -> None:
    def work(row: list[Packet]) -> None:
        reorder, playout, events = ReorderBuffer(nack=True), PlayoutBuffer(8_000), EventReceiver()
        for index, packet in enumerate(row):
            now = index * 0.001
            reorder.push(packet, now)
            reorder.missing(now)
            reorder.handle_timer(now)
            playout.push(packet, now)
            events.receive(Packet(101, False, packet.sequence, packet.timestamp, 7, b"\1\0\0\xa0"), now)
            if index % 20 == 0:
                playout.pop(now)

    assert_linear(work, lambda count: numbered(order(count)), 8000)


DATAGRAMS: dict[str, Callable[[int], bytes]] = {
    "a source each": lambda number: Packet(96, False, number & 0xFFFF, 0, number, b"x").encode(),
    "a jump each": lambda number: Packet(96, False, number * 20_011 & 0xFFFF, 0, 7, b"x").encode(),
    "a reporter each": lambda number: rtcp.ReceiverReport(number, (rtcp.Report(1, 0, 0, 0, 0, 0, 0),)).encode(),
    "a name each": lambda number: rtcp.SourceDescription(number, f"end-{number}").encode(),
    "a goodbye each": lambda number: rtcp.Goodbye((number,)).encode(),
    "a NACK each": lambda number: rtcp.Nack(7, 1, tuple(range(64))).encode(),
    "a FIR each": lambda number: rtcp.FullIntra(number, ((1, number & 255),)).encode(),
    "a limit each": lambda number: rtcp.MaxBitrate(number, (rtcp.Limit(1, 100_000 + number, 40),)).encode(),
    "an estimate each": lambda number: rtcp.EstimatedMaxBitrate(number, 100_000 + number, (1,) * 255).encode(),
}


@pytest.mark.parametrize("make", DATAGRAMS.values(), ids=DATAGRAMS)
def test_no_flood_costs_more_than_linear_time(make: Callable[[int], bytes]) -> None:
    def work(row: list[bytes]) -> None:
        session = Session(
            Kind.VIDEO, 90_000, random.Random(1), "end", 0.0, bandwidth=1_000_000, feedback=frozenset(Feedback)
        )
        session.send(b"x", 0, True, 96, 0.0)
        for number, data in enumerate(row):
            now = 0.001 * number
            session.receive(data, now)
            session.receive_control(data, now)
            session.handle_timer(now)
        session.statistics(0.001 * len(row))

    assert_linear(work, lambda count: [make(number) for number in range(count)], 8000)
