"""The gatekeeper's word on each call: asked before it is made or answered, told when it is over (H.323 8.1.2, 8.5).

Rule 1: without a gatekeeper, or while we are registered with none, calls go on unasked.
Rule 2: an incoming call that the gatekeeper has not allowed yet is the application's business neither by an event nor
by its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.errors import LocalProtocolError
from firmware.h323 import ras_event
from firmware.h323.address import encode_transport
from firmware.h323.call_message import facility
from firmware.h323.cause import Cause
from firmware.h323.events import Bandwidth
from firmware.h323.q931 import MessageType
from firmware.h323.ras_alias import encode_aliases
from firmware.h323.ras_call import CallInformation
from firmware.h323.ras_reason import Failure

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.h323.address import Alias
    from firmware.h323.events import Event, Incoming
    from firmware.h323.identity import Destination, Identity
    from firmware.h323.ras import RasClient
    from firmware.h323.ras_call import Admission, Refusal
    from firmware.h323.session import Session


MAX_ALTERNATIVES: Final = 4
"""Addresses of the called party that are tried beside the first."""


class Gate:
    """Which call has which admission.  *events* is where the terminal's events are collected."""

    def __init__(self, identity: Identity, client: RasClient | None, events: list[Event]) -> None:
        self.client = client
        self._identity, self._events = identity, events
        self._admissions: dict[Session, Admission] = {}
        self._waiting: dict[Session, Incoming] = {}

    def __len__(self) -> int:
        return len(self._admissions)

    def replace(self, client: RasClient, now: float) -> None:
        """Ask this client from now on.  Who waits for the one before is refused; what that has admitted goes on."""
        if self.client is not None:
            self.client.stop(now)
            self.collect(now)
            self._admissions.clear()
        self.client = client

    def call(self, session: Session, destination: Destination, now: float) -> None:
        """Let a call of ours begin, if need be after the gatekeeper has said where it goes.

        LocalProtocolError: there are too many connections or admissions.
        """
        if self.client is None or not self.client.registered:
            session.connect(now)
            return
        information = self._information(
            session, answer=False, destination=destination.aliases, destination_address=destination.address
        )
        self._admissions[session] = self.client.admit(information, now)

    def answer(self, incoming: Incoming, called: tuple[Alias, ...], now: float) -> None:
        """Report an incoming call, if need be after the gatekeeper has allowed it."""
        session = incoming.session
        if self.client is None or not self.client.registered:
            session.announce(incoming)
            return
        information = self._information(session, answer=True, destination=called)
        try:
            self._admissions[session] = self.client.admit(information, now)
        except (LocalProtocolError, ValueError):
            session.finish(Cause.RESOURCE_UNAVAILABLE, now, detail="no admission can be asked for")
            return
        self._waiting[session] = incoming

    def ended(self, session: Session, cause: int | None, now: float) -> None:
        """Take that a call is over."""
        self._waiting.pop(session, None)
        admission = self._admissions.pop(session, None)
        if admission is not None and self.client is not None:
            self.client.disengage(admission, now, cause=cause)

    def collect(self, now: float) -> None:
        """Do what the gatekeeper's answers ask for."""
        for event in self.client.events() if self.client is not None else ():
            match event:
                case ras_event.Admitted(admission=admission):
                    self._admitted(admission, now)
                case ras_event.Refused(admission=admission, refusal=refusal):
                    self._refused(admission, refusal, now)
                case ras_event.DisengageRequested(admission=admission, reason=reason):
                    session = self._pop(admission)
                    if session is not None:
                        session.finish(Cause.NORMAL_CALL_CLEARING, now, detail=f"DisengageRequest {reason}")
                case ras_event.BandwidthChanged(admission=admission):
                    self._limited(admission)
                case _:
                    self._events.append(event)

    def _admitted(self, admission: Admission, now: float) -> None:
        session = next((s for s, a in self._admissions.items() if a is admission), None)
        if session is None:
            return
        session.routed = admission.routed or session.tunnel is not None
        incoming = self._waiting.pop(session, None)
        if incoming is not None:
            session.announce(incoming)
            self._limited(admission)
            return
        self._limited(admission)
        if admission.address is None:
            session.finish(Cause.NO_ROUTE_TO_DESTINATION, now, detail="the gatekeeper gave no address")
            return
        addresses = (admission.address, *admission.alternatives[:MAX_ALTERNATIVES])
        try:
            body = self._setup_body(admission)
            session.connect(now, addresses=addresses, body=body, domain=admission.domain)
        except (LocalProtocolError, ValueError) as error:
            session.finish(Cause.RESOURCE_UNAVAILABLE, now, detail=str(error))

    def _limited(self, admission: Admission) -> None:
        session = next((s for s, a in self._admissions.items() if a is admission), None)
        if session is not None and session.announced:
            # H.225.0 7.11.1: what is admitted is the sum of both directions.
            self._events.append(Bandwidth(session, admission.bandwidth // 2))

    def _refused(self, admission: Admission, refusal: Refusal, now: float) -> None:
        session = self._pop(admission)
        if session is None:
            return
        if refusal.meaning.failure is Failure.REDIRECTED and refusal.addresses and not session.outgoing:
            # H.323 8.1.4: the caller is to come again by way of our gatekeeper.
            body = facility("routeCallToGatekeeper")
            body["alternativeAddress"] = encode_transport(refusal.addresses[0])
            session.send(MessageType.FACILITY, body)
        session.finish(refusal.meaning.cause, now, detail=f"AdmissionReject {refusal.reason}")

    def _pop(self, admission: Admission) -> Session | None:
        session = next((s for s, a in self._admissions.items() if a is admission), None)
        if session is not None:
            del self._admissions[session]
        return session

    def _information(
        self,
        session: Session,
        *,
        answer: bool,
        destination: tuple[Alias, ...],
        destination_address: tuple[str, int] | None = None,
    ) -> CallInformation:
        return CallInformation(
            session.call_identifier,
            session.conference_id,
            session.call_reference,
            answer,
            2 * self._identity.bitrate,
            destination=destination or (self._identity.aliases if answer else ()),
            destination_address=session.flow.local if answer else destination_address,
            source=session.remote.aliases if answer else self._identity.aliases,
            source_address=session.flow.remote if answer else None,
        )

    def _setup_body(self, admission: Admission) -> dict[str, Value]:
        """Give what a Setup says because of the gatekeeper (H.225.0 7.11.2).  ValueError: that can't be written."""
        body: dict[str, Value] = {}
        if self.client is not None and self.client.endpoint_identifier:
            # H.225.0 7.3.10: so that a gatekeeper that routes the call knows whose it is.
            body["endpointIdentifier"] = self.client.endpoint_identifier
        if admission.destination:
            body["destinationAddress"] = encode_aliases(admission.destination)
        if admission.extra:
            body["destExtraCallInfo"] = encode_aliases(admission.extra)
        if admission.remote_extension:
            body["remoteExtensionAddress"] = encode_aliases(admission.remote_extension[:1])[0]
        if admission.tokens:
            body["tokens"] = list(admission.tokens)
        return body
