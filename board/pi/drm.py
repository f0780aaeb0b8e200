"""The part of the kernel's display interface (DRM/KMS, <drm/drm_mode.h>) that a screen needs: structures and requests.

The structures are the kernel's, with its names for what is in them.  `Card` is an open card; what it refuses is a
DeviceError that names it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from ctypes import Structure, addressof, c_char, c_uint16, c_uint32, c_uint64, sizeof
from dataclasses import dataclass
from pathlib import Path

from firmware.errors import DeviceError

CLIENT_CAP_ATOMIC = 3
OBJECT_CRTC, OBJECT_CONNECTOR, OBJECT_PLANE = 0xCCCC_CCCC, 0xC0C0_C0C0, 0xEEEE_EEEE
CONNECTED = 1
MODE_TYPE_PREFERRED = 0x8
MODE_FLAG_INTERLACE = 0x10
PAGE_FLIP_EVENT, ATOMIC_TEST_ONLY, ATOMIC_NONBLOCK, ATOMIC_ALLOW_MODESET = 0x1, 0x100, 0x200, 0x400
EVENT_FLIP_COMPLETE = 2
_OVERLAY, _PRIMARY = 0, 1
"""Of a plane's type."""
_MOST_OVERLAYS = 8
"""That are asked for what they are; a scene has fewer layers."""

CONNECTORS = {10: "DP", 11: "HDMI-A", 12: "HDMI-B", 14: "eDP", 15: "Virtual", 16: "DSI", 17: "DPI", 1: "VGA"}
"""Names of the kernel for what a screen is plugged into, by its number."""


class Mode(Structure):
    """struct drm_mode_modeinfo."""

    _fields_ = (
        ("clock", c_uint32),
        *(
            (name, c_uint16)
            for name in (
                *("hdisplay", "hsync_start", "hsync_end", "htotal", "hskew"),
                *("vdisplay", "vsync_start", "vsync_end", "vtotal", "vscan"),
            )
        ),
        *(("vrefresh", c_uint32), ("flags", c_uint32), ("type", c_uint32), ("name", c_char * 32)),
    )


def _words(*names: str) -> tuple[tuple[str, type[c_uint32]], ...]:
    return tuple((name, c_uint32) for name in names)


def _pointers(*names: str) -> tuple[tuple[str, type[c_uint64]], ...]:
    return tuple((name, c_uint64) for name in names)


class _ClientCapability(Structure):
    _fields_ = _pointers("capability", "value")


class _Resources(Structure):
    _fields_ = (
        *_pointers("fb_id_ptr", "crtc_id_ptr", "connector_id_ptr", "encoder_id_ptr"),
        *_words("count_fbs", "count_crtcs", "count_connectors", "count_encoders"),
        *_words("min_width", "max_width", "min_height", "max_height"),
    )


class _GetConnector(Structure):
    _fields_ = (
        *_pointers("encoders_ptr", "modes_ptr", "props_ptr", "prop_values_ptr"),
        *_words("count_modes", "count_props", "count_encoders", "encoder_id", "connector_id", "connector_type"),
        *_words("connector_type_id", "connection", "mm_width", "mm_height", "subpixel", "pad"),
    )


class _GetEncoder(Structure):
    _fields_ = _words("encoder_id", "encoder_type", "crtc_id", "possible_crtcs", "possible_clones")


class _PlaneResources(Structure):
    _fields_ = (*_pointers("plane_id_ptr"), *_words("count_planes"))


class _GetPlane(Structure):
    _fields_ = (
        *_words("plane_id", "crtc_id", "fb_id", "possible_crtcs", "gamma_size", "count_format_types"),
        *_pointers("format_type_ptr"),
    )


class _ObjectProperties(Structure):
    _fields_ = (*_pointers("props_ptr", "prop_values_ptr"), *_words("count_props", "obj_id", "obj_type"))


class _GetProperty(Structure):
    _fields_ = (
        *_pointers("values_ptr", "enum_blob_ptr"),
        *_words("prop_id", "flags"),
        ("name", c_char * 32),
        *_words("count_values", "count_enum_blobs"),
    )


class _CreateBlob(Structure):
    _fields_ = (*_pointers("data"), *_words("length", "blob_id"))


class _Id(Structure):
    _fields_ = _words("id")


class CreateDumb(Structure):
    """struct drm_mode_create_dumb."""

    _fields_ = (*_words("height", "width", "bpp", "flags", "handle", "pitch"), *_pointers("size"))


class MapDumb(Structure):
    """struct drm_mode_map_dumb."""

    _fields_ = (*_words("handle", "pad"), *_pointers("offset"))


class NewFrameBuffer(Structure):
    """struct drm_mode_fb_cmd2."""

    _fields_ = (
        *_words("fb_id", "width", "height", "pixel_format", "flags"),
        *(("handles", c_uint32 * 4), ("pitches", c_uint32 * 4), ("offsets", c_uint32 * 4)),
        ("modifier", c_uint64 * 4),
    )


class _Atomic(Structure):
    _fields_ = (
        *_words("flags", "count_objs"),
        *_pointers("objs_ptr", "count_props_ptr", "props_ptr", "prop_values_ptr", "reserved", "user_data"),
    )


_REQUESTS: Mapping[type[Structure], int] = {
    _Resources: 0xA0, _GetEncoder: 0xA6, _GetConnector: 0xA7, _GetProperty: 0xAA, CreateDumb: 0xB2, MapDumb: 0xB3,
    _PlaneResources: 0xB5, _GetPlane: 0xB6, NewFrameBuffer: 0xB8, _ObjectProperties: 0xB9, _Atomic: 0xBC,
    _CreateBlob: 0xBD,
}  # fmt: skip
REMOVE_FRAME_BUFFER, DESTROY_DUMB, _DESTROY_BLOB = 0xAF, 0xB4, 0xBE
_SET_CLIENT_CAPABILITY = 0x4010_640D


@dataclass(frozen=True, slots=True)
class HardwarePlane:
    """What a CRTC shows a picture on, its own or one above others."""

    number: int
    formats: frozenset[str]
    """The kernel's four letters."""


@dataclass(frozen=True, slots=True)
class Connector:
    """A socket for a screen; ``modes`` is empty where none is plugged in."""

    number: int
    name: str
    """``HDMI-A-1``, as in /sys/class/drm."""
    connected: bool
    modes: Sequence[Mode]
    crtcs: int
    """The bits of the CRTCs that can feed it."""


class Card:
    """An open card, driven by atomic commits.  DeviceError: missing, not ours now, or it can't do that."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise DeviceError(f"{path} can't be opened: {error.strerror}") from error
        try:
            self._ioctl(_SET_CLIENT_CAPABILITY, _ClientCapability(CLIENT_CAP_ATOMIC, 1))
            self._crtcs, self._connectors = self._resources()
        except DeviceError:
            os.close(self.fd)
            raise

    def connectors(self) -> list[Connector]:
        """All its sockets, with what is plugged in now."""
        return [self._connector(number) for number in self._connectors]

    def crtc(self, connector: Connector) -> tuple[int, int]:
        """A CRTC that can feed the connector: its number and its bit."""
        for index, number in enumerate(self._crtcs):
            if connector.crtcs & 1 << index:
                return number, 1 << index
        raise DeviceError(f"{self.path}: nothing feeds {connector.name}")

    def planes(self, crtc_bit: int) -> list[HardwarePlane]:
        """The planes of a CRTC from the bottom up, the primary one first.  DeviceError: it has none."""
        resources = _PlaneResources()
        self.ask(resources)
        numbers = (c_uint32 * max(1, resources.count_planes))()
        resources.plane_id_ptr = addressof(numbers)
        self.ask(resources)
        found: list[tuple[bool, int, HardwarePlane]] = []
        for number in numbers[: resources.count_planes]:
            plane = _GetPlane(plane_id=number)
            self.ask(plane)
            if not plane.possible_crtcs & crtc_bit or len(found) > _MOST_OVERLAYS:
                continue
            properties = self.properties(number, OBJECT_PLANE)
            kind = properties["type"][1]
            if kind in (_PRIMARY, _OVERLAY):
                height = properties.get("zpos", (0, 0))[1]
                found.append((kind != _PRIMARY, height, HardwarePlane(number, self._formats(plane))))
        found.sort(key=lambda entry: (entry[0], entry[1], entry[2].number))
        if not found or found[0][0]:
            raise DeviceError(f"{self.path} has no plane to show a picture on")
        return [plane for _, _, plane in found]

    def _formats(self, plane: _GetPlane) -> frozenset[str]:
        formats = (c_uint32 * max(1, plane.count_format_types))()
        plane.format_type_ptr = addressof(formats)
        self.ask(plane)
        return frozenset(
            number.to_bytes(4, "little").decode("ascii", "replace") for number in formats[: plane.count_format_types]
        )

    def properties(self, number: int, kind: int) -> dict[str, tuple[int, int]]:
        """By name, number and value of the properties of a CRTC, connector or plane."""
        found = _ObjectProperties(obj_id=number, obj_type=kind)
        self.ask(found)
        count = max(1, found.count_props)
        numbers, values = (c_uint32 * count)(), (c_uint64 * count)()
        found.props_ptr, found.prop_values_ptr = addressof(numbers), addressof(values)
        self.ask(found)
        names = {}
        for prop, value in zip(numbers[: found.count_props], values, strict=False):
            entry = _GetProperty(prop_id=prop)
            self.ask(entry)
            names[entry.name.decode()] = (prop, value)
        return names

    def commit(self, changes: Iterable[tuple[int, int, int]], flags: int) -> None:
        """Change properties (object, property, value) all at once, or none."""
        by_object: dict[int, list[tuple[int, int]]] = {}
        for number, prop, value in changes:
            by_object.setdefault(number, []).append((prop, value))
        entries = [entry for found in by_object.values() for entry in found]
        objects = (c_uint32 * len(by_object))(*by_object)
        counts = (c_uint32 * len(by_object))(*(len(found) for found in by_object.values()))
        props = (c_uint32 * len(entries))(*(prop for prop, _ in entries))
        values = (c_uint64 * len(entries))(*(value for _, value in entries))
        atomic = _Atomic(flags=flags, count_objs=len(by_object))
        atomic.objs_ptr, atomic.count_props_ptr = addressof(objects), addressof(counts)
        atomic.props_ptr, atomic.prop_values_ptr = addressof(props), addressof(values)
        self.ask(atomic)

    def mode_blob(self, mode: Mode) -> int:
        """Give the kernel a mode to be named by this number."""
        blob = _CreateBlob(data=addressof(mode), length=sizeof(mode))
        self.ask(blob)
        return int(blob.blob_id)

    def destroy_blob(self, number: int) -> None:
        """Forget a mode."""
        self.remove(_DESTROY_BLOB, number)

    def close(self) -> None:
        """Close the card."""
        os.close(self.fd)

    def _resources(self) -> tuple[list[int], list[int]]:
        resources = _Resources()
        self.ask(resources)
        crtcs = (c_uint32 * max(1, resources.count_crtcs))()
        connectors = (c_uint32 * max(1, resources.count_connectors))()
        resources.count_fbs = resources.count_encoders = 0
        resources.crtc_id_ptr, resources.connector_id_ptr = addressof(crtcs), addressof(connectors)
        self.ask(resources)
        return list(crtcs[: resources.count_crtcs]), list(connectors[: resources.count_connectors])

    def _connector(self, number: int) -> Connector:
        found = _GetConnector(connector_id=number)
        self.ask(found)
        modes, encoders = (Mode * max(1, found.count_modes))(), (c_uint32 * max(1, found.count_encoders))()
        found.count_props = 0
        found.modes_ptr, found.encoders_ptr = addressof(modes), addressof(encoders)
        self.ask(found)
        crtcs = 0
        for encoder in encoders[: found.count_encoders]:
            entry = _GetEncoder(encoder_id=encoder)
            self.ask(entry)
            crtcs |= entry.possible_crtcs
        kind = CONNECTORS.get(found.connector_type, "Unknown")
        return Connector(
            number=number,
            name=f"{kind}-{found.connector_type_id}",
            connected=found.connection == CONNECTED,
            modes=list(modes[: found.count_modes]),
            crtcs=crtcs,
        )

    def ask(self, argument: Structure) -> None:
        """Make the request that belongs to this structure; it becomes the answer."""
        self._ioctl(3 << 30 | sizeof(argument) << 16 | 0x6400 | _REQUESTS[type(argument)], argument)

    def remove(self, request: int, number: int) -> None:
        """Remove what has this number; a card that is gone is no error."""
        with suppress(DeviceError):
            self._ioctl(3 << 30 | sizeof(_Id) << 16 | 0x6400 | request, _Id(number))

    def _ioctl(self, request: int, argument: Structure) -> None:
        try:
            fcntl.ioctl(self.fd, request, argument)
        except OSError as error:
            raise DeviceError(f"{self.path} refuses request {request & 0xFF:#x}: {error.strerror}") from error
