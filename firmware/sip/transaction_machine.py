"""What runs a transaction: a request and all its responses, walked through the figure of its kind in `transaction`.

Rule 1: every change of a transaction's state is a row of its figure, but for `Transaction.terminate`.
Rule 2: a transaction knows nothing of dialogs or sessions; its *user* (the TU, transaction user, of RFC 3261 section 5)
does.
Rule 3: a request too large for one datagram goes by a stream, and by UDP where there is no stream to be had.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from firmware.errors import LocalProtocolError
from firmware.sip.message import MAX_FORWARDS, Headers, Request, Response, respond
from firmware.sip.timers import T1, T2, Timer, Timers
from firmware.sip.transaction import (
    DURATIONS,
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    Figure,
    Input,
    Output,
    State,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from firmware.sansio import Flow
    from firmware.sip.header import Via
    from firmware.sip.transport import Transport

MAX_DATAGRAM: Final = 1300
"""Bytes of a request sent by UDP while the path's MTU is unknown (RFC 3261 18.1.1)."""


STREAM_PATIENCE: Final = 2 * T1
"""Seconds for such a stream to open, before the request goes by UDP: a firewall that drops what it does not know would
otherwise keep a caller waiting."""


def _response_input(status: int) -> Input:
    if status < 200:
        return Input.PROVISIONAL
    return Input.SUCCESS if status < 300 else Input.FAILURE


class _StateTimer(Timer):
    """A timer of a transaction's state; thousands run at once, so that it is no more than it must be."""

    __slots__ = ("seconds", "transaction", "what")

    def __init__(self, at: float, transaction: Transaction, what: Input, seconds: float) -> None:
        super().__init__(at, _ignore)
        self.transaction, self.what, self.seconds = transaction, what, seconds

    def fire(self, now: float) -> None:
        """Tell the transaction, once."""
        if self.running:
            self.cancel()
            self.transaction.timer_fired(self, now)


def _ignore(now: float) -> None:
    """Stand in for what a timer does that does something else."""


class Transaction:
    """What the four kinds have in common: a state, the timers of that state, and the walk through the figure."""

    __slots__ = ("_running", "_timers", "_transport", "_when_terminated", "figure", "flow", "request", "state")

    def __init__(
        self,
        figure: Figure,
        request: Request,
        flow: Flow,
        transport: Transport,
        timers: Timers,
        when_terminated: Callable[[Transaction], None],
    ) -> None:
        self.figure: Final = figure
        self.request = request
        self.flow = flow
        self.state = State.INITIAL
        self._transport = transport
        self._timers = timers
        self._when_terminated = when_terminated
        self._running: list[_StateTimer] = []

    def transport_failed(self, now: float) -> None:
        """Take that the flow is closed (RFC 3261 17.1.4, 17.2.4)."""
        self._take(Input.TRANSPORT_ERROR, now)

    def terminate(self) -> None:
        """Destroy it without a word to the user (RFC 3261 9.1, 13.3.1.4)."""
        if self.state is not State.TERMINATED:
            self.state = State.TERMINATED
            self._stop_timers(())
            self._when_terminated(self)

    def _take(self, what: Input, now: float) -> bool:
        """Walk one row; False if the table has none for this input in this state."""
        row = self.figure.table.get(self.state, {}).get(what)
        if row is None:
            return False
        state, outputs = row
        if state is State.TERMINATED:
            self.terminate()
        elif state is not self.state:
            self.state = state
            self._stop_timers(self.figure.timers.get(state, ()))
            self._start_timers(now)
        for output in outputs:
            self._put(output, now)
        if self.state is state:
            self._fire_zero_timers(now)
        return True

    def _put(self, output: Output, now: float) -> None:
        raise NotImplementedError

    def _start_timers(self, now: float) -> None:
        for timer in self.figure.timers.get(self.state, ()):
            duration = DURATIONS[timer]
            seconds = duration.reliable if self.flow.reliable else duration.unreliable
            if seconds and all(running.what is not timer for running in self._running):
                self._run_timer(timer, seconds, now)

    def _run_timer(self, timer: Input, seconds: float, now: float) -> None:
        started = _StateTimer(now + seconds, self, timer, seconds)
        self._timers.add(started)
        self._running.append(started)

    def timer_fired(self, timer: _StateTimer, now: float) -> None:
        """Take that a timer of the state has run out."""
        self._running.remove(timer)
        longest = DURATIONS[timer.what].longest
        if longest is not None:
            # RFC 3261 17.1.2.2: Timer E that fires in the proceeding state is reset to T2 at once.
            proceeding = timer.what is Input.TIMER_E and self.state is State.PROCEEDING
            self._run_timer(timer.what, T2 if proceeding else min(2 * timer.seconds, longest), now)
        self._take(timer.what, now)

    def _fire_zero_timers(self, now: float) -> None:
        if self.flow.reliable:
            for timer in self.figure.timers.get(self.state, ()):
                if DURATIONS[timer].reliable == 0:
                    self._take(timer, now)

    def _stop_timers(self, but: tuple[Input, ...]) -> None:
        for timer in [timer for timer in self._running if timer.what not in but]:
            timer.cancel()
            self._running.remove(timer)


class ClientUser(Protocol):
    """What a client transaction's TU hears."""

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take a response that is new to the TU, or one more 2xx to an INVITE."""

    def request_failed(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Take that no final response will come (RFC 3261 8.1.3.1): 408 a time-out, 503 a transport error."""


class ClientTransaction(Transaction):
    """A request of ours and its responses (RFC 3261 17.1)."""

    __slots__ = ("_data", "_fallback", "_response", "user")

    def __init__(
        self,
        request: Request,
        flow: Flow,
        user: ClientUser,
        transport: Transport,
        timers: Timers,
        when_terminated: Callable[[Transaction], None],
    ) -> None:
        figure = INVITE_CLIENT if request.method == "INVITE" else NON_INVITE_CLIENT
        super().__init__(figure, request, flow, transport, timers, when_terminated)
        self.user: Final = user
        self._data = request.encode()
        self._response: Response | None = None
        self._fallback: Flow | None = None
        if not flow.reliable and len(self._data) > MAX_DATAGRAM:
            # RFC 3261 18.1.1: "the request MUST be sent using an RFC 2914 congestion controlled transport protocol".
            self._fallback = flow
            self._take_flow(replace(flow, transport="tcp"))

    def start(self, now: float) -> None:
        """Send the request."""
        self._take(Input.REQUEST, now)
        if self._fallback is not None:
            self._timers.start(now + STREAM_PATIENCE, self._stream_is_late)

    def receive(self, response: Response, now: float) -> None:
        """Take a response that matches this transaction."""
        self._response = response
        self._take(_response_input(response.status), now)

    def transport_failed(self, now: float) -> None:
        """Take that the flow is closed; before any response, a request that UDP would do for goes that way."""
        if self._fallback is None or self._response is not None:
            super().transport_failed(now)
            return
        # RFC 3261 18.1.1: no connection: "the element SHOULD retry the request, using UDP".
        self._take_flow(self._fallback)
        self._fallback = None
        self._transport.send(self.flow, self._data)
        self._start_timers(now)

    def _stream_is_late(self, now: float) -> None:
        """Go by UDP where the stream is not open yet; if it opens later, one branch tells both from two requests."""
        if self._fallback is not None and self.state is not State.TERMINATED and self._transport.is_opening(self.flow):
            self.transport_failed(now)

    def _take_flow(self, flow: Flow) -> None:
        """Go by this flow; the top Via, which is the only one, says so."""
        self.flow = flow
        via = replace(self.request.via, transport=flow.transport.upper())
        self.request.headers.set("Via", str(via))
        self._data = self.request.encode()

    def _put(self, output: Output, now: float) -> None:
        match output:
            case Output.SEND_REQUEST:
                self._transport.send(self.flow, self._data)
            case Output.SEND_ACK if self._response is not None:
                # RFC 3261 17.1.1.3: its To is that of the response.
                ack = companion(self.request, "ACK", self._response.headers.get("To") or "")
                self._transport.send(self.flow, ack.encode())
            case Output.RESPONSE_TO_USER if self._response is not None:
                self.user.response_received(self, self._response, now)
            case Output.TIMEOUT_TO_USER:
                self.user.request_failed(self, 408, now)
            case Output.ERROR_TO_USER if self._response is None or self._response.status < 200:
                self.user.request_failed(self, 503, now)


_FORGOTTEN: Final = Request("", "")
"""The request of a transaction that is settled: nobody asks any more what it was."""


class ServerUser(Protocol):
    """What a server transaction's TU hears."""

    def ack_received(self, transaction: ServerTransaction, ack: Request, now: float) -> None:
        """Take an ACK to a 2xx that carries the INVITE's own branch (RFC 6026 7.1)."""

    def response_failed(self, transaction: ServerTransaction, now: float) -> None:
        """Take that a response can't be delivered, or that nobody acknowledged it."""


class ServerTransaction(Transaction):
    """A request of the far end and our responses (RFC 3261 17.2)."""

    __slots__ = (
        *("_ack", "_data", "_via", "_when_settled", "response", "user"),
        *("initial", "key", "local_tag", "settled", "since", "size", "to_tag"),
    )

    def __init__(
        self,
        request: Request,
        flow: Flow,
        transport: Transport,
        timers: Timers,
        when_terminated: Callable[[Transaction], None],
        now: float,
        key: Hashable = None,
        initial: Hashable = None,
        size: int = 0,
        when_settled: Callable[[ServerTransaction, float], None] | None = None,
    ) -> None:
        """*key*, *initial* and *size* are its owner's, for its own use."""
        figure = INVITE_SERVER if request.method == "INVITE" else NON_INVITE_SERVER
        super().__init__(figure, request, flow, transport, timers, when_terminated)
        self.since: Final = now
        """When the request came."""
        self.key: Final = key
        self.initial: Final = initial
        self.size: Final = size
        self.to_tag: Final = request.to.tag
        """The tag in To of the request."""
        self._via: Via | None = request.via
        self.user: ServerUser | None = None
        self.local_tag: str | None = None
        """The tag in To of the last response."""
        self.settled = False
        """It is there only to absorb retransmissions of its request."""
        self.response: Response | None = None
        """The last response, if there was one and it may be sent again."""
        self._data = b""
        self._ack: Request | None = None
        self._when_settled = when_settled

    def receive(self, request: Request, now: float) -> None:
        """Take the request, a retransmission of it, or an ACK that matches this transaction."""
        if request.method == "ACK":
            self._ack = request
            self._take(Input.ACK, now)
            if self.state is State.CONFIRMED:
                self.settle(now)
        else:
            self._take(Input.REQUEST, now)

    def respond(self, response: Response, now: float) -> None:
        """Send a response of the TU.  LocalProtocolError: the final response is sent already."""
        what = _response_input(response.status)
        if what not in self.figure.table.get(self.state, {}):
            raise LocalProtocolError(
                f"{response.status} in a {self.figure.name} transaction that is {self.state.value}"
            )
        if response is not self.response:
            self.response, self._data, self.local_tag = response, response.encode(), response.to.tag
        self._stop_timers(tuple(timer.what for timer in self._running if timer.what is not Input.TIMER_TRYING))
        self._take(what, now)
        if self.state is State.COMPLETED and self.figure is NON_INVITE_SERVER:
            self.settle(now)

    def settle(self, now: float) -> None:
        """Take that only retransmissions of the request can come now: what they don't need is forgotten."""
        if not self.settled and self.response is not None:
            self.settled = True
            self.request = _FORGOTTEN
            if self.figure is INVITE_SERVER:  # after its ACK it sends nothing more, and has nothing to say
                self.user, self._ack, self._data, self._via = None, None, b"", None
            elif self._via is not None:
                self._via = self._via.for_response()
            self.response = None
            if self._when_settled is not None and self.state is State.ACCEPTED:
                self._when_settled(self, now)

    def _put(self, output: Output, now: float) -> None:
        match output:
            case Output.SEND_RESPONSE if self._data and self._via is not None:
                self._transport.send_response(self.flow, self._via, self._data)
            case Output.SEND_TRYING:
                self.respond(respond(self.request, 100), now)
            case Output.ACK_TO_USER if self.user is not None and self._ack is not None:
                self.user.ack_received(self, self._ack, now)
            case Output.TIMEOUT_TO_USER | Output.ERROR_TO_USER if self.user is not None:
                self.user.response_failed(self, now)


def companion(invite: Request, method: str, to: str) -> Request:
    """The ACK to a failure of an INVITE (RFC 3261 17.1.1.3), or its CANCEL (9.1).

    It goes where the INVITE went: Request-URI, Route and top Via are the same, and so are From, Call-ID and number.
    """
    headers = Headers()
    headers.add("Via", str(invite.via))
    for route in invite.headers.all("Route"):
        headers.add("Route", route)
    headers.add("Max-Forwards", str(MAX_FORWARDS))
    headers.add("From", invite.headers.get("From") or "")
    headers.add("To", to)
    headers.add("Call-ID", invite.call_id)
    headers.add("CSeq", f"{invite.cseq.number} {method}")
    return Request(method, invite.uri, headers)
