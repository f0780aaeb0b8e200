"""What is remembered of servers that failed."""

from __future__ import annotations

from firmware.sansio import Flow
from firmware.signaling.sip_failures import AVOID_TIME, MAX_FAILURES, Failures
from firmware.signaling.sip_location import Candidate

A, B, C = (Candidate("udp", (f"192.0.2.{number}", 5060)) for number in (1, 2, 3))


def flow(candidate: Candidate) -> Flow:
    return Flow(candidate.transport, ("192.0.2.9", 5060), candidate.address)


def test_who_failed_is_tried_last_for_a_while() -> None:
    failures = Failures()
    assert failures.last([A, B, C], 0.0) == [A, B, C]
    failures.note(flow(A), 0.0)
    assert failures.last([A, B, C], 1.0) == [B, C, A]
    assert failures.last([A, B, C], AVOID_TIME) == [A, B, C]
    failures.note(flow(A), 500.0)
    failures.note(flow(C), 501.0)
    failures.note(flow(B), 502.0)
    assert failures.last([A, B, C], 503.0) == [A, B, C], "where all have failed, the domain's order counts"


def test_by_another_transport_it_is_another_server() -> None:
    failures, by_tcp = Failures(), A._replace(transport="tcp")
    failures.note(flow(A), 0.0)
    assert failures.last([A, by_tcp], 1.0) == [by_tcp, A]


def test_an_answer_is_no_failure() -> None:
    failures = Failures()
    failures.note(flow(A), 0.0)
    failures.forget(flow(A))
    failures.forget(flow(B))
    assert failures.last([A, B], 1.0) == [A, B]


def test_they_are_bounded() -> None:
    failures = Failures()
    many = [Candidate("udp", ("192.0.2.1", port)) for port in range(1, MAX_FAILURES + 10)]
    for each in many:
        failures.note(flow(each), 0.0)
    assert len(failures._until) == MAX_FAILURES
    assert failures.last([many[-1], many[0]], 1.0) == [many[0], many[-1]], "the oldest is forgotten"
