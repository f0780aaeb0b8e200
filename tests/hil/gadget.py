"""A USB device from the inside (the kernel's raw-gadget), on a socket that is a loop (its dummy_hcd)."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass

CONTROL, DISCONNECT = 2, 6
"""Events (enum usb_raw_event_type)."""
_HIGH_SPEED = 3
_MOST = 16_384
"""Bytes of a transfer."""


class _Transfer(ctypes.Structure):
    """struct usb_raw_ep_io."""

    _fields_ = (
        *(("ep", ctypes.c_uint16), ("flags", ctypes.c_uint16), ("length", ctypes.c_uint32)),
        ("data", ctypes.c_uint8 * _MOST),
    )


def _request(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | ord("U") << 8 | number


_INIT, _EVENT_FETCH = _request(1, 0, 257), _request(2, 2, 8)
_EP0_WRITE, _EP0_READ = _request(1, 3, 8), _request(3, 4, 8)
_EP_ENABLE, _EP_WRITE = _request(1, 5, 9), _request(1, 7, 8)
_RUN, _CONFIGURE, _EP0_STALL = (_request(0, number, 0) for number in (1, 9, 12))
_VBUS_DRAW = _request(1, 10, 4)
_ZERO = 1
"""Flag: end a transfer that fills its packets by an empty one."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A request of the host's (USB 2.0 9.3)."""

    request_type: int
    request: int
    value: int
    index: int
    length: int

    @property
    def to_host(self) -> bool:
        return bool(self.request_type & 0x80)

    @property
    def is_class(self) -> bool:
        return self.request_type & 0x60 == 0x20


class Gadget:
    """One device.  Whoever ends its process pulls it out."""

    def __init__(self) -> None:
        self._ioctl = ctypes.CDLL(None, use_errno=True).ioctl  # lets other threads run, which fcntl's does not always
        self._fd = os.open("/dev/raw-gadget", os.O_RDWR)
        names = b"dummy_udc".ljust(128, b"\0") + b"dummy_udc.0".ljust(128, b"\0")
        self._do(_INIT, ctypes.create_string_buffer(names + bytes([_HIGH_SPEED]), 257))
        self._do(_RUN, 0)

    def event(self) -> tuple[int, Setup | None]:
        """Wait for what the host does next."""
        event = ctypes.create_string_buffer(struct.pack("<II", 0, 8), 16)
        self._do(_EVENT_FETCH, event)
        kind = struct.unpack_from("<I", event.raw)[0]
        return kind, Setup(*struct.unpack_from("<BBHHH", event.raw, 8)) if kind == CONTROL else None

    def answer(self, setup: Setup, data: bytes) -> None:
        """Give the host what it asked for, as much of it as it wanted."""
        self._transfer(_EP0_WRITE, 0, data[: setup.length])

    def take(self, setup: Setup) -> bytes:
        """Take what the host says with its request, which is accepted by that."""
        transfer = _Transfer(ep=0, length=setup.length)
        got = self._do(_EP0_READ, ctypes.byref(transfer))
        return bytes(transfer.data[:got])

    def refuse(self) -> None:
        """Refuse a request."""
        self._do(_EP0_STALL, 0)

    def configure(self, endpoints: Iterable[bytes]) -> list[int]:
        """Make ready as the host wants, with these endpoints' descriptors; give their handles."""
        handles = [self._do(_EP_ENABLE, ctypes.create_string_buffer(endpoint, 9)) for endpoint in endpoints]
        self._do(_VBUS_DRAW, 0x32)
        self._do(_CONFIGURE, 0)
        return handles

    def write(self, endpoint: int, data: bytes) -> None:
        """Give the host data, when it takes it."""
        self._transfer(_EP_WRITE, endpoint, data)

    def _transfer(self, request: int, endpoint: int, data: bytes) -> None:
        transfer = _Transfer(ep=endpoint, length=len(data), flags=_ZERO if endpoint else 0)
        ctypes.memmove(transfer.data, data, len(data))
        self._do(request, ctypes.byref(transfer))

    def _do(self, request: int, argument: object) -> int:
        result = int(self._ioctl(self._fd, ctypes.c_ulong(request), argument))
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return result
