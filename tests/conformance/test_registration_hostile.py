"""A registrar that answers anything: nothing is raised, nothing is flooded, and it comes right again."""

from __future__ import annotations

import random

import pytest
from registrar import Registrar
from registration_zone import Zone

from firmware.errors import DecodeError
from firmware.sip.digest import Challenge, read_challenges
from firmware.sip.message import Headers
from firmware.sip.registration import State

WORDS = (
    "",
    "0",
    "1",
    "60",
    "4294967295",
    "99999999999999999999",
    "-1",
    "*",
    ",",
    ";",
    "<",
    '"',
    "\\",
    "<sip:a@b>;expires=1",
    "<sip:10.0.0.2>;q=1",
    "<sips:x>",
    "<tel:1>",
    'Digest realm="example.com", nonce="n", stale=true',
    'Digest realm="example.com", nonce="n", algorithm=SHA-256, qop="auth,auth-int"',
    'Digest realm="", nonce="", algorithm=MD5-sess, qop="auth"',
    "Digest realm=a, nonce=b, qop=,",
    'Digest realm="\\"", nonce="\\\\", opaque="\\""',
    "Basic realm=x",
    "outbound",
    "path",
    "\udcff",
    "x" * 5000,
)
FIELDS = (
    *("Contact", "Expires", "Min-Expires", "Retry-After", "Flow-Timer", "Service-Route", "Require", "Supported"),
    *("WWW-Authenticate", "Proxy-Authenticate", "Authentication-Info", "Path", "Warning"),
)
STATUSES = (
    *[200] * 40,  # or it would mostly wait
    *(202, 300, 301, 302, 305, 400, 401, 401, 403, 407, 408, 423, 423, 430, 439, 480, 500, 503, 600, 699),
)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("seed", range(8))
def test_a_registrar_that_says_anything(seed: int, transport: str) -> None:
    rng = random.Random(seed)
    zone = Zone(transport=transport, seed=seed, settings={"expires": 60})
    registrar: Registrar = zone.registrar
    hours = 3
    for _ in range(60 * hours):
        if len(registrar.refuse) < 20:
            for _ in range(40):
                fields = {rng.choice(FIELDS): rng.choice(WORDS) for _ in range(rng.randrange(5))}
                registrar.refuse.append((rng.choice(STATUSES), fields))
        registrar.silent = rng.random() < 0.05
        registrar.pongs = rng.random() < 0.5
        if rng.random() < 0.05:
            registrar.close()
        zone.wire.pass_time(60)
        registrar.faults.clear()
    assert len(zone.heard) > 5
    # Every five seconds at most (it granted one), and each time what one request may take.
    assert len(zone.heard) < hours * 3600 / 5 * 3
    assert all(size < 20 for size in zone.agent.sizes.values())
    registrar.refuse.clear()
    registrar.silent, registrar.pongs = False, True
    zone.wire.pass_time(4 * 3600)
    assert zone.state is State.REGISTERED
    zone.registration.stop(zone.wire.now)
    zone.wire.pass_time(100)
    assert zone.state is State.STOPPED
    assert not any(zone.agent.sizes.values())


def test_challenges_of_any_letters() -> None:
    rng = random.Random(3)
    letters = ' \t,="\\;a1<>%\udcff' + "Digest realm nonce qop auth"
    read = 0
    for _ in range(20_000):
        text = "Digest " + "".join(rng.choice(letters) for _ in range(rng.randrange(60)))
        if rng.random() < 0.5:
            text += ', realm="r", nonce="n"'
        try:
            Challenge.parse(text)
            read += 1
        except DecodeError:
            pass
        assert len(read_challenges(Headers([("WWW-Authenticate", text)]))) <= 1
    assert read > 100
