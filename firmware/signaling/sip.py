"""The SIP endpoint: a user agent on its sockets, and the calls that it makes and takes.

Rule 1: an address that is no name is called at once; a name is looked up first, and the call is DIALING meanwhile.
Rule 2: an INVITE whose offer is of no use here is refused without troubling the room.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from firmware.call.call import Call, EndReason, State
from firmware.errors import CallError, DecodeError, FirmwareError
from firmware.net.driver import Driver, source_address
from firmware.net.resolver import UnknownHostError, is_address, resolve
from firmware.signaling import sip_leg, sip_media
from firmware.signaling.sip_address import is_sip, parse_address
from firmware.signaling.sip_leg import Candidate, SipLeg
from firmware.signaling.sip_media import NoCommonMediaError, SipMedia
from firmware.sip import events
from firmware.sip.identity import Identity
from firmware.sip.uri import Uri, escape_user
from firmware.sip.user_agent import UserAgent

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware import config
    from firmware.call.media import Capabilities
    from firmware.sansio import Address, Core
    from firmware.signaling.sip_media import Ports
    from firmware.sip.header import NameAddr
    from firmware.sip.invite import InviteSession

logger = logging.getLogger(__name__)

DEFAULT_PORT: Final = 5060
"""RFC 3261 19.1.2."""
MAX_SESSIONS: Final = 32
"""More than any room takes part in, so that it is the room who says that it is busy."""
STOP_TIME: Final = 2.0
"""Seconds for the far ends to answer our BYEs."""
MAX_NAME: Final = 64
"""Characters of a far end's display name."""


class Transport(sip_leg.Transport, Protocol):
    """The endpoint's sockets (`firmware.net.driver.Driver`)."""

    @property
    def listeners(self) -> tuple[tuple[str, Address], ...]:
        """Transport and address of everything that is listened on."""

    async def listen(self, transport: str, host: str, port: int) -> None:
        """Listen.  FirmwareError: can't, and why."""

    async def stop(self) -> None:
        """Close everything."""


class SipEndpoint:
    """SIP for the room (`firmware.call.endpoint.Endpoint`)."""

    name = "SIP"

    def __init__(
        self,
        settings: config.Sip,
        capabilities: Capabilities,
        ports: Ports,
        display_name: str = "",
        *,
        rng: random.Random | None = None,
        make_transport: Callable[[Core, Callable[[Any], None]], Transport] = Driver,
        delayed_offer: bool = False,
    ) -> None:
        """*ports* gives media ports; *delayed_offer* lets the far end offer first in calls that we make."""
        self.on_call: Callable[[Call], None] = _refuse
        self._settings = settings
        self._capabilities = capabilities
        self._ports = ports
        self._rng = rng or random.SystemRandom()
        self._make_transport = make_transport
        self._delayed_offer = delayed_offer
        identity = Identity(escape_user(settings.user), display_name, max_sessions=MAX_SESSIONS)
        self._agent = UserAgent(identity, self._rng)
        self._transport: Transport | None = None
        self._legs: dict[InviteSession, SipLeg] = {}
        self._calls: dict[SipLeg, Call] = {}
        self._lookups: dict[SipLeg, asyncio.Task[None]] = {}
        self._all_gone = asyncio.Event()

    @property
    def addresses(self) -> tuple[str, ...]:
        """What others dial, ready to be shown; for a wildcard the address towards the rest of the world."""
        if self._transport is None:
            return ()
        found: dict[Address, str] = {}
        for transport, (listening, port) in self._transport.listeners:
            host = _reachable(listening)
            if host is None:
                continue
            parameters = () if transport == "udp" else (("transport", transport),)
            uri = Uri("sip", escape_user(self._settings.user), host, port if port != DEFAULT_PORT else None)
            found.setdefault((host, port), str(replace(uri, parameters=parameters)))
        return tuple(found.values())

    def handles(self, address: str) -> bool:
        """Whether it begins with ``sip:`` or ``sips:``."""
        return is_sip(address)

    async def start(self) -> None:
        """Listen on every address by every transport of the settings."""
        transport = self._make_transport(self._agent, self._handle)
        self._transport = transport
        try:
            for host in self._settings.addresses:
                for protocol in self._settings.transports:
                    await transport.listen(protocol, host, self._settings.port)
            if not transport.listeners:
                raise FirmwareError("SIP: this machine has none of the addresses to listen on")
        except FirmwareError:
            await transport.stop()
            self._transport = None
            raise
        hosts = (_reachable(host) for _, (host, _) in transport.listeners)
        host = next((host for host in hosts if host is not None), "127.0.0.1")
        self._agent.capabilities = sip_media.describe(self._capabilities, host)

    async def stop(self) -> None:
        """End all calls politely, within 2 s, and stop listening."""
        if self._transport is None:
            return
        for task in tuple(self._lookups.values()):
            task.cancel()
        for call in tuple(self._calls.values()):
            call.hang_up()
        if self._calls:
            self._all_gone.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_gone.wait(), STOP_TIME)
        for leg, call in tuple(self._calls.items()):
            call.released(EndReason.HUNG_UP)
            leg.abandon()
        await self._transport.stop()
        self._transport = None

    def dial(self, address: str) -> Call:
        """Call the address.  CallError: it is no address, or the endpoint is not started."""
        uri = parse_address(address)
        if self._transport is None:
            raise CallError("SIP is not started")
        leg = self._make_leg(self._transport)
        call = self._calls[leg] = leg.call = Call(leg, State.DIALING, str(uri))
        if is_address(uri.host):
            leg.invite(uri, self._candidates(uri, [uri.host]), self._delayed_offer)
        else:
            task = self._lookups[leg] = asyncio.get_running_loop().create_task(self._look_up(leg, uri))
            task.add_done_callback(lambda _: self._lookups.pop(leg, None))
        return call

    # Dialling

    def _candidates(self, uri: Uri, hosts: list[str]) -> list[Candidate]:
        """Give where to try: all hosts by the wanted or first transport, then by the others (RFC 3263 4.1, 4.2)."""
        wanted = uri.parameter("transport")
        transports = (wanted.lower(),) if wanted else self._settings.transports
        port = uri.port or DEFAULT_PORT
        return [(transport, (host, port)) for transport in transports for host in hosts]

    async def _look_up(self, leg: SipLeg, uri: Uri) -> None:
        try:
            found = await resolve(uri.host, uri.port or DEFAULT_PORT, uri.parameter("transport") or "udp")
        except UnknownHostError as error:
            leg.fail(EndReason.NOT_FOUND, str(error))
        except FirmwareError as error:
            leg.fail(EndReason.UNREACHABLE, str(error))
        else:
            if leg.call.state is State.DIALING:
                leg.invite(uri, self._candidates(uri, [host for _, (host, _) in found]), self._delayed_offer)

    def _make_leg(self, transport: Transport) -> SipLeg:
        return SipLeg(self._agent, transport, self._make_media, self._legs.__setitem__, self._gone)

    def _make_media(self, host: str) -> SipMedia:
        return SipMedia(self._capabilities, self._ports, host, self._rng.getrandbits(62))

    # Events

    def _handle(self, event: events.Event) -> None:
        if isinstance(event, events.Incoming):
            self._incoming(event)
        elif not isinstance(event, events.OptionsAnswered):
            leg = self._legs.get(event.session)
            if isinstance(event, events.Ended):
                self._legs.pop(event.session, None)
            if leg is not None:
                leg.handle(event)

    def _incoming(self, event: events.Incoming) -> None:
        transport, session = self._transport, event.session
        if transport is None:
            return
        leg = self._make_leg(transport)
        try:
            leg.take(session, event.offer)
        except (DecodeError, NoCommonMediaError) as error:
            status = error.status if isinstance(error, DecodeError) else 488
            logger.info("= sip %s called and was refused with %d: %s", session.remote.uri, status, error)
            session.reject(status, transport.now())
            return
        name = "".join(c for c in session.remote.display_name if c.isprintable())[:MAX_NAME].strip()
        call = self._calls[leg] = leg.call = Call(leg, State.INCOMING, str(caller(session.remote, session)), name)
        self.on_call(call)

    def _gone(self, leg: SipLeg) -> None:
        self._calls.pop(leg, None)
        task = self._lookups.get(leg)
        if task is not None:
            task.cancel()
        if not self._calls:
            self._all_gone.set()


def caller(remote: NameAddr, session: InviteSession) -> Uri:
    """Give the address by which a caller can be called back.

    Its From if that names a domain; a unit without one says its address there, but its port only in Contact.
    """
    uri, target = remote.uri, session.remote_target
    if uri.scheme != "sip" or not is_address(uri.host) or target.scheme != "sip":
        return replace(uri, parameters=(), headers=())
    transport = tuple(pair for pair in target.parameters if pair[0].lower() == "transport" and pair[1] != "udp")
    return Uri("sip", uri.user or target.user, target.host, target.port, parameters=transport)


_ELSEWHERE: Final = {"0.0.0.0": ("192.0.2.1", 9), "::": ("2001:db8::1", 9)}
"""Addresses of nobody (RFC 5737, RFC 3849), for which the way to the rest of the world would be taken."""


def _reachable(host: str) -> str | None:
    """Give the address under which a listener is reached; None: a wildcard that leads nowhere now."""
    if host not in _ELSEWHERE:
        return host
    try:
        return source_address(_ELSEWHERE[host])
    except FirmwareError:
        return None


def _refuse(call: Call) -> None:
    """Stand in for a room that is not there yet."""
    call.hang_up(EndReason.REFUSED)
