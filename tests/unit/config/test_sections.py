from __future__ import annotations

import msgspec
import pytest

from firmware.config.sections import Config, SipAccount, Web


def test_every_setting_has_a_description() -> None:
    kinds = {section.name: section.type for section in msgspec.structs.fields(Config)} | {"sip.accounts": SipAccount}
    for path, kind in kinds.items():
        schema = msgspec.json.schema(kind)["$defs"][kind.__name__]
        for name, described in schema["properties"].items():
            assert described.get("description", "").endswith((".", '"', "s.")), f"{path}.{name}"


def test_a_setting_is_not_changed_but_replaced() -> None:
    with pytest.raises(AttributeError):
        Config().room.volume = 3  # type: ignore[misc]


def test_without_a_password_there_is_no_hash() -> None:
    assert Web().password_hash == ""
