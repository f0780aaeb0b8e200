"""The two sockets between the room's process and the media worker, and how messages lie in them.

Commands go down a SOCK_SEQPACKET pair, one msgpack message each, with the file descriptors that belong to it beside it.
A message longer than `INLINE` lies in a memory file whose descriptor comes last, because a packet has to fit the
socket buffer.  Reports come up a SOCK_STREAM pair, each after its length (4 bytes, big endian), and are bounded:
whoever decodes hostile pictures must not be able to fill the room's memory.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator, Sequence

import msgspec

from firmware.errors import DecodeError
from firmware.media.message import Command, Report

logger = logging.getLogger(__name__)

INLINE = 32_768
"""Bytes of a command that travel in the packet itself."""
MAX_DESCRIPTORS = 64
"""Descriptors beside one command: 31 addresses of two sockets and a memory file."""
MAX_REPORT = 16 * 1024 * 1024
"""Bytes of a report: a large screenshot."""
MAX_WAITING = 256
"""Reports that wait to be written; the oldest give way."""

_LENGTH = struct.Struct("!I")
_IN_MEMORY = b"\xc1"  # a byte that msgpack never uses: the message lies in the last descriptor

_encode = msgspec.msgpack.Encoder().encode
_decode_command = msgspec.msgpack.Decoder(Command).decode
_decode_report = msgspec.msgpack.Decoder(Report).decode


def send_command(sock: socket.socket, command: Command, descriptors: Sequence[int] = ()) -> None:
    """Send a command and the descriptors that belong to it; the caller keeps its own.

    BlockingIOError: the worker does not take its commands.  OSError: it is gone.
    """
    data, descriptors = _encode(command), list(descriptors)
    memory = -1
    if len(data) > INLINE:
        memory = os.memfd_create("command", os.MFD_CLOEXEC)
        os.write(memory, data)
        data = _IN_MEMORY
        descriptors.append(memory)
    try:
        socket.send_fds(sock, [data], descriptors)
    finally:
        if memory >= 0:
            os.close(memory)


def receive_command(sock: socket.socket) -> tuple[Command, list[int]] | None:
    """Give the next command and its descriptors, now the caller's; None when the room has gone."""
    data, descriptors, _flags, _address = socket.recv_fds(sock, INLINE, MAX_DESCRIPTORS)
    if not data:
        return None
    if data == _IN_MEMORY:
        memory = descriptors.pop()
        try:
            data = os.pread(memory, os.fstat(memory).st_size, 0)
        finally:
            os.close(memory)
    return _decode_command(data), descriptors


class ReportWriter:
    """Writes reports in a thread of its own, so that no media thread ever waits for the room."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._waiting: deque[Report] = deque(maxlen=MAX_WAITING)
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)
        self._thread.start()

    def __call__(self, report: Report) -> None:
        """Have this report written soon."""
        with self._wake:
            self._waiting.append(report)
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting:
                    self._wake.wait()
                report = self._waiting.popleft()
            data = _encode(report)
            if len(data) > MAX_REPORT:
                logger.error("A %s of %d bytes is too long to be reported", type(report).__name__, len(data))
                continue
            try:
                self._socket.sendall(_LENGTH.pack(len(data)) + data)
            except OSError:
                return  # the room has gone; the main thread sees it on the other socket


class ReportReader:
    """Takes the bytes of the report socket apart."""

    def __init__(self) -> None:
        self._data = bytearray()

    def receive(self, data: bytes) -> Iterator[Report]:
        """Give the reports that are complete now.  DecodeError: this worker can't be trusted any more."""
        self._data += data
        while len(self._data) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._data)
            if length > MAX_REPORT:
                raise DecodeError(f"a report of {length} bytes")
            end = _LENGTH.size + length
            if len(self._data) < end:
                return
            message = bytes(self._data[_LENGTH.size : end])
            del self._data[:end]
            try:
                report: Report = _decode_report(message)
            except msgspec.MsgspecError as error:
                raise DecodeError(f"not a report: {error}") from error
            yield report
