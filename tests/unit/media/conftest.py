"""Fixtures of the media: real sockets on loopback, real streams, and patience."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from media_parts import Collector, Peer

from firmware.call.media import Kind
from firmware.media.network import Network
from firmware.media.stream import Stream
from firmware.net.ports import PortPool

Eventually = Callable[..., None]


@pytest.fixture
def eventually() -> Eventually:
    """Wait until something is true; how long that takes is no subject of these tests."""

    def wait(condition: Callable[[], object], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it never came true"
            time.sleep(0.005)

    return wait


@pytest.fixture
def ports() -> Iterator[PortPool]:
    pool = PortPool(41_000, 41_999)
    yield pool
    pool.close()


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network()
    yield network
    network.stop()


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def make_stream(ports: PortPool) -> Iterator[Callable[..., Stream]]:
    streams: list[Stream] = []

    def make(kind: Kind = Kind.AUDIO, clock_rate: int = 8_000) -> Stream:
        pair = ports.reserve("127.0.0.1")
        sockets = tuple(sock.dup() for sock in (pair.rtp, pair.rtcp))
        for sock in sockets:
            sock.setblocking(False)
        stream = Stream(kind, (sockets[0], sockets[1]), "test", clock_rate, 0, 0)
        streams.append(stream)
        return stream

    yield make
    for stream in streams:
        stream.close(time.monotonic())


@pytest.fixture
def viewer() -> Collector:
    return Collector()
