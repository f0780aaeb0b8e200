"""One UDP socket that tells to which of our addresses a datagram came, and which far end can't be reached.

Rule 1: on a wildcard address the kernel's packet information says which local address was meant (RFC 3542 6.1;
IP_PKTINFO in ip(7)), and an answer leaves from that one: the far end sees the address that it wrote to.
Rule 2: an ICMP error comes by the socket's error queue (IP_RECVERR), with the address that it is about; without the
queue, one unreachable far end would fail the sending to another.
Rule 3: not every ICMP error means that (RFC 3261 18.4): neither a path with a smaller MTU nor one with too many hops is
a reason to give up; the next repetition is fragmented, or takes another way.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import os
import socket
import struct
from typing import TYPE_CHECKING, Final

from firmware.net.address import kernel_address, own_kernel_address, remote_address, without_scope
from firmware.net.dscp import mark

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from firmware.sansio import Address

logger = logging.getLogger(__name__)

BATCH: Final = 64
"""Datagrams read before the event loop gets its turn again."""
MAX_DATAGRAM: Final = 65_535
RECEIVE_BUFFER: Final = 1 << 19
"""Octets asked for, of which the kernel grants what net.core.rmem_max allows: hundreds of messages, half a second of
work, that come while the process has no turn.  An ACK that is lost costs more than it does."""

_IP_PKTINFO: Final = 8  # linux/in.h; not in the socket module
_IP_RECVERR: Final = 11
_IPV6_RECVERR: Final = 25
_IN_PKTINFO: Final = struct.Struct("=i4s4s")
_IN6_PKTINFO: Final = struct.Struct("=16si")
_ANCILLARY: Final = socket.CMSG_SPACE(_IN6_PKTINFO.size)
_ERROR_ANCILLARY: Final = 512
_EXTENDED_ERROR: Final = struct.Struct("=IBBB")
"""``ee_errno``, ``ee_origin``, ``ee_type`` and ``ee_code`` of linux/errqueue.h."""
_ORIGIN_ICMP: Final = 2
_ORIGIN_ICMP6: Final = 3
_UNREACHABLE: Final = {
    _ORIGIN_ICMP: (3, 12),  # destination unreachable, parameter problem (RFC 792)
    _ORIGIN_ICMP6: (1, 4),  # the same (RFC 4443)
}


class DatagramSocket:
    """A bound UDP socket on the event loop.

    *on_datagram(local, remote, data)* is called for each datagram, *on_error(remote, words)* for each far end that ICMP
    says can't be reached, *on_batch()* after all that was there at once.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        address: Address,
        on_datagram: Callable[[Address, Address, bytes], None],
        on_error: Callable[[Address, str], None],
        on_batch: Callable[[], None],
        dscp: int = 0,
    ) -> None:
        """Bind it; *dscp* marks what is sent.  OSError: that can't be done."""
        self._loop = loop
        self._on_datagram, self._on_error, self._on_batch = on_datagram, on_error, on_batch
        self._wildcard = ipaddress.ip_address(address[0]).is_unspecified
        self._ipv6 = ":" in address[0]
        self._socket = socket.socket(socket.AF_INET6 if self._ipv6 else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            if self._ipv6:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
                self._socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
            else:
                self._socket.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
                self._socket.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
            mark(self._socket, dscp)
            self._socket.bind(own_kernel_address(address))
        except OSError:
            self._socket.close()
            raise
        host, port = self._socket.getsockname()[:2]
        self.address: Final[Address] = (without_scope(host), port)
        """Where it is bound, with the real port."""
        self._loop.add_reader(self._socket.fileno(), self._readable)

    def send(self, local: Address, remote: Address, data: bytes) -> None:
        """Send a datagram from one of our addresses.  OSError: it did not leave."""
        try:
            self._send(local, remote, data)
        except BlockingIOError:
            logger.debug("> udp %s: the socket is full, a datagram is lost", remote)
        except OSError:
            # The error may be an earlier datagram's, to somebody else; the queue tells, then it is this one's turn.
            if not self._read_errors():
                raise
            self._send(local, remote, data)

    def close(self) -> None:
        """Stop listening."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _send(self, local: Address, remote: Address, data: bytes) -> None:
        there = kernel_address(remote)
        if not self._wildcard:
            self._socket.sendto(data, there)
            return
        host = socket.inet_pton(self._socket.family, local[0])
        if self._ipv6:
            link = there[3] if len(there) > 2 else 0
            information = (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, _IN6_PKTINFO.pack(host, link))
        else:
            information = (socket.IPPROTO_IP, _IP_PKTINFO, _IN_PKTINFO.pack(0, host, bytes(4)))
        self._socket.sendmsg([data], [information], 0, there)

    def _readable(self) -> None:
        failed = False
        for _ in range(BATCH):
            try:
                data, ancillary, _, sender = self._socket.recvmsg(MAX_DATAGRAM, _ANCILLARY)
            except BlockingIOError:
                break
            except OSError:
                failed = True
                if not self._read_errors():
                    break
                continue
            if sender[1]:  # nobody can be answered at port 0
                self._on_datagram(self._local(ancillary), remote_address(sender), data)
        failed = self._read_errors() or failed
        self._on_batch()
        if failed and self._socket.fileno() >= 0:
            # libuv stops watching a descriptor once epoll has reported an error on it.
            self._loop.remove_reader(self._socket.fileno())
            self._loop.add_reader(self._socket.fileno(), self._readable)

    def _local(self, ancillary: list[tuple[int, int, bytes]]) -> Address:
        """Give the address that the datagram was sent to, with our port."""
        if not self._wildcard:
            return self.address
        for level, kind, value in ancillary:
            if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO) and len(value) == _IN_PKTINFO.size:
                return socket.inet_ntop(socket.AF_INET, _IN_PKTINFO.unpack(value)[1]), self.address[1]
            if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO) and len(value) == _IN6_PKTINFO.size:
                return socket.inet_ntop(socket.AF_INET6, _IN6_PKTINFO.unpack(value)[0]), self.address[1]
        return self.address

    def _read_errors(self) -> bool:
        """Empty the error queue; whether there was anything in it."""
        found = False
        while self._socket.fileno() >= 0:
            try:
                _, ancillary, _, remote = self._socket.recvmsg(0, _ERROR_ANCILLARY, socket.MSG_ERRQUEUE)
            except OSError:
                break
            found = True
            number = next((unreachable(v) for _, kind, v in ancillary if kind in (_IP_RECVERR, _IPV6_RECVERR)), 0)
            if remote and number:
                self._on_error(remote_address(remote), os.strerror(number))
        return found


def unreachable(extended_error: bytes) -> int:
    """Give the errno of a ``struct sock_extended_err`` that says that a far end can't be reached; 0 of any other."""
    if len(extended_error) < _EXTENDED_ERROR.size:
        return 0
    number, origin, kind, _ = _EXTENDED_ERROR.unpack_from(extended_error)
    # EMSGSIZE: "fragmentation needed", which is a kind of "destination unreachable" in IPv4.
    return int(number) if kind in _UNREACHABLE.get(origin, ()) and number != errno.EMSGSIZE else 0
