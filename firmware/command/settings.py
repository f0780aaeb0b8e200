"""Settings for a command that runs a unit: the file's, or the defaults, with the command line's over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from firmware import config
from firmware.errors import ConfigError

if TYPE_CHECKING:
    from argparse import Namespace

OVERRIDES = {
    "board": ("board.kind",),
    "address": ("sip.addresses", "web.addresses"),
    "sip_port": ("sip.port",),
    "web_port": ("web.port",),
    "log": ("log.level",),
}
"""Options of the command line, and the settings that they stand for."""


def settings(arguments: Namespace, boards: config.Boards) -> config.Config:
    """Give the settings that these arguments mean.  ConfigError: all that is wrong with the file or an option."""
    path = getattr(arguments, "config", None)
    made = config.load(path, boards) if path is not None else config.Config()
    wanted: dict[str, dict[str, Any]] = {}
    for option, keys in OVERRIDES.items():
        value = getattr(arguments, option, None)
        if value is not None:
            for key in keys:
                section, _, name = key.partition(".")
                wanted.setdefault(section, {})[name] = [value] if name == "addresses" else value
    if (ports := getattr(arguments, "rtp_ports", None)) is not None:
        wanted.setdefault("media", {}).update(_ports(ports))
    wrong: list[config.Wrong] = []
    for section, values in wanted.items():
        before = getattr(made, section)
        checked = config.read_table(values, type(before), section, wrong)
        made = replace(made, **{section: replace(before, **{name: getattr(checked, name) for name in values})})
    wrong += config.contradictions(made)
    if wrong:
        raise ConfigError("\n".join(map(str, wrong)))
    return made


def _ports(text: str) -> dict[str, Any]:
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal()):
        raise ConfigError(f'--rtp-ports {text}: must be two numbers with "-" between, such as 20000-20099')
    return {"rtp_first_port": int(first), "rtp_last_port": int(last)}
