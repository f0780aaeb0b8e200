from __future__ import annotations

from typing import Any

import pytest
from simple_room import CHANNELS, SimpleTelevision
from simple_web import Web, on_web, run, until

from firmware import config
from firmware.call.call import EndReason, State
from firmware.call.media import Direction, Kind
from firmware.media.message import AudioTick, Statistics, StreamStatistics
from firmware.ports import Health
from firmware.room import Television
from firmware.web.api import OPERATIONS


@on_web
async def test_the_state(web: Web) -> None:
    call = web.endpoint.ring("far@example.com", "Far")
    assert await web.ask("GET", "/state") == (
        200,
        {
            "name": "Aalto",
            "ready": True,
            "addresses": ["sip:room@192.0.2.1"],
            "calls": [
                {
                    "id": call.id,
                    "remote": "sip:far@example.com",
                    "remote_name": "Far",
                    "title": "Far",
                    "incoming": True,
                    "state": "incoming",
                    "held": False,
                    "held_by_far_end": False,
                    "digits": "",
                    "duration": None,
                    "sees": False,
                    "codecs": [],
                    "encrypted": False,
                    "exposed": False,
                    "waiting": False,
                    "transferring": False,
                }
            ],
            "muted": False,
            "volume": 70,
            "notice": None,
            "faults": [],
            "absent": [],
            "registrations": [],
            "warnings": [],
            "television": None,
            "camera": {"axes": [], "pan": None, "tilt": None, "zoom": None, "presets": []},
        },
    )


@on_web
async def test_the_notice_after_a_call(web: Web) -> None:
    web.endpoint.ring("far@example.com", "Far").released(EndReason.CANCELLED)
    _, state = await web.ask("GET", "/state")
    assert state["notice"] == {"title": "Far", "text": "The caller gave up."}


@on_web
async def test_a_call_from_dialling_to_its_end(web: Web) -> None:
    async with web.session.post(f"{web.url}/api/v1/calls", json={"address": "sip:far@example.com"}) as response:
        assert response.status == 201
        made = await response.json()
        assert response.headers["Location"] == f"/api/v1/calls/{made['id']}"
    path = f"/calls/{made['id']}"
    assert (made["state"], made["duration"]) == ("dialing", None)
    web.endpoint.calls[0].established(CHANNELS)
    status, call = await web.ask("GET", path)
    assert (status, call["state"], call["sees"], call["codecs"]) == (200, "active", True, ["G722", "H264"])
    assert call["duration"] >= 0
    assert (await web.ask("POST", f"{path}/hold"))[1]["held"] is True
    assert (await web.ask("POST", f"{path}/resume"))[1]["held"] is False
    assert await web.ask("POST", f"{path}/digits", {"digits": "1#a"}) == (204, b"")
    assert ("digits", made["id"], "1#A") in web.media.told
    assert await web.ask("POST", f"{path}/hang_up") == (204, b"")
    assert await web.ask("GET", path) == (404, {"error": f"there is no call {made['id']}"})


@on_web
async def test_passing_on(web: Web) -> None:
    first, second = web.dialled(), web.dialled()
    path = f"/calls/{first.id}"
    assert await web.ask("POST", f"{path}/transfer", {"address": "sip:c@example.com"}) == (202, b"")
    assert (await web.ask("GET", path))[1]["transferring"] is True
    assert (await web.ask("POST", f"{path}/transfer", {"call": second.id}))[0] == 409
    first.transfer_refused("busy")
    assert (await web.ask("POST", f"{path}/transfer", {"call": "999999"}))[0] == 404
    assert await web.ask("POST", f"{path}/transfer", {"call": second.id}) == (202, b"")
    assert web.endpoint.leg(first).asked[-1] == f"transfer to {second.remote}"


@on_web
async def test_a_call_that_ends_at_once_is_no_error_of_ours(web: Web) -> None:
    dial = web.endpoint.dial

    def refused(address: str) -> Any:
        call = dial(address)
        call.released(EndReason.UNREACHABLE)
        return call

    web.endpoint.dial = refused  # type: ignore[method-assign]
    assert await web.ask("POST", "/calls", {"address": "sip:far@example.com"}) == (
        409,
        {"error": EndReason.UNREACHABLE.value},
    )


@on_web
async def test_answering(web: Web) -> None:
    first, second = web.endpoint.ring("a@example.com"), web.endpoint.ring("b@example.com")
    assert (await web.ask("POST", f"/calls/{second.id}/answer"))[1]["id"] == second.id
    assert (await web.ask("POST", "/calls/current/answer"))[1]["id"] == first.id
    assert first.state is State.CONNECTING
    assert await web.ask("POST", "/calls/current/answer") == (404, {"error": "no call is ringing"})
    assert (await web.ask("POST", f"/calls/{first.id}/answer"))[0] == 409


@on_web
async def test_hanging_up_the_current_call(web: Web) -> None:
    call = web.dialled()
    assert (await web.ask("POST", "/calls/current/hang_up"))[0] == 204
    assert call.state is State.ENDED
    assert await web.ask("POST", "/calls/current/hang_up") == (404, {"error": "there is no call"})


@on_web
async def test_statistics(web: Web) -> None:
    call = web.dialled()
    path = f"/calls/{call.id}/statistics"
    assert await web.ask("GET", path) == (200, {"streams": [], "audio_tick": None})
    stream = StreamStatistics(
        Kind.VIDEO, Direction.RECEIVE, "H264", 1_500_000, 900, 3, 0.01, 0.002, None, 29.97, 1280, 720, 4, "nat"
    )
    web.media.reports[call.id] = Statistics(call.id, (stream,))
    web.media.audio_tick = AudioTick(0.001, 0.002, 0.003)
    assert (await web.ask("GET", path))[1]["audio_tick"] == {"median": 0.001, "p99": 0.002, "worst": 0.003}
    assert (await web.ask("GET", path))[1]["streams"] == [
        {
            "kind": "video",
            "direction": "receive",
            "codec": "H264",
            "bitrate": 1_500_000,
            "packets": 900,
            "lost": 3,
            "loss": 0.01,
            "jitter": 0.002,
            "round_trip": None,
            "frame_rate": 29.97,
            "width": 1280,
            "height": 720,
            "key_frames": 4,
            "way": "nat",
        }
    ]


@on_web
async def test_mute_and_volume(web: Web) -> None:
    assert await web.ask("PUT", "/mute", {"muted": True}) == (200, {"muted": True})
    assert await web.ask("GET", "/mute") == (200, {"muted": True})
    assert await web.ask("PUT", "/volume", {"volume": 15}) == (200, {"volume": 15})
    assert await web.ask("GET", "/volume") == (200, {"volume": 15})
    assert web.media.told[-2:] == [("mute", True), ("volume", 15)]


@on_web
async def test_the_screen(web: Web) -> None:
    assert await web.ask("GET", "/screen.png") == (503, {"error": "there is no screen"})
    web.media.picture = b"png"
    assert await web.ask("GET", "/screen.png?width=320&height=180") == (200, b"png")
    assert (await web.ask("GET", "/screen.png?width=100000"))[0] == 400
    assert (await web.ask("GET", "/screen.png?width=x"))[0] == 400


@on_web
async def test_the_board_s_buttons(web: Web) -> None:
    _, board = await web.ask("GET", "/board")
    assert board["name"] == "sim"
    assert board["buttons"] == ["call", "hang_up", "mute", "volume_up", "volume_down"]
    assert (await web.ask("POST", "/board/buttons/mute/press"))[0] == 204
    assert (await web.ask("POST", "/board/buttons/hang_up/press?seconds=2.5"))[0] == 204
    assert (await web.ask("POST", "/board/buttons/hang_up/press?seconds=60"))[0] == 400
    assert web.board.pressed == ["mute", "hang_up for 2.5 s"]
    assert (await web.ask("POST", "/board/buttons/eject/press"))[0] == 404


@on_web
async def test_the_keys_of_the_television_s_remote_control(web: Web) -> None:
    _, board = await web.ask("GET", "/board")
    assert {"select", "back", "power"} < set(board["keys"])
    assert (await web.ask("POST", "/board/keys/select/press"))[0] == 204
    assert web.board.pressed == ["key select"]
    assert (await web.ask("POST", "/board/keys/eject/press"))[0] == 404


@on_web
async def test_the_television(web: Web) -> None:
    for method, wanted in (("GET", None), ("PUT", {"on": True})):
        assert (await web.ask(method, "/television", wanted))[0] == 404
    device = SimpleTelevision()
    television = Television(device, config.Television(wake_for=()), web.room)
    assert await web.ask("GET", "/television") == (200, {"reachable": True, "on": False, "shows_room": None})
    assert (await web.ask("PUT", "/television", {"on": True}))[0] == 202
    assert (await web.ask("PUT", "/television", {"on": False}))[0] == 409
    device.become()
    await until(lambda: television.status.on is True)
    assert (await web.ask("PUT", "/television", {"on": False}))[0] == 202
    assert device.told == ["wake", "standby"]
    _, state = await web.ask("GET", "/state")
    assert state["television"] == {"reachable": True, "on": True, "shows_room": True}
    television.close()


@on_web
async def test_the_machine_s_health(web: Web) -> None:
    _, unknown = await web.ask("GET", "/health")
    assert set(unknown.values()) == {None}
    web.room.set_health(Health(temperature=83.2, storage_worn=20), ("The unit is too hot.",))
    _, health = await web.ask("GET", "/health")
    assert (health["temperature"], health["storage_worn"], health["under_voltage"]) == (83.2, 20, None)
    assert (await web.ask("GET", "/state"))[1]["warnings"] == ["The unit is too hot."]


@on_web
async def test_the_simulated_machine_can_be_made_ill(web: Web) -> None:
    assert (await web.ask("PUT", "/board/health", {"temperature": 85.5, "under_voltage": True}))[0] == 204
    assert (await web.ask("PUT", "/board/health", {"under_voltage": None}))[0] == 204
    assert web.board.health == Health(temperature=85.5)
    for wrong in ({"temperature": 1000}, {"storage_worn": 101}, {"mood": 3}):
        assert (await web.ask("PUT", "/board/health", wrong))[0] == 400
    web.board.name = "pi"
    assert (await web.ask("PUT", "/board/health", {"temperature": 20}))[0] == 409


@on_web
async def test_real_buttons_need_a_finger(web: Web) -> None:
    web.board.name = "pi"
    assert (await web.ask("GET", "/board"))[1] == {"name": "pi", "buttons": [], "keys": []}
    assert (await web.ask("POST", "/board/keys/select/press"))[0] == 409
    assert (await web.ask("POST", "/board/buttons/mute/press"))[0] == 409
    assert web.board.pressed == []


WRONG = {
    "no JSON": ("POST", "/calls", b"{"),
    "not UTF-8": ("POST", "/calls", b'{"address": "\xff"}'),
    "nothing": ("POST", "/calls", b""),
    "no address": ("POST", "/calls", b"{}"),
    "empty address": ("POST", "/calls", b'{"address": ""}'),
    "long address": ("POST", "/calls", b'{"address": "%s"}' % (b"x" * 257)),
    "another key": ("POST", "/calls", b'{"address": "a", "video": true}'),
    "another type": ("PUT", "/mute", b'{"muted": 1}'),
    "too loud": ("PUT", "/volume", b'{"volume": 101}'),
    "no digit": ("POST", "/calls/1/digits", b'{"digits": "x"}'),
    "passed on to nobody": ("POST", "/calls/1/transfer", b"{}"),
    "passed on twice": ("POST", "/calls/1/transfer", b'{"address": "a", "call": "2"}'),
    "deep": ("PUT", "/mute", b"[" * 10_000),
}


@pytest.mark.parametrize(("method", "path", "body"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused(method: str, path: str, body: bytes) -> None:
    async def test(web: Web) -> None:
        status, answer = await web.ask(method, path, data=body)
        assert status == 400
        assert answer["error"]
        assert web.endpoint.calls == []

    run(test)


@on_web
async def test_an_address_that_no_protocol_takes(web: Web) -> None:
    assert await web.ask("POST", "/calls", {"address": "tel:1"}) == (409, {"error": "tel:1 is no SIP address"})


def test_every_operation_has_its_own_name_and_path() -> None:
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)
    assert len({(operation.method, operation.path) for operation in OPERATIONS}) == len(OPERATIONS)
