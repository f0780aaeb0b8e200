"""Dialogs (RFC 3261 section 12): what two user agents remember of each other between requests.

- UAC and UAS make the same object; only where each piece is taken from differs (12.1.1, 12.1.2).
- A dialog is early until a 2xx confirms it; its route set is then computed anew (13.2.2.4), and never after.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from firmware.errors import RemoteProtocolError
from firmware.sip.message import MAX_FORWARDS, Headers, Request

if TYPE_CHECKING:
    from firmware.sansio import Flow
    from firmware.sip.account import Account
    from firmware.sip.header import NameAddr
    from firmware.sip.message import Message, Response
    from firmware.sip.uri import Uri


class DialogId(NamedTuple):
    """RFC 3261 12: what identifies a dialog at one of its two user agents."""

    call_id: str
    local_tag: str
    remote_tag: str


class Dialog:
    """One dialog, seen from our side."""

    def __init__(
        self,
        call_id: str,
        local: NameAddr,
        remote: NameAddr,
        remote_target: Uri,
        route_set: tuple[NameAddr, ...],
        flow: Flow,
    ) -> None:
        self.call_id: Final = call_id
        self.local: Final = local
        """Our address and tag: From of what we send."""
        self.remote: Final = remote
        """The far end's: To of what we send.  A peer of RFC 2543 has no tag; 12.1.1 takes it as a null one."""
        self.remote_target = remote_target
        self.route_set = route_set
        self.flow = flow
        """The flow that the dialog was made on, or was moved to when our address had changed."""
        self.account: Account | None = None
        """The account of ours that it was made by; who makes the dialog sets it."""
        self.secure = False
        """Whether it was begun by SIPS, which our Contact then says as well (RFC 5630 5.1.1.2, 5.1.2)."""
        self.local_sequence = 0
        self.remote_sequence: int | None = None
        self.id: Final = DialogId(call_id, local.tag or "", remote.tag or "")

    @classmethod
    def of_caller(cls, request: Request, response: Response, flow: Flow) -> Dialog:
        """Make the UAC's dialog of a response with a tag (12.1.2)."""
        dialog = cls(
            request.call_id,
            request.from_,
            response.to,
            request.uri if response.contact is None else request_uri(response.contact.uri),
            response.record_routes[::-1],
            flow,
        )
        dialog.local_sequence = request.cseq.number
        dialog.secure = asks_for_sips(request)
        return dialog

    @classmethod
    def of_callee(cls, request: Request, local_tag: str, flow: Flow) -> Dialog:
        """Make the UAS's dialog of a request (12.1.1).  RemoteProtocolError 400: it lacks a Contact."""
        if request.contact is None:
            raise RemoteProtocolError(f"{request.method} without Contact")
        local = request.to if request.to.tag is not None else request.to.with_tag(local_tag)
        target = request_uri(request.contact.uri)
        dialog = cls(request.call_id, local, request.from_, target, request.record_routes, flow)
        dialog.remote_sequence = request.cseq.number
        # RFC 3261 12.1.1: the top Record-Route says so, or Contact where there is none.
        said = request.record_routes[0] if request.record_routes else request.contact
        dialog.secure = "sips" in (request.uri.scheme, said.uri.scheme)
        return dialog

    def confirm(self, response: Response) -> None:
        """Take the 2xx that confirms an early dialog: the route set is recomputed (13.2.2.4)."""
        self.route_set = response.record_routes[::-1]
        self.refresh(response)

    def refresh(self, message: Message) -> None:
        """Take the Contact of a target refresh request, or of the 2xx to ours (12.2.1.2, 12.2.2)."""
        if message.contact is not None:
            self.remote_target = request_uri(message.contact.uri)

    def in_order(self, request: Request) -> bool:
        """Whether the request's CSeq is not lower than all before (12.2.2); if so it is remembered."""
        number = request.cseq.number
        if self.remote_sequence is not None and number < self.remote_sequence:
            return False
        self.remote_sequence = number
        return True

    def request(self, method: str, sequence: int | None = None) -> Request:
        """Begin a request in this dialog (12.2.1.1): all but Via, Contact and body.

        ACK and CANCEL have the *sequence* of their INVITE; any other request takes the next number.
        """
        if sequence is None:
            self.local_sequence += 1
            sequence = self.local_sequence
        uri, routes = self._route()
        headers = Headers()
        for route in routes:
            headers.add("Route", route)
        headers.add("Max-Forwards", str(MAX_FORWARDS))
        headers.add("From", str(self.local))
        headers.add("To", str(self.remote))
        headers.add("Call-ID", self.call_id)
        headers.add("CSeq", f"{sequence} {method}")
        return Request(method, uri, headers)

    @property
    def next_hop(self) -> Uri:
        """Where the next request goes first: the top route, or the remote target (8.1.2)."""
        return self.route_set[0].uri if self.route_set else self.remote_target

    def _route(self) -> tuple[Uri, list[str]]:
        """The Request-URI and the Route values."""
        if not self.route_set:
            return self.remote_target, []
        first, *rest = self.route_set
        if first.uri.parameter("lr") is not None:
            return self.remote_target, [str(route) for route in self.route_set]
        # 12.2.1.1: a strict router wants its own URI as Request-URI, and the target as the last route.
        return request_uri(first.uri), [*(str(route) for route in rest), f"<{self.remote_target}>"]


def asks_for_sips(request: Request) -> bool:
    """Whether a request of ours wants SIPS, so that its Contact must be one (RFC 3261 8.1.1.8)."""
    return request.uri.scheme == "sips" or any(route.uri.scheme == "sips" for route in request.routes[:1])


def request_uri(uri: Uri) -> Uri:
    """A URI fit to be a Request-URI (RFC 3261 19.1.1, table 1): without method parameter and header fields."""
    if not uri.headers and uri.parameter("method") is None:
        return uri
    parameters = tuple(item for item in uri.parameters if item[0].lower() != "method")
    return replace(uri, headers=(), parameters=parameters)
