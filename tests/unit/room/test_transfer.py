"""Passing calls on, and being passed on."""

from __future__ import annotations

import asyncio

import pytest
from room_scene import Scene, scene
from simple_room import CHANNELS

from firmware.call.call import EndReason, State
from firmware.errors import CallError
from firmware.room import NoSuchCallError, Notice
from firmware.room.transfer import MAX_HOPS

# The room passes a call on


@scene
async def test_a_far_end_is_passed_on_to_an_address() -> None:
    async with Scene() as s:
        call = s.dialled()
        s.room.transfer(call.id, " sip:c@example.com ")
        assert s.asked(call) == ["transfer sip:c@example.com"]
        assert s.room.state.calls[0].transferring
        call.released(EndReason.HUNG_UP)
        assert s.room.state.notice == Notice("far@example.com", "The call was passed on.")


@scene
async def test_two_far_ends_are_joined() -> None:
    async with Scene() as s:
        first, second = s.dialled(), s.dialled("sip:c@example.com")
        s.room.join(first.id, second.id)
        assert s.asked(first) == ["hold", "transfer to sip:c@example.com"]
        assert [view.transferring for view in s.room.state.calls] == [True, True]
        first.released(EndReason.HUNG_UP)
        assert second.end_reason is EndReason.TRANSFERRED


@scene
async def test_a_far_end_that_stays() -> None:
    async with Scene() as s:
        first, second = s.dialled(name="Kate"), s.dialled("sip:c@example.com")
        s.room.join(first.id, second.id)
        first.transfer_refused("no answer")
        assert s.room.state.notice == Notice("Kate", "The call could not be passed on.")
        assert [view.transferring for view in s.room.state.calls] == [False, False]


@scene
async def test_what_cannot_be_passed_on() -> None:
    async with Scene() as s:
        call = s.dialled()
        for address in ("", "a\nb", "x" * 257, "h323:c"):
            with pytest.raises(CallError):
                s.room.transfer(call.id, address)
        with pytest.raises(CallError, match="itself"):
            s.room.join(call.id, call.id)
        with pytest.raises(NoSuchCallError):
            s.room.join(call.id, "999999")
        with pytest.raises(NoSuchCallError):
            s.room.transfer("999999", "sip:c@example.com")
        assert s.asked(call) == []
        assert not s.room.state.calls[0].transferring


# The room is passed on


@scene
async def test_the_room_goes_where_it_is_passed_on_to() -> None:
    async with Scene() as s:
        old = s.dialled()
        old.transfer_requested("sip:c@example.com")
        new = s.endpoint.calls[-1]
        assert (new.state, new.remote) == (State.DIALING, "sip:c@example.com")
        assert old.state is State.ACTIVE
        new.established(CHANNELS)
        assert s.asked(old) == ["follow", "release TRANSFERRED"]
        old.released(EndReason.HUNG_UP)
        assert [view.id for view in s.room.state.calls] == [new.id]
        assert s.media.channels == {new.id: CHANNELS}


@pytest.mark.parametrize("reason", [EndReason.BUSY, EndReason.NO_ANSWER])
def test_the_room_stays_where_the_new_call_comes_to_nothing(reason: EndReason) -> None:
    @scene
    async def run() -> None:
        async with Scene() as s:
            old = s.dialled()
            old.transfer_requested("sip:c@example.com")
            s.endpoint.calls[-1].released(reason)
            assert s.asked(old) == ["follow", f"refuse transfer {reason.name}"]
            assert old.state is State.ACTIVE

    run()


@scene
async def test_nobody_answers_where_the_room_is_passed_on_to() -> None:
    async with Scene(ring_time=20.0) as s:
        old = s.dialled()
        old.transfer_requested("sip:c@example.com")
        new = s.endpoint.calls[-1]
        await asyncio.sleep(21)
        assert s.asked(new) == ["release NO_ANSWER"]
        new.released(EndReason.NO_ANSWER)
        assert s.asked(old)[-1] == "refuse transfer NO_ANSWER"


@scene
async def test_the_old_far_end_leaves_before_the_new_one_answers() -> None:
    async with Scene() as s:
        old = s.dialled()
        old.transfer_requested("sip:c@example.com")
        old.released(EndReason.HUNG_UP)
        new = s.endpoint.calls[-1]
        new.established(CHANNELS)
        assert [view.state for view in s.room.state.calls] == [State.ACTIVE]


@scene
async def test_a_room_that_follows_nobody() -> None:
    async with Scene(follow_transfers=False) as s:
        old = s.dialled()
        old.transfer_requested("sip:c@example.com")
        assert s.asked(old) == ["refuse transfer REFUSED"]
        assert s.endpoint.calls == [old]


@scene
async def test_an_address_that_is_none() -> None:
    async with Scene() as s:
        old = s.dialled()
        old.transfer_requested("h323:c")
        assert s.asked(old) == ["follow", "refuse transfer LOCAL_ERROR"]


@scene
async def test_a_room_is_not_sent_round_in_circles() -> None:
    async with Scene() as s:
        call = s.dialled()
        for hop in range(MAX_HOPS + 1):
            call.transfer_requested(f"sip:{hop}@example.com")
            if s.endpoint.calls[-1] is call:
                break
            old, call = call, s.endpoint.calls[-1]
            call.established(CHANNELS)
            old.released(EndReason.HUNG_UP)
        assert len(s.endpoint.calls) == 1 + MAX_HOPS
        assert s.asked(call) == ["refuse transfer REFUSED"]


@scene
async def test_somebody_takes_the_place_of_the_far_end() -> None:
    async with Scene(max_calls=1) as s:
        old = s.dialled()
        new = s.endpoint.ring("c@example.com", replaces=old)
        assert s.asked(new) == ["accept"], "nobody is asked, and it is not one call more"
        new.established(CHANNELS)
        assert s.asked(old) == ["release TRANSFERRED"]


@scene
async def test_a_far_end_sends_the_room_to_one_place_at_a_time() -> None:
    async with Scene() as s:
        old = s.dialled()
        old.transfer_requested("sip:c@example.com")
        old.transfer_requested("sip:d@example.com")
        assert s.asked(old) == ["follow", "refuse transfer REFUSED"]
        [_, new] = s.endpoint.calls
        new.released(EndReason.BUSY)
        old.transfer_requested("sip:d@example.com")
        assert s.endpoint.calls[-1].remote == "sip:d@example.com"


@scene
async def test_only_one_takes_the_place_of_a_far_end() -> None:
    async with Scene(max_calls=2) as s:
        old = s.dialled()
        first = s.endpoint.ring("c@example.com", replaces=old)
        second = s.endpoint.ring("d@example.com", replaces=old)
        assert s.asked(second) == ["release BUSY"], "it is one call more"
        first.released(EndReason.CANCELLED)
        third = s.endpoint.ring("e@example.com", replaces=old)
        assert s.asked(third) == ["accept"]


@scene
async def test_a_call_that_replaces_one_that_is_gone_rings() -> None:
    async with Scene() as s:
        old = s.dialled()
        old.released(EndReason.HUNG_UP)
        new = s.endpoint.ring("c@example.com", replaces=old)
        assert s.asked(new) == ["alert"]


@scene
async def test_who_waits_is_told_so() -> None:
    async with Scene() as s:
        s.dialled()
        new = s.endpoint.ring("c@example.com")
        assert s.asked(new) == ["alert, waiting"]
        s.room.dial("sip:d@example.com")
        s.endpoint.calls[-1].alerting(waiting=True)
        assert s.room.state.calls[-1].waiting
