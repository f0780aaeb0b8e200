"""Two networks of their own joined by a link that takes its time, and for each kind of packets another.

::

    left ── tun ──▶ this process: a queue for each mark (RFC 2474) ──▶ tun ── right

Kernels without netem have it too.  Packets of one mark stay in order, whatever their jitter.
"""

from __future__ import annotations

import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from interop.namespaces import Namespace, _run

EF, AF41 = 46, 34
"""How a unit marks its sound and its pictures (`firmware.net.dscp`)."""
_TUNSETIFF = 0x400454CA
_IFF_TUN_NO_PI = 0x1001


@dataclass(frozen=True)
class Way:
    """What a packet has to expect, s."""

    delay: float = 0.0
    jitter: float = 0.0


class SlowLink:
    """Both networks and the link.  Use as a context manager: outside, there is nothing left of it."""

    def __init__(self) -> None:
        if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):  # noqa: PTH110
            pytest.skip("a link of tun devices takes root")
        mark = f"visavis-{os.getpid()}"
        self.ends = (Namespace(f"{mark}-left", "10.77.0.1"), Namespace(f"{mark}-right", "10.77.0.2"))
        self.ways: dict[int, Way] = {}
        """By mark, from left to right as from right to left; changes hold from the next packet on."""
        self._undo = ExitStack()
        self._stopped = threading.Event()

    def __enter__(self) -> SlowLink:
        try:
            self._files = [self._make(end) for end in self.ends]
        except BaseException:
            self._undo.close()
            raise
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(5)
        self._undo.close()

    def _make(self, end: Namespace) -> int:
        _run("ip", "netns", "add", end.name)
        self._undo.callback(_run, "ip", "netns", "del", end.name)
        with end.entered():
            file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            self._undo.callback(os.close, file)
            fcntl.ioctl(file, _TUNSETIFF, struct.pack("16sH22x", b"tun0", _IFF_TUN_NO_PI))
        for words in ("link set lo up", f"addr add {end.address}/24 dev tun0", "link set tun0 up"):
            _run("ip", "-n", end.name, *words.split())
        return file

    def _carry(self) -> None:
        poll, order, rng = select.poll(), itertools.count(), random.Random(1)
        others = dict(zip(self._files, reversed(self._files), strict=True))
        for file in self._files:
            poll.register(file, select.POLLIN)
        queue: list[tuple[float, int, int, bytes]] = []
        last: dict[tuple[int, int], float] = {}
        while not self._stopped.is_set():
            wait = min(0.1, queue[0][0] - time.monotonic()) if queue else 0.1
            for file, _ in poll.poll(max(0.0, wait * 1000)):
                packet = os.read(file, 2048)
                mark = packet[1] >> 2  # RFC 791 3.1, RFC 2474 3
                way = self.ways.get(mark, Way())
                due = time.monotonic() + way.delay + rng.uniform(0, way.jitter)
                due = last[file, mark] = max(due, last.get((file, mark), 0.0))
                heapq.heappush(queue, (due, next(order), others[file], packet))
            while queue and queue[0][0] <= time.monotonic():
                _, _, other, packet = heapq.heappop(queue)
                os.write(other, packet)
