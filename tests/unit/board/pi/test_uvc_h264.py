"""`board.pi.uvc_h264`: what is said to a camera's encoder; tests/hil says it to one."""

from __future__ import annotations

import errno
from ctypes import sizeof, string_at
from pathlib import Path
from struct import pack_into, unpack_from

import pytest

from board.pi import uvc_h264
from board.pi.uvc_h264 import UvcEncoder, find_unit, find_uvc_encoder
from board.pi.v4l2_device import Device
from firmware.errors import DeviceError
from firmware.ports import EncoderSettings

# Of a C920: device, configuration, camera terminal, extension units of Logitech's own and the one for H.264 (12).
HEAD = bytes.fromhex("12010002ef020140 6d042d08 1100 03 02 01 01 0902 1400 04 01 00 80 fa")
OTHER = bytes.fromhex("1b24060e 212de5ff3080 2c4e82d9f587d00540bd 020104 02 0003 00")
H264 = bytes.fromhex("1c24060c 41769ea204dee3478b2bf4341aff003b 0b0103 03 ff0700 00".replace(" ", ""))
SETTINGS = EncoderSettings(1280, 720, 30, 1_500_000, 31)


class Camera:
    """A node whose camera keeps what its unit is told."""

    path = Path("/dev/video0")

    def __init__(self, profile: int | None = None, size: tuple[int, int] | None = None, refuses: int = 0) -> None:
        self.told: list[tuple[int, bytes]] = []
        self.configuration = bytes(46)
        self._profile, self._size, self._refuses = profile, size, refuses

    def try_ioctl(self, request: int, query: uvc_h264._Query) -> None:
        assert request == 0xC010_7521
        assert query.unit == 12
        if query.selector == self._refuses:
            raise OSError(errno.EPIPE, "Broken pipe")
        if query.query == 0x81:
            assert query.size == 46
            for place, octet in enumerate(self.configuration):
                query.data[place] = octet
            return
        data = string_at(query.data, query.size)
        self.told.append((query.selector, data))
        if query.selector == 1:
            agreed = bytearray(data)
            if self._profile is not None:
                pack_into("<H", agreed, 20, self._profile)
            if self._size is not None:
                pack_into("<HH", agreed, 12, *self._size)
            self.configuration = bytes(agreed)


def on(camera: Camera) -> UvcEncoder:
    return UvcEncoder(camera, 12)  # type: ignore[arg-type]


def test_the_request_is_the_kernels() -> None:
    assert sizeof(uvc_h264._Query) == 16


def test_the_unit_is_found_among_others() -> None:
    assert find_unit(HEAD + OTHER + H264) == 12
    assert find_unit(HEAD + OTHER) is None


@pytest.mark.parametrize("data", [b"", b"\0", H264[:19], b"\x02", HEAD + b"\0" + H264, H264[:1] * 300])
def test_damaged_descriptors_have_none(data: bytes) -> None:
    assert find_unit(data) is None


def test_a_camera_is_looked_up_by_its_node(tmp_path: Path) -> None:
    (tmp_path / "usb" / "interface").mkdir(parents=True)
    (tmp_path / "usb" / "descriptors").write_bytes(HEAD + H264)
    (tmp_path / "class" / "null").mkdir(parents=True)
    (tmp_path / "class" / "null" / "device").symlink_to(tmp_path / "usb" / "interface")
    device = Device(Path("/dev/null"))
    assert isinstance(find_uvc_encoder(device, tmp_path / "class"), UvcEncoder)
    assert find_uvc_encoder(device, tmp_path / "nothing") is None
    (tmp_path / "usb" / "descriptors").write_bytes(HEAD)
    assert find_uvc_encoder(device, tmp_path / "class") is None
    device.close()


def test_what_was_agreed_on_is_asked_for_and_put_in_force() -> None:
    camera = Camera()
    on(camera).configure(SETTINGS)
    assert [selector for selector, _ in camera.told] == [1, 2]
    (_, wanted), (_, agreed) = camera.told
    assert wanted == agreed
    assert unpack_from("<IIH", wanted) == (333_333, 1_500_000, 0xE807)
    assert unpack_from("<HHHHHH", wanted, 12) == (1280, 720, 0, 0, 0x4240, 10_000)
    assert (wanted[29], wanted[33], wanted[34], wanted[35]) == (1, 0, 0, 0), "constant bitrate, alone, Annex B, CAVLC"


@pytest.mark.parametrize(
    ("camera", "words"),
    [
        (Camera(profile=0x6400), "not encode in constrained baseline"),
        (Camera(size=(640, 360)), "not encode 1280x720"),
        (Camera(refuses=1), "refuses request 1: Broken pipe"),
    ],
)
def test_a_camera_that_would_make_something_else_is_not_used(camera: Camera, words: str) -> None:
    with pytest.raises(DeviceError, match=words):
        on(camera).configure(SETTINGS)
    assert 2 not in dict(camera.told)


def test_commands() -> None:
    camera = Camera()
    on(camera).set_bitrate(300_000)
    on(camera).force_key_frame()
    assert camera.told == [
        (0x0E, bytes.fromhex("0000 e0930400 e0930400")),
        (0x09, bytes.fromhex("0000 0200")),
    ]
