"""A core that tells what a driver told it."""

from __future__ import annotations

import asyncio
from typing import Any

from firmware.sansio import Action, Flow, Send


class Recorder:
    """A core that writes down what it is told, answers "ping" with "pong", and does what a test asks."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.todo: list[Action] = []
        self.happened: list[Any] = []
        self.due: float | None = None
        self.raises = ""
        self.fired: list[float] = []

    def flow_opened(self, flow: Flow, now: float) -> None:
        self.told.append(("opened", flow))

    def flow_closed(self, flow: Flow, now: float) -> None:
        self.told.append(("closed", flow))

    def receive_data(self, flow: Flow, data: bytes, now: float) -> None:
        if data == b"raise":
            raise RuntimeError("a bug")
        self.told.append((data, flow))
        if data == b"ping":
            self.todo.append(Send(flow, b"pong"))

    def handle_timer(self, now: float) -> None:
        self.fired.append(now)
        self.due = None

    def timer(self) -> float | None:
        return self.due

    def actions(self) -> list[Action]:
        todo, self.todo = self.todo, []
        return todo

    def events(self) -> list[Any]:
        happened, self.happened = self.happened, []
        return happened

    async def hears(self, *what: Any) -> Flow:
        """Wait until it is told this, and give the flow."""
        while True:
            for name, flow in self.told:
                if name in what:
                    self.told.remove((name, flow))
                    assert isinstance(flow, Flow)
                    return flow
            await asyncio.sleep(0.002)
