"""Cameras that encode by themselves: the kernel's own driver of USB cameras, before it one that does, or does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hil.conference_camera import BITRATE, COMMIT, HEIGHT, NAME, PICTURE_TYPE, RATE, WIDTH, ConferenceCamera
from hil.pictures import Access, middle
from hil.waiting import wait_for

from board import open_board
from board.pi.camera_encoder import CameraEncoder
from board.pi.camera_list import find_cameras
from board.pi.own_encoder import OwnEncoder
from board.pi.usb_camera import UsbCamera
from firmware.errors import DeviceError
from firmware.ports import Board, Camera, Encoder, EncoderSettings, View

SETTINGS = EncoderSettings(WIDTH, HEIGHT, RATE, 600_000, 13)
IDR, SPS = 5, 7


@pytest.fixture
def conference_board(on_bench: bool) -> Iterator[Board]:
    if not on_bench:
        pytest.skip("this machine has no camera that is not real")
    board = open_board("pi", {"camera": NAME})
    yield board
    board.close()


@pytest.fixture
def encoding(conference_board: Board) -> Iterator[ConferenceCamera]:
    camera = ConferenceCamera("encoder")
    yield camera
    camera.unplug()


@pytest.fixture
def stubborn(conference_board: Board) -> Iterator[ConferenceCamera]:
    camera = ConferenceCamera("stubborn")
    yield camera
    camera.unplug()


def kinds(data: bytes) -> list[int]:
    return [part[0] & 0x1F for part in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]]


def encoder_of(camera: Camera, settings: EncoderSettings = SETTINGS) -> tuple[Encoder | None, Access]:
    access = Access()
    return camera.open_encoder(settings, access.add), access


def test_its_access_units_are_passed_on(encoding: ConferenceCamera, conference_board: Board) -> None:
    camera = conference_board.open_camera(WIDTH, HEIGHT, RATE)
    assert camera.capture() is not None
    encoder, access = encoder_of(camera)
    assert isinstance(encoder, OwnEncoder)
    committed = next(values for values in encoding.told if values[0] == COMMIT)
    assert committed[2:5] == (600_000, WIDTH, HEIGHT)
    assert committed[-1] == 0x4240, "constrained baseline"
    assert wait_for(lambda: len(access.units) >= 10, 30)
    first = access.units[0][0]
    assert {SPS, IDR} <= set(kinds(first))
    assert first[first.index(b"\0\0\1\x67") + 6] == SETTINGS.level, "not level 4, which it says itself"
    assert not any(IDR in kinds(data) for data, _ in access.units[1:10])
    times = [taken for _, taken in access.units]
    assert times == sorted(set(times))

    assert camera.pan_tilt_zoom is not None
    camera.pan_tilt_zoom.go_to(View(pan=1))
    assert wait_for(lambda: abs(middle_of(access)[0] - 226) <= 4, 30), "it is what the camera sees"
    assert wait_for(lambda: (frame := camera.capture()) is not None and abs(middle(frame)[0] - 226) <= 4, 30)

    encoder.set_bitrate(200_000)
    assert wait_for(lambda: encoding.told[-1] == (BITRATE, 0, 200_000, 200_000))
    count = len(access.units)
    encoder.force_key_frame()
    assert wait_for(lambda: any(IDR in kinds(data) for data, _ in access.units[count:]))
    assert (PICTURE_TYPE, 0, 2) in encoding.told

    encoder.close()
    count = len(access.units)
    assert wait_for(lambda: (frame := camera.capture()) is not None and abs(middle(frame)[0] - 226) <= 4, 30)
    assert len(access.units) == count


def test_one_with_a_stream_of_its_own_leaves_the_pictures_as_they_are(conference_board: Board) -> None:
    plugged = ConferenceCamera("split")
    try:
        raw, coded = plugged.nodes()
        (found,) = (camera for camera in find_cameras() if camera.name.startswith(NAME))
        assert (found.place, found.coded_place) == (str(raw), str(coded))
        camera = conference_board.open_camera(WIDTH, HEIGHT, RATE)
        assert camera.capture() is not None
        encoder, access = encoder_of(camera)
        assert isinstance(encoder, OwnEncoder)
        assert wait_for(lambda: len(access.units) >= 10, 30)
        assert {SPS, IDR} <= set(kinds(access.units[0][0]))
        assert camera.pan_tilt_zoom is not None
        camera.pan_tilt_zoom.go_to(View(pan=1))
        assert isinstance(camera, UsbCamera)
        assert camera._stream is not None, "nobody decodes for the self-view what was encoded for the far end"
        assert wait_for(lambda: (frame := camera.capture()) is not None and middle(frame)[0] == 226, 30)
        assert wait_for(lambda: abs(middle_of(access)[0] - 226) <= 4, 30)
        encoder.close()
        count = len(access.units)
        assert all(camera.capture() is not None for _ in range(5))
        assert len(access.units) == count
        again, more = encoder_of(camera)
        assert isinstance(again, OwnEncoder)
        assert wait_for(lambda: len(more.units) >= 5, 30)
        camera.close()
    finally:
        plugged.unplug()


def middle_of(access: Access) -> tuple[int, ...]:
    picture = access.last_picture()
    return middle(picture) if picture is not None else (0,)


@pytest.mark.parametrize(
    "settings", [EncoderSettings(160, 90, RATE, 300_000, 11), EncoderSettings(WIDTH, HEIGHT, 60, 1, 31)]
)
def test_what_it_can_not_do_is_done_as_with_any_camera(
    encoding: ConferenceCamera, conference_board: Board, encoder_node: object, settings: EncoderSettings
) -> None:
    camera = conference_board.open_camera(WIDTH, HEIGHT, RATE)
    encoder, access = encoder_of(camera, settings)
    assert isinstance(encoder, CameraEncoder)
    assert wait_for(lambda: len(access.units) >= 2, 30)


def test_one_that_makes_no_key_frames_is_not_used(
    stubborn: ConferenceCamera, conference_board: Board, encoder_node: object, caplog: pytest.LogCaptureFixture
) -> None:
    camera = conference_board.open_camera(WIDTH, HEIGHT, RATE)
    encoder, access = encoder_of(camera)
    assert isinstance(encoder, CameraEncoder)
    assert "no key frame when it is told to" in caplog.text
    assert wait_for(lambda: len(access.units) >= 2, 30)
    assert camera.capture() is not None
    again, _ = encoder_of(camera)
    assert isinstance(again, CameraEncoder), "nor asked again"


def failure_of(camera: Camera) -> str:
    """Look until it fails; give why."""
    try:
        while camera.capture() is not None:
            pass
    except DeviceError as error:
        return str(error)
    return ""


def test_one_that_fell_silent_is_not_used_again_until_it_is_plugged_in_anew(
    conference_board: Board, encoder_node: object
) -> None:
    for _ in range(2):
        plugged = ConferenceCamera("tiring")
        camera = conference_board.open_camera(WIDTH, HEIGHT, RATE)
        encoder, access = encoder_of(camera)
        assert isinstance(encoder, OwnEncoder)
        assert wait_for(lambda a=access: len(a.units) >= 2, 30)  # type: ignore[misc]
        assert "gives no picture" in failure_of(camera)
        camera.close()
        camera = conference_board.open_camera(WIDTH, HEIGHT, RATE)
        encoder, access = encoder_of(camera)
        assert isinstance(encoder, CameraEncoder), "it would fall silent again"
        assert wait_for(lambda a=access: len(a.units) >= 2, 30)  # type: ignore[misc]
        camera.close()
        plugged.unplug()
