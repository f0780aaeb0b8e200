from __future__ import annotations

from pathlib import Path

from firmware.config.sections import Storage
from firmware.config.storage import storage_folder


def test_the_settings_come_first_then_systemd_then_the_user() -> None:
    everything = {"STATE_DIRECTORY": "/var/lib/visavis:/var/lib/other", "XDG_STATE_HOME": "/xdg", "HOME": "/home/u"}

    def folder(*names: str, setting: str = "") -> Path:
        return storage_folder(Storage(folder=setting), {name: everything[name] for name in names})

    assert folder("STATE_DIRECTORY", "XDG_STATE_HOME", "HOME", setting="/data") == Path("/data")
    assert folder("STATE_DIRECTORY", "XDG_STATE_HOME", "HOME") == Path("/var/lib/visavis")
    assert folder("XDG_STATE_HOME", "HOME") == Path("/xdg/visavis")
    assert folder("HOME") == Path("/home/u/.local/state/visavis")
    assert folder() == Path("/.local/state/visavis")
