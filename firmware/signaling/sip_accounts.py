"""The accounts of the SIP endpoint: registered for as long as it is started, and found where somebody is dialled.

Rule 1: a bare number or name is a user at the default account's server.
Rule 2: whom an account's own server knows is called by that account; and if it has an outbound proxy, the default
account is for all whose host is a name.  An address of some machine is called directly.
Rule 3: an address may have several accounts, each by a proxy of its own: it is reached by all of them, and calls by the
first that is registered (RFC 5626 4.2, 4.3).
Rule 4: what becomes of a registration is one INFO line; that it was renewed is none.
"""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from firmware.call.registration import Registration, RegistrationState
from firmware.errors import FirmwareError
from firmware.net.resolver import is_address
from firmware.signaling.causes import sip_registration_reason
from firmware.sip import registration as core
from firmware.sip.account import Account, AccountSettings
from firmware.sip.authentication import Credential
from firmware.sip.events import RegistrationChanged, ServerWanted
from firmware.sip.transport import DEFAULT_PORTS
from firmware.sip.uri import Uri, escape_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware import config
    from firmware.sansio import Flow
    from firmware.signaling.endpoint import Transport
    from firmware.sip.user_agent import UserAgent

logger = logging.getLogger(__name__)

_STATES: Final = {
    core.State.TRYING: RegistrationState.TRYING,
    core.State.REGISTERED: RegistrationState.REGISTERED,
    core.State.FAILED: RegistrationState.FAILED,
    core.State.STOPPED: RegistrationState.TRYING,
}
_UNREACHED: Final = (408, 503)
"""What a registration says of a server by which nothing was answered."""
_NUMBER: Final = re.compile(r"\+?[0-9*#][0-9*# ().\-/]*")
"""With what people put between the digits (RFC 3966 5.1.1)."""
_NAME: Final = re.compile(r"[^\s@.:\[\]<>]+")
"""What can't be a host with a domain, an address, or a user at a host."""
_USUAL_PORTS: Final = frozenset((None, *DEFAULT_PORTS.values()))
_SEPARATORS: Final = re.compile(r"[ ().\-/]")
_MACHINE: Final = Path("/etc/machine-id")
_NAMESPACE: Final = "8b0b6f5e-1f0a-4c0e-9a59-6f2f4f5a3c11"
"""Of UUIDs that are made of a name (RFC 9562 6.6); ours alone."""


class Finder(Protocol):
    """Who knows the way to a server."""

    def ways(self, uri: Uri) -> list[Flow] | None:
        """Give the flows to a server, the best first; None: its name must be looked up first.  FirmwareError: none."""

    async def find_ways(self, uri: Uri) -> list[Flow]:
        """Look its name up, and give the flows.  FirmwareError: there is none."""


class Accounts:
    """All accounts of one user agent."""

    def __init__(
        self, settings: config.Sip, display_name: str, agent: UserAgent, on_change: Callable[[], None]
    ) -> None:
        """*on_change* is called when `registrations` has changed."""
        self._agent = agent
        self._on_change = on_change
        self._settings: dict[Account, config.SipAccount] = {}
        self._registrations: dict[core.Registration, Registration] = {}
        self._searches: dict[core.Registration, asyncio.Task[None]] = {}
        self._leaving: set[core.Registration] = set()
        for each in settings.accounts:
            account_settings = _account_settings(each, display_name, settings.port)
            flow_number = 1 + sum(_same_address(account_settings, known.settings) for known in self._settings)
            self._settings[agent.add_account(replace(account_settings, flow_number=flow_number))] = each
        self._transport: Transport | None = None
        self._finder: Finder | None = None
        defaults = [account for account, each in self._settings.items() if each.default]
        self._default: Final = next(iter([*defaults, *self._settings]), None)

    # Registration

    @property
    def registrations(self) -> tuple[Registration, ...]:
        """How each stands that is to be registered."""
        return tuple(self._registrations.values())

    @property
    def registered(self) -> list[Uri]:
        """The addresses that are found now, the default one first."""
        found = [account for account in self._settings if account.flow is not None]
        return [account.settings.address for account in sorted(found, key=lambda account: account is not self._default)]

    @property
    def busy(self) -> bool:
        """Whether a server is still to hear, or to agree, that we are gone."""
        return bool(self._leaving)

    def start(self, transport: Transport, finder: Finder) -> None:
        """Register those that want it; the endpoint gives every event of theirs to `handle`."""
        self._transport, self._finder = transport, finder
        for account, each in self._settings.items():
            if each.register:
                registration = self._agent.register(account, transport.now())
                shown = Registration("SIP", str(account.settings.address), self.server(account).host)
                self._registrations[registration] = shown
        transport.run()

    def stop(self) -> None:
        """Unregister; `busy` as long as a server has not agreed."""
        for task in tuple(self._searches.values()):
            task.cancel()
        if self._registrations and self._transport is not None:
            self._leaving.update(self._registrations)
            for registration in self._registrations:
                registration.stop(self._transport.now())
            self._transport.run()

    def network_changed(self) -> None:
        """Register anew: our address may be another, or there may be a way where none was."""
        if self._transport is not None:
            for registration in self._registrations:
                registration.renew(self._transport.now())
            self._transport.run()

    def handle(self, event: ServerWanted | RegistrationChanged) -> None:
        """Take what a registration needs, or became."""
        if isinstance(event, RegistrationChanged):
            self._changed(event.registration)
        else:
            self._find(event.registration, event.uri)

    def _find(self, registration: core.Registration, uri: Uri) -> None:
        finder = self._finder
        uri = self._by_transport(registration.account, uri)
        if finder is None:
            return
        try:
            ways = finder.ways(uri)
        except FirmwareError as error:
            self._found(registration, [], str(error))
            return
        if ways is not None:
            self._found(registration, ways)
            return

        async def search() -> None:
            try:
                self._found(registration, await finder.find_ways(uri))
            except FirmwareError as error:
                self._found(registration, [], str(error))

        task = self._searches[registration] = asyncio.get_running_loop().create_task(search())

        def forget(done: asyncio.Task[None]) -> None:
            if self._searches.get(registration) is done:  # else another search has begun
                del self._searches[registration]

        task.add_done_callback(forget)

    def _found(self, registration: core.Registration, ways: list[Flow], reason: str = "") -> None:
        if self._transport is not None:
            if reason:
                registration.not_found(reason, self._transport.now())
            else:
                registration.use(ways, self._transport.now())
            self._transport.run()

    def _changed(self, registration: core.Registration) -> None:
        before, each = self._registrations[registration], self._settings[registration.account]
        reason = ""
        if registration.state is core.State.FAILED:
            reason = sip_registration_reason(
                registration.status,
                registration.reason,
                has_password=bool(each.password),
                shown=registration.password_shown,
            )
            if registration.flow is not None and self._transport is not None:
                words = self._transport.failure(registration.flow)
                reason += f": {words}" if words and registration.status in _UNREACHED else ""
        state = _STATES[registration.state]
        after = replace(before, state=state, until=registration.until, reason=reason)
        if registration.state is core.State.STOPPED:
            self._leaving.discard(registration)
            if before.state is RegistrationState.REGISTERED:
                logger.info("= sip unregistered %s", after.address)
        elif (before.state, before.reason) != (state, reason):
            said = "not registered" if reason else state.value
            logger.info("= sip %s as %s with %s%s", said, after.address, after.server, f": {reason}" if reason else "")
        self._registrations[registration] = after
        self._on_change()

    # Dialling

    def complete(self, text: str) -> Uri | None:
        """Give the address that a bare number or name means; None: it is none, or there is no account."""
        text = text.strip()
        if self._default is None or is_address(text):
            return None
        if _NUMBER.fullmatch(text):
            user = _SEPARATORS.sub("", text)
        elif _NAME.fullmatch(text):
            user = text
        else:
            return None
        return replace(self._default.settings.address, user=escape_user(user), parameters=())

    def calling(self, uri: Uri) -> Account | None:
        """Give the account by which to call an address; None: it is called directly."""
        own = [account for account in self._settings if any(_same_host(uri, known) for known in _known(account))]
        default = self._default
        if own:
            return self._reachable(default if default in own else own[0])
        if default is not None and default.settings.proxy is not None and not is_address(uri.host):
            return self._reachable(default)
        return None

    def _reachable(self, account: Account) -> Account:
        """Give an account, or where its own flow is not up, another of the same address whose flow is."""
        same = (each for each in self._settings if _same_address(each.settings, account.settings))
        return account if account.flow is not None else next((each for each in same if each.flow is not None), account)

    def server(self, account: Account) -> Uri:
        """Give where an account's requests go, with the transport that its settings want."""
        return self._by_transport(account, account.server)

    def _by_transport(self, account: Account, uri: Uri) -> Uri:
        way = self._settings[account].transport
        if not way or uri.parameter("transport") is not None:
            return uri
        return replace(uri, parameters=(*uri.parameters, ("transport", way)))


def _account_settings(each: config.SipAccount, display_name: str, port: int) -> AccountSettings:
    bare = each.address if each.address.startswith(("sip:", "sips:")) else f"sip:{each.address}"
    address = Uri.parse(bare)
    user = each.user or address.unescaped_user
    return AccountSettings(
        address,
        display_name,
        Credential(user, each.password, each.realm) if each.password else None,
        _server(address, each.registrar, ""),
        _server(address, each.proxy, each.transport),
        each.expires,
        _instance(port),
    )


def _server(address: Uri, host: str, transport: str) -> Uri | None:
    """A host or host:port of the settings, to be reached as safely as the account is."""
    if not host:
        return None
    uri = Uri.parse(f"{address.scheme}:{host}")
    return replace(uri, parameters=(("transport", transport),)) if transport else uri


def _known(account: Account) -> list[Uri]:
    settings = account.settings
    return [settings.address, account.registrar, *([settings.proxy] if settings.proxy is not None else [])]


def _same_address(one: AccountSettings, other: AccountSettings) -> bool:
    return (one.address.user, one.address.host.lower()) == (other.address.user, other.address.host.lower())


def _same_host(one: Uri, other: Uri) -> bool:
    ports = {one.port, other.port}
    return one.host.lower() == other.host.lower() and (len(ports) == 1 or ports <= _USUAL_PORTS)


def _instance(port: int) -> str:
    """What stays the same over restarts (RFC 5626 4.1), and doesn't tell the machine's own identifier."""
    import uuid

    try:
        machine = _MACHINE.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        machine = ""
    return uuid.uuid5(uuid.UUID(_NAMESPACE), f"{machine or uuid.getnode()} {port}").urn
