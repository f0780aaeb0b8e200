"""A TURN server as the settings name it."""

from __future__ import annotations

from firmware.ice.turn_server import TurnServer


def test_the_password_is_in_no_representation() -> None:
    assert "secret" not in repr(TurnServer(("192.0.2.9", 3478), "room", "secret"))
