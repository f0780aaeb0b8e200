"""A camera behind the kernel's video interface: a USB camera, or what looks like one.

::

    camera ──▶ buffers ──▶ thread: newest ─ convert ─┬─▶ capture()
                                                     └─▶ encoder, where one is open ──▶ on_access_unit
    one that encodes ──▶ thread: each ───────────────┬─▶ on_access_unit
                                                     └─ decode ─▶ capture()

Rule 1: only the newest picture counts; those before it go back to the camera unseen.
Rule 2: ``frame.time`` is when the kernel had the picture's first bit (CLOCK_MONOTONIC).
Rule 3: a camera that was pulled out, or gives nothing for three seconds, is a DeviceError.
Rule 4: a camera that encodes, and can be told how, does so for the first encoder of its own size, if it did not fail to
do so before; then it gives nothing else, and what is to be seen here is decoded.
"""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from board.pi.camera_mode import CODED, choose, modes
from board.pi.camera_output import CameraOutput
from board.pi.camera_stream import CameraStream
from board.pi.own_encoder import Doubt, OwnEncoder, find_commands
from board.pi.pan_tilt_zoom import V4l2PanTiltZoom
from board.pi.v4l2_device import Device
from firmware.errors import DeviceError

if TYPE_CHECKING:
    from pathlib import Path

    import av

    from firmware.ports import Encoder, EncoderSettings, OnAccessUnit

logger = logging.getLogger(__name__)

_SILENT = 3.0
"""Seconds without a picture after which a camera has failed."""


class UsbCamera:
    """A `firmware.ports.Camera`.  DeviceError: the camera is missing, busy, or offers nothing that is understood."""

    def __init__(self, path: Path, width: int, height: int, frame_rate: int, doubt: Doubt) -> None:
        """*doubt* remembers encoders that failed."""
        self._doubt = doubt
        self._device = Device(path)
        try:
            self._name = self._device.capability().card.decode(errors="replace")
            self._mode = mode = choose(modes(self._device), width, height, frame_rate)
            self._coded = modes(self._device, CODED) if self._device not in doubt else []
            """Those in which it encodes, as long as it has not failed to."""
            self.width, self.height, self.frame_rate = mode.width, mode.height, min(frame_rate, mode.frame_rate)
            self._stream = CameraStream(self._device, mode, self.frame_rate)
            controls = V4l2PanTiltZoom(self._device)
        except DeviceError:
            self._device.close()
            raise
        self._controls = controls
        self.pan_tilt_zoom = controls if controls.axes else None
        logger.info("%s: %s %dx%d at %d/s", self._name, mode.pixel_format, self.width, self.height, self.frame_rate)
        self._own: OwnEncoder | None = None
        """The camera's encoder, if it is to encode."""
        self._heard: OwnEncoder | None = None
        """The same, as the thread knows it."""
        self._coding = False
        """Whether the stream is what that encoder makes."""
        self._output = CameraOutput()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        deliver = (self._name, self._deliver)
        self._thread = threading.Thread(target=self._output.run, args=deliver, name="camera device", daemon=True)
        self._thread.start()

    def capture(self, *, small: bool = False) -> av.VideoFrame | None:
        """Wait for the next picture and give it; None once closed.  DeviceError: the camera is gone."""
        return self._output.capture(small)

    def open_encoder(self, settings: EncoderSettings, on_access_unit: OnAccessUnit) -> Encoder | None:
        """The camera's own encoder, else the hardware's on its pictures; None where there is neither."""
        return self._open_own(settings, on_access_unit) or self._output.open_encoder(settings, on_access_unit)

    def close(self) -> None:
        """Let ``capture`` return, end the encoders and release the camera."""
        if not self._output.close():
            return
        self._controls.close()
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        self._output.close_encoders()
        if self._own is not None:
            self._own.close()
        self._stream.close()
        self._device.close()
        os.close(self._wake)

    def _open_own(self, settings: EncoderSettings, on_access_unit: OnAccessUnit) -> OwnEncoder | None:
        size, rate = (settings.width, settings.height), settings.frame_rate
        fits = any((mode.width, mode.height) == size and mode.frame_rate >= rate for mode in self._coded)
        if self._own is not None or not fits or size != (self.width, self.height):
            return None
        commands = find_commands(self._device)
        if commands is None:
            logger.info("%s encodes, but can't be told to make a key frame", self._name)
            self._coded = []
            return None
        own = OwnEncoder(settings, commands, on_access_unit, lambda: self._use(None))
        self._use(own)
        if own.wait_proof():
            logger.info("%s encodes by itself", self._name)
            return own
        if own.reason:
            logger.warning("%s does not encode as it should: %s", self._name, own.reason)
            self._coded = []
            self._doubt.add(self._device)
            own.close()
        return None

    def _use(self, own: OwnEncoder | None) -> None:
        self._own = own
        if not self._output.closed:
            os.eventfd_write(self._wake, 1)

    # The thread

    def _deliver(self) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        poll.register(self._device.fd, select.POLLIN)
        last = time.monotonic()
        while not self._output.closed:
            poll.poll(_SILENT * 1000 / 4)
            if self._output.closed:
                return
            if self._own is not self._heard:
                self._change()
                last = time.monotonic()
            if self._deliver_coded() if self._coding else self._deliver_newest():
                last = time.monotonic()
            elif time.monotonic() > last + _SILENT:
                if self._coding:
                    self._doubt.add(self._device)
                raise DeviceError(f"{self._name} gives no picture")

    def _deliver_newest(self) -> bool:
        frame = self._stream.newest()
        if frame is None:
            return False
        self._output.show(frame)
        self._output.encode(frame, frame.time or time.monotonic())
        return True

    def _deliver_coded(self) -> bool:
        own, found = self._heard, False
        assert own is not None
        for data, taken in self._stream.all():
            found = True
            own.take(data, taken)
            frame = self._stream.decoded(data, taken)
            if frame is not None:
                self._output.show(frame)
                self._output.encode(frame, taken)
        return found

    def _change(self) -> None:
        """Let the camera encode, or not any more."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        self._heard = own = self._own
        self._stream.close()
        self._coding = False
        if own is not None:
            try:
                self._stream = self._coded_stream(own)
                self._coding = True
                return
            except DeviceError as error:
                own.refuse(str(error))
        self._stream = CameraStream(self._device, self._mode, self.frame_rate)

    def _coded_stream(self, own: OwnEncoder) -> CameraStream:
        size = own.settings.width, own.settings.height
        mode = next(mode for mode in self._coded if (mode.width, mode.height) == size)
        return CameraStream(self._device, mode, own.settings.frame_rate, own.configure)
