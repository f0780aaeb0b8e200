"""Asterisk calls the unit and is called by H.323, in every way that either may begin: sound both ways, by its tones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from interop.asterisk import Asterisk
from interop.asterisk_calls import assert_both_hear, be_called, call_in_a_row, connect, hold_and_resume, notice
from interop.asterisk_configuration import EXTENSIONS, Settings
from interop.unit import Unit
from interop.waiting import until

StartUnit = Callable[..., Unit]
StartAsterisk = Callable[..., Asterisk]
H323 = "OOH323"
SMALL = {"width": 320, "height": 180}
NORMAL, UNSPECIFIED = 16, 31
"""Causes of Q.850; the last is Asterisk's own, where the end of H.245 comes to it before that of the call."""

modes = pytest.mark.parametrize(
    ("fast_start", "tunnelling"),
    [(True, True), (True, False), (False, True), (False, False)],
    ids=["fast tunnelled", "fast", "slow tunnelled", "slow"],
)
"""How Asterisk wants its calls; the unit takes all."""


@pytest.fixture(scope="module")
def idle_separate_unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    """A unit that gives H.245 a connection of its own, shared by the tests of the module."""
    with Unit(tmp_path_factory.mktemp("separate"), {"h323": {"tunnelling": False}, "media": SMALL}) as running:
        yield running


@pytest.fixture
def separate(idle_separate_unit: Unit) -> Iterator[Unit]:
    """The shared unit, without a call before and after the test."""
    idle_separate_unit.wait_for_idle()
    yield idle_separate_unit
    idle_separate_unit.wait_for_idle()


@modes
def test_the_unit_calls(answering: Unit, asterisk: StartAsterisk, fast_start: bool, tunnelling: bool) -> None:
    far = asterisk(Settings(peer=answering.address, fast_start=fast_start, tunnelling=tunnelling))
    call, far_call = connect(answering, far, H323)
    assert_both_hear(answering, far)
    assert {stream["codec"] for stream in answering.streams(call).values()} == {"PCMU"}
    answering.command(call, "hang_up")
    assert far.cause(far_call) in (NORMAL, UNSPECIFIED)
    far.wait_for_idle()


@modes
def test_the_unit_is_called(answering: Unit, asterisk: StartAsterisk, fast_start: bool, tunnelling: bool) -> None:
    far = asterisk(Settings(peer=answering.address, fast_start=fast_start, tunnelling=tunnelling))
    call, far_call = be_called(answering, far, H323)
    assert_both_hear(answering, far)
    assert {stream["codec"] for stream in answering.streams(call).values()} == {"PCMU"}
    far.hang_up(far_call)
    assert notice(answering) == "The call was hung up."


@modes
def test_the_unit_does_not_tunnel(separate: Unit, asterisk: StartAsterisk, fast_start: bool, tunnelling: bool) -> None:
    far = asterisk(Settings(peer=separate.address, fast_start=fast_start, tunnelling=tunnelling))
    _, far_call = connect(separate, far, H323)
    assert_both_hear(separate, far)
    far.hang_up(far_call)
    separate.wait_for_idle()
    far.wait_for_idle()
    call, _ = be_called(separate, far, H323)
    assert_both_hear(separate, far)
    separate.command(call, "hang_up")
    far.wait_for_idle()


def test_calls_with_a_law(answering: Unit, asterisk: StartAsterisk) -> None:
    far = asterisk(Settings(codecs=("alaw",), peer=answering.address))
    call, _ = connect(answering, far, H323)
    assert_both_hear(answering, far)
    assert {stream["codec"] for stream in answering.streams(call).values()} == {"PCMA"}
    answering.command(call, "hang_up")


def test_the_unit_calls_a_number(answering: Unit, asterisk: StartAsterisk) -> None:
    far = asterisk(Settings(peer=answering.address))
    call, _ = connect(answering, far, H323, EXTENSIONS["tone"])
    assert_both_hear(answering, far)
    answering.command(call, "hang_up")


def test_asterisk_knows_no_such_extension(answering: Unit, asterisk: StartAsterisk) -> None:
    answering.dial(asterisk(Settings(peer=answering.address)).uri(H323, "nobody"))
    assert notice(answering) != "The call was hung up.", "what else it says depends on its own haste"


def test_asterisk_takes_no_call_from_strangers(answering: Unit, asterisk: StartAsterisk) -> None:
    answering.dial(asterisk().uri(H323, "tone"))
    assert notice(answering) in ("The far end declined the call.", "The far end does not allow the call.")


@pytest.mark.parametrize("fast_connect", [True, False])
def test_what_asterisk_says_before_it_answers(unit: StartUnit, asterisk: StartAsterisk, fast_connect: bool) -> None:
    calling = unit({"h323": {"fast_connect": fast_connect}, "media": SMALL})
    far = asterisk(Settings(peer=calling.address))
    call = calling.dial(far.uri(H323, "early"))
    assert until(lambda: calling.heard_tone(far.tone) > 0.8)
    assert calling.state()["calls"][0]["state"] in ("dialing", "alerting")
    calling.command(call, "hang_up")
    calling.wait_for_idle()
    far.wait_for_idle()


def test_somebody_answers_after_a_while(ringing: Unit, asterisk: StartAsterisk) -> None:
    far = asterisk(Settings(peer=ringing.address))
    far_call = far.call(H323, "room")
    call = ringing.wait_for_call("incoming")
    time.sleep(2)
    ringing.command(call, "answer")
    ringing.wait_for_call()
    assert_both_hear(ringing, far)
    far.hang_up(far_call)


@pytest.mark.parametrize(
    ("digits", "tunnelling"), [("h245alphanumeric", True), ("h245signal", True), ("h245signal", False)]
)
def test_digits(answering: Unit, asterisk: StartAsterisk, digits: str, tunnelling: bool) -> None:
    far = asterisk(Settings(peer=answering.address, digits=digits, tunnelling=tunnelling))
    call, far_call = connect(answering, far, H323)
    assert_both_hear(answering, far)
    answering.command(call, "digits", {"digits": "17*#0D"})
    assert until(lambda: far.digits(far_call) == "17*#0D"), far.digits(far_call)
    far.send_digits(far_call, "17*#0D")
    assert until(lambda: answering.state()["calls"][0]["digits"] == "17*#0D"), answering.state()["calls"]
    assert_both_hear(answering, far)
    answering.command(call, "hang_up")


@pytest.mark.parametrize("digits", ["rfc2833", "q931keypad"])
def test_digits_that_disturb_no_call(answering: Unit, asterisk: StartAsterisk, digits: str) -> None:
    far = asterisk(Settings(peer=answering.address, digits=digits))
    call, far_call = connect(answering, far, H323)
    answering.command(call, "digits", {"digits": "17*#"})
    far.send_digits(far_call, "17*#")
    time.sleep(1)
    assert_both_hear(answering, far)
    answering.command(call, "hang_up")


@modes
def test_hold_and_resume(answering: Unit, asterisk: StartAsterisk, fast_start: bool, tunnelling: bool) -> None:
    far = asterisk(Settings(peer=answering.address, fast_start=fast_start, tunnelling=tunnelling))
    hold_and_resume(answering, far, H323)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("fast_start", "tunnelling", "calls"),
    [(True, True, 10), (True, False, 10), (False, True, 10), (False, False, 100)],
    ids=["fast tunnelled", "fast", "slow tunnelled", "slow"],
)
def test_calls_in_a_row(
    answering: Unit, asterisk: StartAsterisk, fast_start: bool, tunnelling: bool, calls: int
) -> None:
    far = asterisk(Settings(peer=answering.address, fast_start=fast_start, tunnelling=tunnelling))
    call_in_a_row(answering, far, H323, calls)
