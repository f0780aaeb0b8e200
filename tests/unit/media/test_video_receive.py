"""Packets become pictures, and losses become a still picture until the next key frame."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import av
import pytest
from media_parts import Collector, brightness, picture

from firmware.errors import DeviceError
from firmware.media import video_receive as module
from firmware.media.codecs import VIDEO_CODECS
from firmware.media.decoder import Decoder
from firmware.media.encoder import SoftwareEncoder
from firmware.media.level import PictureFormat
from firmware.media.pictures import Fan
from firmware.media.video_decoder import OpenDecoder
from firmware.media.video_receive import FREEZE_TIME, PATIENCE, VideoReceiver
from firmware.rtp.h264 import PPS, SPS, packetize
from firmware.rtp.packet import Packet


class Stream:
    """What a receiver needs of its stream; requests are counted."""

    round_trip = 0.01

    def __init__(self, takes_feedback: bool = True) -> None:
        self.requests = 0
        self.answered = 0
        self.missing: list[int] = []
        self._takes_feedback = takes_feedback

    def request_key_frame(self, now: float) -> bool:
        self.requests += 1
        return not self._takes_feedback

    def key_frame_received(self) -> None:
        self.answered += 1

    def report_missing(self, indexes: list[int], now: float) -> None:
        self.missing += indexes


class FarEnd:
    """Encodes pictures and gives their packets."""

    def __init__(self) -> None:
        self._encoder = SoftwareEncoder(VIDEO_CODECS["H264"], PictureFormat(320, 180, 30, 13), 600_000)
        self._sequence = 0
        self.stream = 0

    def packets(self, number: int, key_frame: bool = False) -> list[Packet]:
        frame = picture(number)
        # Texture, so that a picture has several slices.
        texture = random.Random(number).randbytes(2_000)
        rows = bytearray(bytes(frame.planes[0]))
        rows[: len(texture)] = texture
        frame.planes[0].update(bytes(rows))
        payloads = packetize(self._encoder.encode(frame, key_frame)[0])
        made = []
        for place, payload in enumerate(payloads):
            marker = place == len(payloads) - 1
            made.append(
                Packet(97, marker, self._sequence & 0xFFFF, number * 3_000, 7, payload, (), self._sequence, self.stream)
            )
            self._sequence += 1
        return made


@pytest.fixture
def make(viewer: Collector):
    receivers: list[VideoReceiver] = []

    def receiver(
        stream: Stream,
        nack: bool = False,
        wanted: Callable[[], None] = lambda: None,
        parameters: bytes = b"",
        open_decoder: OpenDecoder = lambda width, height: None,
    ) -> VideoReceiver:
        fan = Fan()
        fan.add(viewer)
        codec, types = VIDEO_CODECS["H264"], frozenset({97})
        receivers.append(
            VideoReceiver(
                *(stream, codec, parameters, types, nack, fan, wanted, pytest.fail, lambda work: work(), open_decoder)
            )
        )
        return receivers[-1]

    yield receiver
    for each in receivers:
        each.close()


def feed(receiver: VideoReceiver, packets: list[Packet], now: float | None = None) -> None:
    for packet in packets:
        receiver.receive(packet, time.monotonic() if now is None else now)


def numbers(viewer: Collector) -> list[int]:
    return [round(brightness(frame) / 10) * 10 for frame in viewer.pictures]


def test_pictures_arrive_in_order(make, viewer: Collector, eventually) -> None:
    stream, far_end = Stream(), FarEnd()
    receiver = make(stream)
    for number in range(0, 100, 10):
        feed(receiver, far_end.packets(number))
        eventually(lambda number=number: len(viewer.pictures) == number // 10 + 1)
    assert numbers(viewer) == list(range(0, 100, 10))
    assert viewer.thread == "decode"
    assert (receiver.frames, receiver.key_frames, receiver.size) == (10, 1, (320, 180))
    assert (stream.requests, stream.answered) == (0, 1)


def test_nothing_is_shown_before_a_key_frame(make, viewer: Collector, eventually) -> None:
    stream, far_end = Stream(), FarEnd()
    receiver = make(stream)
    far_end.packets(0)
    feed(receiver, far_end.packets(10))
    feed(receiver, far_end.packets(20))
    assert stream.requests
    feed(receiver, far_end.packets(30, key_frame=True))
    eventually(lambda: viewer.pictures)
    assert numbers(viewer) == [30]


def test_after_a_loss_the_last_good_picture_stays_until_a_key_frame(make, viewer: Collector, eventually) -> None:
    stream, far_end = Stream(), FarEnd()
    receiver = make(stream)
    now = time.monotonic()
    feed(receiver, far_end.packets(0), now)
    lost = far_end.packets(10)
    feed(receiver, lost[1:], now)
    now += 0.2  # the detour that a packet may take is over
    receiver.handle_timer(now)
    feed(receiver, far_end.packets(20), now)
    feed(receiver, far_end.packets(30), now)
    assert stream.requests
    feed(receiver, far_end.packets(40, key_frame=True), now)
    feed(receiver, far_end.packets(50), now)
    eventually(lambda: 50 in numbers(viewer))
    assert numbers(viewer) == [0, 40, 50]


def test_after_a_pause_a_key_frame_is_asked_for_but_nothing_is_frozen(make, viewer: Collector, eventually) -> None:
    stream, far_end, now = Stream(), FarEnd(), time.monotonic()
    receiver = make(stream)
    feed(receiver, far_end.packets(0), now)
    feed(receiver, far_end.packets(10), now + module.PAUSE * 0.9)
    assert stream.requests == 0
    feed(receiver, far_end.packets(20), now + module.PAUSE * 3)
    assert stream.requests == 1
    eventually(lambda: len(viewer.pictures) == 3)


def test_disorder_costs_nothing(make, viewer: Collector, eventually) -> None:
    stream, far_end = Stream(), FarEnd()
    receiver = make(stream)
    for number in (0, 10, 20):
        packets = far_end.packets(number)
        assert len(packets) > 2
        feed(receiver, [packets[0], *reversed(packets[1:])])
    eventually(lambda: len(viewer.pictures) == 3)
    assert stream.requests == 0


def test_missing_packets_are_asked_for_and_waited_for(make, viewer: Collector, eventually) -> None:
    stream, far_end = Stream(), FarEnd()
    receiver = make(stream, nack=True)
    now = 50.0
    feed(receiver, far_end.packets(0), now)
    packets = far_end.packets(10)
    feed(receiver, packets[:1] + packets[2:], now)
    due = receiver.timer()
    receiver.handle_timer(due)
    assert stream.missing == [packets[1].index]
    feed(receiver, [packets[1]], due + 0.01)
    eventually(lambda: len(viewer.pictures) == 2)
    assert stream.requests == 0


def test_signalling_asks_where_the_far_end_takes_no_feedback(make) -> None:
    wanted: list[int] = []
    far_end = FarEnd()
    receiver = make(Stream(takes_feedback=False), wanted=lambda: wanted.append(1))
    far_end.packets(0)
    feed(receiver, far_end.packets(10))
    assert wanted


def test_a_far_end_that_never_gives_a_key_frame(make, viewer: Collector, eventually) -> None:
    far_end, now = FarEnd(), time.monotonic()
    receiver = make(Stream())
    feed(receiver, far_end.packets(0), now)
    feed(receiver, far_end.packets(10)[1:], now)
    receiver.handle_timer(now + 1)
    feed(receiver, far_end.packets(20), now + 1)
    feed(receiver, far_end.packets(30), now + 1 + module.PATIENCE / 2)
    time.sleep(0.1)
    assert numbers(viewer) == [0]
    feed(receiver, far_end.packets(40), now + 1.1 + module.PATIENCE)
    eventually(lambda: len(viewer.pictures) == 2)


def test_another_source_begins_anew(make, viewer: Collector, eventually) -> None:
    stream = Stream()
    receiver = make(stream)
    feed(receiver, FarEnd().packets(0))
    other = FarEnd()
    other.stream = 1
    other.packets(10)
    feed(receiver, other.packets(20))  # belongs to a key frame that we have not seen
    assert stream.requests
    feed(receiver, other.packets(30, key_frame=True))
    eventually(lambda: 30 in numbers(viewer))
    assert 20 not in numbers(viewer)


def test_a_decoder_that_can_not_keep_up_skips_to_a_key_frame(make, viewer: Collector, eventually) -> None:
    stream, far_end = Stream(), FarEnd()
    receiver = make(stream)
    with receiver._more:  # the decode thread can't take anything
        made = [far_end.packets(number) for number in range(40)]
        for packets in made:
            feed(receiver, packets)
        assert len(receiver._units) <= module.QUEUE
        assert stream.requests
    feed(receiver, far_end.packets(100, key_frame=True))
    eventually(lambda: 100 in numbers(viewer))


class Clock:
    """A synchronizer that holds every picture so long."""

    def __init__(self, held: float) -> None:
        self.held = held
        self.ready: list[tuple[int, int, float]] = []

    def due(self, stream: int, timestamp: int, ready: float) -> float:
        self.ready.append((stream, timestamp, ready))
        return ready + self.held


class Timed(Collector):
    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def picture(self, frame) -> None:
        super().picture(frame)
        self.times.append(time.monotonic())


@pytest.fixture
def viewer() -> Timed:
    return Timed()


def test_pictures_wait_for_their_sound(make, viewer: Timed, eventually) -> None:
    far_end, clock = FarEnd(), Clock(0.1)
    receiver = make(Stream())
    receiver.synchronizer = clock
    came = []
    for number in range(6):
        came.append(time.monotonic())
        feed(receiver, far_end.packets(number * 10))
        time.sleep(0.03)
    eventually(lambda: len(viewer.pictures) == 6)
    assert numbers(viewer) == [0, 10, 20, 30, 40, 50]
    assert [(stream, timestamp) for stream, timestamp, _ in clock.ready] == [(0, n * 30_000) for n in range(6)]
    for start, (_, _, ready), shown in zip(came, clock.ready, viewer.times, strict=True):
        assert start < ready <= shown - 0.1


def test_a_picture_does_not_wait_where_too_many_do(make, viewer: Timed, eventually) -> None:
    far_end = FarEnd()
    receiver = make(Stream())
    receiver.synchronizer = Clock(3600.0)
    for number in range(module.HELD):
        feed(receiver, far_end.packets(number))
    eventually(lambda: len(receiver._units) == module.HELD - 1 and receiver.synchronizer.ready)
    assert viewer.pictures == []
    feed(receiver, far_end.packets(module.HELD))
    eventually(lambda: len(viewer.pictures) == 1)


def test_closing_does_not_wait_for_sound(make, eventually) -> None:
    far_end = FarEnd()
    receiver = make(Stream())
    receiver.synchronizer = clock = Clock(3600.0)
    feed(receiver, far_end.packets(0))
    eventually(lambda: clock.ready)
    receiver.close()
    assert not receiver._thread.is_alive()


@pytest.mark.parametrize("seed", range(8))
def test_hostile_packets(make, viewer: Collector, eventually, seed: int) -> None:
    chance = random.Random(seed)
    far_end = FarEnd()
    receiver = make(Stream(), nack=True)
    feed(receiver, far_end.packets(0))
    for number in range(300):
        payload = bytes([chance.choice((0x65, 0x67, 0x68, 0x78, 0x7C, 0x41, 0x00, 0x9C, 0x1F))])
        payload += chance.randbytes(chance.choice((0, 1, 2, 40, 1_300)))
        packet = Packet(97, chance.random() < 0.3, number, chance.randrange(1 << 32), 7, payload)
        packet.index, packet.stream = chance.randrange(2_000), chance.randrange(3)
        receiver.receive(packet, time.monotonic())
        if receiver.timer() < float("inf"):
            receiver.handle_timer(receiver.timer())
    fresh = FarEnd()
    fresh.stream = 9
    feed(receiver, fresh.packets(150, key_frame=True))
    eventually(lambda: 150 in numbers(viewer))


def test_other_payload_types_are_not_ours(make, viewer: Collector) -> None:
    receiver = make(Stream())
    packets = FarEnd().packets(0)
    for packet in packets:
        packet.payload_type = 98
    feed(receiver, packets)
    assert receiver.key_frames == 0


@pytest.mark.parametrize("told", [True, False])
def test_parameter_sets_that_were_told_beforehand(make, viewer: Collector, eventually, told: bool) -> None:
    far_end = FarEnd()
    first = far_end.packets(100, key_frame=True)
    sets = [packet for packet in first if packet.payload[0] & 0x1F in (SPS, PPS)]
    assert len(sets) == 2
    parameters = b"".join(b"\0\0\0\1" + packet.payload for packet in sets)
    receiver = make(Stream(), parameters=parameters if told else b"")
    rest = [packet for packet in first if packet not in sets]
    for place, packet in enumerate(rest):
        packet.sequence = packet.index = place
    feed(receiver, rest)
    if told:
        eventually(lambda: len(viewer.pictures) == 1)
    else:
        time.sleep(0.3)
        assert not viewer.pictures


def test_a_far_end_may_freeze_its_picture_until_its_next_key_frame(make, viewer: Collector, eventually) -> None:
    stream, far_end = Stream(), FarEnd()
    receiver = make(stream)
    feed(receiver, far_end.packets(0), 1_000.0)
    eventually(lambda: numbers(viewer) == [0])
    receiver.freeze(1_000.1)
    for number in (10, 20, 30):
        feed(receiver, far_end.packets(number), 1_000.1 + number / 100)
    assert stream.requests == 0, "it gives a key frame by itself"
    feed(receiver, far_end.packets(40, key_frame=True), 1_000.5)
    feed(receiver, far_end.packets(50), 1_000.6)
    eventually(lambda: numbers(viewer) == [0, 40, 50])


def test_a_freeze_has_an_end(make, viewer: Collector, eventually) -> None:
    stream, far_end = Stream(), FarEnd()
    receiver = make(stream)
    feed(receiver, far_end.packets(0), 1_000.0)
    eventually(lambda: numbers(viewer) == [0])
    receiver.freeze(1_000.0)
    feed(receiver, far_end.packets(10), 1_000.1)
    feed(receiver, far_end.packets(20), 1_000.0 + FREEZE_TIME + 0.1)
    assert stream.requests > 0
    feed(receiver, far_end.packets(30), 1_000.0 + FREEZE_TIME + PATIENCE + 0.2)
    eventually(lambda: len(viewer.pictures) == 2)


class Failing:
    """A decoder in hardware that fails when it is told to."""

    def __init__(self, width: int, height: int) -> None:
        self.fails = self.closed = False
        self._decoder = Decoder("h264")

    def decode(self, access_unit: bytes) -> tuple[av.VideoFrame | None, bool]:
        if self.fails:
            raise DeviceError("it stalls")
        return self._decoder.decode(access_unit)

    def close(self) -> None:
        self.closed = True


def test_hardware_that_fails_costs_a_key_frame(make, viewer: Collector, eventually) -> None:
    opened: list[Failing] = []

    def open_decoder(width: int, height: int) -> Failing:
        opened.append(Failing(width, height))
        return opened[-1]

    stream, far_end = Stream(), FarEnd()
    receiver = make(stream, open_decoder=open_decoder)
    feed(receiver, far_end.packets(0))
    feed(receiver, far_end.packets(10))
    eventually(lambda: numbers(viewer) == [0, 10])
    opened[0].fails = True
    feed(receiver, far_end.packets(20))
    eventually(lambda: stream.requests)
    feed(receiver, far_end.packets(30))
    feed(receiver, far_end.packets(40, key_frame=True))
    feed(receiver, far_end.packets(50))
    eventually(lambda: numbers(viewer) == [0, 10, 40, 50])
    assert len(opened) == 1
    assert opened[0].closed


def test_hardware_is_released_at_the_end(make, viewer: Collector, eventually) -> None:
    opened: list[Failing] = []

    def open_decoder(width: int, height: int) -> Failing:
        opened.append(Failing(width, height))
        return opened[-1]

    receiver = make(Stream(), open_decoder=open_decoder)
    feed(receiver, FarEnd().packets(0))
    eventually(lambda: numbers(viewer) == [0])
    receiver.close()
    assert opened[0].closed
