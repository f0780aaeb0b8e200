"""A recording before the microphone: any file with sound that FFmpeg reads, again and again."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import av
from av.audio.resampler import AudioResampler

from firmware.errors import DeviceError
from firmware.ports import BLOCK_BYTES, SAMPLE_RATE

if TYPE_CHECKING:
    from collections.abc import Generator


class Recording:
    """The sound of a file, mono at 48 kHz whatever it was, again and again."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._container = av.open(path)
        except (av.FFmpegError, OSError) as error:
            raise DeviceError(f"the recording {path} can't be opened: {_reason(error)}") from error
        if not self._container.streams.audio:
            self._container.close()
            raise DeviceError(f"the recording {path} has no sound")
        self._pieces = self._decode()
        self._waiting = bytearray()

    def block(self, number: int) -> bytes:  # noqa: ARG002
        """Give the next block; what a late reader lost is not skipped here.  DeviceError: the file went bad."""
        while len(self._waiting) < BLOCK_BYTES:
            piece = next(self._pieces, None)
            if piece is None:  # it was closed, or failed before
                raise DeviceError(f"the recording {self._path} can't be read")
            self._waiting += piece
        block = bytes(self._waiting[:BLOCK_BYTES])
        del self._waiting[:BLOCK_BYTES]
        return block

    def close(self) -> None:
        """Close the file; there is no more sound then."""
        self._pieces.close()  # libav crashes where a closed file is read
        self._container.close()

    def _decode(self) -> Generator[bytes]:
        stream = self._container.streams.audio[0]
        while True:
            resampler = AudioResampler("s16", "mono", SAMPLE_RATE)
            length = 0
            try:
                for frame in chain(self._container.decode(stream), [None]):
                    for piece in resampler.resample(frame):
                        length += piece.samples
                        yield bytes(piece.planes[0])[: piece.samples * 2]
                self._container.seek(0)
            except (av.FFmpegError, OSError) as error:
                raise DeviceError(f"the recording {self._path} can't be read: {_reason(error)}") from error
            if not length:
                raise DeviceError(f"the recording {self._path} has no sound")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
