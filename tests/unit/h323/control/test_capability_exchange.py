"""The exchange of capability sets, both figures (H.245 C.3), and what becomes of its failures (H.323 8.2)."""

from __future__ import annotations

import pytest
from h245_bench import AUDIO, CAPABILITIES, Bench, Pair, capability_set, indication, response, table

from firmware.asn1 import Value
from firmware.h323 import h245
from firmware.h323.control import capability_exchange
from firmware.h323.control.capability_exchange import ATTEMPTS, T101, IncomingCapabilities, IncomingInput, State
from firmware.h323.control.events import (
    CapabilitiesAcknowledged,
    CapabilitiesReceived,
    CapabilitiesRefused,
    Failed,
)
from firmware.h323.control.link import Link

OTHER = table(("receiveAudioCapability", ("g711Ulaw64k", 20)))


def ack(sequence: int) -> Value:
    return response("terminalCapabilitySetAck", sequenceNumber=sequence)


def reject(sequence: int) -> Value:
    return response("terminalCapabilitySetReject", sequenceNumber=sequence, cause=("unspecified", None))


def sets(bench: Bench) -> list[Value]:
    return [content for name, content in bench.sent() if name == "terminalCapabilitySet"]


def test_our_set() -> None:
    bench = Bench()
    bench.start()
    assert sets(bench) == [{"sequenceNumber": 1, "protocolIdentifier": h245.IDENTIFIER, **CAPABILITIES}]
    bench.receive(ack(1))
    assert bench.events() == [CapabilitiesAcknowledged()]


def test_their_set_is_acknowledged_before_we_start() -> None:
    bench = Bench()
    bench.receive(capability_set(200))
    assert bench.sent() == [("terminalCapabilitySetAck", {"sequenceNumber": 200})]
    assert bench.events() == [CapabilitiesReceived(CAPABILITIES)]


def test_sets_that_cross() -> None:
    pair = Pair()
    pair.start()
    pair.run(1.0)
    for number in (0, 1):
        assert pair.of(number, CapabilitiesReceived) == [CapabilitiesReceived(CAPABILITIES)]
        assert pair.of(number, CapabilitiesAcknowledged) == [CapabilitiesAcknowledged()]


def test_answers_of_another_sequence_number_do_nothing() -> None:
    bench = Bench()
    bench.start()
    bench.receive(ack(0), ack(2), reject(0))
    assert bench.events() == []
    assert bench.control.ignored.total() == 3
    bench.receive(ack(1), ack(1))
    assert bench.events() == [CapabilitiesAcknowledged()]


def test_newest_set_waits_for_the_answer_to_the_one_under_way() -> None:
    bench = Bench()
    bench.start()
    bench.sent()
    bench.control.send_capabilities(OTHER, 0.0)
    bench.control.send_capabilities({}, 0.0)
    assert sets(bench) == []
    bench.receive(ack(1))
    assert sets(bench) == [{"sequenceNumber": 2, "protocolIdentifier": h245.IDENTIFIER}]
    assert bench.events() == [], "the set given last is not acknowledged yet"
    bench.receive(ack(2))
    assert bench.events() == [CapabilitiesAcknowledged()]


def test_sequence_number_comes_round() -> None:
    bench = Bench()
    bench.start()
    bench.receive(ack(1))
    for number in range(2, 600):
        bench.control.send_capabilities(OTHER, 0.0)
        assert sets(bench)[-1]["sequenceNumber"] == number % 256
        bench.receive(ack(number % 256))


def test_silence_is_asked_three_times() -> None:
    bench = Bench()
    bench.control.answered(0.0)
    bench.control._ours.transfer(CAPABILITIES, 0.0)  # without the determination, which would fail as well
    bench.sent()
    for _ in range(ATTEMPTS - 1):
        bench.pass_time(T101 - 0.1)
        assert bench.sent() == []
        bench.pass_time(0.1)
        assert bench.names() == ["terminalCapabilitySetRelease", "terminalCapabilitySet"]
    bench.pass_time(T101)
    assert bench.names() == ["terminalCapabilitySetRelease"]
    assert bench.events() == [Failed("capability exchange")]
    assert bench.control.timer() is None


def test_first_set_rejected_three_times() -> None:
    bench = Bench()
    bench.start()
    bench.receive(reject(1), reject(2), reject(3))
    assert bench.events() == [Failed("capability exchange")]


def test_later_set_rejected() -> None:
    bench = Bench()
    bench.establish()
    bench.control.send_capabilities({}, bench.now)
    bench.receive(reject(2))
    assert bench.events() == [CapabilitiesRefused()]
    assert bench.names() == ["terminalCapabilitySet"]
    assert bench.control.ready


def test_later_set_never_answered() -> None:
    bench = Bench()
    bench.establish()
    bench.control.send_capabilities({}, bench.now)
    bench.pass_time(T101)
    assert bench.names() == ["terminalCapabilitySet", "terminalCapabilitySetRelease"]
    assert bench.events() == [CapabilitiesRefused()]


def test_rejected_set_gives_way_to_a_newer() -> None:
    bench = Bench()
    bench.start()
    bench.control.send_capabilities(OTHER, 0.0)
    bench.sent()
    bench.receive(reject(1))
    assert sets(bench) == [{"sequenceNumber": 2, "protocolIdentifier": h245.IDENTIFIER, **OTHER}]


@pytest.mark.parametrize(
    "what",
    [
        ("genericRequest", None),
        ("specificRequest", {"multiplexCapability": True, "capabilityTableEntryNumbers": [1]}),
    ],
)
def test_set_is_sent_again_when_asked_for(what: Value) -> None:
    asking: Value = ("command", ("sendTerminalCapabilitySet", what))
    bench = Bench()
    bench.receive(asking)
    assert bench.sent() == [], "there is none yet"
    bench.start()
    bench.sent()
    bench.receive(asking)
    assert bench.sent() == [], "it is under way"
    bench.receive(ack(1), asking, asking, asking)
    assert [content["sequenceNumber"] for content in sets(bench)] == [2]


def test_incremental_sets_are_told_put_together() -> None:
    bench = Bench()
    bench.receive(capability_set(1), capability_set(2, table(("receiveAudioCapability", AUDIO[1]), first=50)))
    first, second = bench.events()
    assert [len(event.capabilities["capabilityTable"]) for event in (first, second)] == [3, 4]
    assert bench.control.capabilities == second.capabilities


def test_empty_set() -> None:
    bench = Bench()
    bench.receive(capability_set(1), capability_set(2, {}))
    assert bench.events()[-1] == CapabilitiesReceived({})
    assert bench.names() == ["terminalCapabilitySetAck"] * 2


def test_too_large_a_set_is_rejected() -> None:
    bench = Bench()
    sound: Value = ("receiveAudioCapability", AUDIO[1])
    bench.receive(capability_set(1, table(*[sound] * 256)), capability_set(2, table(sound, first=500)))
    assert bench.sent()[-1] == (
        "terminalCapabilitySetReject",
        {"sequenceNumber": 2, "cause": ("tableEntryCapacityExceeded", ("noneProcessed", None))},
    )
    assert len(bench.events()) == 1
    bench.receive(capability_set(3, {}))
    assert bench.control.errors == {}


def test_release_after_the_answer_does_nothing() -> None:
    bench = Bench()
    bench.receive(indication("terminalCapabilitySetRelease"), capability_set(1))
    bench.sent()
    bench.events()
    bench.receive(indication("terminalCapabilitySetRelease"))
    assert bench.sent() == bench.events() == []
    assert bench.control.ignored.total() == 2


class Undecided(IncomingCapabilities):
    """Does not answer, as an owner of the figure might."""

    asked = 0

    def _put(self, output: capability_exchange.IncomingOutput, now: float, /) -> None:
        if output is capability_exchange.IncomingOutput.INDICATION:
            self.asked += 1
        else:
            super()._put(output, now)


def test_incoming_rows_of_an_owner_who_hesitates() -> None:
    link = Link()
    machine = Undecided(link)
    message: Value = {"sequenceNumber": 1}
    machine.set_received(message, 0.0)
    machine.set_received(message, 0.0)
    assert machine.asked == 2
    assert (machine.state, link.errors["incoming CESE"]) == (State.AWAITING_RESPONSE, 1)
    machine.release_received(0.0)
    assert (machine.state, link.errors["incoming CESE"]) == (State.IDLE, 2)
    assert link.messages == []
    machine.set_received(message, 0.0)
    machine._take(IncomingInput.TRANSFER_RESPONSE, 0.0)
    assert link.messages == [("response", ("terminalCapabilitySetAck", {"sequenceNumber": 1}))]
