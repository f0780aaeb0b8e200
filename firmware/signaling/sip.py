"""The SIP endpoint: a user agent on its sockets, and the calls that it makes and takes.

Rule 1: an address that is no name is called at once; a name is looked up first, and the call is DIALING meanwhile.
Rule 2: an INVITE whose offer is of no use here is refused without troubling the room.
"""

from __future__ import annotations

import functools
import logging
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from firmware.call.call import Call, EndReason, State
from firmware.errors import DecodeError, FirmwareError
from firmware.net.address import is_near
from firmware.net.dns import Dns
from firmware.net.driver import Driver
from firmware.net.resolver import is_address
from firmware.signaling import causes, sip_media
from firmware.signaling.endpoint import MAX_SESSIONS, BaseEndpoint, reachable, readable_name
from firmware.signaling.fair import is_fair
from firmware.signaling.sip_accounts import Accounts
from firmware.signaling.sip_address import is_sip, parse_address
from firmware.signaling.sip_certificate import make_certificate
from firmware.signaling.sip_failures import Failures
from firmware.signaling.sip_leg import SipLeg
from firmware.signaling.sip_location import Candidate, direct, locate
from firmware.signaling.sip_media import NoCommonMediaError, SipMedia
from firmware.signaling.sip_srtp import SipSrtp
from firmware.sip import events
from firmware.sip.identity import Identity
from firmware.sip.transport import DEFAULT_PORTS
from firmware.sip.uri import Uri, as_sips, escape_user
from firmware.sip.user_agent import UserAgent

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware import config
    from firmware.call.callers import Callers
    from firmware.call.media import Capabilities
    from firmware.call.registration import Registration
    from firmware.net.dns import Names
    from firmware.net.tls import Tls
    from firmware.sansio import Address, Core, Flow
    from firmware.signaling.endpoint import Ports, Transport
    from firmware.signaling.sip_certificate import Certificate
    from firmware.signaling.sip_ice import Gatherer, SipIce
    from firmware.signaling.sip_transfer import Target
    from firmware.sip.header import NameAddr
    from firmware.sip.invite import InviteSession
    from firmware.sip.message import Request

logger = logging.getLogger(__name__)

_SCHEMES: Final = ("sip", "sips")


class SipEndpoint(BaseEndpoint[SipLeg]):
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
        tls: Tls | None = None,
        certificate: Certificate | None = None,
        names: Names | None = None,
        make_transport: Callable[[Core, Callable[[Any], None]], Transport] | None = None,
        delayed_offer: bool = False,
        callers: Callers | None = None,
        dscp: int = 0,
        gather: Callable[[Address], Gatherer] | None = None,
    ) -> None:
        """*ports* gives media ports; without *tls* that transport of the settings is passed over; *certificate* is for
        handshakes of DTLS, made when wanted if there is none; *names* are asked instead of the system's name servers;
        *delayed_offer* lets the far end offer first in calls that we make; *dscp* marks messages; *gather* finds out
        where a reserved pair of ports is reached; without, there is no ICE.
        """
        super().__init__(callers)
        self._settings = settings
        self._capabilities = capabilities
        self._ports = ports
        self._rng = rng or random.SystemRandom()
        self._make_transport = make_transport or functools.partial(Driver, tls=tls, dscp=dscp)
        self._names: Names = names or Dns()
        self._failures = Failures()
        self._transports = tuple(way for way in settings.transports if way != "tls" or tls is not None)
        self._delayed_offer = delayed_offer
        identity = Identity(
            escape_user(settings.user), display_name, max_sessions=MAX_SESSIONS, tls_port=settings.tls_port
        )
        self._agent = UserAgent(identity, self._rng)
        self._agent.admits = self._admits_request
        self._legs: dict[InviteSession, SipLeg] = {}
        self._accounts = Accounts(settings, display_name, self._agent, self._registrations_changed)
        self._certificate = certificate
        self._gather = gather

    @property
    def addresses(self) -> tuple[str, ...]:
        """What others dial, ready to be shown: where this unit is registered, then where it is itself.

        For a wildcard that is the address towards the rest of the world.
        """
        if self._transport is None:
            return ()
        found: dict[str, str] = {}
        for transport, (listening, port) in sorted(self._transport.listeners, key=_shown_order):
            host = reachable(listening)
            if host is None:
                continue
            parameters = () if transport == "udp" else (("transport", transport),)
            shown_port = port if port != DEFAULT_PORTS[transport] else None
            uri = Uri("sip", escape_user(self._settings.user), host, shown_port, parameters=parameters)
            found.setdefault(host, str(as_sips(uri) if transport == "tls" else uri))
        return tuple(dict.fromkeys([*map(str, self._accounts.registered), *found.values()]))

    @property
    def registrations(self) -> tuple[Registration, ...]:
        """How it stands with the servers of the accounts."""
        return self._accounts.registrations

    def handles(self, address: str) -> bool:
        """Whether it begins with ``sip:`` or ``sips:``."""
        return is_sip(address)

    async def start(self) -> None:
        """Listen on every address by every transport of the settings."""
        transport = self._make_transport(self._agent, self._handle)
        settings = self._settings
        wanted = [(way, host, self._port(way)) for host in settings.addresses for way in self._transports]
        await self._listen(transport, wanted)
        hosts = (reachable(host) for _, (host, _) in transport.listeners)
        host = next((host for host in hosts if host is not None), "127.0.0.1")
        self._agent.capabilities = sip_media.describe(self._capabilities, host)
        self._accounts.start(transport, self)

    def network_changed(self) -> None:
        """Register from where we are now, and go on with calls from there."""
        self._accounts.network_changed()
        for leg in tuple(self._calls):
            leg.network_changed()

    def dial(self, address: str) -> Call:
        """Call the address.  CallError: it is no address, or the endpoint is not started."""
        return self._call(self.read_address(address))

    # sip_transfer.Exchange

    def read_address(self, text: str) -> Uri:
        """Read what a person has written; a bare number or name is one of the default account's server.  CallError."""
        return self._accounts.complete(text) or parse_address(text)

    def call_target(self, target: Target) -> Call:
        """Call whom a far end wants us to call.  CallError: the endpoint is not started."""
        return self._call(target.uri, target)

    def call_again(self, leg: SipLeg, target: Target) -> None:
        """Let a leg that is dialling call somebody else."""
        self._find(leg, target.uri, target)

    def leg_of(self, call: Call) -> SipLeg | None:
        """Give the leg of a call, where it is one of ours."""
        return next((leg for leg, known in self._calls.items() if known is call), None)

    def _say_goodbye(self) -> None:
        self._names.close()

    # Dialling

    def _port(self, transport: str) -> int:
        return self._settings.tls_port if transport == "tls" else self._settings.port

    def _call(self, uri: Uri, wanted: Target | None = None) -> Call:
        """Call the address, of our own will or because a far end *wanted* it."""
        leg = self._make_leg(self._require_transport())
        call = self._begin(leg, State.DIALING, str(uri))
        self._find(leg, uri, wanted)
        return call

    def _find(self, leg: SipLeg, uri: Uri, wanted: Target | None) -> None:
        """Let a leg call the address once it is known where that is: by an account at its server."""
        account = self._accounts.calling(uri)
        fields = wanted.fields if wanted is not None else ()

        def invite(found: list[Candidate]) -> None:
            if wanted is not None and account is None:
                found = [candidate for candidate in found if is_fair(candidate.address[0], wanted.far)]
            found = self._failures.last(found, self._require_transport().now())
            leg.invite(uri, found, self._delayed_offer, fields, account)

        secure = uri.scheme == "sips"
        if account is not None and account.flow is not None and (account.flow.transport == "tls" or not secure):
            flow = account.flow
            invite([Candidate(flow.transport, flow.remote, flow.domain)])
            return
        server = uri if account is None else self._accounts.server(account)
        if secure:
            server = as_sips(server)  # RFC 5630 4: TLS on every hop, the first one too
        try:
            candidates = direct(server, self._transports)
        except FirmwareError as error:
            leg.fail(EndReason.UNREACHABLE, str(error))
            return
        if candidates is not None:
            invite(candidates)
        else:
            self._search(leg, locate(server, self._transports, self._names, self._rng), invite)

    def _make_leg(self, transport: Transport) -> SipLeg:
        return SipLeg(self._agent, transport, self._make_media, self._legs.__setitem__, self._gone, self)

    def _make_media(self, flow: Flow) -> SipMedia:
        srtp = SipSrtp(
            self._capabilities.encryption,
            self._rng,
            self._own_certificate,
            self._settings.srtp,
            clear_signalling=flow.transport != "tls",
        )
        session_id = self._rng.getrandbits(62)
        return SipMedia(self._capabilities, self._ports, flow.local[0], session_id, srtp, self._make_ice(flow))

    def _make_ice(self, flow: Flow) -> SipIce | None:
        if self._gather is None:
            return None
        from firmware.signaling.sip_ice import SipIce  # only where it is wanted

        return SipIce(self._gather, self._rng, near=is_near(flow.local[0], flow.remote[0]))

    def _own_certificate(self) -> Certificate:
        self._certificate = self._certificate or make_certificate()
        return self._certificate

    # sip_accounts.Finder

    def ways(self, uri: Uri) -> list[Flow] | None:
        """Give the flows to a server; None: its name must be looked up first.  FirmwareError: there is none."""
        candidates = direct(uri, self._transports)
        return None if candidates is None else self._flows(candidates)

    async def find_ways(self, uri: Uri) -> list[Flow]:
        """Look a server's name up, and give the flows.  FirmwareError: there is none."""
        return self._flows(await locate(uri, self._transports, self._names, self._rng))

    def _flows(self, candidates: list[Candidate]) -> list[Flow]:
        transport, failure = self._require_transport(), FirmwareError("there is no way to the server")
        flows: list[Flow] = []
        for candidate in candidates:
            try:
                flows.append(transport.local_flow(*candidate))
            except FirmwareError as error:
                failure = error
        if not flows:
            raise failure
        return flows

    def _registrations_changed(self) -> None:
        self.on_registrations_changed()
        self._check_gone()

    @property
    def _busy(self) -> bool:
        return super()._busy or self._accounts.busy

    def _unregister(self) -> None:
        self._accounts.stop()

    # Events

    def _handle(self, event: events.Event) -> None:
        if isinstance(event, events.Incoming):
            self._incoming(event)
        elif isinstance(event, events.ServerWanted | events.RegistrationChanged):
            self._accounts.handle(event)
        elif not isinstance(event, events.OptionsAnswered):
            leg = self._legs.get(event.session)
            if isinstance(event, events.Ended):
                self._legs.pop(event.session, None)
            self._note_failure(event)
            if leg is not None:
                leg.handle(event)

    def _note_failure(self, event: events.Event) -> None:
        """Remember by which server calls come to nothing, and by which they get somewhere."""
        if isinstance(event, events.Ended):
            failed = event.silent or (event.by_far_end and event.status == 503)
            if failed and self._transport is not None:
                self._failures.note(event.session.flow, self._transport.now())
        elif isinstance(event, events.Progress | events.Accepted):
            self._failures.forget(event.session.flow)

    def _admits_request(self, request: Request, flow: Flow) -> bool:
        uri = request.from_.uri
        return self._admits(flow.remote[0], (f"{uri.user}@{uri.host}", uri.unescaped_user, uri.host, *flow.shown))

    def _incoming(self, event: events.Incoming) -> None:
        transport, session = self._transport, event.session
        if transport is None:
            return
        leg = self._make_leg(transport)
        try:
            leg.take(session, event.offer)
        except (DecodeError, NoCommonMediaError) as error:
            status, words = (error.status, "") if isinstance(error, DecodeError) else causes.SIP_FAILURES[error.reason]
            logger.info("= sip %s called and was refused with %d: %s", session.remote.uri, status, error)
            session.reject(status, transport.now(), words)
            return
        name = readable_name(session.remote.display_name)
        call = self._begin(leg, State.INCOMING, str(caller(session.remote, session)), name)
        replaced = self._legs.get(event.replaces) if event.replaces is not None else None
        call.replaces = replaced.call if replaced is not None else None
        self.on_call(call)


def _shown_order(listener: tuple[str, Address]) -> bool:
    """Put TLS last: who can't do without it knows how to ask for it."""
    return listener[0] == "tls"


def caller(remote: NameAddr, session: InviteSession) -> Uri:
    """Give the address by which a caller can be called back.

    Its From if that names a domain, or if it came by an account; a unit without one says its address there, but its
    port only in Contact.
    """
    uri, target = remote.uri, session.remote_target
    strange = uri.scheme not in _SCHEMES or target.scheme not in _SCHEMES
    if session.account is not None or strange or not is_address(uri.host):
        return replace(uri, parameters=(), headers=())
    transport = tuple(pair for pair in target.parameters if pair[0].lower() == "transport" and pair[1] != "udp")
    return Uri(target.scheme, uri.user or target.user, target.host, target.port, parameters=transport)
