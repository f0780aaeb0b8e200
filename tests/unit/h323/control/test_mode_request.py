"""Asking a sender for another coding, both figures (H.245 C.9), and which of their modes are ours."""

from __future__ import annotations

import pytest
from h245_bench import AUDIO, VIDEO, Bench, indication, request, response, table

from firmware.asn1 import Value
from firmware.h323.control.events import NO_RESPONSE, ModeAnswered, ModeRequested
from firmware.h323.control.link import Link
from firmware.h323.control.mode_request import T109, IncomingInput, IncomingMode, IncomingOutput, State

H241 = "0.0.8.241.0.0.1"
A_LAW: Value = ("audioMode", ("g711Alaw64k", None))
MU_LAW: Value = ("audioMode", ("g711Ulaw64k", None))
_H261: Value = {"resolution": ("qcif", None), "bitRate": 3840, "stillImageTransmission": False}
H261: Value = ("videoMode", ("h261VideoMode", _H261))


def generic(identifier: Value) -> Value:
    return {"capabilityIdentifier": identifier}


def mode(*elements: Value) -> Value:
    return [{"type": element} for element in elements]


def asking(*modes: Value, sequence: int = 5) -> Value:
    return request("requestMode", sequenceNumber=sequence, requestedModes=list(modes))


CAPABILITIES = table(
    ("receiveAudioCapability", AUDIO[1]),
    ("receiveAndTransmitVideoCapability", VIDEO[1]),
    ("receiveVideoCapability", ("genericVideoCapability", generic(("standard", H241)))),
    ("receiveVideoCapability", ("nonStandard", {"nonStandardIdentifier": ("object", "1.2.3"), "data": b""})),
    ("receiveUserInputCapability", ("dtmf", None)),
)


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.start(CAPABILITIES)
    bench.sent()
    return bench


@pytest.mark.parametrize(
    ("modes", "chosen"),
    [
        ([mode(A_LAW)], 0),
        ([mode(A_LAW, H261)], 0),
        ([mode(MU_LAW), mode(A_LAW)], 1),
        ([mode(MU_LAW, H261), mode(H261)], 1),
        ([mode(("videoMode", ("genericVideoMode", generic(("standard", H241)))))], 0),
        ([mode(("videoMode", ("genericVideoMode", generic(("standard", "1.2.3")))))], None),
        ([mode(("videoMode", ("genericVideoMode", generic(("domainBased", H241)))))], None),
        ([mode(("videoMode", ("nonStandard", {"nonStandardIdentifier": ("object", "1.2.3"), "data": b""})))], None),
        ([mode(("encryptionMode", ("h233Encryption", None)))], None),
        ([mode(("+40", b"\0"))], None),
        ([mode(("audioMode", ("+40", b"\0")))], None),
        ([mode(MU_LAW)], None),
        ([mode(A_LAW, MU_LAW)], None),
    ],
)
def test_answer(bench: Bench, modes: list[Value], chosen: int | None) -> None:
    bench.receive(asking(*modes))
    [(name, content)] = bench.sent()
    assert content["sequenceNumber"] == 5
    if chosen is None:
        assert (name, content["cause"]) == ("requestModeReject", ("modeUnavailable", None))
        assert bench.events() == []
    else:
        words = "willTransmitLessPreferredMode" if chosen else "willTransmitMostPreferredMode"
        assert (name, content["response"]) == ("requestModeAck", (words, None))
        assert bench.events() == [ModeRequested(modes[chosen])]


@pytest.mark.parametrize("coding", [A_LAW, MU_LAW])
def test_asked_again(bench: Bench, coding: Value) -> None:
    bench.receive(asking(mode(coding)), asking(mode(coding)))
    assert len(bench.sent()) == 2
    assert bench.control.errors == {}


def test_without_a_set_of_ours_all_is_refused() -> None:
    bench = Bench()
    bench.receive(asking(mode(A_LAW)))
    assert bench.names() == ["requestModeReject"]


def test_release_does_nothing(bench: Bench) -> None:
    bench.receive(indication("requestModeRelease"))
    assert bench.sent() == bench.events() == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (("requestModeAck", {"response": ("willTransmitMostPreferredMode", None)}), "willTransmitMostPreferredMode"),
        (("requestModeReject", {"cause": ("multipointConstraint", None)}), "multipointConstraint"),
    ],
)
def test_asking(bench: Bench, answer: tuple[str, Value], words: str) -> None:
    bench.control.request_mode([mode(A_LAW)], bench.now)
    assert bench.sent() == [("requestMode", {"sequenceNumber": 1, "requestedModes": [mode(A_LAW)]})]
    name, content = answer
    bench.receive(response(name, sequenceNumber=0, **content))
    assert bench.events() == []
    bench.receive(response(name, sequenceNumber=1, **content), response(name, sequenceNumber=1, **content))
    assert bench.events() == [ModeAnswered(words)]


def test_asking_anew_takes_the_place_of_the_first(bench: Bench) -> None:
    bench.control.request_mode([mode(A_LAW)], bench.now)
    bench.control.request_mode([mode(H261)], bench.now)
    assert [content["sequenceNumber"] for _, content in bench.sent()] == [1, 2]
    bench.receive(response("requestModeAck", sequenceNumber=1, response=("willTransmitMostPreferredMode", None)))
    assert bench.events() == []
    bench.receive(response("requestModeAck", sequenceNumber=2, response=("willTransmitMostPreferredMode", None)))
    assert len(bench.events()) == 1


def test_asking_and_never_answered() -> None:
    bench = Bench()
    bench.establish()
    bench.control.request_mode([mode(A_LAW)], bench.now)
    bench.sent()
    bench.pass_time(T109)
    assert bench.sent() == [("requestModeRelease", {})]
    assert bench.events() == [ModeAnswered(NO_RESPONSE)]
    bench.receive(response("requestModeAck", sequenceNumber=1, response=("willTransmitMostPreferredMode", None)))
    assert bench.events() == [], "too late"


class Undecided(IncomingMode):
    """Does not answer, as an owner of the figure might."""

    asked = 0

    def _put(self, output: IncomingOutput, now: float, /) -> None:
        if output is IncomingOutput.INDICATION:
            self.asked += 1
        else:
            super()._put(output, now)


def test_incoming_rows_of_an_owner_who_hesitates() -> None:
    link = Link()
    machine = Undecided(link)
    message: Value = {"sequenceNumber": 1, "requestedModes": [mode(A_LAW)]}
    machine.request_received(message, {}, 0.0)
    machine.request_received(message, {}, 0.0)
    assert machine.asked == 2
    assert (machine.state, link.errors["incoming MRSE"]) == (State.AWAITING_RESPONSE, 1)
    machine.release_received(0.0)
    assert (machine.state, link.errors["incoming MRSE"]) == (State.IDLE, 2)
    machine.request_received(message, {}, 0.0)
    machine._take(IncomingInput.REJECT_REQUEST, 0.0)
    [(_, (name, _))] = link.messages
    assert name == "requestModeReject"
