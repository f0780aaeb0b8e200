"""What goes out, and what does not once it is closed."""

from __future__ import annotations

from firmware.h323.control.events import Determined, Failed
from firmware.h323.control.link import Link


def test_kinds() -> None:
    link = Link()
    link.request("a", 1)
    link.respond("b", 2)
    link.command("c", 3)
    link.indicate("d", 4)
    assert link.messages == [
        ("request", ("a", 1)),
        ("response", ("b", 2)),
        ("command", ("c", 3)),
        ("indication", ("d", 4)),
    ]


def test_nothing_goes_out_after_a_failure() -> None:
    link = Link()
    link.report(Determined(True))
    link.fail("this")
    link.fail("that")
    link.request("a", 1)
    link.report(Determined(False))
    assert link.events == [Determined(True), Failed("this")]
    assert link.messages == []
