"""The border between RAS messages and datagrams: encoding, decoding, and who may be believed.

Rule 1: `send` protects what it sends, `open` says of what came whether its sender has shown who it is; what to do with
a message that has not, is its reader's matter.
Rule 2: what can't be decoded is dropped and counted, whoever sent it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware.errors import DecodeError
from firmware.h323.h225 import RAS_MESSAGE
from firmware.h323.h235 import Credentials, Method, NoSecurity
from firmware.h323.h235_baseline import Baseline
from firmware.h323.h235_password import CallAccessToken, PasswordHash
from firmware.h323.ras_message import text
from firmware.sansio import Close, Flow, Send

if TYPE_CHECKING:
    import random

    from firmware.h323.h235 import Security
    from firmware.h323.ras_message import Body
    from firmware.h323.ras_settings import Settings
    from firmware.sansio import Action, Address

MAX_MESSAGE: Final = 8192
"""Octets of a datagram that we read."""
_UNPROTECTED: Final = frozenset(
    {"gatekeeperRequest", "gatekeeperConfirm", "gatekeeperReject", "locationRequest", "locationReject"}
)
"""H.235.1 7: before discovery is complete, nobody knows whose key would be meant.  And a stranger who searches gets no
hash that he could try passwords on.
"""


@dataclass(frozen=True, slots=True)
class Received:
    """A message that came."""

    name: str
    body: Body
    flow: Flow
    trusted: bool
    """It is what the gatekeeper sent; True too where nothing is agreed by which that could be shown."""


class Transport:
    """Sends and opens the messages of one client."""

    def __init__(self, settings: Settings, rng: random.Random, epoch: float) -> None:
        self._settings = settings
        self.gatekeeper_identifier = ""
        """The other name in tokens, of the gatekeeper."""
        self.endpoint_identifier = ""
        """Our name in tokens; "" before the gatekeeper gave us one."""
        self.epoch = epoch
        """Unix time of the moment 0 of our clock; its owner sets it anew when the system's time is set."""
        self.dropped: Counter[str] = Counter()
        """What was not believed or not understood, by reason."""
        self._rng = rng
        self._credentials: Final[Credentials | None] = settings.credentials
        self._actions: list[Action] = []
        self._security: Security = NoSecurity()
        self._method: Method | None = None
        self.use(None)

    def use(self, method: Method | None) -> None:
        """Show who we are by this method from now on, or by our best; without credentials, nothing is shown."""
        credentials = self._credentials
        if credentials is None:
            return
        method = method or credentials.methods[0]
        if method is self._method:
            # What it remembers keeps old messages from being believed again.
            return
        self._method = method
        match method:
            case Method.BASELINE:
                self._security = Baseline(credentials.password, self._rng)
            case Method.MD5:
                self._security = PasswordHash(credentials.user, credentials.password)
            case Method.CAT:
                self._security = CallAccessToken(credentials.user, credentials.password, self._rng)

    def flow(self, remote: Address) -> Flow:
        """Give the flow from our RAS channel to an address."""
        settings = self._settings
        # The name that the settings have is that of the gatekeeper they name, not that of its alternates.
        domain = settings.domain if remote == settings.gatekeeper else ""
        return Flow(settings.transport, settings.ras_address, remote, domain=domain)

    def send(self, flow: Flow, name: str, body: Body, now: float) -> bytes:
        """Send a message, and give what was sent."""
        if name in _UNPROTECTED:
            data = RAS_MESSAGE.encode((name, body))
        else:
            data = self._security.protect(
                name, body, sender=self._sender(name, body), recipient=self.gatekeeper_identifier, time=self._time(now)
            )
        self.repeat(flow, data)
        return data

    def repeat(self, flow: Flow, data: bytes) -> None:
        """Send once more what was sent before."""
        self._actions.append(Send(flow, data))

    def close(self, remote: Address) -> None:
        """Give up the connection to an address, where RAS goes by connections."""
        flow = self.flow(remote)
        if flow.reliable:
            self._actions.append(Close(flow))

    def open(self, flow: Flow, data: bytes, now: float) -> Received | None:
        """Decode a datagram; None if it is no message."""
        if len(data) > MAX_MESSAGE:
            self.dropped["too long"] += 1
            return None
        try:
            name, body = RAS_MESSAGE.decode(data)
        except DecodeError:
            self.dropped["malformed"] += 1
            return None
        if not isinstance(body, dict):
            # An alternative of a version that is newer than ours, or a list of them.
            return Received(name, {}, flow, trusted=not self._security.mutual)
        return Received(name, body, flow, self._trust(name, body, data, now))

    def actions(self) -> list[Action]:
        """Give what is to be sent, and forget it."""
        actions, self._actions = self._actions, []
        return actions

    def _trust(self, name: str, body: Body, data: bytes, now: float) -> bool:
        if name in _UNPROTECTED or not self._security.mutual:
            return True
        ours = {self.endpoint_identifier, self._user} - {""}
        if name == "registrationConfirm":
            # The confirm that gives us our identifier already speaks to us by it.
            ours.add(text(body, "endpointIdentifier"))
        theirs = {self.gatekeeper_identifier or text(body, "gatekeeperIdentifier")} - {""}
        wrong = self._security.verify(body, data, senders=theirs, recipients=ours, time=self._time(now))
        if wrong:
            self.dropped[wrong] += 1
        return not wrong

    @property
    def _user(self) -> str:
        return "" if self._credentials is None else self._credentials.user

    def _sender(self, name: str, body: Body) -> str:
        # H.235.1 7.1: sendersID is the endpointIdentifier once there is one; a full registration asks for one anew.
        if name == "registrationRequest" and not body.get("keepAlive", False):
            return self._user
        return self.endpoint_identifier or self._user

    def _time(self, now: float) -> int:
        return max(1, int(self.epoch + now))
