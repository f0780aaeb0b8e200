"""Statistics are values: they say what was, and don't change afterwards."""

from __future__ import annotations

import random

from firmware.call.media import Kind
from firmware.rtp.session import Session


def test_statistics_are_of_their_moment() -> None:
    session = Session(Kind.AUDIO, 8000, random.Random(1), "cname", 0.0)
    session.send(bytes(160), 0, True, 0, 0.5)
    before = session.statistics(1.0)
    session.send(bytes(160), 160, False, 0, 1.5)
    after = session.statistics(2.0)
    assert (before.now, before.sent.packets, before.sent.octets, before.sent.last) == (1.0, 1, 160, 0.5)
    assert (after.now, after.sent.packets, after.sent.octets, after.sent.last) == (2.0, 2, 320, 1.5)
    assert len({before, after}) == 2  # only what can't change has a hash


def test_nothing_yet() -> None:
    statistics = Session(Kind.AUDIO, 8000, random.Random(1), "cname", 0.0).statistics(0.0)
    assert (statistics.sent.round_trip, statistics.sent.last, statistics.received.last) == (None, None, None)
    assert (statistics.received.packets, statistics.received.lost, statistics.received.loss) == (0, 0, 0.0)
