"""What the endpoints of all protocols have in common: listening, looking names up, their calls, stopping."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from firmware.call.call import Call, EndReason, State
from firmware.call.callers import Callers
from firmware.call.endpoint import Leg
from firmware.errors import CallError, FirmwareError
from firmware.net.address import source_address
from firmware.net.resolver import UnknownHostError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from firmware.call.registration import Registration
    from firmware.sansio import Address, Flow

logger = logging.getLogger(__name__)

MAX_SESSIONS: Final = 32
"""Calls of one protocol: more than any room takes part in, so that it is the room who says that it is busy."""
STOP_TIME: Final = 2.0
"""Seconds for the far ends to agree that their calls are over."""
MAX_REFUSED: Final = 32
"""Addresses that were refused in the last minute, and of which the log says so."""
REFUSED_INTERVAL: Final = 60.0
"""Seconds until an address is named in the log again."""
MAX_NAME: Final = 64
"""Characters of a far end's display name."""


class Transport(Protocol):
    """The sockets of an endpoint (`firmware.net.driver.Driver`)."""

    def now(self) -> float:
        """Give the time, s."""

    def run(self) -> None:
        """Do what the core wants done, and report its events."""

    def local_flow(self, transport: str, remote: Address, domain: str = "") -> Flow:
        """Give the flow by which *remote* is called; by TLS it must have a certificate for *domain*, or else for its
        address.  FirmwareError: there is no way to it.
        """

    def failure(self, flow: Flow) -> str:
        """Say why a flow failed lately, in words for people; "": it did not, or nobody knows."""

    @property
    def listeners(self) -> tuple[tuple[str, Address], ...]:
        """Transport and address of everything that is listened on."""

    async def listen(self, transport: str, host: str, port: int) -> None:
        """Listen.  FirmwareError: can't, and why."""

    async def stop(self) -> None:
        """Close everything."""


class Pair(Protocol):
    """A reserved pair of ports."""

    @property
    def address(self) -> Address:
        """Where RTP arrives."""


class Ports(Protocol):
    """Who reserves ports (`firmware.net.ports.PortPool`)."""

    def reserve(self, host: str) -> Pair:
        """Reserve a pair on this address.  CallError: none is free."""

    def release(self, address: Address) -> None:
        """Give it back."""


class EndpointLeg(Leg, Protocol):
    """What an endpoint needs of its legs beside what a call needs; each is given its call right after it was made."""

    call: Call

    def fail(self, reason: EndReason, detail: str) -> None:
        """End what can't go on."""

    def abandon(self) -> None:
        """Forget the call, whatever the far end still has to say."""


L = TypeVar("L", bound=EndpointLeg)
T = TypeVar("T")


class BaseEndpoint(Generic[L]):
    """An endpoint's calls and its transport, which is there from start to stop."""

    name: str

    def __init__(self, callers: Callers | None = None) -> None:
        """*callers* are those who may call; None: everybody may."""
        self._callers = callers or Callers()
        self._refused: deque[tuple[str, float]] = deque(maxlen=MAX_REFUSED)
        self.on_call: Callable[[Call], None] = _refuse
        self.on_registrations_changed: Callable[[], None] = _ignore
        self._transport: Transport | None = None
        self._calls: dict[L, Call] = {}
        self._lookups: dict[L, asyncio.Task[None]] = {}
        self._all_gone = asyncio.Event()

    @property
    def registrations(self) -> tuple[Registration, ...]:
        """Where this unit registers, and how that stands."""
        return ()

    def network_changed(self) -> None:
        """Do nothing."""

    async def _listen(self, transport: Transport, wanted: Iterable[tuple[str, str, int]]) -> None:
        """Listen on every transport, host and port.  FirmwareError: can't, and why; then nothing is listened on."""
        self._transport = transport
        try:
            for protocol, host, port in wanted:
                await transport.listen(protocol, host, port)
            if not transport.listeners:
                raise FirmwareError(f"{self.name}: this machine has none of the addresses to listen on")
        except FirmwareError:
            await transport.stop()
            self._transport = None
            raise

    async def stop(self) -> None:
        """End all calls politely, within 2 s, and stop listening."""
        if self._transport is None:
            return
        self._unregister()
        for task in tuple(self._lookups.values()):
            task.cancel()
        for call in tuple(self._calls.values()):
            call.hang_up()
        if self._busy:
            self._all_gone.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_gone.wait(), STOP_TIME)
        for leg, call in tuple(self._calls.items()):
            call.released(EndReason.HUNG_UP)
            leg.abandon()
        self._say_goodbye()
        await self._transport.stop()
        self._transport = None

    @property
    def _busy(self) -> bool:
        """Whether somebody is still to hear that this unit goes."""
        return bool(self._calls)

    def _check_gone(self) -> None:
        """Let `stop` go on once nobody is."""
        if not self._busy:
            self._all_gone.set()

    def _unregister(self) -> None:
        """Tell servers that this unit will be gone, before its calls end."""

    def _say_goodbye(self) -> None:
        """Tell whoever else must know that this unit is gone."""

    def _admits(self, host: str, names: Iterable[str]) -> bool:
        """Whether a caller at this address that calls itself so may call; of each who may not, one line a minute."""
        names = tuple(names)
        if self._callers.admits(host, names):
            return True
        now = self._require_transport().now()
        while self._refused and self._refused[0][1] < now - REFUSED_INTERVAL:
            self._refused.popleft()
        known = len(self._refused) == MAX_REFUSED or any(other == host for other, _ in self._refused)
        if not known:
            self._refused.append((host, now))
            said = readable_name(names[0]) if names else "without a name"
            logger.info("= %s: %s (%s) is not among the allowed callers", self.name, host, said)
        return False

    def _require_transport(self) -> Transport:
        if self._transport is None:
            raise CallError(f"{self.name} is not started")
        return self._transport

    def _begin(self, leg: L, state: State, remote: str, remote_name: str = "") -> Call:
        """Give a leg its call."""
        call = self._calls[leg] = leg.call = Call(leg, state, remote, remote_name)
        return call

    def _search(self, leg: L, search: Coroutine[Any, Any, T], then: Callable[[T], None]) -> None:
        """Go on with what is found for a leg that is dialling; the call fails if there is nothing."""

        async def look_up() -> None:
            try:
                found = await search
            except UnknownHostError as error:
                leg.fail(EndReason.NOT_FOUND, str(error))
            except FirmwareError as error:
                leg.fail(EndReason.UNREACHABLE, str(error))
            else:
                if leg.call.state in (State.DIALING, State.ALERTING):  # ALERTING: then it was redirected
                    then(found)

        task = self._lookups[leg] = asyncio.get_running_loop().create_task(look_up())

        def forget(done: asyncio.Task[None]) -> None:
            if self._lookups.get(leg) is done:  # else the leg searches for somebody else by now
                del self._lookups[leg]

        task.add_done_callback(forget)

    def _gone(self, leg: L) -> None:
        self._calls.pop(leg, None)
        task = self._lookups.get(leg)
        if task is not None:
            task.cancel()
        self._check_gone()


def readable_name(text: str) -> str:
    """Give what a far end calls itself as it may be shown."""
    return "".join(c for c in text if c.isprintable())[:MAX_NAME].strip()


_ELSEWHERE: Final = {"0.0.0.0": ("192.0.2.1", 9), "::": ("2001:db8::1", 9)}
"""Addresses of nobody (RFC 5737, RFC 3849), for which the way to the rest of the world would be taken."""


def reachable(host: str) -> str | None:
    """Give the address under which a listener is reached; None: a wildcard that leads nowhere now."""
    if host not in _ELSEWHERE:
        return host
    try:
        return source_address(_ELSEWHERE[host])
    except FirmwareError:
        return None


def _ignore() -> None:
    """Stand in for a room that is not there yet."""


def _refuse(call: Call) -> None:
    """Stand in for a room that is not there yet."""
    call.hang_up(EndReason.REFUSED)
