"""SIPp calls the unit and is called, by scenarios of our own that hold it to RFC 3261 and RFC 3264."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from interop.ports import free_port, own_address
from interop.sipp import Sipp
from interop.unit import Unit

StartSipp = Callable[..., Sipp]

# SIPp calls


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(
    "scenario",
    [
        "caller",
        "caller_without_offer",
        "caller_holds",
        "caller_offers_nonsense",
    ],
)
def test_sipp_calls(sipp: StartSipp, answering: Unit, scenario: str, transport: str) -> None:
    sipp(scenario, remote=answering.sip, transport=transport).finish()


def test_sipp_never_acknowledges(sipp: StartSipp, answering: Unit) -> None:
    run = sipp("caller_never_acknowledges", remote=answering.sip, timeout=45)
    run.finish()
    assert run.messages().count("SIP/2.0 200 OK") >= 8, "RFC 3261 13.3.1.4: retransmitted until 64*T1 have passed"


def test_sipp_calls_ten_times(sipp: StartSipp, answering: Unit) -> None:
    sipp("caller", remote=answering.sip, calls=10, replace=(('"1000"', '"50"'),), timeout=40).finish()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sipp_calls_over_ipv6(sipp: StartSipp, unit: Callable[..., Unit], ipv6: str, transport: str) -> None:
    running = unit(
        {
            "sip": {"port": free_port(ipv6)},
            "h323": {"enabled": False},
            "web": {"port": free_port(ipv6)},
            "media": {"width": 320, "height": 180},
        },
        address=ipv6,
    )
    sipp("caller", remote=running.sip, address=ipv6, transport=transport).finish()
    running.wait_for_idle()


def test_sipp_is_held_and_the_room_says_so(sipp: StartSipp, answering: Unit) -> None:
    run = sipp("caller_holds", remote=answering.sip)
    answering.wait(lambda state: any(call["held_by_far_end"] for call in state["calls"]))
    answering.wait(lambda state: any(not call["held_by_far_end"] for call in state["calls"]))
    run.finish()


def test_the_unit_hangs_up(sipp: StartSipp, answering: Unit) -> None:
    run = sipp("caller_stays", remote=answering.sip)
    answering.command(answering.wait_for_call(), "hang_up")
    run.finish()


def test_the_unit_declines(sipp: StartSipp, ringing: Unit) -> None:
    run = sipp("caller_refused", remote=ringing.sip, replace=(("STATUS", "603"),))
    ringing.command(ringing.wait_for_call("incoming"), "hang_up")
    run.finish()


def test_the_unit_is_busy(sipp: StartSipp, ringing: Unit) -> None:
    first = sipp("caller_stays", remote=ringing.sip)
    call = ringing.wait_for_call("incoming")
    ringing.command(call, "answer")
    ringing.wait_for_call()
    sipp("caller_refused", remote=ringing.sip, replace=(("STATUS", "486"),)).finish()
    ringing.command(call, "hang_up")
    first.finish()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sipp_gives_up(sipp: StartSipp, ringing: Unit, transport: str) -> None:
    sipp("caller_cancels", remote=ringing.sip, transport=transport).finish()


def test_sipp_asks_for_options(sipp: StartSipp, answering: Unit) -> None:
    sipp("options", remote=answering.sip).finish()


# SIPp is called


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_unit_calls(sipp: StartSipp, ringing: Unit, transport: str) -> None:
    run = sipp("callee", transport=transport)
    call = ringing.dial(run.uri)
    ringing.wait_for_call()
    time.sleep(1)
    ringing.command(call, "hang_up")
    run.finish()


def test_the_unit_calls_and_sipp_hangs_up(sipp: StartSipp, ringing: Unit) -> None:
    run = sipp("callee_hangs_up")
    ringing.dial(run.uri)
    ringing.wait_for_call()
    run.finish()
    ringing.wait_for_idle()


@pytest.mark.parametrize("status", ["404", "480", "486", "488", "500", "603"])
def test_the_unit_calls_and_is_refused_after_it_rang(sipp: StartSipp, ringing: Unit, status: str) -> None:
    run = sipp("callee_refuses", replace=(("STATUS", status),))
    ringing.dial(run.uri)
    run.finish()
    state = ringing.wait_for_idle()
    assert state["notice"], "the room says why there is no call"
    assert state["notice"]["text"]


def test_the_unit_calls_and_gives_up(sipp: StartSipp, ringing: Unit) -> None:
    run = sipp("callee_is_cancelled")
    call = ringing.dial(run.uri)
    ringing.wait_for_call("alerting")
    ringing.command(call, "hang_up")
    run.finish()


def test_the_unit_puts_on_hold(sipp: StartSipp, ringing: Unit) -> None:
    run = sipp("callee_is_held")
    call = ringing.dial(run.uri)
    ringing.wait_for_call()

    def held(by_us: bool) -> Callable[[dict[str, Any]], bool]:
        return lambda state: state["calls"][0]["held"] is by_us

    ringing.command(call, "hold")
    ringing.wait(held(True))
    time.sleep(0.5)
    ringing.command(call, "resume")
    ringing.wait(held(False))
    time.sleep(0.5)
    ringing.command(call, "hang_up")
    run.finish()


def test_nobody_is_there(ringing: Unit) -> None:
    ringing.dial(f"sip:nobody@{own_address()};transport=tcp")
    state = ringing.wait_for_idle(15)
    assert state["notice"]


# SIPp is a registrar


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sipp_registers_us(sipp: StartSipp, unit: Callable[..., Unit], transport: str) -> None:
    """RFC 3261 10.2.8, RFC 7616 3.3, 3.4: the digests are checked by SIPp."""
    registrar = sipp("registrar", transport=transport)
    server = f"{registrar.address}:{registrar.port}"
    account = {"address": "room@example.com", "registrar": server, "user": "alice", "password": "secret"}
    ours = unit({"sip": {"accounts": [{**account, "transport": transport}]}})
    state = ours.wait(lambda state: state["registrations"][0]["state"] == "registered")
    assert 7190 < state["registrations"][0]["expires"] <= 7200
    assert state["addresses"][0] == "sip:room@example.com"
    ours.stop()
    registrar.finish()
