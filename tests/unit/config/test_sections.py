from __future__ import annotations

import msgspec
import pytest

from firmware.config.sections import Config, Web


def test_every_setting_has_a_description() -> None:
    for section in msgspec.structs.fields(Config):
        schema = msgspec.json.schema(section.type)["$defs"][section.type.__name__]
        for name, described in schema["properties"].items():
            assert described.get("description", "").endswith((".", '"', "s.")), f"{section.name}.{name}"


def test_a_setting_is_not_changed_but_replaced() -> None:
    with pytest.raises(AttributeError):
        Config().room.volume = 3  # type: ignore[misc]


def test_without_a_password_there_is_no_hash() -> None:
    assert Web().password_hash == ""
