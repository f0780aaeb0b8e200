"""What messages of H.323 take in PER, and what it costs to be ready for them."""

from __future__ import annotations

import subprocess
import sys
import timeit

from bench.conftest import Figure
from conformance.h323_capture import everything

from firmware.asn1 import Type
from firmware.h323.h225 import USER_INFORMATION
from firmware.h323.h245 import MESSAGE

CAPABILITY_SET_SIZE = 1300
SETUP_SIZE = 200
START = """
import dataclasses, inspect, re, time

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

before, start = resident(), time.perf_counter()
import firmware.h323.h225
print(time.perf_counter() - start, resident() - before)
"""


def test_per(figures: list[Figure]) -> None:
    capability_set, setup = large_capability_set(), plain_setup()
    for name, kind, data, wanted in (
        (f"H.245 TerminalCapabilitySet of {len(capability_set)} octets", MESSAGE, capability_set, "< 800 µs"),
        (f"H.225.0 Setup of {len(setup)} octets", USER_INFORMATION, setup, "< 100 µs"),
    ):
        value = kind.decode(data)
        figures.append(Figure(f"{name}, decoded", microseconds(kind, "decode", data), wanted=wanted))
        figures.append(Figure(f"{name}, encoded", microseconds(kind, "encode", value)))


def test_start(figures: list[Figure]) -> None:
    """Each in a process of its own, the second time with compiled modules."""
    runs = [subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True) for _ in range(4)]
    seconds, octets = min(tuple(map(float, run.stdout.split())) for run in runs)
    figures.append(Figure("ASN.1 types of H.323, imported", f"{seconds * 1e3:.0f} ms", wanted="< 60 ms"))
    figures.append(Figure("ASN.1 types of H.323, memory", f"{octets / 1e6:.1f} MB", wanted="< 8 MB"))


def large_capability_set() -> bytes:
    """A captured set, with its capabilities repeated until it has the size."""
    captured = max((item.data for item in everything() if item.type is MESSAGE), key=len)
    direction, (name, message) = MESSAGE.decode(captured)
    entries = message["capabilityTable"]
    every = list(entries)
    while len(captured) < CAPABILITY_SET_SIZE:
        every.append({**entries[len(every) % len(entries)], "capabilityTableEntryNumber": len(every) + 1000})
        captured = MESSAGE.encode((direction, (name, {**message, "capabilityTable": every})))
    return captured


def plain_setup() -> bytes:
    """The captured Setup that comes nearest to the size."""
    messages = [item.data for item in everything() if item.type is USER_INFORMATION]
    setups = [
        data for data in messages if USER_INFORMATION.decode(data)["h323-uu-pdu"]["h323-message-body"][0] == "setup"
    ]
    return min(setups, key=lambda data: abs(len(data) - SETUP_SIZE))


def microseconds(kind: Type, method: str, argument: object) -> str:
    timer = timeit.Timer("method(argument)", globals={"method": getattr(kind, method), "argument": argument})
    number, _ = timer.autorange()
    return f"{min(timer.repeat(5, number)) / number * 1e6:.0f} µs"
