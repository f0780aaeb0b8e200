"""``visavis password``: ask for the panel's password twice and keep its hash."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from firmware import config
from firmware.config.toml import toml_value
from firmware.config.write import save, with_setting
from firmware.errors import ConfigError
from firmware.web.auth import hash_password

if TYPE_CHECKING:
    from argparse import Namespace

    from firmware.command.hardware import Hardware

SHORTEST = 8
"""Characters of a password, at least (NIST SP 800-63B 3.1.1.2)."""
LONGEST = 256


def run(arguments: Namespace, hardware: Hardware) -> int:
    """Print the setting, or write it into a file, of which all else stays as it is."""
    path = arguments.config
    if path is None:
        print(f"[web]\npassword_hash = {toml_value(hash_password(_ask()))}")
        return 0
    config.load(path, hardware.settings)  # what is wrong with it is said before anything is asked
    password_hash = hash_password(_ask())
    try:
        changed = with_setting(config.read_text(path), "web", "password_hash", password_hash)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    save(changed, path)
    print(f"{path}: the password is set; it counts from the unit's next start")
    return 0


def _ask() -> str:
    try:
        if sys.stdin.isatty():
            password = getpass.getpass("New password: ")
            if getpass.getpass("Again: ") != password:
                raise ConfigError("the two are not the same")
        else:
            password = sys.stdin.readline().rstrip("\r\n")
        password.encode()
    except EOFError:
        raise ConfigError("no password was given") from None
    except UnicodeError:
        raise ConfigError("a password is UTF-8 text") from None
    if not SHORTEST <= len(password) <= LONGEST:
        raise ConfigError(f"a password has {SHORTEST} to {LONGEST} characters")
    return password
