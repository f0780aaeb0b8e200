"""The API's operations on the camera, by HTTP."""

from __future__ import annotations

import pytest
from simple_web import Web, on_web, run

from firmware.media.message import CameraView
from firmware.ports import View

STILL = {"axes": [], "pan": None, "tilt": None, "zoom": None, "presets": []}


@on_web
async def test_where_it_looks(web: Web) -> None:
    assert await web.ask("GET", "/camera") == (200, STILL)
    web.room.handle_report(CameraView(("pan", "zoom"), 0.333333, None, 1.0))
    found = {"axes": ["pan", "zoom"], "pan": 0.333, "tilt": None, "zoom": 1.0, "presets": []}
    assert await web.ask("GET", "/camera") == (200, found)
    assert (await web.ask("GET", "/state"))[1]["camera"] == found


@on_web
async def test_it_is_moved_and_pointed(web: Web) -> None:
    assert (await web.ask("POST", "/camera/move", {"pan": 1}))[0] == 409
    web.room.handle_report(CameraView(("pan", "zoom"), 0.0, None, 0.0))
    assert await web.ask("POST", "/camera/move", {"pan": -1, "zoom": 0.5, "seconds": 2}) == (202, b"")
    assert await web.ask("POST", "/camera/move", {}) == (202, b"")
    assert await web.ask("PUT", "/camera", {"zoom": 0.25}) == (202, b"")
    assert web.media.told[-3:] == [
        ("move", -1.0, 0.0, 0.5, 2.0),
        ("move", 0.0, 0.0, 0.0, 0.5),
        ("point", View(zoom=0.25)),
    ]
    status, refused = await web.ask("POST", "/camera/move", {"tilt": 1})
    assert (status, refused) == (409, {"error": "this camera can't tilt"})


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/camera/move", {"pan": 1.5}),
        ("POST", "/camera/move", {"seconds": 0}),
        ("POST", "/camera/move", {"seconds": 3600}),
        ("POST", "/camera/move", {"focus": 1}),
        ("PUT", "/camera", {"zoom": -0.5}),
        ("PUT", "/camera", {"pan": "left"}),
        ("PUT", "/camera", {"pan": None}),
    ],
)
def test_what_makes_no_sense_is_refused(method: str, path: str, body: dict[str, object]) -> None:
    async def test(web: Web) -> None:
        web.room.handle_report(CameraView(("pan", "tilt", "zoom"), 0.0, 0.0, 0.0))
        told = list(web.media.told)
        assert (await web.ask(method, path, body))[0] == 400
        assert web.media.told == told

    run(test)


@on_web
async def test_presets(web: Web) -> None:
    web.room.handle_report(CameraView(("pan", "tilt", "zoom"), 0.0, 0.5, 1.0))
    assert (await web.ask("POST", "/camera/presets/2/recall"))[0] == 409
    assert await web.ask("PUT", "/camera/presets/2") == (204, b"")
    assert (await web.ask("GET", "/camera"))[1]["presets"] == [2]
    assert await web.ask("POST", "/camera/presets/2/recall") == (202, b"")
    assert web.media.told[-1] == ("point", View(0.0, 0.5, 1.0))
    for number in ("16", "-1", "x", "100000", "²"):
        assert (await web.ask("PUT", f"/camera/presets/{number}"))[0] == 404
