"""The contract between a protocol core and whatever moves its bytes.

A core never reads a socket, a clock or a thread.  Its owner tells it what happened and when, then collects
what it wants done::

    core.receive_data(flow, data, now)   # or flow_opened, flow_closed
    core.handle_timer(now)               # when timer() has passed
    core.actions()                       # Open, Send and Close, in order; the list is then empty
    core.events()                        # what the application should know; the list is then empty
    core.timer()                         # when to call handle_timer, or None

Whoever calls a *command* of a core (to send a request, to answer a call) collects actions and events after it,
as after any of the calls above.  Times are seconds of one monotonic clock.  ``receive_data`` never raises for
what the far end sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

Address = tuple[str, int]
"""Host (an IPv4 or IPv6 literal, no brackets) and port."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One transport association (RFC 5626 3): how, from where and to whom bytes go.

    ``local`` is where the far end reaches us: the address it sees and the port we *listen* on, also for an outgoing
    stream, whose own port means nothing to anybody.  It is never a wildcard.
    """

    transport: str
    """``"udp"``, ``"tcp"`` or ``"tls"``."""
    local: Address
    remote: Address
    number: int = 0
    """Tells apart several streams of ours to the same far end (in H.323 each call has its own)."""
    domain: str = ""
    """Of a TLS stream of ours: the name that the far end's certificate must be for (RFC 5922 7.3)."""
    shown: tuple[str, ...] = field(default=(), compare=False)
    """Of a TLS stream that the far end made: the names that its certificate is for, in lower case; none if it showed no
    certificate, or one that was not verified (RFC 5923 7)."""

    @property
    def reliable(self) -> bool:
        """Whether the transport retransmits by itself (RFC 3261 17: "reliable transport")."""
        return self.transport != "udp"


@dataclass(frozen=True, slots=True)
class Open:
    """Connect this stream; flow_opened or flow_closed follows.  Data sent meanwhile waits."""

    flow: Flow


@dataclass(frozen=True, slots=True)
class Send:
    """Send these bytes: one datagram, or the next part of the stream."""

    flow: Flow
    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Close this stream once all that was sent is out; no flow_closed follows."""

    flow: Flow


Action = Open | Send | Close


class Core(Protocol):
    """What a driver needs of a protocol core."""

    def flow_opened(self, flow: Flow, now: float) -> None:
        """Tell that a stream exists: ours, or one the far end made."""

    def flow_closed(self, flow: Flow, now: float) -> None:
        """Tell that a stream has ended, or that it, or a datagram's address, can't be reached."""

    def receive_data(self, flow: Flow, data: bytes, now: float) -> None:
        """Take a datagram, or the next bytes of a stream."""

    def handle_timer(self, now: float) -> None:
        """Do what is due."""

    def timer(self) -> float | None:
        """When handle_timer is wanted, or None."""

    def actions(self) -> list[Action]:
        """Give what is to be done, in order, and forget it."""

    def events(self) -> list[Any]:
        """Give what the application should know, in order, and forget it."""
