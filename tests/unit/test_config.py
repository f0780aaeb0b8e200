from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct
from msgspec.structs import replace

from firmware import config
from firmware.config import Config, Wrong, dump, load, parse, save, toml_value
from firmware.errors import ConfigError


class Switches(Struct, frozen=True, kw_only=True):
    """A board's settings, as a board would declare them."""

    lamp: Annotated[int, Meta(ge=-1, le=27, description="A pin.")] = 5


BOARDS = {"sim": Switches}


def keys(wrong: list[Wrong]) -> list[str]:
    return [entry.key for entry in wrong]


def test_nothing_means_the_defaults() -> None:
    assert parse("") == (Config(), [])


def test_what_is_printed_loads_back_to_the_defaults() -> None:
    assert parse(dump()) == (Config(), [])


def test_every_setting_is_printed_with_its_description_and_what_is_allowed() -> None:
    text = dump(boards=BOARDS)
    tables = tomllib.loads(text)
    for section in msgspec.structs.fields(Config):
        for setting in msgspec.structs.fields(section.type):
            assert setting.name in tables[section.name], f"{section.name}.{setting.name}"
    assert "# Loudness of the speaker at the start, percent.  (a whole number from 0 to 100)\nvolume = 70\n" in text
    assert "# A pin.  (a whole number from -1 to 27)\nlamp = 5\n" in text


def test_every_setting_has_a_description() -> None:
    for section in msgspec.structs.fields(Config):
        schema = msgspec.json.schema(section.type)["$defs"][section.type.__name__]
        for name, described in schema["properties"].items():
            assert described.get("description", "").endswith((".", '"', "s.")), f"{section.name}.{name}"


def test_other_values_come_back_too() -> None:
    changed = replace(
        Config(),
        room=config.Room(name='Saal "Grün" \\ 1\u007f', auto_answer=True, ring_time=12.5),
        sip=config.Sip(addresses=("127.0.0.2", "::1"), port=5070, transports=("tcp",)),
        board=config.Board(kind="sim", sim={"lamp": 7, "camera": {"file": "a.mp4", "loop": True}}),
    )
    text = dump(changed)
    assert parse(text)[0].room == changed.room
    assert parse(text)[0].sip == changed.sip
    assert parse(text)[0].board == changed.board


def test_a_board_s_own_values_are_printed() -> None:
    text = dump(replace(Config(), board=config.Board(sim={"lamp": 7})), BOARDS)
    assert parse(text, BOARDS) == (replace(Config(), board=config.Board(sim={"lamp": 7})), [])


WRONG = {
    "room.name": ('[room]\nname = ""', 'room.name = "": must be a text from 1 to 64 characters long'),
    "type": ('[room]\nauto_answer = "yes"', 'room.auto_answer = "yes": must be true or false'),
    "range": ("[media]\nframe_rate = 61", "media.frame_rate = 61: must be a whole number from 1 to 60"),
    "float": ("[room]\nring_time = 1", "room.ring_time = 1: must be a number from 5 to 600"),
    "multiple": ("[media]\nwidth = 641", "a whole number from 128 to 1920, a multiple of 2"),
    "choice": ('[log]\nlevel = "loud"', 'log.level = "loud": must be "debug" or "error" or "info" or "warning"'),
    "item": (
        '[sip]\naddresses = ["0.0.0.0", "example"]',
        'sip.addresses = ["0.0.0.0", "example"]: must be a list from 1 to 16 long, of an IPv4 or IPv6 address',
    ),
    "empty list": ("[sip]\ntransports = []", "sip.transports = []: must be a list from 1 to 2 long"),
    "twice": ('[sip]\ntransports = ["udp", "udp"]', "must not name anything twice"),
    "near miss": ("[room]\nvolum = 3", "room.volum: there is no such setting; did you mean volume?"),
    "far miss": ("[log]\nxyz = 3", "log.xyz: there is no such setting; there are level"),
    "section": ("[rom]\nname = 'x'", "rom: there is no such section; did you mean room?"),
    "no section": ("room = 3", "room = 3: this is a section: write [room] and its settings below"),
    "no table": ("[board]\nsim = 3", "board.sim = 3: must be a section with settings of its own"),
    "board": ("[board.sim]\nlamp = 28", "board.sim.lamp = 28: must be a whole number from -1 to 27"),
    "board's key": ("[board.sim]\nlamb = 2", "board.sim.lamb: there is no such setting; did you mean lamp?"),
    "ports": ("[media]\nrtp_first_port = 30000", "media.rtp_last_port = 16583: must be at least 3 above"),
    "port": ("[web]\nport = 0", "web.port = 0: must be a whole number from 1 to 65535"),
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


def test_saved_settings_are_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "unit.toml"
    path.write_text("old")
    changed = replace(Config(), room=config.Room(name="Aalto"))
    save(changed, path)
    assert load(path) == changed
    assert [entry.name for entry in tmp_path.iterdir()] == ["unit.toml"]


def test_saved_settings_are_for_the_owner_only(tmp_path: Path) -> None:
    save(Config(), tmp_path / "unit.toml")
    assert (tmp_path / "unit.toml").stat().st_mode & 0o077 == 0


def test_what_cannot_be_saved_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "unit.toml"
    path.mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        save(Config(), path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["unit.toml"]
    with pytest.raises(ConfigError, match="No such file"):
        save(Config(), tmp_path / "nowhere" / "unit.toml")


@given(
    st.recursive(
        st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=10,
    )
)
def test_any_value_is_written_as_toml(value: Any) -> None:
    assert tomllib.loads(f"x = {toml_value(value)}") == {"x": value}


def test_a_value_that_toml_does_not_have() -> None:
    with pytest.raises(TypeError):
        toml_value(None)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    made, wrong = parse(text, BOARDS)
    assert wrong or isinstance(made, Config)
