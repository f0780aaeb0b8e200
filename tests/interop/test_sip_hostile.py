"""A unit in a call while strangers attack its port for SIP: floods, scanners, garbage and half of a message."""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conformance.rfc4475 import MESSAGES
from interop.conftest import FAR_LABEL, SMALL
from interop.ports import own_address
from interop.siege import Target
from interop.sipp import Sipp
from interop.unit import Settings, Unit
from interop.waiting import until

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]

RATE = 200
"""Calls a second that SIPp begins."""
BURST, PAUSE = 20, 0.01
"""Datagrams together, and s between: 2000 a second, or as many as this machine sends."""
HALF_OPEN = 300


@dataclass
class Siege:
    """What an attack needs."""

    target: Target
    program: Callable[[str], str]
    folder: Path


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("siege")
    settings: Settings = {
        "media": SMALL,
        "log": {"level": "info"},
        "room": {"auto_answer": True, "max_calls": 2, "ring_time": 5},
    }
    far: Settings = {**settings, "board.sim": {"camera_label": FAR_LABEL}}
    with Unit(folder / "unit", settings) as unit, Unit(folder / "far", far, tone=880) as other:
        unit.dial(other.uri)
        for each in (unit, other):
            number = each.wait_for_call()
            assert until(lambda e=each, n=number: len(e.streams(n)) == 4)  # type: ignore[misc]
        yield Target(unit, other, unit.sip_port)
        unit.command(unit.state()["calls"][0]["id"], "hang_up")
        unit.wait_for_idle()


def message(method: str, number: int, host: str, target: str, body: bytes = b"") -> bytes:
    return (
        f"{method} sip:room@{target} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:5060;branch=z9hG4bK{host}{number}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:{number}@{host}>;tag={number}\r\nTo: <sip:{number % 1000}@{target}>\r\n"
        f"Call-ID: {number}@{host}\r\nCSeq: 1 {method}\r\nContact: <sip:{number}@{host}:5060>\r\n"
        f"User-Agent: friendly-scanner\r\nExpires: 3600\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def pour(siege: Siege, until_time: float, make: Callable[[int, str], bytes]) -> int:
    """Send datagrams as fast as it goes; who answers is not listened to."""
    count, unit = 0, siege.target.unit
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
        host = own_address()
        attacker.bind((host, 5060))
        attacker.connect(unit.sip)
        while time.monotonic() < until_time:
            for _ in range(BURST):
                count += 1
                with contextlib.suppress(OSError):
                    attacker.send(make(count, host))
            time.sleep(PAUSE)
    return count


def invite_flood(siege: Siege, until_time: float) -> int:
    """SIPp calls and calls: one rings, all others hear that the room is busy."""
    target = siege.target.unit.sip
    calls = int(RATE * (until_time - time.monotonic()))
    load = {"calls": calls, "rate": RATE, "limit": 1000}
    flood = Sipp(siege.program("sipp"), siege.folder, "caller_flood", target, own_address(), trace=False, **load)
    with flood, contextlib.suppress(subprocess.TimeoutExpired):
        flood.process.wait(until_time - time.monotonic() + 2)
    return calls


def options_flood(siege: Siege, until_time: float) -> int:
    return pour(siege, until_time, lambda number, host: message("OPTIONS", number, host, siege.target.unit.address))


def register_flood(siege: Siege, until_time: float) -> int:
    return pour(siege, until_time, lambda number, host: message("REGISTER", number, host, siege.target.unit.address))


def torture_flood(siege: Siege, until_time: float) -> int:
    """The messages of RFC 4475, whole and damaged."""
    rng = random.Random(1)
    kept = [torture.data for torture in MESSAGES]

    def make(_: int, __: str) -> bytes:
        data = bytearray(rng.choice(kept))
        for _ in range(rng.randrange(4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        return bytes(data)

    return pour(siege, until_time, make)


def scanners(siege: Siege, until_time: float) -> int:
    """svmap and svwar of SIPVicious, which knock at every SIP port of the world."""
    host, port = siege.target.unit.sip
    svmap, svwar = siege.program("svmap"), siege.program("svwar")
    count = 0
    while time.monotonic() < until_time:
        for method in ("OPTIONS", "INVITE", "REGISTER"):
            command = [svmap, f"-p{port}", "-m", method, host]
            found = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd=siege.folder)
            assert "Visavis" in found.stdout + found.stderr or method != "OPTIONS", found
        command = [svwar, f"-p{port}", "-e1000-1040", "-m", "OPTIONS", "--force", host]
        subprocess.run(command, capture_output=True, timeout=30, check=False, cwd=siege.folder)
        count += 44
    return count


def half_messages(siege: Siege, until_time: float) -> int:
    """Connections by the hundred that say a little, or nothing, or one octet after the other."""
    rng = random.Random(1)
    whole = message("INVITE", 1, "127.0.0.1", siege.target.unit.address)
    with contextlib.ExitStack() as opened:
        attackers = []
        for _ in range(HALF_OPEN):
            with contextlib.suppress(OSError):
                attackers.append(opened.enter_context(siege.target.connect()))
                attackers[-1].sendall(whole[: rng.randrange(len(whole))] * rng.randrange(2))
        while time.monotonic() < until_time:
            for attacker in attackers:
                with contextlib.suppress(OSError):
                    attacker.send(b"a")
            time.sleep(0.1)
    return HALF_OPEN


Attack = Callable[[Siege, float], int]
ATTACKS: list[Attack] = [invite_flood, options_flood, register_flood, torture_flood, scanners, half_messages]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_attack(target: Target, program: Callable[[str], str], tmp_path: Path, attack: Attack) -> None:
    siege = Siege(target, program, tmp_path)
    target.withstand(attack.__name__, lambda until_time: attack(siege, until_time))


def test_a_caller_comes_through_after_all(target: Target) -> None:
    """Nothing of what was before keeps the next caller out."""
    with Unit(Path(target.unit.folder.with_name("next")), {"media": SMALL}, tone=1100) as caller:
        caller.dial(target.unit.uri)
        target.unit.wait(lambda state: len(state["calls"]) == 2)
        caller.command(caller.state()["calls"][0]["id"], "hang_up")
        target.unit.wait(lambda state: len(state["calls"]) == 1)
