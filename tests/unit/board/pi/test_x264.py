"""`board.pi.x264`: the encoder that takes over."""

from fractions import Fraction

import av
from av.video.frame import PictureType

from board.pi.x264 import X264Encoder
from board.sim.card import Card
from firmware.ports import EncoderSettings

SETTINGS = EncoderSettings(width=320, height=180, frame_rate=30, bitrate=400_000, level=13)


class Stream:
    def __init__(self, settings: EncoderSettings = SETTINGS) -> None:
        self.units: list[tuple[bytes, float]] = []
        self.encoder = X264Encoder(settings, settings.bitrate, lambda data, taken: self.units.append((data, taken)))
        self._card = Card(settings.width, settings.height, settings.frame_rate)
        self._number = 0

    def run(self, count: int) -> list[bytes]:
        start = len(self.units)
        for _ in range(count):
            frame = self._card.picture(self._number)
            frame.time_base, frame.pts = Fraction(1, 1_000_000), self._number * 33_333 + 5_000_000
            self.encoder.encode(frame, frame.pts / 1e6)
            self._number += 1
        return [data for data, _ in self.units[start:]]


def kinds(data: bytes) -> set[int]:
    return {part[0] & 0x1F for part in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]}


def test_every_picture_comes_out_at_once_and_can_be_decoded() -> None:
    stream = Stream()
    units = stream.run(5)
    assert len(units) == 5
    assert [taken for _, taken in stream.units] == [5 + n * 0.033333 for n in range(5)]
    decoder = av.CodecContext.create("h264", "r")
    pictures = [frame for packet in [*map(av.Packet, units), None] for frame in decoder.decode(packet)]
    assert {(frame.width, frame.height) for frame in pictures} == {(320, 180)}
    assert len(pictures) == 5


def test_a_key_frame_is_made_at_the_start_and_when_asked_for() -> None:
    stream = Stream()
    units = stream.run(3)
    stream.encoder.force_key_frame()
    units += stream.run(2)
    assert [5 in kinds(data) for data in units] == [True, False, False, True, False]
    assert all({7, 8} <= kinds(data) for data in units if 5 in kinds(data))


def test_a_picture_that_others_encode_too_is_left_as_it_is() -> None:
    one, other = Stream(), Stream()
    for stream in (one, other):
        stream.run(2)
    frame = Card(320, 180, 30).picture(9)
    frame.time_base, frame.pts = Fraction(1, 1_000_000), 6_000_000
    pixels = bytes(frame.planes[0])
    one.encoder.force_key_frame()
    types = []
    one.encoder._on_access_unit = lambda data, _: types.append((5 in kinds(data), frame.pict_type))
    one.encoder.encode(frame, 6.0)
    other.encoder.encode(frame, 6.0)
    assert types == [(True, PictureType.NONE)]
    assert 5 not in kinds(other.units[-1][0])
    assert bytes(frame.planes[0]) == pixels


def test_the_bitrate_falls_while_it_runs_and_rises_with_a_new_start() -> None:
    stream = Stream()
    stream.run(60)
    usual = sum(map(len, stream.run(60)))
    stream.encoder.set_bitrate(100_000)
    stream.run(30)
    less = stream.run(60)
    assert sum(map(len, less)) < usual / 2
    assert not any(5 in kinds(data) for data in less)
    stream.encoder.set_bitrate(1_500_000)
    assert 5 in kinds(stream.run(1)[0])
    stream.run(60)
    assert sum(map(len, stream.run(60))) > usual * 1.5


def test_nothing_comes_after_closing() -> None:
    stream = Stream()
    stream.encoder.close()
    assert stream.run(1) == []
