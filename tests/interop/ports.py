"""Addresses and ports of the loopback that nobody uses, so that tests run side by side."""

from __future__ import annotations

import random
import socket

_random = random.SystemRandom()


def own_address() -> str:
    """An address of 127.0.0.0/8 that nobody else uses: all of its ports are free."""
    return f"127.{_random.randrange(1, 250)}.{_random.randrange(250)}.{_random.randrange(2, 250)}"


def free_port(address: str = "127.0.0.1") -> int:
    """A port that is free for UDP and TCP."""
    return free_ports(1, address).start


def free_ports(count: int, address: str = "127.0.0.1") -> range:
    """A row of ports free for UDP and TCP, from an even one, outside of what the kernel hands out by itself."""
    for _ in range(100):
        ports = range(first := _random.randrange(10_000, 32_000, 2), first + count)
        if all(is_free(address, port) for port in ports):
            return ports
    raise AssertionError(f"no {count} free ports in a row")


def is_free(address: str, port: int) -> bool:
    """Whether nobody has this port, for UDP and TCP."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(family, kind) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True
