"""Whether the far end is there: the figure (H.245 C.10), the intervals, and who is given up."""

from __future__ import annotations

from h245_bench import Bench, Pair, indication, request, response

from firmware.h323.control.events import Failed, RoundTrip
from firmware.h323.control.link import Link
from firmware.h323.control.round_trip import INTERVAL, MISSES, T105, Input, RoundTripDelay

GONE = Failed("round trip delay: the far end is gone")


def test_their_question_is_answered_at_any_time() -> None:
    bench = Bench()
    bench.receive(request("roundTripDelayRequest", sequenceNumber=77))
    assert bench.sent() == [("roundTripDelayResponse", {"sequenceNumber": 77})]
    bench.start()
    assert "roundTripDelayRequest" not in bench.names(), "not before channels may be opened"


def test_delay() -> None:
    pair = Pair(delay=0.25)
    pair.start()
    pair.run(5.0)
    assert pair.of(0, RoundTrip) == pair.of(1, RoundTrip) == [RoundTrip(0.5)]


def test_interval() -> None:
    pair = Pair()
    pair.start()
    pair.run(1000.0)
    for number in (0, 1):
        assert len(pair.of(number, RoundTrip)) == round(1000 / (INTERVAL + 2 * pair.delay))
        assert pair.of(number, Failed) == []


def test_wrong_sequence_number_is_no_answer() -> None:
    bench = Bench()
    bench.establish()
    bench.pass_time(INTERVAL)
    [(_, asked)] = bench.sent()
    bench.receive(response("roundTripDelayResponse", sequenceNumber=(asked["sequenceNumber"] + 1) % 256))
    assert bench.events() == []
    bench.receive(response("roundTripDelayResponse", sequenceNumber=asked["sequenceNumber"]))
    assert bench.events() == [RoundTrip(0.0)]
    bench.receive(response("roundTripDelayResponse", sequenceNumber=asked["sequenceNumber"]))
    assert bench.events() == []


def test_silence_is_the_end() -> None:
    bench = Bench()
    bench.establish()
    bench.pass_time(INTERVAL + MISSES * T105 - 0.1)
    assert bench.names() == ["roundTripDelayRequest"] * MISSES
    assert bench.events() == []
    bench.pass_time(0.2)
    assert bench.events() == [GONE]
    assert bench.sent() == []
    assert bench.control.timer() is None


def test_any_word_is_a_sign_of_life() -> None:
    bench = Bench()
    bench.establish()
    for _ in range(10):
        bench.pass_time(MISSES * T105 - 1)
        bench.receive(indication("jitterIndication", **JITTER))
    assert GONE not in bench.events()
    bench.pass_time(INTERVAL + MISSES * T105)
    assert GONE in bench.events()


def test_far_end_that_never_answers_is_asked_on_but_not_given_up() -> None:
    pair = Pair(lost=lambda sender, message: message[1][0] == "roundTripDelayResponse")
    pair.start()
    pair.run(1000.0)
    assert pair.names(0).count("roundTripDelayRequest") > 50
    assert pair.of(0, Failed) == []


def test_link_that_breaks() -> None:
    broken = False
    pair = Pair(lost=lambda sender, message: broken)
    pair.start()
    pair.run(100.0)
    broken = True
    pair.run(100.0 + INTERVAL + MISSES * T105 + 1)
    assert pair.of(0, Failed) == pair.of(1, Failed) == [GONE]


JITTER = {
    "scope": ("wholeMultiplex", None),
    "estimatedReceivedJitterMantissa": 1,
    "estimatedReceivedJitterExponent": 2,
}


def test_asking_anew_starts_the_timer_anew() -> None:
    link = Link()
    link.patient = False
    machine = RoundTripDelay(link)
    machine.start(0.0)
    machine._take(Input.TRANSFER_REQUEST, 4.0)
    assert machine.deadline == 4.0 + T105
    machine.response_received({"sequenceNumber": 1}, 5.0)
    assert link.events == []
    machine.response_received({"sequenceNumber": 2}, 6.0)
    assert link.events == [RoundTrip(2.0)]
