"""The addresses that this machine has now, and word of it when they change (rtnetlink(7)).

Only those by which others can reach it: not of loopback, of one link, or of which it is not sure yet whether they are
its own (RFC 4862 5.4).
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger(__name__)

SETTLE_TIME: Final = 0.5
"""Seconds without a change after which it is told: an address comes before its routes."""
MAX_ADDRESSES: Final = 64

_FAMILIES: Final = {socket.AF_INET: 4, socket.AF_INET6: 16}
"""With the length of an address."""
_GROUPS: Final = 0x10 | 0x40 | 0x100 | 0x400
"""RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_IFADDR, RTMGRP_IPV6_ROUTE."""
_NEW_ADDRESS, _GET_ADDRESS, _DONE, _ERROR = 20, 22, 3, 2
_REQUEST_DUMP: Final = 0x301
"""NLM_F_REQUEST | NLM_F_DUMP."""
_ADDRESS, _LOCAL, _FLAGS = 1, 2, 8
_UNUSABLE: Final = 0x08 | 0x20 | 0x40
"""IFA_F_DADFAILED, IFA_F_DEPRECATED, IFA_F_TENTATIVE."""
_SITE: Final = 200
"""The narrowest scope that reaches beyond a link."""
_header: Final = struct.Struct("=IHHII")
"""nlmsghdr: length, type, flags, sequence, port."""
_about: Final = struct.Struct("=BBBBI")
"""ifaddrmsg: family, length of prefix, flags, scope, interface."""
_attribute: Final = struct.Struct("=HH")
_BUFFER: Final = 65_536
_BURST: Final = 64
_PATIENCE: Final = 1.0
"""Seconds for the kernel, which answers at once."""


def own_addresses() -> tuple[str, ...]:
    """Give the machine's addresses, in the kernel's order.  OSError: the kernel does not say."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as asked:
        asked.settimeout(_PATIENCE)
        asked.send(_header.pack(_header.size + _about.size, _GET_ADDRESS, _REQUEST_DUMP, 1, 0) + bytes(_about.size))
        found: dict[str, None] = {}
        while True:
            for kind, body in _messages(asked.recv(_BUFFER)):
                if kind in (_DONE, _ERROR):
                    return tuple(found)[:MAX_ADDRESSES]
                address = _read(body) if kind == _NEW_ADDRESS else None
                if address is not None:
                    found[address] = None


class AddressWatch:
    """Calls *on_change* in the event loop after the machine's addresses have changed.  OSError: it can't."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._settling: asyncio.TimerHandle | None = None
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        try:
            self._socket.setblocking(False)
            self._socket.bind((0, _GROUPS))
            self._known = set(own_addresses())  # after that: no change is missed between
        except OSError:
            self._socket.close()
            raise
        self._loop.add_reader(self._socket, self._read)

    def close(self) -> None:
        """Watch no more."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        if self._settling is not None:
            self._settling.cancel()

    def _read(self) -> None:
        for _ in range(_BURST):
            try:
                self._socket.recv(_BUFFER)
            except BlockingIOError:
                break
            except OSError as error:  # ENOBUFS: more has happened than was kept; we look at all of it anyway
                logger.debug("= addresses: %s", error)
                break
        if self._settling is not None:
            self._settling.cancel()
        self._settling = self._loop.call_later(SETTLE_TIME, self._look)

    def _look(self) -> None:
        try:
            now = set(own_addresses())
        except OSError as error:
            logger.warning("= addresses: %s", error)
            return
        if now == self._known:
            return
        for sign, changed in (("+", now - self._known), ("-", self._known - now)):
            for address in sorted(changed):
                logger.info("= address %s%s", sign, address)
        self._known = now
        self._on_change()


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Take apart what the kernel says: types and bodies."""
    position = 0
    while position + _header.size <= len(data):
        length, kind, *_ = _header.unpack_from(data, position)
        if length < _header.size:
            return
        yield kind, data[position + _header.size : position + length]
        position += length + -length % 4


def _read(body: bytes) -> str | None:
    """Read an address that others can reach; None: they can't."""
    if len(body) < _about.size:
        return None
    family, _, flags, scope, _ = _about.unpack_from(body)
    size = _FAMILIES.get(family)
    attributes = dict(_attributes(body[_about.size :]))
    # Of a link with two ends, ADDRESS is the other one's.
    packed = attributes.get(_LOCAL) or attributes.get(_ADDRESS) or b""
    more = attributes.get(_FLAGS, b"")
    flags = int.from_bytes(more, "little" if struct.pack("=H", 1)[0] else "big") if more else flags
    if size is None or len(packed) != size or scope > _SITE or flags & _UNUSABLE:
        return None
    address = ipaddress.ip_address(packed)
    return None if address.is_loopback or address.is_link_local else str(address)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + _attribute.size <= len(data):
        length, kind = _attribute.unpack_from(data, position)
        if length < _attribute.size:
            return
        yield kind, data[position + _attribute.size : position + length]
        position += length + -length % 4
