"""How the datagrams of a stream find their way where both ends look for one (ICE, RFC 8445): an agent on its sockets.

Rule 1: what comes out of `receive` is from the far end, which has proved that it knows the call's password.
Rule 2: nothing is sent before there is a way, nor after the far end has ceased to want it (RFC 7675 5.1).
Rule 3: that there is no way is said after `GRACE`: the far end may need as long to learn of our candidates.
`send` may be called by any thread; all else belongs to the network thread.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from random import SystemRandom
from types import MappingProxyType
from typing import Final

from firmware.call.ice import CandidateType, Ice, Selected
from firmware.ice.agent import Agent
from firmware.ice.datagram import Datagram
from firmware.ice.event import ConsentLost, Failed, Unanswered
from firmware.net.address import kernel_address
from firmware.sansio import Address

logger = logging.getLogger(__name__)

RTP, RTCP = 1, 2
"""Components (RFC 8445 13)."""
GRACE: Final = 5.0
"""Seconds."""
DIRECT, TRANSLATED, RELAYED = "direct", "nat", "relay"
"""Kinds of way: as the addresses are, through a NAT, by a TURN server of either end."""

Sockets = tuple[socket.socket, socket.socket]
_NO_OTHERS: Final[Mapping[Address, Sockets]] = MappingProxyType({})
_NEVER = float("inf")


class Connectivity:
    """The way of one stream."""

    def __init__(self, ice: Ice, sockets: Sockets, now: float, others: Mapping[Address, Sockets] = _NO_OTHERS) -> None:
        """*sockets* are those by which servers were asked, *others* those of more addresses of ours."""
        self.ice = ice
        self.on_selected: Callable[[tuple[Selected, ...]], None] = lambda _selected: None
        """Called when each component has its pair, and whenever one has another."""
        self.on_doubt: Callable[[], None] = lambda: None
        """Called when nothing is heard by the way any more, and again every few seconds."""
        self.on_lost: Callable[[str, bool], None] = lambda _why, _found: None
        """Called when there is no way; True: any more."""
        self.sockets: Final = sockets
        self._by_base = {
            (component, (host, port + component - 1)): sock
            for (host, port), pair in others.items()
            for component, sock in zip((RTP, RTCP), pair, strict=True)
        }
        self._agent = Agent(ice, SystemRandom(), now)
        self._lock = threading.Lock()
        self._selected = {pair.component: pair for pair in ice.selected}
        self._failed: dict[int, str] = {}
        self._fails = _NEVER
        """When it is to be said that there is no way."""
        self._transmit(self._agent.datagrams())

    @property
    def settled(self) -> bool:
        """Whether it is known how everything travels."""
        return RTP in self._selected and all(
            component in self._selected or component in self._failed for component in self._agent.components
        )

    @property
    def kind(self) -> str:
        """How RTP travels; "": not known yet."""
        pair = self._selected.get(RTP)
        if pair is None:
            return ""
        types = {pair.local.type, pair.remote.type}
        if CandidateType.RELAYED in types:
            return RELAYED
        return DIRECT if types == {CandidateType.HOST} else TRANSLATED

    def update(self, ice: Ice, now: float) -> None:
        """Go on with what was agreed later."""
        if ice == self.ice:
            return
        if (ice.ours, ice.theirs) != (self.ice.ours, self.ice.theirs):
            self._selected, self._failed, self._fails = {}, {}, _NEVER
        self.ice = ice
        with self._lock:
            self._agent.update(ice, now)
        self._look(now)

    def receive(
        self, data: bytes, control: bool, source: Address, now: float, base: Address | None = None
    ) -> tuple[bytes, Address] | None:
        """Take a datagram of RTP's socket or (*control*) RTCP's; give what is for others, and from whom.

        *base*: the socket's address, where there are others.
        """
        with self._lock:
            found = self._agent.receive(RTCP if control else RTP, data, source, now, base)
        self._look(now)
        return found

    def send(self, data: bytes, control: bool) -> None:
        """Send a datagram, if there is a way."""
        with self._lock:
            datagram = self._agent.wrap(RTCP if control else RTP, data)
        if datagram is not None:
            self._transmit([datagram])

    def timer(self) -> float:
        """When handle_timer is wanted."""
        due = self._agent.timer()
        return min(_NEVER if due is None else due, self._fails)

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        with self._lock:
            self._agent.handle_timer(now)
        self._look(now)
        if self._fails <= now:
            self._fails = _NEVER
            self.on_lost(self._failed[RTP], False)

    def close(self, now: float) -> None:
        """Give back what servers keep for us."""
        with self._lock:
            self._agent.close(now)
        self._transmit(self._agent.datagrams())

    def _look(self, now: float) -> None:
        with self._lock:
            datagrams, events = self._agent.datagrams(), self._agent.events()
        self._transmit(datagrams)
        changed = False
        for event in events:
            match event:
                case Selected(component=component):
                    changed = changed or self._selected.get(component) != event
                    self._selected[component] = event
                    self._failed.pop(component, None)
                case Failed(component=component, why=why):
                    self._failed[component] = why
                    self._fails = now + GRACE if component == RTP else self._fails
                case Unanswered(component=component):
                    if component == RTP:
                        self.on_doubt()
                case ConsentLost(component=component):
                    if component == RTP:
                        self.on_lost("the far end does not answer any more", True)
        if RTP not in self._failed:
            self._fails = _NEVER
        if changed and self.settled:
            self.on_selected(tuple(self._selected.values()))

    def _transmit(self, datagrams: list[Datagram]) -> None:
        for datagram in datagrams:
            own = self.sockets[datagram.component - 1]
            sock = own if datagram.base is None else self._by_base.get((datagram.component, datagram.base), own)
            try:
                sock.sendto(datagram.data, kernel_address(datagram.destination))
            except OSError as error:  # no route, a full buffer: a lost packet like any other
                logger.debug("To %s: %s", datagram.destination, error)
