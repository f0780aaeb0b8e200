from __future__ import annotations

import random

import pytest

from firmware.h323.identity import Identity
from firmware.h323.ras import RasClient
from firmware.h323.ras_settings import DISCOVERY, RAS_PORT, Settings


def settings(alias: tuple[str, str] = ("h323-ID", "room"), host: str = "192.0.2.5", **more: object) -> Settings:
    return Settings(Identity((alias,)), (host, RAS_PORT), (host, 1720), **more)  # type: ignore[arg-type]


def test_the_ports_and_the_group_are_those_of_the_recommendations() -> None:
    assert RAS_PORT == 1719
    assert DISCOVERY == ("224.0.1.41", 1718)


def test_a_client_refuses_what_can_t_work() -> None:
    with pytest.raises(ValueError, match="dialledDigits"):
        RasClient(settings(("dialledDigits", "room")), random.Random(1))
    with pytest.raises(ValueError, match="IPv6"):
        RasClient(settings(host="2001:db8::5"), random.Random(1))
    RasClient(settings(host="2001:db8::5", gatekeeper=("2001:db8::1", RAS_PORT)), random.Random(1))
