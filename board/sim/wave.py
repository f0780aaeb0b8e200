"""A WAV file that is valid at every moment, also when the process is killed."""

from __future__ import annotations

import os
import struct

from firmware.errors import DeviceError
from firmware.ports import SAMPLE_RATE

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_LARGEST = 0xFFFF_FFFF - _HEADER.size
"""Bytes of sound that the sizes in a WAV header can tell; about twelve hours."""


class WaveWriter:
    """A mono WAV file at 48 kHz.  What its header says is never more than what is there, at most a second less."""

    def __init__(self, path: str, *, append: bool = False) -> None:
        """Begin the file anew, or go on behind what an earlier WaveWriter has written.  DeviceError: can't."""
        self._path = path
        self._length = 0
        self._told = 0
        try:
            self._file = open(path, "r+b" if append and os.path.exists(path) else "wb", buffering=0)  # noqa: SIM115, PTH110, PTH123
        except OSError as error:
            raise DeviceError(f"{path} can't be written: {error.strerror}") from error
        try:
            self._length = max(0, self._file.seek(0, os.SEEK_END) - _HEADER.size) // 2 * 2
            self._file.seek(0)
            self._file.write(self._header())
            self._file.seek(self._length, os.SEEK_CUR)
        except OSError as error:
            self._file.close()
            raise DeviceError(f"{path} can't be written: {error.strerror}") from error

    def write(self, sound: bytes) -> None:
        """Append whole samples; what a WAV file can't hold any more is dropped.  DeviceError: the disk is full, say."""
        if self._file.closed or self._length + len(sound) > _LARGEST:
            return
        try:
            if self._file.write(sound) != len(sound):
                raise OSError(0, "the disk is full")
            self._length += len(sound)
            if self._length - self._told >= SAMPLE_RATE * 2:
                self._update_header()
        except OSError as error:
            raise DeviceError(f"{self._path} can't be written: {error.strerror}") from error

    def close(self) -> None:
        """Say the full length and close."""
        if self._file.closed:
            return
        try:
            self._update_header()
        except OSError as error:
            raise DeviceError(f"{self._path} can't be finished: {error.strerror}") from error
        finally:
            self._file.close()

    def _update_header(self) -> None:
        os.pwrite(self._file.fileno(), self._header(), 0)
        self._told = self._length

    def _header(self) -> bytes:
        return _HEADER.pack(
            b"RIFF", self._length + _HEADER.size - 8, b"WAVE",
            b"fmt ", 16, 1, 1, SAMPLE_RATE, SAMPLE_RATE * 2, 2, 16,
            b"data", self._length,
        )  # fmt: skip
