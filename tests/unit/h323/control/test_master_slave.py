"""The determination of master and slave: who wins, ties, retries, and each arrow of the figure (H.245 C.2)."""

from __future__ import annotations

import random

import pytest
from h245_bench import Bench, Pair, indication, request, response

from firmware.asn1 import Value
from firmware.h323.control.events import Determined, Failed
from firmware.h323.control.link import Link
from firmware.h323.control.master_slave import ATTEMPTS, N100, T106, MasterSlave, State


def determination(kind: int, number: int) -> Value:
    return request("masterSlaveDetermination", terminalType=kind, statusDeterminationNumber=number)


def ack(decision: str) -> Value:
    return response("masterSlaveDeterminationAck", decision=(decision, None))


REJECT = response("masterSlaveDeterminationReject", cause=("identicalNumbers", None))
RELEASE = indication("masterSlaveDeterminationRelease")


class Fixed(random.Random):
    """Draws the numbers it is given, the last of them for ever."""

    def __init__(self, *numbers: int) -> None:
        super().__init__()
        self.numbers = list(numbers)

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        return self.numbers.pop(0) if len(self.numbers) > 1 else self.numbers[0]


def compared(ours: tuple[int, int], theirs: tuple[int, int]) -> bool | None:
    """Give whether we are master, by what is answered to a determination."""
    link = Link()
    machine = MasterSlave(link, Fixed(ours[1]), ours[0])
    machine.determination_received({"terminalType": theirs[0], "statusDeterminationNumber": theirs[1]}, 0.0)
    [(_, (name, content))] = link.messages
    if name == "masterSlaveDeterminationReject":
        return None
    return bool(content["decision"][0] == "slave")


@pytest.mark.parametrize(
    ("ours", "theirs", "master"),
    [
        ((60, 1), (50, 5), True),
        ((50, 1), (240, 5), False),
        ((50, 11820998), (50, 258690), True),  # as two Asterisks found: capture ast1-ast2-slow
        ((50, 10849195), (50, 1845413), True),  # as two H323Plus found: capture h323p-slow-notun
        ((50, 0), (50, 1), True),
        ((50, 1), (50, 0), False),
        ((50, 0), (50, 2**23 - 1), True),
        ((50, 0), (50, 2**23), None),
        ((50, 0), (50, 2**23 + 1), False),
        ((50, 2**24 - 1), (50, 0), True),
        ((50, 77), (50, 77), None),
    ],
)
def test_comparison(ours: tuple[int, int], theirs: tuple[int, int], master: bool | None) -> None:
    assert compared(ours, theirs) is master
    if master is not None:
        assert compared(theirs, ours) is not master


def test_two_ends_agree() -> None:
    for seed in range(30):
        pair = Pair(seeds=(seed, seed + 1000))
        pair.start()
        pair.run(5.0)
        [mine], [theirs] = pair.of(0, Determined), pair.of(1, Determined)
        assert mine.master is not theirs.master
        assert [control.master for control in pair.controls] == [mine.master, theirs.master]
        for number in (0, 1):
            assert pair.names(number).count("masterSlaveDeterminationAck") == 1


def test_only_one_end_asks() -> None:
    pair = Pair(terminal_types=(50, 60))
    pair.start(0)
    pair.run(5.0)
    assert pair.of(0, Determined) == [Determined(False)]
    assert pair.of(1, Determined) == [Determined(True)]
    assert pair.names(1).count("masterSlaveDetermination") == 0
    pair.start(1)
    pair.run(10.0)
    assert pair.names(1).count("masterSlaveDetermination") == 0, "it is done already"


def test_identical_numbers_are_drawn_again() -> None:
    pair = Pair(seeds=(5, 5))
    pair.start()
    pair.run(5.0)
    # The same seed draws the same numbers for ever: both must have given up at the same time, thrice.
    assert pair.names(0).count("masterSlaveDetermination") == ATTEMPTS * N100
    assert pair.of(0, Failed) == pair.of(1, Failed) == [Failed("master slave determination")]
    assert pair.controls[0].errors == {"MSDSE F": ATTEMPTS}


def test_tie_is_broken_by_the_next_draw() -> None:
    bench = Bench()
    bench.start()
    for _ in range(N100 - 1):
        number = dict(bench.sent())["masterSlaveDetermination"]["statusDeterminationNumber"]
        bench.receive(determination(50, number))
    number = dict(bench.sent())["masterSlaveDetermination"]["statusDeterminationNumber"]
    bench.receive(determination(50, (number + 1) % 2**24))
    assert bench.sent() == [("masterSlaveDeterminationAck", {"decision": ("slave", None)})]
    bench.receive(ack("master"))
    assert bench.events() == [Determined(True)]


@pytest.mark.parametrize("master", [False, True])
def test_ack_alone_decides_and_is_acknowledged(master: bool) -> None:
    ours, theirs = ("master", "slave") if master else ("slave", "master")
    bench = Bench()
    bench.start()
    bench.sent()
    bench.receive(ack(ours))
    assert bench.sent() == [("masterSlaveDeterminationAck", {"decision": (theirs, None)})]
    assert bench.events() == [Determined(master)]
    bench.receive(ack(ours))
    assert bench.sent() == bench.events() == []
    bench.pass_time(T106)
    assert bench.control.errors == {}


def test_tie_out_of_the_blue_is_rejected() -> None:
    link = Link()
    machine = MasterSlave(link, Fixed(9), 50)
    machine.determination_received({"terminalType": 50, "statusDeterminationNumber": 9}, 0.0)
    assert link.messages == [REJECT]
    assert machine.state is State.IDLE


def test_rejects_draw_again_until_n100() -> None:
    bench = Bench()
    bench.start()
    seen = set()
    for _ in range(N100):
        seen.add(dict(bench.sent())["masterSlaveDetermination"]["statusDeterminationNumber"])
        bench.receive(REJECT)
    assert len(seen) == N100
    assert bench.control.errors == {"MSDSE F": 1}
    assert bench.names() == ["masterSlaveDetermination"], "the second attempt"


def test_silence_is_asked_three_times() -> None:
    bench = Bench()
    bench.start()
    bench.receive(response("terminalCapabilitySetAck", sequenceNumber=1))
    bench.sent()
    bench.pass_time(T106 - 0.1)
    assert bench.sent() == []
    bench.pass_time(0.2)
    assert bench.names() == ["masterSlaveDeterminationRelease", "masterSlaveDetermination"]
    bench.pass_time(T106)
    assert bench.names() == ["masterSlaveDeterminationRelease", "masterSlaveDetermination"]
    bench.pass_time(T106)
    assert bench.names() == ["masterSlaveDeterminationRelease"]
    assert bench.events()[-1] == Failed("master slave determination")
    assert bench.control.errors == {"MSDSE A": 3}


def incoming() -> Bench:
    """Give a bench whose Control has acknowledged a determination, and waits for the other acknowledgement."""
    bench = Bench()
    bench.receive(determination(40, 5))
    assert bench.sent() == [("masterSlaveDeterminationAck", {"decision": ("slave", None)})]
    return bench


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (determination(40, 6), "C"),
        (determination(50, 6), "C"),
        (REJECT, "D"),
        (ack("slave"), "E"),
        (RELEASE, "B"),
    ],
)
def test_out_of_turn_while_the_far_end_should_acknowledge(message: Value, code: str) -> None:
    bench = incoming()
    bench.receive(message)
    assert bench.control.errors == {f"MSDSE {code}": 1}
    assert bench.control.master is None
    assert bench.names() == ["masterSlaveDetermination"], "it is tried again"


def test_tie_out_of_turn() -> None:
    bench = incoming()
    bench.receive(determination(50, bench.control._master_slave.number))
    assert bench.control.errors == {"MSDSE C": 1}
    assert bench.names() == ["masterSlaveDetermination"]
    assert bench.control.timer() == T106


def test_no_acknowledgement_of_ours() -> None:
    bench = incoming()
    bench.pass_time(T106)
    assert bench.control.errors == {"MSDSE A": 1}
    assert bench.names() == ["masterSlaveDetermination"]


def test_far_end_gives_up() -> None:
    bench = Bench()
    bench.start()
    bench.sent()
    bench.receive(RELEASE)
    assert bench.control.errors == {"MSDSE B": 1}
    assert bench.names() == ["masterSlaveDetermination"]


@pytest.mark.parametrize("message", [ack("master"), REJECT, RELEASE])
def test_answers_to_nothing_are_ignored(message: Value) -> None:
    bench = Bench()
    bench.receive(message)
    assert bench.sent() == bench.events() == []
    assert bench.control.ignored.total() == 1


def test_determined_anew() -> None:
    bench = Bench()
    bench.establish()
    bench.receive(determination(60, 1), ack("slave"))
    assert bench.events() == [Determined(False)]
    assert bench.control.master is False
