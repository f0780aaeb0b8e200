"""How it rings there."""

from __future__ import annotations

import pytest
from sip_peer import Line, request, response

from firmware.sip.alert import waits
from firmware.sip.events import Progress


@pytest.mark.parametrize(
    ("status", "alert", "waiting"),
    [
        (180, "", False),
        (182, "", True),
        (180, "<urn:alert:service:call-waiting>", True),
        (180, "<http://www.example.com/sound.wav>, <URN:alert:service:Call-Waiting>;x=y", True),
        (180, "<urn:alert:source:internal>", False),
        (180, "\x00;;,", False),
    ],
)
def test_waiting(status: int, alert: str, waiting: bool) -> None:
    message = response(request(), status)
    message.headers.add_parsed("Alert-Info", alert)
    assert waits(message) is waiting


def test_what_is_said_is_heard() -> None:
    line = Line()
    session = line.incoming()
    session.ring(line.now, waiting=True)
    line.settle()
    assert waits(line.peer.responses[-1])
    line = Line()
    line.dial()
    line.answer(180, Alert_Info="<urn:alert:service:call-waiting>")
    assert line.event(Progress).waiting
