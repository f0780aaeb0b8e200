"""A value as TOML writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec


def toml_value(value: object) -> str:
    """Write a value as TOML does.  TypeError: TOML has no such value."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return (
                msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
            )  # a TOML basic string is a JSON string
        case Sequence():
            return f"[{', '.join(toml_value(item) for item in value)}]"
        case Mapping():
            return "{ " + ", ".join(f"{toml_value(key)} = {toml_value(item)}" for key, item in value.items()) + " }"
        case _:
            raise TypeError(f"{type(value).__name__} is nothing that TOML can hold")
