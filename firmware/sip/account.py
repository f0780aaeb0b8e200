"""An account: an address of record at some server, and what calls and registrations by it have in common.

- Who answers at one of the account's servers is found by DNS; nobody else is shown the password.
- What leaves by an account has its address in From and its own Contact, takes its route, and shows its password where
  it is asked for.
- The Contact has a parameter ``line`` that nobody can guess, which comes back in the Request-URI of what the account's
  server sends: so an incoming call is known to be one of the account's, whatever stands in its To.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from firmware.sip.authentication import Authenticator, Credential
from firmware.sip.grammar import with_parameter
from firmware.sip.header import NameAddr
from firmware.sip.uri import Uri, as_sips

if TYPE_CHECKING:
    import random

    from firmware.sansio import Flow
    from firmware.sip.message import Request

LINE: Final = "line"
"""The URI parameter that tells accounts apart; no standard's, but phones have long used it and servers keep it."""


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """What an account is made of."""

    address: Uri
    """The address of record, ``sip:user@domain``."""
    display_name: str = ""
    credential: Credential | None = None
    registrar: Uri | None = None
    """Where to register; None: at the domain of the address."""
    proxy: Uri | None = None
    """The outbound proxy, by which all requests of the account go; None: they go to the registrar's host."""
    expires: int = 3600
    """Seconds for which to register; the registrar has the last word."""
    instance: str = ""
    """A URN that stays the same over restarts, by which the server knows this unit again (RFC 5626 4.1); "": none."""
    flow_number: int = 1
    """Tells the flow from those of other accounts of this address, by which it is reached as well (RFC 5626 4.2)."""


class Account:
    """One account of a user agent."""

    def __init__(self, settings: AccountSettings, rng: random.Random) -> None:
        self.settings: Final = settings
        self.line: Final = f"{rng.getrandbits(64):016x}"
        self.authenticator: Final = (
            Authenticator(settings.credential, settings.address.host, rng) if settings.credential else None
        )
        self.flow: Flow | None = None
        """The flow by which the account is registered, as long as it is."""
        self.hosts: set[str] = set()
        """The addresses of the account's servers, by which the settings and DNS name them; they see the password."""
        self.service_route: tuple[NameAddr, ...] = ()
        """What the registrar wants before the target in our requests (RFC 3608)."""
        self.outbound = False
        """Whether the server keeps to RFC 5626: what is for us comes by the flow that we registered on."""

    @property
    def from_address(self) -> NameAddr:
        """What stands in From, without a tag."""
        return NameAddr(self.settings.display_name, self.settings.address)

    @property
    def registrar(self) -> Uri:
        """The Request-URI of a REGISTER (RFC 3261 10.2): no user."""
        at = self.settings.registrar or self.settings.address
        return Uri(at.scheme, None, at.host, at.port)

    @property
    def server(self) -> Uri:
        """Where requests go that have no other way."""
        return self.settings.proxy or self.registrar

    @property
    def proxy_route(self) -> str:
        """The outbound proxy as the value of a Route; "" without one."""
        proxy = self.settings.proxy
        if proxy is None:
            return ""
        return f"<{replace(proxy, parameters=with_parameter(proxy.parameters, 'lr', None))}>"

    def contact(self, flow: Flow, *, dialog: bool) -> Uri:
        """Where the account's requests reach us; *dialog*: those of a dialog (RFC 5626 4.3, ob)."""
        host, port = flow.local
        parameters = (("transport", flow.transport),) if flow.reliable else ()
        uri = Uri("sip", self.settings.address.user, host.partition("%")[0], port, parameters=parameters)
        if self.settings.address.scheme == "sips":
            uri = as_sips(uri)  # RFC 5630 5.1.1.1: who is to be reached by SIPS registers so
        line = replace(uri, parameters=with_parameter(uri.parameters, LINE, self.line))
        if dialog and self.outbound:
            return replace(line, parameters=(*line.parameters, ("ob", None)))
        return line

    def route(self, request: Request) -> None:
        """Give a request outside of a dialog its Route (RFC 3261 8.1.2): proxy and service route."""
        proxy, service = self.settings.proxy, self.service_route
        hops = [str(hop) for hop in service]
        if proxy is not None and not (service and service[0].uri.host.lower() == proxy.host.lower()):
            # RFC 3608 leaves how both go together to us: the proxy is what we reach first.
            hops.insert(0, self.proxy_route)
        if request.uri.scheme == "sips":
            # RFC 5630 5.1.1: "the UAC MUST change any SIP URI in the route set to a SIPS URI".
            hops = [str(replace(hop, uri=as_sips(hop.uri))) for hop in map(NameAddr.parse, hops)]
        for hop in hops:
            request.headers.add("Route", hop)

    def trust(self, *flows: Flow) -> None:
        """Take that these lead to the account's server; those of before don't any more, but for that in use."""
        kept = (self.flow,) if self.flow is not None else ()
        self.hosts = {flow.remote[0] for flow in (*flows, *kept)}

    def owns(self, request: Request, flow: Flow) -> bool:
        """Whether a request that came is for this account: by the parameter of our Contact, or a server's by its To."""
        line = request.uri.parameter(LINE)
        if line is not None:
            return line == self.line
        to, ours = request.to.uri, self.settings.address
        return flow.remote[0] in self.hosts and (to.user, to.host.lower()) == (ours.user, ours.host.lower())
