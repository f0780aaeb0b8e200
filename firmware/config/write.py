"""Writes settings as TOML, each with its description and what it may be."""

from __future__ import annotations

import os
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import msgspec.inspect as mi
from msgspec import Struct

from firmware.config.allowed import describe
from firmware.config.sections import Board, Boards, Config
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
    for name in ("sim", "pi"):
        table: dict[str, Any] = getattr(config.board, name)
        kind = (boards or {}).get(name)
        lines += ["", f"# {_description(Board, name)}", f"[board.{name}]"]
        lines += _dump_table(kind(**table)) if kind else [f"{key} = {toml_value(table[key])}" for key in table]
    return "\n".join(lines) + "\n"


def _dump_table(table: Struct) -> Iterator[str]:
    for info in msgspec.structs.fields(table):
        value = getattr(table, info.name)
        if isinstance(value, dict):
            continue
        form = mi.type_info(info.type)
        said = (form.extra_json_schema or {}).get("description", "") if isinstance(form, mi.Metadata) else ""
        yield from textwrap.wrap(f"{said}  ({describe(form)})", 110, initial_indent="# ", subsequent_indent="# ")
        yield f"{info.encode_name} = {toml_value(value)}"


def _description(kind: type[Struct], name: str) -> str:
    form = next(mi.type_info(info.type) for info in msgspec.structs.fields(kind) if info.name == name)
    return str((form.extra_json_schema or {}).get("description", "")) if isinstance(form, mi.Metadata) else ""


def save(config: Config, path: Path, boards: Boards | None = None) -> None:
    """Write the settings in one step: whoever reads meanwhile, or after a power cut, finds the old file or the new one.

    ConfigError: it can't be written, and why; the old file stays.
    """
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(dump(config, boards))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None
