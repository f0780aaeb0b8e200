"""How many calls a second are answered by SIP before the first one fails, and what ten thousand of them leave behind.

SIPp calls, and hangs up at once; ours is the signalling alone.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bench.conftest import Figure
from interop.ports import free_port, own_address
from interop.process import memory_and_cpu
from interop.sipp import Sipp
from interop.unit import ROOT

RATES = (50, 100, 200, 300, 400, 500, 600, 700, 800, 1000)
SECONDS = 5
CALLS = 10_000


@contextlib.contextmanager
def answerer() -> Iterator[tuple[tuple[str, int], int]]:
    """An endpoint's address and process."""
    host = own_address()
    port = free_port(host)
    script = Path(__file__).parent / "sip_answerer.py"
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    process = subprocess.Popen(
        [sys.executable, str(script), host, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"listening\n"
    try:
        yield (host, port), process.pid
    finally:
        process.communicate(b"")


def answered(program: str, folder: Path, remote: tuple[str, int], rate: int, calls: int) -> bool:
    """Whether all calls of this rate are answered and ended as they ought to be."""
    load = Sipp(program, folder, "caller_flood", remote, calls=calls, rate=rate, limit=1000, trace=False, timeout=120)
    with load:
        return load.process.wait(130) == 0


def test_calls_a_second(program: Callable[[str], str], tmp_path: Path, figures: list[Figure]) -> None:
    sipp = program("sipp")
    best = 0
    with answerer() as (remote, pid):
        for rate in RATES:
            if not answered(sipp, tmp_path / str(rate), remote, rate, rate * SECONDS):
                break
            best = rate
        assert memory_and_cpu(pid)
    assert best, "not even the slowest went well"
    more = "at least " if best == RATES[-1] else ""
    figures.append(Figure("SIP calls a second, without media, until the first fails", f"{more}{best}", "", "> 400"))


def test_ten_thousand_calls(program: Callable[[str], str], tmp_path: Path, figures: list[Figure]) -> None:
    sipp = program("sipp")
    with answerer() as (remote, pid):
        assert answered(sipp, tmp_path / "first", remote, 100, 100)
        memory, cpu = memory_and_cpu(pid)
        if not answered(sipp, tmp_path / "all", remote, 200, CALLS):
            pytest.fail("a call went wrong")
        memory_after, cpu_after = memory_and_cpu(pid)
    growth = f"{(memory_after - memory) / 1e6:.1f} MB"
    figures.append(Figure("memory that 10,000 SIP calls leave behind", growth, "", "< 5 MB"))
    figures.append(Figure("CPU of an answered SIP call", f"{(cpu_after - cpu) / CALLS * 1e3:.2f} ms"))
