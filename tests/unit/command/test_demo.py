from __future__ import annotations

import socket

import pytest

from firmware.command.demo import free_port
from firmware.errors import FirmwareError


def test_a_port_that_is_free_is_taken_and_another_otherwise() -> None:
    port = free_port("127.0.0.1", 0)
    assert free_port("127.0.0.1", port) == port
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as taken:
            taken.bind(("127.0.0.1", port))
            if kind == socket.SOCK_STREAM:
                taken.listen()
            other = free_port("127.0.0.1", port)
            assert other not in (0, port)


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(FirmwareError, match="no port is free"):
        free_port("192.0.2.1", 5060)
