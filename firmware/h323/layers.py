"""What the parts of one terminal share."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from firmware.h323.gate import Gate
from firmware.h323.h460_tunnel import Tunnels
from firmware.h323.streams import Streams

if TYPE_CHECKING:
    import random

    from firmware.h323.control_channel import ControlChannel
    from firmware.h323.events import Event
    from firmware.h323.identity import Identity
    from firmware.h323.ras import RasClient
    from firmware.h323.session import Session
    from firmware.sansio import Address


class Layers:
    """Streams, sessions, events and counters of one terminal."""

    def __init__(self, identity: Identity, rng: random.Random, gatekeeper: RasClient | None = None) -> None:
        self.identity: Final = identity
        self.rng: Final = rng
        self.counters: Final[Counter[str]] = Counter()
        """What was dropped or refused, by kind."""
        self.streams: Final = Streams(identity, self.counters)
        self.sessions: Final[list[Session]] = []
        """The calls that have not ended."""
        self.ports: Final[dict[int, ControlChannel]] = {}
        """The call's channel to which each port for H.245 is given."""
        self.events: Final[list[Event]] = []
        self.gate: Final = Gate(identity, gatekeeper, self.events)
        self.tunnels: Final = Tunnels(self)

    def listen(self, channel: ControlChannel) -> int | None:
        """Give a port for H.245 to one call, and to no other until `close_port`; None: all are taken."""
        free = [port for port in self.identity.h245_ports if port not in self.ports]
        if not free:
            self.counters["no port for H.245"] += 1
            return None
        port = self.rng.choice(free)
        self.ports[port] = channel
        return port

    def close_port(self, address: Address | None) -> None:
        """Take back the port of this address."""
        if address is not None:
            self.ports.pop(address[1], None)

    def guid(self) -> bytes:
        """Give a new GloballyUniqueID (H.225.0 7.6): a random one of RFC 4122 4.4."""
        octets = bytearray(self.rng.randbytes(16))
        octets[6] = octets[6] & 0x0F | 0x40
        octets[8] = octets[8] & 0x3F | 0x80
        return bytes(octets)

    def call_reference(self) -> int:
        """Give a call reference, which only has to be told apart from others on its own connection (Q.931 4.3)."""
        return self.rng.randint(1, 0x7FFF)
