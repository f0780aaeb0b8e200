"""A request of ours to its final response, in as many transactions as challenges make of it (RFC 3261 22.2).

Rule 1: whoever sends a request hears of one final response; a challenge that is answered is none, and neither is a
session interval that was too small (RFC 4028 7.3).
Rule 2: it is sent again as a new request: same Call-ID, From and To, the next CSeq, a new branch (8.1.3.5).
Rule 3: how often is bounded, by the protection spaces that are remembered and by `authentication.MAX_ANSWERS`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol

from firmware.sip.authentication import CHALLENGES
from firmware.sip.message import Request
from firmware.sip.session_timer import raise_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.sansio import Flow
    from firmware.sip.authentication import Authenticator, Space
    from firmware.sip.message import Response
    from firmware.sip.transaction_machine import ClientTransaction, ClientUser

    Start = Callable[[Request, "ClientRequest", float], ClientTransaction]

MAX_SENDINGS: Final = 6
"""Of one request; each realm on its way takes one more, and one for a stale nonce."""


class Numbered(Protocol):
    """What gives its requests numbers: a dialog, a registration."""

    local_sequence: int


class ClientRequest:
    """One request, whatever number of transactions it takes."""

    def __init__(
        self,
        request: Request,
        user: ClientUser,
        start: Start,
        authenticator: Authenticator | None,
        numbered: Numbered | None,
        now: float,
    ) -> None:
        """Send it: *start* puts a Via on top of a request and begins its transaction."""
        self.may_retry = True
        """False: the next challenge is the final response."""
        self._user = user
        self._start = start
        self._authenticator = authenticator
        self._numbered = numbered
        self._answered: Counter[Space] = Counter()
        self._sendings = 1
        if authenticator is not None:
            authenticator.authorize(request)
        self.transaction = start(request, self, now)
        """The latest."""

    @property
    def request(self) -> Request:
        """The request as it was sent last."""
        return self.transaction.request

    @property
    def flow(self) -> Flow:
        """The flow that it was sent by."""
        return self.transaction.flow

    def terminate(self) -> None:
        """Wait for no response any more."""
        self.transaction.terminate()

    # ClientUser

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take a response."""
        again = None
        if self.may_retry and self._sendings < MAX_SENDINGS:
            if response.status in CHALLENGES:
                again = self._challenged(transaction.request, response)
            elif response.status == 422:
                again = _with_interval(transaction.request, response)
        if again is not None:
            self._send_again(again, now)
        else:
            self._user.response_received(transaction, response, now)

    def request_failed(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Take that no final response will come."""
        self._user.request_failed(transaction, status, now)

    def _challenged(self, request: Request, response: Response) -> Request | None:
        """Give the request to be sent again where its challenge can be answered."""
        authenticator = self._authenticator
        if authenticator is None or not authenticator.challenged(request, response, self._answered):
            return None
        return _copy(request)

    def _send_again(self, request: Request, now: float) -> None:
        self._sendings += 1
        request.headers.remove("Via")
        request.headers.set("CSeq", f"{self._next_number(request)} {request.method}")
        if self._authenticator is not None:
            self._authenticator.authorize(request)
        self.transaction = self._start(request, self, now)

    def _next_number(self, request: Request) -> int:
        if self._numbered is None:
            return request.cseq.number + 1
        self._numbered.local_sequence += 1
        return self._numbered.local_sequence


def _with_interval(request: Request, response: Response) -> Request | None:
    """Give the request to be sent again where its session interval was too small (RFC 4028 7.3)."""
    again = _copy(request)
    return again if raise_interval(again, response) else None


def _copy(request: Request) -> Request:
    return Request(request.method, request.uri, request.headers.copy(), request.body)
