"""Messages on real sockets, with descriptors and bounds."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Iterator

import msgspec
import pytest

from firmware.errors import DecodeError
from firmware.media import link
from firmware.media.link import INLINE, MAX_REPORT, ReportReader, ReportWriter, receive_command, send_command
from firmware.media.message import Alive, Mute, Screenshot, Show
from firmware.media.scene import FULL_SCREEN, Image, Scene

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def commands() -> Iterator[Pair]:
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    yield pair
    for sock in pair:
        sock.close()


@pytest.fixture
def reports() -> Iterator[Pair]:
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    yield pair
    for sock in pair:
        sock.close()


def test_a_command_brings_its_descriptors(commands: Pair) -> None:
    read, write = os.pipe()
    send_command(commands[0], Mute(True), [write])
    os.close(write)
    received = receive_command(commands[1])
    assert received is not None
    command, (copy,) = received
    assert command == Mute(True)
    os.write(copy, b"through")
    os.close(copy)
    assert os.read(read, 100) == b"through"
    os.close(read)


@pytest.mark.parametrize("size", [INLINE // 2, INLINE, 3_000_000])
def test_a_command_of_any_length(commands: Pair, size: int) -> None:
    command = Show(Scene((Image(os.urandom(size), FULL_SCREEN),)))
    number = os.dup(0)
    send_command(commands[0], command, [number])
    os.close(number)
    received = receive_command(commands[1])
    assert received is not None
    assert received[0] == command
    (other,) = received[1]
    os.close(other)


def test_the_end_of_the_room(commands: Pair) -> None:
    commands[0].close()
    assert receive_command(commands[1]) is None


def test_a_worker_that_takes_no_commands(commands: Pair) -> None:
    commands[0].setblocking(False)

    def flood() -> None:
        while True:
            send_command(commands[0], Mute(True))

    with pytest.raises(BlockingIOError):
        flood()


def test_reports_arrive_in_order_however_they_are_cut(reports: Pair) -> None:
    writer, reader = ReportWriter(reports[0]), ReportReader()
    sent = [Screenshot(number, bytes([number]) * 1_000 * number) for number in range(30)]
    for report in sent:
        writer(report)
    received: list[object] = []
    while len(received) < len(sent):
        received += reader.receive(reports[1].recv(777))
    assert received == sent


def test_the_room_takes_no_reports_and_nobody_waits(reports: Pair) -> None:
    writer = ReportWriter(reports[0])
    done = threading.Event()

    def flood() -> None:
        for number in range(2_000):
            writer(Screenshot(number, bytes(10_000)))
        done.set()

    threading.Thread(target=flood, daemon=True).start()
    assert done.wait(20)
    # What is there is bounded, and the newest is in it.
    reader = ReportReader()
    numbers: list[int] = []
    while 1_999 not in numbers:
        numbers += [
            report.number for report in reader.receive(reports[1].recv(1 << 20)) if isinstance(report, Screenshot)
        ]
    assert len(numbers) < 2_000
    assert numbers == sorted(numbers)


def test_a_report_that_is_too_long_is_left_out(reports: Pair) -> None:
    writer = ReportWriter(reports[0])
    writer(Screenshot(1, bytes(MAX_REPORT)))
    writer(Alive())
    assert list(ReportReader().receive(reports[1].recv(1 << 16))) == [Alive()]


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("!I", MAX_REPORT + 1),
        struct.pack("!I", 3) + b"abc",
        struct.pack("!I", 0),
        struct.pack("!I", 12) + msgspec.msgpack.encode(Mute(True))[:12],
    ],
)
def test_a_worker_gone_mad_is_noticed(data: bytes) -> None:
    with pytest.raises(DecodeError):
        list(ReportReader().receive(data))


def test_a_long_report_takes_no_memory_before_it_comes() -> None:
    reader = ReportReader()
    assert list(reader.receive(struct.pack("!I", MAX_REPORT))) == []
    assert link.MAX_REPORT <= 16 << 20
