"""A room with simple surroundings, on the virtual clock."""

from __future__ import annotations

import asyncio
from typing import Any

import virtual_loop
from simple_room import CHANNELS, SimpleEndpoint, SimpleMedia

from firmware import config
from firmware.call.call import Call
from firmware.room import Room, RoomState


class Scene:
    """A room with what surrounds it."""

    def __init__(
        self, endpoints: tuple[SimpleEndpoint, ...] = (), absent: frozenset[str] = frozenset(), **settings: Any
    ) -> None:
        self.endpoints = endpoints or (SimpleEndpoint(),)
        self.endpoint = self.endpoints[0]
        self.media = SimpleMedia()
        self.room = Room(config.Room(**settings), self.endpoints, self.media, absent)
        self.states: list[RoomState] = []

    async def __aenter__(self) -> Scene:
        await self.room.start()
        await asyncio.sleep(0)
        self.room.subscribe(self.states.append)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.room.stop()

    def dialled(self, address: str = "sip:far@example.com", name: str = "") -> Call:
        """Dial, and let the far end answer."""
        self.room.dial(address)
        call = self.endpoint.calls[-1]
        call.remote_name = name
        call.established(CHANNELS)
        return call

    def asked(self, call: Call) -> list[str]:
        return self.endpoint.leg(call).asked


def scene(test: Any) -> Any:
    """Run a test on the virtual clock."""

    def run() -> None:
        virtual_loop.run(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run
