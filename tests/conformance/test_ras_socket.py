"""A client and a gatekeeper on real sockets: the same cores that meet on the simulated network elsewhere."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from gatekeeper import Gatekeeper, serve

from firmware.h323.h235 import Credentials
from firmware.h323.identity import Identity
from firmware.h323.ras import RasClient
from firmware.h323.ras_call import CallInformation, State
from firmware.h323.ras_event import Admitted, Registered, Unregistered
from firmware.h323.ras_settings import Settings
from firmware.net.driver import Driver


class Events(asyncio.Queue[Any]):
    """What a core reported, to be waited for one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Any] = []

    def take(self, event: Any) -> None:
        self.all.append(event)
        self.put_nowait(event)

    async def next(self, kind: type[object]) -> None:
        async with asyncio.timeout(10):
            assert isinstance(await self.get(), kind)


async def life() -> tuple[list[Any], Gatekeeper, RasClient]:
    gatekeeper = Gatekeeper(("127.0.0.1", 0), users={"room": "secret"})
    transport, _ = await serve(gatekeeper)
    events = Events()
    loop = asyncio.get_running_loop()
    ours = ("127.0.0.2", 17_190)
    settings = Settings(
        Identity((("h323-ID", "room"),)),
        ours,
        ("127.0.0.2", 1720),
        gatekeeper.address,
        credentials=Credentials("room", "secret"),
    )
    client = RasClient(settings, random.Random(1), time.time() - loop.time())
    driver = Driver(client, events.take)
    await driver.listen("udp", *ours)
    try:
        client.start(driver.now())
        driver.run()
        await events.next(Registered)
        call = CallInformation(
            bytes(16), bytes(16), 1, answer=False, bandwidth=1_000_000, destination=(("h323-ID", "room"),)
        )
        admission = client.admit(call, driver.now())
        driver.run()
        await events.next(Admitted)
        assert admission.state is State.ADMITTED
        assert admission.address == ("127.0.0.2", 1720)
        client.disengage(admission, driver.now(), cause=16)
        client.stop(driver.now())
        driver.run()
        await events.next(Unregistered)
    finally:
        await driver.stop()
        transport.close()
    return events.all, gatekeeper, client


def test_a_life_on_real_sockets() -> None:
    events, gatekeeper, client = asyncio.run(life())
    assert [type(event) for event in events] == [Registered, Admitted, Unregistered]
    assert gatekeeper.faults == []
    assert client.dropped == {}
    assert gatekeeper.names() == [
        "gatekeeperRequest",
        "registrationRequest",
        "admissionRequest",
        "disengageRequest",
        "unregistrationRequest",
    ]
