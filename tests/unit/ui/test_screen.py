"""`firmware.ui.screen`: scenes as values, and the screen that keeps them true."""

import asyncio
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import virtual_loop
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture

from firmware.call.call import State
from firmware.call.registration import Registration, RegistrationState
from firmware.media.scene import FULL_SCREEN, FarEnd, Image, Rectangle, Scene, SelfView, Words
from firmware.ports import TelevisionStatus
from firmware.room import CallView, Notice, RoomState
from firmware.ui import screen as ui
from firmware.ui import symbol
from firmware.ui.screen import AMBER, NAME_TIME, VOLUME_TIME, Moment, Screen, next_change, scene

ROOM = RoomState("Meeting room 4", True, ("sip:room@192.0.2.10", "sip:room@[2001:db8::10]"), (), False, 70, None, ())
MOMENT = Moment(101.0)
KATE = CallView(
    "1", "sip:kate@example.com", "Kate in Berlin", False, State.ACTIVE, False, False, 100.0, True, ("H264", "G722")
)


def words(shown: Scene) -> list[str]:
    return [item.text for item in shown.items if isinstance(item, Words)]


def far_ends(shown: Scene) -> list[FarEnd]:
    return [item for item in shown.items if isinstance(item, FarEnd)]


def in_call(*calls: CallView, **others: object) -> RoomState:
    return replace(ROOM, calls=calls, **others)


def test_an_idle_room_says_its_name_and_how_to_call_it() -> None:
    said = words(scene(ROOM, Moment(0, clock="14:05")))
    assert said == ["Meeting room 4", "Ready", "14:05", "To call this room", *ROOM.addresses]


def test_an_idle_room_shows_no_picture_of_the_people_in_it() -> None:
    assert not [item for item in scene(ROOM, MOMENT).items if isinstance(item, SelfView | FarEnd)]


def test_a_configured_call_button_is_offered_as_soon_as_the_room_is_ready() -> None:
    moment = Moment(0, call_button="sip:help@example.com")
    assert "Call sip:help@example.com" in words(scene(ROOM, moment))
    starting = words(scene(replace(ROOM, ready=False), moment))
    assert "Call sip:help@example.com" not in starting
    assert "Starting …" in starting


def test_what_is_wrong_with_the_machine_is_said_first() -> None:
    ill = replace(ROOM, warnings=("The power supply is too weak: use another.",), faults=("a", "b"))
    said = words(scene(ill, MOMENT))
    assert [text for text in said if text in (*ill.warnings, *ill.faults)] == [*ill.warnings, "a"]
    assert "Ready" not in said


def test_faults_are_said_instead_of_ready() -> None:
    said = words(scene(replace(ROOM, faults=("The camera does not work: gone", "b", "c")), MOMENT))
    assert "The camera does not work: gone" in said
    assert "Ready" not in said
    assert "c" not in said


def test_what_is_wrong_is_said_in_a_call_too_in_one_small_line() -> None:
    hot = "The unit is too hot, 85 °C: let more air come to it."
    assert words(scene(in_call(KATE, warnings=(hot,)), MOMENT))[1:] == [hot]
    shown = scene(in_call(KATE, warnings=(hot,), faults=("The camera does not work: gone", "b")), MOMENT)
    assert words(shown)[1:] == ["The camera does not work: gone  (+2)"], "what this call lacks comes first"
    name, trouble = (item for item in shown.items if isinstance(item, Words))
    assert trouble.color == AMBER
    assert trouble.place.height < name.place.height
    assert trouble.place.y + trouble.place.height < name.place.y
    assert words(scene(in_call(KATE), MOMENT))[1:] == []


@pytest.mark.parametrize("count", range(1, 17))
def test_what_is_wrong_is_never_said_over_the_middle_of_a_picture(count: int) -> None:
    calls = [replace(KATE, id=str(number)) for number in range(count)]
    shown = scene(in_call(*calls, warnings=("hot",), faults=("gone",)), MOMENT)
    (line,) = (item.place for item in shown.items if isinstance(item, Words) and item.color == AMBER)
    for place in (item.place for item in shown.items if isinstance(item, FarEnd)):
        middle = place.y + place.height / 2
        above_or_below = line.y > middle + place.height / 12 or line.y + line.height < middle - place.height / 12
        beside = not line.x < place.x + place.width / 2 < line.x + line.width
        assert above_or_below or beside


def test_of_a_long_sentence_the_rest_is_counted_all_the_same() -> None:
    (said,) = words(scene(in_call(KATE, faults=("x" * 200, "b")), MOMENT))[1:]
    assert said.endswith("x…  (+1)")


FAILED = Registration("SIP", "sip:a@b", "b", RegistrationState.FAILED, reason="the server does not answer")


def test_a_room_that_is_not_registered_says_so_in_one_line() -> None:
    fine = replace(FAILED, state=RegistrationState.REGISTERED, reason="")
    said = words(scene(replace(ROOM, registrations=(fine, FAILED, FAILED)), MOMENT))
    assert said[1:4] == ["Ready", "Not registered as sip:a@b: the server does not answer.", "To call this room"]
    said = words(scene(replace(ROOM, registrations=(fine,)), MOMENT))
    assert said[1:3] == ["Ready", "To call this room"]
    # Faults have the room first.
    said = words(scene(replace(ROOM, registrations=(FAILED,), faults=("a", "b")), MOMENT))
    assert said[1:4] == ["a", "b", "To call this room"]
    said = words(scene(replace(ROOM, registrations=(FAILED,), ready=False), MOMENT))
    assert said[1:3] == ["Starting …", "To call this room"]


def test_only_as_many_addresses_as_there_is_room_for() -> None:
    said = words(scene(replace(ROOM, addresses=tuple("abcdefg")), MOMENT))
    assert said[-3:] == ["a", "b", "c"]


def test_who_calls_and_what_to_press() -> None:
    shown = scene(in_call(replace(KATE, state=State.INCOMING)), MOMENT)
    assert words(shown) == ["Incoming call", "Kate in Berlin", "sip:kate@example.com", "Answer", "Decline"]
    assert any(isinstance(item, SelfView) for item in shown.items)


def test_whom_we_call() -> None:
    dialing = in_call(replace(KATE, state=State.DIALING, remote_name=""))
    assert words(scene(dialing, MOMENT)) == ["Calling …", "kate@example.com", "Give up"]
    alerting = words(scene(in_call(replace(KATE, state=State.ALERTING)), MOMENT))
    assert alerting == ["It rings there", "Kate in Berlin", "sip:kate@example.com", "Give up"]


def test_the_far_end_fills_the_screen_with_the_self_view_on_top() -> None:
    shown = scene(in_call(KATE), MOMENT)
    assert shown.items[0] == FarEnd("1", FULL_SCREEN)
    self_view = shown.items[1]
    assert isinstance(self_view, SelfView)
    assert self_view.place.x > 0.5
    assert self_view.place.y > 0.5
    assert "Kate in Berlin" in words(shown)


def test_the_name_goes_after_a_while() -> None:
    state = in_call(KATE)
    assert next_change(state, MOMENT) == 100.0 + NAME_TIME
    assert words(scene(state, Moment(100.0 + NAME_TIME))) == []
    assert next_change(state, Moment(100.0 + NAME_TIME)) is None


def test_the_volume_is_shown_for_a_while() -> None:
    moment = Moment(500.0, volume_changed=499.0)
    assert "70" in words(scene(in_call(KATE), moment))
    assert next_change(in_call(KATE), moment) == 499.0 + VOLUME_TIME
    assert "70" not in words(scene(in_call(KATE), Moment(499.0 + VOLUME_TIME, volume_changed=499.0)))


@pytest.mark.parametrize("state", [ROOM, in_call(KATE), in_call(replace(KATE, state=State.INCOMING))])
def test_muted_is_always_said(state: RoomState) -> None:
    assert "Muted" not in words(scene(state, MOMENT))
    assert "Muted" in words(scene(replace(state, muted=True), MOMENT))


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (replace(KATE, sees=False), "Sound only"),
        (replace(KATE, held=True), "On hold"),
        (replace(KATE, held_by_far_end=True), "The far end has put this call on hold"),
        (replace(KATE, state=State.CONNECTING, sees=False), "Connecting …"),
    ],
)
def test_why_nobody_is_seen(call: CallView, why: str) -> None:
    shown = scene(in_call(call), MOMENT)
    assert not far_ends(shown)
    assert words(shown) == ["Kate in Berlin", why]


def test_several_far_ends_share_the_screen_without_overlap() -> None:
    for count in range(2, 10):
        calls = tuple(replace(KATE, id=str(n)) for n in range(count))
        places = [item.place for item in far_ends(scene(in_call(*calls), MOMENT))]
        assert len(places) == count
        for n, a in enumerate(places):
            assert a.width == a.height
            for b in places[:n]:
                assert a.x >= b.x + b.width - 1e-9 or b.x >= a.x + a.width - 1e-9 or a.y >= b.y + b.height - 1e-9


def test_who_is_on_hold_while_another_is_seen() -> None:
    shown = scene(in_call(KATE, replace(KATE, id="2", remote_name="Bob", held=True)), MOMENT)
    assert [item.call_id for item in far_ends(shown)] == ["1"]
    assert "On hold: Bob" in words(shown)


@pytest.mark.parametrize(
    ("state", "doing"), [(State.INCOMING, "Incoming call"), (State.DIALING, "Calling …"), (State.ALERTING, "Calling …")]
)
def test_another_call_is_announced_over_the_picture(state: State, doing: str) -> None:
    shown = scene(in_call(KATE, replace(KATE, id="2", remote_name="Bob", state=state)), MOMENT)
    assert [item.call_id for item in far_ends(shown)] == ["1"]
    assert doing in words(shown)
    assert "Bob" in words(shown)


def test_what_rings_comes_before_what_is_dialled() -> None:
    calls = (replace(KATE, state=State.DIALING), replace(KATE, id="2", state=State.INCOMING, remote_name="Bob"))
    assert "Bob" in words(scene(in_call(*calls), MOMENT))


def test_what_is_long_is_written_smaller() -> None:
    def height(name: str) -> float:
        items = scene(replace(ROOM, name=name), MOMENT).items
        return next(item.place.height for item in items if isinstance(item, Words) and item.text == name)

    longest = height("x" * 64)  # as long as a name may be
    assert height("Aalto") == pytest.approx(168 / ui.HEIGHT)
    assert longest * 64 * ui.HEIGHT * ui.LETTER <= ui.RIGHT - ui.LEFT + 1e-6
    assert height("x" * 300) == pytest.approx(ui.LEAST / ui.HEIGHT)


def test_why_a_call_ended() -> None:
    state = replace(ROOM, notice=Notice("Kate in Berlin", "The far end is busy."))
    assert words(scene(state, MOMENT)) == ["The call has ended", "Kate in Berlin", "The far end is busy."]


def test_why_another_call_ended_is_said_during_a_call() -> None:
    state = replace(in_call(KATE), notice=Notice("Joe", "The far end is busy."))
    said = words(scene(state, MOMENT))
    assert said.index("Joe") + 1 == said.index("The far end is busy.")
    ringing = replace(KATE, id="2", state=State.INCOMING)
    assert "Joe" not in words(scene(replace(state, calls=(KATE, ringing)), MOMENT))


PADLOCKS = {
    symbol.padlock(ui.WHITE, closed=True): "closed",
    symbol.padlock(ui.AMBER, closed=True, struck=True): "struck out",
    symbol.padlock(ui.PALE, closed=False): "open",
}


def padlocks(state: RoomState) -> list[str]:
    """Which padlocks are seen."""
    pictures = [item.png for item in scene(state, Moment(1000.0)).items if isinstance(item, Image)]
    return [PADLOCKS[png] for png in pictures if png in PADLOCKS]


def test_the_padlock_tells_the_truth_of_each_call() -> None:
    secret = replace(KATE, encrypted=True)
    assert padlocks(in_call(KATE)) == ["open"]
    assert padlocks(in_call(secret)) == ["closed"]
    assert padlocks(in_call(replace(secret, sees=False))) == ["closed"], "sound is as secret as pictures"
    assert padlocks(in_call(secret, replace(KATE, id="2"))) == ["closed", "open"]
    assert padlocks(in_call(replace(KATE, exposed=True))) == ["struck out"], "others may have the key"


@pytest.mark.parametrize("change", [{"held": True}, {"held_by_far_end": True}, {"state": State.CONNECTING}])
def test_where_nothing_flows_there_is_no_padlock(change: dict[str, Any]) -> None:
    assert padlocks(in_call(replace(KATE, **change))) == []


calls = st.builds(
    CallView,
    id=st.sampled_from("123456789"),
    remote=st.text(max_size=300),
    remote_name=st.text(max_size=300),
    incoming=st.booleans(),
    state=st.sampled_from([state for state in State if state is not State.ENDED]),
    held=st.booleans(),
    held_by_far_end=st.booleans(),
    active_since=st.none() | st.floats(0, 200),
    sees=st.booleans(),
    codecs=st.just(()),
    encrypted=st.booleans(),
    exposed=st.booleans(),
)
rooms = st.builds(
    RoomState,
    name=st.text(max_size=64),
    ready=st.booleans(),
    addresses=st.lists(st.text(max_size=100), max_size=5).map(tuple),
    calls=st.lists(calls, max_size=5, unique_by=lambda call: call.id).map(tuple),
    muted=st.booleans(),
    volume=st.integers(0, 100),
    notice=st.none() | st.builds(Notice, st.text(max_size=50), st.text(max_size=50)),
    warnings=st.lists(st.text(max_size=200), max_size=3).map(tuple),
    faults=st.lists(st.text(max_size=200), max_size=3).map(tuple),
)


@given(rooms, st.none() | st.floats(90, 110))
def test_whatever_happens_the_scene_stays_on_the_screen_and_words_off_its_edges(
    state: RoomState, volume_changed: float | None
) -> None:
    for item in scene(state, Moment(101.0, volume_changed, "14:05", "sip:help@example.com")).items:
        place: Rectangle = item.place
        assert place.width > 0
        assert place.height > 0
        edge = 0.0 if isinstance(item, FarEnd) else 0.02
        assert place.x >= edge - 1e-9
        assert place.y >= edge - 1e-9
        assert place.x + place.width <= 1 - edge + 1e-9
        assert place.y + place.height <= 1 - edge + 1e-9


def test_pictures_have_the_shape_of_their_place() -> None:
    everything = in_call(
        KATE, replace(KATE, id="2", state=State.INCOMING), replace(KATE, id="3", held=True), muted=True
    )
    for item in scene(everything, Moment(101.0, 100.0)).items:
        if isinstance(item, Image):
            width, height = Picture.open(io.BytesIO(item.png)).size
            shape = item.place.width * ui.WIDTH / (item.place.height * ui.HEIGHT)
            assert width / height == pytest.approx(shape, rel=0.02)


class Shown:
    """A screen and all that it was made to show."""

    def __init__(self, call_button: str = "") -> None:
        self.scenes: list[Scene] = []
        self.screen = Screen(self.scenes.append, call_button)

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(1000):
            if condition():
                return
            await asyncio.sleep(0.01)
        pytest.fail("the screen did not change")


def test_the_screen_shows_each_scene_once() -> None:
    async def scenario() -> None:
        shown = Shown()
        shown.screen.update(in_call(KATE))
        shown.screen.update(replace(in_call(KATE)))
        assert len(shown.scenes) == 1
        shown.screen.update(in_call(KATE, muted=True))
        assert len(shown.scenes) == 2
        shown.screen.close()

    asyncio.run(scenario())


def test_the_screen_shows_a_changed_volume_and_takes_it_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ui, "VOLUME_TIME", 0.05)

    async def scenario() -> None:
        shown = Shown()
        shown.screen.update(in_call(KATE))
        assert "70" not in words(shown.scenes[-1])
        shown.screen.update(in_call(KATE, volume=75))
        assert "75" in words(shown.scenes[-1])
        await shown.until(lambda: "75" not in words(shown.scenes[-1]))
        shown.screen.close()

    asyncio.run(scenario())


def test_the_clock_of_an_idle_room_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000_019.95]
    monkeypatch.setattr(ui.time, "time", lambda: now[0])

    async def scenario() -> None:
        shown = Shown("sip:help@example.com")
        shown.screen.update(ROOM)
        now[0] += 0.06
        await shown.until(lambda: len(shown.scenes) == 2)
        assert words(shown.scenes[0])[2] != words(shown.scenes[1])[2]
        shown.screen.close()

    asyncio.run(scenario())


def test_a_closed_screen_changes_no_more() -> None:
    async def scenario() -> None:
        shown = Shown()
        shown.screen.update(in_call(KATE))
        shown.screen.close()
        shown.screen._refresh()
        assert len(shown.scenes) == 1

    asyncio.run(scenario())


def test_a_screen_rests_when_nobody_is_there_and_wakes_for_what_happens() -> None:
    async def scenario() -> None:
        scenes: list[Scene] = []
        screen = Screen(scenes.append, rest_time=100.0)

        def dark() -> bool:
            return scenes[-1].dark

        screen.update(ROOM)
        await asyncio.sleep(99)
        assert not dark()
        screen.update(replace(ROOM, warnings=("It is hot in here.",)))  # nothing that anybody waits for
        await asyncio.sleep(2)
        assert dark()
        assert not scenes[-1].items
        screen.touched()
        assert not dark()
        await asyncio.sleep(60)
        screen.touched()
        await asyncio.sleep(60)
        assert not dark()
        await asyncio.sleep(60)
        assert dark()
        state = ROOM
        for change in ({"volume": 20}, {"muted": True}, {"television": TelevisionStatus(True, True, True)}):
            state = replace(state, **change)
            screen.update(state)
            assert not dark(), change
            await asyncio.sleep(101)
            assert dark(), change
        screen.update(replace(state, television=TelevisionStatus(True, False)))
        assert dark(), "a television that is switched off"
        screen.update(in_call(KATE))
        await asyncio.sleep(3600)
        assert not dark()
        screen.update(ROOM)
        await asyncio.sleep(99)
        assert not dark()
        await asyncio.sleep(2)
        assert dark()
        screen.close()

    virtual_loop.run(scenario())


def test_a_screen_may_be_meant_to_go_on_for_ever() -> None:
    async def scenario() -> None:
        scenes: list[Scene] = []
        screen = Screen(scenes.append)
        screen.update(ROOM)
        await asyncio.sleep(86_400)
        assert not scenes[-1].dark
        screen.close()

    virtual_loop.run(scenario())
