from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct
from msgspec.structs import replace

from firmware import config
from firmware.config import Config, Wrong, load, parse
from firmware.errors import ConfigError


class Switches(Struct, frozen=True, kw_only=True):
    """A board's settings, as a board would declare them."""

    lamp: Annotated[int, Meta(ge=-1, le=27, description="A pin.")] = 5
    button: Annotated[int, Meta(ge=-1, le=27, description="A pin.")] = 7

    def contradictions(self) -> Iterator[tuple[str, str]]:
        if self.lamp == self.button:
            yield "lamp", "button is on this pin already"


BOARDS = {"sim": Switches}


def keys(wrong: list[Wrong]) -> list[str]:
    return [entry.key for entry in wrong]


def test_nothing_means_the_defaults() -> None:
    assert parse("") == (Config(), [])


WRONG = {
    "room.name": ('[room]\nname = ""', 'room.name = "": must be 1 to 64 characters on one line that can be shown'),
    "type": ('[room]\nauto_answer = "yes"', 'room.auto_answer = "yes": must be true or false'),
    "range": ("[media]\nframe_rate = 61", "media.frame_rate = 61: must be a whole number from 1 to 60"),
    "float": ("[room]\nring_time = 1", "room.ring_time = 1: must be a number from 5 to 600"),
    "multiple": ("[media]\nwidth = 641", "a whole number from 128 to 1920, a multiple of 2"),
    "choice": ('[log]\nlevel = "loud"', 'log.level = "loud": must be "debug" or "error" or "info" or "warning"'),
    "item": (
        '[sip]\naddresses = ["0.0.0.0", "example"]',
        'sip.addresses = ["0.0.0.0", "example"]: must be a list from 1 to 16 long, each an IPv4 or IPv6 address',
    ),
    "name": ('[room]\nname = "a\\nb"', 'room.name = "a\\nb": must be 1 to 64 characters on one line'),
    "blank name": ('[room]\nname = "  "', 'room.name = "  ": must be 1 to 64 characters on one line'),
    "user": ('[sip]\nuser = "room\\n"', 'sip.user = "room\\n": must be 1 to 64 of the letters'),
    "host name": (
        '[web]\nhost_names = ["room", "http://room/"]',
        'web.host_names = ["room", "http://room/"]: must be a list at most 16 long, each a host name such as',
    ),
    "empty list": ("[sip]\ntransports = []", "sip.transports = []: must be a list from 1 to 3 long"),
    "gatekeeper": ('[h323]\ngatekeeper = "a b"', 'h323.gatekeeper = "a b": must be a host, host:port, "auto"'),
    "a caller": ('[room]\nallowed_callers = ["10.0.0.0/99"]', 'room.allowed_callers = ["10.0.0.0/99"]: must be a list'),
    "secret": ("[h323]\npassword = 4711", "h323.password = (not shown): must be"),
    "searched by TCP": (
        '[h323]\ngatekeeper = "auto"\ngatekeeper_transport = "tcp"',
        'must be "udp" where h323.gatekeeper is "auto"',
    ),
    "twice": ('[sip]\ntransports = ["udp", "udp"]', "must not name anything twice"),
    "near miss": ("[room]\nvolum = 3", "room.volum: there is no such setting; did you mean volume?"),
    "far miss": ("[log]\nxyz = 3", "log.xyz: there is no such setting; there are level"),
    "section": ("[rom]\nname = 'x'", "rom: there is no such section; did you mean room?"),
    "no section": ("room = 3", "room = 3: this is a section: write [room] and its settings below"),
    "no table": ("[board]\nsim = 3", "board.sim = 3: must be a section with settings of its own"),
    "board": ("[board.sim]\nlamp = 28", "board.sim.lamp = 28: must be a whole number from -1 to 27"),
    "board's key": ("[board.sim]\nlamb = 2", "board.sim.lamb: there is no such setting; did you mean lamp?"),
    "ports": ("[media]\nrtp_first_port = 30000", "media.rtp_last_port = 16583: must be at least 3 above"),
    "no tables": ("[sip]\naccounts = 3", "sip.accounts: must be tables at most 4 in number: write [[sip.accounts]]"),
    "not tables": ("[sip]\naccounts = [3]", "sip.accounts: must be tables at most 4 in number: write [[sip.accounts]]"),
    "too many tables": (
        "".join(f'[[sip.accounts]]\naddress = "{n}@b"\n' for n in range(5)),
        "sip.accounts = 5 tables: must be tables at most 4 in number",
    ),
    "in a table": (
        "[[sip.accounts]]\naddress = 'a@b'\n[[sip.accounts]]\naddress = 'b@c'\nexpires = 5",
        "sip.accounts[2].expires = 5: must be a whole number from 60 to 86400",
    ),
    "a table's key": ("[[sip.accounts]]\naddress = 'a@b'\npasword = 'x'", "sip.accounts[1].pasword: there is no such"),
    "a table's secret": (
        "[[sip.accounts]]\naddress = 'a@b'\npassword = 4711",
        "sip.accounts[1].password = (not shown): must be a text",
    ),
    "account": ("[[sip.accounts]]\naddress = 'room'", 'sip.accounts[1].address = "room": must be an address such as'),
    "no account": ("[[sip.accounts]]\nuser = 'room'", "sip.accounts[1].address: must be there"),
    "same account": (
        "[[sip.accounts]]\naddress = 'a@b'\n[[sip.accounts]]\naddress = 'sip:A@b'",
        'sip.accounts[2].address = "sip:A@b": must not be that of another account, unless their proxies are two',
    ),
    "two defaults": (
        "[[sip.accounts]]\naddress='a@b'\ndefault=true\n[[sip.accounts]]\naddress='b@b'\ndefault=true",
        "sip.accounts[2].default = true: must not be true of two accounts",
    ),
    "server": (
        "[[sip.accounts]]\naddress='a@b'\nproxy='sip:x'\n",
        'sip.accounts[1].proxy = "sip:x": must be a host, host:port or an empty text',
    ),
    "port": ("[web]\nport = 0", "web.port = 0: must be a whole number from 1 to 65535"),
    "pins": ("[board.sim]\nlamp = 7", "board.sim.lamp = 7: button is on this pin already"),
    "depth": (f"a = {'[' * 20_000}", "this is not TOML: lists or tables stand too deep"),
    "no TOML": ("[room", "this is not TOML:"),
    "long value": (f'[room]\nname = "{"x" * 1000}"', f'room.name = "{"x" * 58}…: must be'),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    _, wrong = parse(text, BOARDS)
    assert len(wrong) == 1
    assert said in str(wrong[0])


def test_all_that_is_wrong_is_said_at_once_and_the_rest_is_used() -> None:
    made, wrong = parse('[room]\nname = ""\nvolume = 20\nx = 1\n[sip]\nport = -1\n[media]\nwidth = 3')
    assert keys(wrong) == ["room.name", "room.x", "sip.port", "media.width"]
    assert made == replace(Config(), room=config.Room(volume=20))


def test_what_contradicts_another_setting_is_said_with_all_else_but_each_key_once() -> None:
    _, wrong = parse("[room]\nvolume = 101\n[board.sim]\nlamp = 7", BOARDS)
    assert keys(wrong) == ["room.volume", "board.sim.lamp"]
    _, wrong = parse("[board.sim]\nlamp = 99\nbutton = 5", BOARDS)  # the default, in the wrong one's place, is on 5
    assert keys(wrong) == ["board.sim.lamp"]


def test_one_address_by_two_proxies() -> None:
    account = "[[sip.accounts]]\naddress = 'a@b'\nproxy = '{}'\n"
    assert not parse(account.format("one") + account.format("two"))[1]
    assert keys(parse(account.format("one") + account.format("ONE"))[1]) == ["sip.accounts[2].address"]


def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "unit.toml"
    path.write_bytes(b"\xef\xbb\xbf[room]\nname = 'A'\n")
    assert load(path).room.name == "A"


def test_a_secret_is_not_shown() -> None:
    _, wrong = parse('[web]\npassword_hash = "hunter2"')
    assert keys(wrong) == ["web.password_hash"]
    assert "hunter2" not in str(wrong)


def test_loading_says_the_file_and_every_wrong_key(tmp_path: Path) -> None:
    path = tmp_path / "unit.toml"
    path.write_text("[room]\nvolume = 101\n[log]\nlevel = 3\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    lines = str(caught.value).splitlines()
    assert [line.split(" = ")[0] for line in lines] == [f"{path}: room.volume", f"{path}: log.level"]


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.toml")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "binary")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    made, wrong = parse(text, BOARDS)
    assert wrong or isinstance(made, Config)
