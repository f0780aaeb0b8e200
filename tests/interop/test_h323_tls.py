"""Two units call each other by H.323 over TLS: nothing of the signalling is in the clear."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from certificates import Authority
from interop.conftest import FAR_LABEL, SMALL
from interop.ports import own_address
from interop.test_h323_units import assert_sees
from interop.unit import CARD_LABEL, Unit
from interop.waiting import until

StartUnit = Callable[..., Unit]


@pytest.mark.parametrize("tunnelling", [True, False])
def test_a_call(unit: StartUnit, tmp_path_factory: pytest.TempPathFactory, tunnelling: bool) -> None:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    units = []
    for label, tone in ((CARD_LABEL, 660), (FAR_LABEL, 880)):
        address = own_address()
        issued = authority.issue(address)
        settings = {
            "media": SMALL,
            "h323": {"tls": True, "tunnelling": tunnelling},
            "tls": {"certificate": str(issued.certificate), "key": str(issued.key), "ca": str(authority.certificate)},
            "board.sim": {"camera_label": label},
        }
        units.append(unit(settings, address=address, tone=tone))
    calling, answering = units
    call = calling.dial(f"h323s:{answering.address}")
    calling.wait_for_call()
    there = answering.wait_for_call()
    assert_sees(calling, FAR_LABEL)
    assert_sees(answering, CARD_LABEL)
    assert until(lambda: calling.heard_tone(880) > 0.8)
    assert until(lambda: answering.heard_tone(660) > 0.8)
    assert answering.state()["calls"][0]["remote"] == f"h323s:{calling.address}"
    answering.command(there, "hold")
    calling.wait(lambda state: state["calls"][0]["held_by_far_end"])
    answering.command(there, "resume")
    calling.wait(lambda state: not state["calls"][0]["held_by_far_end"])
    calling.command(call, "hang_up")
    answering.wait_for_idle()
    for each in units:
        assert "> tls" in each.log()
        assert "> tcp" not in each.log()
