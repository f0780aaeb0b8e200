"""What others ask of us: the gatekeeper's requests, and messages that an endpoint should not get (H.225.0 7.7 to 7.18).

Rule 1: only the gatekeeper that we are registered with is obeyed, and where messages are protected, only its protected
ones; for all others there is silence.  The exceptions are an LRQ, which anybody may send and we always refuse, and a
message that we don't understand, which gets an answer if its sender is the gatekeeper.
Rule 2: a request that comes again is answered again, with the same answer, and does nothing more.
Rule 3: nobody gets more from us than was sent to us; LRQs are answered `MAX_LOCATION` times in a second at most.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware.h323.address import decode_transport
from firmware.h323.ras_message import UNKNOWN_MESSAGE, chosen, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.h323.ras_admission import Admissions
    from firmware.h323.ras_information import Information
    from firmware.h323.ras_message import Body
    from firmware.h323.ras_registration import Registration
    from firmware.h323.ras_transport import Received, Transport
    from firmware.sansio import Address, Flow

    Handler = Callable[[Body, Flow, float], tuple[Flow, bytes]]

MAX_ANSWERS: Final = 32
"""Answers that are remembered."""
REMEMBERED: Final = 30.0
"""Seconds; no table of time-outs repeats a request for longer."""
MAX_LOCATION: Final = 5
_MAX_ECHO: Final = 512
"""Octets of a message not understood that are sent back with the answer."""


@dataclass(frozen=True, slots=True)
class _Answer:
    at: float
    asked: Body
    """The request without its tokens: a gatekeeper that was started again may begin its numbers anew."""
    flow: Flow
    data: bytes


class Requests:
    """Answers requests."""

    def __init__(
        self, transport: Transport, registration: Registration, admissions: Admissions, information: Information
    ) -> None:
        self._transport = transport
        self._registration = registration
        self._admissions = admissions
        self._answers: OrderedDict[tuple[Address, str, int], _Answer] = OrderedDict()
        self._located: tuple[int, int] = (0, 0)
        self._handlers: dict[str, Handler] = {
            # What a gatekeeper may ask of an endpoint; anything else is not understood.
            "unregistrationRequest": self._unregister,
            "disengageRequest": self._disengage,
            "bandwidthRequest": self._bandwidth,
            "infoRequest": information.answer,
            "serviceControlIndication": self._control_service,
        }

    def receive(self, received: Received, data: bytes, now: float) -> bool:
        """Take a message that answers nothing of ours; False if it is not for us."""
        name, body, flow = received.name, received.body, received.flow
        if name == "locationRequest":
            return self._locate(body, flow, now)
        if not self._registration.registered or not self._registration.at(flow):
            return False
        key = (flow.remote, name, body.get("requestSeqNum", 0))
        asked = {name: value for name, value in body.items() if name not in {"tokens", "cryptoTokens"}}
        answer = self._answers.get(key)
        if answer is not None and now - answer.at < REMEMBERED and asked == answer.asked:
            self._transport.repeat(answer.flow, answer.data)
            return True
        if not received.trusted:
            return False
        handler = self._handlers.get(name)
        sent = self._not_understood(body, data, flow, now) if handler is None else handler(body, flow, now)
        self._answers[key] = _Answer(now, asked, *sent)
        self._answers.move_to_end(key)
        if len(self._answers) > MAX_ANSWERS:
            self._answers.popitem(last=False)
        return True

    def _answer(self, name: str, request: Body, body: Body, flow: Flow, now: float) -> tuple[Flow, bytes]:
        return flow, self._transport.send(flow, name, {"requestSeqNum": request["requestSeqNum"], **body}, now)

    def _unregister(self, body: Body, flow: Flow, now: float) -> tuple[Flow, bytes]:
        if text(body, "endpointIdentifier") not in ("", self._registration.endpoint_identifier):
            reason = {"rejectReason": ("notCurrentlyRegistered", None)}
            return self._answer("unregistrationReject", body, reason, flow, now)
        sent = self._answer("unregistrationConfirm", body, {}, flow, now)
        self._registration.unregister(chosen(body, "reason") or "undefinedReason", body, now)
        return sent

    def _disengage(self, body: Body, flow: Flow, now: float) -> tuple[Flow, bytes]:
        admission = self._admissions.find(body)
        if admission is None:
            reason = {"rejectReason": ("requestToDropOther", None)}
            return self._answer("disengageReject", body, reason, flow, now)
        sent = self._answer("disengageConfirm", body, {}, flow, now)
        self._admissions.take_disengage(admission, chosen(body, "disengageReason"))
        return sent

    def _bandwidth(self, body: Body, flow: Flow, now: float) -> tuple[Flow, bytes]:
        admission = self._admissions.find(body)
        if admission is None:
            reason = {"rejectReason": ("invalidConferenceID", None), "allowedBandWidth": 0}
            return self._answer("bandwidthReject", body, reason, flow, now)
        # H.323 8.4.1: a terminal has to reduce its bandwidth when it is told to, and may use more.
        self._admissions.take_bandwidth(admission, body["bandWidth"])
        return self._answer("bandwidthConfirm", body, {"bandWidth": body["bandWidth"]}, flow, now)

    def _control_service(self, body: Body, flow: Flow, now: float) -> tuple[Flow, bytes]:
        # H.225.0 7.17.2: nothing of it is shown here
        return self._answer("serviceControlResponse", body, {"result": ("notAvailable", None)}, flow, now)

    def _not_understood(self, body: Body, data: bytes, flow: Flow, now: float) -> tuple[Flow, bytes]:
        # H.225.0 7.18: the number is that of the message, where it could be read
        answer = {"requestSeqNum": body.get("requestSeqNum") or 1, "messageNotUnderstood": data[:_MAX_ECHO]}
        return flow, self._transport.send(flow, UNKNOWN_MESSAGE, answer, now)

    def _locate(self, body: Body, flow: Flow, now: float) -> bool:
        """Refuse: who looks for us, asks the gatekeeper (H.323 8.1.6; an endpoint need not answer)."""
        second, count = self._located
        count = count + 1 if second == int(now) else 1
        self._located = (int(now), count)
        reply = decode_transport(body["replyAddress"])
        if count > MAX_LOCATION or (reply is not None and reply[0] != flow.remote[0] and not flow.reliable):
            return False
        flow = flow if reply is None or flow.reliable else self._transport.flow(reply)
        self._answer("locationReject", body, {"rejectReason": ("requestDenied", None)}, flow, now)
        return True
