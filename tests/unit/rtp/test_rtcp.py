"""RTCP: each message to the bit, compound packets, and refusal of what is no RTCP."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DecodeError
from firmware.rtp import rtcp
from firmware.rtp.rtcp import (
    EstimatedMaxBitrate,
    FullIntra,
    Goodbye,
    Message,
    Nack,
    PictureLoss,
    ReceiverReport,
    Report,
    SenderReport,
    SourceDescription,
)

REPORT = Report(0x11111111, 0x40, -2, 0x00012345, 0x77, 0x89ABCDEF, 0x10000)
REPORT_OCTETS = "11111111 40fffffe 00012345 00000077 89abcdef 00010000"

VECTORS: dict[str, tuple[str, Message]] = {
    "SR": (
        "81 c8 000c 000000aa 83aa7e80 80000000 00001000 00000064 00004e20" + REPORT_OCTETS,
        SenderReport(0xAA, 0x83AA7E80_80000000, 0x1000, 100, 20_000, (REPORT,)),
    ),
    "RR": ("81 c9 0007 000000aa" + REPORT_OCTETS, ReceiverReport(0xAA, (REPORT,))),
    "empty RR": ("80 c9 0001 000000aa", ReceiverReport(0xAA)),
    "SDES": ("81 ca 0004 000000aa 01 06 726f6f6d2d31 00 000000", SourceDescription(0xAA, "room-1")),
    "SDES that just fits": ("81 ca 0003 000000aa 01 05 726f6f6d31 00", SourceDescription(0xAA, "room1")),
    "BYE": ("81 cb 0001 000000aa", Goodbye((0xAA,))),
    "BYE with a reason": ("82 cb 0004 000000aa 000000bb 04 64 6f 6e 65 000000", Goodbye((0xAA, 0xBB), "done")),
    "NACK": ("81 cd 0003 000000aa 000000bb ffff 8003", Nack(0xAA, 0xBB, (0xFFFF, 0, 1, 15))),
    "NACK of two entries": ("81 cd 0004 000000aa 000000bb 0005 0000 0016 0000", Nack(0xAA, 0xBB, (5, 22))),
    "PLI": ("81 ce 0002 000000aa 000000bb", PictureLoss(0xAA, 0xBB)),
    "FIR": ("84 ce 0004 000000aa 00000000 000000bb 07000000", FullIntra(0xAA, ((0xBB, 7),))),
    "REMB": (
        "8f ce 0006 000000aa 00000000 52454d42 02 0bffff 000000bb 000000cc",
        EstimatedMaxBitrate(0xAA, 0x3FFFF << 2, (0xBB, 0xCC)),
    ),
}


@pytest.mark.parametrize(("text", "message"), VECTORS.values(), ids=VECTORS)
def test_message_to_the_bit(text: str, message: Message) -> None:
    data = bytes.fromhex(text)
    assert message.encode() == data
    assert rtcp.decode(data) == [message]


def test_compound_packet() -> None:
    messages = [message for _, message in VECTORS.values()]
    assert rtcp.decode(rtcp.compound(messages)) == messages


def test_padding_is_taken_off_the_last_packet() -> None:
    data = VECTORS["empty RR"][0] + "a1 cb 0002 000000aa 00000004"
    assert rtcp.decode(bytes.fromhex(data)) == [ReceiverReport(0xAA), Goodbye((0xAA,))]


@pytest.mark.parametrize(
    "text",
    [
        "80 cc 0002 000000aa 61616161",  # APP
        "8f ce 0003 000000aa 00000000 56494341",  # application layer feedback other than REMB
        "8f ce 0001 000000aa",  # the same, of nobody
        "8f cd 0003 000000aa 000000bb 00000000",  # transport-wide congestion control
        "80 cf 0001 000000aa",  # XR (RFC 3611)
        "80 c1 0002 000000aa 00000000",  # NACK of RFC 2032
    ],
)
def test_what_we_have_no_use_for_is_skipped(text: str) -> None:
    data = bytes.fromhex(VECTORS["empty RR"][0] + text + VECTORS["PLI"][0])
    assert rtcp.decode(data) == [ReceiverReport(0xAA), PictureLoss(0xAA, 0xBB)]


def test_old_full_intra_request_asks_for_a_key_frame() -> None:
    assert rtcp.decode(bytes.fromhex("80 c0 0001 000000aa")) == [PictureLoss(0xAA, 0)]


def test_extension_of_a_report_is_skipped() -> None:
    assert rtcp.decode(bytes.fromhex("80 c9 0003 000000aa 01020304 05060708")) == [ReceiverReport(0xAA)]


def test_other_items_of_a_description_are_skipped() -> None:
    data = bytes.fromhex("82 ca 0006 000000aa 02 03 616263 01 02 7879 000000 000000bb 01 01 7a 00")
    assert rtcp.decode(data) == [SourceDescription(0xAA, "xy"), SourceDescription(0xBB, "z")]


def test_description_without_its_null_octet_is_read() -> None:
    assert rtcp.decode(bytes.fromhex("81 ca 0003 000000aa 01 06 726f6f6d2d31")) == [SourceDescription(0xAA, "room-1")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "80 c9 00",
        "80 c9 0002 000000aa",  # longer than the datagram
        "40 c9 0001 000000aa",  # version 1
        "80 60 0001 000000aa",  # RTP
        "80 e0 0001 000000aa",
        "80 c9 0000",  # no SSRC
        "81 c9 0001 000000aa",  # a report block that is not there
        "80 c8 0001 000000aa",  # SR without its body
        "9f c9 0001 000000aa",
        "82 cb 0001 000000aa",  # one source too few
        "81 ca 0000",
        "81 ca 0002 000000aa 01ff6161",  # an item beyond the packet
        "81 cd 0002 000000aa 000000bb",  # NACK of nothing
        "81 ce 0001 000000aa",
        "84 ce 0003 000000aa 00000000 000000bb",  # half an entry
        "80 c0 0000",
        "80 c9 0001 000000aa 80",  # a tail
        "a0 c9 0001 000000aa 80 c9 0001 000000aa",  # padding before the last packet
        "a0 c9 0002 000000aa 00000000",  # padding of nothing
        "a0 c9 0002 000000aa 0000000c",  # padding longer than the packet
        "a0 c9 0002 000000aa 00000003",
    ],
)
def test_bad_packet_is_refused(text: str) -> None:
    with pytest.raises(DecodeError, match="RTCP"):
        rtcp.decode(bytes.fromhex(text))


def test_bad_part_refuses_the_whole() -> None:
    with pytest.raises(DecodeError):
        rtcp.decode(PictureLoss(1, 2).encode() + bytes.fromhex("81 c9 0001 000000aa"))


def test_oversized_datagram_is_refused() -> None:
    with pytest.raises(DecodeError):
        rtcp.decode(ReceiverReport(1).encode() * 513)


def test_nack_is_bounded_both_ways() -> None:
    far_apart = tuple(range(0, 0x10000, 32))
    (message,) = rtcp.decode(Nack(1, 2, far_apart).encode())
    assert message == Nack(1, 2, far_apart[: rtcp.MAX_NACK_ENTRIES])
    body = bytes.fromhex("00000001 00000002") + bytes.fromhex("0001 ffff") * 500
    (message,) = rtcp.decode(bytes([0x81, 205]) + (len(body) // 4).to_bytes(2, "big") + body)
    assert isinstance(message, Nack)
    assert len(message.sequences) == 17 * rtcp.MAX_NACK_ENTRIES


def test_long_name_is_cut() -> None:
    (message,) = rtcp.decode(SourceDescription(1, "x" * 300).encode())
    assert message == SourceDescription(1, "x" * 255)


def test_words_of_the_far_end_can_be_shown() -> None:
    data = Goodbye((1,), "a\nb\x1b[2J\u00e9").encode()
    assert rtcp.decode(data) == [Goodbye((1,), "a\ufffdb\ufffd[2J\u00e9")]
    assert rtcp.decode(data.replace("\u00e9".encode(), b"\xff\xfe")) == [Goodbye((1,), "a\ufffdb\ufffd[2J\ufffd\ufffd")]


def test_loss_beyond_24_bits_is_clamped() -> None:
    (message,) = rtcp.decode(ReceiverReport(1, (Report(2, 0, 1 << 30, 0, 0),)).encode())
    assert isinstance(message, ReceiverReport)
    assert message.reports[0].lost == 0x7FFFFF


words = st.integers(0, 0xFFFFFFFF)
reports = st.lists(
    st.builds(Report, words, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), words, words, words, words),
    max_size=31,
).map(tuple)
names = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=255)
messages = st.one_of(
    st.builds(SenderReport, words, st.integers(0, 2**64 - 1), words, words, words, reports),
    st.builds(ReceiverReport, words, reports),
    st.builds(SourceDescription, words, names),
    st.builds(Goodbye, st.lists(words, max_size=31).map(tuple), names),
    st.builds(
        Nack, words, words, st.sets(st.integers(0, 60_000), min_size=1, max_size=60).map(lambda s: tuple(sorted(s)))
    ),
    st.builds(PictureLoss, words, words),
    st.builds(FullIntra, words, st.lists(st.tuples(words, st.integers(0, 255)), max_size=9).map(tuple)),
)


@given(st.lists(messages, min_size=1, max_size=4))
def test_round_trip(sent: list[Message]) -> None:
    data = rtcp.compound(sent)
    if len(data) <= rtcp.MAX_DATAGRAM:
        assert rtcp.decode(data) == sent


@given(st.lists(messages, min_size=1, max_size=3), st.binary(max_size=8), st.data())
def test_mutated_packet_is_read_or_refused(sent: list[Message], junk: bytes, data: st.DataObject) -> None:
    encoded = bytearray(rtcp.compound(sent))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at : at + data.draw(st.integers(0, 8))] = junk
    with suppress(DecodeError):
        assert len(rtcp.decode(bytes(encoded))) <= len(encoded)


@pytest.mark.parametrize(
    ("bitrate", "encoded"),
    [
        (0, 0),
        (131_071, 131_071),
        (131_072, 131_072),
        (1_000_001, 1_000_000),
        (2_000_000, 2_000_000),
        (1 << 50, 1 << 50),
    ],
)
def test_limits_of_the_bitrate(bitrate: int, encoded: int) -> None:
    for kind in (rtcp.MaxBitrate, rtcp.MaxBitrateNotification):
        [message] = rtcp.decode(kind(7, (rtcp.Limit(9, bitrate, 40), rtcp.Limit(10, bitrate, 600))).encode())
        assert message == kind(7, (rtcp.Limit(9, encoded, 40), rtcp.Limit(10, encoded, 511)))


def test_a_limit_as_rfc_5104_draws_it() -> None:
    """4.2.1.1: six bits of exponent, seventeen of mantissa, nine of overhead."""
    data = rtcp.MaxBitrate(1, (rtcp.Limit(2, 0x10000 << 4, 40),)).encode()
    assert data == bytes.fromhex("83cd0004 00000001 00000000 00000002 0e000028".replace(" ", "")) or data[16:] == (
        4 << 26 | 0x10000 << 9 | 40
    ).to_bytes(4, "big")
    assert data[:4] == bytes.fromhex("83cd0004")


@pytest.mark.parametrize(
    "text", ["8f ce 0003 000000aa 00000000 52454d42", "8f ce 0004 000000aa 00000000 52454d42 01000000"]
)
def test_an_estimate_that_is_none(text: str) -> None:
    with pytest.raises(DecodeError):
        rtcp.decode(bytes.fromhex(text))


@pytest.mark.parametrize("kind", [3, 4])
def test_limits_that_are_none(kind: int) -> None:
    for size in (0, 4, 12, 20):
        with pytest.raises(DecodeError):
            rtcp.decode(bytes([0x80 | kind, 205, 0, size // 4]) + bytes(size))
    [message] = rtcp.decode(bytes([0x80 | kind, 205, 0, 2 + 2 * 100]) + bytes(808))
    assert len(message.limits) == rtcp.MAX_LIMITS  # type: ignore[union-attr]
