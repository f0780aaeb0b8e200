"""What stands in for STUN and TURN servers on the virtual network: their answers come when a test says."""

from __future__ import annotations

from collections.abc import Callable

from firmware.call.ice import Allocation, Candidate, CandidateType
from firmware.sansio import Address

INTERNET, RELAY = "203.0.113.1", "203.0.113.9"


class MemoryGatherer:
    """What `firmware.net.gathering.Gatherer` is on a real network."""

    def __init__(self, address: Address, *, done: bool) -> None:
        self.on_done: Callable[[], None] = lambda: None
        self.done = done
        self.others: tuple[Address, ...] = ()
        self.state = "gathers"
        host, port = address
        candidates: list[Candidate] = []
        for component in (1, 2):
            base = host, port + component - 1
            preference = 256 - component
            candidates += [
                Candidate("1", component, (126 << 24) + preference, base, CandidateType.HOST),
                Candidate(
                    "2", component, (100 << 24) + preference, (INTERNET, base[1]), CandidateType.SERVER_REFLEXIVE, base
                ),
                Candidate("3", component, preference, (RELAY, base[1]), CandidateType.RELAYED, (INTERNET, base[1])),
            ]
        self.candidates = tuple(candidates)
        self.allocations = tuple(
            Allocation(
                component, (RELAY, 3478), (RELAY, port + component - 1), "room", "word", "realm", b"nonce", 600.0
            )
            for component in (1, 2)
        )

    def answer(self) -> None:
        self.done = True
        self.on_done()

    def hand_over(self) -> None:
        if self.state == "gathers":
            self.state = "handed over"

    def close(self) -> None:
        if self.state == "gathers":
            self.state = "closed"


class MemoryGatherers:
    """Makes them; *at_once*: servers answer before anybody can ask whether they have."""

    def __init__(self, *, at_once: bool = True) -> None:
        self.at_once = at_once
        self.made: dict[Address, MemoryGatherer] = {}

    def __call__(self, address: Address) -> MemoryGatherer:
        made = self.made[address] = MemoryGatherer(address, done=self.at_once)
        return made

    def answer(self) -> None:
        """Let all servers answer that have not."""
        for gatherer in tuple(self.made.values()):
            if not gatherer.done:
                gatherer.answer()

    @property
    def states(self) -> set[str]:
        return {gatherer.state for gatherer in self.made.values()}
