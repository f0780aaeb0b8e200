"""The encoder within a USB camera: "USB Video Class, Device Class Definition for Video Devices: H.264 Payload", 1.0.

Cameras that encode (the C920 was the first that many had) are told so by an extension unit of their own, for which the
kernel's driver of USB cameras has no controls, but lets requests through.  Its number is in the camera's descriptors.
Tables in brackets.
"""

from __future__ import annotations

from contextlib import suppress
from ctypes import POINTER, Structure, c_uint8, c_uint16, cast, create_string_buffer, sizeof
from pathlib import Path
from struct import pack, pack_into, unpack_from
from typing import TYPE_CHECKING, Final

from firmware.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from board.pi.v4l2_device import Device
    from firmware.ports import EncoderSettings

_UNIT: Final = bytes.fromhex("41769ea2 04de e347 8b2b f4341aff003b")
"""guidExtensionCode, as it lies in a descriptor."""
_PROBE, _COMMIT, _PICTURE_TYPE, _BITRATE_LAYERS = 0x01, 0x02, 0x09, 0x0E
"""Selectors [1]."""
_SET_CUR, _GET_CUR = 0x01, 0x81
_LENGTH: Final = 46
"""Bytes of a configuration [2]."""
_INTERVAL, _BITRATE, _HINTS, _SIZE, _PROFILE, _PERIOD = 0, 4, 8, 12, 20, 22
_RATE_CONTROL, _MUX, _ENTROPY, _REORDERED = 29, 33, 35, 37
"""Places in it: dwFrameInterval, dwBitRate, bmHints, wWidth, wProfile, wIFramePeriod, bRateControlMode and so on."""
_WANTED: Final = 0x0001 | 0x0002 | 0x0004 | 0x0800 | 0x2000 | 0x4000 | 0x8000
"""bmHints: that size, profile, rate control, interval, bitrate, entropy coding and I-frame period are to be kept."""
_CONSTRAINED_BASELINE, _CONSTANT_BITRATE = 0x4240, 1
_IDR_WITH_PARAMETER_SETS = 2
_ALL_LAYERS = 0
_KEY_FRAME_PERIOD = 10_000
"""ms."""
_LARGEST: Final = 65_536
"""Bytes of descriptors that are read."""


class _Query(Structure):
    """struct uvc_xu_control_query, <linux/uvcvideo.h>."""

    _fields_ = (
        *(("unit", c_uint8), ("selector", c_uint8), ("query", c_uint8)),
        *(("size", c_uint16), ("data", POINTER(c_uint8))),
    )


_CTRL_QUERY: Final = 3 << 30 | sizeof(_Query) << 16 | ord("u") << 8 | 0x21


class UvcEncoder:
    """What an encoder of this unit is told."""

    def __init__(self, device: Device, unit: int) -> None:
        self._device = device
        self._unit = unit

    def configure(self, settings: EncoderSettings) -> None:
        """Agree on what it makes, before the stream is started.  DeviceError: it would make something else."""
        wanted = bytearray(self._ask(_PROBE, _GET_CUR, _LENGTH))
        pack_into("<I", wanted, _INTERVAL, 10_000_000 // settings.frame_rate)
        pack_into("<I", wanted, _BITRATE, settings.bitrate)
        pack_into("<H", wanted, _HINTS, _WANTED)
        pack_into("<HH", wanted, _SIZE, settings.width, settings.height)
        pack_into("<HH", wanted, _PROFILE, _CONSTRAINED_BASELINE, _KEY_FRAME_PERIOD)
        wanted[_RATE_CONTROL], wanted[_MUX], wanted[_ENTROPY], wanted[_REORDERED] = _CONSTANT_BITRATE, 0, 0, 0
        self._tell(_PROBE, bytes(wanted))
        agreed = self._ask(_PROBE, _GET_CUR, _LENGTH)
        if unpack_from("<HH", agreed, _SIZE) != (settings.width, settings.height):
            raise DeviceError(f"the camera does not encode {settings.width}x{settings.height}")
        if unpack_from("<H", agreed, _PROFILE)[0] != _CONSTRAINED_BASELINE:
            raise DeviceError("the camera does not encode in constrained baseline")
        self._tell(_COMMIT, agreed)

    def set_bitrate(self, bitrate: int) -> None:
        """Change the target, bit/s.  DeviceError: it can't."""
        self._tell(_BITRATE_LAYERS, pack("<HII", _ALL_LAYERS, bitrate, bitrate))

    def force_key_frame(self) -> None:
        """Make the next picture an IDR with its parameter sets.  DeviceError: it can't."""
        self._tell(_PICTURE_TYPE, pack("<HH", _ALL_LAYERS, _IDR_WITH_PARAMETER_SETS))

    def _tell(self, selector: int, data: bytes) -> None:
        self._query(selector, _SET_CUR, data)

    def _ask(self, selector: int, query: int, length: int) -> bytes:
        return self._query(selector, query, bytes(length))

    def _query(self, selector: int, query: int, data: bytes) -> bytes:
        buffer = create_string_buffer(data, len(data))
        request = _Query(self._unit, selector, query, len(data), cast(buffer, POINTER(c_uint8)))
        try:
            self._device.try_ioctl(_CTRL_QUERY, request)
        except OSError as refusal:
            raise DeviceError(f"the camera's encoder refuses request {selector}: {refusal.strerror}") from refusal
        return buffer.raw


def find_uvc_encoder(device: Device, sysfs: Path = Path("/sys/class/video4linux")) -> UvcEncoder | None:
    """The encoder in this USB camera; None: it has none."""
    with suppress(OSError):
        # The node's device is the interface; the whole camera is above it.
        with (sysfs / device.path.name / "device" / ".." / "descriptors").open("rb") as descriptors:
            unit = find_unit(descriptors.read(_LARGEST))
        return None if unit is None else UvcEncoder(device, unit)
    return None


def find_unit(descriptors: bytes) -> int | None:
    """The number of the extension unit for H.264 in a device's descriptors; None: there is none."""
    for descriptor in _each(descriptors):
        # UVC 1.5 table 3-15: CS_INTERFACE, VC_EXTENSION_UNIT, bUnitID, guidExtensionCode
        if descriptor[1:3] == b"\x24\x06" and descriptor[4:20] == _UNIT:
            return descriptor[3]
    return None


def _each(descriptors: bytes) -> Iterator[bytes]:
    place = 0
    while place + 2 <= len(descriptors) and descriptors[place] >= 2:
        yield descriptors[place : place + descriptors[place]]
        place += descriptors[place]
