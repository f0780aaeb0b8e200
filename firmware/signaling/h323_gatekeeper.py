"""Registration with the gatekeeper of the settings, for as long as the endpoint is started.

Rule 1: a gatekeeper whose name can't be found yet is looked for again and again; calls go on without it meanwhile.
Rule 2: what becomes of the registration is one INFO line, and stands in `registration`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firmware.call.registration import Registration, RegistrationState
from firmware.errors import FirmwareError
from firmware.h323.h235 import Credentials, Method
from firmware.h323.ras import RasClient
from firmware.h323.ras_event import Registered, Unregistered
from firmware.h323.ras_reason import NO_ANSWER
from firmware.h323.ras_settings import DISCOVERY, RAS_PORT, Settings
from firmware.net.address import at
from firmware.net.resolver import is_address
from firmware.signaling.causes import h323_registration_reason
from firmware.signaling.h323_address import DEFAULT_PORT, SECURE_PORT
from firmware.signaling.h323_location import REGISTRATION, locate

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from firmware import config
    from firmware.h323.identity import Identity
    from firmware.h323.terminal import Terminal
    from firmware.net.dns import Names
    from firmware.sansio import Address
    from firmware.signaling.endpoint import Transport

logger = logging.getLogger(__name__)

RETRY_TIME: Final = 30.0
"""Seconds between two attempts to find a gatekeeper's name, or a way to it."""
AUTOMATIC: Final = "auto"
_PORTS: Final = {"udp": RAS_PORT, "tcp": DEFAULT_PORT, "tls": SECURE_PORT}
"""Where a gatekeeper is asked, by the settings' gatekeeper_transport."""


class Gatekeeper:
    """The registration of one endpoint."""

    def __init__(
        self,
        settings: config.H323,
        identity: Identity,
        terminal: Terminal,
        rng: random.Random,
        names: Names,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """*names* knows where hosts are; *on_change* is called when `registration` has changed."""
        self._names = names
        self._settings = settings
        self._identity = identity
        self._terminal = terminal
        self._rng = rng
        self._client: RasClient | None = None
        self._transport: Transport | None = None
        self._search: asyncio.Task[None] | None = None
        self._host = ""
        """Our address that the gatekeeper was told."""
        self._on_change = on_change
        shown = settings.number or identity.display_name
        server = "this network" if settings.gatekeeper == AUTOMATIC else settings.gatekeeper
        self.registration = Registration("H.323", shown, server)
        """How it stands."""

    @property
    def address(self) -> Address | None:
        """Where the gatekeeper we are registered with is reached; None: there is none."""
        client = self._client
        return client.gatekeeper.address if client and client.registered and client.gatekeeper else None

    def start(self, transport: Transport) -> None:
        """Begin to look for the gatekeeper, if there is to be one."""
        self._transport = transport
        if self._settings.gatekeeper:
            self._search = asyncio.get_running_loop().create_task(self._find(transport))

    def network_changed(self) -> None:
        """Register anew where our address is another: the gatekeeper knows the one before, from which nothing leaves.

        By UDP only: a connection to a gatekeeper is not looked after here.
        """
        client, transport = self._client, self._transport
        if client is None or transport is None or self._settings.gatekeeper_transport != "udp":
            return
        known = client.gatekeeper.address if client.gatekeeper is not None else DISCOVERY
        try:
            host = transport.local_flow("udp", known).local[0]
        except FirmwareError as error:  # there is no way at all; the next change tells
            logger.debug("= h323 gatekeeper %s: %s", self._settings.gatekeeper, error)
            return
        if host != self._host and (self._search is None or self._search.done()):
            self._search = asyncio.get_running_loop().create_task(self._find(transport))

    def stop(self, transport: Transport) -> None:
        """Unregister."""
        if self._search is not None:
            self._search.cancel()
        if self._client is not None:
            self._client.stop(transport.now())
            transport.run()

    def handle(self, event: Registered | Unregistered) -> None:
        """Take what became of the registration."""
        match event:
            case Registered(gatekeeper=gatekeeper, aliases=aliases):
                names = ", ".join(name for _, name in aliases)
                logger.info("= h323 registered with gatekeeper %s as %s", at(gatekeeper.address), names)
                self._report(RegistrationState.REGISTERED)
            case Unregistered(reason=reason, retry=retry):
                words = self._failure if reason == NO_ANSWER else ""
                said = f"{reason}: {words}" if words else reason
                logger.info("= h323 not registered with gatekeeper %s: %s", self._settings.gatekeeper, said)
                if retry is None:
                    self._report(RegistrationState.TRYING)
                else:
                    self._report(RegistrationState.FAILED, h323_registration_reason(reason, words))

    @property
    def _failure(self) -> str:
        """Why the connection to the gatekeeper failed; "": it did not, or there is none."""
        lost = self._terminal.lost_tunnel
        return self._transport.failure(lost) if lost is not None and self._transport is not None else ""

    def _report(self, state: RegistrationState, reason: str = "") -> None:
        self.registration = replace(self.registration, state=state, reason=reason)
        self._on_change()

    async def _find(self, transport: Transport) -> None:
        said = ""
        while True:
            try:
                self._register(transport, await self._look_up())
            except (FirmwareError, ValueError) as error:
                if str(error) != said:
                    said = str(error)
                    logger.warning("= h323 gatekeeper %s: %s", self._settings.gatekeeper, said)
                    self._report(RegistrationState.FAILED, said)
            else:
                return
            await asyncio.sleep(RETRY_TIME)

    async def _look_up(self) -> Address | None:
        """Give where the gatekeeper's RAS channel is; None: it is to be searched."""
        if self._settings.gatekeeper == AUTOMATIC:
            return None
        host, port = self._named
        by_service = self._settings.gatekeeper_transport == "udp" and port == RAS_PORT
        found = await locate(REGISTRATION if by_service else "", host, port, self._names, self._rng)
        return found.addresses[0]

    @property
    def _named(self) -> Address:
        """Host and port of the settings."""
        wanted = self._settings.gatekeeper
        host, colon, port = wanted.rpartition(":")
        if not colon or (wanted.startswith("[") and not host.endswith("]")):
            host, port = wanted, str(_PORTS[self._settings.gatekeeper_transport])
        return host.strip("[]"), int(port)

    def _register(self, transport: Transport, gatekeeper: Address | None) -> None:
        settings, now = self._settings, transport.now()
        inside = settings.gatekeeper_transport != "udp"
        local = transport.local_flow("tcp" if inside else "udp", gatekeeper or DISCOVERY).local
        self._host = local[0]
        calls = (local[0], settings.port)
        host, _ = self._named
        by_tls = any(way == "tls" for way, _ in transport.listeners)
        credentials = None
        if settings.password:
            user = settings.user or self._identity.display_name
            credentials = Credentials(user, settings.password, tuple(Method(name) for name in settings.authentication))
        self._client = RasClient(
            Settings(
                self._identity,
                calls if inside else local,
                calls,
                gatekeeper,
                transport=settings.gatekeeper_transport,
                domain="" if host == AUTOMATIC or is_address(host) else host.lower(),
                tls_address=(local[0], settings.tls_port) if by_tls else None,
                # A connection leads to a gatekeeper already; only H.235.1 needs its name, which discovery tells.
                discover=not inside or (credentials is not None and Method.BASELINE in credentials.methods),
                credentials=credentials,
            ),
            self._rng,
            time.time() - now,
        )
        self._terminal.register(self._client, now)
        transport.run()
