from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta, Struct
from msgspec.structs import replace

from firmware import config
from firmware.config import Config, parse
from firmware.config.write import dump, save, with_setting
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
            if setting.name == "accounts":
                continue  # as a comment, see below
            assert setting.name in tables[section.name], f"{section.name}.{setting.name}"
    assert "# Loudness of the speaker at the start, percent.  (a whole number from 0 to 100)\nvolume = 70\n" in text
    assert "# A pin.  (a whole number from -1 to 27)\nlamp = 5\n" in text


def test_a_list_of_tables_that_is_empty_is_printed_as_a_table_to_fill_in() -> None:
    begin = dump().index("# [[sip.accounts]]")
    lines = dump()[begin:].partition("\n\n")[0].splitlines()
    filled = "\n".join(line.removeprefix("# ") for line in lines).replace('address = ""', 'address = "a@b"')
    [account] = tomllib.loads(filled)["sip"]["accounts"]
    assert account.keys() == {setting.name for setting in msgspec.structs.fields(config.SipAccount)}
    assert parse(filled)[0].sip.accounts == (config.SipAccount(address="a@b"),)
    assert "# # Addresses" not in dump()


def test_lists_of_tables_come_back() -> None:
    accounts = (
        config.SipAccount(address="room@example.com", password='"\\', expires=600, default=True),
        config.SipAccount(address="sips:x@[2001:db8::1]:5070", user="ü", register=False, transport="tcp"),
    )
    changed = replace(Config(), sip=config.Sip(accounts=accounts))
    assert parse(dump(changed)) == (changed, [])


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


FILE = """# Ours, of 2024
[room]
name = "Aalto"  # after the architect

[web] # the panel
# a secret
password_hash = ""   # none yet
port = 8081

[board.sim]
camera_label = "[web]"
"""


def test_one_setting_is_changed_and_nothing_else() -> None:
    changed = with_setting(FILE, "web", "password_hash", "new")
    assert changed == FILE.replace('password_hash = ""', 'password_hash = "new"')
    assert with_setting(FILE, "web", "enabled", False) == FILE.replace(
        "# the panel\n", "# the panel\nenabled = false\n"
    )
    assert with_setting(FILE, "log", "level", "info") == f'{FILE}\n[log]\nlevel = "info"\n'


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("", '\n[web]\nport = "x"\n'),
        ("# no end", '# no end\n\n[web]\nport = "x"\n'),
        ("[web]", '[web]\nport = "x"\n'),
        ("[web]\r\nport = 'a'\r\n[sip]\r\n", '[web]\r\nport = "x"\r\n[sip]\r\n'),
        ("[ web ]\n  port='#' # b\n", '[ web ]\nport = "x" # b\n'),
        ("[web.more]\n[sip]\nport = 'a'\n", "[web.more]\n[sip]\nport = 'a'\n\n[web]\nport = \"x\"\n"),
    ],
)
def test_a_setting_is_found_however_a_file_is_written(text: str, changed: str) -> None:
    assert with_setting(text, "web", "port", "x") == changed
    assert tomllib.loads(changed)["web"]["port"] == "x"


@pytest.mark.parametrize(
    "text",
    [
        "web.port = 'a'",
        "web = { port = 'a' }",
        '[room]\nname = """\n[web]\n"""',
        "[web]\nport = '''\na'''",
        "[web]\n'port' = 'a'",
    ],
)
def test_what_is_no_line_of_its_own_is_left_to_the_user(text: str) -> None:
    with pytest.raises(ConfigError, match='below \\[web\\]: write there port = "x"'):
        with_setting(text, "web", "port", "x")


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "unit.toml"
    path.write_text("old")
    path.chmod(0o640)
    (tmp_path / "link.toml").symlink_to(path)
    save("[room]\r\nname = 'Ä'\r\n", tmp_path / "link.toml")
    assert path.read_bytes().decode() == "[room]\r\nname = 'Ä'\r\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["link.toml", "unit.toml"]


def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    save("", tmp_path / "unit.toml")
    assert (tmp_path / "unit.toml").stat().st_mode & 0o077 == 0


def test_what_cannot_be_saved_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "unit.toml"
    path.mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        save("", path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["unit.toml"]
    with pytest.raises(ConfigError, match="No such file"):
        save("", tmp_path / "nowhere" / "unit.toml")
