"""The H.323 endpoint: a terminal on its sockets, and the calls that it makes and takes.

Rule 1: an address that is no name is called at once; a name is looked up first, and the call is DIALING meanwhile.  A
domain that name servers don't know is the gatekeeper's to find, where there is one.
Rule 2: the ports for H.245 connections are listened on from the start, so that a firewall can know them.
Rule 3: by TLS a call's signalling is secured hop by hop, as H.460.22 wants it: to an address that says so, or where the
gatekeeper does.
"""

from __future__ import annotations

import functools
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from firmware.call.call import Call, EndReason, State
from firmware.h323 import address as alias
from firmware.h323 import events, ras_event
from firmware.h323.identity import Destination, Identity
from firmware.h323.terminal import Terminal
from firmware.net.dns import Dns
from firmware.net.driver import Driver
from firmware.net.resolver import UnknownHostError, is_address
from firmware.signaling import causes
from firmware.signaling.endpoint import MAX_SESSIONS, BaseEndpoint, reachable
from firmware.signaling.fair import is_fair
from firmware.signaling.h323_address import H323Address, default_port, is_h323, parse_address
from firmware.signaling.h323_crypto import H323Crypto
from firmware.signaling.h323_gatekeeper import Gatekeeper
from firmware.signaling.h323_leg import H323Leg, party_name
from firmware.signaling.h323_location import CALL_SIGNALING, locate
from firmware.signaling.h323_media import H323Media

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware import config
    from firmware.call.callers import Callers
    from firmware.call.media import Capabilities
    from firmware.call.registration import Registration
    from firmware.h323.session import Session
    from firmware.net.dns import Names
    from firmware.net.tls import Tls
    from firmware.sansio import Core, Flow
    from firmware.signaling.endpoint import Ports, Transport
    from firmware.signaling.h323_location import Located
    from firmware.signaling.h323_transfer import Target


class H323Endpoint(BaseEndpoint[H323Leg]):
    """H.323 for the room (`firmware.call.endpoint.Endpoint`)."""

    name = "H.323"

    def __init__(
        self,
        settings: config.H323,
        capabilities: Capabilities,
        ports: Ports,
        display_name: str = "",
        *,
        rng: random.Random | None = None,
        tls: Tls | None = None,
        make_transport: Callable[[Core, Callable[[Any], None]], Transport] | None = None,
        names: Names | None = None,
        callers: Callers | None = None,
        dscp: int = 0,
    ) -> None:
        """*ports* gives media ports; *callers* are those who may call; without *tls* there are no calls by TLS; *names*
        are asked instead of the system's name servers; *dscp* marks messages.
        """
        super().__init__(callers)
        self._settings = settings
        self._capabilities = capabilities
        self._ports = ports
        self._make_transport = make_transport or functools.partial(Driver, tls=tls, dscp=dscp)
        self._has_tls = settings.tls and tls is not None
        self._h245_ports = range(settings.h245_first_port, settings.h245_last_port + 1)
        called = (display_name or "Visavis", settings.number, *settings.aliases)
        identity = Identity(
            tuple(dict.fromkeys(alias.alias(text) for text in called if text)),
            display_name,
            h245_ports=self._h245_ports,
            tunnelling=settings.tunnelling,
            bitrate=capabilities.bitrate,
            max_sessions=MAX_SESSIONS,
        )
        rng = rng or random.SystemRandom()
        self._terminal = Terminal(identity, rng)
        self._names: Names = names or Dns()
        self._gatekeeper = Gatekeeper(
            settings, identity, self._terminal, rng, self._names, lambda: self.on_registrations_changed()
        )
        self._rng = rng
        self._legs: dict[Session, H323Leg] = {}

    @property
    def addresses(self) -> tuple[str, ...]:
        """What others dial, ready to be shown; for a wildcard the address towards the rest of the world."""
        if self._transport is None:
            return ()
        found = (
            H323Address("", host, port)
            for transport, (listening, port) in self._transport.listeners
            if transport == "tcp" and port not in self._h245_ports and (host := reachable(listening)) is not None
        )
        return tuple(str(address) for address in dict.fromkeys(found))

    @property
    def registrations(self) -> tuple[Registration, ...]:
        """How it stands with the gatekeeper, if there is to be one."""
        return (self._gatekeeper.registration,) if self._settings.gatekeeper else ()

    def handles(self, address: str) -> bool:
        """Whether it begins with ``h323:``."""
        return is_h323(address)

    async def start(self) -> None:
        """Listen on every address for call signalling and H.245."""
        settings = self._settings
        ports = (settings.port, *self._h245_ports)
        wanted = [("tcp", host, port) for host in settings.addresses for port in ports]
        if self._has_tls:
            wanted += [("tls", host, settings.tls_port) for host in settings.addresses]
        if settings.gatekeeper and settings.gatekeeper_transport == "udp":
            wanted += [("udp", host, settings.ras_port) for host in settings.addresses]
        transport = self._make_transport(self._terminal, self._handle)
        await self._listen(transport, wanted)
        self._gatekeeper.start(transport)

    def network_changed(self) -> None:
        """Register from where we are now; connections break, and are made anew."""
        self._gatekeeper.network_changed()

    def _say_goodbye(self) -> None:
        self._gatekeeper.stop(self._require_transport())
        self._names.close()

    def dial(self, address: str) -> Call:
        """Call the address.  CallError: it is no address, or the endpoint is not started."""
        gatekeeper, fast_connect = self._gatekeeper.address, self._settings.fast_connect
        wanted = parse_address(address, with_gatekeeper=gatekeeper is not None)
        leg = self._make_leg(self._require_transport())
        call = self._begin(leg, State.DIALING, str(wanted))
        names = (alias.alias(wanted.alias),) if wanted.alias else ()
        if gatekeeper is not None and not wanted.host:
            # The flow gives our own address only; the gatekeeper says where the call goes.
            leg.dial(Destination(names), [gatekeeper], fast_connect=fast_connect)
            return call
        if is_address(wanted.host):
            secured_for = "" if wanted.secure else None
            there = (wanted.host, wanted.port)
            leg.dial(Destination(names, there), [there], fast_connect=fast_connect, secured_for=secured_for)
        else:
            self._search(leg, self._locate(wanted), functools.partial(self._located, leg, wanted))
        return call

    async def _locate(self, wanted: H323Address) -> Located | None:
        """Look a name up; None: the gatekeeper may know it.  Raises what `locate` does."""
        try:
            return await locate(
                CALL_SIGNALING if wanted.is_domain else "", wanted.host, wanted.port, self._names, self._rng
            )
        except UnknownHostError:
            if wanted.alias and wanted.is_domain and self.has_gatekeeper:
                return None
            raise

    def _located(self, leg: H323Leg, wanted: H323Address, located: Located | None) -> None:
        """Go on with what a name leads to."""
        fast_connect, gatekeeper = self._settings.fast_connect, self._gatekeeper.address
        if located is not None:
            by_service = located.by_service and wanted.alias
            names = wanted.names if by_service else tuple(map(alias.alias, filter(None, [wanted.alias])))
            found = located.addresses
            secured_for = wanted.host if wanted.secure else None
            leg.dial(Destination(names, found[0]), found, fast_connect=fast_connect, secured_for=secured_for)
        elif gatekeeper is not None:
            leg.dial(Destination(wanted.names), [gatekeeper], fast_connect=fast_connect)
        else:
            leg.fail(EndReason.NOT_FOUND, "the gatekeeper is gone")

    def _make_leg(self, transport: Transport) -> H323Leg:
        return H323Leg(self._terminal, transport, self._make_media, self._legs.__setitem__, self._gone, self)

    # h323_transfer.Exchange

    @property
    def has_gatekeeper(self) -> bool:
        """Whether a gatekeeper finds aliases for us."""
        return self._gatekeeper.address is not None

    def call_target(self, target: Target) -> Call:
        """Call whom a far end wants us to call.  CallError: the endpoint is not started."""
        leg = self._make_leg(self._require_transport())
        wanted = target.address
        call = self._begin(leg, State.DIALING, str(wanted))
        if wanted.host and not is_address(wanted.host):
            self._search(leg, self._locate(wanted), functools.partial(self._target_located, leg, target))
        elif wanted.host:
            leg.dial_target(target, [(wanted.host, wanted.port)], fast_connect=self._settings.fast_connect)
        else:
            self._ask_gatekeeper(leg, target)
        return call

    def _target_located(self, leg: H323Leg, target: Target, located: Located | None) -> None:
        """Go on with what the name leads to that a far end gave."""
        if located is None:
            self._ask_gatekeeper(leg, replace(target, address=H323Address(target.address.alias, "")))
            return
        found = [address for address in located.addresses if is_fair(address[0], target.far)]
        if found:
            leg.dial_target(target, found, fast_connect=self._settings.fast_connect)
        else:
            leg.fail(EndReason.REFUSED, "the name leads to this unit's own machine")

    def _ask_gatekeeper(self, leg: H323Leg, target: Target) -> None:
        gatekeeper = self._gatekeeper.address
        if gatekeeper is None:
            leg.fail(EndReason.NOT_FOUND, "the gatekeeper is gone")
        else:
            leg.dial_target(target, [gatekeeper], fast_connect=self._settings.fast_connect)

    def leg_of(self, call: Call) -> H323Leg | None:
        """Give the leg of a call, where it is one of ours."""
        return next((leg for leg, known in self._calls.items() if known is call), None)

    # Events

    def _make_media(self, flow: Flow) -> H323Media:
        crypto = H323Crypto(self._capabilities.encryption, self._rng, allow_weak=self._settings.allow_weak_dh)
        return H323Media(self._capabilities, self._ports, flow.local[0], crypto)

    def _handle(self, event: events.Event) -> None:
        if isinstance(event, events.Incoming):
            self._incoming(event)
            return
        if isinstance(event, ras_event.Registered | ras_event.Unregistered):
            self._gatekeeper.handle(event)
            return
        leg = self._legs.get(event.session)
        if isinstance(event, events.Ended):
            self._legs.pop(event.session, None)
        if leg is not None:
            leg.handle(event)

    def _incoming(self, event: events.Incoming) -> None:
        session, remote = event.session, event.session.remote
        names = (remote.number, *(text for _, text in remote.aliases), *session.flow.shown)
        if not self._admits(session.flow.remote[0], filter(None, names)):
            session.release(causes.H323_CAUSES[EndReason.REFUSED], self._require_transport().now())
            return
        leg = self._make_leg(self._require_transport())
        leg.take(session, event.fast_start)
        # Called back where it called from, at the port that it says; behind a gateway by its number.
        host = session.flow.remote[0]
        secure = session.flow.transport == "tls"
        said = remote.address is not None and remote.address[0] == host
        port = remote.address[1] if remote.address is not None and said else default_port(secure=secure)
        address = H323Address(alias.number(remote.aliases), host, port, secure)
        if session.tunnel is not None and remote.aliases:
            # Only the gatekeeper leads there, and by what it is called alone.
            address = H323Address(alias.number(remote.aliases) or alias.name(remote.aliases), "")
        call = self._begin(leg, State.INCOMING, str(address), party_name(remote))
        self._note_replaced(call, session)
        if leg.suits:
            self.on_call(call)
        else:
            leg.fail(EndReason.NOT_ENCRYPTED, "the caller gives no key that can be used")

    def _note_replaced(self, call: Call, session: Session) -> None:
        """Tell a call that was made by a transfer in the place of which other it stands."""
        replaced = session.services.transfer.replaces
        leg = self._legs.get(replaced) if replaced is not None else None
        call.replaces = leg.call if leg is not None else None
