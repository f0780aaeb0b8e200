"""When an answer leaves the machine, by the kernel's own time stamp of the packet."""

from __future__ import annotations

import socket
import struct
import time

_ALL_PROTOCOLS = 0x0003
"""ETH_P_ALL."""
_TIMESTAMPNS = 35
"""SO_TIMESTAMPNS."""
_TIME = struct.Struct("@qq")
LONGEST = 20.0
"""Seconds to wait for an answer."""


class AnswerWatch:
    """Sees the packets that leave, from the beginning of the ``with``, and how long the answer took from then on."""

    def __enter__(self) -> AnswerWatch:
        self._packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ALL_PROTOCOLS))
        self._packets.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)
        self._packets.settimeout(LONGEST)
        self._begin = time.time()
        return self

    def __exit__(self, *_: object) -> None:
        self._packets.close()

    def wait(self) -> float:
        """Wait for SIP's 200 to an INVITE; give its time, s since the beginning."""
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            packet, ancillary, _, _ = self._packets.recvmsg(65_536, socket.CMSG_SPACE(_TIME.size))
            if b"SIP/2.0 200 " in packet and b" INVITE\r\n" in packet:
                for level, kind, data in ancillary:
                    if (level, kind) == (socket.SOL_SOCKET, _TIMESTAMPNS):
                        seconds, nanoseconds = _TIME.unpack(data)
                        return seconds + nanoseconds / 1e9 - self._begin
        raise AssertionError(f"no answer in {LONGEST:.0f} s")
