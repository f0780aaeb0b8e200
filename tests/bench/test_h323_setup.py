"""What the set-up of a call costs by H.323, beside SIP's: round trips on the virtual wire, and CPU and time by sockets.

Both ends are ours, in one process, and agree on sound and pictures both ways; the media themselves are left out.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pytest
import uvloop
from behaviours import PATIENCE
from bench.conftest import Figure
from conformance.test_behaviours_sip import SipBench
from h323_bench import H323Bench
from interop.ports import own_address
from parties import ALL, accept, directions
from wire import Wire
from wire_transport import MemoryPorts

from firmware import config
from firmware.call.call import Call, State
from firmware.call.endpoint import Endpoint
from firmware.call.media import Capabilities, Encryption
from firmware.sansio import Action, Address, Open, Send
from firmware.signaling.h323 import H323Endpoint
from firmware.signaling.sip import SipEndpoint

CALLS = 100


class HandshakeWire(Wire):
    """A wire on which a connection takes a round trip, as TCP's handshake does."""

    def _act(self, address: Address, action: Action) -> None:
        flow = action.flow
        if isinstance(action, Open):
            self._opening.add((address, flow))
            self._later(self._open, address, flow, extra=self.delay)
        elif isinstance(action, Send) and (address, flow) in self._opening:
            self._later(self._deliver_waiting, address, flow, action.data, extra=2 * self.delay)
        else:
            super()._act(address, action)


@dataclass(frozen=True)
class Way:
    """A way to set a call up."""

    name: str
    virtual: Callable[[], SipBench | H323Bench]
    endpoint: Callable[[str], tuple[Endpoint, str]]
    wanted_trips: str = ""


def sip(transport: str, *srtp: Literal["sdes", "dtls"]) -> Way:
    """*srtp*: how keys are agreed; no way: nothing is encrypted."""
    capabilities = Capabilities(encryption=Encryption.PREFERRED if srtp else Encryption.OFF)

    def endpoint(host: str) -> tuple[Endpoint, str]:
        settings = config.Sip(addresses=(host,), srtp=srtp or ("sdes",))
        return SipEndpoint(settings, capabilities, MemoryPorts(), "A room"), f"sip:room@{host};transport={transport}"

    name = "".join(f", keys by {way.upper()}" for way in srtp)
    return Way(f"SIP over {transport.upper()}{name}", lambda: SipBench(transport), endpoint)


def h323(name: str, tunnelling: bool, fast_connect: bool, wanted_trips: str = "", *, encrypted: bool = False) -> Way:
    capabilities = Capabilities(encryption=Encryption.REQUIRED if encrypted else Encryption.OFF)

    def endpoint(host: str) -> tuple[Endpoint, str]:
        settings = config.H323(addresses=(host,), tunnelling=tunnelling, fast_connect=fast_connect)
        return H323Endpoint(settings, capabilities, MemoryPorts(), "A room"), f"h323:{host}"

    keys = ", keys by Diffie-Hellman" if encrypted else ""
    return Way(f"H.323, {name}{keys}", lambda: H323Bench(tunnelling, fast_connect), endpoint, wanted_trips)


WAYS = [
    sip("udp"),
    sip("tcp"),
    h323("fast connect", tunnelling=True, fast_connect=True, wanted_trips="<= 3"),
    h323("slow start, tunnelled", tunnelling=True, fast_connect=False),
    h323("slow start, H.245 on its own", tunnelling=False, fast_connect=False),
]
ENCRYPTED = [
    sip("tcp", "sdes"),
    sip("tcp", "dtls"),
    h323("slow start, tunnelled", tunnelling=True, fast_connect=False, encrypted=True),
]
"""What agreeing on keys costs in signalling; DTLS then shakes hands where the media go."""


def name_of(way: Way) -> str:
    return way.name.replace(", ", " ")


ways = pytest.mark.parametrize("way", WAYS, ids=name_of)


def round_trips(way: Way) -> tuple[float, float]:
    """Until the caller's call is active, and until everything flows both ways."""
    bench = way.virtual()
    bench.wire.__class__ = HandshakeWire
    bench.far.when_called = accept
    call = bench.unit.dial(bench.far)
    found: list[float] = []
    stages: list[Callable[[], bool]] = [
        lambda: call.state is State.ACTIVE,
        lambda: directions(call) == directions(bench.far.call) == ALL,
    ]
    for reached in stages:
        while not reached():
            assert bench.wire.now < PATIENCE
            bench.wire.pass_time(bench.wire.delay / 10)
        found.append(round(bench.wire.now / bench.wire.delay) / 2)
    return found[0], found[1]


@ways
def test_round_trips(way: Way, figures: list[Figure]) -> None:
    active, complete = round_trips(way)
    words = f"{active:g}, with pictures both ways {complete:g}"
    figures.append(Figure(f"{way.name}: round trips to a call that is up, TCP's included", words, "", way.wanted_trips))
    if way.wanted_trips:
        assert active <= 3


class Ends:
    """A caller and a callee on sockets of the loopback, and the end of a wait for what both are to be."""

    def __init__(self, way: Way) -> None:
        self.caller, _ = way.endpoint(own_address())
        self.callee, self.address = way.endpoint(own_address())
        self.callee.on_call = self._called
        self.calls: list[Call] = []
        self._wanted: Callable[[], bool] = lambda: False
        self._reached = asyncio.Event()

    def dial(self) -> None:
        self.calls = [self.caller.dial(self.address)]
        self.calls[0].on_change = self._changed

    async def until(self, wanted: Callable[[Call], bool]) -> None:
        """Wait until both calls are as wanted."""
        self._wanted = lambda: len(self.calls) == 2 and all(map(wanted, self.calls))
        self._reached.clear()
        async with asyncio.timeout(10):
            if not self._wanted():
                await self._reached.wait()

    def _called(self, call: Call) -> None:
        self.calls.append(call)
        call.on_change = self._changed
        accept(call)

    def _changed(self, call: Call) -> None:
        if self._wanted():
            self._reached.set()


async def measure(way: Way) -> tuple[list[float], list[float]]:
    """Seconds from dialling until all is agreed at both ends, and CPU seconds of both until the call is gone."""
    ends = Ends(way)
    await ends.caller.start()
    await ends.callee.start()
    times, cpu = [], []
    for _ in range(CALLS):
        begin, cpu_begin = time.perf_counter(), time.process_time()
        ends.dial()
        await ends.until(lambda call: directions(call) == ALL)
        times.append(time.perf_counter() - begin)
        ends.calls[0].hang_up()
        await ends.until(lambda call: call.state is State.ENDED)
        cpu.append(time.process_time() - cpu_begin)
    await ends.caller.stop()
    await ends.callee.stop()
    return times[2:], cpu[2:]  # the first ones import and allocate


@pytest.mark.parametrize("way", [*WAYS, *ENCRYPTED], ids=name_of)
def test_time_and_cpu(way: Way, figures: list[Figure]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        times, cpu = runner.run(measure(way))
    took, cost = statistics.median(times) * 1000, statistics.median(cpu) * 1000
    figures.append(Figure(f"{way.name}: dialled until all is agreed, median", f"{took:.1f} ms"))
    name = f"{way.name}: CPU of both ends for set-up and release, median"
    figures.append(Figure(name, f"{cost:.1f} ms", "", "< 10 ms" if way in WAYS else ""))
    assert cost < 100, "ten times what is wanted: not the machine's noise any more"
