from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta, Struct
from msgspec.structs import replace

from firmware import config
from firmware.config import Config, load, parse
from firmware.config.write import dump, save
from firmware.errors import ConfigError


class Switches(Struct, frozen=True, kw_only=True):
    """A board's settings, as a board would declare them."""

    lamp: Annotated[int, Meta(ge=-1, le=27, description="A pin.")] = 5


BOARDS = {"sim": Switches}


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


def test_other_values_come_back_too() -> None:
    changed = replace(
        Config(),
        room=config.Room(name='Saal "Grün" \\ 1', auto_answer=True, ring_time=12.5),
        sip=config.Sip(addresses=("127.0.0.2", "::1"), port=5070, transports=("tcp",)),
        board=config.Board(kind="sim", sim={"lamp": 7, "camera": {"file": "a\u007f.mp4", "loop": True}}),
    )
    text = dump(changed)
    assert parse(text)[0].room == changed.room
    assert parse(text)[0].sip == changed.sip
    assert parse(text)[0].board == changed.board


def test_a_board_s_own_values_are_printed() -> None:
    text = dump(replace(Config(), board=config.Board(sim={"lamp": 7})), BOARDS)
    assert parse(text, BOARDS) == (replace(Config(), board=config.Board(sim={"lamp": 7})), [])


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
