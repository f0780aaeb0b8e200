"""What the far end's control packets ask for, or tell."""

from __future__ import annotations

from firmware.rtp.event import BitrateLimited, Goodbye, Retransmit


def test_events_are_values() -> None:
    assert BitrateLimited(1, b"") == BitrateLimited(1, b"") != BitrateLimited(2, b"")
    assert Retransmit((b"a",)) != Retransmit((b"b",))
    assert Goodbye("why").reason == "why"
