from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import virtual_loop
from simple_room import AUDIO, CHANNELS, SimpleEndpoint

from firmware.call.call import State
from firmware.call.ice import Credentials, Ice
from firmware.call.media import Crypto, Kind, Suite
from firmware.media.message import WayDoubtful, WayFound, WayLost
from firmware.room.line import Line


def line() -> Line:
    return Line(SimpleEndpoint().dial("sip:far@example.com"))


def test_what_others_see_of_a_call() -> None:
    shown = line()
    shown.call.remote_name = "Far"
    shown.call.established(CHANNELS)
    shown.active_since = 3.0
    view = shown.view()
    assert (view.remote, view.remote_name, view.title) == ("sip:far@example.com", "Far", "Far")
    assert (view.state, view.active_since, view.sees) == (State.ACTIVE, 3.0, True)
    assert view.codecs == ("G722", "H264")


def test_a_far_end_that_is_only_heard() -> None:
    shown = line()
    shown.call.established((AUDIO,))
    assert not shown.view().sees
    assert shown.view().title == "far@example.com"


def test_whether_a_call_is_encrypted() -> None:
    shown = line()
    crypto = Crypto(Suite.AES_128_CBC, bytes(16), 104)
    shown.call.established([replace(channel, crypto=crypto) for channel in CHANNELS])
    assert shown.view().encrypted
    told = replace(crypto, exposed=True)
    shown.call.media_changed([replace(channel, crypto=told) for channel in CHANNELS])
    assert (shown.view().encrypted, shown.view().exposed) == (False, True)
    shown.call.media_changed([*shown.call.channels[:-1], CHANNELS[-1]])
    assert not shown.view().encrypted


def test_a_timer_takes_the_place_of_the_one_before() -> None:
    async def main() -> list[str]:
        shown, rung = line(), []
        loop = asyncio.get_running_loop()
        shown.start_timer("ring", loop.call_later(1, rung.append, "first"))
        shown.start_timer("ring", loop.call_later(2, rung.append, "second"))
        shown.start_timer("answer", loop.call_later(2, rung.append, "answer"))
        shown.start_timer("silence", loop.call_later(9, rung.append, "silence"))
        shown.stop_timers("answer", "answer")
        await asyncio.sleep(3)
        shown.stop_timers()
        await asyncio.sleep(10)
        return rung

    assert virtual_loop.run(main()) == ["second"]


def test_where_nothing_is_heard_another_way_is_looked_for() -> None:
    endpoint = SimpleEndpoint()
    shown = Line(endpoint.dial("sip:far@example.com"))
    shown.take(WayDoubtful(shown.call.id, Kind.AUDIO))
    assert "another way" not in endpoint.leg(shown.call).asked, "not before there is a call"
    shown.call.established(CHANNELS)
    shown.take(WayDoubtful(shown.call.id, Kind.AUDIO))
    assert endpoint.leg(shown.call).asked == ["another way"]


@pytest.mark.parametrize("moved", [False, True])
def test_who_had_a_way_and_finds_no_other_is_lost(moved: bool) -> None:
    endpoint = SimpleEndpoint()
    shown = Line(endpoint.dial("sip:far@example.com"))
    credentials = Credentials("ours", "x" * 22), Credentials("theirs", "y" * 22)
    before = replace(AUDIO, ice=Ice(True, *credentials, (), ()))
    shown.call.established((before,))
    if moved:
        shown.take(WayFound(shown.call.id, AUDIO.local, ("ours", "theirs"), ()))
        after = replace(before, local=("192.0.2.7", 4000), moved_from=AUDIO.local)
        shown.call.media_changed((after,))
    shown.take(WayLost(shown.call.id, Kind.AUDIO, "no pair works", False))
    assert endpoint.leg(shown.call).asked[-1] == f"release {'LOST' if moved else 'NO_WAY'}"
