"""An open video node (`Device`), a stream of buffers to or from it (`Queue`), and what a node converts.

Rule 1: nodes are opened without blocking and waited for by poll, so that they can be closed at any time.
Rule 2: what the kernel refuses is a DeviceError that names the node; what a device may lack is asked for by try_*.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from ctypes import Structure, c_int, pointer
from pathlib import Path
from typing import TypeVar

from board.pi import v4l2
from firmware.errors import DeviceError

S = TypeVar("S", bound=Structure)

_MICRO = 1_000_000
_LONGEST_LIST = 256
"""Entries that a device is asked for at most."""


class Device:
    """An open video node.  DeviceError: it is missing, busy or failed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise DeviceError(f"{path} can't be opened: {error.strerror}") from error

    def try_ioctl(self, request: int, argument: Structure | c_int) -> None:
        """Make a request that may be refused (OSError); ``argument`` becomes the answer."""
        fcntl.ioctl(self.fd, request, argument)  # Python repeats what a signal interrupts (PEP 475)

    def ioctl(self, request: int, argument: Structure | c_int) -> None:
        """Make a request; ``argument`` becomes the answer."""
        try:
            self.try_ioctl(request, argument)
        except OSError as error:
            raise DeviceError(f"{self.path} refuses request {request & 0xFF}: {error.strerror}") from error

    def capability(self) -> v4l2.Capability:
        """What it is."""
        capability = v4l2.Capability()
        self.ioctl(v4l2.QUERYCAP, capability)
        return capability

    def formats(self, buffer_type: int) -> list[int]:
        """Its pixel formats, in its own order."""

        def description(index: int) -> v4l2.FormatDescription:
            return v4l2.FormatDescription(index=index, type=buffer_type)

        return [found.pixelformat for found in self._enumerate(v4l2.ENUM_FMT, description)]

    def frame_sizes(self, pixel_format: int) -> list[v4l2.FrameSize]:
        """The sizes that it has in a format; one that is not discrete stands for all."""

        def size(index: int) -> v4l2.FrameSize:
            return v4l2.FrameSize(index=index, pixel_format=pixel_format)

        return list(self._enumerate(v4l2.ENUM_FRAMESIZES, size))

    def frame_intervals(self, pixel_format: int, width: int, height: int) -> list[v4l2.FrameInterval]:
        """The times between pictures that it has in a format and size; one that is not discrete stands for all."""

        def interval(index: int) -> v4l2.FrameInterval:
            return v4l2.FrameInterval(index=index, pixel_format=pixel_format, width=width, height=height)

        return list(self._enumerate(v4l2.ENUM_FRAMEINTERVALS, interval))

    def set_control(self, number: int, value: int) -> bool:
        """Set a control; False: it has none of this number, or does not take the value."""
        try:
            self.try_ioctl(v4l2.S_CTRL, v4l2.Control(number, value))
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ERANGE, errno.ENOTTY):
                return False
            raise DeviceError(f"{self.path} failed: {error.strerror}") from error
        return True

    def control(self, number: int) -> int | None:
        """The value of a control; None: it has none of this number."""
        control = v4l2.Control(number, 0)
        try:
            self.try_ioctl(v4l2.G_CTRL, control)
        except OSError:
            return None
        return int(control.value)

    def limits(self, number: int) -> v4l2.ControlDescription | None:
        """What a control can be set to; None: it has none of this number, or none that can be set."""
        found = v4l2.ControlDescription(id=number)
        try:
            self.try_ioctl(v4l2.QUERYCTRL, found)
        except OSError:
            return None
        return None if found.flags & (v4l2.CTRL_FLAG_DISABLED | v4l2.CTRL_FLAG_READ_ONLY) else found

    def close(self) -> None:
        """Close the node."""
        os.close(self.fd)

    def _enumerate(self, request: int, entry: Callable[[int], S]) -> Iterator[S]:
        for index in range(_LONGEST_LIST):
            found = entry(index)
            try:
                self.try_ioctl(request, found)
            except OSError:
                return
            yield found


class Queue:
    """The buffers of one stream: the device's own, mapped into memory, or (``shared``) others' (DMABUF).

    DeviceError: no memory, it shares none, or the device has failed.
    """

    def __init__(self, device: Device, buffer_type: int, count: int, *, shared: bool = False) -> None:
        self._device = device
        self._type = buffer_type
        self._memory = v4l2.MEMORY_DMABUF if shared else v4l2.MEMORY_MMAP
        self._multiplanar = buffer_type in (v4l2.VIDEO_CAPTURE_MPLANE, v4l2.VIDEO_OUTPUT_MPLANE)
        request = v4l2.RequestBuffers(count=count, type=buffer_type, memory=self._memory)
        device.ioctl(v4l2.REQBUFS, request)
        self.count = request.count
        self.memory: list[mmap.mmap] = []
        for index in range(0 if shared else self.count):
            buffer, plane = self._buffer(index)
            device.ioctl(v4l2.QUERYBUF, buffer)
            length = plane.length if self._multiplanar else buffer.length
            offset = plane.m.mem_offset if self._multiplanar else buffer.m.offset
            try:
                self.memory.append(mmap.mmap(device.fd, length, offset=offset))
            except OSError as error:
                self.release()
                raise DeviceError(f"{device.path} gives no memory: {error.strerror}") from error

    def put(self, index: int, length: int = 0, time: float = 0.0, fd: int = -1) -> None:
        """Give a buffer to the device: to fill, or with ``length`` bytes in it of this capture time (s).

        Where memory is shared, ``fd`` is what the bytes lie in.
        """
        buffer, plane = self._buffer(index)
        buffer.bytesused = plane.bytesused = length
        if fd >= 0:
            plane.m.fd, plane.length = fd, length
        buffer.timestamp.tv_sec, buffer.timestamp.tv_usec = divmod(round(time * _MICRO), _MICRO)
        self._device.ioctl(v4l2.QBUF, buffer)

    def take(self) -> tuple[int, int, int, float] | None:
        """Take a buffer that the device has done with: index, bytes in it, flags, capture time; None: there is none."""
        buffer, plane = self._buffer(0)
        try:
            self._device.try_ioctl(v4l2.DQBUF, buffer)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno == errno.EPIPE:  # nothing comes after the last buffer
                return None
            raise DeviceError(f"{self._device.path} has failed: {error.strerror}") from error
        length = plane.bytesused if self._multiplanar else buffer.bytesused
        return buffer.index, length, buffer.flags, buffer.timestamp.tv_sec + buffer.timestamp.tv_usec / _MICRO

    def start(self) -> None:
        """Let the stream run."""
        self._device.ioctl(v4l2.STREAMON, c_int(self._type))

    def release(self) -> None:
        """Stop the stream and give its memory back; a device that is gone is no error."""
        with suppress(OSError):
            self._device.try_ioctl(v4l2.STREAMOFF, c_int(self._type))
        for memory in self.memory:
            memory.close()
        self.memory = []
        with suppress(OSError):
            self._device.try_ioctl(v4l2.REQBUFS, v4l2.RequestBuffers(type=self._type, memory=self._memory))

    def _buffer(self, index: int) -> tuple[v4l2.Buffer, v4l2.Plane]:
        buffer = v4l2.Buffer(index=index, type=self._type, memory=self._memory)
        plane = v4l2.Plane()
        if self._multiplanar:
            buffer.length = 1
            buffer.m.planes = pointer(plane)
        return buffer, plane


def nodes(first: Path) -> list[Path]:
    """The video nodes that there are, the first of which is this one, if there is such a one."""
    return sorted(Path("/dev").glob("video*"), key=lambda path: (path != first, path.name))


def converts(path: Path, takes: str, gives: str) -> bool:
    """Whether this node makes pictures of one format, by its four letters, into those of another."""
    try:
        device = Device(path)
    except DeviceError:
        return False
    try:
        if not device.capability().device_caps & v4l2.CAP_VIDEO_M2M_MPLANE:
            return False
        taken, given = device.formats(v4l2.VIDEO_OUTPUT_MPLANE), device.formats(v4l2.VIDEO_CAPTURE_MPLANE)
        return v4l2.fourcc(takes) in taken and v4l2.fourcc(gives) in given
    except DeviceError:
        return False
    finally:
        device.close()
