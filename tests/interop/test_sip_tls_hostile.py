"""A unit in a call over TLS while strangers attack that: half-open and whole handshakes, damaged ones, slow heads."""

from __future__ import annotations

import contextlib
import random
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from interop.conftest import FAR_LABEL, SMALL
from interop.siege import Target
from interop.unit import Settings, Unit
from interop.waiting import until

SIP, SIPS = 5060, 5061
HALF_OPEN = 300
HEAD = (
    b"{method} sip:room@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:9;branch=z9hG4bK{n}\r\n"
    b"From: <sip:x@y>;tag={n}\r\nTo: <sip:room@z>\r\nCall-ID: {n}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n"
    b"Contact: <sip:x@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n"
)


def request(rng: random.Random, method: str = "OPTIONS", transport: str = "TCP") -> bytes:
    number = f"{rng.getrandbits(64):x}"
    text = HEAD.decode().format(method=method, transport=transport, n=number)
    return text.encode()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("siege")
    settings: Settings = {
        "media": SMALL,
        "log": {"level": "info"},
        "room": {"auto_answer": True, "max_calls": 2},
        "tls": {"verify": "off"},
    }
    far: Settings = {**settings, "board.sim": {"camera_label": FAR_LABEL}}
    with Unit(folder / "unit", settings) as unit, Unit(folder / "far", far, tone=880) as other:
        unit.dial(other.sips_uri)
        for each in (unit, other):
            number = each.wait_for_call()
            assert until(lambda e=each, n=number: len(e.streams(n)) == 4)  # type: ignore[misc]
        yield Target(unit, other, SIPS)
        unit.command(unit.state()["calls"][0]["id"], "hang_up")
        unit.wait_for_idle()


def half_open(target: Target, rng: random.Random, until_time: float) -> int:
    """By the hundred, on both ports, and each says a little or nothing."""
    with contextlib.ExitStack() as opened:
        for number in range(HALF_OPEN):
            with contextlib.suppress(OSError):
                attacker = opened.enter_context(target.connect(SIPS if number % 2 else SIP))
                attacker.sendall(rng.choice((b"", b"\x16", b"\x16\x03\x01\x02\x00\x01", b"INVITE sip:", b"\r\n")))
        while time.monotonic() < until_time:
            time.sleep(0.1)
    return HALF_OPEN


def slow_heads(target: Target, rng: random.Random, until_time: float) -> int:
    """Header fields without end, an octet at a time."""
    with contextlib.ExitStack() as opened:
        attackers = []
        for _ in range(80):
            with contextlib.suppress(OSError):
                attackers.append(opened.enter_context(target.connect(SIP)))
        while time.monotonic() < until_time:
            for attacker in attackers:
                with contextlib.suppress(OSError):
                    attacker.sendall(rng.choice((b"X", b": ", b"\r\nX")))
            time.sleep(0.05)
    return len(attackers)


def handshakes(target: Target, rng: random.Random, until_time: float) -> int:
    """Whole ones, which cost the unit a signature each; some say something after, and go."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    count = 0
    while time.monotonic() < until_time:
        said = rng.choice((b"\r\n\r\n", request(rng, transport="TLS"), rng.randbytes(3_000)))
        with contextlib.suppress(OSError), context.wrap_socket(target.connect(SIPS)) as secured:
            secured.sendall(said)
        count += 1
    return count


def damaged_tls(target: Target, rng: random.Random, until_time: float) -> int:
    """The first message of a handshake with octets changed, cut off or doubled, and what is no TLS at all."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing).do_handshake()
    hello = outgoing.read()
    count = 0
    while time.monotonic() < until_time:
        changed = bytearray(hello)
        for _ in range(rng.randrange(8)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        said = rng.choice(
            (bytes(changed), hello[: rng.randrange(len(hello))], hello * 3, request(rng), rng.randbytes(500))
        )
        target.throw(said, SIPS)
        count += 1
    return count


Attack = Callable[[Target, random.Random, float], int]
ATTACKS: list[Attack] = [half_open, slow_heads, handshakes, damaged_tls]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_attack(target: Target, attack: Attack) -> None:
    target.withstand(attack.__name__, lambda until_time: attack(target, random.Random(1), until_time))


@pytest.mark.parametrize("port", [SIP, SIPS])
def test_a_caller_comes_through_after_all(target: Target, port: int) -> None:
    """While the silent hold open what they are let."""
    folder = Path(target.unit.folder.with_name(f"next-{port}"))
    with Unit(folder, {"media": SMALL, "tls": {"verify": "off"}}, tone=1100) as caller:
        silent = []
        for _ in range(200):
            with contextlib.suppress(OSError):
                silent.append(target.connect(port))
        number = caller.dial(target.unit.sips_uri if port == SIPS else f"{target.unit.uri};transport=tcp")
        target.unit.wait(lambda state: len(state["calls"]) == 2)
        for attacker in silent:
            attacker.close()
        caller.command(number, "hang_up")
        target.unit.wait(lambda state: len(state["calls"]) == 1)
