"""A registrar for tests, on the SIP messages of the firmware: a core as its clients are.

It wants a password from whom it knows, and keeps what is registered.  What it should do wrong, or otherwise, a test
sets: `refuse`, `silent`, `min_expires`, `longest`, `pongs`.  What it heard is in `heard`, what was wrong in `faults`.
Digests are checked by code of its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from wire import Wire

from firmware.sansio import Action, Address, Close, Flow, Send
from firmware.sip.header import NameAddr
from firmware.sip.message import Request, Response, parse, respond
from firmware.sip.stream import StreamReader

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


@dataclass
class Heard:
    """A REGISTER that came."""

    at: float
    flow: Flow
    request: Request

    @property
    def credentials(self) -> dict[str, str]:
        """What its Authorization says; nothing without one."""
        text = self.request.headers.get("Authorization") or ""
        return dict(re.findall(r'(\w+)="?([^",]*)"?', text))

    @property
    def expires(self) -> int | None:
        return self.request.expires

    @property
    def contact(self) -> NameAddr:
        contact = self.request.contact
        assert contact is not None
        return contact


@dataclass
class Registrar:
    """Attach it by making it."""

    wire: Wire
    address: Address = ("10.0.0.2", 5060)
    users: dict[str, str] = field(default_factory=lambda: {"alice": "secret"})
    """Passwords by name; empty: everybody may register."""
    realm: str = "example.com"
    algorithms: tuple[str, ...] = ("SHA-256", "MD5")
    qop: str = "auth"
    nonce_life: float = 1e9
    longest: int = 3600
    min_expires: int = 0
    silent: bool = False
    refuse: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Status and header fields of the next answers, whatever is asked."""
    fields: dict[str, str] = field(default_factory=dict)
    """Header fields of every 200."""
    echo_expires: bool = True
    """Whether the 200 says how long."""
    pongs: bool = True
    heard: list[Heard] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    pings: list[float] = field(default_factory=list)
    others: list[Request | Response] = field(default_factory=list)
    """What came beside REGISTERs; a test answers it by `send`."""
    flows: list[Flow] = field(default_factory=list)
    """Streams that are open, in order."""

    def __post_init__(self) -> None:
        self.bindings: dict[str, float] = {}
        """Contacts, as they were written, and when they end."""
        self._nonces: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._actions: list[Action] = []
        self._readers: dict[Flow, StreamReader] = {}
        self.wire.attach(self.address, self)

    def bound(self) -> list[str]:
        """The contacts that are registered now."""
        return [contact for contact, until in self.bindings.items() if until > self.wire.now]

    def times(self) -> list[float]:
        """When REGISTERs came, to the tenth of a second."""
        return [round(heard.at, 1) for heard in self.heard]

    def send(self, message: Request | Response, to: Address) -> None:
        """Send a message by the open stream, or by UDP."""
        flow = self.flows[-1] if self.flows else Flow("udp", self.address, to)
        self._actions.append(Send(flow, message.encode()))

    def close(self) -> None:
        """Close every stream."""
        self._actions += [Close(flow) for flow in self.flows]
        self.flows.clear()

    # The contract of a core

    def flow_opened(self, flow: Flow, now: float) -> None:
        self.flows.append(flow)
        self._readers[flow] = StreamReader()

    def flow_closed(self, flow: Flow, now: float) -> None:
        if flow in self.flows:
            self.flows.remove(flow)

    def handle_timer(self, now: float) -> None: ...

    def timer(self) -> float | None:
        return None

    def actions(self) -> list[Action]:
        actions, self._actions = self._actions, []
        return actions

    def events(self) -> list[object]:
        return []

    def receive_data(self, flow: Flow, data: bytes, now: float) -> None:
        if data == b"\r\n\r\n":
            self.pings.append(now)
            if flow.reliable and self.pongs:
                self._actions.append(Send(flow, b"\r\n"))
            return
        messages: Iterable[object] = self._readers[flow].receive(data) if flow.reliable else [parse(data)]
        for message in messages:
            assert isinstance(message, Request | Response), message
            if isinstance(message, Response) or message.method != "REGISTER":
                self.others.append(message)
                continue
            self.heard.append(Heard(now, flow, message))
            if not self.silent:
                self._actions.append(Send(flow, self._answer(self.heard[-1]).encode()))

    def _answer(self, heard: Heard) -> Response:
        request = heard.request
        self._check(request)
        if self.refuse:
            status, fields = self.refuse.pop(0)
            response = respond(request, status, to_tag="registrar")
            for name, value in fields.items():
                response.headers.add(name, value)
            return response
        challenge = self._challenge(heard) if self.users else None
        if challenge is not None:
            return challenge
        expires = request.expires or 0
        if 0 < expires < self.min_expires:
            return self._response(request, 423, {"Min-Expires": str(self.min_expires)})
        contact = request.headers.get("Contact") or ""
        granted = min(expires, self.longest)
        self.bindings[contact] = heard.at + granted
        response = self._response(request, 200, self.fields)
        for bound in self.bound():
            left = round(self.bindings[bound] - heard.at)
            response.headers.add("Contact", f"{bound};expires={left}" if self.echo_expires else bound)
        return response

    def _response(self, request: Request, status: int, fields: dict[str, str]) -> Response:
        response = respond(request, status, to_tag="registrar")
        for name, value in fields.items():
            response.headers.add(name, value)
        return response

    def _check(self, request: Request) -> None:
        """RFC 3261 10.2, 8.1.1."""
        others = [heard.request for heard in self.heard[-2:-1]]
        if request.uri.user is not None:
            self.faults.append("a user in the Request-URI")
        if request.from_.uri != request.to.uri:
            self.faults.append("From is not To")
        if any(other.call_id != request.call_id for other in others):
            self.faults.append("another Call-ID")
        if any(other.cseq.number >= request.cseq.number for other in others if other.via != request.via):
            self.faults.append("CSeq does not grow")

    def _challenge(self, heard: Heard) -> Response | None:
        said = heard.credentials
        issued = self._nonces.get(said.get("nonce", ""))
        stale = False
        if said and issued is not None and self._right(heard.request, said):
            if heard.at - issued <= self.nonce_life:
                return None
            stale = True
        nonce = f"nonce{len(self._nonces)}"
        self._nonces[nonce] = heard.at
        response = respond(heard.request, 401, to_tag="registrar")
        for algorithm in self.algorithms:
            qop = f', qop="{self.qop}"' if self.qop else ""
            more = f"{qop}{', stale=true' if stale else ''}, algorithm={algorithm}"
            response.headers.add("WWW-Authenticate", f'Digest realm="{self.realm}", nonce="{nonce}"{more}')
        return response

    def _right(self, request: Request, said: dict[str, str]) -> bool:
        def hashed(text: str) -> str:
            return hashlib.new(HASHES[said["algorithm"]], text.encode()).hexdigest()

        password = self.users.get(said["username"])
        if password is None or said["realm"] != self.realm or said["uri"] != str(request.uri):
            return False
        asked = f"REGISTER:{said['uri']}"
        if said.get("qop") == "auth-int":
            asked += f":{hashed('')}"
        middle = said["nonce"]
        if self.qop:
            count = int(said["nc"], 16)
            if count != self._counts.get(said["nonce"], 0) + 1:
                self.faults.append(f"nc is {count}")
            self._counts[said["nonce"]] = count
            middle += f":{said['nc']}:{said['cnonce']}:{said['qop']}"
        secret = hashed(f"{said['username']}:{self.realm}:{password}")
        return said["response"] == hashed(f"{secret}:{middle}:{hashed(asked)}")
