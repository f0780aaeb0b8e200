"""Far ends that are not ours, and what they play."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from interop.baresip import Baresip
from interop.footage import write_card

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
