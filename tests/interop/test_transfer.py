"""Three units: A has B leave their call for C, and B's people see and hear C."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from interop.conftest import SMALL
from interop.unit import Unit
from interop.waiting import until

pytestmark = pytest.mark.interop

LABELS = ("Alto", "Bass", "Cello")
TONES = (440, 660, 880)
WAYS: dict[str, Callable[[Unit], str]] = {"SIP": lambda unit: unit.uri, "H.323": lambda unit: unit.h323_url}

Trio = tuple[Unit, Unit, Unit]


@pytest.fixture(scope="module")
def trio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trio]:
    with ExitStack() as running:
        folder: Path = tmp_path_factory.mktemp("trio")
        a, b, c = (
            running.enter_context(
                Unit(folder / label, {"board.sim": {"camera_label": label}, "media": SMALL}, tone=tone)
            )
            for label, tone in zip(LABELS, TONES, strict=True)
        )
        yield a, b, c


def check_b_with_c(trio: Trio) -> None:
    a, b, c = trio
    a.wait(lambda state: not state["calls"])
    assert a.state()["notice"]["text"] == "The call was passed on."
    for unit, label, tone in ((b, "Cello", 880), (c, "Bass", 660)):
        unit.wait(lambda state: [call["state"] for call in state["calls"]] == ["active"])
        assert until(lambda u=unit, seen=label: u.counter(seen) is not None), unit.log()[-3000:]  # type: ignore[misc]
        unit.forget_sound()
        assert until(lambda u=unit, heard=tone: u.heard_tone(heard) > 0.8), unit.log()[-3000:]  # type: ignore[misc]
    b.command("current", "hang_up")
    for unit in trio:
        unit.wait_for_idle()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("b_calls", [False, True])
def test_to_an_address(trio: Trio, way: Callable[[Unit], str], b_calls: bool) -> None:
    a, b, c = trio
    (b if b_calls else a).dial(way(a if b_calls else b))
    call = a.wait_for_call()
    b.wait_for_call()
    a.command(call, "transfer", {"address": way(c)})
    check_b_with_c(trio)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_after_consultation(trio: Trio, way: Callable[[Unit], str]) -> None:
    a, b, c = trio
    first = a.dial(way(b))
    a.wait_for_call()
    second = a.dial(way(c))
    a.wait(
        lambda state: (
            [(call["state"], call["held"]) for call in state["calls"]] == [("active", True), ("active", False)]
        )
    )
    a.command(first, "transfer", {"call": second})
    check_b_with_c(trio)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_to_somebody_who_is_not_there(trio: Trio, way: Callable[[Unit], str]) -> None:
    a, b, c = trio
    call = a.dial(way(b))
    a.wait_for_call()
    a.command(call, "transfer", {"address": way(c).rpartition(":")[0] + ":9"})
    a.wait(lambda state: (state["notice"] or {}).get("text") == "The call could not be passed on.")
    for unit in (a, b):
        assert [view["state"] for view in unit.state()["calls"]] == ["active"]
    a.command(call, "hang_up")
    for unit in trio:
        unit.wait_for_idle()
