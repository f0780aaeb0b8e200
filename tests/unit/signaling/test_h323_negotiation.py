"""What both ends agree on by H.245 and by fast connect, beyond what every protocol's far ends do (`behaviours`)."""

from __future__ import annotations

import pytest
from h323_bench import FAR, H323Bench, control_of, leg_of
from parties import ALL, accept, channel, check_agreement, directions, established, settle

from firmware.asn1 import Value
from firmware.call.call import Call, EndReason, State
from firmware.call.media import Direction, Encryption, Kind
from firmware.h323 import h245
from firmware.h323.control.events import ChannelActive
from firmware.h323.control.master_slave import MasterSlave
from firmware.h323.events import Control
from firmware.signaling.h323_capabilities import EVENT_TYPE
from firmware.signaling.h323_media import H323Media, address_value


@pytest.fixture
def bench() -> H323Bench:
    return H323Bench()


def test_a_channel_that_is_acknowledged_in_one_breath_with_the_wish_for_silence(bench: H323Bench) -> None:
    # H.323 8.4.6: the empty set closes a channel whose acknowledgement is behind it.
    bench.far.when_called = accept
    ours = bench.unit.dial(bench.far)
    while not control_of(ours).ready:
        bench.wire.pass_time(0.01)
    leg = leg_of(ours)
    number, *_ = leg._media.sending  # type: ignore[union-attr]
    ack = ("h2250LogicalChannelAckParameters", {"mediaChannel": address_value(("192.0.2.2", 5000))})
    for name, content in (
        ("terminalCapabilitySet", {"sequenceNumber": 99, "protocolIdentifier": h245.IDENTIFIER}),
        ("openLogicalChannelAck", {"forwardLogicalChannelNumber": number, "forwardMultiplexAckParameters": ack}),
    ):
        kind = "request" if name == "terminalCapabilitySet" else "response"
        control_of(ours).receive((kind, (name, content)), bench.wire.now)
    settle(bench)
    assert (ours.state, ours.held_by_far_end) == (State.ACTIVE, True)


def test_two_that_never_agree_who_is_master_end_their_call(bench: H323Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MasterSlave, "_compare", lambda *_: None)  # both draw the same numbers, however often
    bench.far.when_called = accept
    ours = bench.unit.dial(bench.far)
    settle(bench, 90)
    for call in (ours, bench.far.call):
        assert call.state is State.ENDED
    draws = [data for _, _, data in bench.wire.sent]
    assert len(draws) < 300
    bench.check_clean()


@pytest.mark.parametrize("encryption", [Encryption.OFF, Encryption.REQUIRED])
def test_a_digit_that_comes_as_a_telephone_event_too_counts_once(encryption: Encryption) -> None:
    bench = H323Bench(encryption=(encryption, encryption))
    ours, _ = established(bench)
    for said, in_rtp in (("1", False), ("2", True), ("!", False)):
        signal = {"signalType": said, **({"rtpPayloadIndication": None} if in_rtp else {})}
        control_of(ours).receive(("indication", ("userInput", ("signal", signal))), bench.wire.now)
    settle(bench)
    # In what is encrypted there are no telephone events.
    assert bench.unit.digits == (["1"] if encryption is Encryption.OFF else ["1", "2"])


class EventsOnly(H323Media):
    """Takes digits as telephone events only (RFC 4733), which H.245 lets a terminal do."""

    def capability_set(self) -> Value:
        said = super().capability_set()
        by_h245 = "receiveUserInputCapability"
        said["capabilityTable"] = [e for e in said["capabilityTable"] if e["capability"][0] != by_h245]
        return said


@pytest.mark.parametrize("fast_connect", [False, True])
def test_who_takes_digits_as_telephone_events_only_gets_them_so(fast_connect: bool) -> None:
    bench = H323Bench(fast_connect=fast_connect)
    far = bench.far_endpoint
    far._make_media = lambda flow: EventsOnly(  # type: ignore[method-assign]
        far._capabilities, far._ports, flow.local[0]
    )
    ours, theirs = established(bench)
    sent = channel(ours, Kind.AUDIO, Direction.SEND)
    assert sent.telephone_event is not None
    assert sent.telephone_event.payload_type == EVENT_TYPE
    assert channel(theirs, Kind.AUDIO, Direction.SEND).telephone_event is None, "we take them by H.245"
    check_agreement(ours, theirs)


# Early media


def ring_with_sound(call: Call) -> None:
    """Answer fast connect while it rings, as gateways do that have something to say."""
    leg = leg_of(call)
    session, media = leg._require()
    session.alert(leg._transport.now(), fast_start=leg._choose(session, media))
    leg._transport.run()


def test_what_the_far_end_lets_us_hear_while_it_rings() -> None:
    bench = H323Bench(fast_connect=True)
    bench.far.when_called = ring_with_sound
    ours = bench.unit.dial(bench.far)
    settle(bench)
    assert ours.state is State.ALERTING
    assert directions(ours) == {(Kind.AUDIO, Direction.SEND), (Kind.AUDIO, Direction.RECEIVE)}
    early = ours.channels
    bench.far.call.accept()
    settle(bench)
    assert (ours.state, directions(ours)) == (State.ACTIVE, ALL)
    assert set(early) <= set(ours.channels), "it goes on as it was"
    check_agreement(ours, bench.far.call)


def test_what_rang_with_sound_and_never_answered_leaves_nothing() -> None:
    bench = H323Bench(fast_connect=True)
    bench.far.when_called = ring_with_sound
    ours = bench.unit.dial(bench.far)
    settle(bench)
    bench.far.call.hang_up(EndReason.BUSY)
    settle(bench)
    assert (ours.state, ours.channels) == (State.ENDED, ())
    bench.check_clean()


def test_nothing_flows_to_us_before_we_answer(bench: H323Bench) -> None:
    bench.far.when_called = Call.alert
    bench.unit.dial(bench.far)
    settle(bench)
    assert bench.far.call.state is State.INCOMING
    assert bench.far.call.channels == bench.unit.call.channels == ()


def heard(bench: H323Bench) -> list[bool]:
    """What the far end heard of our sound: whether it is of use."""
    told = [event.event for event in bench.wire.events[FAR] if isinstance(event, Control)]
    return [event.active for event in told if isinstance(event, ChannelActive)]


@pytest.mark.parametrize("fast_connect", [False, True])
@pytest.mark.parametrize("by_far_end", [False, True])
def test_the_far_end_hears_that_we_are_muted(fast_connect: bool, by_far_end: bool) -> None:
    bench = H323Bench(fast_connect=fast_connect)
    ours, _ = established(bench, by_far_end=by_far_end)
    for on in (True, True, False, False):
        ours.mute(on)
        settle(bench)
    assert heard(bench) == [False, True]


@pytest.mark.parametrize("fast_connect", [False, True])
def test_who_is_muted_from_the_start_says_so_once_there_is_a_channel(fast_connect: bool) -> None:
    bench = H323Bench(fast_connect=fast_connect)
    bench.far.when_called = accept
    ours = bench.unit.dial(bench.far)
    ours.mute(True)
    settle(bench)
    assert ours.state is State.ACTIVE
    assert heard(bench) == [False]
    # On hold the channel is closed; the next one is another.
    ours.hold(True)
    settle(bench)
    ours.hold(False)
    settle(bench)
    assert heard(bench) == [False, False]


def test_a_far_end_may_have_its_picture_frozen(bench: H323Bench) -> None:
    ours, theirs = established(bench)
    asked: list[Call] = []
    ours.on_freeze_request = asked.append
    [number] = [n for n, kind in leg_of(theirs)._require()[1].sending.items() if kind is Kind.VIDEO]
    content = {"logicalChannelNumber": number, "type": ("videoFreezePicture", None)}
    control_of(theirs)._link.command("miscellaneousCommand", content)
    settle(bench)
    bench.far.dial(bench.unit)  # whatever it says next carries the command along
    settle(bench)
    assert asked == [ours]
