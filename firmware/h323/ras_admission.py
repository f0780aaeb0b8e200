"""Admission: asking the gatekeeper for each call, telling it of each call's end, and bandwidth in between (H.323 8.1).

::

              ACF, or granted before            disengage (DRQ), DRQ of the gatekeeper
    REQUESTED ------------------------> ADMITTED ------------------------------------> OVER
       |  ^                                                                             ^
       v  | registered anew                              ARJ, silence, disengage        |
    SUSPENDED --------------------------------------------------------------------------+

Rule 1: `admit` ends in exactly one Admitted or Refused, unless `disengage` comes first; at once where the gatekeeper
granted the call with the registration, or where we are not registered.
Rule 2: a gatekeeper that turns out silent, or to have forgotten us, costs a call at most one new registration: the
call is asked for again after it (SUSPENDED), within `PATIENCE`.
Rule 3: an admission outlives a registration: its call goes on, is reported to the next gatekeeper, and its end too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.errors import LocalProtocolError
from firmware.h323.address import decode_transport, encode_transport
from firmware.h323.h460_security import read_tls
from firmware.h323.ras_alias import encode_aliases, encode_usable, read_aliases
from firmware.h323.ras_alternate import alternates_of
from firmware.h323.ras_call import Admission, Refusal, State
from firmware.h323.ras_event import Admitted, BandwidthChanged, DisengageRequested, Refused
from firmware.h323.ras_feature import features
from firmware.h323.ras_grant import BANDWIDTH_UNIT
from firmware.h323.ras_reason import ADMISSION, FORGOTTEN, NO_ANSWER, NOT_REGISTERED
from firmware.h323.ras_registration import gatekeeper_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from firmware.h323.ras_call import CallInformation
    from firmware.h323.ras_event import Event
    from firmware.h323.ras_message import Body
    from firmware.h323.ras_registration import Registration
    from firmware.h323.ras_settings import Settings
    from firmware.h323.ras_transaction import Answer, Transactions
    from firmware.sansio import Address, Flow

PATIENCE: Final = 20.0
"""Seconds that a call waits for a new registration."""
MAX_ADDRESSES: Final = 8
"""Further addresses of the called party that are looked at."""
MAX_BANDWIDTH: Final = 0xFFFFFFFF * BANDWIDTH_UNIT
"""bit/s"""


class Admissions:
    """All calls of one client, admitted or about to be."""

    def __init__(
        self,
        settings: Settings,
        transactions: Transactions,
        registration: Registration,
        report: Callable[[Event], None],
    ) -> None:
        self._settings = settings
        self._transactions = transactions
        self._registration = registration
        self._report = report
        self._all: list[Admission] = []

    def __iter__(self) -> Iterator[Admission]:
        return iter(list(self._all))

    def __len__(self) -> int:
        return len(self._all)

    def find(self, body: Body) -> Admission | None:
        """Give the admitted call that a message speaks of, by its callIdentifier, else by its callReferenceValue."""
        identifier = body["callIdentifier"]["guid"] if "callIdentifier" in body else bytes(16)
        found = [a for a in self._all if a.state is State.ADMITTED]
        if any(identifier):
            found = [a for a in found if a.call.call_identifier == identifier]
        else:
            found = [a for a in found if a.call.call_reference == body["callReferenceValue"] & 0x7FFF]
        # A call to ourselves has two legs, which only this tells apart.
        side = [a for a in found if a.call.answer is body.get("answeredCall", a.call.answer)]
        return next(iter(side or found), None)

    def admit(self, call: CallInformation, now: float) -> Admission:
        """Ask for a call.  LocalProtocolError: there are too many.  ValueError: an alias can't be one."""
        if len(self._all) >= self._settings.max_calls:
            raise LocalProtocolError(f"{self._settings.max_calls} calls are admitted: disengage one first")
        if not call.answer:
            # What a caller names itself is not our mistake; what we dial, is.
            encode_aliases([*call.destination, *call.source])
        admission = Admission(call)
        self._all.append(admission)
        if self._registration.registered:
            if not self._grant(admission, now):
                self._ask(admission, now)
        elif self._registration.trying:
            self._suspend(admission, now)
        else:
            self._refuse(admission, NOT_REGISTERED, {})
        return admission

    def disengage(self, admission: Admission, now: float, *, cause: int | None = None) -> None:
        """Tell that a call is over, for the Q.850 cause value given; once is enough."""
        state = admission.state
        if state is State.OVER:
            return
        self._end(admission)
        flow = self._registration.flow
        if not self._registration.registered or flow is None or not admission.tries:
            return
        if state is State.REQUESTED:
            # The gatekeeper may count the call already: it hears of its end as of any other.
            self._transactions.forget(admission.request)
        body: Body = {**self._call(admission), "disengageReason": ("normalDrop", None)}
        body["answeredCall"] = admission.call.answer
        if cause is not None:
            # Q.850 2.1: coding standard ITU-T, location user; then the cause value
            body["terminationCause"] = ("releaseCompleteCauseIE", bytes([0x80, 0x80 | cause & 0x7F]))
        self._transactions.request("disengageRequest", body, flow, now, lambda _answer, _at: None)

    def change_bandwidth(self, admission: Admission, bandwidth: int, now: float) -> None:
        """Ask for more or less (bit/s); BandwidthChanged says what came of it.

        LocalProtocolError: the call is not admitted, or we are not registered.
        """
        flow = self._registration.flow
        if admission.state is not State.ADMITTED or not self._registration.registered or flow is None:
            raise LocalProtocolError("bandwidth is changed while a call is admitted and we are registered")
        body = {**self._call(admission), "bandWidth": _units(bandwidth), "answeredCall": admission.call.answer}
        self._transactions.request(
            "bandwidthRequest", body, flow, now, lambda answer, _at: self._bandwidth_answered(admission, answer)
        )

    # What the gatekeeper wants

    def take_bandwidth(self, admission: Admission, units: int) -> None:
        """Obey a BRQ of the gatekeeper's."""
        admission.bandwidth = units * BANDWIDTH_UNIT
        self._report(BandwidthChanged(admission))

    def take_disengage(self, admission: Admission, reason: str) -> None:
        """Obey a DRQ of the gatekeeper's."""
        self._end(admission)
        self._report(DisengageRequested(admission, reason))

    # The registration below, and time

    def registration_changed(self, now: float) -> None:
        """Ask again for calls that wait for a registration, or give them up when there will be none soon."""
        for admission in self:
            if admission.state is State.SUSPENDED and self._registration.registered:
                if not self._grant(admission, now):
                    self._ask(admission, now)
            elif admission.state in {State.SUSPENDED, State.REQUESTED} and not (
                self._registration.registered or self._registration.trying
            ):
                self._transactions.forget(admission.request)
                self._refuse(admission, NO_ANSWER if admission.tries else NOT_REGISTERED, {})

    def timer(self) -> float | None:
        """When handle_timer is wanted, or None."""
        return min((a.deadline for a in self._all if a.deadline is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Give up what has waited long enough."""
        for admission in self:
            if admission.deadline is not None and admission.deadline <= now:
                self._refuse(admission, NO_ANSWER, {})

    # One admission

    def _grant(self, admission: Admission, now: float) -> bool:
        """Admit what was granted with the registration (H.225.0 7.9.2: preGrantedARQ); whether it was."""
        call, grant = admission.call, self._registration.grant
        granted, gatekeeper = grant.pre_granted, grant.call_signal_address
        if granted.total_bandwidth is not None:
            used = sum(a.bandwidth for a in self._all if a.state is State.ADMITTED)
            if used + call.bandwidth > granted.total_bandwidth:
                return False
        if call.answer:
            routed = granted.answer_routed
            from_gatekeeper = (
                gatekeeper is not None and call.source_address is not None and call.source_address[0] == gatekeeper[0]
            )
            if not granted.answer or (routed and not from_gatekeeper):
                return False
        else:
            routed = granted.make_routed
            address = gatekeeper if routed else call.destination_address
            if not granted.make or address is None:
                return False
            admission.address = address
            if routed and grant.tls_address is not None:
                self._secure(admission, grant.tls_address)
        admission.routed = routed
        self._admit(admission, granted.report_interval, now)
        return True

    def _ask(self, admission: Admission, now: float, flow: Flow | None = None) -> None:
        call, settings = admission.call, self._settings
        flow = flow or self._registration.flow
        if flow is None:
            self._refuse(admission, NOT_REGISTERED, {})
            return
        ours = encode_aliases(settings.identity.aliases)
        body: Body = {
            **self._call(admission),
            "callType": ("pointToPoint", None),
            "bandWidth": _units(call.bandwidth),
            "srcInfo": encode_usable(call.source) if call.answer or call.source else ours,
            "activeMC": False,
            "answerCall": call.answer,
            "canMapAlias": True,
            "willSupplyUUIEs": False,
            **features(settings),
        }
        destination = encode_usable(call.destination) or (ours if call.answer else [])
        if destination:
            body["destinationInfo"] = destination
        if call.destination_address is not None:
            body["destCallSignalAddress"] = encode_transport(call.destination_address)
        source = call.source_address if call.answer else settings.call_signal_address
        if source is not None:
            body["srcCallSignalAddress"] = encode_transport(source)
        admission.state = State.REQUESTED
        admission.deadline = None
        admission.tries += 1
        admission.generation = self._registration.generation
        admission.asked.add(flow.remote)
        admission.request = self._transactions.request(
            "admissionRequest", body, flow, now, lambda answer, at: self._answered(admission, answer, at)
        )

    def _answered(self, admission: Admission, answer: Answer, now: float) -> None:
        if admission.state is not State.REQUESTED:
            return
        if answer.confirmed:
            self._confirmed(admission, answer.body, now)
        elif not self._asked_elsewhere(admission, answer, now):
            self._refuse(admission, answer.reason, answer.body)

    def _confirmed(self, admission: Admission, body: Body, now: float) -> None:
        address = decode_transport(body["destCallSignalAddress"])
        if address is None and not admission.call.answer:
            self._refuse(admission, "undefinedReason", {})
            return
        others = [decode_transport(a) for e in body.get("alternateEndpoints", []) for a in e["callSignalAddress"]]
        admission.address = address
        admission.alternatives = tuple(a for a in others if a is not None)[:MAX_ADDRESSES]
        if self._settings.tls_address is not None and address is not None and not admission.call.answer:
            secured = read_tls(body, address[0])
            if secured is not None:
                self._secure(admission, secured)
        admission.routed = body["callModel"][0] == "gatekeeperRouted"
        admission.bandwidth = min(body["bandWidth"] * BANDWIDTH_UNIT, admission.call.bandwidth)
        admission.destination = read_aliases(body.get("destinationInfo", [])) or admission.destination
        admission.extra = read_aliases(body.get("destExtraCallInfo", []))
        admission.remote_extension = read_aliases(body.get("remoteExtensionAddress", []))
        admission.tokens = tuple(body.get("tokens", ()))[:MAX_ADDRESSES]
        admission.acknowledges_reports = body.get("willRespondToIRR", False)
        self._admit(admission, body.get("irrFrequency"), now)

    def _secure(self, admission: Admission, address: Address) -> None:
        """Let a call go by TLS, and by nothing else (H.460.22)."""
        admission.address = address
        admission.domain = self._registration.domain_of(address[0])
        admission.alternatives = ()

    def _admit(self, admission: Admission, report_interval: float | None, now: float) -> None:
        admission.state = State.ADMITTED
        admission.deadline = None
        admission.tries = max(admission.tries, 1)
        admission.report_interval = report_interval
        admission.report_due = None if report_interval is None else now + report_interval
        self._report(Admitted(admission))

    def _asked_elsewhere(self, admission: Admission, answer: Answer, now: float) -> bool:
        """Go on after a reject that need not be the last word (H.323 7.2.6); whether that was so."""
        alternates = alternates_of(answer.body)
        if alternates is not None and not alternates[1] and not answer.flow.reliable:
            # altGKisPermanent is false: only this request goes elsewhere; inside call signalling, so would the call.
            for gatekeeper in alternates[0]:
                if not gatekeeper.need_to_register and gatekeeper.address not in admission.asked:
                    flow = self._registration.flow
                    if flow is not None and admission.tries < MAX_ADDRESSES:
                        self._ask(admission, now, type(flow)(flow.transport, flow.local, gatekeeper.address))
                        return True
        moves = alternates is not None and bool(alternates[0])
        if not (answer.reason in FORGOTTEN or moves) or admission.tries > 1:
            return False
        self._suspend(admission, now)
        if admission.generation == self._registration.generation:
            # Not so if another call has found out before, and we are registered anew.
            self._registration.lose(answer.reason, now, answer.body)
        if self._registration.registered and admission.state is State.SUSPENDED:
            self._ask(admission, now)
        return True

    def _suspend(self, admission: Admission, now: float) -> None:
        admission.state = State.SUSPENDED
        admission.deadline = now + PATIENCE

    def _bandwidth_answered(self, admission: Admission, answer: Answer) -> None:
        if admission.state is not State.ADMITTED:
            return
        if answer.confirmed:
            admission.bandwidth = answer.body["bandWidth"] * BANDWIDTH_UNIT
        self._report(BandwidthChanged(admission, answer.reason))

    def _refuse(self, admission: Admission, reason: str, body: Body) -> None:
        self._end(admission)
        addresses = [decode_transport(value) for value in body.get("callSignalAddress", [])]
        rejected = body.get("rejectReason", ("", None))
        numbers = rejected[1] if rejected[0] == "routeCallToSCN" else []
        refusal = Refusal(
            reason,
            ADMISSION.get(reason, ADMISSION["undefinedReason"]),
            tuple(address for address in addresses if address is not None)[:MAX_ADDRESSES],
            tuple(text for kind, text in read_aliases([("partyNumber", n) for n in numbers]))[:MAX_ADDRESSES],
        )
        self._report(Refused(admission, refusal))

    def _end(self, admission: Admission) -> None:
        admission.state = State.OVER
        admission.deadline = admission.report_due = None
        self._all.remove(admission)

    def _call(self, admission: Admission) -> Body:
        """Give the components by which every request about a call names it."""
        call = admission.call
        return {
            "endpointIdentifier": self._registration.endpoint_identifier,
            "conferenceID": call.conference_id,
            "callReferenceValue": call.call_reference,
            "callIdentifier": {"guid": call.call_identifier},
            **gatekeeper_identifier(self._registration.gatekeeper),
        }


def _units(bandwidth: int) -> int:
    """Give bit/s in the unit of BandWidth, rounded up."""
    return -(-min(max(bandwidth, 0), MAX_BANDWIDTH) // BANDWIDTH_UNIT)
