"""Where a unit keeps what it makes or learns by itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from firmware.config.sections import Storage


def storage_folder(storage: Storage, environment: Mapping[str, str] = os.environ) -> Path:
    """Give the folder; it need not exist yet.

    What the settings say, what systemd gives to a service (``StateDirectory=``, systemd.exec(5)), or the user's own
    (``XDG_STATE_HOME`` of the XDG base directory specification).
    """
    if storage.folder:
        return Path(storage.folder)
    given = environment.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    home = environment.get("XDG_STATE_HOME") or Path(environment.get("HOME") or "/") / ".local" / "state"
    return Path(home) / "visavis"
