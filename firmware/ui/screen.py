"""What is on the room's screen: a Scene as a pure function of the room's state and the time.

Rule 1: measures are those of a screen of 1920 by 1080; nothing but pictures comes nearer than 5 % to an edge, which a
television may cut.
Rule 2: whoever is seen fills the screen; words stand on panels that let the picture through, and go when they are old.
Rule 3: a scene that would look the same is not sent again.
Rule 4: a screen that nobody has looked at for a while, as far as can be told, rests.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware.call.call import State
from firmware.media.scene import FULL_SCREEN, FarEnd, Image, Rectangle, Scene, SelfView, Words
from firmware.ui import symbol

if TYPE_CHECKING:
    from firmware.room import CallView, Notice, RoomState

WIDTH, HEIGHT = 1920, 1080
LEFT, RIGHT, TOP, BOTTOM = 112, WIDTH - 112, 76, HEIGHT - 76

NAME_TIME: Final = 8.0
"""How long the far end's name is shown after a call is up, s."""
VOLUME_TIME: Final = 2.5
"""How long the volume is shown after a change, s."""
LETTER: Final = 0.45
"""Width of a letter, by the height of its line, in the mean."""
LEAST: Final = 32
"""Height of a line that can still be read at three metres."""
MOST_ADDRESSES: Final = 3
MOST_FAULTS: Final = 2

BACKGROUND = "#10141c"
WHITE, PALE, GREY = "#ffffff", "#c3cbd8", "#8590a3"
GREEN, AMBER, RED, BLUE = "#4ade80", "#fbbf24", "#ff6b6b", "#5b9dff"
ANSWER, DECLINE = "#22a55b", "#d64545"
GLASS = "#0b0f16cc"
"""What panels over pictures are made of."""

Item = FarEnd | SelfView | Words | Image


@dataclass(frozen=True, slots=True)
class Moment:
    """What a scene depends on besides the room's state."""

    now: float
    """s, on the clock of ``CallView.active_since``."""
    volume_changed: float | None = None
    """When the volume changed last, s; None: it has not."""
    clock: str = ""
    """The time of day to show, ``14:05``; "": none."""
    call_button: str = ""
    """The address that the green button dials; "": none."""
    resting: bool = False
    """Whether the room has been left alone for so long that the screen rests, unless there is a call."""


class Screen:
    """Shows the room's state, and what changes by time alone; all on the event loop."""

    def __init__(self, show: Callable[[Scene], None], call_button: str = "", rest_time: float = 0.0) -> None:
        """*rest_time*: how long the screen goes on when nothing happens, s; 0: for ever."""
        self._show = show
        self._rest_time = rest_time
        self._used = 0.0
        """When somebody used the room last, or something happened that he would want to see."""
        self._call_button = call_button
        self._state: RoomState | None = None
        self._volume_changed: float | None = None
        self._shown: Scene | None = None
        self._timer: asyncio.TimerHandle | None = None

    def update(self, state: RoomState) -> None:
        """Show this state from now on."""
        if self._state is None or _wakes(self._state, state):
            self._used = asyncio.get_running_loop().time()
        if self._state is not None and state.volume != self._state.volume:
            self._volume_changed = asyncio.get_running_loop().time()
        self._state = state
        self._refresh()

    def touched(self) -> None:
        """Hear that somebody in the room has pressed a button or a key."""
        self._used = asyncio.get_running_loop().time()
        self._refresh()

    def close(self) -> None:
        """Leave the screen as it is."""
        self._state = None
        if self._timer is not None:
            self._timer.cancel()

    def _refresh(self) -> None:
        if self._state is None:
            return
        loop, wall = asyncio.get_running_loop(), time.time()
        now = loop.time()
        clock = time.strftime("%H:%M", time.localtime(wall))
        rest = self._used + self._rest_time if self._rest_time else float("inf")
        moment = Moment(now, self._volume_changed, clock, self._call_button, now >= rest)
        shown = scene(self._state, moment)
        if shown != self._shown:
            self._shown = shown
            self._show(shown)
        if self._timer is not None:
            self._timer.cancel()
        changes = [now + 60 - wall % 60, next_change(self._state, moment), None if moment.resting else rest]
        self._timer = loop.call_at(min(change for change in changes if change is not None), self._refresh)


def scene(state: RoomState, moment: Moment) -> Scene:
    """What the room's screen shows."""
    if moment.resting and not state.calls:
        return Scene(dark=True)
    ringing = [call for call in state.calls if call.state is State.INCOMING]
    talking = [call for call in state.calls if call.state in (State.CONNECTING, State.ACTIVE)]
    dialing = [call for call in state.calls if call.state in (State.DIALING, State.ALERTING)]
    if talking:
        several = len(talking) > 1
        banner = _banner(ringing or dialing, below=several)
        items = [
            *_in_call(talking, moment, (*state.faults, *state.warnings)),
            *(banner or _ended(state.notice, below=several)),
        ]
    elif ringing:
        items = _ringing(ringing[0])
    elif dialing:
        items = _dialing(dialing[0])
    elif state.notice is not None:
        items = _person("The call has ended", state.notice.title, state.notice.text, "")
    else:
        items = _idle(state, moment)
    if state.muted:
        items += _muted(TOP if state.calls or state.notice else TOP + 100)
    if moment.volume_changed is not None and moment.now < moment.volume_changed + VOLUME_TIME:
        items += _volume(state.volume)
    return Scene(tuple(items), BACKGROUND)


def _wakes(before: RoomState, now: RoomState) -> bool:
    """Whether a screen that rests has a reason to wake."""

    def happenings(state: RoomState) -> tuple[object, ...]:
        return state.calls, state.notice, state.muted, state.volume

    def is_on(state: RoomState) -> bool:
        return state.television is not None and state.television.on is True

    return happenings(before) != happenings(now) or (is_on(now) and not is_on(before))


def next_change(state: RoomState, moment: Moment) -> float | None:
    """When the scene changes though the room does not, s; None: it doesn't."""
    ends = [call.active_since + NAME_TIME for call in state.calls if call.active_since is not None]
    if moment.volume_changed is not None:
        ends.append(moment.volume_changed + VOLUME_TIME)
    return min((end for end in ends if end > moment.now), default=None)


# Screens


def _idle(state: RoomState, moment: Moment) -> list[Item]:
    items: list[Item] = [
        Image(symbol.face_to_face(BLUE, GREEN), _at(LEFT, TOP, 60, 60)),
        _title(state.name, 300, 168),
        *_status(state),
    ]
    if moment.clock:
        items.append(Words(moment.clock, _at(RIGHT - 400, TOP - 8, 400, 76), "right", PALE))
    if state.addresses:
        items.append(Words("To call this room", _at(LEFT, 612, 800, 44), color=GREY))
        items += [
            Words(address, _at(LEFT, 668 + 66 * n, RIGHT - LEFT, 56), color=PALE)
            for n, address in enumerate(state.addresses[:MOST_ADDRESSES])
        ]
    if moment.call_button and state.ready:
        items += _hint(symbol.handset(WHITE, ANSWER, down=False), f"Call {moment.call_button}", LEFT)
    return items


def _status(state: RoomState) -> list[Item]:
    """A lamp and a sentence; what is wrong, where something is; and below, quietly, where this room isn't found."""
    color, words = AMBER, (*state.warnings, *state.faults)[:MOST_FAULTS]
    if not state.ready:
        words = ("Starting …",)
    elif not words:
        color, words = GREEN, ("Ready",)
    items: list[Item] = [Image(symbol.disc(color), _at(LEFT + 4, 505, 26, 26))]
    for n, text in enumerate(words):
        items.append(_fitting(text, LEFT + 54, 490 + 62 * n, RIGHT - LEFT - 54, 56, color))
    trouble = next((one.trouble for one in state.registrations if one.trouble), "")
    if trouble and state.ready and len(words) < MOST_FAULTS:
        items.append(_fitting(trouble, LEFT + 54, 494 + 62 * len(words), RIGHT - LEFT - 54, 44, PALE))
    return items


def _ringing(call: CallView) -> list[Item]:
    items = _person("Incoming call", call.title, call.remote if call.remote_name else "", GREEN)
    items += _hint(symbol.handset(WHITE, ANSWER, down=False), "Answer", LEFT)
    items += _hint(symbol.handset(WHITE, DECLINE, down=True), "Decline", LEFT + 400)
    return [*items, SelfView(_corner(0.3))]


def _dialing(call: CallView) -> list[Item]:
    doing = "It rings there" if call.state is State.ALERTING else "Calling …"
    items = _person(doing, call.title, call.remote if call.remote_name else "", BLUE)
    items += _hint(symbol.handset(WHITE, DECLINE, down=True), "Give up", LEFT)
    return [*items, SelfView(_corner(0.3))]


def _person(doing: str, title: str, below: str, color: str) -> list[Item]:
    """Who it is about, in large letters, with what happens above and more below."""
    items: list[Item] = [
        Image(symbol.face_to_face(BLUE, GREEN), _at(LEFT, TOP, 60, 60)),
        Words(doing, _at(LEFT, 258, RIGHT - LEFT, 56), color=color or GREY),
        _title(title, 330, 140),
    ]
    if below:
        items.append(Words(below, _at(LEFT, 490, RIGHT - LEFT, 56), color=PALE))
    return items


def _title(text: str, y: int, most: int) -> Words:
    """The largest words on the screen."""
    return _fitting(text, LEFT, y, RIGHT - LEFT, most)


def _fitting(
    text: str, x: float, y: float, width: float, most: float, color: str = WHITE, background: str = ""
) -> Words:
    """Words at most so high; longer ones are smaller, so that a sentence is not cut off."""
    height = min(most, max(LEAST, width / LETTER / max(1, len(text))))
    return Words(text, _at(x, y + (most - height) / 2, width, height), color=color, background=background)


def _in_call(calls: list[CallView], moment: Moment, troubles: Sequence[str]) -> list[Item]:
    shown = [call for call in calls if not call.held] or calls[-1:]
    places = _places(len(shown))
    items: list[Item] = []
    for call, place in zip(shown, places, strict=True):
        if call.sees and not call.held and not call.held_by_far_end:
            items.append(FarEnd(call.id, place))
    items.append(SelfView(_corner(0.22 if len(shown) == 1 else 0.2)))
    for call, place in zip(shown, places, strict=True):
        if not call.sees or call.held or call.held_by_far_end:
            items += _unseen(call, place)
        elif call.active_since is None or moment.now < call.active_since + NAME_TIME:
            items += _name(call.title, place)
        if call.state is State.ACTIVE and not call.held and not call.held_by_far_end:
            items += _padlock(place, call)
    waiting = [call.title for call in calls if call not in shown]
    if waiting:
        items += _pill(symbol.pause(WHITE), f"On hold: {', '.join(waiting)}", TOP)
    return items + _trouble(troubles, places[-1])


def _unseen(call: CallView, place: Rectangle) -> list[Item]:
    """Instead of a picture: who it is and why nothing is seen."""
    if call.held:
        why = "On hold"
    elif call.held_by_far_end:
        why = "The far end has put this call on hold"
    elif call.state is State.CONNECTING:
        why = "Connecting …"
    else:
        why = "Sound only"
    scale = max(place.width, 0.4)
    left, room, middle = place.x + 0.03, place.width - 0.06, place.y + place.height / 2
    return [
        Words(call.title, Rectangle(left, middle - 0.13 * scale, room, 0.13 * scale), "center"),
        Words(why, Rectangle(left, middle + 0.02 * scale, room, 0.055 * scale), "center", GREY),
    ]


def _places(count: int) -> list[Rectangle]:
    """Where far ends are seen: one everywhere, more in a square of equal parts."""
    if count == 1:
        return [FULL_SCREEN]
    side = next(n for n in range(2, count + 1) if n * n >= count)
    rows = -(-count // side)
    size = 1 / side
    top = (1 - rows * size) / 2
    return [Rectangle(n % side * size, top + n // side * size, size, size) for n in range(count)]


# What lies over a screen


def _name(title: str, place: Rectangle) -> list[Item]:
    """Who is seen, at the bottom left of the picture, beside the padlock."""
    left, bottom = _corner_of(place)
    right = min(RIGHT, round((place.x + place.width) * WIDTH) - 32)
    return [Words(title, _at(left + 72, bottom - 60, min(1100, right - left - 72), 60), background=GLASS)]


def _padlock(place: Rectangle, call: CallView) -> list[Item]:
    """Whether a call is encrypted, as long as it lasts, at the bottom left of its picture.

    It is closed and struck out where others may have the key.
    """
    left, bottom = _corner_of(place)
    color = WHITE if call.encrypted else AMBER if call.exposed else PALE
    lock = symbol.padlock(color, closed=call.encrypted or call.exposed, struck=call.exposed)
    return [
        Image(symbol.panel(60, 60, GLASS, 30), _at(left, bottom - 60, 60, 60)),
        Image(lock, _at(left + 10, bottom - 50, 40, 40)),
    ]


def _corner_of(place: Rectangle) -> tuple[int, int]:
    """Where the left and the lower edge are of what stands in a picture's corner."""
    left = max(LEFT, round(place.x * WIDTH) + 32)
    return left, min(BOTTOM, round((place.y + place.height) * HEIGHT) - 24)


def _pill(picture: bytes, text: str, y: int, *, right: bool = False, color: str = WHITE) -> list[Item]:
    """A symbol and a line on glass, at the left or the right edge."""
    height = 60
    x = RIGHT - height if right else LEFT
    room = _at(RIGHT - height - 512, y, 500, height) if right else _at(LEFT + height + 12, y, 1000, height)
    return [
        Image(symbol.panel(height, height, GLASS, height // 2), _at(x, y, height, height)),
        Image(picture, _at(x + 9, y + 9, 42, 42)),
        Words(text, room, "right" if right else "left", color, GLASS),
    ]


def _trouble(troubles: Sequence[str], last: Rectangle) -> list[Item]:
    """What is wrong, in one small line at the left edge: above the padlock and the name, or, where it would lie over
    the middle of the last row's pictures, between two rows.
    """
    if not troubles:
        return []
    more = f"  (+{len(troubles) - 1})" if len(troubles) > 1 else ""
    width, height = 1300, 44
    letters = round(width / LETTER / LEAST) - len(more)
    text = troubles[0] if len(troubles[0]) <= letters else troubles[0][: letters - 1] + "…"
    y = last.y * HEIGHT - height / 2 if last.y > 0.6 else BOTTOM - 76 - height
    return [_fitting(text + more, LEFT, y, width, height, AMBER, GLASS)]


def _banner(calls: list[CallView], *, below: bool) -> list[Item]:
    """Another call that rings, or is being made, during a call; ``below`` what is said of calls on hold."""
    if not calls:
        return []
    call = calls[0]
    ringing = call.state is State.INCOMING
    width, height = 1000, 136
    x, y = (WIDTH - width) // 2, TOP + 100 if below else TOP
    room = width - (286 if ringing else 200)
    doing, color = ("Incoming call", GREEN) if ringing else ("Calling …", BLUE)
    items: list[Item] = [
        Image(symbol.panel(width, height, GLASS, 26), _at(x, y, width, height)),
        Words(doing, _at(x + 44, y + 18, room, 38), color=color),
        Words(call.title, _at(x + 44, y + 60, room, 58)),
        Image(symbol.handset(WHITE, DECLINE, down=True), _at(x + width - 112, y + 32, 72, 72)),
    ]
    if ringing:
        items.append(Image(symbol.handset(WHITE, ANSWER, down=False), _at(x + width - 208, y + 32, 72, 72)))
    return items


def _ended(notice: Notice | None, *, below: bool) -> list[Item]:
    """Why another call has ended; ``below`` what is said of calls on hold."""
    if notice is None:
        return []
    width, height = 1240, 124
    y = TOP + 80 if below else TOP
    return [
        Image(symbol.panel(width, height, GLASS, 26), _at(LEFT, y, width, height)),
        Image(symbol.handset(WHITE, DECLINE, down=True), _at(LEFT + 26, y + 26, 72, 72)),
        Words(notice.title, _at(LEFT + 124, y + 16, width - 150, 38), color=PALE),
        _fitting(notice.text, LEFT + 124, y + 60, width - 150, 48),
    ]


def _muted(y: int) -> list[Item]:
    return _pill(symbol.microphone(RED, muted=True), "Muted", y, right=True, color=RED)


def _volume(percent: int) -> list[Item]:
    width = 560
    x, y = (WIDTH - width) // 2, BOTTOM - 92
    return [
        Image(symbol.panel(width, 92, GLASS, 26), _at(x, y, width, 92)),
        Image(symbol.speaker(WHITE), _at(x + 26, y + 22, 48, 48)),
        Image(symbol.bar(336, 14, percent / 100, WHITE, "#ffffff40"), _at(x + 96, y + 39, 336, 14)),
        Words(str(percent), _at(x + 444, y + 20, 84, 52), "right"),
    ]


def _hint(picture: bytes, text: str, x: int) -> list[Item]:
    """A button's symbol and what it does."""
    y = BOTTOM - 72
    return [Image(picture, _at(x, y, 72, 72)), Words(text, _at(x + 96, y + 8, RIGHT - x - 96, 56), color=PALE)]


def _corner(width: float) -> Rectangle:
    """The place of a picture at the bottom right, of the screen's shape."""
    return Rectangle(RIGHT / WIDTH - width + 0.03, BOTTOM / HEIGHT - width + 0.03, width, width)


def _at(x: float, y: float, width: float, height: float) -> Rectangle:
    return Rectangle(x / WIDTH, y / HEIGHT, width / WIDTH, height / HEIGHT)
