"""Which machine runs which tests: several side by side, since most tests wait more than they work.

Rule 1: a machine is a table's row of test files; REST has all that no other names.
Rule 2: what pytest is told to run is divided so too, and a machine that has nothing to run is not started.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = "tests/hil"


@dataclass(frozen=True, slots=True)
class Kind:
    """A machine and what it is for."""

    files: frozenset[str]
    cable: bool = False
    """Whether it reaches the far ends outside."""
    own_time: bool = False
    """Whether it may have a time of its own where it is emulated."""
    systemd: bool = False
    """Whether systemd starts it, with the image's files."""


MACHINES = {
    "unit": Kind(frozenset({"test_unit.py"}), cable=True),
    "rest": Kind(frozenset(), own_time=True),
    "service": Kind(frozenset({"test_service.py"}), own_time=True, systemd=True),
}
"""By name, in the order in which they begin."""
REST = "rest"
AT_ONCE = 3
"""How many run side by side: one that has to keep up with real time gets too little of it beside more."""


def divide(arguments: Sequence[str], files: Sequence[str]) -> dict[str, list[str]]:
    """Pytest's arguments for each machine that has something to run; ``files`` are all that there are."""
    paths = [argument for argument in arguments if argument.startswith(HERE)]
    options = [argument for argument in arguments if argument not in paths]
    if not [path for path in paths if path.rstrip("/") != HERE]:
        paths = [f"{HERE}/{name}" for name in files]
    divided: dict[str, list[str]] = {}
    for path in paths:
        divided.setdefault(_machine(Path(path.partition("::")[0]).name), []).append(path)
    return {name: [*divided[name], *options] for name in MACHINES if name in divided}


def _machine(file: str) -> str:
    return next((name for name, kind in MACHINES.items() if file in kind.files), REST)
