from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import virtual_loop
from room_scene import Scene, scene
from simple_room import AUDIO, CHANNELS, SimpleEndpoint, SimpleMedia

from firmware import config
from firmware.call.call import Call, EndReason, State
from firmware.call.media import TELEPHONE_EVENT, Crypto, Direction, Handshake, Kind, Suite
from firmware.call.registration import Registration, RegistrationState
from firmware.errors import CallError, FirmwareError
from firmware.media import message
from firmware.room import NoSuchCallError, Notice, Room, RoomState

PLAIN = tuple(
    replace(channel, formats=tuple(f for f in channel.formats if f.codec != TELEPHONE_EVENT)) for channel in CHANNELS
)
"""Channels without telephone-event."""
HANDSHAKE = Handshake(True, b"certificate", b"key", ())


@scene
async def test_start_and_stop() -> None:
    s = Scene(volume=30)
    async with s:
        assert s.endpoint.running
        assert s.media.told == [("volume", 30)]
        assert s.room.state == RoomState("Visavis", True, ("sip:room@192.0.2.1",), (), False, 30, None, ())
        call = s.dialled()
    assert not s.endpoint.running
    assert call.state is State.ENDED


@scene
async def test_being_registered_is_told_and_changes_the_address() -> None:
    async with Scene() as s:
        assert s.room.state.registrations == ()
        registration = Registration("SIP", "sip:room@example.com", "example.com", RegistrationState.REGISTERED, 9.0)
        s.endpoint.registrations = (registration,)
        s.endpoint.addresses = ("sip:room@example.com",)
        s.endpoint.on_registrations_changed()
        await asyncio.sleep(0)
        assert s.states[-1].registrations == (registration,)
        assert s.states[-1].addresses == ("sip:room@example.com",)


@scene
async def test_an_endpoint_that_cannot_listen_stops_the_others() -> None:
    s = Scene((SimpleEndpoint(), SimpleEndpoint("H.323", "h323")))
    s.endpoints[1].failure = FirmwareError("the port is in use")
    with pytest.raises(FirmwareError, match="in use"):
        await s.room.start()
    assert not s.endpoint.running


@scene
async def test_a_call_from_dialling_to_its_end() -> None:
    async with Scene() as s:
        call_id = s.room.dial(" sip:far@example.com ")
        call = s.endpoint.calls[0]
        call.alerting()
        await asyncio.sleep(1)
        call.established(CHANNELS)
        await asyncio.sleep(1)
        assert s.media.channels == {call_id: CHANNELS}
        view = s.room.state.call(call_id)
        assert view is not None
        assert (view.state, view.remote, view.incoming, view.active_since) == (
            State.ACTIVE,
            "sip:far@example.com",
            False,
            1.0,
        )
        assert view.sees
        assert view.codecs == ("G722", "H264")
        call.released(EndReason.HUNG_UP)
        await asyncio.sleep(0.1)
        assert s.media.channels == {}
        assert s.room.state.calls == ()
        seen = [state.calls[0].state if state.calls else None for state in s.states]
        assert seen == [State.ALERTING, State.ACTIVE, None]


@scene
async def test_early_media_is_heard() -> None:
    async with Scene() as s:
        call_id = s.room.dial("sip:far@example.com")
        s.endpoint.calls[0].media_changed((AUDIO,))
        assert s.media.channels == {call_id: (AUDIO,)}


@scene
async def test_media_stop_as_soon_as_we_hang_up() -> None:
    async with Scene() as s:
        call = s.dialled()
        s.endpoint.leg(call).release = lambda reason: None  # type: ignore[method-assign]  # a far end that takes its time
        s.room.hang_up(call.id)
        assert call.state is State.ENDING
        assert s.media.channels == {}
        call.released(EndReason.LOST)
        assert s.room.state.notice == Notice("far@example.com", EndReason.HUNG_UP.value)


@scene
async def test_the_notice_goes_after_five_seconds() -> None:
    async with Scene() as s:
        s.room.dial("sip:far@example.com")
        s.endpoint.calls[0].released(EndReason.BUSY, "486 Busy Here")
        assert s.room.state.notice == Notice("far@example.com", "The far end is busy.")
        await asyncio.sleep(4.9)
        assert s.room.state.notice is not None
        await asyncio.sleep(0.2)
        assert s.room.state.notice is None
        assert s.states[-1].notice is None


@pytest.mark.parametrize("address", ["", "   ", "x" * 257, "sip:a\nb"])
def test_what_is_no_address(address: str) -> None:
    async def main() -> None:
        async with Scene() as s:
            with pytest.raises(CallError, match="1 to 256"):
                s.room.dial(address)
            assert s.endpoint.calls == []

    virtual_loop.run(main())


@scene
async def test_an_address_goes_to_its_protocol_and_a_bare_one_to_the_default() -> None:
    sip, h323 = SimpleEndpoint(), SimpleEndpoint("H.323", "h323")
    async with Scene((sip, h323), default_protocol="H.323") as s:
        s.room.dial("sip:far@example.com")
        s.room.dial("h323:far@example.com")
        s.room.dial("4711")
        assert [call.remote for call in sip.calls] == ["sip:far@example.com"]
        assert [call.remote for call in h323.calls] == ["h323:far@example.com", "h323:4711"]


@scene
async def test_a_bare_address_that_the_default_refuses_goes_to_the_other() -> None:
    sip, h323 = SimpleEndpoint(), SimpleEndpoint("H.323", "h323")
    h323.dial = sip_only  # type: ignore[method-assign]
    async with Scene((sip, h323), default_protocol="H.323") as s:
        s.room.dial("4711")
        assert [call.remote for call in sip.calls] == ["sip:4711"]
        with pytest.raises(CallError, match="no SIP address"):
            s.room.dial("tel:4711")


def sip_only(address: str) -> Call:
    raise CallError("not here")


@scene
async def test_without_any_protocol_nothing_can_be_dialled() -> None:
    room = Room(config.Room(), [], SimpleMedia())
    await room.start()
    with pytest.raises(CallError, match="no protocol"):
        room.dial("4711")


@scene
async def test_nobody_answers_us() -> None:
    async with Scene(ring_time=60.0) as s:
        s.room.dial("sip:far@example.com")
        call = s.endpoint.calls[0]
        call.alerting()
        await asyncio.sleep(59)
        assert call.state is State.ALERTING
        await asyncio.sleep(2)
        assert call.end_reason is EndReason.NO_ANSWER


@scene
async def test_an_answered_call_does_not_ring_out() -> None:
    async with Scene(ring_time=60.0) as s:
        call = s.dialled()
        await asyncio.sleep(120)
        assert call.state is State.ACTIVE


@scene
async def test_we_answer() -> None:
    async with Scene() as s:
        call = s.endpoint.ring("far@example.com", "Far")
        assert s.asked(call) == ["alert"]
        assert s.room.answer() == call.id
        assert s.asked(call) == ["alert", "accept"]
        call.established(CHANNELS)
        assert call.id in s.media.channels
        with pytest.raises(CallError, match="active"):
            s.room.answer(call.id)
        with pytest.raises(NoSuchCallError, match="no call is ringing"):
            s.room.answer()


@scene
async def test_we_answer_the_one_that_rings_longest() -> None:
    async with Scene() as s:
        first, second = s.endpoint.ring("a@example.com"), s.endpoint.ring("b@example.com")
        assert s.room.answer() == first.id
        assert s.room.answer() == second.id


@scene
async def test_nobody_is_here_to_answer() -> None:
    async with Scene(ring_time=60.0) as s:
        call = s.endpoint.ring("far@example.com", "Far")
        await asyncio.sleep(61)
        assert s.asked(call)[-1] == "release NO_ANSWER"
        assert s.room.state.notice == Notice("Far", "Nobody answered.")


@scene
async def test_what_we_declined_needs_no_notice() -> None:
    async with Scene() as s:
        call = s.endpoint.ring("far@example.com")
        s.room.hang_up()
        assert s.asked(call)[-1] == "release DECLINED"
        assert s.room.state.notice is None


@scene
async def test_one_call_too_many() -> None:
    async with Scene(max_calls=2) as s:
        s.endpoint.ring("a@example.com")
        s.dialled()
        third = s.endpoint.ring("c@example.com")
        assert s.asked(third) == ["release BUSY"]
        assert len(s.room.state.calls) == 2
        with pytest.raises(CallError, match="2 calls"):
            s.room.dial("sip:d@example.com")
        s.room.hang_up()
        s.room.dial("sip:d@example.com")


@scene
async def test_it_answers_by_itself_but_never_during_another_call() -> None:
    async with Scene(auto_answer=True) as s:
        first = s.endpoint.ring("a@example.com")
        assert s.asked(first) == ["accept"]
        second = s.endpoint.ring("b@example.com")
        assert s.asked(second) == ["alert, waiting"]


@scene
async def test_it_answers_all_by_itself_where_all_talk_together() -> None:
    async with Scene(auto_answer=True, several_calls="together") as s:
        calls = [s.endpoint.ring(f"{name}@example.com") for name in "abc"]
        for call in calls:
            call.established(CHANNELS)
        assert [s.asked(call) for call in calls] == [["accept"]] * 3


@scene
async def test_it_answers_by_itself_after_a_while() -> None:
    async with Scene(auto_answer=True, answer_delay=3.0) as s:
        call = s.endpoint.ring("a@example.com")
        await asyncio.sleep(2.9)
        assert s.asked(call) == ["alert"]
        await asyncio.sleep(0.2)
        assert s.asked(call) == ["alert", "accept"]


@scene
async def test_a_caller_who_gives_up_is_not_answered() -> None:
    async with Scene(auto_answer=True, answer_delay=3.0) as s:
        call = s.endpoint.ring("a@example.com")
        await asyncio.sleep(1)
        call.released(EndReason.CANCELLED)
        await asyncio.sleep(60)
        assert s.asked(call) == ["alert"]


@scene
async def test_a_second_call_puts_the_first_on_hold_and_gives_it_back() -> None:
    async with Scene() as s:
        first = s.dialled()
        second = s.endpoint.ring("b@example.com")
        s.room.answer()
        assert not first.held
        second.established(CHANNELS)
        assert first.held
        s.room.resume(first.id)
        assert (first.held, second.held) == (False, True)
        s.room.hang_up(first.id)
        assert not second.held


@scene
async def test_what_a_person_put_on_hold_stays_there() -> None:
    async with Scene() as s:
        first = s.dialled()
        s.room.hold(first.id)
        second = s.dialled("sip:b@example.com")
        s.room.hang_up(second.id)
        assert first.held
        s.room.resume(first.id)
        assert s.asked(first) == ["hold", "resume"]


@scene
async def test_hold_needs_an_active_call() -> None:
    async with Scene() as s:
        s.room.dial("sip:far@example.com")
        with pytest.raises(CallError, match="dialing, not active"):
            s.room.hold(s.endpoint.calls[0].id)
        with pytest.raises(NoSuchCallError, match="no call 999999"):
            s.room.hold("999999")


@scene
async def test_hanging_up_ends_the_foremost_call() -> None:
    async with Scene() as s:
        ringing = s.endpoint.ring("a@example.com")
        active = s.dialled()
        s.room.dial("sip:b@example.com")
        dialling = s.endpoint.calls[-1]
        assert [s.room.hang_up(), s.room.hang_up(), s.room.hang_up()] == [active.id, dialling.id, ringing.id]
        with pytest.raises(NoSuchCallError, match="there is no call"):
            s.room.hang_up()


@scene
async def test_a_held_call_is_the_last_to_be_hung_up() -> None:
    async with Scene() as s:
        held = s.dialled()
        s.room.hold(held.id)
        ringing = s.endpoint.ring("a@example.com")
        assert [s.room.hang_up(), s.room.hang_up()] == [ringing.id, held.id]


@scene
async def test_digits_go_the_way_that_was_agreed() -> None:
    async with Scene() as s:
        call = s.dialled()
        s.room.send_digits(call.id, "12#a")
        assert ("digits", call.id, "12#A") in s.media.told
        call.media_changed(PLAIN)
        s.room.send_digits(call.id, "3*")
        assert s.asked(call) == ["digit 3", "digit *"]


@pytest.mark.parametrize("digits", ["", "E", "1 2", "1" * 65, "１"])
def test_what_is_no_digit(digits: str) -> None:
    async def main() -> None:
        async with Scene() as s:
            call = s.dialled()
            with pytest.raises(CallError, match="digits are 1 to 64"):
                s.room.send_digits(call.id, digits)

    virtual_loop.run(main())


@scene
async def test_digits_need_an_active_call() -> None:
    async with Scene() as s:
        s.room.dial("sip:far@example.com")
        with pytest.raises(CallError, match="dialing"):
            s.room.send_digits(s.endpoint.calls[0].id, "1")


@scene
async def test_mute_and_volume() -> None:
    async with Scene(volume=70) as s:
        s.room.set_mute(True)
        s.room.set_volume(130)
        assert (s.room.state.muted, s.room.state.volume) == (True, 100)
        s.room.set_volume(-3)
        s.room.set_mute(False)
        assert s.media.told == [("volume", 70), ("mute", True), ("volume", 100), ("volume", 0), ("mute", False)]


@scene
async def test_key_frames_are_asked_for_both_ways() -> None:
    async with Scene() as s:
        call = s.dialled()
        call.key_frame_requested()
        assert s.media.told[-1] == ("key frame", call.id)
        s.room.handle_report(message.KeyFrameWanted(call.id))
        s.room.handle_report(message.KeyFrameWanted("999999"))
        assert s.asked(call) == ["key frame"]


@scene
async def test_a_far_end_freezes_its_picture() -> None:
    async with Scene() as s:
        call = s.dialled()
        call.freeze_requested()
        assert s.media.told[-1] == ("freeze", call.id)


@scene
async def test_far_ends_hear_that_the_room_is_muted() -> None:
    async with Scene() as s:
        first = s.dialled()
        s.room.set_mute(True)
        second = s.dialled()
        s.room.set_mute(False)
        for call in (first, second):
            assert [word for word in s.asked(call) if word.endswith("mute")] == ["mute", "unmute"]


@scene
async def test_a_call_that_finds_no_way_is_ended() -> None:
    for found, reason in ((False, EndReason.NO_WAY), (True, EndReason.LOST)):
        async with Scene() as s:
            call = s.dialled()
            call.established([AUDIO])
            s.room.handle_report(message.WayFound("999999", AUDIO.local, ("a", "b"), ()))
            s.room.handle_report(message.WayFound(call.id, AUDIO.local, ("a", "b"), ()))
            assert s.asked(call) == [f"way of 0 from {AUDIO.local[0]}"]
            s.room.handle_report(message.WayLost("999999", Kind.AUDIO, "other call", found))
            assert call.state is State.ACTIVE
            s.room.handle_report(message.WayLost(call.id, Kind.AUDIO, "nobody answers", found))
            assert (call.end_reason, call.end_detail) == (reason, "nobody answers")


@scene
async def test_a_call_goes_on_without_a_medium_that_finds_no_way() -> None:
    async with Scene() as s:
        call = s.dialled()
        s.room.handle_report(message.WayFound(call.id, AUDIO.local, ("a", "b"), ()))
        s.room.handle_report(message.WayLost(call.id, Kind.VIDEO, "nobody answers", False))
        assert call.state is State.ACTIVE
        assert s.asked(call)[-1] == "without video"
        s.room.handle_report(message.WayLost(call.id, Kind.AUDIO, "nobody answers any more", True))
        assert call.end_reason is EndReason.LOST


@scene
async def test_what_is_kept_open_only_is_not_shown() -> None:
    async with Scene() as s:
        call = s.dialled()
        call.established([replace(AUDIO, direction=Direction.NEITHER)])
        assert not call.encrypted
        assert s.room.state.calls[0].codecs == ()


@scene
async def test_a_call_without_keys_is_ended() -> None:
    for stranger, reason in ((False, EndReason.NOT_ENCRYPTED), (True, EndReason.NOT_TRUSTED)):
        async with Scene() as s:
            call = s.dialled()
            call.established([replace(AUDIO, handshake=HANDSHAKE)])
            s.room.handle_report(message.NotSecured("999999", Kind.AUDIO, "other call", stranger))
            assert call.state is State.ACTIVE
            s.room.handle_report(message.NotSecured(call.id, Kind.AUDIO, "as the wire says", stranger))
            assert (call.end_reason, call.end_detail) == (reason, "as the wire says")


@scene
async def test_the_padlock_closes_when_the_keys_are_there() -> None:
    async with Scene() as s:
        call = s.dialled()
        channel = replace(AUDIO, handshake=HANDSHAKE)
        call.established([channel])
        assert not s.room.state.calls[0].encrypted
        keys = [Crypto(Suite.AEAD_AES_128_GCM, bytes(16), salt=bytes(12))] * 2
        s.room.handle_report(message.Secured("999999", channel.local, HANDSHAKE, *keys))
        assert not s.room.state.calls[0].encrypted
        s.room.handle_report(message.Secured(call.id, channel.local, HANDSHAKE, *keys))
        assert s.room.state.calls[0].encrypted


@scene
async def test_what_the_far_end_keys_is_kept_however_it_comes() -> None:
    async with Scene() as s:
        call = s.dialled()
        call.digit_received("1")
        s.room.handle_report(message.DigitReceived(call.id, "#"))
        s.room.handle_report(message.DigitReceived("999999", "9"))
        await asyncio.sleep(0)
        assert s.states[-1].calls[0].digits == "1#"
        for _ in range(100):
            call.digit_received("7")
        assert s.room.state.calls[0].digits == "7" * 32


@scene
async def test_a_silent_far_end_is_given_up() -> None:
    async with Scene(silence_time=30.0) as s:
        call = s.dialled()
        for second in range(5, 30, 5):
            await asyncio.sleep(5)
            s.room.handle_report(message.MediaSilent(call.id, float(second)))
        await asyncio.sleep(4.9)
        assert call.end_reason is None
        await asyncio.sleep(0.2)
        assert call.end_reason is EndReason.LOST


@scene
async def test_a_far_end_that_is_heard_again_is_kept() -> None:
    async with Scene(silence_time=30.0) as s:
        call = s.dialled()
        s.room.handle_report(message.MediaSilent(call.id, 5.0))
        await asyncio.sleep(20)
        s.room.handle_report(message.MediaSilent(call.id, 0.0))
        await asyncio.sleep(60)
        assert call.state is State.ACTIVE


@scene
async def test_a_held_call_may_be_silent() -> None:
    async with Scene(silence_time=30.0) as s:
        call = s.dialled()
        s.room.handle_report(message.MediaSilent(call.id, 5.0))
        s.room.hold(call.id)
        for second in range(5, 100, 5):
            s.room.handle_report(message.MediaSilent(call.id, float(second)))
            await asyncio.sleep(5)
        assert call.state is State.ACTIVE


@scene
async def test_after_hold_the_far_end_has_its_time_again() -> None:
    async with Scene(silence_time=30.0) as s:
        call = s.dialled()
        call.media_changed(CHANNELS, held_by_far_end=True)
        await asyncio.sleep(100)
        call.media_changed(CHANNELS)
        await asyncio.sleep(1)
        s.room.handle_report(message.MediaSilent(call.id, 105.0))
        await asyncio.sleep(28)
        assert call.state is State.ACTIVE
        await asyncio.sleep(2)
        assert call.end_reason is EndReason.LOST


@scene
async def test_devices_that_fail_are_named_until_the_media_start_anew() -> None:
    async with Scene() as s:
        s.room.handle_report(message.DeviceFailed("camera", "it is not plugged in"))
        assert s.room.state.faults == ("The camera does not work: it is not plugged in",)
        s.room.handle_report(message.Ready())
        assert s.room.state.faults == ()


@scene
async def test_a_device_that_works_again_is_named_no_more() -> None:
    async with Scene() as s:
        for device in ("camera", "display"):
            s.room.handle_report(message.DeviceFailed(device, "it was pulled out"))
        s.room.handle_report(message.DeviceRestored("camera"))
        s.room.handle_report(message.DeviceRestored("speaker"))
        await asyncio.sleep(0)
        assert s.states[-1].faults == ("The display does not work: it was pulled out",)


@scene
async def test_what_the_room_has_none_of_is_no_fault() -> None:
    async with Scene(absent=frozenset({"microphone", "camera"})) as s:
        assert s.room.state.absent == ("camera", "microphone")
        assert s.room.state.faults == ()


@scene
async def test_a_room_without_a_microphone_is_always_muted_for_the_far_end() -> None:
    async with Scene(absent=frozenset({"microphone"})) as s:
        call = s.dialled()
        assert s.asked(call) == ["mute"]
        s.room.set_mute(True)
        s.room.set_mute(False)
        assert s.asked(call) == ["mute"] * 3
        assert not s.room.state.muted


@scene
async def test_what_new_media_could_open_in_the_end_is_not_named() -> None:
    async with Scene() as s:
        s.media.running = False
        s.room.handle_report(message.DeviceFailed("display", "no cable"))
        s.room.handle_report(message.DeviceRestored("display"))
        s.media.running = True
        s.room.handle_report(message.Ready())
        assert s.room.state.faults == ()


@scene
async def test_what_new_media_could_not_open_stays_named() -> None:
    async with Scene() as s:
        s.room.handle_report(message.DeviceFailed("camera", "it is not plugged in"))
        s.media.running = False
        s.room.handle_report(message.DeviceFailed("display", "no cable"))
        s.media.running = True
        s.room.handle_report(message.Ready())
        assert s.room.state.faults == ("The display does not work: no cable",)


@scene
async def test_other_devices_stay_named() -> None:
    async with Scene() as s:
        s.room.set_fault("buttons", "the pins are in use")
        s.room.handle_report(message.Ready())
        assert s.room.state.faults == ("The buttons do not work: the pins are in use",)
        await asyncio.sleep(0)
        assert s.states[-1].faults


@scene
async def test_the_room_is_ready_when_its_media_are() -> None:
    async with Scene() as s:
        s.room.handle_report(message.Ready())
        await asyncio.sleep(0)
        assert s.room.state.ready
        s.media.running = False
        s.room.handle_report(message.Gone("it was killed"))
        await asyncio.sleep(0)
        assert not s.states[-1].ready


@scene
async def test_statistics_and_screen_come_from_the_media() -> None:
    async with Scene() as s:
        call = s.dialled()
        assert s.room.statistics(call.id) is None
        s.media.reports[call.id] = report = message.Statistics(call.id, ())
        assert s.room.statistics(call.id) is report
        with pytest.raises(NoSuchCallError):
            s.room.statistics("999999")
        s.media.picture = b"png"
        assert await s.room.screenshot() == b"png"


@scene
async def test_subscribers_hear_once_of_what_happens_together() -> None:
    async with Scene() as s:
        s.room.set_mute(True)
        s.room.set_volume(1)
        assert s.states == []
        await asyncio.sleep(0)
        assert [(state.muted, state.volume) for state in s.states] == [(True, 1)]
        s.room.set_volume(1)
        await asyncio.sleep(0)
        assert len(s.states) == 1


@scene
async def test_who_unsubscribes_hears_no_more() -> None:
    async with Scene() as s:
        heard: list[RoomState] = []
        unsubscribe = s.room.subscribe(heard.append)
        unsubscribe()
        unsubscribe()
        s.room.set_mute(True)
        await asyncio.sleep(0)
        assert heard == []
        assert len(s.states) == 1


def test_a_listener_that_fails_does_not_keep_the_others_from_hearing(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        s = Scene()

        def fail(_: RoomState) -> None:
            raise ValueError("broken lamp")

        s.room.subscribe(fail)
        async with s:
            s.room.set_mute(True)
            await asyncio.sleep(0)
            assert len(s.states) == 1

    virtual_loop.run(main())
    assert "broken lamp" in caplog.text
