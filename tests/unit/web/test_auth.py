from __future__ import annotations

import asyncio

import pytest
import virtual_loop

from firmware import config
from firmware.web import auth
from firmware.web.auth import Gate, SlowDownError, Throttle, hash_password, verify_password

PASSWORD = "correct horse"
HASH = hash_password(PASSWORD)


def test_a_hash_tells_its_password_from_others() -> None:
    assert verify_password(PASSWORD, HASH)
    assert not verify_password("correct horse ", HASH)
    assert not verify_password("", HASH)


def test_a_hash_is_salted_and_shows_nothing() -> None:
    assert hash_password(PASSWORD) != HASH
    assert PASSWORD not in HASH


def test_a_hash_is_what_the_setting_allows() -> None:
    _, wrong = config.parse(f'[web]\npassword_hash = "{HASH}"')
    assert wrong == []


@pytest.mark.parametrize("text", ["", "scrypt$16384$8$1$00", "scrypt$3$8$1$00$00", "scrypt$1073741824$8$1$00$00"])
def test_a_broken_hash_lets_nobody_in(text: str) -> None:
    assert not verify_password("", text)


def test_guessing_is_slowed_down() -> None:
    throttle, now = Throttle(), 0.0
    waits = []
    for _ in range(14):
        try:
            throttle.check("192.0.2.1", now)
        except SlowDownError as error:
            waits.append(round(error.seconds))
            now += error.seconds
            throttle.check("192.0.2.1", now)
        throttle.failed("192.0.2.1", now)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    throttle.check("192.0.2.2", now)
    throttle.succeeded("192.0.2.1")
    throttle.check("192.0.2.1", now)


def test_an_ipv6_host_cannot_change_its_address_to_guess_on() -> None:
    throttle = Throttle()
    for last in range(auth.FREE_ATTEMPTS):
        throttle.failed(f"2001:db8::{last:x}", 0.0)
    with pytest.raises(SlowDownError):
        throttle.check("2001:db8::ffff", 0.5)
    throttle.check("2001:db8:0:1::1", 0.5)


def test_ipv4_hosts_are_told_apart_on_an_ipv6_socket() -> None:
    throttle = Throttle()
    for _ in range(auth.FREE_ATTEMPTS):
        throttle.failed("::ffff:192.0.2.1", 0.0)
    throttle.check("::ffff:192.0.2.2", 0.5)


def test_the_memory_for_failures_is_bounded() -> None:
    throttle = Throttle()
    for number in range(2 * auth.MAX_ADDRESSES):
        throttle.failed(f"10.0.{number // 256}.{number % 256}", 0.0)
    assert len(throttle._failures) == auth.MAX_ADDRESSES


def test_a_session_lasts_while_it_is_used() -> None:
    gate = Gate(HASH)
    token = gate.open_session(0.0)
    assert gate.check_session(token, auth.SESSION_TIME - 1)
    assert gate.check_session(token, 2 * auth.SESSION_TIME - 2)
    assert not gate.check_session(token, 3 * auth.SESSION_TIME)
    assert not gate.check_session("guess", 0.0)


def test_a_closed_session_is_over() -> None:
    gate = Gate(HASH)
    token = gate.open_session(0.0)
    gate.close_session(token)
    assert not gate.check_session(token, 1.0)


def test_the_oldest_session_gives_way() -> None:
    gate = Gate(HASH)
    tokens = [gate.open_session(0.0) for _ in range(auth.MAX_SESSIONS + 1)]
    assert not gate.check_session(tokens[0], 1.0)
    assert all(gate.check_session(token, 1.0) for token in tokens[1:])


def test_tokens_are_not_kept() -> None:
    gate = Gate(HASH)
    token = gate.open_session(0.0)
    assert token.encode() not in gate._sessions


def test_a_password_is_checked_once_and_then_known() -> None:
    async def main() -> None:
        gate = Gate(HASH)
        assert await gate.check_password(PASSWORD, "192.0.2.1")
        gate._password_hash = "no more asked for"
        assert await gate.check_password(PASSWORD, "192.0.2.1")
        assert not await gate.check_password("wrong", "192.0.2.1")

    asyncio.run(main())


def test_wrong_passwords_make_an_address_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(password: str, address: str) -> bool | float:
        try:
            return await gate.check_password(password, address)
        except SlowDownError as error:
            return error.seconds

    async def main() -> list[bool | float]:
        answers = await asyncio.gather(*(check("wrong", "192.0.2.1") for _ in range(7)))
        return [*answers, await check(PASSWORD, "192.0.2.1"), await check(PASSWORD, "192.0.2.2")]

    async def at_once(function: object, password: str, _: str) -> bool:
        return password == PASSWORD

    monkeypatch.setattr(asyncio, "to_thread", at_once)  # threads don't live on a virtual clock
    gate = Gate(HASH)
    answers = virtual_loop.run(main())
    assert answers[:5] == [False] * 5
    assert answers[5:8] == [1.0, 1.0, 1.0]
    assert answers[8] is True


def test_only_some_checks_wait_for_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slowly(*_: object) -> bool:
        await asyncio.sleep(1)
        return False

    async def main() -> list[object]:
        checks = (gate.check_password("wrong", f"192.0.2.{n}") for n in range(auth.MAX_WAITING + 2))
        return await asyncio.gather(*checks, return_exceptions=True)

    monkeypatch.setattr(asyncio, "to_thread", slowly)
    gate = Gate(HASH)
    answers = virtual_loop.run(main())
    assert answers[: auth.MAX_WAITING] == [False] * auth.MAX_WAITING
    assert [type(answer) for answer in answers[auth.MAX_WAITING :]] == [SlowDownError, SlowDownError]


def test_without_a_password_the_gate_is_open() -> None:
    assert Gate("").open
    assert not Gate(HASH).open
