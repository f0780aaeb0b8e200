"""``visavis password``: ask for the panel's password twice and keep its hash."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from msgspec.structs import replace

from firmware import config
from firmware.config.toml import toml_value
from firmware.config.write import save
from firmware.errors import ConfigError
from firmware.web.auth import hash_password

if TYPE_CHECKING:
    from argparse import Namespace

    from firmware.command.hardware import Hardware

SHORTEST = 8
"""Characters of a password, at least (NIST SP 800-63B 3.1.1.2)."""
LONGEST = 256


def run(arguments: Namespace, hardware: Hardware) -> int:
    """Print the setting, or write it into a file; that keeps its settings, but not comments of one's own."""
    path = arguments.config
    settings = None if path is None else config.load(path, hardware.settings)
    password_hash = hash_password(_ask())
    if settings is None:
        print(f"[web]\npassword_hash = {toml_value(password_hash)}")
        return 0
    changed = replace(settings, web=replace(settings.web, password_hash=password_hash))
    save(changed, path, hardware.settings)
    print(f"{path}: the password is set; it counts from the unit's next start")
    return 0


def _ask() -> str:
    if sys.stdin.isatty():
        password = getpass.getpass("New password: ")
        if getpass.getpass("Again: ") != password:
            raise ConfigError("the two are not the same")
    else:
        password = sys.stdin.readline().rstrip("\n")
    if not SHORTEST <= len(password) <= LONGEST:
        raise ConfigError(f"a password has {SHORTEST} to {LONGEST} characters")
    return password
