"""The network around the machine: one of its own, in which the machine and the far ends outside of it are alone.

The addresses are those that RFC 2544 keeps for benches (198.18.0.0/15).  Nobody has to be root: who may make a user
namespace may have a network of his own in it.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from hil.driver import load

ROOM, ECHO, TELEPHONE, MACHINE = "198.18.0.1", "198.18.0.2", "198.18.0.3", "198.18.0.4"
"""Where the far ends outside are, and where the machine is."""
PREFIX = 24
CABLE = "hil0"
"""The end of the machine's cable that is outside."""
_INSIDE = "HIL_NETWORK"
"""Set in the environment of whoever is in the network."""


def is_own() -> bool:
    """Whether this process is in the bench's own network."""
    return _INSIDE in os.environ


def run_in_own(command: list[str]) -> int:
    """Run a command in a new network; give its status."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return subprocess.call(["unshare", "--net", *user, *command], env={**os.environ, _INSIDE: "1"})


def set_up_outside() -> None:
    """Lay the machine's cable, and give the outside its addresses."""
    _ip("link", "set", "lo", "up")
    _ip("tuntap", "add", CABLE, "mode", "tap")
    for address in (ROOM, ECHO, TELEPHONE):
        _ip("address", "add", f"{address}/{PREFIX}", "dev", CABLE)
    _ip("link", "set", CABLE, "up")


def set_up_machine() -> None:
    """Give the machine its address, inside."""
    load("virtio_net")
    (plug,) = (path.name for path in Path("/sys/class/net").iterdir() if (path / "device").exists())
    _ip("address", "add", f"{MACHINE}/{PREFIX}", "dev", plug)
    _ip("link", "set", plug, "up")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
