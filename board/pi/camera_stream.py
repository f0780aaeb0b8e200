"""What a camera gives in one mode, from its start to its end; for one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from board.pi import v4l2
from board.pi.raw_picture import Converter
from board.pi.v4l2_device import Device, Queue
from firmware.errors import DeviceError

if TYPE_CHECKING:
    import av

    from board.pi.camera_mode import Mode

_BUFFERS = 4
_MONOTONIC, _CLOCK_MASK = 0x2000, 0xE000
"""Of a buffer's flags: the clock of its time stamp."""
_MICROSECOND = Fraction(1, 1_000_000)


class CameraStream:
    """Runs from the start.  *configure* is called before.  DeviceError: the camera does not take the mode, is busy."""

    def __init__(
        self, device: Device, mode: Mode, frame_rate: int, configure: Callable[[], None] | None = None
    ) -> None:
        self._device = device
        self._mode = mode
        stride = self._set_mode(frame_rate)
        if configure is not None:
            configure()
        self._converter = Converter(mode.pixel_format, mode.width, mode.height, stride)
        self._queue = Queue(device, v4l2.VIDEO_CAPTURE, _BUFFERS)
        for index in range(len(self._queue.memory)):
            self._queue.put(index)
        self._queue.start()

    def newest(self) -> av.VideoFrame | None:
        """The newest picture that the camera has, those before it go back unseen; None: it has none."""
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
            frame.time_base, frame.pts = _MICROSECOND, round(_time(flags, taken) / _MICROSECOND)
        return frame

    def all(self) -> Iterator[tuple[bytes, float]]:
        """What the camera has encoded, one after the other, with its capture time."""
        while (done := self._queue.take()) is not None:
            index, length, flags, taken = done
            data = self._queue.memory[index][:length]
            self._queue.put(index)
            if data and not flags & v4l2.BUF_FLAG_ERROR:
                yield data, _time(flags, taken)

    def decoded(self, data: bytes, taken: float) -> av.VideoFrame | None:
        """The picture in what was encoded; None: it can't be decoded, as before the first key frame."""
        frame = self._converter.convert(memoryview(data))
        if frame is not None:
            frame.time_base, frame.pts = _MICROSECOND, round(taken / _MICROSECOND)
        return frame

    def close(self) -> None:
        """Stop, and give the memory back."""
        self._queue.release()

    def _set_mode(self, frame_rate: int) -> int:
        """Set the mode; give the bytes from one row of a picture to the next."""
        mode, device = self._mode, self._device
        wanted = v4l2.Format(type=v4l2.VIDEO_CAPTURE)
        form = wanted.fmt.pix
        form.width, form.height, form.pixelformat = mode.width, mode.height, v4l2.fourcc(mode.pixel_format)
        form.field = v4l2.FIELD_NONE
        device.ioctl(v4l2.S_FMT, wanted)
        got = wanted.fmt.pix
        if (got.width, got.height, got.pixelformat) != (mode.width, mode.height, v4l2.fourcc(mode.pixel_format)):
            raise DeviceError(
                f"{device.path} offers {mode.pixel_format} {mode.width}x{mode.height}, but does not take it"
            )
        rate = v4l2.StreamParameters(type=v4l2.VIDEO_CAPTURE)
        rate.timeperframe.numerator, rate.timeperframe.denominator = 1, min(frame_rate, mode.frame_rate)
        device.ioctl(v4l2.S_PARM, rate)
        return int(got.bytesperline)


def _time(flags: int, taken: float) -> float:
    return taken if flags & _CLOCK_MASK == _MONOTONIC else time.monotonic()
