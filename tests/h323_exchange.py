"""As many H.323 endpoints on one virtual network as a transfer needs, and parties that do what far ends ask for."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from parties import Wanderer
from wire import Wire
from wire_transport import MemoryPorts, WireTransport, complete

from firmware import config
from firmware.call.call import Call, State
from firmware.call.media import Capabilities, Encryption
from firmware.h323.terminal import Terminal
from firmware.net.tls import Tls
from firmware.signaling.h323 import H323Endpoint


class Member(Wanderer):
    """A party of H.323."""

    def __init__(self, endpoint: H323Endpoint, address: str) -> None:
        super().__init__(endpoint, address)
        self.h323 = endpoint


class Exchange:
    """Members by name, A at 192.0.2.1 and so on, all at port 1720."""

    def __init__(
        self, names: str = "ABC", *, encryption: Encryption = Encryption.OFF, secure: bool = False, **settings: Any
    ) -> None:
        """*secure*: members call each other by TLS."""
        self.wire = Wire()
        self.ports = MemoryPorts()
        self.terminals: list[Terminal] = []
        self.settings = settings | ({"tls": True} if secure else {})
        self.tls: Tls | None = Tls(Path("certificate"), Path("key")) if secure else None
        """What the next members have; on this network it secures nothing."""
        self.scheme = "h323s" if secure else "h323"
        self.capabilities = Capabilities(encryption=encryption)
        self.members = {name: self._member(name, (f"192.0.2.{n}", 1720)) for n, name in enumerate(names, 1)}

    def __getitem__(self, name: str) -> Member:
        return self.members[name]

    def _member(self, name: str, address: tuple[str, int]) -> Member:
        settings = config.H323(addresses=(address[0],), port=address[1], **self.settings)

        def make(core: Terminal, on_event: Callable[[object], None]) -> WireTransport:
            self.terminals.append(core)
            return WireTransport(self.wire, address, core, on_event)

        endpoint = H323Endpoint(
            settings,
            self.capabilities,
            self.ports,
            name,
            rng=random.Random(name),
            tls=self.tls,
            make_transport=make,  # type: ignore[arg-type]
        )
        complete(endpoint.start())
        return Member(endpoint, f"{self.scheme}:{address[0]}")

    def call(self, caller: str, called: str) -> tuple[Call, Call]:
        """Make a call that is up; gives both sides of it."""
        ours = self[caller].dial(self[called])
        self.settle()
        theirs = self[called].call
        assert ours.state is theirs.state is State.ACTIVE
        return ours, theirs

    def settle(self, seconds: float = 1.0) -> None:
        self.wire.pass_time(seconds)

    def check_clean(self) -> None:
        for member in self.members.values():
            for call in member.calls:
                call.hang_up()
        self.settle(10)
        assert all(call.state is State.ENDED for member in self.members.values() for call in member.calls)
        assert self.ports.reserved == set()
        for terminal in self.terminals:
            assert terminal.sizes["sessions"] == terminal.sizes["ports"] == 0
