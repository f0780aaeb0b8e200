"""The hardware encoder: the kernel's stateful encoder interface at /dev/video11."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from ctypes import c_int
from pathlib import Path

import av
import pytest
from hil.pictures import stall
from hil.waiting import wait_for

from board.pi import v4l2
from board.pi.m2m_encoder import (
    BITRATE,
    BITRATE_MODE,
    I_PERIOD,
    LEVEL,
    PROFILE,
    REPEAT_HEADER,
    STALL,
    USUAL,
    M2mEncoder,
    find_encoder,
)
from board.sim.card import Card
from firmware.errors import DeviceError
from firmware.ports import EncoderSettings

SETTINGS = EncoderSettings(width=320, height=192, frame_rate=30, bitrate=4_000_000, level=13)
REPORTED = 0.85
"""Seconds after which an encoder that gives nothing is known, so that another has taken over after one."""
SPS, PPS, IDR, NON_IDR = 7, 8, 5, 1


class Output:
    """What comes out of an encoder."""

    def __init__(self) -> None:
        self.units: list[tuple[bytes, float]] = []
        self.failures: list[str] = []

    def add(self, data: bytes, taken: float) -> None:
        self.units.append((data, taken))

    def wait(self, count: int) -> bool:
        return wait_for(lambda: len(self.units) >= count)

    def decode(self) -> list[av.VideoFrame]:
        decoder = av.CodecContext.create("h264", "r")
        packets = [av.Packet(data) for data, _ in self.units]
        return [frame for packet in [*packets, None] for frame in decoder.decode(packet)]


def kinds(data: bytes) -> list[int]:
    """The types of the NAL units of an access unit."""
    return [part[0] & 0x1F for part in data.split(b"\0\0\0\1")[1:]]


@pytest.fixture
def output() -> Output:
    return Output()


Open = Callable[..., M2mEncoder]


@pytest.fixture
def open_encoder(encoder_node: Path, output: Output) -> Iterator[Open]:
    opened: list[M2mEncoder] = []

    def open_it(settings: EncoderSettings = SETTINGS) -> M2mEncoder:
        opened.append(M2mEncoder(encoder_node, settings, output.add, output.failures.append))
        return opened[-1]

    yield open_it
    for encoder in opened:
        encoder.close()


def pictures(settings: EncoderSettings, count: int) -> list[av.VideoFrame]:
    card = Card(settings.width, settings.height, settings.frame_rate)
    return [card.picture(number) for number in range(count)]


def encode_all(encoder: M2mEncoder, output: Output, frames: list[av.VideoFrame], *, key_frames: bool = False) -> None:
    """Encode each, waiting for it to come out."""
    for frame in frames:
        if key_frames:
            encoder.force_key_frame()
        before = len(output.units)
        encoder.encode(frame, time.monotonic())
        assert output.wait(before + 1)


def test_the_encoder_is_found(encoder_node: Path) -> None:
    assert find_encoder() == encoder_node == USUAL


def test_pictures_come_back_as_they_went_in(open_encoder: Open, output: Output) -> None:
    frames = pictures(SETTINGS, 5)
    encode_all(open_encoder(), output, frames, key_frames=True)
    decoded = output.decode()
    assert len(decoded) == len(frames)
    for frame, other in zip(frames, decoded, strict=True):
        for plane, copy in zip(frame.planes, other.planes, strict=True):
            rows = (bytes(p)[y * p.line_size :][: p.width] for y in range(plane.height) for p in (plane, copy))
            assert all(abs(a - b) <= 1 for row in zip(rows, rows, strict=True) for a, b in zip(*row, strict=True))


def test_capture_times_are_kept(open_encoder: Open, output: Output) -> None:
    encoder = open_encoder()
    times = [1000.25, 1000.283333, 1000.316667]
    for frame, taken in zip(pictures(SETTINGS, 3), times, strict=True):
        encoder.encode(frame, taken)
    assert output.wait(3)
    assert [taken for _, taken in output.units] == pytest.approx(times, abs=1e-6)


def test_a_key_frame_brings_its_parameter_sets_and_the_agreed_level(open_encoder: Open, output: Output) -> None:
    encoder = open_encoder()
    frames = pictures(SETTINGS, 6)
    encode_all(encoder, output, frames[:3])
    encoder.force_key_frame()
    encode_all(encoder, output, frames[3:])
    key_frame = [SPS, PPS, IDR]
    assert [kinds(data) for data, _ in output.units] == [
        key_frame,
        [NON_IDR],
        [NON_IDR],
        key_frame,
        [NON_IDR],
        [NON_IDR],
    ]
    assert {data[7] for data, _ in output.units if kinds(data) == key_frame} == {SETTINGS.level}


def test_the_bitrate_changes_while_it_runs(open_encoder: Open, output: Output) -> None:
    encoder = open_encoder()
    encode_all(encoder, output, pictures(SETTINGS, 10))
    encoder.set_bitrate(500_000)
    encode_all(encoder, output, pictures(SETTINGS, 10))
    sizes = [len(data) for data, _ in output.units]
    before, after = sum(sizes[2:10]), sum(sizes[12:])
    assert 0.5 < before * 8 / 8 * 30 / 4_000_000 < 1.5
    assert after < before / 4


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (854, 480), (176, 144)])
def test_sizes(open_encoder: Open, output: Output, width: int, height: int) -> None:
    settings = EncoderSettings(width=width, height=height, frame_rate=30, bitrate=20_000_000, level=40)
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, value in zip(frame.planes, (80, 90, 200), strict=True):
        memoryview(plane)[:] = bytes([value]) * plane.buffer_size
    encode_all(open_encoder(settings), output, [frame])
    (decoded,) = output.decode()
    assert (decoded.width, decoded.height) == (width, height)
    for plane, value in zip(decoded.planes, (80, 90, 200), strict=True):
        pixels = bytes(plane)
        assert {pixels[y * plane.line_size + x] for y in (0, plane.height - 1) for x in (0, plane.width - 1)} == {value}


def test_a_flood_of_pictures_is_thinned_out_and_never_waits(open_encoder: Open, output: Output) -> None:
    encoder = open_encoder()
    frame = pictures(SETTINGS, 1)[0]
    for _ in range(100):
        encoder.encode(frame, time.monotonic())
    assert encoder.drain(10)
    assert 1 <= len(output.units) <= 100
    assert not output.failures


def test_draining_gives_all_that_was_taken(open_encoder: Open, output: Output) -> None:
    encoder = open_encoder()
    for frame in pictures(SETTINGS, 3):
        encoder.encode(frame, time.monotonic())
    assert encoder.drain(10)
    assert len(output.units) == 3
    time.sleep(1.5)
    assert not output.failures


def take_memory(encoder: M2mEncoder) -> None:
    encoder._device.ioctl(v4l2.STREAMOFF, c_int(v4l2.VIDEO_CAPTURE_MPLANE))


@pytest.mark.parametrize(("harm", "words"), [(stall, "stalls"), (take_memory, "has failed")])
def test_an_encoder_that_stalls_or_fails_is_reported_once(
    open_encoder: Open, output: Output, harm: Callable[[M2mEncoder], None], words: str
) -> None:
    encoder = open_encoder()
    frame = pictures(SETTINGS, 1)[0]
    encode_all(encoder, output, [frame])
    harm(encoder)
    given, count = time.monotonic(), len(output.units)
    while not output.failures and time.monotonic() < given + 10:
        encoder.encode(frame, time.monotonic())
        if len(output.units) > count:
            given, count = time.monotonic(), len(output.units)
        time.sleep(0.01)
    assert time.monotonic() - given < REPORTED
    assert len(output.failures) == 1
    assert f"/dev/video11 {words}" in output.failures[0]
    encoder.encode(frame, given)
    encoder.set_bitrate(1_000_000)
    encoder.force_key_frame()
    time.sleep(2 * STALL)
    assert len(output.failures) == 1


def test_it_is_told_all_that_was_agreed_on(open_encoder: Open) -> None:
    encoder = open_encoder()
    told = {BITRATE: SETTINGS.bitrate, BITRATE_MODE: 1, PROFILE: 1, REPEAT_HEADER: 1, LEVEL: 11, I_PERIOD: 300}
    assert {number: encoder._device.control(number) for number in told} == told


def test_nothing_comes_after_closing(open_encoder: Open, output: Output) -> None:
    encoder = open_encoder()
    frame = pictures(SETTINGS, 1)[0]
    stop = threading.Event()

    def feed() -> None:
        while not stop.is_set():
            encoder.encode(frame, time.monotonic())
            time.sleep(0.005)

    feeder = threading.Thread(target=feed)
    feeder.start()
    assert output.wait(3)
    encoder.close()
    count = len(output.units)
    time.sleep(0.2)
    stop.set()
    feeder.join()
    assert len(output.units) == count


def test_encoders_can_be_opened_again_and_again(open_encoder: Open, output: Output) -> None:
    frame = pictures(SETTINGS, 1)[0]
    for _ in range(10):
        encoder = open_encoder()
        encode_all(encoder, output, [frame])
        encoder.close()


def test_a_size_that_it_can_not_do_is_refused(open_encoder: Open) -> None:
    with pytest.raises(DeviceError, match="encodes at most"):
        open_encoder(EncoderSettings(width=7680, height=4320, frame_rate=30, bitrate=1_000_000, level=51))
