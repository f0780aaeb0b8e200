"""How soon a button answers: from the line that is pulled to the answer on the wire.

The caller is in the same machine, and where that is emulated it has a time of its own, in which an instruction takes
1 ns: so the limit holds for one core that does 1,000 million instructions a second, which is less than a Pi 4 does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hil.answer import AnswerWatch
from hil.inside import BUTTON, unit_inside
from hil.lines import Lines
from hil.monitor import Television
from hil.sound import Room
from hil.webcam import Webcam
from interop.peer import Peer
from interop.unit import Unit

HERE = "127.0.0.1"
ANSWER_TIME = 0.050
"""Seconds."""
CALLS = 3

pytestmark = pytest.mark.timeout(500)


@pytest.fixture(scope="module")
def unit(room: Room, lines: Lines, webcam: Webcam, television: Television, encoder_node: Path) -> Iterator[Unit]:
    """The unit, on real drivers."""
    with unit_inside(HERE, room) as unit:
        yield unit


def test_a_line_that_is_pulled_answers_at_once(
    unit: Unit, lines: Lines, record_property: Callable[[str, object], None]
) -> None:
    times = []
    with Peer(HERE) as peer:
        for _ in range(CALLS):
            call = peer.call((HERE, unit.sip_port))
            unit.wait_for_call("incoming")
            time.sleep(1)
            with AnswerWatch() as watch:
                lines.pull(BUTTON["call"], high=False)
                times.append(watch.wait())
            call.established()
            lines.pull(BUTTON["call"], high=True)
            call.end()
            unit.wait_for_idle()
    record_property("answer_ms", [round(seconds * 1000, 1) for seconds in times])
    assert max(times) < ANSWER_TIME
