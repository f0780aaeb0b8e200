"""SIPp and the unit change, refresh and pass on calls, by flows of our own (RFC 3262, 3264, 3311, 3515, 4028, 6086)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from interop.sipp import Sipp
from interop.unit import Unit
from interop.waiting import until

pytestmark = pytest.mark.interop

StartSipp = Callable[..., Sipp]
both_transports = pytest.mark.parametrize("transport", ["udp", "tcp"])

# SIPp calls


@both_transports
@pytest.mark.parametrize(
    "scenario",
    [
        "caller_asks_for_an_offer",
        "caller_drops_and_adds_video",
        "caller_holds_in_old_ways",
        "caller_moves",
        "caller_refers_badly",
        "caller_session_timer",
        "caller_small_interval",
        "caller_updates",
    ],
)
def test_sipp_calls(sipp: StartSipp, answering: Unit, scenario: str, transport: str) -> None:
    sipp(scenario, remote=answering.sip, transport=transport).finish()


@pytest.mark.parametrize(
    ("scenario", "transport"),
    [
        ("caller_hangs_up_while_it_rings", "udp"),
        ("caller_hangs_up_while_it_rings", "tcp"),
        ("caller_wants_to_be_sure", "udp"),  # over TCP, SIPp takes the 180 that comes again for another one
    ],
)
def test_sipp_calls_and_it_rings(sipp: StartSipp, ringing: Unit, scenario: str, transport: str) -> None:
    sipp(scenario, remote=ringing.sip, transport=transport).finish()


def test_sipp_keys_digits(sipp: StartSipp, answering: Unit) -> None:
    run = sipp("caller_sends_info", remote=answering.sip)
    answering.wait(lambda state: any(call["digits"] == "5#" for call in state["calls"]))
    run.finish()


def test_sipp_refers_the_unit(sipp: StartSipp, answering: Unit) -> None:
    third = sipp("callee")
    then = "GET BYE\nREPLY 200 OK"
    run = sipp(
        "caller_refers", remote=answering.sip, replace=(("TARGET", third.uri), ("OUTCOME", "200"), ("THEN", then))
    )
    run.finish()
    call = answering.wait_for_call()
    assert [view["remote"] for view in answering.state()["calls"]] == [third.uri]
    answering.command(call, "hang_up")
    third.finish()


def test_sipp_refers_the_unit_to_somebody_who_is_busy(sipp: StartSipp, answering: Unit) -> None:
    third = sipp("callee_refuses", replace=(("STATUS", "486"),))
    then = "WAIT 500\nSEND BYE 3\nGET 200"
    run = sipp(
        "caller_refers", remote=answering.sip, replace=(("TARGET", third.uri), ("OUTCOME", "486"), ("THEN", then))
    )
    third.finish()
    run.finish()


def test_sipp_takes_over(sipp: StartSipp, ringing: Unit) -> None:
    """The room is not asked again: whoever it talks to has sent the other (RFC 3891 3)."""
    first = sipp("caller_stays", remote=ringing.sip)
    ringing.command(ringing.wait_for_call("incoming"), "answer")
    call = ringing.wait_for_call()
    accepted = re.search(r"SIP/2\.0 200 OK\r?\n.*?\r?\n\r?\n", first.messages(), re.DOTALL)
    assert accepted
    from_tag, to_tag, call_id = (
        re.search(pattern, accepted[0])[1]  # type: ignore[index]
        for pattern in (r"From:.*?;tag=(\S+)", r"To:.*?;tag=(\S+)", r"Call-ID: (\S+)")
    )
    wrong = sipp("caller_refused", remote=ringing.sip, replace=(("STATUS", "486"),))
    wrong.finish()
    place = f"{call_id};to-tag={to_tag};from-tag={from_tag}"
    second = sipp("caller_takes_over", remote=ringing.sip, replace=(("PLACE", place),))
    first.finish()
    new = ringing.wait_for_call()
    assert new != call
    ringing.command(new, "hang_up")
    second.finish()


# SIPp is called


def held(by_us: bool) -> Callable[[dict[str, list[dict[str, bool]]]], bool]:
    return lambda state: [call["held"] for call in state["calls"]] == [by_us]


def test_the_unit_is_sent_elsewhere(sipp: StartSipp, ringing: Unit) -> None:
    there = sipp("callee")
    run = sipp("callee_redirects", replace=(("TARGET", there.uri),))
    call = ringing.dial(run.uri)
    run.finish()
    ringing.wait_for_call()
    ringing.command(call, "hang_up")
    there.finish()


@both_transports
@pytest.mark.parametrize("scenario", ["callee_sends_early_media", "callee_wants_a_longer_interval", "callee_forks"])
def test_the_unit_calls(sipp: StartSipp, ringing: Unit, scenario: str, transport: str) -> None:
    run = sipp(scenario, transport=transport)
    call = ringing.dial(run.uri)
    ringing.wait_for_call()
    time.sleep(0.5)
    ringing.command(call, "hang_up")
    run.finish()


def test_early_media_are_there_before_the_call_is_answered(sipp: StartSipp, ringing: Unit) -> None:
    run = sipp("callee_sends_early_media", replace=(("WAIT 700", "WAIT 2500"),))
    call = ringing.dial(run.uri)
    ringing.wait(lambda state: any(view["state"] == "alerting" and view["codecs"] for view in state["calls"]))
    ringing.wait_for_call()
    ringing.command(call, "hang_up")
    run.finish()


@both_transports
def test_a_200_that_crosses_our_cancel(sipp: StartSipp, ringing: Unit, transport: str) -> None:
    run = sipp("callee_answers_after_the_cancel", transport=transport)
    call = ringing.dial(run.uri)
    ringing.wait_for_call("alerting")
    ringing.command(call, "hang_up")
    run.finish()


@both_transports
def test_offers_that_cross(sipp: StartSipp, ringing: Unit, transport: str) -> None:
    run = sipp("callee_crosses", transport=transport)
    call = ringing.dial(run.uri)
    ringing.wait_for_call()
    ringing.command(call, "hold")
    # Whose Call-ID it is waits for 2.1 to 4 s.
    assert until(lambda: run.messages().count("CSeq: 3 ACK") == 1), run.messages()[-6000:]
    ringing.wait(held(True))
    ringing.command(call, "hang_up")
    run.finish()


@both_transports
def test_sipp_changes_the_call_and_says_why_it_ends(sipp: StartSipp, ringing: Unit, transport: str) -> None:
    run = sipp("callee_updates", transport=transport)
    ringing.dial(run.uri)
    ringing.wait(lambda state: any(call["held_by_far_end"] for call in state["calls"]))
    run.finish()
    notice = ringing.wait_for_idle()["notice"]
    assert notice["text"] == "The two sides have no common way to send sound or picture."


@both_transports
def test_the_unit_keys_digits(sipp: StartSipp, ringing: Unit, transport: str) -> None:
    run = sipp("callee_knows_one_kind_of_digits", transport=transport)
    call = ringing.dial(run.uri)
    ringing.wait_for_call()
    ringing.command(call, "digits", {"digits": "78"})
    time.sleep(1)
    ringing.command(call, "hang_up")
    run.finish()


def test_the_unit_is_referred(sipp: StartSipp, answering: Unit) -> None:
    third = sipp("callee_hangs_up")
    run = sipp("callee_refers", replace=(("TARGET", third.uri),))
    answering.dial(run.uri)
    run.finish()
    third.finish()


@both_transports
def test_the_unit_refers(sipp: StartSipp, ringing: Unit, transport: str) -> None:
    run = sipp("callee_is_referred", transport=transport)
    call = ringing.dial(run.uri)
    ringing.wait_for_call()
    ringing.command(call, "transfer", {"address": "sip:somebody@192.0.2.1"})
    assert ringing.wait_for_idle()["notice"]["text"] == "The call was passed on."
    run.finish()


def test_the_unit_refers_in_vain(sipp: StartSipp, ringing: Unit) -> None:
    run = sipp("callee_will_not_be_referred")
    call = ringing.dial(run.uri)
    ringing.wait_for_call()
    for _ in range(2):
        ringing.command(call, "transfer", {"address": "sip:somebody@192.0.2.1"})
        ringing.wait(lambda state: (state["notice"] or {}).get("text") == "The call could not be passed on.")
        assert [view["state"] for view in ringing.state()["calls"]] == ["active"]
        ringing.wait(lambda state: not state["notice"])
    ringing.command(call, "hang_up")
    run.finish()
