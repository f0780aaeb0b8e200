"""Marks on packets by which routers tell what is urgent (RFC 2474: the differentiated services code point).

A mark holds for all that a socket sends from then on; connections that a listening socket accepts inherit it.
"""

from __future__ import annotations

import socket


def mark(sock: socket.socket, dscp: int) -> None:
    """Mark what a socket sends, by IPv4 or IPv6, with this code point (0 to 63)."""
    # The lower two bits of the octet are for congestion notification, which the kernel sees to (RFC 3168).
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
