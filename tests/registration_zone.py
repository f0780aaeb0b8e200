"""A user agent that registers at the registrar for tests, on the virtual network."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from registrar import Registrar
from sip_peer import OURS, THEIRS, flow
from wire import Wire

from firmware.sansio import Address
from firmware.sip.account import AccountSettings
from firmware.sip.authentication import Credential
from firmware.sip.events import RegistrationChanged, ServerWanted
from firmware.sip.identity import Identity
from firmware.sip.registration import State
from firmware.sip.uri import Uri
from firmware.sip.user_agent import UserAgent

ADDRESS = Uri.parse("sip:alice@example.com")
INSTANCE = "urn:uuid:00000000-0000-1000-8000-000a95a0e128"


class Zone:
    """A user agent that registers; its servers are where the test says."""

    def __init__(
        self,
        *servers: Address,
        transport: str = "udp",
        password: str = "secret",
        settings: dict[str, Any] | None = None,
        seed: int = 1,
        **registrar: Any,
    ) -> None:
        self.wire = Wire(delay=0.01)
        self.registrar = Registrar(self.wire, **registrar)
        self.agent = UserAgent(Identity("room"), random.Random(seed))
        self.flows = [flow(transport, remote=server) for server in servers or (THEIRS,)]
        self.wanted: list[str] = []
        self.reports: list[tuple[float, State]] = []
        self.answer: Callable[[ServerWanted], None] = self._answer
        """Who knows where servers are."""
        self.wire.attach(OURS, self.agent, self._event)
        credential = Credential("alice", password) if password else None
        given = {"address": ADDRESS, "credential": credential, "instance": INSTANCE} | (settings or {})
        self.account = self.agent.add_account(AccountSettings(**given))
        self.registration = self.agent.register(self.account, 0.0)

    def _event(self, event: Any) -> None:
        if isinstance(event, ServerWanted):
            self.wanted.append(str(event.uri))
            self.answer(event)
        elif isinstance(event, RegistrationChanged):
            self.reports.append((round(self.wire.now, 1), event.registration.state))

    def _answer(self, event: ServerWanted) -> None:
        if self.flows:
            event.registration.use(self.flows, self.wire.now)
        else:
            event.registration.not_found("there is no host example.com", self.wire.now)

    def run(self, seconds: float) -> Zone:
        self.wire.pass_time(seconds)
        assert self.registrar.faults == []
        return self

    @property
    def state(self) -> State:
        return self.registration.state

    @property
    def heard(self) -> list[Any]:
        return self.registrar.heard
