"""How often key frames are asked for and given, and how much is sent again."""

from __future__ import annotations

import pytest

from firmware.rtp.feedback import (
    ANSWER_INTERVAL,
    ASK_INTERVAL,
    FIR_MEMORY,
    HISTORY,
    MAX_HISTORY_PACKET,
    RETRANSMISSION_BURST,
    RETRANSMISSION_SHARE,
    History,
    KeyFrameAnswerer,
    KeyFrameAsker,
)
from firmware.rtp.packet import Packet

# Asking


def test_asked_at_once_and_then_not_too_often() -> None:
    asker = KeyFrameAsker()
    times = [0.01 * n for n in range(200) if asker.ask(0.01 * n, 0.05)]
    assert times == pytest.approx([0.0, 0.5, 1.0, 1.5])


def test_long_round_trip_is_waited_for() -> None:
    asker = KeyFrameAsker()
    assert asker.ask(0.0, 1.0)
    assert not asker.ask(1.4, 1.0)
    assert asker.ask(1.5, 1.0)


def test_unanswered_request_is_the_same_command() -> None:
    asker = KeyFrameAsker()
    asker.ask(0.0, None)
    first = asker.number
    asker.ask(ASK_INTERVAL, None)
    assert asker.number == first
    asker.answered()
    asker.ask(2 * ASK_INTERVAL, None)
    assert asker.number == first + 1


def test_timer_runs_till_the_answer() -> None:
    asker = KeyFrameAsker()
    assert asker.timer() is None
    asker.ask(1.0, None)
    assert asker.timer() == 1.0 + ASK_INTERVAL
    asker.answered()
    assert asker.timer() is None


def test_command_number_wraps() -> None:
    asker = KeyFrameAsker()
    for n in range(256):
        asker.ask(n, None)
        asker.answered()
    assert asker.number == 0


# Answering


def test_flood_of_requests_is_thinned() -> None:
    answerer = KeyFrameAnswerer()
    assert sum(answerer.picture_loss(0.001 * n) for n in range(3000)) == 3.0 / ANSWER_INTERVAL


def test_repeated_command_is_obeyed_once() -> None:
    answerer = KeyFrameAnswerer()
    assert answerer.command(1, 7, 0.0)
    assert not answerer.command(1, 7, 1.0)
    assert answerer.command(1, 8, 1.0)
    assert answerer.command(2, 8, 1.5)


def test_sender_that_never_counts_is_obeyed_in_the_end() -> None:
    answerer = KeyFrameAnswerer()
    assert answerer.command(1, 0, 0.0)
    assert answerer.command(1, 0, FIR_MEMORY)


def test_command_that_came_too_soon_is_obeyed_when_repeated() -> None:
    answerer = KeyFrameAnswerer()
    assert answerer.picture_loss(0.0)
    assert not answerer.command(1, 7, 0.1)
    assert answerer.command(1, 7, 0.6)


def test_memory_of_commands_is_bounded() -> None:
    answerer = KeyFrameAnswerer()
    for sender in range(1000):
        answerer.command(sender, 0, float(sender))
    assert len(answerer._commands) <= 8


# Again


def packet(sequence: int, size: int = 100) -> bytes:
    return Packet(96, False, sequence & 0xFFFF, 0, 1, bytes(size - 12)).encode()


def test_packets_are_found_by_their_numbers() -> None:
    history = History()
    for sequence in range(65_530, 65_546):
        history.add(sequence & 0xFFFF, packet(sequence))
    assert history.find((65_535, 0, 9), 1.0, None) == (packet(65_535), packet(0), packet(9))


def test_what_is_not_there_is_not_found() -> None:
    history = History()
    assert history.find((0, 5), 0.0, None) == ()
    for sequence in range(HISTORY + 1):
        history.add(sequence, packet(sequence))
    assert history.find((0,), 1.0, None) == ()  # overwritten
    assert history.find((1, HISTORY), 1.0, None) == (packet(1), packet(HISTORY))
    history.add(2, packet(2, MAX_HISTORY_PACKET + 1))
    assert history.find((2 + HISTORY,), 1.0, None) == ()


def test_packet_goes_again_only_after_a_round_trip() -> None:
    history = History()
    history.add(1, packet(1))
    assert history.find((1, 1), 0.0, 0.1) == (packet(1),)
    assert history.find((1,), 0.05, 0.1) == ()
    assert history.find((1,), 0.11, 0.1) == (packet(1),)


def test_amount_is_bounded_by_what_was_sent() -> None:
    history, again = History(), 0
    for second in range(60):
        for sequence in range(100):
            history.add(100 * second + sequence & 0xFFFF, packet(100 * second + sequence, 1000))
        wanted = tuple(100 * second + sequence & 0xFFFF for sequence in range(100))
        again += sum(map(len, history.find(wanted, float(second), 0.0)))
    assert again <= RETRANSMISSION_BURST + RETRANSMISSION_SHARE * 60 * 100_000
    assert again >= RETRANSMISSION_SHARE * 59 * 100_000 - 60_000
