"""Collects what was measured and prints it as one Markdown table, to be taken into the README."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import pytest
from interop.conftest import baresip, card, unit  # noqa: F401  fixtures of the other folder


@dataclass(frozen=True)
class Figure:
    """One row: what was measured, of us and of baresip in the same run, and what we want."""

    name: str
    ours: str
    baresip: str = ""
    wanted: str = ""


_FIGURES = pytest.StashKey[list[Figure]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FIGURES] = []


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> list[Figure]:
    """Append here what was measured."""
    return request.config.stash[_FIGURES]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    figures = config.stash[_FIGURES]
    if not figures:
        return
    terminalreporter.ensure_newline()
    terminalreporter.line(f"Measured on: {machine()}")
    terminalreporter.line("")
    rows = [("figure", "Visavis", "baresip 1.0", "wanted"), ("---",) * 4]
    rows += [(figure.name, figure.ours, figure.baresip or "-", figure.wanted or "-") for figure in figures]
    for row in rows:
        terminalreporter.line(f"| {' | '.join(row)} |")
    terminalreporter.line("")


def machine() -> str:
    """What this was measured on, in a line."""
    information = Path("/proc/cpuinfo").read_text()
    model = next(
        (line.partition(":")[2].strip() for line in information.splitlines() if line.startswith("model name")), ""
    )
    system = f"Linux {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores of {model or platform.machine()}, {system}"
