"""A unit in a call while strangers attack its ports for H.323: no packet is lost, no tick, and nothing grows."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conformance.h323_transcript import connections
from conformance.test_h323_hostile import CAPTURES, END, H245_PORTS, own_setup
from h323_mutation import change_message, change_octets, change_payload
from h323_terminals import ScriptedPeer
from interop.conftest import FAR_LABEL, SMALL
from interop.ports import own_address
from interop.siege import Target
from interop.unit import Settings, Unit
from interop.waiting import until
from ras_zone import Zone, guid

from firmware.asn1 import Value
from firmware.h323 import h245, tpkt
from firmware.h323.q931 import MessageType
from firmware.h323.ras_settings import RAS_PORT
from firmware.sansio import Flow, Send

HALF_OPEN = 300


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("siege")
    settings: Settings = {"media": SMALL, "log": {"level": "info"}, "room": {"auto_answer": True, "max_calls": 2}}
    # It listens for gatekeepers; that nobody is there lets calls go on unasked.
    settings["h323"] = {"gatekeeper": f"{own_address()}:{RAS_PORT}"}
    far: Settings = {**settings, "board.sim": {"camera_label": FAR_LABEL}}
    with Unit(folder / "unit", settings) as unit, Unit(folder / "far", far, tone=880) as other:
        unit.dial(other.h323_url)
        for each in (unit, other):
            number = each.wait_for_call()
            assert until(lambda e=each, n=number: len(e.streams(n)) == 4)  # type: ignore[misc]
        yield Target(unit, other, 1720)
        unit.command(unit.state()["calls"][0]["id"], "hang_up")
        unit.wait_for_idle()


def half_open(target: Target, rng: random.Random, until_time: float) -> int:
    """By the hundred, and each says a little or nothing."""
    with contextlib.ExitStack() as opened:
        for _ in range(HALF_OPEN):
            with contextlib.suppress(OSError):
                attacker = opened.enter_context(target.connect())
                attacker.sendall(rng.choice((b"", b"\x03", b"\x03\x00\xff\xff\x08", tpkt.encode(b"\x08\x02")[:5])))
        while time.monotonic() < until_time:
            time.sleep(0.1)
    return HALF_OPEN


def damaged_setups(target: Target, rng: random.Random, until_time: float) -> int:
    setups = [own_setup(True, False), own_setup(True, True)]
    for name in CAPTURES:
        setups += [tpkt.encode(c.of(opener=True)[0]) for c in connections(name) if c.signals]
    count = 0
    while time.monotonic() < until_time:
        change = rng.choice((change_octets, change_octets, change_payload, change_message))
        target.throw(change(rng.choice(setups), rng))
        count += 1
    return count


def good_setups(target: Target, rng: random.Random, until_time: float) -> int:
    """A flood of calls: one more is taken, and gone with its connection."""
    count = 0
    while time.monotonic() < until_time:
        with contextlib.ExitStack() as opened:
            for _ in range(20):
                with contextlib.suppress(OSError):
                    opened.enter_context(target.connect()).sendall(own_setup())
                count += 1
    return count


def garbage_everywhere(target: Target, rng: random.Random, until_time: float) -> int:
    count = 0
    while time.monotonic() < until_time:
        said = rng.choice((rng.randbytes(2_000), tpkt.encode(h245.MESSAGE.encode(END)), b"GET / HTTP/1.0\r\n\r\n"))
        target.throw(said, rng.choice((1720, *H245_PORTS)))
        count += 1
    return count


def lying_lengths(target: Target, rng: random.Random, until_time: float) -> int:
    """Packets that end too soon, too late or never, and endless fragments of one."""
    count, setup = 0, own_setup()
    while time.monotonic() < until_time:
        with contextlib.suppress(OSError), target.connect() as attacker:
            attacker.sendall(b"\x03\x00" + struct.pack(">H", rng.choice((0, 3, 4, 5, 0x7FFF, 0xFFFF))) + setup[4:])
            for _ in range(rng.choice((0, 40))):
                attacker.sendall(bytes(10_000))
        count += 1
    return count


def slow_senders(target: Target, rng: random.Random, until_time: float) -> int:
    """Some write an octet now and then; the flow of others is as hurried as can be."""
    setup = own_setup()
    with contextlib.ExitStack() as opened:
        attackers = [opened.enter_context(target.connect()) for _ in range(40)]
        for octet in setup:
            for attacker in attackers:
                with contextlib.suppress(OSError):
                    attacker.sendall(bytes([octet]))
            if time.monotonic() > until_time:
                break
            time.sleep(0.05)
    return len(attackers)


def nested_setups() -> Iterator[bytes]:
    """Setups with H.245 in them whose types stand in each other, deeper and deeper, and by the hundred."""
    nested: Value = ("audioData", ("g711Alaw64k", 20))
    for depth in range(1, 60):
        method = ("rtpAudioRedundancyEncoding", None)
        nested = ("redundancyEncoding", {"redundancyEncodingMethod": method, "secondaryEncoding": nested})
        forward = {"dataType": nested, "multiplexParameters": ("h2250LogicalChannelParameters", {"sessionID": 1})}
        content = {"forwardLogicalChannelNumber": 1, "forwardLogicalChannelParameters": forward}
        peer = ScriptedPeer()
        peer.outgoing = True
        message = ("request", ("openLogicalChannel", content))
        flow = Flow("tcp", ("192.0.2.1", 1), ("192.0.2.2", 1720))
        peer.send(flow, MessageType.SETUP, control=[message] * (1 if depth % 2 else 100))
        (sent,) = peer.actions()
        assert isinstance(sent, Send)
        yield sent.data


def deep_nesting(target: Target, rng: random.Random, until_time: float) -> int:
    setups, count = list(nested_setups()), 0
    while time.monotonic() < until_time:
        target.throw(rng.choice(setups))
        count += 1
    return count


def ras_flood(target: Target, rng: random.Random, until_time: float) -> int:
    """Confirms, requests and garbage from gatekeepers that are none, as fast as they can be sent."""
    zone = Zone()
    zone.gatekeeper.routed = True
    endpoint = zone.register()
    admission = zone.admit(1)
    zone.gatekeeper.disengage(endpoint, guid(1), zone.now)
    zone.gatekeeper.unregister(endpoint, ("reregistrationRequired", None), zone.now)
    zone.run(1)
    assert admission
    said = [data for _, _, data in zone.wire.sent]
    count = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
        attacker.bind((own_address(), 0))
        while time.monotonic() < until_time:
            data = rng.choice(said)
            attacker.sendto(data if rng.random() < 0.5 else change_octets(data, rng), (target.unit.address, RAS_PORT))
            count += 1
            if count % 20 == 0:
                time.sleep(0.001)
    return count


Attack = Callable[[Target, random.Random, float], int]
ATTACKS: list[Attack] = [
    *(half_open, damaged_setups, good_setups, garbage_everywhere, lying_lengths, slow_senders),
    *(deep_nesting, ras_flood),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_attack(target: Target, attack: Attack) -> None:
    target.withstand(attack.__name__, lambda until_time: attack(target, random.Random(1), until_time))


def test_a_caller_comes_through_after_all(target: Target) -> None:
    """Nothing of what was before keeps the next caller out."""
    with Unit(Path(target.unit.folder.with_name("next")), {"media": SMALL}, tone=1100) as caller:
        rng = random.Random(2)
        silent = []
        for _ in range(200):
            with contextlib.suppress(OSError):
                silent.append(target.connect())
        rng.shuffle(silent)
        caller.dial(target.unit.h323_url)
        target.unit.wait(lambda state: len(state["calls"]) == 2)
        for attacker in silent:
            attacker.close()
        caller.command("1", "hang_up")
        target.unit.wait(lambda state: len(state["calls"]) == 1)
