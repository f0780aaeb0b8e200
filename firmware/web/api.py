"""The API as a table: one row for each operation, from which the routes and their description are made.

A row's function gets the unit, the request and the decoded body, and gives a body or a whole response.  What it refuses
it raises: NoSuchCallError is 404, another CallError and DeviceError 409; each becomes a JSON `Error`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct

from firmware.errors import DeviceError
from firmware.ports import BUTTONS, KEYS, TELEVISION_KEYS
from firmware.room import NoSuchCallError
from firmware.web import body, camera

if TYPE_CHECKING:
    from firmware.ports import Board
    from firmware.room import Room, Television
    from firmware.web.auth import Gate
    from firmware.web.live import Live

BASE: Final = "/api/v1"
CURRENT: Final = "current"
"""In place of a call's number: the one that the room's own button would mean."""
COOKIE: Final = "visavis_session"
_KEYS: Final = (*KEYS, *TELEVISION_KEYS)
SIMULATED: Final = "sim"
"""The board whose buttons can be pressed from afar."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What the operations work on."""

    room: Room
    live: Live
    gate: Gate
    board: Board | None
    pictures: asyncio.Semaphore
    """Bounds the screenshots that are made at the same time."""


Wanted = TypeVar("Wanted")


@dataclass(frozen=True, slots=True)
class Ask(Generic[Wanted]):
    """One request."""

    unit: Unit
    request: web.Request
    wanted: Wanted
    """The decoded body or query; None: the operation has neither."""


Do = Callable[[Ask[Any]], Awaitable[Struct | web.StreamResponse | None]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One row."""

    name: str
    method: str
    path: str
    """Below BASE."""
    summary: str
    do: Do
    request: type[Struct] | None = None
    """The JSON body."""
    query: type[Struct] | None = None
    """The query's parameters; decoded in the place of a body."""
    response: type[Struct] | None = None
    content: str = "application/json"
    """Media type of the response."""
    status: int = 200
    refusals: tuple[int, ...] = ()
    """Statuses that may be answered instead, besides those that any operation may answer."""
    public: bool = False
    """Needs no password."""


def _now() -> float:
    return asyncio.get_running_loop().time()


def _call(unit: Unit, call_id: str) -> body.Call:
    view = unit.room.state.call(call_id)
    if view is None:
        raise NoSuchCallError(f"there is no call {call_id}")
    return body.call(view, _now())


def _id(request: web.Request) -> str | None:
    call_id = request.match_info["id"]
    return None if call_id == CURRENT else call_id


async def _state(ask: Ask[None]) -> body.Room:
    return body.room(ask.unit.room.state, _now())


async def _dial(ask: Ask[body.Dial]) -> web.Response:
    call_id = ask.unit.room.dial(ask.wanted.address)
    view = ask.unit.room.state.call(call_id)
    if view is None:  # it has ended before this line
        notice = ask.unit.room.state.notice
        raise web.HTTPConflict(text=notice.text if notice is not None else "the call could not be made")
    location = f"{BASE}/calls/{call_id}"
    return json_response(body.call(view, _now()), status=201, headers={"Location": location})


async def _get_call(ask: Ask[None]) -> body.Call:
    return _call(ask.unit, ask.request.match_info["id"])


async def _answer(ask: Ask[None]) -> body.Call:
    return _call(ask.unit, ask.unit.room.answer(_id(ask.request)))


async def _hold(ask: Ask[None]) -> body.Call:
    ask.unit.room.hold(ask.request.match_info["id"])
    return _call(ask.unit, ask.request.match_info["id"])


async def _resume(ask: Ask[None]) -> body.Call:
    ask.unit.room.resume(ask.request.match_info["id"])
    return _call(ask.unit, ask.request.match_info["id"])


async def _transfer(ask: Ask[body.Transfer]) -> None:
    room, call_id = ask.unit.room, ask.request.match_info["id"]
    if ask.wanted.call:
        room.join(call_id, ask.wanted.call)
    else:
        room.transfer(call_id, ask.wanted.address)


async def _hang_up(ask: Ask[None]) -> None:
    ask.unit.room.hang_up(_id(ask.request))


async def _send_digits(ask: Ask[body.Digits]) -> None:
    ask.unit.room.send_digits(ask.request.match_info["id"], ask.wanted.digits)


async def _statistics(ask: Ask[None]) -> body.Statistics:
    room = ask.unit.room
    return body.statistics(room.statistics(ask.request.match_info["id"]), room.audio_tick)


async def _get_mute(ask: Ask[None]) -> body.Mute:
    return body.Mute(ask.unit.room.state.muted)


async def _set_mute(ask: Ask[body.Mute]) -> body.Mute:
    ask.unit.room.set_mute(ask.wanted.muted)
    return body.Mute(ask.unit.room.state.muted)


async def _get_volume(ask: Ask[None]) -> body.Volume:
    return body.Volume(ask.unit.room.state.volume)


async def _set_volume(ask: Ask[body.Volume]) -> body.Volume:
    ask.unit.room.set_volume(ask.wanted.volume)
    return body.Volume(ask.unit.room.state.volume)


async def _screen(ask: Ask[body.Size]) -> web.Response:
    if ask.unit.pictures.locked():
        raise web.HTTPServiceUnavailable(text="too many pictures at a time", headers={"Retry-After": "1"})
    async with ask.unit.pictures:
        try:
            png = await ask.unit.room.screenshot("png", ask.wanted.width, ask.wanted.height)
        except DeviceError as error:
            raise web.HTTPServiceUnavailable(text=str(error), headers={"Retry-After": "1"}) from None
    return web.Response(body=png, content_type="image/png", headers={"Cache-Control": "no-store"})


async def _live_screen(ask: Ask[None]) -> web.StreamResponse:
    return await ask.unit.live.screen(ask.request)


async def _events(ask: Ask[None]) -> web.StreamResponse:
    return await ask.unit.live.events(ask.request)


async def _board(ask: Ask[None]) -> body.Board:
    name = ask.unit.board.name if ask.unit.board else ""
    return body.Board(name, BUTTONS, _KEYS) if name == SIMULATED else body.Board(name, (), ())


async def _press(ask: Ask[body.Press]) -> None:
    button = ask.request.match_info["name"]
    if button not in BUTTONS:
        raise web.HTTPNotFound(text=f"there is no button {button}; there are {', '.join(BUTTONS)}")
    _simulated(ask.unit).press(button, ask.wanted.seconds)


async def _press_key(ask: Ask[None]) -> None:
    key = ask.request.match_info["name"]
    if key not in _KEYS:
        raise web.HTTPNotFound(text=f"there is no key {key}; there are {', '.join(_KEYS)}")
    _simulated(ask.unit).press_key(key)


def _simulated(unit: Unit) -> Board:
    if unit.board is None or unit.board.name != SIMULATED:
        raise web.HTTPConflict(text="only the simulated board can be operated from afar")
    return unit.board


async def _health(ask: Ask[None]) -> body.Health:
    found = ask.unit.room.health
    return body.health(found) if found is not None else body.Health()


async def _pretend(ask: Ask[body.Pretence]) -> None:
    board = _simulated(ask.unit)
    board.pretend(body.pretended(board.read_health(Path()), ask.wanted))


async def _get_television(ask: Ask[None]) -> body.Television:
    return body.television(_television(ask.unit).status)


async def _switch_television(ask: Ask[body.Switch]) -> None:
    _television(ask.unit).switch(ask.wanted.on)


def _television(unit: Unit) -> Television:
    if unit.room.television is None:
        raise web.HTTPNotFound(text="this unit leaves the television alone: television.enabled is off")
    return unit.room.television


async def _log_in(ask: Ask[body.Login]) -> web.Response:
    gate, address = ask.unit.gate, ask.request.remote or ""
    if not gate.open and not await gate.check_password(ask.wanted.password, address):
        raise web.HTTPForbidden(text="the password is wrong")
    response = web.Response(status=204)
    response.set_cookie(COOKIE, gate.open_session(_now()), httponly=True, samesite="Strict", path="/")
    return response


async def _log_out(ask: Ask[None]) -> web.Response:
    ask.unit.gate.close_session(ask.request.cookies.get(COOKIE, ""))
    response = web.Response(status=204)
    response.del_cookie(COOKIE, path="/")
    return response


OPERATIONS: Final = (
    Operation("getState", "GET", "/state", "The room as it is now.", _state, response=body.Room),
    Operation(
        "dial", "POST", "/calls", "Call an address.", _dial, body.Dial, response=body.Call, status=201, refusals=(409,)
    ),
    Operation("getCall", "GET", "/calls/{id}", "A call.", _get_call, response=body.Call, refusals=(404,)),
    Operation(
        "answer",
        "POST",
        "/calls/{id}/answer",
        "Answer a call; `current`: the one that rings longest.",
        _answer,
        response=body.Call,
        refusals=(404, 409),
    ),
    Operation(
        "hangUp",
        "POST",
        "/calls/{id}/hang_up",
        "End or decline a call; `current`: the foremost one.",
        _hang_up,
        status=204,
        refusals=(404,),
    ),
    Operation(
        "hold", "POST", "/calls/{id}/hold", "Put a call on hold.", _hold, response=body.Call, refusals=(404, 409)
    ),
    Operation(
        "resume",
        "POST",
        "/calls/{id}/resume",
        "Take a call off hold.",
        _resume,
        response=body.Call,
        refusals=(404, 409),
    ),
    Operation(
        "transfer",
        "POST",
        "/calls/{id}/transfer",
        "Pass a call's far end on: it is to call an address, or to talk to the far end of another call.",
        _transfer,
        body.Transfer,
        status=202,
        refusals=(404, 409),
    ),
    Operation(
        "sendDigits",
        "POST",
        "/calls/{id}/digits",
        "Press keys on the far end's keypad.",
        _send_digits,
        body.Digits,
        status=204,
        refusals=(404, 409),
    ),
    Operation(
        "getStatistics",
        "GET",
        "/calls/{id}/statistics",
        "What flowed in the last second.",
        _statistics,
        response=body.Statistics,
        refusals=(404,),
    ),
    Operation("getMute", "GET", "/mute", "Whether the room is muted.", _get_mute, response=body.Mute),
    Operation("setMute", "PUT", "/mute", "Mute the room, or not.", _set_mute, body.Mute, response=body.Mute),
    Operation("getVolume", "GET", "/volume", "The speaker's loudness.", _get_volume, response=body.Volume),
    Operation("setVolume", "PUT", "/volume", "Set the loudness.", _set_volume, body.Volume, response=body.Volume),
    Operation(
        "getScreen",
        "GET",
        "/screen.png",
        "What is on the room's screen.",
        _screen,
        query=body.Size,
        content="image/png",
        refusals=(503,),
    ),
    Operation(
        "watchScreen",
        "GET",
        "/screen.mjpeg",
        "The screen, live: JPEG pictures, at most ten a second and only where something changed.",
        _live_screen,
        content="multipart/x-mixed-replace",
        refusals=(503,),
    ),
    Operation(
        "listen",
        "GET",
        "/events",
        "A WebSocket that sends the state (as `getState` gives it) on connecting and at each change.",
        _events,
        status=101,
        refusals=(400, 503),
    ),
    Operation(
        "getTelevision",
        "GET",
        "/television",
        "What is known of the television.",
        _get_television,
        response=body.Television,
        refusals=(404,),
    ),
    Operation(
        "switchTelevision",
        "PUT",
        "/television",
        "Switch the television on and to this room, or off while it shows this room; it takes its time.",
        _switch_television,
        body.Switch,
        status=202,
        refusals=(404, 409),
    ),
    Operation(
        "getCamera",
        "GET",
        "/camera",
        "How the camera can be moved, and where it looks.",
        camera.get_camera,
        response=body.Camera,
    ),
    Operation(
        "moveCamera",
        "POST",
        "/camera/move",
        "Pan, tilt and zoom the camera for a moment, while it is in use; all 0: stop.",
        camera.move_camera,
        body.Move,
        status=202,
        refusals=(409,),
    ),
    Operation(
        "pointCamera",
        "PUT",
        "/camera",
        "Let the camera look somewhere; it takes its time.",
        camera.point_camera,
        body.View,
        status=202,
        refusals=(409,),
    ),
    Operation(
        "storePreset",
        "PUT",
        "/camera/presets/{number}",
        "Keep where the camera looks, as one of 16 presets.",
        camera.store_preset,
        status=204,
        refusals=(404, 409),
    ),
    Operation(
        "recallPreset",
        "POST",
        "/camera/presets/{number}/recall",
        "Let the camera look where a preset says; it takes its time.",
        camera.recall_preset,
        status=202,
        refusals=(404, 409),
    ),
    Operation("getHealth", "GET", "/health", "How the machine is.", _health, response=body.Health),
    Operation("getBoard", "GET", "/board", "The hardware.", _board, response=body.Board),
    Operation(
        "press",
        "POST",
        "/board/buttons/{name}/press",
        "Press and release a button of the simulated board.",
        _press,
        query=body.Press,
        status=204,
        refusals=(404, 409),
    ),
    Operation(
        "pressKey",
        "POST",
        "/board/keys/{name}/press",
        "Press and release a key of the simulated television's remote control.",
        _press_key,
        status=204,
        refusals=(404, 409),
    ),
    Operation(
        "pretendHealth",
        "PUT",
        "/board/health",
        "Let the simulated machine be hot, worn or short of something.",
        _pretend,
        body.Pretence,
        status=204,
        refusals=(409,),
    ),
    Operation(
        "logIn",
        "POST",
        "/session",
        "Show the password and get a cookie for what follows.",
        _log_in,
        body.Login,
        status=204,
        refusals=(403, 429),
        public=True,
    ),
    Operation("logOut", "DELETE", "/session", "Give the cookie back.", _log_out, status=204, public=True),
)


def json_response(content: Struct, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Make a JSON response."""
    return web.Response(
        body=msgspec.json.encode(content), status=status, headers=headers, content_type="application/json"
    )
