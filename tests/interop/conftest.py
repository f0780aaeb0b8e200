"""Far ends that are not ours, and what they play."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import missing
from interop.asterisk import Asterisk
from interop.asterisk_install import FOLDER as ASTERISK_FOLDER
from interop.baresip import Baresip
from interop.footage import write_card
from interop.kamailio import Kamailio
from interop.sipp import Sipp
from interop.unit import Unit

FAR_LABEL = "Far end"
"""Of the test card that baresip plays: told from the unit's own by the number that its code carries."""


@pytest.fixture(scope="session")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video file of the test card, labelled FAR_LABEL."""
    return write_card(tmp_path_factory.mktemp("card") / "card.mp4", FAR_LABEL, 20)


@pytest.fixture
def baresip(program: Callable[[str], str], tmp_path: Path, card: Path) -> Iterator[Callable[..., Baresip]]:
    """Start a baresip; keywords are those of `Baresip`.  It ends with the test."""
    path = program("baresip")
    with ExitStack() as running:
        count = 0

        def start(**settings: Any) -> Baresip:
            nonlocal count
            count += 1
            return running.enter_context(Baresip(path, tmp_path / f"baresip-{count}", **{"card": card, **settings}))

        yield start


@pytest.fixture
def asterisk(tmp_path: Path) -> Iterator[Callable[..., Asterisk]]:
    """Start an Asterisk; arguments are those of `Asterisk` after its folder.  It ends with the test."""
    if not ASTERISK_FOLDER.exists():
        missing("Asterisk 16 of Debian 11")
    with ExitStack() as running:
        count = 0

        def start(*settings: Any, **keywords: Any) -> Asterisk:
            nonlocal count
            count += 1
            folder = tmp_path / f"asterisk-{count}"
            return running.enter_context(Asterisk(ASTERISK_FOLDER, folder, *settings, **keywords))

        yield start


@pytest.fixture
def kamailio(program: Callable[[str], str], tmp_path: Path) -> Iterator[Callable[..., Kamailio]]:
    """Start a Kamailio; keywords are those of `Kamailio`.  It ends with the test."""
    path = program("kamailio")
    with ExitStack() as running:
        count = 0

        def start(**settings: Any) -> Kamailio:
            nonlocal count
            count += 1
            return running.enter_context(Kamailio(path, tmp_path / f"kamailio-{count}", **settings))

        yield start


@pytest.fixture
def sipp(program: Callable[[str], str], tmp_path: Path) -> Iterator[Callable[..., Sipp]]:
    """Start SIPp with a scenario; keywords are those of `Sipp`.  It ends with the test."""
    path = program("sipp")
    with ExitStack() as running:
        count = 0

        def start(scenario: str, **settings: Any) -> Sipp:
            nonlocal count
            count += 1
            return running.enter_context(Sipp(path, tmp_path / f"sipp-{count}", scenario, **settings))

        yield start


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Callable[..., Unit]]:
    """Start a unit; arguments are those of `Unit` after its folder.  It ends with the test."""
    with ExitStack() as running:
        count = 0

        def start(*settings: Any, **keywords: Any) -> Unit:
            nonlocal count
            count += 1
            return running.enter_context(Unit(tmp_path / f"unit-{count}", *settings, **keywords))

        yield start


SMALL = {"width": 320, "height": 180}
"""Media settings for tests that look at signalling only."""


@pytest.fixture(scope="module")
def idle_unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    """A unit that answers by itself, shared by the tests of a module."""
    with Unit(tmp_path_factory.mktemp("unit"), {"media": SMALL}) as running:
        yield running


@contextmanager
def without_calls(unit: Unit) -> Iterator[None]:
    """Whether there is no call before and after; one that is left over is not left to the next test."""
    unit.wait_for_idle()
    unit.forget_history()
    yield
    try:
        unit.wait_for_idle()
    finally:
        for call in unit.state()["calls"]:
            unit.command(call["id"], "hang_up")


@pytest.fixture
def answering(idle_unit: Unit) -> Iterator[Unit]:
    """The shared unit, without a call before and after the test."""
    with without_calls(idle_unit):
        yield idle_unit


@pytest.fixture(scope="module")
def idle_asking_unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    """A unit that rings until told what to do, shared by the tests of a module."""
    settings = {"room": {"auto_answer": False, "max_calls": 1}, "media": SMALL}
    with Unit(tmp_path_factory.mktemp("asking"), settings) as running:
        yield running


@pytest.fixture
def ringing(idle_asking_unit: Unit) -> Iterator[Unit]:
    """The shared unit that rings, without a call before and after the test."""
    with without_calls(idle_asking_unit):
        yield idle_asking_unit
