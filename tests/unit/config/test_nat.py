from __future__ import annotations

from firmware.config import Config, Nat, parse


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
