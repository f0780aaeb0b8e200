"""baresip calls the unit and is called: H.264 and sound both ways, proven by the content of what arrives."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from interop.baresip import Baresip
from interop.conftest import FAR_LABEL
from interop.unit import CARD_LABEL, Unit

from board.sim.counter import card_number, read_cards

StartUnit = Callable[..., Unit]
StartBaresip = Callable[..., Baresip]


def until(wanted: Callable[[], bool], timeout: float = 10.0) -> bool:
    """Wait until it is so; give whether it came to be."""
    deadline = time.monotonic() + timeout
    while not wanted():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def far_counter(far: Baresip) -> int | None:
    """The counter of the unit's test card in what baresip decodes."""
    return read_cards(far.received_picture()).get(card_number(CARD_LABEL))


def assert_sees(counter: Callable[[], int | None]) -> None:
    """Two looks at a moving card: it is there, and it has moved on (or begun anew, as after a hold)."""
    first: list[int] = []

    def found() -> bool:
        first.extend([now] if (now := counter()) is not None else [])
        return bool(first)

    assert until(found), "the far end's test card is not to be seen"
    time.sleep(0.5)
    assert until(lambda: counter() not in (None, first[0]), 5), "the picture stands still"


def assert_both_hear(unit: Unit, far: Baresip) -> None:
    unit.forget_sound()
    far.forget_sound()
    assert until(lambda: unit.heard_tone(far.tone) > 0.8), f"the unit hears no {far.tone} Hz"
    assert until(lambda: far.received_tone(unit.tone) > 0.8), f"baresip hears no {unit.tone} Hz"
    assert unit.heard_tone(unit.tone) < 0.1, "nobody hears himself"
    assert far.received_tone(far.tone) < 0.1


def assert_both_see_and_hear(unit: Unit, far: Baresip) -> None:
    assert_sees(lambda: unit.counter(FAR_LABEL))
    assert_sees(lambda: far_counter(far))
    assert_both_hear(unit, far)


@pytest.mark.parametrize("codec", ["G722", "PCMU", "opus"])
def test_baresip_calls_the_unit(unit: StartUnit, baresip: StartBaresip, codec: str) -> None:
    answering, far = unit(), baresip(codec=codec)
    far.dial(answering.uri)
    far.wait_for("CALL_ESTABLISHED")
    call = answering.wait_for_call()
    assert_both_see_and_hear(answering, far)
    streams = answering.streams(call)
    assert {stream["codec"] for (kind, _), stream in streams.items() if kind == "audio"} == {codec}
    assert streams["video", "receive"]["width"] == 1280
    assert streams["video", "receive"]["frame_rate"] > 10, "30 on an idle machine"
    assert all(stream["lost"] == 0 for stream in streams.values())
    far.command("hangup")
    answering.wait_for_idle()


@pytest.mark.parametrize("codec", ["G722", "PCMU", "opus"])
def test_the_unit_calls_baresip(unit: StartUnit, baresip: StartBaresip, codec: str) -> None:
    calling, far = unit(), baresip(codec=codec)
    call = calling.dial(far.uri)
    calling.wait_for_call()
    assert_both_see_and_hear(calling, far)
    calling.command(call, "hang_up")
    far.wait_for("CALL_CLOSED")
    calling.wait_for_idle()


def test_baresip_calls_over_tcp(unit: StartUnit, baresip: StartBaresip) -> None:
    answering, far = unit(), baresip(transport="tcp")
    far.dial(f"{answering.uri};transport=tcp")
    far.wait_for("CALL_ESTABLISHED")
    assert_both_see_and_hear(answering, far)
    answering.command(answering.wait_for_call(), "hang_up")
    far.wait_for("CALL_CLOSED")


def test_baresip_without_video(unit: StartUnit, baresip: StartBaresip) -> None:
    answering, far = unit(), baresip(card=None)
    far.dial(answering.uri)
    far.wait_for("CALL_ESTABLISHED")
    answering.wait_for_call()
    assert_both_hear(answering, far)


def test_baresip_rings_and_accepts(unit: StartUnit, baresip: StartBaresip) -> None:
    calling, far = unit(), baresip(answer="manual")
    calling.dial(far.uri)
    calling.wait_for_call("alerting")
    far.command("accept")
    calling.wait_for_call()
    assert_both_see_and_hear(calling, far)


def test_baresip_refuses(unit: StartUnit, baresip: StartBaresip) -> None:
    calling, far = unit(), baresip(answer="manual")
    calling.dial(far.uri)
    calling.wait_for_call("alerting")
    far.command("hangup")
    assert calling.wait_for_idle()["notice"]


@pytest.mark.parametrize("holder", ["baresip", "unit"])
def test_hold_and_resume(unit: StartUnit, baresip: StartBaresip, holder: str) -> None:
    answering, far = unit(), baresip()
    far.dial(answering.uri)
    far.wait_for("CALL_ESTABLISHED")
    call = answering.wait_for_call()
    assert_both_see_and_hear(answering, far)

    def command(name: str) -> None:
        if holder == "unit":
            answering.command(call, name)
        else:
            far.command(name)

    held = "held" if holder == "unit" else "held_by_far_end"
    command("hold")
    answering.wait(lambda state: state["calls"][0][held])
    time.sleep(0.5)
    answering.forget_sound()
    heard = far.decoded_seconds()
    time.sleep(1.5)
    assert answering.heard_tone(far.tone) < 0.1, "held, the room is silent"
    assert far.decoded_seconds() < heard + 0.1, "held, the far end hears nothing of the room"
    command("resume")
    answering.wait(lambda state: not state["calls"][0][held])
    answering.forget_sound()
    assert until(lambda: answering.heard_tone(far.tone) > 0.8), "the room hears again"
    assert until(lambda: far.decoded_seconds() > heard + 1), "the far end hears again"
    assert_sees(lambda: answering.counter(FAR_LABEL))
    assert_sees(lambda: far_counter(far))


def test_digits_to_baresip(unit: StartUnit, baresip: StartBaresip) -> None:
    calling, far = unit(), baresip()
    call = calling.dial(far.uri)
    calling.wait_for_call()
    far.wait_for("CALL_ESTABLISHED")
    calling.command(call, "digits", {"digits": "17*#"})
    assert until(lambda: digits(far) == "17*#", 10), far.events


def digits(far: Baresip) -> str:
    return "".join(str(event.get("param", "")) for event in far.events if event.get("type") == "CALL_DTMF_START")


def test_the_worker_dies_and_the_call_goes_on(unit: StartUnit, baresip: StartBaresip) -> None:
    answering, far = unit(), baresip()
    far.dial(answering.uri)
    far.wait_for("CALL_ESTABLISHED")
    answering.wait_for_call()
    assert_both_see_and_hear(answering, far)
    answering.kill_media_worker()
    killed = time.monotonic()
    assert until(lambda: answering.counter(FAR_LABEL) is not None, 10)
    assert time.monotonic() - killed < 4, "picture and sound are back within 2 s, and this machine may be busy"
    assert_both_see_and_hear(answering, far)
