"""The media of one call: what changes when channels do, and what does not."""

from __future__ import annotations

import dataclasses
import io
import threading
import time
from collections.abc import Iterator

import pytest
from media_parts import Peer
from PIL import Image

from board import open_board
from board.sim.counter import read_counter
from firmware.call.media import (
    G722,
    H264_BASELINE,
    OPUS,
    PCMU,
    TELEPHONE_EVENT,
    Channel,
    Codec,
    Direction,
    Feedback,
    Format,
    Kind,
)
from firmware.media import session as module
from firmware.media.camera import CameraFeed
from firmware.media.compositor import Compositor
from firmware.media.fault import Fault
from firmware.media.message import (
    ChannelFailed,
    Configure,
    DigitReceived,
    KeyFrameWanted,
    MediaSilent,
    Report,
    Statistics,
)
from firmware.media.network import Network
from firmware.media.scene import FULL_SCREEN, FarEnd, Scene
from firmware.media.session import MediaSession
from firmware.media.studio import Studio
from firmware.net.ports import MediaPort, PortPool
from firmware.rtp.h264 import Depacketizer
from firmware.rtp.packet import Packet
from firmware.rtp.telephone_event import Event

VIDEO = Format(97, H264_BASELINE)
SOUND = Format(0, PCMU)
EVENTS = Format(101, TELEPHONE_EVENT)
BOTH = (Direction.SEND, Direction.RECEIVE)


def channel(port: MediaPort, peer: Peer, direction: Direction, *formats: Format, **more) -> Channel:
    return Channel(formats[0].codec.kind, direction, formats, port.address, peer.address, **more)


class Unit:
    """A session in a studio with the simulated board's camera and screen."""

    def __init__(self, network: Network, ports: PortPool, echo: bool) -> None:
        self.reports: list[Report] = []
        board = open_board("sim", {"display_width": 640, "display_height": 360})
        self.compositor = Compositor(board, self.reports.append)
        self.camera_opened = 0
        self.network = network
        self.ports = ports

        def open_camera():
            self.camera_opened += 1
            return board.open_camera(320, 180, 30)

        camera = CameraFeed(open_camera, Fault("camera", board.look_for, self.reports.append), self.reports.append)
        self.studio = Studio(Configure(320, 180, 30, echo), network, camera, self.compositor, self.reports.append)
        self.session = network.call(lambda: MediaSession("1", self.studio))

    def apply(self, *channels: Channel) -> None:
        addresses = dict.fromkeys(address for each in channels for address in (each.local, *each.others))
        sockets = {}
        for address in addresses:
            first, second = (sock.dup() for sock in self.ports.sockets(address))
            sockets[address] = first, second
        self.given = [sock for pair in sockets.values() for sock in pair]
        """Since the last time."""
        self.network.call(lambda: self.session.apply(channels, sockets))

    def of(self, kind: type[Report]) -> list[Report]:
        return [report for report in self.reports if isinstance(report, kind)]

    def close(self) -> None:
        self.network.call(self.session.close)
        self.compositor.stop()


@pytest.fixture
def unit(network: Network, ports: PortPool) -> Iterator[Unit]:
    unit = Unit(network, ports, echo=False)
    yield unit
    unit.close()


@pytest.fixture
def echo(network: Network, ports: PortPool) -> Iterator[Unit]:
    unit = Unit(network, ports, echo=True)
    yield unit
    unit.close()


def test_the_camera_is_sent_and_closed_with_its_channel(unit: Unit, peer: Peer, eventually) -> None:
    port = unit.ports.reserve("127.0.0.1")
    unit.apply(channel(port, peer, Direction.SEND, VIDEO))
    depacketizer = Depacketizer()
    units = []
    while not units:
        units = depacketizer.receive(peer.packet())
    assert units[0].key_frame
    assert unit.camera_opened == 1
    unit.apply(channel(port, peer, Direction.RECEIVE, VIDEO))
    eventually(lambda: unit.studio.camera._thread is None)


def test_an_unchanged_stream_never_notices(unit: Unit, peer: Peer) -> None:
    sound, video = unit.ports.reserve("127.0.0.1"), unit.ports.reserve("127.0.0.1")
    channels = [channel(sound, peer, direction, SOUND) for direction in BOTH]
    unit.apply(*channels)
    before = unit.session.sound
    unit.apply(*channels, channel(video, peer, Direction.RECEIVE, VIDEO))
    unit.apply(*channels)
    assert unit.session.sound == before
    unit.apply(channels[1])
    assert unit.session.sound is not None
    assert before is not None
    assert unit.session.sound.sender is None
    assert unit.session.sound.receiver is before.receiver


def test_another_codec_on_the_same_clock_keeps_the_session(unit: Unit, peer: Peer) -> None:
    port = unit.ports.reserve("127.0.0.1")
    ssrcs, stamps = [], []
    for form in (SOUND, Format(9, G722)):
        unit.apply(channel(port, peer, Direction.SEND, form))
        for _ in range(4):
            unit.session.sound.sender.push(None, time.monotonic())
        for packet in (peer.packet(), peer.packet()):
            assert packet.payload_type == form.payload_type
            ssrcs.append(packet.ssrc)
            stamps.append(packet.timestamp)
        time.sleep(0.1)  # that was more sound than time had passed
    assert len(set(ssrcs)) == 1
    assert 0 < stamps[2] - stamps[1] & 0xFFFFFFFF < 30 * 8_000


def test_another_clock_needs_another_session(unit: Unit, peer: Peer) -> None:
    port = unit.ports.reserve("127.0.0.1")
    ssrcs = []
    for form in (SOUND, Format(96, OPUS)):
        unit.apply(channel(port, peer, Direction.SEND, form))
        for _ in range(6):
            unit.session.sound.sender.push(None, time.monotonic())
        ssrcs.append(peer.packet().ssrc)
        time.sleep(0.05)
        peer.rtp.setblocking(False)
        while True:
            try:
                peer.rtp.recv(2048)
            except BlockingIOError:
                break
        peer.rtp.settimeout(10)
    assert len(set(ssrcs)) == 2


def test_the_timeline_outlives_session_and_worker(unit: Unit, peer: Peer, network: Network, ports: PortPool) -> None:
    port = unit.ports.reserve("127.0.0.1")
    sent = []
    studios = [unit.studio] * 2 + [dataclasses.replace(unit.studio, configure=Configure(timeline=1))]
    for studio in studios:
        unit.network.call(unit.session.close)
        unit.session = network.call(lambda studio=studio: MediaSession("1", studio))
        unit.apply(channel(port, peer, Direction.SEND, SOUND))
        for _ in range(2):
            unit.session.sound.sender.push(None, time.monotonic())
        sent.append(peer.packet())
        time.sleep(0.1)
    first, second, other = sent
    assert len({packet.ssrc for packet in sent}) == 3
    assert 0 < second.timestamp - first.timestamp & 0xFFFFFFFF < 30 * 8_000
    assert not 0 < other.timestamp - second.timestamp & 0xFFFFFFFF < 30 * 8_000  # nobody can guess it


def test_a_codec_that_is_missing_stops_its_channel_only(unit: Unit, peer: Peer) -> None:
    sound, video = unit.ports.reserve("127.0.0.1"), unit.ports.reserve("127.0.0.1")
    unknown = Format(18, Codec("G729", Kind.AUDIO, 8_000))
    unit.apply(channel(sound, peer, Direction.SEND, unknown), channel(video, peer, Direction.SEND, VIDEO))
    (failed,) = unit.of(ChannelFailed)
    assert (failed.kind, failed.direction) == (Kind.AUDIO, Direction.SEND)
    assert "G729" in failed.reason
    assert peer.packet().payload_type == 97


def test_digits_both_ways(unit: Unit, peer: Peer, eventually) -> None:
    port = unit.ports.reserve("127.0.0.1")
    unit.apply(*(channel(port, peer, direction, SOUND, EVENTS) for direction in BOTH))
    event = Packet(101, True, 1, 160, 7, Event(3, True, 10, 800).encode())
    peer.rtp.sendto(event.encode(), port.address)
    eventually(lambda: unit.of(DigitReceived) == [DigitReceived("1", "3")])
    unit.session.send_digits("8")
    unit.session.sound.sender.push(None, time.monotonic())
    unit.session.sound.sender.push(None, time.monotonic())
    assert Event.decode(peer.packet().payload).event == 8


def test_a_far_end_asks_for_a_key_frame_by_signalling(unit: Unit, peer: Peer) -> None:
    port = unit.ports.reserve("127.0.0.1")
    unit.apply(channel(port, peer, Direction.SEND, VIDEO))
    depacketizer = Depacketizer()
    keys = 0
    end = time.monotonic() + 20
    while keys < 2:
        assert time.monotonic() < end
        for unit_ in depacketizer.receive(peer.packet()):
            if unit_.key_frame:
                keys += 1
                unit.network.call(unit.session.force_key_frame)


def test_the_echo_sends_back_the_picture_that_it_gets(unit: Unit, echo: Unit, network: Network, eventually) -> None:
    feedback = frozenset({Feedback.PLI})
    ours, theirs = unit.ports.reserve("127.0.0.1"), unit.ports.reserve("127.0.0.1")
    unit.compositor.show(Scene((FarEnd("1", FULL_SCREEN),)))
    for one, there, back in ((unit, ours, theirs), (echo, theirs, ours)):
        one.apply(
            *(
                Channel(Kind.VIDEO, direction, (VIDEO,), there.address, back.address, feedback=feedback)
                for direction in BOTH
            )
        )

    def counter() -> int | None:
        shot = unit.compositor.screenshot("png", 640, 360)
        return read_counter(Image.open(io.BytesIO(shot)).convert("RGB")) if shot else None

    eventually(lambda: counter() is not None)
    first = counter()
    assert first is not None
    eventually(lambda: (counter() or 0) > first)
    assert echo.camera_opened == 0


def test_sound_and_the_first_pictures_are_kept_in_step(
    unit: Unit, echo: Unit, network: Network, monkeypatch: pytest.MonkeyPatch, eventually
) -> None:
    monkeypatch.setattr(module, "INTERVAL", 0.1)
    ours, theirs = ([each.ports.reserve("127.0.0.1") for _ in range(3)] for each in (unit, echo))
    for each, near, far in ((unit, ours, theirs), (echo, theirs, ours)):
        channels = []
        for form, local, remote in zip((SOUND, VIDEO, VIDEO), near, far, strict=True):
            channels += [Channel(form.codec.kind, way, (form,), local.address, remote.address) for way in BOTH]
        each.apply(*channels)
    lines = [unit.session._lines[port.address] for port in ours]

    def lead() -> float | None:
        synchronizer = unit.session._synchronizer
        sound, picture = synchronizer._sound, synchronizer._picture
        now = time.monotonic()
        return picture.delay - sound.delay if sound.is_known(now) and picture.is_known(now) else None

    sender = unit.session.sound.sender
    assert sender is not None
    stopped = threading.Event()

    def speak() -> None:
        far, receiver = echo.session.sound, unit.session.sound.receiver
        while not stopped.wait(0.01):
            now = time.monotonic()
            far.sender.push(None, now)
            receiver.pull(now, now + 0.050)

    speaking = threading.Thread(target=speak)
    speaking.start()
    try:
        eventually(lambda: lead() is not None)
    finally:
        stopped.set()
        speaking.join()
    assert abs(lead()) < 1.0, "two clocks were compared"
    assert lines[1].video_receiver.synchronizer is unit.session._synchronizer
    assert lines[2].video_receiver.synchronizer is None


def test_statistics_and_silence(unit: Unit, peer: Peer, eventually, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE", 0.5)
    monkeypatch.setattr(module, "INTERVAL", 0.1)
    port = unit.ports.reserve("127.0.0.1")
    unit.apply(*(channel(port, peer, direction, SOUND) for direction in BOTH))
    eventually(lambda: unit.of(MediaSilent))
    silent = unit.of(MediaSilent)[-1]
    assert silent.seconds >= 0.5
    peer.rtp.sendto(Packet(0, True, 1, 160, 7, bytes(160)).encode(), port.address)
    eventually(lambda: unit.of(MediaSilent)[-1] == MediaSilent("1", 0.0))

    def received() -> int:
        streams = unit.of(Statistics)[-1].streams
        assert {(each.kind, each.direction) for each in streams} == {(Kind.AUDIO, direction) for direction in BOTH}
        return next(each.packets for each in streams if each.direction is Direction.RECEIVE)

    eventually(lambda: unit.of(Statistics) and received() == 1)


def test_sound_from_before_the_call_is_not_played(unit: Unit, peer: Peer) -> None:
    port = unit.ports.reserve("127.0.0.1")
    for number in range(20):
        peer.rtp.sendto(Packet(0, True, number, 160 * number, 7, bytes(160)).encode(), port.address)
    unit.apply(channel(port, peer, Direction.RECEIVE, SOUND))
    unit.network.call(lambda: None)
    assert unit.session.sound is not None
    assert not unit.session.sound.receiver._arrivals


def test_what_came_during_a_hold_is_no_reason_to_ask_for_a_picture(unit: Unit, peer: Peer, eventually) -> None:
    port = unit.ports.reserve("127.0.0.1")
    receive = channel(port, peer, Direction.RECEIVE, VIDEO)
    numbers = iter(range(100))

    def send_pictures() -> None:
        for _ in range(3):
            number = next(numbers)
            peer.rtp.sendto(Packet(97, True, number, 3_000 * number, 7, b"\x41\x9a\x00").encode(), port.address)

    send_pictures()
    unit.apply(receive)
    eventually(lambda: unit.of(KeyFrameWanted))  # the call's first pictures count, whenever they came
    unit.network.call(unit.session.close)
    send_pictures()
    unit.reports.clear()
    unit.session = unit.network.call(lambda: MediaSession("1", unit.studio))
    unit.apply(receive)
    time.sleep(0.3)
    assert not unit.of(KeyFrameWanted)
    send_pictures()
    eventually(lambda: unit.of(KeyFrameWanted))


def test_all_pictures_of_a_call_are_frozen(unit: Unit, peer: Peer) -> None:
    port = unit.ports.reserve("127.0.0.1")
    unit.apply(channel(port, peer, Direction.RECEIVE, VIDEO))
    [line] = unit.session._lines.values()
    assert line.video_receiver is not None
    before = line.video_receiver._held_until
    unit.session.freeze_picture()
    assert line.video_receiver._held_until > time.monotonic() > before


def test_a_stream_that_moves_is_the_same(unit: Unit, peer: Peer) -> None:
    first, second = unit.ports.reserve("127.0.0.1"), unit.ports.reserve("127.0.0.1")
    unit.apply(*(channel(first, peer, direction, SOUND) for direction in BOTH))
    sound = unit.session.sound
    assert sound is not None
    assert sound.sender is not None

    def sent() -> set[int]:
        for _ in range(4):
            sound.sender.push(None, time.monotonic())
        return {peer.packet().ssrc, peer.packet().ssrc}

    before = sent()
    moved = [channel(second, peer, direction, SOUND, moved_from=first.address) for direction in BOTH]
    for _ in range(2):  # what is said again changes nothing
        unit.apply(*moved)
        assert unit.session.sound == sound
        assert sent() == before
        assert peer.source == second.address
    unit.ports.release(first.address)
    assert unit.ports.reserve("127.0.0.1")


def test_a_stream_of_a_worker_before_can_not_move(unit: Unit, peer: Peer) -> None:
    port = unit.ports.reserve("127.0.0.1")
    gone = ("127.0.0.1", 9)
    unit.apply(*(channel(port, peer, direction, SOUND, moved_from=gone) for direction in BOTH))
    assert unit.session.sound is not None


def test_sockets_are_kept_as_long_as_they_are_of_use(unit: Unit, peer: Peer) -> None:
    port, more = unit.ports.reserve("127.0.0.1"), unit.ports.reserve("127.0.0.2")
    channels = [channel(port, peer, direction, SOUND, others=(more.address,)) for direction in BOTH]
    unit.apply(*channels)
    kept = unit.given
    assert len(kept) == 4
    unit.apply(*channels)
    assert all(sock.fileno() < 0 for sock in unit.given), "those that were there are enough"
    assert all(sock.fileno() >= 0 for sock in kept)
    fresh, other = unit.ports.reserve("127.0.0.1"), unit.ports.reserve("127.0.0.2")
    moved = [
        channel(fresh, peer, direction, SOUND, others=(other.address,), moved_from=port.address) for direction in BOTH
    ]
    unit.apply(*moved)
    assert all(sock.fileno() < 0 for sock in kept)
    assert all(sock.fileno() >= 0 for sock in unit.given)
    unit.apply(*(channel(unit.ports.reserve("127.0.0.1"), peer, Direction.SEND, SOUND) for _ in range(1)))
    assert sum(sock.fileno() >= 0 for sock in unit.given) == 2
