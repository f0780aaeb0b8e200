"""A far end's sound and picture are in step, by content, though the network holds one of them up."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from claps import claps
from interop.conftest import SMALL
from interop.slow_link import AF41, EF, SlowLink, Way
from interop.unit import Unit
from interop.waiting import until

ACCEPTABLE = (-0.090, 0.185)
"""s that sound may be later than its picture (ITU-R BT.1359-1 figure 2)."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("protocol", ["SIP", "H.323"])
def test_what_the_network_holds_up_is_made_up_for(protocol: str, tmp_path: Path) -> None:
    witnesses = [tmp_path / f"witness-{number}" for number in range(2)]
    with ExitStack() as running:
        link = running.enter_context(SlowLink())
        link.ways[EF] = Way(0.180)
        units = []
        for end, sees, hears, witness in zip(link.ends, ("clap", "card"), ("clap", "silence"), witnesses, strict=True):
            board = {"camera": sees, "microphone": hears, "speaker": "null", "witness": str(witness)}
            settings = {"media": SMALL, "board.sim": board}
            units.append(running.enter_context(Unit(tmp_path / end.name, settings, address=end.address, namespace=end)))
        near, far = units
        near.dial(far.uri if protocol == "SIP" else far.h323_url)
        near.wait_for_call()
        assert until(lambda: "ms for their sound" in far.log(), 20), far.log()[-3000:]

        def is_in_step() -> bool:
            skews = claps(*witnesses).skews[-3:]
            return len(skews) == 3 and all(ACCEPTABLE[0] < skew < ACCEPTABLE[1] for skew in skews)

        assert until(is_in_step, 40), str(claps(*witnesses).skews)
        # Now the pictures are held up, and the sound is not any more.
        link.ways = {AF41: Way(0.120)}
        changed = time.monotonic()

        def is_in_step_again() -> bool:
            skews = claps(*witnesses, changed + 2.0).skews[-3:]
            return len(skews) == 3 and all(ACCEPTABLE[0] < skew < ACCEPTABLE[1] for skew in skews)

        assert until(is_in_step_again, 40), str(claps(*witnesses).skews)
