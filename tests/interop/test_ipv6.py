"""IPv6 on the loopback: a unit and baresip, and a unit that has both families at once (RFC 6157)."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from interop.baresip import Baresip
from interop.ports import free_port
from interop.test_baresip import assert_both_see_and_hear
from interop.unit import Unit

StartUnit = Callable[..., Unit]
StartBaresip = Callable[..., Baresip]


def on_ipv6(unit: StartUnit, address: str, *also: str) -> Unit:
    settings = {
        "sip": {"port": free_port(address), "tls_port": free_port(address), "addresses": [address, *also]},
        "h323": {"enabled": False},
        "web": {"port": free_port(address)},
    }
    return unit(settings, address=address)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_baresip_calls(unit: StartUnit, baresip: StartBaresip, ipv6: str, transport: str) -> None:
    answering, far = on_ipv6(unit, ipv6), baresip(address=ipv6, transport=transport)
    far.dial(f"{answering.uri};transport={transport}")
    far.wait_for("CALL_ESTABLISHED")
    call = answering.wait_for_call()
    assert_both_see_and_hear(answering, far)
    answering.command(call, "hang_up")
    far.wait_for("CALL_CLOSED")


def test_the_unit_calls(unit: StartUnit, baresip: StartBaresip, ipv6: str) -> None:
    calling, far = on_ipv6(unit, ipv6), baresip(address=ipv6)
    calling.dial(far.uri)
    calling.wait_for_call()
    assert_both_see_and_hear(calling, far)
    far.command("hangup")
    calling.wait_for_idle()


def test_a_unit_with_both_families_talks_to_both(unit: StartUnit, baresip: StartBaresip, ipv6: str) -> None:
    """And joins them in one conference, if it is told to."""
    both = on_ipv6(unit, ipv6, "127.0.0.1")
    for address in (ipv6, "127.0.0.1"):
        far = baresip(address=address)
        call = both.dial(far.uri)
        both.wait_for_call()
        assert_both_see_and_hear(both, far)
        assert address in json.dumps(both.state()["calls"])
        both.command(call, "hang_up")
        both.wait_for_idle()
