"""Information: telling the gatekeeper which calls there are, when it asks (IRQ) and unasked (H.225.0 7.15).

Rule: a report that the gatekeeper promised to acknowledge is a request, sent again until it is, one at a time for each
call; any other is sent once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware.h323.address import decode_transport, encode_transport
from firmware.h323.identity import endpoint_type
from firmware.h323.ras_alias import encode_aliases
from firmware.h323.ras_call import State
from firmware.h323.ras_grant import BANDWIDTH_UNIT

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.h323.ras_admission import Admissions
    from firmware.h323.ras_call import Admission
    from firmware.h323.ras_message import Body
    from firmware.h323.ras_registration import Registration
    from firmware.h323.ras_settings import Settings
    from firmware.h323.ras_transaction import Answer, Transactions
    from firmware.h323.ras_transport import Transport
    from firmware.sansio import Flow


class Information:
    """The reports of one client."""

    def __init__(
        self,
        settings: Settings,
        transport: Transport,
        transactions: Transactions,
        registration: Registration,
        admissions: Admissions,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._transactions = transactions
        self._registration = registration
        self._admissions = admissions

    def answer(self, request: Body, flow: Flow, now: float) -> tuple[Flow, bytes]:
        """Answer an IRQ; give what was sent and where, to say it again."""
        status = "complete"
        if request["callReferenceValue"] == 0 and not any(request.get("callIdentifier", {}).get("guid", b"")):
            # H.225.0 7.15.1: no call named: all calls
            calls = [a for a in self._admissions if a.state is State.ADMITTED]
        else:
            call = self._admissions.find(request)
            calls = [] if call is None else [call]
            status = "complete" if calls else "invalidCall"
        body = self._report(calls)
        body.update(requestSeqNum=request["requestSeqNum"], needResponse=False, unsolicited=False)
        body["irrStatus"] = (status, None)
        reply = decode_transport(request["replyAddress"]) if "replyAddress" in request else None
        if reply is not None and reply[0] == flow.remote[0] and not flow.reliable:
            # Another host than the one that asks would get what it did not ask for.
            flow = self._transport.flow(reply)
        return flow, self._transport.send(flow, "infoRequestResponse", body, now)

    def timer(self) -> float | None:
        """When the next report is due, or None."""
        return min((a.report_due for a in self._admissions if a.report_due is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Send the reports that are due (H.225.0 7.11.2: irrFrequency)."""
        for admission in self._admissions:
            if admission.report_due is not None and admission.report_due <= now:
                admission.report_due = now + (admission.report_interval or 0)
                self._send(admission, now)

    def _send(self, admission: Admission, now: float) -> None:
        flow = self._registration.flow
        if not self._registration.registered or flow is None or admission.reporting:
            return
        acknowledged = admission.acknowledges_reports or self._registration.grant.acknowledges_reports
        body = self._report([admission])
        body.update(needResponse=acknowledged, unsolicited=True)
        if acknowledged:
            admission.reporting = True
            self._transactions.request(
                "infoRequestResponse", body, flow, now, lambda answer, at: self._acknowledged(admission, answer, at)
            )
        else:
            body["requestSeqNum"] = self._transactions.next_number()
            self._transport.send(flow, "infoRequestResponse", body, now)

    def _acknowledged(self, admission: Admission, answer: Answer, now: float) -> None:
        admission.reporting = False
        if answer.reason == "notRegistered":
            self._registration.lose(answer.reason, now)

    def _report(self, calls: list[Admission]) -> Body:
        settings = self._settings
        body: Body = {
            "endpointType": endpoint_type(settings.identity),
            "endpointIdentifier": self._registration.endpoint_identifier,
            "rasAddress": encode_transport(settings.ras_address),
            "callSignalAddress": [encode_transport(settings.call_signal_address)],
            "endpointAlias": encode_aliases(settings.identity.aliases),
        }
        if calls:
            body["perCallInfo"] = [self._call(admission) for admission in calls]
        return body

    def _call(self, admission: Admission) -> Value:
        call = admission.call
        signalling: Body = {"recvAddress": encode_transport(self._settings.call_signal_address)}
        far_end = call.source_address if call.answer else admission.address
        if far_end is not None:
            signalling["sendAddress"] = encode_transport(far_end)
        return {
            "callReferenceValue": call.call_reference,
            "conferenceID": call.conference_id,
            "originator": not call.answer,
            "h245": {},
            "callSignalling": signalling,
            "callType": ("pointToPoint", None),
            "bandWidth": admission.bandwidth // BANDWIDTH_UNIT,
            "callModel": ("gatekeeperRouted" if admission.routed else "direct", None),
            "callIdentifier": {"guid": call.call_identifier},
            "substituteConfIDs": [],
        }
