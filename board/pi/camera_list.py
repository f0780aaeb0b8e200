"""Which cameras there are, and which of them is the room's.

Rule 1: the Pi's own camera comes before those behind USB: whoever wired it wants it.
Rule 2: libcamera is asked only where the kernel has a capture node that waits for it (V4L2_CAP_IO_MC); a unit with a
USB camera never loads it.
Rule 3: a node that gives encoded pictures only is no camera, but the encoder of the one on the same plug.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from board.digital_zoom import DigitalZoom
from board.pi import v4l2
from board.pi.camera_mode import CODED, modes
from board.pi.csi_camera import CsiCamera, csi_cameras
from board.pi.own_encoder import Doubt
from board.pi.usb_camera import UsbCamera
from board.pi.v4l2_device import Device
from firmware.errors import DeviceError

DEV = Path("/dev")


@dataclass(frozen=True, slots=True)
class FoundCamera:
    """A camera that is there."""

    name: str
    """What it calls itself."""
    place: str
    """Its node, or libcamera's identity of it."""
    csi: bool = False
    """Whether libcamera drives it."""
    coded_place: str = ""
    """A node of its own, by which it gives what it encodes; "": it has none."""

    def open(self, width: int, height: int, frame_rate: int, zoom: DigitalZoom, doubt: Doubt) -> CsiCamera | UsbCamera:
        """Take it into use; *zoom* serves one that has no motors, but an ISP, *doubt* one that encodes.

        DeviceError: it is busy, or offers nothing that is understood.
        """
        if self.csi:
            return CsiCamera(self.place, width, height, frame_rate, zoom)
        coded = Path(self.coded_place) if self.coded_place else None
        return UsbCamera(Path(self.place), width, height, frame_rate, doubt, coded)


def find_cameras(dev: Path = DEV) -> list[FoundCamera]:
    """The cameras that are there now: the Pi's own, then the others in the order of their numbers."""
    found, wait_for_libcamera = _kernels_cameras(dev)
    own = csi_cameras() if wait_for_libcamera else []
    return [FoundCamera(model, identity, csi=True) for identity, model in own] + found


def look_for_camera(wanted: str, dev: Path = DEV) -> None:
    """See whether there is a camera of this name or place.  DeviceError: there is none.

    libcamera is not asked: a node that waits for it is taken for its camera, which the kernel has found already.
    """
    found, wait_for_libcamera = _kernels_cameras(dev)
    if not wait_for_libcamera:
        choose_camera(found, wanted)


def nodes(dev: Path = DEV) -> list[Path]:
    """The video nodes, in the order of their numbers."""
    found = [path for path in dev.glob("video*") if path.name[5:].isdecimal()]
    return sorted(found, key=lambda path: int(path.name[5:]))


def _kernels_cameras(dev: Path) -> tuple[list[FoundCamera], bool]:
    """Those that need no libcamera, and whether there is a node that waits for it."""
    found: list[tuple[FoundCamera, bytes]] = []
    coded: dict[bytes, str] = {}
    """By plug."""
    wait_for_libcamera = False
    for path in nodes(dev):
        try:
            device = Device(path)
        except DeviceError:
            continue
        try:
            capability = device.capability()
            if not capability.device_caps & v4l2.CAP_VIDEO_CAPTURE:
                continue
            if capability.device_caps & v4l2.CAP_IO_MC:
                wait_for_libcamera = True
            elif not capability.device_caps & v4l2.CAP_STREAMING or not _is_camera(capability):
                continue
            elif modes(device):
                found.append((FoundCamera(capability.card.decode(errors="replace"), str(path)), capability.bus_info))
            elif modes(device, CODED):
                coded.setdefault(capability.bus_info, str(path))
        except DeviceError:
            continue
        finally:
            device.close()
    return [replace(camera, coded_place=coded.get(plug, "")) for camera, plug in found], wait_for_libcamera


def choose_camera(cameras: Sequence[FoundCamera], wanted: str) -> FoundCamera:
    """The camera of this name (a part of it) or place, the first where ``wanted`` is "".  DeviceError: none is."""
    for camera in cameras:
        if wanted.lower() in camera.name.lower() or wanted == camera.place:
            return camera
    if wanted:
        names = ", ".join(camera.name for camera in cameras)
        raise DeviceError(f"there is no camera {wanted!r} here; there are: {names or 'none'}")
    raise DeviceError("there is no camera here")


_NOT_CAMERAS = ("unicam", "rp1-cfe", "bcm2835-isp", "bcm2835-codec", "rpi-hevc-dec", "pispbe")
"""Drivers whose nodes capture and are no cameras by themselves, whatever their capabilities say."""


def _is_camera(capability: v4l2.Capability) -> bool:
    return not capability.driver.decode(errors="replace").startswith(_NOT_CAMERAS)
