from __future__ import annotations

import pytest

from firmware.config import Config, Nat, parse
from firmware.config.nat import is_turn, read_turn


def wrong(text: str) -> list[str]:
    return [entry.key for entry in parse(text)[1]]


def test_nothing_is_done_unless_it_is_wanted() -> None:
    assert Config().nat == Nat()
    assert not Nat().ice


def test_servers() -> None:
    text = """
        [nat]
        ice = true
        stun = ["stun.example.com", "[2001:db8::1]:3479"]
        turn = "turn.example.com"
        turn_user = "room"
        turn_password = "secret"
    """
    config, found = parse(text)
    assert not found
    assert config.nat.stun == ("stun.example.com", "[2001:db8::1]:3479")


def test_what_is_wrong_is_named() -> None:
    assert wrong('[nat]\nstun = ["stun:stun.example.com"]') == ["nat.stun"]
    assert wrong('[nat]\nstun = [""]') == ["nat.stun"]
    assert wrong('[nat]\nstun = ["a", "a"]') == ["nat.stun"]
    assert wrong('[nat]\nturn = "turn.example.com"') == ["nat.turn_user"]


def test_a_password_is_not_shown() -> None:
    [entry] = parse("[nat]\nturn_password = 4711")[1]
    assert "4711" not in str(entry)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("turn.example.com", ("udp", "turn.example.com", 3478)),
        ("[2001:db8::1]:3479", ("udp", "2001:db8::1", 3479)),
        ("turn:192.0.2.1", ("udp", "192.0.2.1", 3478)),
        ("turn:192.0.2.1?transport=udp", ("udp", "192.0.2.1", 3478)),
        ("turn:turn.example.com:80?transport=tcp", ("tcp", "turn.example.com", 80)),
        ("turns:turn.example.com", ("tls", "turn.example.com", 5349)),
        ("TURNS:turn.example.com:443?transport=TCP", ("tls", "turn.example.com", 443)),
        ("turns:[2001:db8::1]:443", ("tls", "2001:db8::1", 443)),
    ],
)
def test_ways_to_a_turn_server(text: str, read: tuple[str, str, int]) -> None:
    assert read_turn(text) == read
    assert wrong(f'[nat]\nturn = "{text}"\nturn_user = "room"') == []


@pytest.mark.parametrize(
    "text",
    [
        "turns:host?transport=udp",  # that is DTLS
        "turn:host?transport=sctp",
        "turn://host",
        "turn:user@host",
        "turn:",
        "host?transport=tcp",
        "stun:host",
    ],
)
def test_what_is_no_turn_server(text: str) -> None:
    assert not is_turn(text)
    assert wrong(f'[nat]\nturn = "{text}"\nturn_user = "room"') == ["nat.turn"]
