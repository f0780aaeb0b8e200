"""The Pi's own camera, on its CSI socket: driven by libcamera, by way of picamera2.

::

    sensor ──▶ ISP ─┬─▶ main, of the size asked for ──▶ encoder (where it lies: `shared_picture`), or capture()
                    └─▶ small, where the ISP makes two ──▶ capture(small)

Rule 1: exposure, white balance and focus are libcamera's; a lens that moves is kept in focus all the time.
Rule 2: of what the sensor offers, the mode that sees most of the room is used.
Rule 3: a picture is copied only for somebody who looks.
Rule 4: ``frame.time`` is when the sensor took the picture.
Rule 5: it is panned, tilted and zoomed by what the ISP cuts out (ScalerCrop), where there is an ISP that does.
Rule 6: a camera that gives nothing for three seconds is a DeviceError, as is all that libcamera refuses.

picamera2 comes with the system (python3-picamera2), and takes a second and 40 MB: imported when there is such a camera.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from board.pi.camera_output import CameraOutput
from board.pi.raw_picture import Converter
from board.pi.shared_picture import Layout
from firmware.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import av

    from board.digital_zoom import DigitalZoom
    from board.pi.camera_encoder import CameraEncoder
    from firmware.ports import EncoderSettings, OnAccessUnit

logger = logging.getLogger(__name__)

FORMATS = {"YUV420": "YU12", "NV12": "NV12", "BGR888": "RGB3"}
"""libcamera's pixel formats that are understood, the best first, by the kernel's names."""
SMALL_WIDTH = 640
"""Pixels of a picture that is small enough for the self-view."""
_BUFFERS = 6
"""Of each stream: three may be in the encoder, one is looked at, two are filled."""
_SILENT = 3.0
"""Seconds without a picture after which a camera has failed."""
_NANOSECOND = 1e-9
_MICROSECOND = Fraction(1, 1_000_000)
_REFUSALS = (RuntimeError, OSError, LookupError, ValueError, CancelledError)
"""What picamera2 raises: its own, libcamera's, and what follows from a camera that went away meanwhile."""


class CsiCamera:
    """A `firmware.ports.Camera`.  DeviceError: the camera is missing, busy, or offers nothing that is understood."""

    def __init__(self, identity: str, width: int, height: int, frame_rate: int, zoom: DigitalZoom) -> None:
        self._name = identity
        self._zoom = zoom
        with _refusals(identity):
            self._camera = _open(identity)
            with ExitStack() as unless_it_runs:
                unless_it_runs.callback(self._camera.close)
                self._configure(width, height, frame_rate)
                self.pan_tilt_zoom = self._zoom_by_crop()
                unless_it_runs.callback(setattr, zoom, "when_changed", None)
                self._camera.start()
                unless_it_runs.pop_all()
        self.width, self.height, self.frame_rate = self._main.width, self._main.height, frame_rate
        logger.info("%s: %s %dx%d at %d/s", identity, self._main.pixel_format, self.width, self.height, frame_rate)
        self._output = CameraOutput()
        deliver = (identity, self._run)
        self._thread = threading.Thread(target=self._output.run, args=deliver, name="camera device", daemon=True)
        self._thread.start()

    def capture(self, *, small: bool = False) -> av.VideoFrame | None:
        """Wait for the next picture and give it; None once closed.  DeviceError: the camera is gone."""
        return self._output.capture(small)

    def open_encoder(self, settings: EncoderSettings, on_access_unit: OnAccessUnit) -> CameraEncoder | None:
        """The hardware's encoder on this camera; None where the machine has none."""
        return self._output.open_encoder(settings, on_access_unit, self._main)

    def close(self) -> None:
        """Let ``capture`` return, end the encoders and release the camera."""
        if not self._output.close():
            return
        self._zoom.when_changed = None
        self._camera.cancel_all_and_flush()
        self._thread.join()
        self._output.close_encoders()
        try:
            self._camera.close()
        except _REFUSALS as error:
            logger.info("%s could not be closed: %s", self._name, error)
            self._camera.started = False  # what is gone is not stopped again when this goes

    def _configure(self, width: int, height: int, frame_rate: int) -> None:
        import libcamera

        camera = self._camera
        role = libcamera.StreamRole.Viewfinder
        two = camera.camera.generate_configuration([role, role])  # None where it makes but one stream
        offered = two or camera.camera.generate_configuration([role])
        main = choose_format([str(name) for name in offered.at(0).formats.pixel_formats])
        small = small_size(width, height) if two and two.size > 1 else None
        controls: dict[str, object] = {}
        if "FrameDurationLimits" in camera.camera_controls:
            controls["FrameDurationLimits"] = (1_000_000 // frame_rate,) * 2
        if "AfMode" in camera.camera_controls:
            controls["AfMode"] = libcamera.controls.AfModeEnum.Continuous
        camera.configure(
            camera.create_video_configuration(
                main={"size": (width, height), "format": main},
                lores={"size": small, "format": main} if small else None,
                raw=None,
                sensor=widest(camera.sensor_modes, width, height, frame_rate),
                colour_space=libcamera.ColorSpace.Smpte170m(),
                buffer_count=_BUFFERS,
                controls=controls,
            )
        )
        self._main = self._layout("main")
        self._layouts = {"main": self._main}
        if small:
            self._layouts["lores"] = self._layout("lores")
        self._converters = {
            name: Converter(layout.pixel_format, layout.width, layout.height, layout.stride)
            for name, layout in self._layouts.items()
        }

    def _zoom_by_crop(self) -> DigitalZoom | None:
        """Let the ISP show the part that is to be seen, from the first picture on; None: it can't."""
        camera = self._camera
        limits = camera.camera_controls.get("ScalerCrop")
        if limits is None:
            return None
        _, most, usual = limits  # libcamera's usual one has the pictures' shape
        left, top, width, height = usual or most
        # A Pi 5 has one for each stream, too, which counts for more; picamera2 begins with the usual ones.
        of_each = len(self._layouts) if "ScalerCrops" in camera.camera_controls else 0

        def crop() -> None:
            x, y, part_width, part_height = self._zoom.part(width, height)
            part = left + x, top + y, part_width, part_height
            # picamera2 forgets what comes while a request takes with it what came before.
            with _refusals(self._name), camera.request_lock:
                camera.set_controls({"ScalerCrop": part} | ({"ScalerCrops": [part] * of_each} if of_each else {}))

        crop()
        self._zoom.when_changed = crop
        return self._zoom

    def _layout(self, stream: str) -> Layout:
        found = self._camera.stream_configuration(stream)
        if found["format"] not in FORMATS:
            raise DeviceError(f"{self._name} gives {found['format']}, which is not understood")
        width, height = found["size"]
        return Layout(FORMATS[found["format"]], width, height, found["stride"], found["framesize"])

    def _run(self) -> None:
        with _refusals(self._name):
            while not self._output.closed:
                request = self._camera.capture_request(wait=_SILENT)
                try:
                    self._deliver(request)
                finally:
                    request.release()

    def _deliver(self, request: Any) -> None:
        taken = request.get_metadata().get("SensorTimestamp", 0) * _NANOSECOND or time.monotonic()
        picture = CsiPicture(request, "main", self._main, self._converters["main"], taken)
        if self._output.looked_at:
            name = "lores" if self._output.small and "lores" in self._layouts else "main"
            seen = picture
            if name == "lores":
                seen = CsiPicture(request, name, self._layouts[name], self._converters[name], taken)
            self._output.show(seen.frame())
        self._output.encode(picture, taken)


class CsiPicture:
    """One stream's picture of a request; a `SharedPicture`."""

    def __init__(self, request: Any, stream: str, layout: Layout, converter: Converter, taken: float) -> None:
        self.layout = layout
        self._request = request
        self._stream = stream
        self._converter = converter
        self._taken = taken
        self._frame: av.VideoFrame | None = None

    @property
    def fd(self) -> int:
        """Of its memory (DMABUF)."""
        return int(self._request.request.buffers[self._request.stream_map[self._stream]].planes[0].fd)

    def hold(self) -> None:
        """Keep it; libcamera does not write there until `release`."""
        self._request.acquire()

    def release(self) -> None:
        """Give it back."""
        self._request.release()

    def frame(self) -> av.VideoFrame:
        """A copy, made once.  DeviceError: it is cut off."""
        if self._frame is None:
            from picamera2 import MappedArray

            with MappedArray(self._request, self._stream, reshape=False, write=False) as pixels:
                frame = self._converter.convert(memoryview(pixels.array))
            if frame is None:
                raise DeviceError("the camera gave less than a picture")
            frame.time_base, frame.pts = _MICROSECOND, round(self._taken / _MICROSECOND)
            self._frame = frame
        return self._frame


def csi_cameras() -> list[tuple[str, str]]:
    """The cameras that libcamera drives, each by its identity and model, in a lasting order; none without libcamera.

    Those behind USB are left out: they need no libcamera.
    """
    try:
        import libcamera
    except ImportError as error:
        logger.info("The Pi's own camera needs python3-picamera2: %s", error)
        return []
    with _refusals("libcamera"):
        manager = libcamera.CameraManager.singleton()
        found = [(camera.id, _model(camera.properties)) for camera in manager.cameras]
    return sorted((identity, model) for identity, model in found if "/usb" not in identity)


def choose_format(offered: Sequence[str]) -> str:
    """The best pixel format of those.  DeviceError: none is understood."""
    for name in FORMATS:
        if name in offered:
            return name
    raise DeviceError(f"the camera has none of the formats {', '.join(FORMATS)}")


def small_size(width: int, height: int) -> tuple[int, int] | None:
    """The size of the small picture beside one of this size, of the same shape; None: this is small enough."""
    if width <= SMALL_WIDTH:
        return None
    return SMALL_WIDTH, round(height * SMALL_WIDTH / width / 2) * 2


def widest(modes: Iterable[Mapping[str, Any]], width: int, height: int, frame_rate: int) -> dict[str, Any] | None:
    """The sensor's mode (of picamera2's ``sensor_modes``) to use for pictures of this size and rate.

    Fast enough, then large enough, then the widest view, then the fewest pixels.  None: the sensor tells none.
    """

    def order(mode: Mapping[str, Any]) -> tuple[bool, bool, int, int]:
        columns, rows = mode["size"]
        _, _, view_width, view_height = mode["crop_limits"]
        return (
            mode["fps"] >= frame_rate,
            columns >= width and rows >= height,
            view_width * view_height,
            -columns * rows,
        )

    best = max((mode for mode in modes if "crop_limits" in mode), key=order, default=None)
    return None if best is None else {"output_size": best["size"], "bit_depth": best["bit_depth"]}


def _open(identity: str) -> Any:
    from picamera2 import Picamera2

    for number, found in enumerate(Picamera2.global_camera_info()):
        if found["Id"] == identity:
            return Picamera2(number)
    raise DeviceError(f"{identity} is gone")


def _model(properties: Any) -> str:
    return next((str(value) for key, value in properties.items() if key.name == "Model"), "camera")


@contextmanager
def _refusals(name: str) -> Iterator[None]:
    """Make a DeviceError of what picamera2 raises."""
    try:
        yield
    except DeviceError:
        raise
    except TimeoutError as error:
        raise DeviceError(f"{name} gives no picture") from error
    except ImportError as error:
        raise DeviceError(f"{name} needs python3-picamera2: {error}") from error
    except _REFUSALS as error:
        raise DeviceError(f"{name}: {error or type(error).__name__}") from error
