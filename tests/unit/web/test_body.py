from __future__ import annotations

import pytest

from firmware.call.call import State
from firmware.media.message import StreamStatistics
from firmware.room import CallView
from firmware.web import body


@pytest.mark.parametrize(("since", "duration"), [(None, None), (10.0, 2.5), (12.5, 0.0), (13.0, 0.0)])
def test_how_long_a_call_lasts(since: float | None, duration: float | None) -> None:
    view = CallView("1", "sip:a@example.com", "", False, State.ACTIVE, False, False, since, False, ())
    assert body.call(view, 12.5).duration == duration


def test_no_statistics_yet() -> None:
    assert body.statistics(None, None) == body.Statistics((), None)


def test_a_stream_says_all_that_the_media_say() -> None:
    assert body.Stream.__struct_fields__ == StreamStatistics.__struct_fields__
