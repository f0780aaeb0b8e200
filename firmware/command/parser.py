"""The commands and their options, as a table."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

DEFAULT_URL: Final = "http://127.0.0.1:8080"


@dataclass(frozen=True, slots=True)
class Option:
    """One argument of a command, as argparse takes it."""

    names: tuple[str, ...]
    settings: dict[str, Any]


def _option(*names: str, **settings: Any) -> Option:
    return Option(names, settings)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no time in seconds above 0")
    return seconds


_CONFIG = _option("--config", type=Path, metavar="FILE", help="settings; without it the defaults")
_BOARD = _option("--board", choices=("pi", "sim", "auto"), help="the hardware, instead of board.kind")
_ADDRESS = _option("--address", metavar="IP", help="listen on this address only, for calls and the panel")
_SIP_PORT = _option("--sip-port", type=int, metavar="N", help="instead of sip.port")
_SIP_TLS_PORT = _option("--sip-tls-port", type=int, metavar="N", help="instead of sip.tls_port")
_H323_PORT = _option("--h323-port", type=int, metavar="N", help="instead of h323.port")
_H245_PORTS = _option("--h245-ports", metavar="A-B", help="instead of h323.h245_first_port and h245_last_port")
_RTP_PORTS = _option("--rtp-ports", metavar="A-B", help="instead of media.rtp_first_port and rtp_last_port")
_LOG = _option("--log", choices=("debug", "info", "warning", "error"), help="instead of log.level")
_URL = _option(
    "--url",
    default=os.environ.get("VISAVIS_URL", DEFAULT_URL),
    help=f"the running unit's panel (or VISAVIS_URL; {DEFAULT_URL}); its password comes from VISAVIS_PASSWORD",
)
_CALL = _option(
    "call", nargs="?", default="current", metavar="CALL", help="the call's number; without it the current one"
)

COMMANDS: Final[dict[str, tuple[str, tuple[Option, ...]]]] = {
    "run": (
        "run the unit",
        (
            _CONFIG,
            _BOARD,
            _ADDRESS,
            _SIP_PORT,
            _SIP_TLS_PORT,
            _H323_PORT,
            _H245_PORTS,
            _RTP_PORTS,
            _option("--web-port", type=int, metavar="N", help="instead of web.port"),
            _LOG,
        ),
    ),
    "demo": (
        "run a unit on the simulated board, call an echo far end, and say what flows",
        (
            _option("--web-port", type=int, metavar="N", help="the panel's port (8080, or the next that is free)"),
            _option("--seconds", type=_seconds, metavar="S", help="stop by itself after this time"),
            _option("--log", choices=("debug", "info", "warning", "error"), default="warning", help="what is logged"),
        ),
    ),
    "echo": (
        "answer every call and give back its sound and picture",
        (_CONFIG, _BOARD, _ADDRESS, _SIP_PORT, _SIP_TLS_PORT, _H323_PORT, _H245_PORTS, _RTP_PORTS, _LOG),
    ),
    "config": (
        "print all settings with their defaults, or check a file",
        (_option("--check", type=Path, metavar="FILE", help="name every wrong key of this file with what is allowed"),),
    ),
    "board": ("say which devices there are", (_CONFIG, _BOARD)),
    "password": (
        "set the panel's password",
        (_option("--config", type=Path, metavar="FILE", help="write it into these settings; without it, print it"),),
    ),
    "certificate": (
        "print the certificate of this unit, for far ends that are to trust it (PEM)",
        (_CONFIG,),
    ),
    "dial": (
        "call an address",
        (_option("address", help="sip:room@192.0.2.1, h323:192.0.2.1, a name"), _URL),
    ),
    "answer": ("answer a call", (_CALL, _URL)),
    "hangup": ("end a call", (_CALL, _URL)),
    "status": (
        "say how the unit is and what flows in its calls",
        (_option("--json", action="store_true", help="the state as the API gives it"), _URL),
    ),
}

HIDDEN: Final = {
    "media-worker": (
        _option("--board", required=True),
        _option("--settings", default="{}"),
        _option("--log", default="info"),
        _option("--command-fd", type=int, required=True),
        _option("--report-fd", type=int, required=True),
    ),
    "make-certificate": (
        _option("folder", type=Path),
        _option("name"),
        _option("reached_by", nargs="*"),
    ),
}
"""Commands that a unit gives to itself."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Take the command line apart; where it is wrong, say so and exit with status 2."""
    if arguments and arguments[0] in HIDDEN:
        command = argparse.ArgumentParser(prog=f"visavis {arguments[0]}")
        _add(command, HIDDEN[arguments[0]])
        return command.parse_args(arguments[1:], argparse.Namespace(command=arguments[0]))
    top = argparse.ArgumentParser(prog="visavis", description="A conference-room unit for video calls.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (help_text, options) in COMMANDS.items():
        _add(commands.add_parser(name, help=help_text, description=f"{help_text[0].upper()}{help_text[1:]}."), options)
    return top.parse_args(arguments)


def _add(command: argparse.ArgumentParser, options: tuple[Option, ...]) -> None:
    for option in options:
        command.add_argument(*option.names, **option.settings)
