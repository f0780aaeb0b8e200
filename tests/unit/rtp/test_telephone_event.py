"""Telephone events: RFC 4733 to the bit, sent, lost, doubled and put out of order."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DecodeError, LocalProtocolError
from firmware.rtp.packet import Packet
from firmware.rtp.telephone_event import DIGITS, Event, EventPacket, EventReceiver, EventSender


def test_event_to_the_bit() -> None:
    assert Event(11, True, 10, 800).encode() == bytes.fromhex("0b 8a 0320")
    assert Event.decode(bytes.fromhex("0b 8a 0320")) == Event(11, True, 10, 800)
    assert Event.decode(bytes.fromhex("01 3f ffff 05 00 0000")) == Event(1, False, 63, 0xFFFF)
    assert Event.decode(bytes.fromhex("01 40 0001")).volume == 0  # the reserved bit is ignored


def test_truncated_event_is_refused() -> None:
    with pytest.raises(DecodeError):
        Event.decode(b"\x01\x02\x03")


def sent(sender: EventSender, packets: int) -> list[EventPacket | None]:
    return [sender.next(160 * number) for number in range(packets)]


def test_one_digit_on_the_wire() -> None:
    sender = EventSender()
    sender.send("5")
    assert sender.active
    packets = [packet for packet in sent(sender, 20) if packet]
    assert not sender.active
    assert {packet.timestamp for packet in packets} == {0}
    assert [packet.marker for packet in packets] == [True] + [False] * 6
    events = [Event.decode(packet.payload) for packet in packets]
    assert [event.duration for event in events] == [160, 320, 480, 640, 800, 800, 800]
    assert [event.end for event in events] == [False] * 4 + [True] * 3
    assert {(event.event, event.volume) for event in events} == {(5, 10)}


def test_digits_are_apart() -> None:
    sender = EventSender()
    sender.send("1#")
    packets = sent(sender, 30)
    assert [packet is not None for packet in packets] == [True] * 7 + [False] * 3 + [True] * 7 + [False] * 13
    assert packets[10] is not None
    assert packets[10].timestamp == 1600
    assert packets[10].marker


def test_clock_of_opus_and_a_duration_that_is_no_multiple() -> None:
    sender = EventSender(clock_rate=48_000, packet_time=0.020, duration=0.070)
    sender.send("a")
    packets = [packet for packet in sent(sender, 10) if packet]
    assert [Event.decode(packet.payload).duration for packet in packets] == [960, 1920, 2880, 3360, 3360, 3360]
    assert Event.decode(packets[0].payload).event == DIGITS.index("A")


@pytest.mark.parametrize("digits", ["x", "12 3", "1" * 65])
def test_bad_digits_send_nothing(digits: str) -> None:
    sender = EventSender()
    with pytest.raises(LocalProtocolError):
        sender.send(digits)
    assert not sender.active


def test_endless_event_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        EventSender(duration=6)


# Receiver


def packet(event: int, end: bool, duration: int, timestamp: int = 0, stream: int = 1) -> Packet:
    return Packet(101, False, 0, timestamp, 1, Event(event, end, 10, duration).encode(), stream=stream)


def test_digit_is_reported_once_at_its_end() -> None:
    receiver = EventReceiver()
    heard = [receiver.receive(packet(5, end, 160 * n), 0.02 * n) for n, end in enumerate([False] * 4 + [True] * 3)]
    assert heard == ["", "", "", "", "5", "", ""]
    assert receiver.timer() is None


def test_same_digit_again_is_another() -> None:
    receiver = EventReceiver()
    assert receiver.receive(packet(5, True, 800, 0), 0.0) == "5"
    assert receiver.receive(packet(5, True, 800, 8000), 1.0) == "5"
    assert receiver.receive(packet(5, True, 800, 8000), 1.0) == ""


def test_next_digit_ends_one_whose_end_was_lost() -> None:
    receiver = EventReceiver()
    receiver.receive(packet(1, False, 800, 0), 0.0)
    assert receiver.receive(packet(2, True, 800, 8000), 0.1) == "12"


def test_silence_ends_one_whose_end_was_lost() -> None:
    receiver = EventReceiver()
    receiver.receive(packet(9, False, 800), 1.0)
    due = receiver.timer()
    assert due == pytest.approx(1.25)
    assert receiver.handle_timer(1.2) == ""
    assert receiver.handle_timer(1.25) == "9"
    assert receiver.timer() is None
    assert receiver.receive(packet(9, True, 960), 1.3) == ""


def test_late_packet_of_an_older_digit_is_nothing_new() -> None:
    receiver = EventReceiver()
    assert receiver.receive(packet(1, True, 800, 0xFFFFFF00), 0.0) == "1"
    assert receiver.receive(packet(2, True, 800, 0x00000100), 0.1) == "2"
    assert receiver.receive(packet(1, True, 800, 0xFFFFFF00), 0.2) == ""


def test_new_stream_may_go_back_in_time() -> None:
    receiver = EventReceiver()
    assert receiver.receive(packet(1, True, 800, 8000), 0.0) == "1"
    assert receiver.receive(packet(1, True, 800, 0, stream=2), 0.1) == "1"


def test_other_events_and_nonsense_are_ignored() -> None:
    receiver = EventReceiver()
    assert receiver.receive(packet(16, True, 800), 0.0) == ""  # flash
    assert receiver.receive(Packet(101, False, 0, 0, 1, b"\x01"), 0.0) == ""
    assert receiver.malformed == 1
    assert receiver.timer() is None


@given(st.text(DIGITS, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_digits_arrive_through_loss(digits: str, rng: random.Random) -> None:
    sender, receiver, heard = EventSender(), EventReceiver(), ""
    sender.send(digits)
    for number in range(11 * len(digits) + 30):
        now = 0.02 * number
        out = sender.next(160 * number)
        if out is not None and (out.marker or rng.random() > 0.5):
            for _ in range(rng.randint(1, 2)):
                heard += receiver.receive(Packet(101, out.marker, 0, out.timestamp, 1, out.payload), now)
        heard += receiver.handle_timer(now)
    assert heard == digits


@given(st.lists(st.tuples(st.binary(max_size=6), st.integers(0, 0xFFFFFFFF)), max_size=30))
def test_any_payloads_are_survived(packets: list[tuple[bytes, int]]) -> None:
    receiver = EventReceiver()
    heard = "".join(receiver.receive(Packet(101, False, 0, ts, 1, payload), 0.0) for payload, ts in packets)
    assert len(heard) <= len(packets)
