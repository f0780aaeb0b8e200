"""Memory that a video device writes (DMABUF) and a processor reads at its full speed (<linux/dma-heap.h>).

What a device of the Pi maps of its own memory is not cached: to read a picture there takes many times as long as to
decode it.  That of a heap is, and the kernel is told when it is read (<linux/dma-buf.h>).
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ctypes import Structure, c_char, c_uint32, c_uint64, sizeof
from ctypes import addressof as address_of
from pathlib import Path

from firmware.errors import DeviceError

HEAPS = Path("/dev/dma_heap")
_NAMES = ("linux,cma", "reserved", "default_cma_region", "system")
"""Those that a device of the Pi can write to, by the names that kernels gave them, and the one that any kernel has."""


class _Allocation(Structure):
    """struct dma_heap_allocation_data."""

    _fields_ = (("len", c_uint64), ("fd", c_uint32), ("fd_flags", c_uint32), ("heap_flags", c_uint64))


class _Sync(Structure):
    """struct dma_buf_sync."""

    _fields_ = (("flags", c_uint64),)


_READ, _WRITE = 2, 1
_ALLOC = (_READ | _WRITE) << 30 | sizeof(_Allocation) << 16 | ord("H") << 8
_SYNC = _WRITE << 30 | sizeof(_Sync) << 16 | ord("b") << 8
_SYNC_READ, _SYNC_END = 1, 4


class HeapMemory:
    """Memory of a heap.  DeviceError: there is no heap, or none left in it."""

    def __init__(self, size: int, heaps: Path = HEAPS) -> None:
        self.size = size
        path = next((heaps / name for name in _NAMES if (heaps / name).exists()), None)
        if path is None:
            raise DeviceError(f"there is no memory for pictures in {heaps}")
        try:
            heap = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                allocation = _Allocation(len=size, fd_flags=os.O_RDWR | os.O_CLOEXEC)
                fcntl.ioctl(heap, _ALLOC, allocation)
            finally:
                os.close(heap)
        except OSError as error:
            raise DeviceError(f"{path} gives no memory: {error.strerror}") from error
        self.fd = int(allocation.fd)
        try:
            self._memory = mmap.mmap(self.fd, size)
        except OSError as error:
            os.close(self.fd)
            raise DeviceError(f"memory of {path} can't be read: {error.strerror}") from error

    @contextmanager
    def reading(self) -> Iterator[int]:
        """While a device does not write there: the address at which its octets are read."""
        self._sync(_SYNC_READ)
        begin = c_char.from_buffer(self._memory)
        try:
            yield address_of(begin)
        finally:
            del begin  # or the memory could not be given back
            self._sync(_SYNC_READ | _SYNC_END)

    def close(self) -> None:
        """Give it back, once no device has it any more."""
        self._memory.close()
        os.close(self.fd)

    def _sync(self, flags: int) -> None:
        with suppress(OSError):  # who can't be told needs not be
            fcntl.ioctl(self.fd, _SYNC, _Sync(flags))
