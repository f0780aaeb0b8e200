"""One endpoint and its gatekeepers on a simulated network: what the tests of RAS stand on."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeVar

from gatekeeper import Endpoint, Gatekeeper
from wire import Wire

from firmware.asn1.choice import Choice
from firmware.h323.h225 import RAS_MESSAGE, SCHEMA
from firmware.h323.h235 import Credentials, Method
from firmware.h323.identity import Identity
from firmware.h323.ras import RasClient
from firmware.h323.ras_call import Admission, CallInformation
from firmware.h323.ras_message import Body
from firmware.h323.ras_settings import DISCOVERY, Settings
from firmware.sansio import Address, Flow

EPOCH = 1_700_000_000.0
OURS: Address = ("192.0.2.5", 1719)
SIGNALLING: Address = ("192.0.2.5", 1720)
FIRST: Address = ("192.0.2.1", 1719)
SECOND: Address = ("192.0.2.2", 1719)
STRANGER: Address = ("198.51.100.9", 1719)
ALIASES = (("h323-ID", "room"), ("dialledDigits", "3000"))

EventType = TypeVar("EventType")


class Group:
    """Those who hear a multicast address."""

    def __init__(self, *members: Gatekeeper) -> None:
        self.members = members

    def receive_data(self, flow: Flow, data: bytes, now: float) -> None:
        for member in self.members:
            member.receive_data(flow, data, now)

    def flow_opened(self, flow: Flow, now: float) -> None: ...

    def flow_closed(self, flow: Flow, now: float) -> None: ...

    def handle_timer(self, now: float) -> None: ...

    def timer(self) -> None:
        return None

    def actions(self) -> list[Any]:
        return []

    def events(self) -> list[Any]:
        return []


class Zone:
    """A client at `OURS`, a gatekeeper at `FIRST`, another at `SECOND` if wanted."""

    def __init__(
        self,
        *,
        second: bool = False,
        multicast: bool = False,
        password: str | None = None,
        methods: tuple[Method, ...] = (Method.BASELINE,),
        lost: Callable[[int, bytes], bool] = lambda number, data: False,
        **settings: Any,
    ) -> None:
        self.wire = Wire(lost=lost)
        self.gatekeeper = Gatekeeper(FIRST, epoch=EPOCH)
        self.second = Gatekeeper(SECOND, "OtherGK", epoch=EPOCH)
        self.wire.attach(FIRST, self.gatekeeper)
        if second:
            self.wire.attach(SECOND, self.second)
            self.gatekeeper.neighbours, self.second.neighbours = [self.second], [self.gatekeeper]
        if multicast:
            self.wire.attach(DISCOVERY, Group(self.gatekeeper, *([self.second] if second else [])))
        if password is not None:
            settings["credentials"] = Credentials("room", password, methods)
        settings.setdefault("gatekeeper", None if multicast else FIRST)
        self.settings = Settings(Identity(ALIASES), OURS, SIGNALLING, **settings)
        self.client = RasClient(self.settings, random.Random(5), EPOCH)
        self.wire.attach(OURS, self.client)

    @property
    def now(self) -> float:
        return self.wire.now

    @property
    def events(self) -> list[Any]:
        """All that the client has reported."""
        return self.wire.events[OURS]

    def of(self, kind: type[EventType]) -> list[EventType]:
        return [event for event in self.events if isinstance(event, kind)]

    def register(self) -> Endpoint:
        """Start, and give what the gatekeeper knows of us."""
        self.client.start(self.now)
        self.run(0.5)
        assert self.client.registered
        return self.endpoint()

    def endpoint(self) -> Endpoint:
        return self.gatekeeper.named("room")

    def run(self, seconds: float) -> None:
        self.wire.pass_time(seconds)

    def admit(self, number: int = 1, *, answer: bool = False, to: str = "room", **more: Any) -> Admission:
        """Ask for a call, and wait a little."""
        more.setdefault("bandwidth", 1_000_000)
        more.setdefault("destination", (("h323-ID", to),))
        call = CallInformation(guid(number), guid(number + 100), number, answer, **more)
        admission = self.client.admit(call, self.now)
        self.run(0.1)
        return admission

    def inject(self, name: str, body: Body, source: Address = FIRST) -> None:
        """Give the client a message out of nowhere."""
        self.client.receive_data(Flow("udp", OURS, source), RAS_MESSAGE.encode((name, body)), self.now)

    def sent(self, to: Address = FIRST) -> list[tuple[float, str, Body]]:
        """All that the client sent there, with the time."""
        found = []
        for at, flow, data in self.wire.sent:
            if flow.local == OURS and flow.remote == to:
                name, body = RAS_MESSAGE.decode(data)
                found.append((at, name, body))
        return found

    def names(self, to: Address = FIRST) -> list[str]:
        return [name for _, name, _ in self.sent(to)]


def guid(number: int) -> bytes:
    return number.to_bytes(16, "big")


def alternate(address: Address, *, register: bool = True, priority: int = 0, identifier: str = "OtherGK") -> Body:
    """Give an AlternateGK."""
    host = bytes(map(int, address[0].split(".")))
    return {
        "rasAddress": ("ipAddress", {"ip": host, "port": address[1]}),
        "gatekeeperIdentifier": identifier,
        "needToRegister": register,
        "priority": priority,
    }


def alternatives(choice: str) -> set[str]:
    """Give the names of all alternatives of a CHOICE of H.225.0."""
    declaration = SCHEMA[choice].declaration()
    assert isinstance(declaration, Choice)
    return {name for name, _ in (*declaration.alternatives, *(declaration.extensions or ()))}
