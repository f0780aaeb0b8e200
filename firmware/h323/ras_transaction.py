"""Requests of ours and what comes back: numbers, repetitions, time-outs (H.225.0 7.19).

Rule 1: an answer counts if it has the number of a request that is open, comes from the address that was asked (a
multicast request is answered from anywhere), and is one of the request's own answers.
Rule 2: a request ends exactly once, with an answer, or with `NO_ANSWER` after its last repetition's time.
Rule 3: where messages are protected, a reject that is not ends nothing.  It may be forged, so the true answer is waited
for; but a gatekeeper that does not know us can't protect its reject, so it is what is reported if nothing else comes.
Rule 4: by a connection a request is sent once, and fails with the connection.
Rule 5: RequestInProgress buys time, protected or not, but never more than `LONGEST` for one request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware.h323.ras_message import ANSWERS, EXCHANGES, IN_PROGRESS, UNKNOWN_MESSAGE, chosen
from firmware.h323.ras_reason import NO_ANSWER

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from firmware.h323.ras_message import Body, Exchange
    from firmware.h323.ras_transport import Received, Transport
    from firmware.sansio import Flow

    Done = Callable[["Answer", float], None]

LONGEST: Final = 120.0
"""Seconds that a request may stay open by RequestInProgress."""
MAX_OPEN: Final = 64
"""Requests at once, more than a room's calls need; beyond it the oldest is given up."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request."""

    confirmed: bool
    reason: str
    """Of a reject: its reason's name; ``noAnswer``, or ``unknownMessageResponse``; "" if confirmed."""
    body: Body
    """Of the confirm or reject; {} if there was none."""
    flow: Flow
    """Whom we asked, or who answered what was asked of all."""


class _Request:
    __slots__ = (
        *("body", "deadline", "done", "doubted", "exchange", "flow", "left", "multicast", "name", "patience"),
        "started",
    )

    def __init__(self, name: str, body: Body, flow: Flow, done: Done, now: float, *, multicast: bool) -> None:
        self.name = name
        self.body = body
        self.flow = flow
        self.done = done
        self.multicast = multicast
        self.exchange: Exchange = EXCHANGES[name]
        # What a connection loses is lost with it, so there is nothing to say again, but as long to wait.
        self.left = 0 if flow.reliable else self.exchange.retries
        self.patience = self.exchange.timeout * (1 if not flow.reliable else 1 + self.exchange.retries)
        self.started = now
        self.deadline = now + self.patience
        self.doubted: Answer | None = None


class Transactions:
    """All open requests of one client."""

    def __init__(self, transport: Transport, rng: random.Random) -> None:
        self._transport = transport
        self._open: dict[int, _Request] = {}
        self._number = rng.randrange(1, 0x10000)

    def __len__(self) -> int:
        return len(self._open)

    def next_number(self) -> int:
        """Give a requestSeqNum that no open request has."""
        while True:
            self._number = self._number % 0xFFFF + 1
            if self._number not in self._open:
                return self._number

    def request(self, name: str, body: Body, flow: Flow, now: float, done: Done, *, multicast: bool = False) -> int:
        """Send a request; *done* hears once what came of it.  Give its number."""
        if len(self._open) >= MAX_OPEN:
            oldest = next(iter(self._open))
            self._give_up(oldest, self._open[oldest], now)
        number = self.next_number()
        request = _Request(name, {"requestSeqNum": number, **body}, flow, done, now, multicast=multicast)
        self._open[number] = request
        self._transport.send(flow, name, request.body, now)
        return number

    def forget(self, number: int) -> None:
        """Never report what comes of this request."""
        self._open.pop(number, None)

    def expects(self, flow: Flow) -> bool:
        """Whether an answer may come by this flow."""
        return any(request.multicast or request.flow.remote == flow.remote for request in self._open.values())

    def receive(self, received: Received, now: float) -> bool:
        """Take an answer; False if it is not one to a request of ours."""
        number = received.body.get("requestSeqNum", 0)
        request = self._open.get(number)
        if request is None or not (request.multicast or received.flow.remote == request.flow.remote):
            return False
        if received.name == IN_PROGRESS:
            self._extend(request, received.body, now)
            return True
        flow = received.flow if request.multicast else request.flow
        if received.name == request.exchange.confirm:
            if received.trusted:
                self._end(number, Answer(confirmed=True, reason="", body=received.body, flow=flow), now)
        elif received.name in {request.exchange.reject, UNKNOWN_MESSAGE}:
            reason = _reason(received)
            answer = Answer(confirmed=False, reason=reason, body=received.body, flow=flow)
            if received.trusted and not request.multicast:
                self._end(number, answer, now)
            else:
                # H.323 7.2.1: of several gatekeepers one may refuse and another take us.
                request.doubted = request.doubted or answer
        else:
            return False
        return True

    def unreachable(self, flow: Flow, now: float) -> None:
        """Take that datagrams don't arrive there: a last repetition is not waited for.

        The ones before are, because a gatekeeper that is just being started again will hear one of them.
        """
        for number, request in list(self._open.items()):
            if request.flow.remote == flow.remote and request.left == 0 and self._open.get(number) is request:
                self._give_up(number, request, now)

    def sent_by(self, flow: Flow) -> list[int]:
        """Give the numbers of the open requests to this far end."""
        return [number for number, request in self._open.items() if request.flow.remote == flow.remote]

    def fail(self, numbers: list[int], now: float) -> None:
        """Take that these get no answer any more, as far as they are still open."""
        for number in numbers:
            if number in self._open:
                self._give_up(number, self._open[number], now)

    def timer(self) -> float | None:
        """When the next request is repeated or given up, or None."""
        return min((request.deadline for request in self._open.values()), default=None)

    def handle_timer(self, now: float) -> None:
        """Repeat or give up what is due."""
        for number, request in list(self._open.items()):
            if request.deadline > now or self._open.get(number) is not request:
                continue
            if request.left == 0 or now - request.started >= LONGEST:
                self._give_up(number, request, now)
                continue
            request.left -= 1
            request.deadline = now + request.patience
            # The number stays (H.225.0 7.19); tokens are made anew, as time has passed.
            self._transport.send(request.flow, request.name, request.body, now)

    def _extend(self, request: _Request, body: Body, now: float) -> None:
        # H.225.0 7.16: RIP: delay is in milliseconds; time-out and retry count begin anew
        delay = max(body.get("delay", 1) / 1000, 0.1)
        request.deadline = min(now + delay, max(request.started + LONGEST, now))
        request.left = 0 if request.flow.reliable else request.exchange.retries

    def _give_up(self, number: int, request: _Request, now: float) -> None:
        silence = Answer(confirmed=False, reason=NO_ANSWER, body={}, flow=request.flow)
        self._end(number, request.doubted or silence, now)

    def _end(self, number: int, answer: Answer, now: float) -> None:
        self._open.pop(number).done(answer, now)


def _reason(received: Received) -> str:
    if received.name == UNKNOWN_MESSAGE:
        return UNKNOWN_MESSAGE
    return chosen(received.body, "rejectReason") or chosen(received.body, "nakReason") or "undefinedReason"


def is_answer(name: str) -> bool:
    """Whether a message answers another one."""
    return name in ANSWERS
