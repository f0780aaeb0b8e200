"""One H.323 call beyond what every protocol's far ends do (`behaviours`): how it begins, and who is there."""

from __future__ import annotations

import pytest
from h323_bench import H323Bench
from parties import accept, settle

from firmware.call.call import Call, State
from firmware.h323.identity import Destination, Party
from firmware.signaling.h323_leg import party_name


@pytest.fixture
def bench() -> H323Bench:
    return H323Bench()


def test_the_far_end_is_named_once_it_rings(bench: H323Bench) -> None:
    bench.far.when_called = Call.alert
    ours = bench.unit.dial(bench.far)
    assert ours.remote_name == ""
    settle(bench)
    assert ours.remote_name == "A room"


def test_who_has_no_display_is_named_by_an_alias() -> None:
    assert party_name(Party((("dialledDigits", "4711"), ("h323-ID", "Aalto\x07")))) == "Aalto"
    assert party_name(Party()) == ""


def test_the_next_address_is_tried_where_one_is_dead(bench: H323Bench) -> None:
    bench.far.when_called = accept
    transport = bench.unit_endpoint._require_transport()
    leg = bench.unit_endpoint._make_leg(transport)
    call = bench.unit_endpoint._begin(leg, State.DIALING, "h323:somebody")
    leg.dial(Destination(), [("192.0.2.99", 1720), ("192.0.2.2", 1721)])
    settle(bench)
    assert call.state is State.ACTIVE


def test_commands_before_the_call_has_begun(bench: H323Bench) -> None:
    leg = bench.unit_endpoint._make_leg(bench.unit_endpoint._require_transport())
    call = bench.unit_endpoint._begin(leg, State.DIALING, "h323:somebody")
    call.hang_up()
    assert call.state is State.ENDED
    assert bench.unit_endpoint._calls == {}
