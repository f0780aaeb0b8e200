"""Rates over the time between two readings."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from firmware.call.media import H264_BASELINE, Channel, Direction, Format, Kind
from firmware.media.level import PictureFormat
from firmware.media.meter import Meter
from firmware.rtp.statistics import Received, Sent, Statistics


def line() -> SimpleNamespace:
    channels = {
        direction: Channel(Kind.VIDEO, direction, (Format(97, H264_BASELINE),), ("127.0.0.1", 4000))
        for direction in (Direction.SEND, Direction.RECEIVE)
    }
    totals = Statistics(
        0.0,
        Sent(0, 0, 3, 0.25, 0.002, 0.04, 0, None),
        Received(0, 0, 5, 0.5, 0.003, 0, None),
    )
    return SimpleNamespace(
        stream=SimpleNamespace(way="", began=100.0, totals=totals),
        send=channels[Direction.SEND],
        receive=channels[Direction.RECEIVE],
        audio_receiver=None,
        video_sender=SimpleNamespace(frames=0, key_frames=0, picture_format=PictureFormat(640, 360, 30, 30)),
        video_receiver=SimpleNamespace(frames=0, key_frames=0, size=(320, 180)),
    )


@pytest.fixture
def measured() -> SimpleNamespace:
    made = line()
    made.stream.statistics = lambda now: made.stream.totals
    return made


def advance(measured: SimpleNamespace, sent: int, received: int, frames: int) -> None:
    old = measured.stream.totals
    measured.stream.totals = Statistics(
        0.0,
        Sent(old.sent.packets + 10, old.sent.octets + sent, 3, 0.25, 0.002, 0.04, 0, None),
        Received(old.received.packets + 20, old.received.octets + received, 5, 0.5, 0.003, 0, None),
    )
    measured.video_sender.frames += frames
    measured.video_receiver.frames += frames // 2


def test_rates_are_of_the_last_interval(measured: SimpleNamespace) -> None:
    meter = Meter()
    advance(measured, 100_000, 50_000, 30)
    meter.read(measured, 101.0)
    advance(measured, 25_000, 12_500, 60)
    sent, received = meter.read(measured, 103.0)
    assert (sent.direction, received.direction) == (Direction.SEND, Direction.RECEIVE)
    assert (sent.bitrate, received.bitrate) == (100_000, 50_000)
    assert (sent.frame_rate, received.frame_rate) == (30.0, 15.0)
    assert (sent.packets, received.packets) == (20, 40)
    assert (sent.width, sent.height, received.width, received.height) == (640, 360, 320, 180)
    assert (sent.lost, sent.loss, sent.jitter, sent.round_trip) == (3, 0.25, 0.002, 0.04)
    assert (received.lost, received.loss, received.jitter, received.round_trip) == (5, 0.5, 0.003, 0.04)


def test_an_encoder_that_began_anew_gives_no_negative_rate(measured: SimpleNamespace) -> None:
    meter = Meter()
    advance(measured, 1_000, 1_000, 100)
    meter.read(measured, 101.0)
    measured.video_sender.frames = 2
    sent, _ = meter.read(measured, 102.0)
    assert sent.frame_rate == 0.0


def test_only_channels_that_are_there(measured: SimpleNamespace) -> None:
    measured.send = measured.video_sender = None
    (received,) = Meter().read(measured, 101.0)
    assert received.direction is Direction.RECEIVE
    measured.receive = None
    assert Meter().read(measured, 100.0) == []
