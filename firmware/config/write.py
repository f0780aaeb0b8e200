"""Writes settings as TOML: all of them, each with its description and what it may be, or one into a user's file."""

from __future__ import annotations

import os
import re
import stat
import tempfile
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import msgspec.inspect as mi
from msgspec import Struct

from firmware.config.allowed import describe, tables_of
from firmware.config.devices import Board
from firmware.config.sections import Boards, Config
from firmware.config.toml import toml_value
from firmware.errors import ConfigError


def dump(config: Config | None = None, boards: Boards | None = None) -> str:
    """All settings as TOML, each with its description and what it may be.

    With *boards*, those of the boards' own tables are shown too.
    """
    lines = ["# Settings of a Visavis unit.  Every line may be left out: then what stands here is used."]
    config = config or Config()
    for section in msgspec.structs.fields(Config):
        lines += ["", f"# {(section.type.__doc__ or '').strip()}", f"[{section.name}]"]
        lines += _dump_table(getattr(config, section.name))
        lines += _dump_lists(getattr(config, section.name), section.name)
    for name in ("sim", "pi"):
        table: dict[str, Any] = getattr(config.board, name)
        kind = (boards or {}).get(name)
        lines += ["", f"# {_description(Board, name)}", f"[board.{name}]"]
        lines += _dump_table(kind(**table)) if kind else [f"{key} = {toml_value(table[key])}" for key in table]
    return "\n".join(lines) + "\n"


def _dump_table(table: Struct) -> Iterator[str]:
    for info in msgspec.structs.fields(table):
        value = getattr(table, info.name)
        form = mi.type_info(info.type)
        if isinstance(value, dict) or tables_of(form) is not None:
            continue
        said = (form.extra_json_schema or {}).get("description", "") if isinstance(form, mi.Metadata) else ""
        yield from textwrap.wrap(f"{said}  ({describe(form)})", 110, initial_indent="# ", subsequent_indent="# ")
        yield f"{info.encode_name} = {toml_value(value)}"


def _dump_lists(section: Struct, path: str) -> Iterator[str]:
    """Give a section's lists of tables; of one that is empty a table to be filled in, as a comment."""
    for info in msgspec.structs.fields(section):
        kind = tables_of(mi.type_info(info.type))
        if kind is None:
            continue
        yield from ("", f"# {_description(type(section), info.name)}")
        header = f"[[{path}.{info.encode_name}]]"
        tables = getattr(section, info.name)
        for number, table in enumerate(tables):
            yield from ([""] if number else [])
            yield from (header, *_dump_table(table))
        if not tables:
            yield from (f"# {line}" for line in (header, *_dump_table(kind())))


def _description(kind: type[Struct], name: str) -> str:
    form = next(mi.type_info(info.type) for info in msgspec.structs.fields(kind) if info.name == name)
    return str((form.extra_json_schema or {}).get("description", "")) if isinstance(form, mi.Metadata) else ""


def with_setting(text: str, section: str, key: str, value: object) -> str:
    """Give the text of a file with one setting changed or added, and every other character as it was.

    ConfigError: the file writes this setting in a way that is not one line of its own.
    """
    line = f"{key} = {toml_value(value)}"
    lines = text.splitlines(keepends=True)
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    header = next((n for n, old in enumerate(lines) if re.match(rf"\s*\[\s*{section}\s*\]", old)), None)
    if header is None:
        close = end if lines and not lines[-1].endswith("\n") else ""
        changed = f"{text}{close}{end}[{section}]{end}{line}{end}"
    else:
        following = range(header + 1, len(lines))
        stop = next((n for n in following if re.match(r"\s*\[", lines[n])), len(lines))
        place = next((n for n in range(header + 1, stop) if re.match(rf"\s*{key}\s*=", lines[n])), None)
        if place is None:
            lines[header] = f"{lines[header].rstrip()}{end}{line}{end}"
        else:
            comment = re.fullmatch(r"[^=]*=\s*(?:\"[^\"]*\"|'[^']*')(\s*#.*)?\s*", lines[place])
            lines[place] = f"{line}{comment[1] or '' if comment else ''}{end}"
        changed = "".join(lines)
    if _tables(changed) != _tables(text) | {section: {**_tables(text).get(section, {}), key: value}}:
        raise ConfigError(f"{section}.{key} is not on a line of its own below [{section}]: write there {line}")
    return changed


def _tables(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def save(text: str, path: Path) -> None:
    """Write a file in one step: whoever reads meanwhile, or after a power cut, finds the old one or the new one.

    It stays the same people's to read, and a link stays a link.  ConfigError: it can't be written, and why; the old
    file stays.
    """
    temporary: Path | None = None
    try:
        real = path.resolve()
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=real.parent, prefix=f".{real.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            if real.exists():
                before = real.stat()
                os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(real)
        directory = os.open(real.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None
