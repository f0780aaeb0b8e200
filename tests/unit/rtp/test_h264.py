"""H.264 payloads: RFC 6184 to the bit, round trips, and what loss and nonsense do to an access unit."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import LocalProtocolError
from firmware.rtp import h264
from firmware.rtp.h264 import AccessUnit, Depacketizer, nal_units, packetize
from firmware.rtp.packet import Packet

START = b"\x00\x00\x00\x01"
SPS, PPS, IDR, SLICE = b"\x67sps", b"\x68pps", b"\x65idr", b"\x41slice"
SEI = b"\x06sei"


def unit(*units: bytes) -> bytes:
    return b"".join(START + one for one in units)


def packets(payloads: list[bytes], timestamp: int = 0, sequence: int = 0, marker: bool = True) -> list[Packet]:
    return [
        Packet(
            96, marker and place == len(payloads) - 1, sequence + place & 0xFFFF, timestamp, 1, payload, (), 0, stream=1
        )
        for place, payload in enumerate(payloads)
    ]


def receive(depacketizer: Depacketizer, sent: list[Packet]) -> list[AccessUnit]:
    return [complete for packet in sent for complete in depacketizer.receive(packet)]


# Byte streams


def test_nal_units_of_a_byte_stream() -> None:
    stream = b"\x00" + START + SPS + b"\x00\x00\x01" + PPS + b"\x00\x00\x00" + START + IDR + b"\x00\x00"
    assert list(nal_units(stream)) == [SPS, PPS, IDR]


@pytest.mark.parametrize("stream", [b"", b"\x00\x00", b"no start code", START, START + b"\x00", START + START])
def test_stream_without_units(stream: bytes) -> None:
    assert list(nal_units(stream)) == []


# Packets out


def test_small_units_go_alone() -> None:
    assert packetize(unit(SPS, PPS, IDR)) == [SPS, PPS, IDR]
    assert packetize(unit(SPS, PPS, IDR), packetization_mode=0) == [SPS, PPS, IDR]


def test_parameter_sets_share_a_packet_on_request() -> None:
    stap = bytes([0x60 | 24]) + b"\x00\x04" + SPS + b"\x00\x04" + PPS
    assert packetize(unit(SPS, PPS, IDR), aggregate=True) == [stap, IDR]
    assert packetize(unit(SPS, IDR), aggregate=True) == [SPS, IDR]
    assert packetize(unit(SPS, PPS, IDR), 0, aggregate=True) == [SPS, PPS, IDR]
    assert packetize(unit(IDR, SPS, PPS), aggregate=True) == [IDR, stap]


def test_aggregate_is_no_larger_than_a_packet() -> None:
    sets = [b"\x67" + bytes([n]) * 40 for n in range(1, 10)]
    payloads = packetize(unit(*sets), max_payload=100, aggregate=True)
    assert max(map(len, payloads)) <= 100
    (complete,) = receive(Depacketizer(), packets(payloads))
    assert complete.data == unit(*sets)
    large = b"\x67" + b"x" * 300
    assert len(packetize(unit(SPS, large, PPS), max_payload=100, aggregate=True)) == 1 + 4 + 1


def test_aggregate_fills_a_packet_to_the_last_octet() -> None:
    first, second = b"\x67" + b"a" * 46, b"\x68" + b"b" * 46
    (payload,) = packetize(unit(first, second), max_payload=99, aggregate=True)
    assert len(payload) == 1 + 2 + 47 + 2 + 47
    assert packetize(unit(first, second), max_payload=98, aggregate=True) == [first, second]


def test_large_unit_is_fragmented() -> None:
    assert packetize(unit(b"\x65abcdefg"), max_payload=5) == [b"\x7c\x85abc", b"\x7c\x05def", b"\x7c\x45g"]


@pytest.mark.parametrize("size", [1200, 1201, 1199 * 2, 1198 * 2, 1198 * 2 + 1, 1198 * 2 + 2, 5000])
def test_no_payload_is_larger_than_allowed(size: int) -> None:
    nal = b"\x65" + b"y" * (size - 1)
    payloads = packetize(unit(nal))
    assert max(map(len, payloads)) <= h264.MAX_PAYLOAD
    assert min(map(len, payloads)) > 2
    (complete,) = receive(Depacketizer(), packets(payloads))
    assert complete.data == unit(nal)


def test_mode_0_refuses_a_large_unit() -> None:
    assert packetize(unit(b"\x65" + b"y" * 1199), packetization_mode=0)
    with pytest.raises(LocalProtocolError, match="1201"):
        packetize(unit(b"\x65" + b"y" * 1200), packetization_mode=0)


# Packets in


def test_key_frame_says_what_it_has() -> None:
    (complete,) = receive(Depacketizer(), packets([SPS, PPS, IDR], timestamp=7))
    assert complete == AccessUnit(unit(SPS, PPS, IDR), 7, 1 << 7 | 1 << 8 | 1 << 5, damaged=False, stream=1)
    assert complete.key_frame
    assert complete.has_picture


def test_other_units_say_so_too() -> None:
    depacketizer = Depacketizer()
    (complete,) = receive(depacketizer, packets([SLICE]))
    assert (complete.key_frame, complete.has_picture) == (False, True)
    (complete,) = receive(depacketizer, packets([SPS, PPS, SEI], 1, 1))
    assert (complete.key_frame, complete.has_picture) == (False, False)


def test_next_timestamp_ends_a_unit_without_marker() -> None:
    depacketizer = Depacketizer()
    assert receive(depacketizer, packets([IDR, SLICE], 0, 0, marker=False)) == []
    first, second = receive(depacketizer, packets([SLICE], 3000, 2))
    assert first.data == unit(IDR, SLICE)
    assert (second.data, second.timestamp) == (unit(SLICE), 3000)
    assert not first.damaged
    assert not second.damaged


def test_sequence_and_timestamp_wrap() -> None:
    depacketizer = Depacketizer()
    first = packets([SLICE] * 3, 0xFFFFFFFF, 0xFFFE)
    second = packets([SLICE], 2999, 1)
    assert [complete.damaged for complete in receive(depacketizer, first + second)] == [False, False]


LARGE = b"\x65" + bytes(range(1, 250)) * 20


@pytest.mark.parametrize("gone", [0, 1, 2, 3, 4])
def test_loss_inside_a_unit_damages_it_and_only_it(gone: int) -> None:
    depacketizer = Depacketizer()
    before = packets([SLICE], 0, 0)
    hit = packets(packetize(unit(LARGE)), 3000, 1)
    after = packets([SLICE], 6000, 1 + len(hit))
    last = packets([SLICE], 9000, 2 + len(hit))
    del hit[gone]
    units = receive(depacketizer, before + hit + after + last)
    damaged = {complete.timestamp for complete in units if complete.damaged}
    assert damaged <= {3000, 6000}
    assert damaged
    assert 9000 not in damaged
    assert depacketizer.damaged >= 1
    assert not any(complete.data == unit(LARGE) for complete in units)


def test_half_a_fragmented_unit_is_never_given() -> None:
    payloads = packetize(unit(LARGE))
    depacketizer = Depacketizer()
    hit = packets([SLICE, payloads[0], payloads[1], SLICE], 0, 0)
    (complete,) = receive(depacketizer, hit)
    assert complete.data == unit(SLICE, SLICE)
    assert complete.damaged


def test_loss_between_units_damages_what_refers_to_it() -> None:
    depacketizer = Depacketizer()
    units = receive(depacketizer, packets([SLICE], 0, 0) + packets([SLICE], 6000, 2) + packets([SLICE], 9000, 3))
    assert [complete.damaged for complete in units] == [False, True, False]


@pytest.mark.parametrize("start", [[SPS, PPS], [b"\x09\xf0", SPS, PPS], [b"\x78\x00\x04" + SPS + b"\x00\x04" + PPS]])
def test_loss_before_a_whole_key_frame_does_not_hurt_it(start: list[bytes]) -> None:
    depacketizer = Depacketizer()
    units = receive(depacketizer, packets([SLICE], 0, 0) + packets([*start, IDR], 6000, 2))
    assert [complete.damaged for complete in units] == [False, False]


def test_key_frame_that_lost_its_start_is_damaged() -> None:
    depacketizer = Depacketizer()
    units = receive(depacketizer, packets([SLICE], 0, 0) + packets([PPS, IDR], 6000, 2))
    assert [complete.damaged for complete in units] == [False, True]


def test_loss_after_the_parameter_sets_is_not_forgiven() -> None:
    depacketizer = Depacketizer()
    sent = packets([SLICE], 0, 0) + packets([SPS, PPS, IDR, IDR], 6000, 2)
    del sent[3]
    units = receive(depacketizer, sent)
    assert [complete.damaged for complete in units] == [False, True]


def test_new_stream_starts_afresh() -> None:
    depacketizer = Depacketizer()
    receive(depacketizer, packets([LARGE[:100]], 0, 0, marker=False))
    other = packets([SPS, PPS, IDR], 5, 40_000)
    for packet in other:
        packet.stream = 2
    (complete,) = receive(depacketizer, other)
    assert complete.data == unit(SPS, PPS, IDR)
    assert not complete.damaged
    assert complete.stream == 2


@pytest.mark.parametrize(
    "payload",
    [
        b"\x79\x00\x01\x00\x01a",  # STAP-B
        b"\x7a\x00\x00\x00",  # MTAP16
        b"\x7b\x00\x00\x00",
        b"\x7d\x85\x00\x00a",  # FU-B
        b"\x7e",  # reserved
        b"\x7f",
        b"\x60",  # type 0
        b"\x7c",  # FU-A without its header
        b"\x7c\x80a",  # FU-A of type 0
        b"\x7c\x9ca",  # FU-A in FU-A
        b"\x78\x00",  # STAP-A: half a size
        b"\x78\x00\x05abc",  # beyond the packet
        b"\x78\x00\x00",  # nothing
        b"\x78\x00\x02\x78a",  # STAP-A in STAP-A
    ],
)
def test_unusable_packet_is_refused_and_counted(payload: bytes) -> None:
    depacketizer = Depacketizer()
    (complete,) = receive(depacketizer, packets([SLICE, payload, SLICE]))
    assert complete.data == unit(SLICE, SLICE)
    assert complete.damaged
    assert depacketizer.refused == 1


def test_forbidden_bit_drops_the_unit() -> None:
    (complete,) = receive(Depacketizer(), packets([SLICE, b"\xc1bad"]))
    assert complete.data == unit(SLICE)
    assert complete.damaged


def test_empty_payload_changes_nothing() -> None:
    (complete,) = receive(Depacketizer(), packets([SLICE, b"", SLICE]))
    assert complete.data == unit(SLICE, SLICE)
    assert not complete.damaged


def test_start_and_end_in_one_fragment_is_taken_as_a_whole_unit() -> None:
    (complete,) = receive(Depacketizer(), packets([b"\x7c\xc5idr"]))
    assert complete.data == unit(IDR)


def test_endless_unit_is_cut_off_and_the_next_is_fine() -> None:
    depacketizer = Depacketizer(max_size=1000)
    flood = packets([b"\x7c\x85" + b"z" * 600] + [b"\x7c\x05" + b"z" * 600] * 50, 0, 0)
    assert receive(depacketizer, flood) == []
    assert depacketizer.damaged == 1
    units = receive(depacketizer, packets([SPS, PPS, IDR], 3000, len(flood)))
    assert [complete.data for complete in units] == [unit(SPS, PPS, IDR)]


def test_many_tiny_units_are_bounded() -> None:
    depacketizer = Depacketizer()
    stap = b"\x78" + b"\x00\x01\x61" * 400
    units = receive(depacketizer, packets([stap] * 10))
    assert sum(len(complete.data) for complete in units) <= 5 * h264.MAX_NAL_UNITS
    assert depacketizer.damaged == 1


nal = st.builds(
    lambda kind, body: bytes([0x60 | kind]) + body.replace(b"\x00", b"\x01"),
    st.sampled_from([1, 5, 6, 7, 8, 9, 12]),
    st.binary(min_size=1, max_size=400),
)


@given(st.lists(nal, min_size=1, max_size=12), st.integers(20, 200), st.booleans(), st.integers(0, 0xFFFF))
def test_round_trip(units: list[bytes], max_payload: int, aggregate: bool, sequence: int) -> None:
    payloads = packetize(unit(*units), 1, max_payload, aggregate)
    assert max(map(len, payloads)) <= max_payload
    (complete,) = receive(Depacketizer(), packets(payloads, 9, sequence))
    assert complete.data == unit(*units)
    assert not complete.damaged


slices = st.lists(nal.filter(lambda unit: unit[0] & 0x1F != 7), min_size=1, max_size=3)
pictures_in_order = st.tuples(st.sampled_from([[], [SPS, PPS]]), slices).map(lambda both: both[0] + both[1])
"""H.264 7.4.1.2.3: an SPS stands before the slices."""


@given(st.lists(pictures_in_order, min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_units_with_loss_are_right_or_damaged(pictures: list[list[bytes]], rng: random.Random) -> None:
    sent: list[Packet] = []
    for number, units in enumerate(pictures):
        sent += packets(packetize(unit(*units), 1, 60), number * 3000, len(sent))
    depacketizer = Depacketizer()
    first = sent.pop(0)
    received = receive(depacketizer, [first] + [packet for packet in sent if rng.random() > 0.1])
    for complete in received:
        if not complete.damaged:
            assert complete.data == unit(*pictures[complete.timestamp // 3000])


@given(st.lists(st.tuples(st.binary(max_size=30), st.integers(0, 3), st.integers(0, 4), st.booleans()), max_size=40))
def test_any_payloads_are_survived(sent: list[tuple[bytes, int, int, bool]]) -> None:
    depacketizer, sequence = Depacketizer(max_size=200), 0
    for payload, step, timestamp, marker in sent:
        sequence = sequence + step & 0xFFFF
        for complete in depacketizer.receive(Packet(96, marker, sequence, timestamp, 1, payload, (), 0, 1)):
            assert len(complete.data) <= 200
