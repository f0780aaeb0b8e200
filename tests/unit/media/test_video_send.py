"""Pictures of a source become packets on a real stream."""

from __future__ import annotations

import contextlib
import random
import time

import av
import pytest
from media_parts import Peer, brightness, picture

from firmware.call.media import H261, H263, H263_1998, H264, H264_BASELINE, Channel, Codec, Direction, Format, Kind
from firmware.errors import DeviceError
from firmware.media import video_send as module
from firmware.media.codecs import VIDEO_CODECS, CodedPicture, VideoCodec
from firmware.media.decoder import Decoder
from firmware.media.encoder import SoftwareEncoder
from firmware.media.level import PictureFormat
from firmware.media.network import Network
from firmware.media.pictures import Fan
from firmware.media.video_receive import VideoReceiver
from firmware.media.video_send import VideoSender
from firmware.rtp.h264 import FU_A, IDR, AccessUnit, Depacketizer
from firmware.rtp.packet import Packet


@pytest.fixture
def make(make_stream, peer: Peer, network: Network):
    senders: list[VideoSender] = []

    def sender(
        source: Fan, h264: H264 = H264_BASELINE.h264, bitrate: int = 400_000, failed=None, codec: Codec | None = None
    ) -> VideoSender:
        stream = make_stream(Kind.VIDEO, 90_000)
        codec = codec or Codec("H264", Kind.VIDEO, 90_000, h264=h264)
        local = stream.sockets[0].getsockname()
        channel = Channel(Kind.VIDEO, Direction.SEND, (Format(97, codec),), local, peer.address, bitrate=bitrate)
        stream.use(channel, None)
        network.call(lambda: network.add(stream, stream.sockets))
        senders.append(VideoSender(stream, channel, source, 30, failed or pytest.fail))
        return senders[-1]

    yield sender
    for each in senders:
        each.close()


class Receiver:
    """Puts together what arrives."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._depacketizer = Depacketizer()
        self.kinds: set[int] = set()

    def access_unit(self) -> AccessUnit:
        while True:
            packet = self._peer.packet()
            assert packet.payload_type == 97
            self.kinds.add(packet.payload[0] & 0x1F)
            units = self._depacketizer.receive(packet)
            if units:
                assert not units[0].damaged
                return units[0]


def test_a_picture_arrives(make, peer: Peer) -> None:
    fan, receiver, decoder = Fan(), Receiver(peer), Decoder("h264")
    sender = make(fan)
    stamps = []
    for number in (0, 60, 120):
        fan.show(picture(number))
        unit = receiver.access_unit()
        stamps.append(unit.timestamp)
        frame, good = decoder.decode(unit.data)
        assert good
        assert frame is not None
        assert abs(brightness(frame) - number) < 4
    assert stamps[1] - stamps[0] & 0xFFFFFFFF == 60 * 3_000  # the time at which it was taken
    assert (sender.frames, sender.key_frames) == (3, 1)
    assert sender.picture_format == PictureFormat(320, 180, 30, 13)


def test_a_key_frame_on_request_but_not_too_often(make, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEY_FRAME_PAUSE", 3_600.0)
    fan, receiver = Fan(), Receiver(peer)
    sender = make(fan)

    def send(number: int) -> bool:
        fan.show(picture(number))
        return receiver.access_unit().key_frame

    assert [send(0), send(1)] == [True, False]
    sender.force_key_frame()
    assert [send(2), send(3)] == [True, False]  # the first request is answered at once
    sender.force_key_frame()
    assert [send(4), send(5)] == [False, False]
    monkeypatch.setattr(module, "KEY_FRAME_PAUSE", 0.0)
    assert [send(6), send(7)] == [True, False]  # the request was kept


def test_a_request_is_kept_until_there_is_a_key_frame(make, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoder may leave a picture out, or another that encodes the same picture may reset its type."""
    monkeypatch.setattr(module, "KEY_FRAME_PAUSE", 0.0)
    fan, receiver = Fan(), Receiver(peer)
    sender = make(fan)
    fan.show(picture(0))
    assert receiver.access_unit().key_frame
    encode = SoftwareEncoder.encode
    monkeypatch.setattr(SoftwareEncoder, "encode", lambda encoder, frame, wanted: encode(encoder, frame, False))
    sender.force_key_frame()
    fan.show(picture(1))
    assert not receiver.access_unit().key_frame
    monkeypatch.setattr(SoftwareEncoder, "encode", encode)
    fan.show(picture(2))
    assert receiver.access_unit().key_frame


class Halves:
    """A payload format: each picture in two packets, the second with the marker bit."""

    def __init__(self) -> None:
        self._first = b""

    @staticmethod
    def packetize(picture: bytes, codec: Codec, hints: bytes) -> list[bytes]:
        assert codec.name == "H263"
        assert hints == b""
        return [picture[: len(picture) // 2], picture[len(picture) // 2 :]]

    def receive(self, packet: Packet) -> list[AccessUnit]:
        if packet.marker:
            return [AccessUnit(self._first + packet.payload, packet.timestamp, 1 << IDR, False, packet.stream)]
        self._first = packet.payload
        return []


def test_another_codec_is_a_row_and_a_payload_format(
    make, make_stream, peer: Peer, viewer, eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = VideoCodec(
        "h263",
        "h263",
        packetize=Halves.packetize,
        depacketizer=Halves,
        picture_format=lambda codec, *source: PictureFormat(352, 288, source[2], 0),
        max_bitrate=lambda codec: 2_000_000,
    )
    monkeypatch.setitem(VIDEO_CODECS, "H263", row)
    fan, shown = Fan(), Fan()
    shown.add(viewer)
    make(fan, codec=Codec("H263", Kind.VIDEO, 90_000))
    receiver = VideoReceiver(
        make_stream(Kind.VIDEO, 90_000),
        row,
        b"",
        frozenset({97}),
        False,
        shown,
        lambda: None,
        pytest.fail,
        lambda work: None,
        lambda width, height: None,
    )
    for number in (0, 60, 120):
        fan.show(picture(number))
        for _ in range(2):
            packet = peer.packet()
            packet.index = packet.sequence
            receiver.receive(packet, time.monotonic())
    eventually(lambda: len(viewer.pictures) == 3)
    receiver.close()
    assert [round(brightness(frame) / 10) * 10 for frame in viewer.pictures] == [0, 60, 120]
    assert viewer.pictures[0].width == 384  # 352 pixels that are wider than high


@pytest.mark.parametrize("codec", [H263, H263_1998, H261], ids=lambda codec: codec.name)
def test_old_codecs(make, peer: Peer, codec: Codec) -> None:
    fan = Fan()
    sender = make(fan, codec=codec, bitrate=512_000)
    row = VIDEO_CODECS[codec.name]
    depacketizer, decoder = row.depacketizer(), Decoder(row.decoder)
    keys = []
    for number in range(0, 100, 10):
        if number == 50:
            sender.force_key_frame()
        fan.show(picture(number, 1280, 720))
        pictures: list[CodedPicture] = []
        while not pictures:
            pictures = list(depacketizer.receive(peer.packet()))
        (coded,) = pictures
        assert not coded.damaged
        frame, good = decoder.decode(coded.data)
        assert good
        assert frame is not None
        assert abs(brightness(frame) - number) < 4
        keys.append(coded.key_frame)
    assert [place for place, key in enumerate(keys) if key] == [0, 5]
    size = {"H261": (352, 288, 30)}.get(codec.name, (704, 576, 16))
    chosen = sender.picture_format
    assert (chosen.width, chosen.height, chosen.frame_rate, chosen.level) == (*size, 0)


def test_only_the_newest_picture_is_encoded(make, eventually) -> None:
    fan = Fan()
    sender = make(fan)
    for number in range(500):
        fan.show(picture(number))
    eventually(lambda: sender.frames)
    time.sleep(0.1)
    assert sender.frames < 400


def test_the_rate_of_the_level_is_kept(make, peer: Peer) -> None:
    fan, receiver = Fan(), Receiver(peer)
    sender = make(fan, H264(level=30), bitrate=3_000_000)
    sent = []
    for number in range(60):
        fan.show(picture(number, 1280, 720))
        before = sender.frames
        end = time.monotonic() + 0.15
        while sender.frames == before and time.monotonic() < end:
            time.sleep(0.001)
        if sender.frames > before:
            sent.append(receiver.access_unit())
    assert sender.picture_format == PictureFormat(848, 480, 25, 30)
    assert 45 <= len(sent) <= 53


def test_packetization_modes(make, peer: Peer) -> None:
    # RFC 6184 6.2: in mode 0 there are single NAL units only.
    fan, receiver = Fan(), Receiver(peer)
    make(fan, H264(packetization_mode=0), bitrate=2_000_000)
    frame = picture(0, 1280, 720)
    frame.planes[0].update(bytes(n * n >> 3 & 0xFF for n in range(frame.planes[0].buffer_size)))
    fan.show(frame)
    assert receiver.access_unit().key_frame
    assert max(receiver.kinds) < 24


def test_a_source_that_changes_its_size(make, peer: Peer) -> None:
    fan, receiver, decoder = Fan(), Receiver(peer), Decoder("h264")
    sender = make(fan)
    for number, size in enumerate([(320, 180), (640, 360), (176, 144)]):
        fan.show(picture(number * 30, *size))
        unit = receiver.access_unit()
        assert unit.key_frame
        frame, _ = decoder.decode(unit.data)
        assert frame is not None
        assert (frame.width, frame.height) == size
        assert sender.picture_format is not None
        assert (sender.picture_format.width, sender.picture_format.height) == size


def test_a_picture_without_a_time(make, peer: Peer) -> None:
    fan, receiver = Fan(), Receiver(peer)
    make(fan)
    frame = picture()
    frame.pts = None
    fan.show(frame)
    assert receiver.access_unit().key_frame


def test_after_closing_nothing_is_sent(make, eventually) -> None:
    fan = Fan()
    sender = make(fan)
    sender.close()
    fan.show(picture())
    time.sleep(0.05)
    assert sender.frames == 0


def test_a_source_that_can_not_be_encoded_is_reported(make, eventually) -> None:
    failures: list[Exception] = []
    fan = Fan()
    sender = make(fan, failed=failures.append)
    fan.show("no picture")  # type: ignore[arg-type]
    eventually(lambda: failures)
    assert isinstance(failures[0], AttributeError)
    fan.show(picture())
    assert sender.frames == 0


class Hardware:
    """A camera with an encoder of its own."""

    width, height, frame_rate = 1280, 720, 30
    pan_tilt_zoom = None

    def __init__(self, broken: bool = False) -> None:
        self.settings = None
        self.keys = 0
        self.closed = False
        self.broken = broken

    def open_encoder(self, settings, on_access_unit):
        if self.broken:
            raise DeviceError("busy")
        self.settings, self.on_access_unit = settings, on_access_unit
        return self

    def force_key_frame(self) -> None:
        self.keys += 1

    def set_bitrate(self, bitrate: int) -> None: ...

    def close(self) -> None:
        self.closed = True


def test_the_cameras_own_encoder(make, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEY_FRAME_PAUSE", 0.0)
    camera, receiver = Hardware(), Receiver(peer)
    sender = make(Fan(), bitrate=1_500_000)
    assert sender.camera_opened(camera)
    assert (camera.settings.width, camera.settings.height, camera.settings.bitrate) == (1280, 720, 1_500_000)
    encoded = b"\0\0\0\1\x67sps\0\0\0\1\x68pps\0\0\0\1\x65" + bytes(range(1, 250)) * 20
    camera.on_access_unit(encoded, 12.5)
    unit = receiver.access_unit()
    assert unit.types >> IDR & 1
    assert unit.data.replace(b"\0\0\0\1", b"") == encoded.replace(b"\0\0\0\1", b"")
    assert FU_A in receiver.kinds  # hardware knows no slices of a packet's size
    sender.force_key_frame()
    assert camera.keys == 1
    camera.on_access_unit(b"\0\0\0\1\x41other", 12.53)
    assert receiver.access_unit().timestamp - unit.timestamp & 0xFFFFFFFF == 2_700
    assert (sender.frames, sender.key_frames) == (2, 1)
    sender.camera_closed()
    assert camera.closed


def test_a_camera_that_opens_when_all_is_over(make) -> None:
    camera = Hardware()
    sender = make(Fan())
    sender.close()
    assert not sender.camera_opened(camera)
    assert camera.settings is None or camera.closed


def test_where_the_cameras_encoder_does_not_serve(make) -> None:
    assert not make(Fan(), H264(packetization_mode=0)).camera_opened(Hardware())
    assert not make(Fan()).camera_opened(Hardware(broken=True))


def test_a_large_access_unit_is_spread(make, monkeypatch: pytest.MonkeyPatch, eventually) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    sender = make(Fan(), bitrate=4_000_000)
    encoder = SoftwareEncoder(VIDEO_CODECS["H264"], PictureFormat(1280, 720, 30, 31), 4_000_000)
    frame = picture(0, 1280, 720)
    frame.planes[0].update(bytes(n * n * 31 >> 3 & 0xFF for n in range(frame.planes[0].buffer_size)))
    sender._send(encoder.encode(frame, True)[0], 1.0, True)
    assert len(pauses) >= 1
    assert set(pauses) == {module.PACE}


def test_a_limit_while_sending(make, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REOPEN_PAUSE", 0.0)
    fan = Fan()
    sender = make(fan, bitrate=1_000_000)
    peer.rtp.setblocking(False)

    def shown(count: int) -> int:
        octets = 0
        for number in range(count):
            fan.show(noise(number))
            time.sleep(0.04)
            with contextlib.suppress(BlockingIOError):
                while True:
                    octets += len(peer.rtp.recv(2048))
        return octets

    shown(10)
    full = sender.picture_format
    plenty = shown(30)
    sender.limit_bitrate(700_000)
    shown(10)
    assert shown(30) < 0.9 * plenty
    assert (sender.picture_format, sender.key_frames) == (full, 1), "no new encoder for that"
    sender.limit_bitrate(100_000)
    shown(10)
    assert shown(30) < 0.3 * plenty
    assert sender.picture_format is not None
    assert full is not None
    assert sender.picture_format.level < full.level, "another encoder"
    sender.limit_bitrate(20_000_000)
    shown(10)
    assert sender.picture_format == full
    assert shown(30) < 1.3 * plenty, "no more than was agreed"


@pytest.mark.parametrize(("pause", "encoders"), [(10.0, 2), (0.0, 3)])
def test_a_limit_that_rises_little_by_little(
    make, eventually, monkeypatch: pytest.MonkeyPatch, pause: float, encoders: int
) -> None:
    """Not every step is worth a key frame."""
    monkeypatch.setattr(module, "REOPEN_PAUSE", 0.0)
    monkeypatch.setattr(module, "KEY_FRAME_INTERVAL", pause)
    fan = Fan()
    sender = make(fan, bitrate=1_000_000)
    sender.limit_bitrate(500_000)
    shown = 0

    def show() -> None:
        nonlocal shown
        fan.show(picture(shown))
        shown += 1
        before = shown
        eventually(lambda: sender.frames >= before)
        time.sleep(0.04)

    show()
    sender.limit_bitrate(510_000)
    show()
    assert sender.key_frames == encoders - 1
    sender.limit_bitrate(800_000)
    show()
    assert sender.key_frames == encoders


def noise(number: int) -> av.VideoFrame:
    rng = random.Random(number)
    frame = picture(number)
    plane = frame.planes[0]
    plane.update(rng.randbytes(plane.buffer_size))
    return frame


def test_the_report_tells_when_a_picture_was_taken_and_not_when_it_was_encoded(make, peer: Peer) -> None:
    fan = Fan()
    sender = make(fan)
    taken = time.monotonic() - 0.5
    frame = picture(0)
    frame.pts = round(taken / frame.time_base)
    fan.show(frame)
    packet = peer.packet()
    report = sender._stream._session._sender.report(taken + 1.0, ())
    assert report.timestamp - packet.timestamp & 0xFFFFFFFF == pytest.approx(90_000, abs=90)
