"""The Pi's H.264 decoder: a stateful memory-to-memory video device (kernel documentation, "Stateful Decoder").

::

    decode(access unit) ──▶ OUTPUT buffer ──▶ decoder ──▶ CAPTURE buffer (memory of a heap) ──copy──▶ picture
                                                 └─ SOURCE_CHANGE: CAPTURE buffers are made anew

Rule 1: the caller's thread waits for each picture, as long as `Backlog` says.  A decoder that is more than a very few
behind, that fails, or that decodes another size than it was opened for, is a DeviceError.
Rule 2: pictures come in memory of a heap, since the device's own is too slow to be read (see `dma_heap`), and are
copied from there, without Python's lock.  Where a width is no multiple of 32, that is done row by row.
Rule 3: the device tells of a new format by an event.  One that has the stream's size already may not (bcm2835-codec):
its buffers are there from the start.
Rule 4: a picture that the device calls damaged is given all the same, and called so.
Rule 5: closing does not wait for a device that hangs: its driver may take seconds to give up.

It helps from 1280x720 on (`LEAST_PIXELS`).  Of one core of the computer that this was written on, libav takes 0.2 s for
30 s of 640x360 at 30 pictures a second, 0.6 to 0.8 s for 1280x720 (2 and 4 Mbit/s), and 1.3 to 1.6 s for 1920x1080 (4
and 8 Mbit/s); a core of a Pi 4 is taken to be eight times slower, which makes 5, 20 and 40 % of it.  A stream in the
device costs the copying of its pictures, and memory of a kind of which a Pi has little.  No Pi was measured.
"""

from __future__ import annotations

import select
import threading
import time
from ctypes import memmove
from functools import cache
from pathlib import Path

import av

from board.pi import v4l2
from board.pi.backlog import MOST, Backlog
from board.pi.dma_heap import HeapMemory
from board.pi.v4l2_device import Device, Queue, converts, nodes
from firmware.errors import DeviceError

USUAL = Path("/dev/video10")
"""The Pi's decoder."""
LEAST_PIXELS = 1280 * 720
"""A smaller picture is decoded in software, unless the settings say otherwise."""
_ACCESS_UNITS = 4
"""Buffers; more than a decoder may be behind."""
_SPARE_PICTURES, _MOST_PICTURES = 3, 16
"""Buffers beside those that the decoder needs, and the most that it may need."""
_MOST_CHANGES = 2
"""Of the format, that are followed for one access unit."""
_RATE = 30
"""Numbers of access units are time stamps at this rate: some firmware takes a look at them."""
_CLOSE_TIME = 0.5
"""Seconds that closing is waited for."""
_PAUSE = 0.001
"""Seconds until a device is asked again that said that there is something, and had nothing."""

_RAW, _H264 = "YU12", "H264"
MIN_BUFFERS_FOR_CAPTURE = 0x0098_0927


class M2mDecoder:
    """One stream through the decoder: a `firmware.ports.PictureDecoder` of this size.

    DeviceError: it can't do this size, is busy, or has failed.
    """

    def __init__(self, path: Path, width: int, height: int) -> None:
        self._size = width, height
        self._device = Device(path)
        self._backlog = Backlog()
        self._numbers: dict[int, int] = {}
        """By OUTPUT buffer, what is in it."""
        self._pictures: Queue | None = None
        self._memory: list[HeapMemory] = []
        """By CAPTURE buffer."""
        self._access_units: Queue | None = None
        self._free: list[int] = []
        self._good = True
        self._closed = False
        self._poll = select.poll()
        try:
            self._device.ioctl(v4l2.SUBSCRIBE_EVENT, v4l2.EventSubscription(type=v4l2.EVENT_SOURCE_CHANGE))
            self._set_up()
            self._access_units = queue = Queue(self._device, v4l2.VIDEO_OUTPUT_MPLANE, _ACCESS_UNITS)
            self._free = list(range(queue.count))
            queue.start()
            if self._visible()[2:] == self._size:
                self._begin()
        except DeviceError:
            self.close()
            raise

    def decode(self, access_unit: bytes) -> tuple[av.VideoFrame | None, bool]:
        """See `firmware.ports.PictureDecoder`."""
        newest: av.VideoFrame | None = None
        self._good = True
        changes = 0
        self._give(access_unit)
        while (patience := self._backlog.wait(time.monotonic())) > 0:
            events = self._wait(patience)
            if events & select.POLLPRI and self._changed():
                newest = self._taken() or newest
                changes += 1
                if changes > _MOST_CHANGES:
                    raise DeviceError(f"{self._device.path} comes to no end with the format of one picture")
                self._begin()
                self._backlog.prolong(time.monotonic())
                continue
            self._reclaim()
            if events & select.POLLIN:
                frame = self._taken()
                if frame is None:
                    time.sleep(_PAUSE)
                newest = frame or newest
            elif events & select.POLLERR:
                raise DeviceError(f"{self._device.path} has failed")
        self._backlog.settle()
        if self._backlog.behind > MOST:
            raise DeviceError(f"{self._device.path} is {self._backlog.behind} pictures behind")
        return newest, self._good

    def close(self) -> None:
        """See `firmware.ports.PictureDecoder`."""
        if self._closed:
            return
        self._closed = True
        thread = threading.Thread(target=self._release, name="decoder's end", daemon=True)
        thread.start()
        thread.join(_CLOSE_TIME)

    # Setting up

    def _set_up(self) -> None:
        width, height = self._size
        wanted = v4l2.Format(type=v4l2.VIDEO_OUTPUT_MPLANE)
        form = wanted.fmt.pix_mp
        form.width, form.height, form.pixelformat = width, height, v4l2.fourcc(_H264)
        form.field, form.num_planes = v4l2.FIELD_NONE, 1
        form.plane_fmt[0].sizeimage = max(512 << 10, width * height)
        self._device.ioctl(v4l2.S_FMT, wanted)
        if form.pixelformat != v4l2.fourcc(_H264) or form.width < width or form.height < height:
            raise DeviceError(f"{self._device.path} decodes at most {form.width}x{form.height}")

    def _begin(self) -> None:
        """Give the device memory for pictures of the format that it has now, instead of what it had."""
        self._drop_pictures()
        device, form = self._device, self._format()
        if form.pixelformat != v4l2.fourcc(_RAW):
            wanted = v4l2.Format(type=v4l2.VIDEO_CAPTURE_MPLANE)
            wanted.fmt.pix_mp = form
            wanted.fmt.pix_mp.pixelformat = v4l2.fourcc(_RAW)
            device.ioctl(v4l2.S_FMT, wanted)
            form = wanted.fmt.pix_mp
        self._stride, self._rows, size = form.plane_fmt[0].bytesperline, form.height, form.plane_fmt[0].sizeimage
        self._left, self._top, self._width, self._height = self._visible()
        if form.pixelformat != v4l2.fourcc(_RAW) or form.num_planes != 1 or size < self._stride * self._rows * 3 // 2:
            raise DeviceError(f"{device.path} does not give {_RAW}")
        fits = self._left + self._width <= self._stride and self._top + self._height <= self._rows
        if not fits or (self._width, self._height) != self._size:
            raise DeviceError(f"{device.path} decodes {self._width}x{self._height}, which is not what was announced")
        count = (device.control(MIN_BUFFERS_FOR_CAPTURE) or 1) + _SPARE_PICTURES
        if count > _MOST_PICTURES:
            raise DeviceError(f"{device.path} wants {count} buffers")
        self._pictures = Queue(device, v4l2.VIDEO_CAPTURE_MPLANE, count, shared=True)
        for index in range(min(self._pictures.count, _MOST_PICTURES)):
            self._memory.append(HeapMemory(size))
            self._pictures.put(index, fd=self._memory[index].fd)
        self._pictures.start()

    def _format(self) -> v4l2.MultiplanarFormat:
        """That of the pictures."""
        current = v4l2.Format(type=v4l2.VIDEO_CAPTURE_MPLANE)
        self._device.ioctl(v4l2.G_FMT, current)
        form = current.fmt.pix_mp
        assert isinstance(form, v4l2.MultiplanarFormat)
        return form

    def _visible(self) -> tuple[int, int, int, int]:
        """What is seen of the pictures: left, top, width, height, all even."""
        selection = v4l2.Selection(type=v4l2.VIDEO_CAPTURE, target=v4l2.SEL_TGT_COMPOSE)
        self._device.ioctl(v4l2.G_SELECTION, selection)
        seen = selection.r
        return max(seen.left, 0) & ~1, max(seen.top, 0) & ~1, seen.width & ~1, seen.height & ~1

    # At work

    def _wait(self, seconds: float) -> int:
        """Wait until there is something to do; give the events."""
        # As long as no pictures can come, their absence would be an error to poll.
        wanted = select.POLLPRI if self._pictures is None else select.POLLPRI | select.POLLIN | select.POLLOUT
        self._poll.register(self._device.fd, wanted)
        return dict(self._poll.poll(seconds * 1000 + 1)).get(self._device.fd, 0)

    def _give(self, access_unit: bytes) -> None:
        self._reclaim()
        if not self._free:
            raise DeviceError(f"{self._device.path} stalls")
        queue, index = self._access_units, self._free[-1]
        assert queue is not None
        memory = queue.memory[index]
        if len(access_unit) > len(memory):
            raise DeviceError(f"{self._device.path} takes {len(memory)} bytes, not {len(access_unit)}")
        memory[: len(access_unit)] = access_unit
        number = self._backlog.give(time.monotonic())
        queue.put(index, len(access_unit), number / _RATE)
        self._numbers[index] = number
        self._free.pop()

    def _reclaim(self) -> None:
        """Take back the buffers that the decoder has read."""
        queue = self._access_units
        while queue is not None and (done := queue.take()) is not None:
            index, _, flags, _ = done
            self._free.append(index)
            if flags & v4l2.BUF_FLAG_ERROR and self._backlog.awaits(self._numbers[index]):
                self._good = False
                self._backlog.shorten(time.monotonic())

    def _changed(self) -> bool:
        """Whether the format of the pictures has."""
        found = False
        event = v4l2.Event()
        for _ in range(8):
            try:
                self._device.try_ioctl(v4l2.DQEVENT, event)
            except OSError:
                break
            found = found or event.type == v4l2.EVENT_SOURCE_CHANGE
        return found

    def _taken(self) -> av.VideoFrame | None:
        """The newest of the pictures that have come."""
        newest = None
        pictures = self._pictures
        while pictures is not None and (done := pictures.take()) is not None:
            index, length, flags, taken = done
            if (length or not flags & v4l2.BUF_FLAG_LAST) and self._backlog.take(round(taken * _RATE)):
                whole = length >= self._stride * self._rows * 3 // 2
                if length and not whole and not flags & v4l2.BUF_FLAG_ERROR:
                    raise DeviceError(f"{self._device.path} gives pictures of {length} bytes")
                self._good = self._good and whole and not flags & v4l2.BUF_FLAG_ERROR
                newest = self._copy(index) if whole else newest
            if not flags & v4l2.BUF_FLAG_LAST:
                pictures.put(index, fd=self._memory[index].fd)
        return newest

    def _copy(self, index: int) -> av.VideoFrame:
        frame = av.VideoFrame(self._width, self._height, "yuv420p")
        with self._memory[index].reading() as start:
            for plane, part in zip(frame.planes, (1, 2, 2), strict=True):
                stride, to, step = self._stride // part, plane.buffer_ptr, plane.line_size
                first = start + self._top // part * stride + self._left // part
                if step == stride:
                    memmove(to, first, stride * (plane.height - 1) + plane.width)
                else:
                    for row in range(plane.height):
                        memmove(to + row * step, first + row * stride, plane.width)
                start += stride * (self._rows // part)
        return frame

    # The end

    def _drop_pictures(self) -> None:
        if self._pictures is not None:
            self._pictures.release()
            self._pictures = None
        for memory in self._memory:
            memory.close()
        self._memory = []

    def _release(self) -> None:
        if self._access_units is not None:
            self._access_units.release()
        self._drop_pictures()
        self._device.close()


def open_decoder(wanted: str, width: int, height: int) -> M2mDecoder | None:
    """The hardware's decoder for pictures of this size, as the settings want it; None: it is none or no help.

    DeviceError: it is busy, or does not decode this.
    """
    node = find_decoder() if wanted == "hardware" or (wanted == "auto" and width * height >= LEAST_PIXELS) else None
    return M2mDecoder(node, width, height) if node is not None else None


@cache
def find_decoder() -> Path | None:
    """The node of this machine's decoder; None: it has none.  Asked once: decoders are not plugged in."""
    return next((path for path in nodes(USUAL) if decodes(path)), None)


def decodes(path: Path) -> bool:
    """Whether this node takes H.264 and gives raw pictures."""
    return converts(path, _H264, _RAW)
