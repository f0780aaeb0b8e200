"""`board.pi.camera_encoder`: which pictures are encoded, and by what; tests/hil has the same on an encoder."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest

from board.pi import camera_encoder
from board.pi.camera_encoder import CameraEncoder
from board.pi.shared_picture import Layout
from firmware.errors import DeviceError
from firmware.ports import EncoderSettings

SETTINGS = EncoderSettings(width=320, height=180, frame_rate=15, bitrate=400_000, level=13)


class Hardware:
    """Takes pictures until it is told to fail."""

    refuses_layout = False

    def __init__(
        self,
        node: object,
        settings: object,
        on_access_unit: object,
        on_failed: Callable[[str], None],
        layout: Layout | None = None,
    ) -> None:
        if layout is not None and self.refuses_layout:
            raise DeviceError("rows of 320 bytes are not read")
        self.fail = on_failed
        self.refuses: str | Exception = ""
        self.layout = layout
        self.pictures: list[tuple[av.VideoFrame, float]] = []
        self.told: list[object] = []

    def encode(self, frame: av.VideoFrame, taken: float) -> None:
        if isinstance(self.refuses, Exception):
            raise self.refuses
        if self.refuses:
            raise DeviceError(self.refuses)
        self.pictures.append((frame, taken))

    def set_bitrate(self, bitrate: int) -> None:
        if self.refuses:
            raise DeviceError("it has gone")
        self.told.append(bitrate)

    def force_key_frame(self) -> None:
        self.told.append("key frame")

    def close(self) -> None:
        self.told.append("closed")


LAYOUT = Layout("YU12", 320, 180, 320, 320 * 180 * 3 // 2)


class Shared:
    """A picture in a camera's memory."""

    layout, fd = LAYOUT, 7

    def frame(self) -> av.VideoFrame:
        frame = av.VideoFrame(320, 180, "yuv420p")
        frame.time_base, frame.pts = Fraction(1, 1_000_000), 1
        return frame


class Bench:
    def __init__(self, layout: Layout | None = None) -> None:
        self.units: list[bytes] = []
        self.closed: list[CameraEncoder] = []
        self.encoder = CameraEncoder(
            Path(), SETTINGS, lambda data, _: self.units.append(data), self.closed.append, layout
        )

    @property
    def hardware(self) -> Hardware:
        hardware = self.encoder._encoder
        assert isinstance(hardware, Hardware)
        return hardware

    def take(self, *times: float, size: tuple[int, int] = (320, 180)) -> None:
        for taken in times:
            frame = av.VideoFrame(*size, "yuv420p")
            frame.time_base, frame.pts = Fraction(1, 1_000_000), round(taken * 1e6)
            self.encoder.encode(frame, taken)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(camera_encoder, "M2mEncoder", Hardware)
    return Bench()


def test_a_faster_camera_is_thinned_out(bench: Bench) -> None:
    bench.take(*(n / 30 for n in range(30)))
    assert len(bench.hardware.pictures) in (15, 16)


def test_a_slower_camera_is_not(bench: Bench) -> None:
    bench.take(*(n / 10 for n in range(10)))
    assert len(bench.hardware.pictures) == 10


def test_pictures_are_scaled_to_what_was_agreed(bench: Bench) -> None:
    bench.take(1.0, size=(640, 360))
    ((frame, taken),) = bench.hardware.pictures
    assert (frame.width, frame.height, frame.pts, taken) == (320, 180, 1_000_000, 1.0)


def test_commands_reach_the_hardware(bench: Bench) -> None:
    bench.encoder.set_bitrate(100_000)
    bench.encoder.force_key_frame()
    bench.encoder.close()
    bench.encoder.close()
    assert bench.hardware.told == [100_000, "key frame", "closed"]
    assert bench.closed == [bench.encoder]


def test_libx264_takes_over_from_hardware_that_failed(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.take(0.0)
    bench.encoder.set_bitrate(200_000)
    hardware = bench.hardware
    hardware.fail("stalls")
    bench.take(1.0, 1.1)
    assert len(hardware.pictures) == 1
    assert len(bench.units) == 2
    assert b"\0\0\1\x67" in bench.units[0]
    assert "libx264" in caplog.text
    bench.encoder.close()
    bench.take(2.0)
    assert len(bench.units) == 2


def test_a_machine_whose_encoder_is_gone_says_so() -> None:
    with pytest.raises(DeviceError, match="can't be opened"):
        CameraEncoder(Path("/nonexistent/video11"), SETTINGS, lambda *_: None, lambda _: None)


def test_pictures_are_read_in_the_cameras_memory(bench: Bench) -> None:
    shared, picture = Bench(LAYOUT), Shared()
    shared.encoder.encode(picture, 1.0)
    assert shared.hardware.pictures == [(picture, 1.0)]


@pytest.mark.parametrize(
    ("layout", "refused"),
    [(LAYOUT, True), (Layout("YU12", 640, 360, 640, 640 * 360 * 3 // 2), False), (None, False)],
    ids=["the hardware does not read it so", "it has to be scaled", "it does not lie in shared memory"],
)
def test_pictures_are_copied_where_they_must_be(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, layout: Layout | None, refused: bool
) -> None:
    monkeypatch.setattr(Hardware, "refuses_layout", refused)
    shared = Bench(layout)
    shared.encoder.encode(Shared(), 1.0)  # type: ignore[arg-type]
    assert not shared.encoder.shares
    ((frame, _),) = shared.hardware.pictures
    assert isinstance(frame, av.VideoFrame)


def test_memory_that_is_refused_in_the_middle_is_copied_from_then_on(bench: Bench) -> None:
    shared = Bench(LAYOUT)
    shared.encoder.set_bitrate(200_000)
    first = shared.hardware
    first.refuses = "it can't be read"
    for taken in (1.0, 2.0):
        shared.encoder.encode(Shared(), taken)  # type: ignore[arg-type]
    assert first.told == [200_000, "closed"]
    assert shared.hardware.layout is None
    assert shared.hardware.told == [200_000]
    ((frame, taken),) = shared.hardware.pictures
    assert isinstance(frame, av.VideoFrame)
    assert taken == 2.0


def test_libx264_takes_over_from_hardware_that_takes_no_picture_at_all(bench: Bench) -> None:
    bench.hardware.refuses = "it has gone"
    bench.take(1.0, 2.0, 3.0)
    assert len(bench.units) == 2


@pytest.mark.parametrize("error", [av.InvalidDataError(1, "odd"), ValueError("odd"), MemoryError()])
def test_whatever_the_encoder_fails_by_is_no_failure_of_the_camera(
    bench: Bench, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    bench.hardware.refuses = error
    bench.take(1.0, 2.0, 3.0)
    assert len(bench.units) == 2
    assert [text.count("\n") for text in caplog.messages] == [0, 0], "what happened, and what encodes from now on"
    assert "odd" in caplog.text or "MemoryError" in caplog.text


def test_libx264_that_fails_too_is_tried_again_after_a_while(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened: list[float] = []

    def refuse(*_: object) -> None:
        opened.append(1)
        raise av.ExternalError(1, "no memory")

    monkeypatch.setattr(camera_encoder, "X264Encoder", refuse)
    bench.hardware.refuses = "it has gone"
    bench.take(*(n / 15 for n in range(75)))
    assert 4 <= len(opened) <= 6, "not with each of 75 pictures"
    monkeypatch.undo()
    bench.take(10.0, 11.0)
    assert len(bench.units) == 2
    assert sum("no memory" in line for line in caplog.messages) == 1


def test_hardware_that_takes_no_commands_is_replaced(bench: Bench) -> None:
    bench.hardware.refuses = "it has gone"
    bench.encoder.set_bitrate(100_000)
    bench.take(1.0)
    assert len(bench.units) == 1
