"""`firmware.room.camera`: where the camera looks, and the views that are kept."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from simple_room import SimpleMedia

from firmware.errors import DeviceError
from firmware.media.message import CameraView
from firmware.ports import View
from firmware.room.camera import LONGEST_MOVE, Camera
from firmware.room.state import CameraState

EVERYTHING = CameraView(("pan", "tilt", "zoom"), 0.5, -0.25, 1.0)


class Bench:
    def __init__(self) -> None:
        self.media = SimpleMedia()
        self.changes = 0
        self.camera = Camera(self.media, self._changed)

    def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
def bench() -> Bench:
    return Bench()


def store_one(bench: Bench) -> None:
    async def main() -> None:
        bench.camera.take(EVERYTHING)
        bench.camera.store(1)
        await bench.camera.stop()

    asyncio.run(main())


def test_where_it_looks_is_known_while_it_is_in_use(bench: Bench) -> None:
    assert bench.camera.state == CameraState((), View(), ())
    bench.camera.take(EVERYTHING)
    assert bench.camera.state == CameraState(("pan", "tilt", "zoom"), View(0.5, -0.25, 1.0), ())
    bench.camera.take(CameraView())
    assert bench.camera.state == CameraState((), View(), ())
    assert bench.changes == 2


def test_it_is_moved_for_a_while_and_pointed_somewhere(bench: Bench) -> None:
    bench.camera.take(EVERYTHING)
    bench.camera.move(pan=-1, seconds=0.75)
    bench.camera.move(zoom=0.5, seconds=1000)
    bench.camera.move()
    bench.camera.go_to(View(tilt=0.0))
    assert bench.media.told == [
        ("move", -1, 0.0, 0.0, 0.75),
        ("move", 0.0, 0.0, 0.5, LONGEST_MOVE),
        ("move", 0.0, 0.0, 0.0, 0.5),
        ("point", View(tilt=0.0)),
    ]


def test_what_it_can_not_do_is_refused_and_named(bench: Bench) -> None:
    camera = bench.camera
    for command in (lambda: camera.move(pan=1), lambda: camera.go_to(View(zoom=0)), lambda: camera.store(1)):
        with pytest.raises(DeviceError, match="no camera that can be moved is in use"):
            command()
    camera.take(CameraView(("zoom",), zoom=0.0))
    with pytest.raises(DeviceError, match="this camera can't pan or tilt"):
        camera.move(pan=1, tilt=1, zoom=1)
    with pytest.raises(DeviceError, match="this camera can't tilt"):
        camera.go_to(View(tilt=0.0, zoom=1))
    camera.move(zoom=1)
    assert bench.media.told == [("move", 0.0, 0.0, 1, 0.5)]


def test_a_view_is_kept_and_looked_at_again(bench: Bench) -> None:
    bench.camera.take(EVERYTHING)
    bench.camera.store(15)
    bench.camera.take(CameraView(("pan", "tilt", "zoom"), 0.0, 0.0, 0.0))
    bench.camera.store(0)
    assert bench.camera.state.presets == (0, 15)
    bench.camera.recall(15)
    assert bench.media.told == [("point", View(0.5, -0.25, 1.0))]
    with pytest.raises(DeviceError, match="no view is kept as preset 3"):
        bench.camera.recall(3)
    with pytest.raises(DeviceError, match="0 to 15"):
        bench.camera.store(16)


def test_of_another_camera_s_view_is_taken_what_this_one_can(bench: Bench) -> None:
    bench.camera.take(EVERYTHING)
    bench.camera.store(1)
    bench.camera.take(CameraView(("zoom",), zoom=0.0))
    bench.camera.recall(1)
    assert bench.media.told == [("point", View(zoom=1.0))]


def test_a_camera_that_does_not_say_where_it_looks_has_no_presets(bench: Bench) -> None:
    bench.camera.take(CameraView(("pan", "tilt")))
    with pytest.raises(DeviceError, match="does not say"):
        bench.camera.store(1)


def test_views_outlast_the_unit(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "visavis" / "camera-presets.json"
    bench.camera.keep_in(file)

    async def main() -> None:
        bench.camera.take(EVERYTHING)
        bench.camera.store(2)
        bench.camera.take(CameraView(("pan",), pan=1.0))
        bench.camera.store(3)
        await bench.camera.stop()

    asyncio.run(main())
    again = Bench()
    again.camera.keep_in(file)
    assert again.camera.state.presets == (2, 3)
    assert again.changes == 1
    again.camera.take(EVERYTHING)
    again.camera.recall(3)
    again.camera.recall(2)
    assert again.media.told == [("point", View(pan=1.0)), ("point", View(0.5, -0.25, 1.0))]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"1": {"pan": "left"}}', b'{"x": {}}', b" " * 20_000])
def test_a_file_that_is_damaged_is_said_and_passed_over(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    file = tmp_path / "camera-presets.json"
    file.write_bytes(content)
    bench.camera.keep_in(file)
    assert bench.camera.state.presets == ()
    assert "can't be read" in caplog.text
    store_one(bench)
    again = Bench()
    again.camera.keep_in(file)
    assert again.camera.state.presets == (1,)


def test_a_place_that_can_not_be_written_costs_only_the_memory(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    bench.camera.keep_in(tmp_path / "file" / "camera-presets.json")
    store_one(bench)
    assert bench.camera.state.presets == (1,)
    assert "can't be kept" in caplog.text
