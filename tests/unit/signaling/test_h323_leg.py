"""One H.323 call beyond what every protocol's far ends do (`behaviours`): how it begins, and who is there."""

from __future__ import annotations

import pytest
from h323_bench import FAR, UNIT, H323Bench, leg_of
from parties import accept, ended, established, settle

from firmware.call.call import Call, EndReason, State
from firmware.errors import CallError
from firmware.h323.identity import Destination, Party
from firmware.sansio import Address
from firmware.signaling.h323_leg import H323Leg, party_name


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


def dialling(bench: H323Bench) -> tuple[H323Leg, Call]:
    """Give a leg that has not called anybody yet."""
    leg = bench.unit_endpoint._make_leg(bench.unit_endpoint._require_transport())
    return leg, bench.unit_endpoint._begin(leg, State.DIALING, "h323:somebody")


def test_the_next_address_is_tried_where_one_is_dead(bench: H323Bench) -> None:
    bench.far.when_called = accept
    leg, call = dialling(bench)
    leg.dial(Destination(), [("192.0.2.99", 1720), FAR])
    settle(bench)
    assert call.state is State.ACTIVE


def test_the_next_address_is_not_tried_where_somebody_has_declined(bench: H323Bench) -> None:
    bench.far.when_called = lambda call: call.hang_up(EndReason.DECLINED)
    leg, call = dialling(bench)
    leg.dial(Destination(), [FAR, ("192.0.2.99", 1720)])
    settle(bench)
    assert ended(call, EndReason.DECLINED)
    assert {flow.remote for _, flow, _ in bench.wire.sent if flow.local == UNIT} == {FAR}
    bench.check_clean()


@pytest.mark.parametrize("addresses", [[], [("192.0.2.99", 1720)], [("192.0.2.98", 1720), ("192.0.2.99", 1720)]])
def test_nobody_is_reached(bench: H323Bench, addresses: list[Address]) -> None:
    leg, call = dialling(bench)
    leg.dial(Destination(), addresses)
    settle(bench)
    assert ended(call, EndReason.UNREACHABLE)
    bench.check_clean()


def test_a_name_that_can_not_be_written_is_our_own_mistake(bench: H323Bench) -> None:
    leg, call = dialling(bench)
    leg.dial(Destination((("h323-ID", "x" * 300),)), [FAR])
    assert ended(call, EndReason.LOCAL_ERROR)
    bench.check_clean()


def test_a_call_of_another_protocol_is_nobody_to_be_passed_on_to(bench: H323Bench) -> None:
    ours, _ = established(bench)
    stranger = Call(leg_of(ours), State.ACTIVE, "sip:room@192.0.2.7", "")
    with pytest.raises(CallError, match=r"not reached by H\.323"):
        ours.transfer(stranger)
    assert (ours.state, ours.transferring) == (State.ACTIVE, False)


def test_commands_before_the_call_has_begun(bench: H323Bench) -> None:
    leg, call = dialling(bench)
    for command in (leg.accept, lambda: leg.hold(True), lambda: leg.send_digit("1"), leg.request_key_frame):
        with pytest.raises(CallError, match="not begun"):
            command()
    leg.mute(True)
    leg.alert()
    call.hang_up()
    assert call.state is State.ENDED
    assert bench.unit_endpoint._calls == {}
