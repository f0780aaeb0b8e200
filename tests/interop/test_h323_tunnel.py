"""Two units whose H.323 is one connection each, to a gatekeeper (H.460.17): pictures and sound, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from certificates import Authority
from interop.conftest import FAR_LABEL, SMALL
from interop.gatekeeper_thread import TunnelThread
from interop.ports import own_address
from interop.test_h323_units import assert_sees
from interop.unit import CARD_LABEL, Unit
from interop.waiting import until

from firmware.net.tls import Tls

NUMBERS = ("2001", "2002")
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
    assert until(lambda: NUMBERS[0] in gatekeeper.names())
    second.dial(NUMBERS[0])
    first.wait_for_call()
    assert gatekeeper.gatekeeper.zone.faults == []
