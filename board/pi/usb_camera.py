"""A camera behind the kernel's video interface: a USB camera, or what looks like one.

::

    camera ──▶ buffers ──▶ thread: newest ─ convert ─┬─▶ capture()
                                                     └─▶ encoder, where one is open ──▶ on_access_unit
    one that encodes ──▶ thread: each ───────────────┬─▶ on_access_unit
                                                     └─ decode ─▶ capture(), where it gives nothing else then

Rule 1: only the newest picture counts; those before it go back to the camera unseen.
Rule 2: ``frame.time`` is when the kernel had the picture's first bit (CLOCK_MONOTONIC).
Rule 3: a camera that was pulled out, or gives nothing for three seconds, is a DeviceError.
Rule 4: a camera that encodes, and can be told how, does so for the first encoder of its own size, if it did not fail to
do so before.  One that has a node of its own for that gives its pictures, too, meanwhile; any other gives nothing else,
and what is to be seen here is decoded.
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

    def __init__(
        self, path: Path, width: int, height: int, frame_rate: int, doubt: Doubt, coded: Path | None = None
    ) -> None:
        """*doubt* remembers encoders that failed; *coded* is the node by which alone it gives what it encodes."""
        self._doubt = doubt
        self._device = Device(path)
        self._coding_device = _coding_device(self._device, coded)
        try:
            self._name = self._device.capability().card.decode(errors="replace")
            self._mode = mode = choose(modes(self._device), width, height, frame_rate)
            self._coded = modes(self._coding_device, CODED) if self._coding_device not in doubt else []
            """Those in which it encodes, as long as it has not failed to."""
            self.width, self.height, self.frame_rate = mode.width, mode.height, min(frame_rate, mode.frame_rate)
            self._stream: CameraStream | None = CameraStream(self._device, mode, self.frame_rate)
            """Its pictures; None: it gives only what it encodes."""
            controls = V4l2PanTiltZoom(self._device)
        except DeviceError:
            self._close_devices()
            raise
        self._controls = controls
        self.pan_tilt_zoom = controls if controls.axes else None
        logger.info("%s: %s %dx%d at %d/s", self._name, mode.pixel_format, self.width, self.height, self.frame_rate)
        self._own: OwnEncoder | None = None
        """The camera's encoder, if it is to encode."""
        self._heard: OwnEncoder | None = None
        """The same, as the thread knows it."""
        self._coded_stream: CameraStream | None = None
        """What that makes."""
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
        self._stop_coding()
        self._stop()
        self._close_devices()
        os.close(self._wake)

    def _open_own(self, settings: EncoderSettings, on_access_unit: OnAccessUnit) -> OwnEncoder | None:
        size, rate = (settings.width, settings.height), settings.frame_rate
        fits = any((mode.width, mode.height) == size and mode.frame_rate >= rate for mode in self._coded)
        if self._own is not None or not fits or size != (self.width, self.height):
            return None
        commands = find_commands(self._coding_device)
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
            self._doubt.add(self._coding_device)
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
        last = last_coded = time.monotonic()
        while not self._output.closed:
            poll.poll(_SILENT * 1000 / 4)
            if self._output.closed:
                return
            now = time.monotonic()
            if self._own is not self._heard:
                self._change()
                last = last_coded = now = time.monotonic()
                self._watch_coding(poll)
            if self._coded_stream is not None:
                last_coded = now if self._deliver_coded(self._coded_stream) else last_coded
            if self._stream is not None:
                last = now if self._deliver_newest(self._stream) else last
            if self._coded_stream is not None and now > last_coded + _SILENT:
                self._doubt.add(self._coding_device)
                raise DeviceError(f"{self._name} gives no picture that it was to encode")
            if self._stream is not None and now > last + _SILENT:
                raise DeviceError(f"{self._name} gives no picture")

    def _deliver_newest(self, stream: CameraStream) -> bool:
        frame = stream.newest()
        if frame is None:
            return False
        self._output.show(frame)
        self._output.encode(frame, frame.time or time.monotonic())
        return True

    def _deliver_coded(self, stream: CameraStream) -> bool:
        own, found = self._heard, False
        assert own is not None
        for data, taken in stream.all():
            found = True
            own.take(data, taken)
            frame = stream.decoded(data, taken) if self._stream is None else None
            if frame is not None:
                self._output.show(frame)
                self._output.encode(frame, taken)
        return found

    def _change(self) -> None:
        """Let the camera encode, or not any more."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        self._heard = own = self._own
        self._stop_coding()
        if own is not None:
            if self._coding_device is self._device:
                self._stop()
            try:
                self._coded_stream = self._start_coding(own)
            except DeviceError as error:
                own.refuse(str(error))
        if self._stream is None and self._coded_stream is None:
            self._stream = CameraStream(self._device, self._mode, self.frame_rate)

    def _start_coding(self, own: OwnEncoder) -> CameraStream:
        size = own.settings.width, own.settings.height
        mode = next(mode for mode in self._coded if (mode.width, mode.height) == size)
        return CameraStream(self._coding_device, mode, own.settings.frame_rate, own.configure)

    def _watch_coding(self, poll: select.poll) -> None:
        """Wait for what comes by the encoder's own node, too: of one that is still there would be no end of errors."""
        if self._coding_device is self._device:
            return
        if self._coded_stream is not None:
            poll.register(self._coding_device.fd, select.POLLIN)
        else:
            with suppress(KeyError):
                poll.unregister(self._coding_device.fd)

    # Ends

    def _stop(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _stop_coding(self) -> None:
        if self._coded_stream is not None:
            self._coded_stream.close()
            self._coded_stream = None

    def _close_devices(self) -> None:
        for device in {self._device, self._coding_device}:
            device.close()


def _coding_device(device: Device, coded: Path | None) -> Device:
    """Open the node by which the camera gives what it encodes: *coded*, where that can be had."""
    if coded is None:
        return device
    try:
        return Device(coded)
    except DeviceError as error:
        logger.info("%s", error)
        return device
