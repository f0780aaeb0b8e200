"""`firmware.ui.buttons`: a real board's mock pins, pressed by its finger, act on a real room."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from simple_room import CHANNELS, SimpleEndpoint, SimpleMedia, SimpleTelevision

from board import open_board
from firmware import config
from firmware.call.call import State
from firmware.errors import CallError
from firmware.ports import BUTTONS, HOLD_TIME, KEYS, PRESS_TIME
from firmware.room import Room, Television
from firmware.ui.buttons import ACTIONS, HELD, KEY_ACTIONS, REPEAT_TIME, VOLUME_STEP, Buttons, RemoteControl

FAVOURITE = "sip:reception@example.com"


class Bench:
    """A room with a finger on its buttons."""

    def __init__(self) -> None:
        self.endpoint = SimpleEndpoint()
        self.media = SimpleMedia()
        self.room = Room(config.Room(volume=50), [self.endpoint], self.media)
        self.board = open_board("sim", {})

    async def press(self, button: str, until: Callable[[], bool], seconds: float = PRESS_TIME) -> None:
        self.board.press(button, seconds)
        for _ in range(2000):
            if until():
                return
            await asyncio.sleep(0.005)
        pytest.fail(f"pressing {button} did nothing")


@asynccontextmanager
async def bench(call_button: str = FAVOURITE) -> AsyncIterator[Bench]:
    bench = Bench()
    await bench.room.start()
    buttons = Buttons(bench.board.open_buttons(), bench.room, call_button)
    yield bench
    buttons.close()
    await bench.room.stop()
    bench.board.close()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await scenario()

    asyncio.run(main())


def test_every_button_has_an_action() -> None:
    assert tuple(ACTIONS) == BUTTONS


def test_the_green_button_answers_and_the_red_one_hangs_up() -> None:
    async def scenario() -> None:
        async with bench() as b:
            call = b.endpoint.ring("kate@example.com")
            await b.press("call", lambda: call.state is State.CONNECTING)
            await b.press("hang_up", lambda: call.state is State.ENDED)

    run(scenario)


def test_the_green_button_dials_when_nothing_rings() -> None:
    async def scenario() -> None:
        async with bench() as b:
            await b.press("call", lambda: bool(b.endpoint.calls))
            assert b.endpoint.calls[0].remote == FAVOURITE

    run(scenario)


def test_the_red_button_refuses_what_rings() -> None:
    async def scenario() -> None:
        async with bench() as b:
            call = b.endpoint.ring("kate@example.com")
            await b.press("hang_up", lambda: call.state is State.ENDED)
            assert "release DECLINED" in b.endpoint.leg(call).asked

    run(scenario)


def test_mute_and_volume() -> None:
    async def scenario() -> None:
        async with bench() as b:
            await b.press("mute", lambda: b.room.state.muted)
            await b.press("mute", lambda: not b.room.state.muted)
            await b.press("volume_up", lambda: b.room.state.volume == 50 + VOLUME_STEP)
            await b.press("volume_down", lambda: b.room.state.volume == 50)

    run(scenario)


@pytest.mark.parametrize("volume", [0, 3, 98, 100])
def test_volume_stays_in_its_limits(volume: int) -> None:
    async def scenario() -> None:
        async with bench() as b:
            b.room.set_volume(volume)
            ACTIONS["volume_up"](b.room, "")
            assert b.room.state.volume == min(100, volume + VOLUME_STEP)
            b.room.set_volume(volume)
            ACTIONS["volume_down"](b.room, "")
            assert b.room.state.volume == max(0, volume - VOLUME_STEP)

    run(scenario)


def test_the_green_button_does_nothing_in_a_call_or_without_an_address() -> None:
    async def scenario() -> None:
        async with bench("") as b:
            ACTIONS["call"](b.room, "")
            assert not b.endpoint.calls
            ACTIONS["call"](b.room, FAVOURITE)
            ACTIONS["call"](b.room, FAVOURITE)
            assert len(b.endpoint.calls) == 1

    run(scenario)


def test_a_room_that_refuses_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with bench("h323:nobody") as b:
            with pytest.raises(CallError):
                ACTIONS["call"](b.room, "h323:nobody")
            with caplog.at_level("INFO"):
                await b.press("call", lambda: "does nothing now" in caplog.text)

    run(scenario)


class Plain:
    """A button without a pin."""

    def __init__(self) -> None:
        self.when_pressed: Callable[[], None] | None = None
        self.when_held: Callable[[], None] | None = None


def test_a_contact_that_bounces_acts_once() -> None:
    async def scenario() -> None:
        async with bench() as b:
            plain = Plain()
            Buttons({"mute": plain}, b.room)
            assert plain.when_pressed is not None
            for _ in range(3):
                plain.when_pressed()
            await asyncio.sleep(REPEAT_TIME)
            assert b.room.state.muted
            await asyncio.sleep(REPEAT_TIME)
            plain.when_pressed()
            await asyncio.sleep(0)
            assert not b.room.state.muted

    run(scenario)


def test_holding_the_red_button_ends_all_calls() -> None:
    async def scenario() -> None:
        async with bench() as b:
            calls = [b.endpoint.ring(f"{name}@example.com") for name in ("kate", "paul", "ann")]
            plain = Plain()
            Buttons({"hang_up": plain}, b.room)
            assert plain.when_pressed is not None
            assert plain.when_held is not None
            for _ in range(2):  # the second press comes too soon to count, but holding begins anew
                plain.when_pressed()
                for _ in range(3):
                    plain.when_held()
            await settle()
            assert sum(call.state is State.ENDED for call in calls) == 1
            plain.when_held()
            await settle()
            assert {call.state for call in calls} == {State.ENDED}
            late = b.endpoint.ring("late@example.com")
            plain.when_held()
            await settle()
            assert late.state is State.INCOMING

    run(scenario)


def test_volume_goes_on_while_its_button_is_held() -> None:
    async def scenario() -> None:
        async with bench() as b:
            await b.press("volume_down", lambda: b.room.state.volume <= 50 - 3 * VOLUME_STEP, 20 * HOLD_TIME)
            assert tuple(HELD) == ("hang_up", "volume_up", "volume_down")

    run(scenario)


def test_every_key_has_an_action() -> None:
    assert set(KEY_ACTIONS) == set(KEYS)


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def test_the_remote_control_answers_talks_and_hangs_up() -> None:
    async def scenario() -> None:
        async with bench() as b:
            device = SimpleTelevision()
            television = Television(device, config.Television(), b.room)
            remote = RemoteControl(device, b.room, FAVOURITE)
            press = device.when_key_pressed
            assert press is not None
            call = b.endpoint.ring("kate@example.com")
            press("select")
            await settle()
            assert call.state is State.CONNECTING
            call.established(CHANNELS)
            device.told.clear()
            for key in ("5", "mute", "volume_up"):
                press(key)
            await settle()
            assert ("digits", call.id, "5") in b.media.told
            assert b.room.state.muted
            assert b.room.state.volume == 50 + VOLUME_STEP
            assert device.told == ["wake"] * 3
            press("back")
            await settle()
            assert call.state is State.ENDED
            press("7")
            press("unheard of")
            remote.close()
            press("select")
            await settle()
            assert len(b.endpoint.calls) == 1
            television.close()

    run(scenario)


def test_a_button_wakes_the_television() -> None:
    async def scenario() -> None:
        async with bench() as b:
            device = SimpleTelevision()
            television = Television(device, config.Television(), b.room)
            await b.press("mute", lambda: b.room.state.muted)
            assert device.told == ["wake"]
            television.close()

    run(scenario)


def test_after_close_nothing_happens() -> None:
    async def scenario() -> None:
        async with bench() as b:
            plain = Plain()
            buttons = Buttons({"mute": plain}, b.room)
            press = plain.when_pressed
            assert press is not None
            press()
            buttons.close()
            press()
            await asyncio.sleep(0.02)
            assert plain.when_pressed is None
            assert not b.room.state.muted

    run(scenario)


def test_a_press_when_the_loop_has_gone_is_harmless() -> None:
    plain = Plain()
    press: list[Callable[[], None]] = []

    async def scenario() -> None:
        async with bench() as b:
            Buttons({"mute": plain}, b.room)
            assert plain.when_pressed is not None
            press.append(plain.when_pressed)

    run(scenario)
    press[0]()
