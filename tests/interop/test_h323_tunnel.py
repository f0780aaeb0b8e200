"""Two units whose H.323 is one connection each, to a gatekeeper (H.460.17): pictures and sound, both ways."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from certificates import Authority
from h323_mutation import change_octets
from interop.conftest import FAR_LABEL, SMALL
from interop.gatekeeper_thread import TunnelThread
from interop.ports import own_address
from interop.siege import Target
from interop.test_h323_units import assert_sees
from interop.unit import CARD_LABEL, Unit
from interop.waiting import until

from firmware.asn1 import Value
from firmware.h323 import h460_ras, tpkt
from firmware.h323.h225 import RAS_MESSAGE
from firmware.h323.q931 import Message, MessageType
from firmware.net.tls import Tls

NUMBERS = ("2001", "2002")
RAS: list[Value] = [
    ("unregistrationConfirm", {"requestSeqNum": 7}),
    ("bandwidthConfirm", {"requestSeqNum": 8, "bandWidth": 100}),
    ("infoRequest", {"requestSeqNum": 9, "callReferenceValue": 0}),
    ("requestInProgress", {"requestSeqNum": 10, "delay": 500}),
]
Zone = tuple[TunnelThread, Unit, Unit]


@pytest.fixture(params=["tcp", "tls"])
def zone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Zone]:
    address = own_address()
    authority = Authority(tmp_path)
    issued = authority.issue(address)
    tls = Tls(issued.certificate, issued.key, authority.certificate)
    units = []
    with ExitStack() as running:
        gatekeeper = running.enter_context(TunnelThread(tls if request.param == "tls" else None, address))
        for number, label, tone in zip(NUMBERS, (CARD_LABEL, FAR_LABEL), (660, 880), strict=True):
            settings = {
                "room": {"name": f"Room {number}"},
                "media": SMALL,
                "h323": {"gatekeeper": address, "gatekeeper_transport": request.param, "number": number},
                "tls": {"ca": str(authority.certificate)},
                "board.sim": {"camera_label": label},
            }
            units.append(running.enter_context(Unit(tmp_path / number, settings, tone=tone)))
        assert until(lambda: set(NUMBERS) <= gatekeeper.names())
        first, second = units
        yield gatekeeper, first, second


def test_calls_both_ways_and_a_connection_that_breaks(zone: Zone) -> None:
    gatekeeper, first, second = zone
    for calling, called, number in ((first, second, NUMBERS[1]), (second, first, NUMBERS[0])):
        call = calling.dial(number)
        calling.wait_for_call()
        called.wait_for_call()
        assert_sees(first, FAR_LABEL)
        assert_sees(second, CARD_LABEL)
        assert until(lambda: first.heard_tone(880) > 0.8)
        assert until(lambda: second.heard_tone(660) > 0.8)
        assert first.state()["calls"][0]["encrypted"]
        calling.command(call, "hang_up")
        called.wait_for_idle()
        calling.wait_for_idle()
    assert gatekeeper.gatekeeper.calls == 0
    first.dial(NUMBERS[1])
    second.wait_for_call()
    [flow] = [flow for flow in gatekeeper.gatekeeper.flows if flow.remote[0] == first.address]
    gatekeeper.do(gatekeeper.hang_up(flow))
    first.wait_for_idle()
    second.wait_for_idle()
    # A connection that breaks within 10 s of the registration is not made again at once.
    assert until(lambda: NUMBERS[0] in gatekeeper.names(), 40.0)
    second.dial(NUMBERS[0])
    first.wait_for_call()
    assert gatekeeper.gatekeeper.zone.faults == []


def garbage(rng: random.Random) -> bytes:
    """What a gatekeeper may say that concerns no call and no request: empty, foreign, damaged inside."""
    match rng.randrange(4):
        case 0:
            return tpkt.encode(b"")
        case 1:
            return tpkt.encode(h460_ras.encode_facility(change_octets(RAS_MESSAGE.encode(rng.choice(RAS)), rng)))
        case 2:
            name = rng.choice([t for t in MessageType if t is not MessageType.SETUP])
            return tpkt.encode(Message(name, rng.randrange(20_000, 30_000), rng.random() < 0.5).encode())
        case _:
            inside = change_octets(h460_ras.encode_facility(RAS_MESSAGE.encode(RAS[0]))[12:], rng)
            return tpkt.encode(Message(MessageType.SETUP, rng.randrange(20_000, 30_000), False, {}, inside).encode())


@pytest.mark.parametrize("zone", ["tcp"], indirect=True)
def test_a_gatekeeper_that_talks_nonsense_disturbs_no_call(zone: Zone) -> None:
    gatekeeper, first, second = zone
    first.dial(NUMBERS[1])
    first.wait_for_call()
    assert_sees(first, FAR_LABEL)
    assert_sees(second, CARD_LABEL)
    assert until(lambda: first.heard_tone(880) > 0.8)
    [flow] = [flow for flow in gatekeeper.gatekeeper.flows if flow.remote[0] == first.address]
    rng = random.Random(3)

    def talk(until_time: float) -> int:
        count = 0
        while time.monotonic() < until_time:
            gatekeeper.do(gatekeeper.say(flow, [garbage(rng) for _ in range(10)]))
            count += 10
        return count

    Target(first, second, 1720).withstand("nonsense by a gatekeeper", talk)
    assert NUMBERS[0] in gatekeeper.names()
