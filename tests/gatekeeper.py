"""A gatekeeper for tests: one zone, on the RAS types of the firmware, a core as its clients are.

It registers whom it knows, admits calls to the registered, and keeps its side of H.235.1, MD5 and CAT.  What it should
do wrong, or otherwise, a test sets: `refuse`, `silent`, `delay`, `alternates`, `pre_granted`.  What it heard is in
`heard`, and what was wrong with it in `faults`.

On a real socket: ``python tests/gatekeeper.py 127.0.0.1 1719 alice:secret``, in the project's root.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from dataclasses import dataclass, field
from typing import Any, cast

from firmware.errors import DecodeError
from firmware.h323 import h225
from firmware.h323.address import decode_transport, encode_transport
from firmware.h323.h225 import RAS_MESSAGE
from firmware.h323.h235 import CAT, MD5, OFFERS, Method
from firmware.h323.h235_baseline import WINDOW, Baseline, hashed_token
from firmware.h323.h235_password import cat_challenge, password_digest
from firmware.h323.ras_message import Body
from firmware.sansio import Action, Address, Flow, Send


@dataclass
class Endpoint:
    """One that is registered."""

    identifier: str
    user: str
    ras: Address
    signalling: Address
    aliases: list[Any]


@dataclass(frozen=True)
class Heard:
    """A message that came."""

    at: float
    name: str
    body: Body
    remote: Address


@dataclass
class Gatekeeper:
    """Attach it to a Wire at ``(address)``, or run it by `serve`."""

    address: Address
    identifier: str = "VisavisGK"
    users: dict[str, str] = field(default_factory=dict)
    """Passwords by name; empty: everybody may register."""
    method: Method = Method.BASELINE
    protects: bool = True
    """Whether rejects carry a token too."""
    epoch: float = 1_700_000_000.0
    time_to_live: int | None = 60
    routed: bool = False
    report_interval: int | None = None
    acknowledges_reports: bool = False
    max_bandwidth: int = 100_000
    """In units of 100 bit/s."""
    refuse: dict[str, list[tuple[Any, Body]]] = field(default_factory=dict)
    """By request: reasons, and further components of the reject, for its next occurrences."""
    silent: set[str] = field(default_factory=set)
    """Requests that are not answered; "all": none is."""
    delay: dict[str, list[int]] = field(default_factory=dict)
    """By request: milliseconds of the RequestInProgress that its next occurrences get instead of an answer."""
    alternates: list[Body] = field(default_factory=list)
    pre_granted: Body | None = None
    neighbours: list[Gatekeeper] = field(default_factory=list)
    """Gatekeepers whose registrations are ours too."""
    confirm: dict[str, Body] = field(default_factory=dict)
    """By confirm: components to add or change."""

    def __post_init__(self) -> None:
        self.endpoints: dict[str, Endpoint] = {}
        self.calls: dict[bytes, set[bool]] = {}
        """Sides of each call that are admitted, by callIdentifier: True the answering one."""
        self.heard: list[Heard] = []
        self.faults: list[str] = []
        """What was wrong with the security of a message."""
        self._rng = random.Random(7)
        self._number = 100
        self._actions: list[Action] = []
        self._baselines: dict[str, Baseline] = {}

    @property
    def call_signal_address(self) -> Address:
        return (self.address[0], 1721)

    def names(self) -> list[str]:
        return [heard.name for heard in self.heard]

    def last(self, name: str) -> Body:
        return next(heard.body for heard in reversed(self.heard) if heard.name == name)

    def named(self, alias: str) -> Endpoint:
        return next(e for e in self.endpoints.values() if alias in [text for _, text in e.aliases])

    def restart(self) -> None:
        """Forget everybody."""
        self.endpoints.clear()
        self.calls.clear()

    # Requests to an endpoint

    def ask(self, endpoint: Endpoint, name: str, body: Body, now: float, number: int = 0) -> int:
        self._number += 1
        number = number or self._number
        body = {"requestSeqNum": number, **body}
        self._send(Flow("udp", self.address, endpoint.ras), name, body, now, endpoint)
        return number

    def disengage(self, endpoint: Endpoint, call: bytes, now: float, **body: Any) -> int:
        named = {"endpointIdentifier": endpoint.identifier, "conferenceID": bytes(16), "callReferenceValue": 0}
        named.update(disengageReason=("forcedDrop", None), callIdentifier={"guid": call}, **body)
        return self.ask(endpoint, "disengageRequest", named, now)

    def change_bandwidth(self, endpoint: Endpoint, call: bytes, units: int, now: float) -> int:
        named = {"endpointIdentifier": endpoint.identifier, "conferenceID": bytes(16), "callReferenceValue": 0}
        named.update(bandWidth=units, callIdentifier={"guid": call})
        return self.ask(endpoint, "bandwidthRequest", named, now)

    def unregister(self, endpoint: Endpoint, reason: tuple[str, Any], now: float, **body: Any) -> int:
        self.endpoints.pop(endpoint.identifier, None)
        named = {"callSignalAddress": [], "endpointIdentifier": endpoint.identifier, "reason": reason, **body}
        return self.ask(endpoint, "unregistrationRequest", named, now)

    # The contract of a core

    def flow_opened(self, flow: Flow, now: float) -> None:
        raise AssertionError("RAS has no streams")

    def flow_closed(self, flow: Flow, now: float) -> None:
        pass

    def handle_timer(self, now: float) -> None:
        pass

    def timer(self) -> float | None:
        return None

    def events(self) -> list[Any]:
        return []

    def actions(self) -> list[Action]:
        actions, self._actions = self._actions, []
        return actions

    def receive_data(self, flow: Flow, data: bytes, now: float) -> None:
        try:
            name, body = RAS_MESSAGE.decode(data)
        except DecodeError as error:
            self.faults.append(f"malformed: {error}")
            return
        self.heard.append(Heard(now, name, body, flow.remote))
        if "all" in self.silent or name in self.silent or name not in ANSWERS:
            return
        if self.delay.get(name):
            delay = self.delay[name].pop(0)
            rip = {"requestSeqNum": body["requestSeqNum"], "delay": delay}
            self._send(flow, "requestInProgress", rip, now, self._endpoint(body))
            return
        answer = ANSWERS[name]
        answer_name, answer_body = "", Body()
        fault = self._check(name, body, data, now)
        if fault:
            self.faults.append(f"{name}: {fault}")
            answer_name, answer_body = f"{answer}Reject", {"rejectReason": ("securityDenial", None)}
            if answer == "infoRequest":
                answer_name, answer_body = "infoRequestNak", {"nakReason": ("securityDenial", None)}
        elif self.refuse.get(name):
            reason, more = self.refuse[name].pop(0)
            answer_name, answer_body = f"{answer}Reject", {"rejectReason": reason, **more}
        else:
            answer_name, answer_body = getattr(self, f"_{answer}")(body, now)
        if not answer_name:
            return
        answer_body = {"requestSeqNum": body["requestSeqNum"], **answer_body, **self.confirm.get(answer_name, {})}
        if answer_name.startswith(("gatekeeper", "registration")):
            answer_body = {
                "protocolIdentifier": h225.IDENTIFIER,
                "gatekeeperIdentifier": self.identifier,
                **answer_body,
            }
        if answer_name == "bandwidthReject":
            answer_body.setdefault("allowedBandWidth", self.max_bandwidth)
        endpoint = None if fault else self._endpoint(answer_body) or self._endpoint(body)
        self._send(flow, answer_name, answer_body, now, endpoint, user=self._user(body))
        if name == "unregistrationRequest" and answer_name.endswith("Confirm"):
            self.endpoints.pop(body.get("endpointIdentifier", ""), None)

    # What is answered; each gives the name and the body

    def _gatekeeper(self, body: Body, now: float) -> tuple[str, Body]:
        wanted = body.get("gatekeeperIdentifier", self.identifier)
        if wanted != self.identifier:
            return "gatekeeperReject", {"rejectReason": ("terminalExcluded", None)}
        answer: Body = {"rasAddress": encode_transport(self.address)}
        if self.users:
            mechanism, algorithm = OFFERS[self.method]
            if algorithm not in body.get("algorithmOIDs", []):
                return "gatekeeperReject", {"rejectReason": ("securityDenial", None)}
            answer.update(authenticationMode=mechanism, algorithmOID=algorithm)
        if self.alternates:
            answer["alternateGatekeeper"] = self.alternates
        return "gatekeeperConfirm", answer

    def _registration(self, body: Body, now: float) -> tuple[str, Body]:
        if body.get("keepAlive"):
            endpoint = self._endpoint(body)
            if endpoint is None:
                return "registrationReject", {"rejectReason": ("fullRegistrationRequired", None)}
        else:
            ras, signalling = decode_transport(body["rasAddress"][0]), decode_transport(body["callSignalAddress"][0])
            assert ras is not None
            assert signalling is not None
            aliases = body.get("terminalAlias", [])
            for other in list(self.endpoints.values()):
                if other.ras == ras:
                    del self.endpoints[other.identifier]
                elif taken := [alias for alias in other.aliases if alias in aliases]:
                    return "registrationReject", {"rejectReason": ("duplicateAlias", taken)}
            self._number += 1
            endpoint = Endpoint(f"{self._number}_endp", self._user(body), ras, signalling, aliases)
            self.endpoints[endpoint.identifier] = endpoint
        answer: Body = {
            "callSignalAddress": [encode_transport(self.call_signal_address)],
            "terminalAlias": endpoint.aliases,
            "endpointIdentifier": endpoint.identifier,
            "willRespondToIRR": self.acknowledges_reports,
            "maintainConnection": False,
        }
        if self.time_to_live is not None:
            answer["timeToLive"] = min(self.time_to_live, body.get("timeToLive", self.time_to_live))
        if self.alternates:
            answer["alternateGatekeeper"] = self.alternates
        if self.pre_granted is not None:
            answer["preGrantedARQ"] = self.pre_granted
        return "registrationConfirm", answer

    def _unregistration(self, body: Body, now: float) -> tuple[str, Body]:
        if self._endpoint(body) is None:
            return "unregistrationReject", {"rejectReason": ("notCurrentlyRegistered", None)}
        return "unregistrationConfirm", {}

    def _admission(self, body: Body, now: float) -> tuple[str, Body]:
        if self._endpoint(body) is None:
            return "admissionReject", {"rejectReason": ("callerNotRegistered", None)}
        called = self._called(body)
        if called is None:
            return "admissionReject", {"rejectReason": ("calledPartyNotRegistered", None)}
        self.calls.setdefault(body["callIdentifier"]["guid"], set()).add(body["answerCall"])
        answer: Body = {
            "bandWidth": min(body["bandWidth"], self.max_bandwidth),
            "callModel": ("gatekeeperRouted" if self.routed else "direct", None),
            "destCallSignalAddress": encode_transport(self.call_signal_address if self.routed else called),
            "willRespondToIRR": self.acknowledges_reports,
        }
        if self.report_interval is not None:
            answer["irrFrequency"] = self.report_interval
        return "admissionConfirm", answer

    def _bandwidth(self, body: Body, now: float) -> tuple[str, Body]:
        if body["callIdentifier"]["guid"] not in self.calls:
            return "bandwidthReject", {"rejectReason": ("invalidConferenceID", None)}
        if body["bandWidth"] > self.max_bandwidth:
            return "bandwidthReject", {"rejectReason": ("insufficientResources", None)}
        return "bandwidthConfirm", {"bandWidth": body["bandWidth"]}

    def _disengage(self, body: Body, now: float) -> tuple[str, Body]:
        sides = self.calls.get(body["callIdentifier"]["guid"], set())
        if body["answeredCall"] not in sides:
            return "disengageReject", {"rejectReason": ("requestToDropOther", None)}
        sides.discard(body["answeredCall"])
        if not sides:
            del self.calls[body["callIdentifier"]["guid"]]
        return "disengageConfirm", {}

    def _infoRequest(self, body: Body, now: float) -> tuple[str, Body]:  # noqa: N802
        if not body.get("needResponse"):
            return "", {}
        if self._endpoint(body) is None:
            return "infoRequestNak", {"nakReason": ("notRegistered", None)}
        return "infoRequestAck", {}

    def _called(self, body: Body) -> Address | None:
        if body["answerCall"]:
            found = self._endpoint(body)
            return None if found is None else found.signalling
        for alias in body.get("destinationInfo", []):
            for zone in (self, *self.neighbours):
                for endpoint in zone.endpoints.values():
                    if alias in endpoint.aliases:
                        return endpoint.signalling
        return decode_transport(body["destCallSignalAddress"]) if "destCallSignalAddress" in body else None

    # Who is who

    def _endpoint(self, body: Body) -> Endpoint | None:
        identifier = body.get("endpointIdentifier", "")
        for zone in (self, *self.neighbours):
            if identifier in zone.endpoints:
                return zone.endpoints[identifier]
        return None

    def _user(self, body: Body) -> str:
        endpoint = self._endpoint(body)
        if endpoint is not None:
            return endpoint.user
        token = hashed_token(body)
        if token is not None:
            return str(token["hashedVals"].get("sendersID", ""))
        return next((text for _, text in body.get("terminalAlias", []) if text in self.users), "")

    def _check(self, name: str, body: Body, data: bytes, now: float) -> str:
        """Say what is wrong with a message's tokens; "" nothing."""
        if not self.users or name == "gatekeeperRequest":
            return ""
        user = self._user(body)
        if user not in self.users:
            return f"no user {user!r}"
        clock = int(self.epoch + now)
        endpoint = self._endpoint(body)
        match self.method:
            case Method.BASELINE:
                full = name == "registrationRequest" and not body.get("keepAlive")
                senders = {user} if full or endpoint is None else {endpoint.identifier}
                recipients = {self.identifier}
                return self._baseline(user).verify(body, data, senders=senders, recipients=recipients, time=clock)
            case Method.MD5:
                for value in body.get("cryptoTokens", []):
                    match value:
                        case ("cryptoEPPwdHash", {"alias": (_, alias), "timeStamp": stamp, "token": token}):
                            expected = int.from_bytes(password_digest(user, self.users[user], stamp), "big")
                            right = (alias, token["algorithmOID"], token["hash"]) == (user, MD5, (expected, 128))
                            return "" if right and abs(stamp - clock) < WINDOW else "MD5"
            case Method.CAT:
                for token in body.get("tokens", []):
                    if token["tokenOID"] == CAT:
                        stamp = token["timeStamp"]
                        challenge = cat_challenge(self.users[user], token["random"], stamp)
                        right = (token["generalID"], token["challenge"]) == (f"{user}\0", challenge)
                        return "" if right and abs(stamp - clock) < WINDOW else "CAT"
        return "no token"

    def _baseline(self, user: str) -> Baseline:
        if user not in self._baselines:
            self._baselines[user] = Baseline(self.users[user], self._rng)
        return self._baselines[user]

    def _send(
        self, flow: Flow, name: str, body: Body, now: float, endpoint: Endpoint | None, *, user: str = ""
    ) -> None:
        user = endpoint.user if endpoint is not None else user
        wants = user in self.users and self.method is Method.BASELINE and not name.startswith("gatekeeper")
        if wants and (self.protects or not name.endswith("Reject")):
            recipient = endpoint.identifier if endpoint is not None else user
            data = self._baseline(user).protect(
                name, body, sender=self.identifier, recipient=recipient, time=int(self.epoch + now)
            )
        else:
            data = RAS_MESSAGE.encode((name, body))
        self._actions.append(Send(Flow("udp", self.address, flow.remote), data))


ANSWERS = {
    "gatekeeperRequest": "gatekeeper",
    "registrationRequest": "registration",
    "unregistrationRequest": "unregistration",
    "admissionRequest": "admission",
    "bandwidthRequest": "bandwidth",
    "disengageRequest": "disengage",
    "infoRequestResponse": "infoRequest",
}
"""The beginning of the names of each request's answers."""


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, gatekeeper: Gatekeeper) -> None:
        self._gatekeeper = gatekeeper
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        gatekeeper = self._gatekeeper
        gatekeeper.receive_data(Flow("udp", gatekeeper.address, (addr[0], addr[1])), data, time.monotonic())
        self.flush()

    def flush(self) -> None:
        """Send what the gatekeeper wants sent; call it after a request of its own."""
        for action in self._gatekeeper.actions():
            if isinstance(action, Send) and self._transport is not None:
                self._transport.sendto(action.data, action.flow.remote)


async def serve(gatekeeper: Gatekeeper) -> tuple[asyncio.DatagramTransport, _Socket]:
    """Run it at its address, on the running loop; with port 0, at any, which it then has."""
    gatekeeper.epoch = time.time() - time.monotonic()
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: _Socket(gatekeeper), local_addr=gatekeeper.address
    )
    gatekeeper.address = transport.get_extra_info("sockname")[:2]
    return transport, protocol


async def _main(host: str, port: str, *users: str) -> None:
    passwords = dict(user.split(":", 1) for user in users)
    gatekeeper = Gatekeeper((host, int(port)), users=passwords)
    await serve(gatekeeper)
    told = 0
    while True:
        await asyncio.sleep(0.2)
        for heard in gatekeeper.heard[told:]:
            print(f"{heard.remote[0]}:{heard.remote[1]} {heard.name}", flush=True)
        told = len(gatekeeper.heard)


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
