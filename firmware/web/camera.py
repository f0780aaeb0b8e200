"""The API's operations on the room's camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web
from msgspec import UNSET

from firmware.ports import AXES, View
from firmware.room import PRESETS
from firmware.web import body

if TYPE_CHECKING:
    from firmware.web.api import Ask


async def get_camera(ask: Ask[None]) -> body.Camera:
    """What can be moved, and where it looks."""
    return body.camera(ask.unit.room.camera.state)


async def move_camera(ask: Ask[body.Move]) -> None:
    """Move it for some time."""
    wanted = ask.wanted
    ask.unit.room.camera.move(wanted.pan, wanted.tilt, wanted.zoom, wanted.seconds)


async def point_camera(ask: Ask[body.View]) -> None:
    """Let it look there."""
    given = {axis: getattr(ask.wanted, axis) for axis in AXES}
    ask.unit.room.camera.go_to(View(**{axis: part for axis, part in given.items() if part is not UNSET}))


async def store_preset(ask: Ask[None]) -> None:
    """Keep the view."""
    ask.unit.room.camera.store(_number(ask))


async def recall_preset(ask: Ask[None]) -> None:
    """Look at what was kept."""
    ask.unit.room.camera.recall(_number(ask))


def _number(ask: Ask[None]) -> int:
    text = ask.request.match_info["number"]
    if len(text) > 2 or not text.isdecimal() or int(text) not in PRESETS:
        raise web.HTTPNotFound(text=f"presets have the numbers {PRESETS[0]} to {PRESETS[-1]}")
    return int(text)
