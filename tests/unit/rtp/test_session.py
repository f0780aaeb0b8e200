"""A session: whom it hears, what it reports and asks for, and what a hostile far end can not do to it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rtp_path import Pair, Path

from firmware.call.media import Feedback, Kind
from firmware.rtp import rtcp
from firmware.rtp.event import BitrateLimited, Goodbye, KeyFrameRequested, Retransmit
from firmware.rtp.packet import Packet
from firmware.rtp.session import SILENCE, Session
from firmware.rtp.synchronization import Reference

ALL = frozenset(Feedback)


def session(
    seed: int = 1,
    kind: Kind = Kind.VIDEO,
    feedback: frozenset[Feedback] = ALL,
    rates: dict[int, int] | None = None,
) -> Session:
    return Session(
        kind,
        90_000 if kind is Kind.VIDEO else 8_000,
        random.Random(seed),
        f"end-{seed}",
        0.0,
        bandwidth=1_000_000,
        feedback=feedback,
        receive_clock_rates=rates,
    )


def packet(ssrc: int, sequence: int, timestamp: int = 0, payload_type: int = 96) -> bytes:
    return Packet(payload_type, False, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc, b"x").encode()


def heard(session: Session, now: float, *packets: tuple[int, int]) -> list[bool]:
    return [session.receive(packet(*one), now) is not None for one in packets]


# Whom it hears


def test_first_packet_is_heard() -> None:
    ours = session()
    received = ours.receive(packet(7, 40_000), 0.0)
    assert received is not None
    assert (received.index, received.stream) == (40_000, 0)
    assert ours.last_received == 0.0


def test_stray_packets_do_not_touch_a_running_stream() -> None:
    ours = session()
    rng = random.Random(1)
    for number in range(200):
        now = 0.02 * number
        received = ours.receive(packet(7, number), now)
        assert received is not None
        assert received.stream == 0
        if number > 1:
            stray = rng.randrange(0x10000)
            assert heard(ours, now, *((666, stray + n) for n in range(5))) == [False] * 5
    assert ours.statistics(4.0).received.lost == 0
    assert ours.statistics(4.0).received.discarded == 198 * 5


def test_stray_first_packet_gives_way_at_once() -> None:
    ours = session()
    assert heard(ours, 0.0, (666, 9), (7, 1), (7, 2)) == [True, True, True]
    assert heard(ours, 0.0, (666, 10), (666, 11), (7, 3)) == [False, False, True]


def test_silent_source_gives_way_to_two_in_sequence() -> None:
    ours = session()
    heard(ours, 0.0, (7, 1), (7, 2))
    now = SILENCE + 0.01
    assert heard(ours, now, (8, 500), (9, 700), (8, 502)) == [False] * 3  # single ones
    received = [ours.receive(packet(8, sequence), now) for sequence in (503, 504)]
    assert [one and one.stream for one in received] == [1, 1]
    assert heard(ours, now + 0.1, (7, 3), (7, 4)) == [False, False]


def test_new_source_is_followed_within_a_fifth_of_a_second() -> None:
    """A PBX that changes the SSRC in a call, at 50 packets a second."""
    ours = session(kind=Kind.AUDIO)
    for number in range(50):
        ours.receive(packet(7, number), 0.02 * number)
    missed = 0
    for number in range(50):
        missed += ours.receive(packet(8, 9000 + number), 1.0 + 0.02 * number) is None
    assert missed == SILENCE / 0.02 - 1


def test_source_that_said_goodbye_gives_way_at_once() -> None:
    ours = session()
    heard(ours, 0.0, (7, 1), (7, 2))
    assert ours.receive_control(rtcp.Goodbye((7,), "bye").encode(), 0.0) == [Goodbye("bye")]
    assert ours.receive_control(rtcp.Goodbye((7,), "bye").encode(), 0.0) == []
    assert heard(ours, 0.01, (8, 1)) == [True]


def test_source_that_goes_on_after_goodbye_is_heard() -> None:
    ours = session()
    heard(ours, 0.0, (7, 1), (7, 2))
    ours.receive_control(rtcp.Goodbye((7,)).encode(), 0.0)
    assert heard(ours, 0.01, (7, 3), (8, 1), (8, 2), (7, 4)) == [True, False, False, True]


def test_goodbye_of_another_is_nothing() -> None:
    ours = session()
    heard(ours, 0.0, (7, 1), (7, 2))
    assert ours.receive_control(rtcp.Goodbye((8, 9)).encode(), 0.0) == []
    assert heard(ours, 0.0, (8, 1)) == [False]


def test_expected_source_takes_over_at_once_and_stays() -> None:
    ours = session()
    heard(ours, 0.0, (7, 1), (7, 2))
    ours.expect_source()
    assert heard(ours, 0.01, (7, 3), (8, 90), (7, 4), (7, 5), (8, 91)) == [True, True, False, False, True]


def test_expectation_ends() -> None:
    ours = session()
    heard(ours, 0.0, (7, 1), (7, 2))
    ours.expect_source()
    heard(ours, 3.5, (7, 3))
    assert heard(ours, 3.5, (8, 90), (8, 91)) == [False, False]


def test_unknown_payload_type_is_no_reason_to_change() -> None:
    ours = session(rates={96: 90_000})
    assert ours.receive(packet(7, 1, payload_type=97), 0.0) is None
    assert ours.receive(packet(7, 2, payload_type=96), 0.0) is not None
    assert ours.receive(packet(7, 3, payload_type=97), 0.0) is not None  # its number counts; its owner looks
    assert ours.statistics(1.0).received.lost == 0


def test_loss_is_counted_over_all_sources() -> None:
    ours = session()
    heard(ours, 0.0, (7, 1), (7, 2), (7, 6))
    assert ours.statistics(0.1).received.lost == 3
    heard(ours, 1.0, (8, 500), (8, 501), (8, 504))
    received = ours.statistics(1.1).received
    assert (received.packets, received.lost) == (3 + 2, 3 + 2)
    assert received.loss == pytest.approx(2 / 4)


def test_restart_is_another_stream() -> None:
    ours = session()
    heard(ours, 0.0, (7, 1), (7, 2))
    assert ours.receive(packet(7, 40_000), 0.1) is None
    received = ours.receive(packet(7, 40_001), 0.1)
    assert received is not None
    assert received.stream == 1
    assert ours.statistics(1.0).received.lost == 0


def test_our_own_packets_that_come_back_are_dropped() -> None:
    ours = session()
    before = ours.ssrc
    for number in range(2000):
        data = ours.send(b"x", 3000 * number, True, 96, number / 30)
        assert ours.receive(data, number / 30) is None
    assert ours.ssrc == before
    assert ours.statistics(67.0).received.discarded == 2000


def test_collision_changes_our_source_and_says_goodbye_for_the_old() -> None:
    ours = session()
    before = ours.ssrc
    sent = Packet.decode(ours.send(b"x", 0, True, 96, 1.0))
    stranger = packet(before, sent.sequence + 0x8000)
    assert ours.receive(stranger, 1.0) is not None
    assert ours.ssrc != before
    due = ours.timer()
    assert due is not None
    assert due <= 1.0
    data = ours.handle_timer(1.0)
    assert data is not None
    assert rtcp.Goodbye((before,)) in rtcp.decode(data)
    assert Packet.decode(ours.send(b"x", 0, True, 96, 1.0)).ssrc == ours.ssrc


def test_collision_before_anything_was_sent_needs_no_goodbye() -> None:
    ours = session()
    assert ours.receive(packet(ours.ssrc, 1), 0.0) is not None
    assert (ours.timer() or 0) > 0


def test_collisions_on_purpose_are_not_followed() -> None:
    ours = session()
    seen = set()
    for number in range(1000):
        seen.add(ours.ssrc)
        ours.receive(packet(ours.ssrc, number * 7), 1.0 + 0.001 * number)
    assert len(seen) == 2


def test_collision_in_rtcp() -> None:
    ours = session()
    before = ours.ssrc
    report = rtcp.compound((rtcp.ReceiverReport(before), rtcp.SourceDescription(before, "end-1")))
    assert ours.receive_control(report, 0.0) == []
    assert ours.ssrc == before  # it is our own report that came back
    assert ours.receive_control(rtcp.ReceiverReport(before).encode(), 0.0) == []
    assert ours.ssrc == before
    report = rtcp.compound((rtcp.ReceiverReport(before), rtcp.SourceDescription(before, "someone")))
    ours.receive_control(report, 0.0)
    assert ours.ssrc != before


# Reports


def media(pair: Pair, end: int = 0, every: int = 2) -> Callable[[int], None]:
    """Sound at 50 packets a second, with ticks of 10 ms."""

    def send(tick: int) -> None:
        if tick % every == 0:
            pair.send(end, bytes(160), round(pair.now * 8000))

    return send


def audio_pair(path: Path) -> Pair:
    return Pair(session(1, Kind.AUDIO), session(2, Kind.AUDIO), path)


def test_statistics_of_a_clean_path() -> None:
    pair = audio_pair(Path(delay=0.035))
    pair.run(10.0, media(pair))
    sent, received = pair.ends[0].statistics(pair.now).sent, pair.ends[1].statistics(pair.now).received
    assert sent.packets == 500
    assert sent.octets == 500 * 160
    assert (sent.lost, sent.loss) == (0, 0.0)
    assert sent.round_trip == pytest.approx(0.070, abs=0.001)
    assert received.packets == 498
    assert received.octets == 498 * 160
    assert (received.lost, received.loss, received.discarded) == (0, 0.0, 0)
    assert received.jitter == pytest.approx(0, abs=1e-4)
    assert received.last == pytest.approx(9.94 + 0.035)


def test_statistics_of_a_bad_path() -> None:
    pair = audio_pair(Path(delay=0.050, jitter=0.030, loss=0.1, double=0.02, seed=3))
    pair.run(60.0, media(pair))
    received = pair.ends[1].statistics(pair.now).received
    dropped = pair.path.dropped
    doubled = received.packets - (pair.path.sent - dropped)
    assert received.lost == pytest.approx(dropped - doubled, abs=4)  # A.3 counts doubled packets as received
    assert received.loss == pytest.approx((dropped - doubled) / 3000, abs=0.01)
    assert 0.005 < received.jitter < 0.020  # uniform in 30 ms: the mean difference is 10 ms
    said = pair.ends[0].statistics(pair.now).sent
    assert said.lost == pytest.approx(received.lost, abs=30)
    assert said.jitter == pytest.approx(received.jitter, abs=0.005)
    assert said.loss > 0
    assert said.round_trip == pytest.approx(0.130, abs=0.045)


def test_reported_loss_is_of_the_time_since_it_was_asked() -> None:
    pair = audio_pair(Path(loss=0.5, seed=2))
    pair.run(5.0, media(pair))
    assert pair.ends[1].statistics(pair.now).received.loss == pytest.approx(0.5, abs=0.1)
    pair.path.loss = 0.0
    pair.run(0.1, media(pair))
    pair.ends[1].statistics(pair.now)
    pair.run(5.0, media(pair))
    assert pair.ends[1].statistics(pair.now).received.loss == 0.0
    assert pair.ends[1].statistics(pair.now).received.lost > 100


def test_every_report_is_compound_and_names_its_sender() -> None:
    pair = audio_pair(Path())
    pair.run(20.0, media(pair))
    for end, head in ((0, rtcp.SenderReport), (1, rtcp.ReceiverReport)):
        assert 8 <= len(pair.control[end]) <= 25
        for _, data in pair.control[end]:
            first, second = rtcp.decode(data)
            assert isinstance(first, head)
            assert second == rtcp.SourceDescription(pair.ends[end].ssrc, f"end-{end + 1}")
    assert pair.control[0][0][0] < 0.5


def test_sender_that_stops_reports_as_a_receiver() -> None:
    pair = audio_pair(Path())
    pair.run(5.0, media(pair))
    pair.run(15.0)
    assert isinstance(rtcp.decode(pair.control[0][-1][1])[0], rtcp.ReceiverReport)


def test_source_that_stops_is_reported_no_more() -> None:
    pair = audio_pair(Path())
    pair.run(5.0, media(pair))
    pair.run(15.0)
    (first, _) = rtcp.decode(pair.control[1][-1][1])
    assert isinstance(first, rtcp.ReceiverReport)
    assert first.reports == ()


def test_sender_report_that_came_before_the_media_counts() -> None:
    ours = session()
    ours.receive_control(rtcp.SenderReport(7, 5 << 48, 0, 0, 0).encode(), 1.0)
    ours.receive(packet(7, 1), 2.0)
    data = ours.handle_timer(3.0)
    assert data is not None
    head = rtcp.decode(data)[0]
    assert isinstance(head, rtcp.ReceiverReport)
    assert (head.reports[0].last_sender_report, head.reports[0].delay) == (5 << 32 & 0xFFFFFFFF, 2 << 16)


def test_what_a_report_says_of_timestamps_is_of_the_source_that_is_heard() -> None:
    ours = session(rates={96: 48_000})
    report = rtcp.compound((rtcp.SenderReport(7, 5 << 32, 900, 0, 0), rtcp.SourceDescription(7, "far")))
    ours.receive_control(report, 1.0)
    assert ours.reference is None
    ours.receive(packet(7, 1), 2.0)
    assert ours.reference == Reference("far", 0, 48_000, 5 << 32, 900)
    stranger = rtcp.compound((rtcp.SenderReport(8, 6 << 32, 1_900, 0, 0), rtcp.SourceDescription(8, "another")))
    ours.receive_control(stranger, 3.0)
    assert ours.reference == Reference("far", 0, 48_000, 5 << 32, 900)
    ours.expect_source()
    ours.receive(packet(8, 1), 3.0)
    assert ours.reference == Reference("another", 1, 48_000, 6 << 32, 1_900)
    ours.expect_source()
    ours.receive(packet(9, 1), 4.0)
    assert ours.reference is None


def test_end_says_goodbye_once() -> None:
    pair = audio_pair(Path())
    pair.run(1.0, media(pair))
    pair.put_control(0, pair.ends[0].close(pair.now))
    pair.run(1.0)
    assert pair.events[1] == [Goodbye("")]
    assert pair.ends[0].timer() is None
    assert pair.ends[0].handle_timer(1e9) is None


def test_who_never_spoke_says_no_goodbye() -> None:
    assert session().close(0.0) == b""


@pytest.mark.parametrize(("agreed", "expected"), [([0, 96], 127), ([126, 127], 125), (range(96, 128), 35)])
def test_way_is_kept_open_by_what_means_nothing(agreed: Iterable[int], expected: int) -> None:
    ours, theirs = session(rates=dict.fromkeys(agreed, 8_000)), session(2)
    kept = ours.keep_open()
    assert Packet.decode(kept).payload_type == expected
    assert theirs.receive(kept, 0.0) is not None
    assert ours.receive(kept, 0.0) is None  # one that comes back is no collision
    assert ours.statistics(1.0).sent.packets == 0


# Feedback


def test_key_frame_request_and_its_repetition() -> None:
    pair = Pair(session(1), session(2), Path())
    pair.run(0.5, media(pair))
    pair.put_control(1, pair.ends[1].request_key_frame(pair.now))
    assert pair.ends[1].request_key_frame(pair.now + 0.1) is None
    pair.run(2.2, media(pair))
    assert pair.events[0] == [KeyFrameRequested()] * 5
    pair.ends[1].key_frame_received()
    pair.run(3.0, media(pair))
    assert pair.events[0] == [KeyFrameRequested()] * 5


def test_lost_request_is_repeated() -> None:
    lost = iter([True])
    path = Path(lost=lambda data: data[1] == 201 and len(data) > 60 and next(lost, False))
    pair = Pair(session(1), session(2), path)
    pair.run(0.5, media(pair))
    pair.put_control(1, pair.ends[1].request_key_frame(pair.now))
    pair.run(1.0, media(pair))
    assert KeyFrameRequested() in pair.events[0]


@pytest.mark.parametrize(
    ("agreed", "kind"),
    [(ALL, rtcp.PictureLoss), ({Feedback.PLI}, rtcp.PictureLoss), ({Feedback.FIR}, rtcp.FullIntra)],
)
def test_request_is_of_an_agreed_kind(agreed: set[Feedback], kind: type) -> None:
    ours = session(feedback=frozenset(agreed))
    ours.receive(packet(7, 1), 0.0)
    data = ours.request_key_frame(0.0)
    assert data
    head, description, feedback = rtcp.decode(data)
    assert isinstance(head, rtcp.ReceiverReport)
    assert isinstance(description, rtcp.SourceDescription)
    assert isinstance(feedback, kind)


def test_request_where_nothing_is_agreed_is_left_to_signalling() -> None:
    ours = session(feedback=frozenset({Feedback.NACK}))
    assert ours.request_key_frame(0.0) is None  # nothing came yet
    ours.receive(packet(7, 1), 0.0)
    assert [ours.request_key_frame(0.1 * n) for n in range(11)] == [b""] + [None] * 4 + [b""] + [None] * 4 + [b""]
    data = ours.handle_timer(1.0)
    assert data is not None
    assert len(rtcp.decode(data)) == 2


def test_new_source_is_asked_at_once() -> None:
    ours = session()
    heard(ours, 0.0, (7, 1), (7, 2))
    assert ours.request_key_frame(0.0)
    heard(ours, 0.3, (8, 1), (8, 2))
    assert ours.request_key_frame(0.3)


def test_full_intra_request_repeated_is_the_same_command() -> None:
    ours = session()
    for number, expected in ((1, [KeyFrameRequested()]), (1, []), (2, [KeyFrameRequested()])):
        data = rtcp.FullIntra(7, ((ours.ssrc, number),)).encode()
        ours.receive_control(rtcp.FullIntra(7, ((ours.ssrc + 1 & 0xFFFFFFFF, number),)).encode(), 0.0)
        assert ours.receive_control(data, number * 0.5) == expected


def test_feedback_for_others_is_ignored() -> None:
    ours = session()
    ours.send(b"x", 0, True, 96, 0.0)
    assert ours.receive_control(rtcp.PictureLoss(7, ours.ssrc ^ 1).encode(), 0.0) == []
    assert ours.receive_control(rtcp.Nack(7, ours.ssrc ^ 1, (1, 2)).encode(), 0.0) == []


def test_request_of_the_old_kind_counts() -> None:
    assert session().receive_control(bytes.fromhex("80 c0 0001 00000007"), 0.0) == [KeyFrameRequested()]


def test_missing_packets_come_again() -> None:
    rng = random.Random(5)
    path = Path(lost=lambda data: data[1] & 0x7F == 96 and rng.random() < 0.1)
    pair = Pair(session(1), session(2), path)
    highest = -1

    def on_packet(end: int, received: Packet, now: float) -> None:
        nonlocal highest
        if highest >= 0:
            pair.put_control(1, pair.ends[1].report_missing(range(highest + 1, received.index), now))
        highest = max(highest, received.index)

    pair.on_packet = on_packet
    pair.run(10.0, media(pair))
    wanted = set(range(pair.packets[1][0].index, highest + 1))
    there = {received.index for received in pair.packets[1]}
    assert pair.path.dropped > 40
    assert len(wanted - there) < pair.path.dropped / 3  # one request each, and the answer may be lost as well
    assert pair.ends[0].statistics(pair.now).sent.retransmitted > 30
    assert pair.ends[1].statistics(pair.now).received.lost < pair.path.dropped / 3


def test_nothing_is_asked_for_unless_agreed() -> None:
    ours = session(feedback=frozenset({Feedback.PLI}))
    ours.receive(packet(7, 1), 0.0)
    assert ours.report_missing([2, 3], 0.0) is None
    ours.feedback = ALL
    assert ours.report_missing([], 0.0) is None
    data = ours.report_missing([0x1FFFF, 0x20000], 0.0)
    assert data is not None
    assert rtcp.decode(data)[-1] == rtcp.Nack(ours.ssrc, 7, (0xFFFF, 0))


def test_nothing_is_kept_or_sent_again_unless_agreed() -> None:
    ours = session(feedback=frozenset())
    sent = Packet.decode(ours.send(b"x", 0, True, 96, 0.0))
    assert ours.receive_control(rtcp.Nack(7, ours.ssrc, (sent.sequence,)).encode(), 1.0) == []


def test_flood_of_nacks_is_answered_in_measure() -> None:
    ours = session()
    octets = 0
    for number in range(1000):
        now = 0.005 * number
        sent = Packet.decode(ours.send(bytes(1000), number, True, 96, now))
        nack = rtcp.Nack(7, ours.ssrc, tuple((sent.sequence - n) & 0xFFFF for n in range(200, -1, -1)))
        for event in ours.receive_control(nack.encode(), now):
            assert isinstance(event, Retransmit)
            octets += sum(map(len, event.packets))
    assert octets < 1000 * 1012 * 0.25 + 65_536 + 1012


def test_flood_of_requests_is_answered_in_measure() -> None:
    ours = session()
    events = []
    for number in range(1000):
        events += ours.receive_control(rtcp.PictureLoss(7, ours.ssrc).encode(), 0.001 * number)
        events += ours.receive_control(rtcp.FullIntra(number, ((ours.ssrc, number & 0xFF),)).encode(), 0.001 * number)
    assert len(events) <= 4


# Nonsense


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\xc8\x00\x06", bytes(12), b"\xff" * 2000])
def test_nonsense_is_counted(data: bytes) -> None:
    ours = session()
    assert ours.receive(data, 0.0) is None
    assert ours.receive_control(data, 0.0) == []
    assert ours.statistics(0.0).received.discarded == 2
    assert ours.last_received is None


words = st.one_of(st.integers(0, 0xFFFFFFFF), st.sampled_from([0, 7, 0xFFFFFFFF]))


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=100),
            st.builds(packet, words, st.integers(0, 0xFFFF), words, st.integers(0, 127)),
            st.builds(lambda a, b, c: rtcp.SenderReport(a, b << 32 | c, c, a, b).encode(), words, words, words),
            st.builds(lambda a, b: rtcp.ReceiverReport(a, (rtcp.Report(b, 9, 9, 9, 9, a, b),)).encode(), words, words),
            st.builds(lambda a, b, c: rtcp.Nack(a, b, tuple(c)).encode(), words, words, st.sets(words, min_size=1)),
            st.builds(lambda a, b: rtcp.FullIntra(a, ((b, a & 255),)).encode(), words, words),
            st.builds(lambda a: rtcp.Goodbye((a,)).encode(), words),
        ),
        max_size=60,
    ),
    st.booleans(),
)
def test_any_datagrams_are_survived(datagrams: list[bytes], ours_is_theirs: bool) -> None:
    ours = session()
    for number, data in enumerate(datagrams):
        now = 0.05 * number
        ours.send(b"x", 3000 * number, True, 96, now)
        if ours_is_theirs and number % 3 == 0 and len(data) > 12:
            data = data[:8] + ours.ssrc.to_bytes(4, "big") + data[12:]
        ours.receive(data, now)
        ours.receive_control(data, now)
        ours.request_key_frame(now)
        due = ours.timer()
        assert due is not None
        if due <= now:
            control = ours.handle_timer(now)
            assert control is None or rtcp.decode(control)
    ours.statistics(99.0)
    assert rtcp.decode(ours.close(99.0)) if datagrams else True


# Bitrate


def test_a_limit_of_the_far_end_is_told_and_acknowledged() -> None:
    ours = session()
    ours.send(b"x", 0, True, 96, 0.0)
    other, mine = rtcp.Limit(99, 500_000, 40), rtcp.Limit(ours.ssrc, 1_240_000, 40)
    [event] = ours.receive_control(rtcp.MaxBitrate(7, (other, mine)).encode(), 1.0)
    assert isinstance(event, BitrateLimited)
    assert event.bitrate == 1_200_000
    *_, answer = rtcp.decode(event.notification)
    assert answer == rtcp.MaxBitrateNotification(ours.ssrc, (rtcp.Limit(7, 1_240_000, 40),))
    [again] = ours.receive_control(rtcp.MaxBitrate(7, (mine,)).encode(), 1.05)
    assert again == BitrateLimited(1_200_000, b""), "a flood of requests is no flood of answers"


def test_an_estimate_of_the_far_end_is_told() -> None:
    ours = session()
    for sources, told in (((99,), []), ((99, ours.ssrc), [BitrateLimited(1_200_000, b"")])):
        assert ours.receive_control(rtcp.EstimatedMaxBitrate(7, 1_200_000, sources).encode(), 1.0) == told


def test_less_is_asked_for_where_that_was_agreed() -> None:
    for feedback, asks in ((frozenset({Feedback.TMMBR}), True), (frozenset(), False)):
        ours = session(feedback=feedback)
        assert ours.request_bitrate(2_000_000, 0.0, 1_000_000, 0.0) is None, "nobody is heard yet"
        heard(ours, 0.0, (7, 1), (7, 2))
        data = ours.request_bitrate(2_000_000, 0.0, 1_000_000, 1.0)
        assert (data is not None) is asks
        if data is not None:
            *_, request = rtcp.decode(data)
            assert isinstance(request, rtcp.MaxBitrate)
            assert [(limit.ssrc, limit.overhead) for limit in request.limits] == [(7, 40)]
            assert 1_000_000 < request.limits[0].bitrate <= 1_033_334
            ours.receive_control(rtcp.MaxBitrateNotification(7, (rtcp.Limit(ours.ssrc, 1, 0),)).encode(), 2.0)
            assert ours.request_bitrate(2_000_000, 0.0, 1_000_000, 9.0) is None
