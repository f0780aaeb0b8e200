from __future__ import annotations

import pytest

from firmware.config import words


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("stun.example.com", ("stun.example.com", 3478)),
        ("stun.example.com:19302", ("stun.example.com", 19302)),
        ("192.0.2.1:1", ("192.0.2.1", 1)),
        ("[2001:db8::1]", ("2001:db8::1", 3478)),
        ("[2001:db8::1]:5349", ("2001:db8::1", 5349)),
    ],
)
def test_a_server_has_a_host_and_a_port(text: str, server: tuple[str, int]) -> None:
    assert words.is_server(text)
    assert words.host_and_port(text, 3478) == server


@pytest.mark.parametrize("text", ["2001:db8::1", "stun:stun.example.com", "a b", "host:", "host:123456", "[host]"])
def test_what_is_no_server(text: str) -> None:
    assert not words.is_server(text)
    with pytest.raises(ValueError, match=r"."):
        words.host_and_port(text, 1)


@pytest.mark.parametrize(
    ("text", "caller"), [("10.0.0.0/8", True), ("10.0.0.0/33", False), ("alice@example.com", True), ("a b", False)]
)
def test_callers(text: str, caller: bool) -> None:
    assert words.is_caller(text) is caller


def test_names_and_addresses() -> None:
    assert words.is_address("::1")
    assert not words.is_address("localhost")
    assert words.is_name("A room")
    assert not words.is_name(" ")
    assert words.is_host_name("room.example.com")
    assert not words.is_host_name("room..example")
    assert words.is_gatekeeper("auto")
    assert not words.is_gatekeeper("h323:gk")
    assert words.is_account("sips:room@example.com")
    assert not words.is_account("example.com")
