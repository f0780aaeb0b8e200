"""The harness itself, proven between two Asterisks: what it says of a unit later can be believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from interop.asterisk import Asterisk
from interop.asterisk_configuration import EXTENSIONS, PORTS, Settings
from interop.asterisk_install import mirrors
from interop.ports import own_address
from interop.waiting import until

StartAsterisk = Callable[..., Asterisk]
MODES = [(fast, tunnelled) for fast in (True, False) for tunnelled in (True, False)]


def pair(asterisk: StartAsterisk, settings: Settings | None = None) -> tuple[Asterisk, Asterisk]:
    """Two that know each other; the second plays another tone."""
    here, there = own_address(), own_address()
    settings = settings or Settings()
    near = asterisk(replace(settings, peer=there), address=here)
    return near, asterisk(replace(settings, peer=here), address=there, tone=1000)


def connect(near: Asterisk, far: Asterisk, technology: str, extension: str = "tone") -> tuple[str, str]:
    """Call from one to the other; gives the call's number at both."""
    call = near.call(technology, far.target(technology, extension))
    assert near.outcome(call) == "ANSWER"
    return call, far.wait_for_call()


def assert_both_hear(near: Asterisk, far: Asterisk) -> None:
    assert until(lambda: near.received_tone(far.tone) > 0.8), near.log()[-4000:]
    assert until(lambda: far.received_tone(near.tone) > 0.8), far.log()[-4000:]
    assert near.received_tone(near.tone) < 0.1
    assert far.received_tone(far.tone) < 0.1


@pytest.mark.parametrize(("technology", "codec"), [("PJSIP", "g722"), ("SIP", "ulaw")])
def test_two_asterisks_hear_each_other_by_sip(asterisk: StartAsterisk, technology: str, codec: str) -> None:
    near, far = pair(asterisk, Settings(codecs=(codec,)))
    call, _ = connect(near, far, technology)
    assert_both_hear(near, far)
    near.hang_up(call)
    far.wait_for_idle()


@pytest.mark.parametrize(("fast_start", "tunnelling"), MODES)
def test_two_asterisks_hear_each_other_by_h323(asterisk: StartAsterisk, fast_start: bool, tunnelling: bool) -> None:
    near, far = pair(asterisk, Settings(fast_start=fast_start, tunnelling=tunnelling))
    _, call = connect(near, far, "OOH323")
    assert_both_hear(near, far)
    far.hang_up(call)
    near.wait_for_idle()


@pytest.mark.parametrize("digits", ["h245alphanumeric", "h245signal", "q931keypad"])
def test_digits_by_h323(asterisk: StartAsterisk, digits: str) -> None:
    near, far = pair(asterisk, Settings(digits=digits))
    calling, called = connect(near, far, "OOH323", "silence")
    near.send_digits(calling, "17*#")
    far.send_digits(called, "0AD9")
    assert until(lambda: far.digits(called) == "17*#"), far.digits(called)
    assert until(lambda: near.digits(calling) == "0AD9"), near.digits(calling)


@pytest.mark.parametrize("technology", ["PJSIP", "SIP"])
def test_digits_by_sip(asterisk: StartAsterisk, technology: str) -> None:
    near, far = pair(asterisk)
    calling, called = connect(near, far, technology, "silence")
    near.send_digits(calling, "17*#")
    assert until(lambda: far.digits(called) == "17*#"), far.digits(called)


@pytest.mark.parametrize("technology", PORTS)
def test_busy_and_no_answer(asterisk: StartAsterisk, technology: str) -> None:
    near, far = pair(asterisk)
    call = near.call(technology, far.target(technology, "busy"))
    assert near.outcome(call) == "BUSY"
    assert near.cause(call) == 17
    ringing = near.call(technology, far.target(technology, EXTENSIONS["ring"]))
    near.wait_for_call("Ringing")
    far.wait_for_call("Ring")
    near.hang_up(ringing)
    far.wait_for_idle()


def test_what_apt_would_fetch_names_the_mirrors() -> None:
    lines = [
        "'http://mirror/debian/dists/stable/InRelease' mirror_debian_dists_stable_InRelease 0 ",
        "'http://mirror/debian/dists/stable-updates/InRelease' mirror_debian_dists_stable-updates_InRelease 0 ",
        "'http://mirror/debian/dists/stable/main/binary-amd64/Packages.xz' mirror_Packages 0 ",
        "'https://other/x/y/dists/stable/InRelease' other_InRelease 0 ",
        "'http://mirror/debian/dists/testing/InRelease' mirror_debian_dists_testing_InRelease 0 ",
    ]
    assert mirrors(lines) == ["http://mirror/debian", "https://other/x/y"]
