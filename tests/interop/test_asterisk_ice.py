"""Calls to and from Asterisk (res_rtp_asterisk, pjproject's ICE) that find their way, in the clear and encrypted.

Each has a machine of its own on an Internet: Asterisk knows of no candidates but its interfaces' addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from interop.asterisk import Asterisk
from interop.asterisk_calls import assert_both_hear, be_called, connect
from interop.asterisk_configuration import Settings
from interop.conftest import SMALL
from interop.namespaces import Internet
from interop.unit import Unit
from interop.waiting import until

pytestmark = pytest.mark.interop


@pytest.fixture
def internet(program: Callable[[str], str]) -> Iterator[Internet]:
    program("ip")
    with Internet() as internet:
        yield internet


@pytest.mark.parametrize(("keys", "wanted"), [("", "off"), ("sdes", "preferred"), ("dtls", "required")])
@pytest.mark.parametrize("by_us", [True, False])
def test_asterisk_finds_a_way(
    internet: Internet,
    unit: Callable[..., Unit],
    asterisk: Callable[..., Asterisk],
    by_us: bool,
    keys: str,
    wanted: str,
) -> None:
    here, there = internet.host(), internet.host()
    settings = {
        "h323": {"enabled": False},
        "media": {**SMALL, "encryption": wanted},
        "nat": {"ice": True},
    }
    ours = unit(settings, address=here.address, namespace=here, tone=660)
    far = asterisk(Settings(encryption=keys, ice=True), tone=880, namespace=there)
    call, far_call = (connect if by_us else be_called)(ours, far, "PJSIP")
    assert_both_hear(ours, far)
    assert {stream["way"] for stream in ours.streams(call).values()} <= {"direct", "nat"}
    assert all(stream["way"] for stream in ours.streams(call).values())
    assert bool(keys) is any(ours.state()["calls"][0][name] for name in ("encrypted", "exposed"))
    ours.command(call, "hold")
    ours.wait(lambda state: state["calls"][0]["held"])
    ours.command(call, "resume")
    ours.wait(lambda state: not state["calls"][0]["held"])
    assert_both_hear(ours, far)
    ours.kill_media_worker()
    ours.forget_sound()
    assert until(lambda: ours.heard_tone(far.tone) > 0.8)
    if by_us:
        ours.command(call, "hang_up")
        far.wait_for_idle()
    else:
        far.hang_up(far_call)
        ours.wait_for_idle()
