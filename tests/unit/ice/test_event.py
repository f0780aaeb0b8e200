"""What an agent tells."""

from __future__ import annotations

from firmware.ice.event import ConsentLost, Failed


def test_events_are_values() -> None:
    assert ConsentLost(1) == ConsentLost(1) != ConsentLost(2)
    assert Failed(1, "why").why == "why"
