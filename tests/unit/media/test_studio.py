"""A studio is what sessions share, and can't be changed by one of them."""

from __future__ import annotations

import dataclasses

import pytest

from firmware.media.message import Configure
from firmware.media.studio import Studio


def test_it_is_a_value() -> None:
    studio = Studio(Configure(echo=True), None, None, None, print)  # type: ignore[arg-type]
    assert studio.configure.echo
    with pytest.raises(dataclasses.FrozenInstanceError):
        studio.report = repr  # type: ignore[misc]
