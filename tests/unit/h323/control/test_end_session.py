"""The end of the session (H.323 8.5)."""

from __future__ import annotations

from h245_bench import Bench, Pair, open_channel, request

from firmware.asn1 import Value
from firmware.h323.control.end_session import TIMEOUT
from firmware.h323.control.events import Failed, SessionEnded

END: Value = ("command", ("endSessionCommand", ("disconnect", None)))


def test_theirs_is_answered() -> None:
    bench = Bench()
    bench.establish()
    bench.receive(END)
    assert bench.sent() == [("endSessionCommand", ("disconnect", None))]
    assert bench.events() == [SessionEnded()]
    assert bench.control.ended
    assert bench.control.timer() is None


def test_ours_waits_for_theirs() -> None:
    pair = Pair()
    pair.start()
    pair.run(5.0)
    pair.controls[0].end(pair.now)
    pair.run(5.15)
    assert pair.events[1][-1] == SessionEnded()
    assert not pair.controls[0].ended
    pair.run(5.25)
    assert pair.events[0][-1] == SessionEnded()
    assert [name for _, _, name in pair.sent].count("endSessionCommand") == 2


def test_both_at_once() -> None:
    pair = Pair()
    pair.start()
    pair.run(5.0)
    for control in pair.controls:
        control.end(pair.now)
    pair.run(10.0)
    for number in (0, 1):
        assert pair.of(number, SessionEnded) == [SessionEnded()]
        assert pair.names(number).count("endSessionCommand") == 1


def test_ours_never_answered() -> None:
    bench = Bench()
    bench.establish()
    bench.control.end(bench.now)
    bench.control.end(bench.now + 1)
    assert bench.names() == ["endSessionCommand"]
    bench.pass_time(TIMEOUT - 0.01)
    assert bench.events() == []
    bench.pass_time(0.02)
    assert bench.events() == [SessionEnded()]
    bench.receive(END)
    assert bench.events() == bench.sent() == []


def test_nothing_else_counts_after_ours() -> None:
    bench = Bench()
    bench.establish()
    bench.take(101)
    bench.control.end(bench.now)
    bench.sent()
    bench.receive(open_channel(5), request("roundTripDelayRequest", sequenceNumber=1))
    bench.control.request_key_frame(101, bench.now)
    bench.control.close_channel(1, bench.now)
    bench.control.digit("1", bench.now)
    bench.control.send_capabilities({}, bench.now)
    bench.control.request_mode([], bench.now)
    assert bench.sent() == bench.events() == []
    assert not bench.control.ready
    bench.pass_time(1000.0)
    assert bench.events() == [SessionEnded()]
    assert bench.sent() == []


def test_after_a_failure() -> None:
    bench = Bench()
    bench.start()
    bench.pass_time(100.0)
    assert isinstance(bench.events()[-1], Failed)
    bench.sent()
    bench.control.end(bench.now)
    assert bench.names() == ["endSessionCommand"]
    bench.receive(END)
    assert bench.events() == [SessionEnded()]


def test_theirs_after_a_failure() -> None:
    bench = Bench()
    bench.start()
    bench.pass_time(100.0)
    bench.sent()
    bench.events()
    bench.receive(END)
    assert bench.names() == ["endSessionCommand"]
    assert bench.events() == [SessionEnded()]


def test_before_anything_was_said() -> None:
    bench = Bench()
    bench.control.end(0.0)
    assert bench.names() == ["endSessionCommand"]
