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
    "address": ("sip.addresses", "h323.addresses", "web.addresses"),
    "sip_port": ("sip.port",),
    "sip_tls_port": ("sip.tls_port",),
    "h323_port": ("h323.port",),
    "web_port": ("web.port",),
    "log": ("log.level",),
}
"""Options of the command line, and the settings that they stand for."""

RANGES = {"rtp_ports": ("media", "rtp"), "h245_ports": ("h323", "h245")}
"""Options that stand for two settings, the first and the last port: the section, and how their names begin."""


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
    for option, (section, prefix) in RANGES.items():
        if (ports := getattr(arguments, option, None)) is not None:
            wanted.setdefault(section, {}).update(_ports(option, prefix, ports))
    wrong: list[config.Wrong] = []
    for section, values in wanted.items():
        before = getattr(made, section)
        checked = config.read_table(values, type(before), section, wrong)
        made = replace(made, **{section: replace(before, **{name: getattr(checked, name) for name in values})})
    wrong += config.contradictions(made)
    if wrong:
        raise ConfigError("\n".join(map(str, wrong)))
    return made


def _ports(option: str, prefix: str, text: str) -> dict[str, Any]:
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal()):
        words = 'must be two numbers with "-" between, such as 20000-20099'
        raise ConfigError(f"--{option.replace('_', '-')} {text}: {words}")
    return {f"{prefix}_first_port": int(first), f"{prefix}_last_port": int(last)}
