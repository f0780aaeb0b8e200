"""A camera behind the kernel's video interface: a USB camera, or what looks like one.

::

    camera ──▶ buffers ──▶ thread: newest ─ convert ─┬─▶ capture()
                                                     └─▶ encoder, where one is open ──▶ on_access_unit

Rule 1: only the newest picture counts; those before it go back to the camera unseen.
Rule 2: ``frame.time`` is when the kernel had the picture's first bit (CLOCK_MONOTONIC).
Rule 3: a camera that was pulled out, or gives nothing for three seconds, is a DeviceError.
"""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from fractions import Fraction
from typing import TYPE_CHECKING

from board.pi import v4l2
from board.pi.camera_mode import Mode, choose, modes
from board.pi.camera_output import CameraOutput
from board.pi.pan_tilt_zoom import V4l2PanTiltZoom
from board.pi.raw_picture import Converter
from board.pi.v4l2_device import Device, Queue
from firmware.errors import DeviceError

if TYPE_CHECKING:
    from pathlib import Path

    import av

    from board.pi.camera_encoder import CameraEncoder
    from firmware.ports import EncoderSettings, OnAccessUnit

logger = logging.getLogger(__name__)

_BUFFERS = 4
_SILENT = 3.0
"""Seconds without a picture after which a camera has failed."""
_MONOTONIC, _CLOCK_MASK = 0x2000, 0xE000
"""Of a buffer's flags: the clock of its time stamp."""
_MICROSECOND = Fraction(1, 1_000_000)


class UsbCamera:
    """A `firmware.ports.Camera`.  DeviceError: the camera is missing, busy, or offers nothing that is understood."""

    def __init__(self, path: Path, width: int, height: int, frame_rate: int) -> None:
        self._device = Device(path)
        try:
            self._name = self._device.capability().card.decode(errors="replace")
            mode = choose(modes(self._device), width, height, frame_rate)
            stride = self._set_mode(mode, frame_rate)
            self._queue = Queue(self._device, v4l2.VIDEO_CAPTURE, _BUFFERS)
            for index in range(len(self._queue.memory)):
                self._queue.put(index)
            self._queue.start()
            controls = V4l2PanTiltZoom(self._device)
        except DeviceError:
            self._device.close()
            raise
        self._controls = controls
        self.pan_tilt_zoom = controls if controls.axes else None
        self.width, self.height, self.frame_rate = mode.width, mode.height, min(frame_rate, mode.frame_rate)
        logger.info("%s: %s %dx%d at %d/s", self._name, mode.pixel_format, self.width, self.height, self.frame_rate)
        self._converter = Converter(mode.pixel_format, mode.width, mode.height, stride)
        self._output = CameraOutput()
        self._wake = os.eventfd(0)
        deliver = (self._name, self._deliver)
        self._thread = threading.Thread(target=self._output.run, args=deliver, name="camera device", daemon=True)
        self._thread.start()

    def capture(self, *, small: bool = False) -> av.VideoFrame | None:
        """Wait for the next picture and give it; None once closed.  DeviceError: the camera is gone."""
        return self._output.capture(small)

    def open_encoder(self, settings: EncoderSettings, on_access_unit: OnAccessUnit) -> CameraEncoder | None:
        """The hardware's encoder on this camera; None where the machine has none."""
        return self._output.open_encoder(settings, on_access_unit)

    def close(self) -> None:
        """Let ``capture`` return, end the encoders and release the camera."""
        if not self._output.close():
            return
        self._controls.close()
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        self._output.close_encoders()
        self._queue.release()
        self._device.close()
        os.close(self._wake)

    def _set_mode(self, mode: Mode, frame_rate: int) -> int:
        """Set the mode; give the bytes from one row of a picture to the next."""
        wanted = v4l2.Format(type=v4l2.VIDEO_CAPTURE)
        form = wanted.fmt.pix
        form.width, form.height, form.pixelformat = mode.width, mode.height, v4l2.fourcc(mode.pixel_format)
        form.field = v4l2.FIELD_NONE
        self._device.ioctl(v4l2.S_FMT, wanted)
        got = wanted.fmt.pix
        if (got.width, got.height, got.pixelformat) != (mode.width, mode.height, v4l2.fourcc(mode.pixel_format)):
            raise DeviceError(
                f"{self._name} offers {mode.pixel_format} {mode.width}x{mode.height}, but does not take it"
            )
        rate = v4l2.StreamParameters(type=v4l2.VIDEO_CAPTURE)
        rate.timeperframe.numerator, rate.timeperframe.denominator = 1, min(frame_rate, mode.frame_rate)
        self._device.ioctl(v4l2.S_PARM, rate)
        return int(got.bytesperline)

    def _deliver(self) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        poll.register(self._device.fd, select.POLLIN)
        last = time.monotonic()
        while not self._output.closed:
            poll.poll(_SILENT * 1000 / 4)
            if self._output.closed:
                return
            frame = self._newest()
            if frame is not None:
                last = time.monotonic()
                self._output.show(frame)
                self._output.encode(frame, frame.time or last)
            elif time.monotonic() > last + _SILENT:
                raise DeviceError(f"{self._name} gives no picture")

    def _newest(self) -> av.VideoFrame | None:
        """The newest picture that the camera has; None: it has none."""
        newest: tuple[int, int, int, float] | None = None
        while (done := self._queue.take()) is not None:
            if newest is not None:
                self._queue.put(newest[0])
            newest = done
        if newest is None:
            return None
        index, length, flags, taken = newest
        frame = None
        if not flags & v4l2.BUF_FLAG_ERROR:
            frame = self._converter.convert(memoryview(self._queue.memory[index])[:length])
        self._queue.put(index)
        if frame is not None:
            frame.time_base = _MICROSECOND
            frame.pts = round((taken if flags & _CLOCK_MASK == _MONOTONIC else time.monotonic()) / _MICROSECOND)
        return frame
