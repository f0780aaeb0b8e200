"""The Pi's H.264 encoder: a stateful memory-to-memory video device (kernel documentation, "Stateful Encoder").

::

    encode(frame) ──▶ OUTPUT buffers ──▶ encoder ──▶ CAPTURE buffers ──▶ thread ──▶ on_access_unit

Rule 1: ``encode`` never waits: a picture that finds no free buffer is dropped, since the next is newer.
Rule 2: bitrate and key frames are controls, set while it runs.  Every IDR brings its parameter sets.
Rule 3: the device wants at least level 4 set, whatever the picture; the level that was agreed on is written into the
sequence parameter sets that it makes.
Rule 4: an encoder that swallowed pictures and gave nothing for `STALL`, or failed, tells so once by ``on_failed``: so
early that another one encodes before a second is over.
Rule 5: pictures are copied into the encoder's memory, or (where it was opened for a camera's `Layout`) read in the
camera's, which is held from ``encode`` until the encoder has read it.
Rule 6: parameter sets that come in a buffer of their own belong to the picture that follows, and count as none.
"""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import av

from board.pi import v4l2
from board.pi.access_unit import Parts, with_level
from board.pi.v4l2_device import Device, Queue, converts, nodes
from firmware.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from board.pi.shared_picture import Layout, SharedPicture
    from firmware.ports import EncoderSettings, OnAccessUnit

logger = logging.getLogger(__name__)

USUAL = Path("/dev/video11")
"""The Pi's encoder."""
STALL = 0.6
"""Seconds without an access unit for pictures that were given: many times what one takes."""
_LOOK = 0.1
"""Seconds between two looks at whether it stalls."""
KEY_FRAME_INTERVAL = 10
"""Seconds between key frames that nobody asked for."""
_PICTURES, _ACCESS_UNITS = 3, 4
"""Buffers."""

_RAW, _H264 = "YU12", "H264"

# Controls: <linux/v4l2-controls.h>, codec class
_CODEC = 0x0099_0900
BITRATE_MODE, BITRATE, HEADER_MODE, REPEAT_HEADER, FORCE_KEY_FRAME = (_CODEC + n for n in (206, 207, 216, 226, 229))
I_PERIOD, LEVEL, PROFILE = (_CODEC + n for n in (358, 359, 363))
_CONSTANT_BITRATE = 1
_JOINED_WITH_FIRST_FRAME = 1
_CONSTRAINED_BASELINE = 1
_LEVELS = (10, 9, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51)
"""level_idc by the control's value; 9 stands for 1b."""
_LEAST_LEVEL = 40


class M2mEncoder:
    """One stream through the encoder.  DeviceError: it can't do this size or layout, is busy, or has failed."""

    def __init__(
        self,
        path: Path,
        settings: EncoderSettings,
        on_access_unit: OnAccessUnit,
        on_failed: Callable[[str], None],
        layout: Layout | None = None,
    ) -> None:
        self._settings = settings
        self._layout = layout
        self._on_access_unit = on_access_unit
        self._on_failed = on_failed
        self._device = Device(path)
        self._lock = threading.Lock()
        self._given = self._taken = 0
        """Pictures, and those of them that came out."""
        self._parts = Parts()
        self._waiting_since = time.monotonic()
        """When the last access unit came, or a picture found the encoder idle."""
        self._closed = False
        self._drained = threading.Event()
        try:
            self._set_up()
            self._pictures = Queue(self._device, v4l2.VIDEO_OUTPUT_MPLANE, _PICTURES, shared=layout is not None)
            self._access_units = Queue(self._device, v4l2.VIDEO_CAPTURE_MPLANE, _ACCESS_UNITS)
            for index in range(len(self._access_units.memory)):
                self._access_units.put(index)
            self._pictures.start()
            self._access_units.start()
        except DeviceError:
            self._device.close()
            raise
        self._free = list(range(self._pictures.count))
        self._held: dict[int, SharedPicture] = {}
        """By the buffer that it is read through."""
        self._wake = os.eventfd(0)
        self._thread = threading.Thread(target=self._run, name="hardware encoder", daemon=True)
        self._thread.start()

    def encode(self, picture: av.VideoFrame | SharedPicture, taken: float) -> None:
        """Encode a picture of this capture time, or drop it: one of the layout that was agreed on, else a frame
        (``yuv420p``, of the settings' size).  DeviceError: its memory can't be read.
        """
        with self._lock:
            if self._closed:
                return
            self._reclaim()
            if not self._free:
                return
            if self._given == self._taken:
                self._waiting_since = time.monotonic()
            index = self._free[-1]
            if isinstance(picture, av.VideoFrame):
                self._copy(picture, memoryview(self._pictures.memory[index]))
                self._pictures.put(index, self._size, taken)
            else:
                self._pictures.put(index, picture.layout.size, taken, picture.fd)
                picture.hold()
                self._held[index] = picture
            self._free.pop()
            self._given += 1

    def set_bitrate(self, bitrate: int) -> None:
        """Change the target, bit/s."""
        with self._lock:
            if not self._closed:
                self._device.set_control(BITRATE, bitrate)

    def force_key_frame(self) -> None:
        """Make the next picture an IDR."""
        with self._lock:
            if not self._closed:
                self._device.set_control(FORCE_KEY_FRAME, 1)

    def drain(self, seconds: float) -> bool:
        """Wait until all that was given has come out; it takes nothing more then.  False: not in this time."""
        with self._lock:
            if self._closed:
                return False
            self._device.ioctl(v4l2.ENCODER_CMD, v4l2.EncoderCommand(cmd=v4l2.ENC_CMD_STOP))
        return self._drained.wait(seconds)

    def close(self) -> None:
        """Stop; ``on_access_unit`` is not called after this returns."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            os.eventfd_write(self._wake, 1)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    # Setting up

    def _set_up(self) -> None:
        settings, device = self._settings, self._device
        for number, value in (
            (BITRATE_MODE, _CONSTANT_BITRATE),
            (BITRATE, settings.bitrate),
            (HEADER_MODE, _JOINED_WITH_FIRST_FRAME),
            (PROFILE, _CONSTRAINED_BASELINE),
            (LEVEL, _LEVELS.index(max(settings.level, _LEAST_LEVEL))),
            (I_PERIOD, KEY_FRAME_INTERVAL * settings.frame_rate),
        ):
            device.set_control(number, value)  # what it lacks it does in its own way
        if not device.set_control(REPEAT_HEADER, 1):
            raise DeviceError(f"{device.path} can't repeat parameter sets")
        raw = self._set_format(v4l2.VIDEO_OUTPUT_MPLANE, _RAW if self._layout is None else self._layout.pixel_format)
        self._set_format(v4l2.VIDEO_CAPTURE_MPLANE, _H264)
        if raw.width < settings.width or raw.height < settings.height:
            raise DeviceError(f"{device.path} encodes at most {raw.width}x{raw.height}")
        self._stride, self._rows, self._size = raw.plane_fmt[0].bytesperline, raw.height, raw.plane_fmt[0].sizeimage
        if self._layout is not None and not self._layout.readable(self._stride, self._size):
            raise DeviceError(f"{device.path} reads {self._size} bytes in rows of {self._stride}, not {self._layout}")
        if (raw.width, raw.height) != (settings.width, settings.height):
            crop = v4l2.Selection(type=v4l2.VIDEO_OUTPUT, target=v4l2.SEL_TGT_CROP)
            crop.r.width, crop.r.height = settings.width, settings.height
            device.ioctl(v4l2.S_SELECTION, crop)
        rate = v4l2.StreamParameters(type=v4l2.VIDEO_OUTPUT_MPLANE)
        rate.timeperframe.numerator, rate.timeperframe.denominator = 1, settings.frame_rate
        with suppress(OSError):  # it may go by the time stamps
            device.try_ioctl(v4l2.S_PARM, rate)

    def _set_format(self, buffer_type: int, name: str) -> v4l2.MultiplanarFormat:
        pixel_format = v4l2.fourcc(name)
        wanted = v4l2.Format(type=buffer_type)
        form = wanted.fmt.pix_mp
        form.width, form.height, form.pixelformat = self._settings.width, self._settings.height, pixel_format
        form.field, form.num_planes = v4l2.FIELD_NONE, 1
        form.colorspace, form.quantization = v4l2.COLORSPACE_SMPTE170M, v4l2.QUANTIZATION_LIM_RANGE
        if buffer_type == v4l2.VIDEO_CAPTURE_MPLANE:
            form.plane_fmt[0].sizeimage = max(512 << 10, self._settings.width * self._settings.height)
        elif self._layout is not None:
            form.plane_fmt[0].bytesperline = self._layout.stride
        self._device.ioctl(v4l2.S_FMT, wanted)
        got = wanted.fmt.pix_mp
        assert isinstance(got, v4l2.MultiplanarFormat)
        if got.pixelformat != pixel_format or got.num_planes != 1:
            raise DeviceError(f"{self._device.path} does not know {name}")
        return got

    def _reclaim(self) -> None:
        """Take back the buffers that the encoder has read."""
        while (done := self._pictures.take()) is not None:
            self._free.append(done[0])
            held = self._held.pop(done[0], None)
            if held is not None:
                held.release()

    def _copy(self, frame: av.VideoFrame, memory: memoryview) -> None:
        """Lay out the picture as the device wants it: three planes, one behind the other."""
        start = 0
        for plane, part in zip(frame.planes, (1, 2, 2), strict=True):
            stride, pixels = self._stride // part, memoryview(plane)
            if plane.line_size == stride:
                memory[start : start + stride * plane.height] = pixels[: stride * plane.height]
            else:
                for row in range(plane.height):
                    place = start + row * stride
                    memory[place : place + plane.width] = pixels[row * plane.line_size :][: plane.width]
            start += stride * (self._rows // part)

    # The thread

    def _run(self) -> None:
        reason = "it can't deliver what it has encoded"  # of what nobody foresaw, Python itself says where
        try:
            self._deliver()
        except DeviceError as error:
            reason = str(error)
        finally:
            self._fail(reason)
            with self._lock:
                self._closed = True
                self._pictures.release()
                for held in self._held.values():
                    held.release()
                self._access_units.release()
                self._device.close()
                os.close(self._wake)

    def _deliver(self) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        poll.register(self._device.fd, select.POLLIN)
        while not self._closed:
            events = dict(poll.poll(_LOOK * 1000))
            for access_unit, taken in self._finished():
                self._on_access_unit(access_unit, taken)
                if self._closed:
                    return
                with self._lock:
                    self._reclaim()
            if self._drained.is_set():  # the device says POLLERR from now on
                select.select([self._wake], [], [])
                return
            if events.get(self._device.fd, 0) & select.POLLERR:
                raise DeviceError(f"{self._device.path} has failed")
            if self._given > self._taken and time.monotonic() > self._waiting_since + STALL:
                raise DeviceError(f"{self._device.path} stalls")

    def _finished(self) -> Iterator[tuple[bytes, float]]:
        while (done := self._access_units.take()) is not None:
            index, length, flags, taken = done
            data = self._access_units.memory[index][:length]
            if flags & v4l2.BUF_FLAG_LAST:
                self._drained.set()
            else:
                self._access_units.put(index)
            failed = bool(flags & v4l2.BUF_FLAG_ERROR)
            access_unit = b"" if failed else self._parts.join(data)
            if failed or access_unit:
                self._taken += 1
                self._waiting_since = time.monotonic()
            if access_unit:
                yield with_level(access_unit, self._settings.level), taken

    def _fail(self, reason: str) -> None:
        if not self._closed:
            logger.warning("The hardware encoder is given up: %s", reason)
            self._on_failed(reason)


@cache
def find_encoder() -> Path | None:
    """The node of this machine's encoder; None: it has none.  Asked once: encoders are not plugged in."""
    return next((path for path in nodes(USUAL) if encodes(path)), None)


def encodes(path: Path) -> bool:
    """Whether this node takes raw pictures and gives H.264."""
    return converts(path, _RAW, _H264)
