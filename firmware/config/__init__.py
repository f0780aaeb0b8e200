"""The settings of a unit: what there is, what is allowed, and the TOML file they come from.

Rule 1: every setting has a type with its limits, a default that works and a description; what is printed as a complete
file and what an error calls allowed are made from these.
Rule 2: a wrong file is reported whole: every wrong key with its value and what is allowed, then nothing is started.
Rule 3: what there may be several of is a list of tables (``[[sip.accounts]]``); in a path they are counted from 1.
Rule 4: a password is kept as a hash only (see `firmware.web.auth`), and no setting that is secret is ever logged.

`sections` has the settings, `devices` those of the hardware and `nat` those of calls through NATs; `words` says what
texts may be, `allowed` says in words what a type allows, `read` and `write` have the file, `toml` writes a value,
`storage` knows where a unit keeps what is no setting.
"""

from firmware.config.devices import Board, Health, Television
from firmware.config.nat import Nat
from firmware.config.read import Wrong, contradictions, load, parse, read_table, read_text
from firmware.config.sections import (
    H323,
    Boards,
    Config,
    Log,
    Media,
    Room,
    Sip,
    SipAccount,
    Storage,
    Tls,
    Web,
)
from firmware.config.storage import storage_folder

__all__ = [
    "H323",
    "Board",
    "Boards",
    "Config",
    "Health",
    "Log",
    "Media",
    "Nat",
    "Room",
    "Sip",
    "SipAccount",
    "Storage",
    "Television",
    "Tls",
    "Web",
    "Wrong",
    "contradictions",
    "load",
    "parse",
    "read_table",
    "read_text",
    "storage_folder",
]
