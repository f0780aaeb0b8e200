"""The gatekeeper's word on calls: two terminals registered with one gatekeeper."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from gatekeeper import Gatekeeper
from h323_terminals import CAPABILITIES, Party
from wire import Wire

from firmware.h323 import events, q931, tpkt, user_information
from firmware.h323.address import encode_transport
from firmware.h323.cause import Cause
from firmware.h323.identity import Destination, Identity
from firmware.h323.ras import RasClient
from firmware.h323.ras_settings import Settings
from firmware.h323.session import Session
from firmware.h323.terminal import Terminal
from firmware.h323.user_information import UserInformation
from firmware.sansio import Flow

GATEKEEPER = ("192.0.2.100", 1719)
BOB = Destination((("h323-ID", "bob"),))


class Zone:
    def __init__(self, **settings: Any) -> None:
        self.wire = Wire()
        self.gatekeeper = Gatekeeper(GATEKEEPER, **settings)
        self.wire.attach(GATEKEEPER, self.gatekeeper)
        self.alice = self.party("alice", "192.0.2.1")
        self.bob = self.party("bob", "192.0.2.2")
        self.wire.on_event[self.bob.address] = self.react
        self.wire.pass_time(1)

    def party(self, name: str, host: str) -> Party:
        identity = Identity((("h323-ID", name),), bitrate=384_000)
        ras = RasClient(
            Settings(identity, (host, 1719), (host, 1720), gatekeeper=GATEKEEPER), random.Random(name), 1_700_000_000.0
        )
        terminal = Terminal(identity, random.Random(name), ras)
        self.wire.attach((host, 1720), terminal, also=[(host, 1719)])
        ras.start(0.0)
        return Party(terminal, (host, 1720), self.wire)

    def react(self, event: events.Event) -> None:
        if isinstance(event, events.Incoming):
            event.session.accept(CAPABILITIES, self.wire.now)

    def call(self, destination: Destination = BOB) -> Session:
        flow = Flow("tcp", self.alice.address, GATEKEEPER)
        session = self.alice.terminal.call(flow, destination, self.wire.now, capabilities=CAPABILITIES)
        self.wire.pass_time(1)
        return session

    def signalled(self) -> list[UserInformation]:
        """What was said in call signalling, in order."""
        return [
            user_information.decode(q931.decode(payload).user_information)
            for _, flow, data in self.wire.sent
            if flow.transport == "tcp"
            for payload in tpkt.PacketReader().receive(data)
        ]

    def alice_identifier(self) -> str:
        """What the gatekeeper calls the caller."""
        heard = next(heard for heard in self.gatekeeper.heard if heard.name == "admissionRequest")
        return str(heard.body["endpointIdentifier"])

    def admissions(self) -> list[bool]:
        """Who asked, in order: False the caller, True the called."""
        return [heard.body["answerCall"] for heard in self.gatekeeper.heard if heard.name == "admissionRequest"]


def test_both_register_and_say_so() -> None:
    zone = Zone()
    for party in (zone.alice, zone.bob):
        assert [type(event) for event in party.events] == [events.Registered]


def test_call_by_name() -> None:
    zone = Zone()
    session = zone.call()
    assert session.flow.remote == zone.bob.address
    assert session.control.ready
    assert zone.admissions() == [False, True]
    (setup,) = [contents.body for contents in zone.signalled() if contents.name == "setup"]
    assert setup["endpointIdentifier"] == zone.alice_identifier()
    asked = zone.gatekeeper.last("admissionRequest")
    assert asked["bandWidth"] == 2 * 384_000 // 100
    assert asked["callIdentifier"]["guid"] == session.call_identifier
    assert asked["destinationInfo"] == [("h323-ID", "bob")]
    assert asked["srcInfo"] == [("h323-ID", "alice")]
    session.release(Cause.NORMAL_CALL_CLEARING, zone.wire.now)
    zone.wire.pass_time(1)
    assert zone.gatekeeper.names().count("disengageRequest") == 2
    assert zone.gatekeeper.calls == {}
    for party in (zone.alice, zone.bob):
        assert party.ended.cause == Cause.NORMAL_CALL_CLEARING
        assert party.terminal.sizes == {"sessions": 0, "streams": 0, "ports": 0}


def test_called_asks_for_itself_where_the_caller_named_nobody() -> None:
    zone = Zone()
    zone.call(Destination(address=zone.bob.address))
    asked, answer = [heard.body for heard in zone.gatekeeper.heard if heard.name == "admissionRequest"]
    assert "destinationInfo" not in asked
    assert answer["destinationInfo"] == [("h323-ID", "bob")]


def test_caller_is_refused() -> None:
    zone = Zone()
    zone.call(Destination((("h323-ID", "nobody"),)))
    assert zone.alice.ended.detail.startswith("AdmissionReject ")
    assert zone.alice.ended.cause == Cause.SUBSCRIBER_ABSENT
    assert zone.alice.terminal.sizes == {"sessions": 0, "streams": 0, "ports": 0}
    assert zone.bob.of(events.Incoming) == []


def test_called_is_refused() -> None:
    zone = Zone()
    flow = Flow("tcp", zone.alice.address, GATEKEEPER)
    zone.alice.terminal.call(flow, BOB, zone.wire.now, capabilities=CAPABILITIES)
    zone.wire.pass_time(0.045)
    zone.gatekeeper.refuse["admissionRequest"] = [(("requestDenied", None), {})]
    zone.wire.pass_time(3)
    assert zone.admissions() == [False, True]
    # The application of the called side has heard nothing of it.
    assert [type(event) for event in zone.bob.events] == [events.Registered]
    assert zone.alice.ended.reason == "noBandwidth"
    assert zone.bob.terminal.sizes == {"sessions": 0, "streams": 0, "ports": 0}
    assert zone.gatekeeper.names().count("disengageRequest") == 1


def test_called_is_to_be_reached_through_the_gatekeeper() -> None:
    zone = Zone()
    flow = Flow("tcp", zone.alice.address, GATEKEEPER)
    zone.alice.terminal.call(flow, BOB, zone.wire.now, capabilities=CAPABILITIES)
    zone.wire.pass_time(0.045)
    zone.gatekeeper.refuse["admissionRequest"] = [
        (("routeCallToGatekeeper", None), {"callSignalAddress": [encode_transport(("192.0.2.100", 1721))]})
    ]
    zone.wire.pass_time(3)
    (forwarded,) = zone.alice.of(events.Forwarded)
    assert forwarded.address == ("192.0.2.100", 1721)


def test_caller_gives_up_before_it_is_admitted() -> None:
    zone = Zone()
    flow = Flow("tcp", zone.alice.address, GATEKEEPER)
    session = zone.alice.terminal.call(flow, BOB, zone.wire.now, capabilities=CAPABILITIES)
    session.release(Cause.NORMAL_CALL_CLEARING, zone.wire.now)
    zone.wire.pass_time(3)
    assert zone.alice.ended.by_far_end is False
    assert zone.bob.of(events.Incoming) == []
    assert zone.gatekeeper.calls == {}
    assert zone.alice.terminal.sizes == {"sessions": 0, "streams": 0, "ports": 0}


def test_caller_gives_up_before_the_called_is_admitted() -> None:
    zone = Zone()
    flow = Flow("tcp", zone.alice.address, GATEKEEPER)
    session = zone.alice.terminal.call(flow, BOB, zone.wire.now, capabilities=CAPABILITIES)
    zone.wire.pass_time(0.045)
    zone.gatekeeper.silent = {"admissionRequest"}
    zone.wire.pass_time(1)
    session.release(Cause.NORMAL_CALL_CLEARING, zone.wire.now)
    zone.wire.pass_time(3)
    assert [type(event) for event in zone.bob.events] == [events.Registered]
    assert zone.bob.terminal.sizes == {"sessions": 0, "streams": 0, "ports": 0}


def test_who_registers_anew_goes_on_with_what_was_admitted() -> None:
    zone = Zone()
    session = zone.call()
    zone.gatekeeper.silent = {"admissionRequest"}
    waiting = zone.call(Destination((("h323-ID", "carol"),)))
    zone.gatekeeper.silent = set()
    zone.gatekeeper.restart()
    settings = Settings(Identity((("h323-ID", "alice"),)), *[(zone.alice.address[0], port) for port in (1719, 1720)])
    client = RasClient(replace(settings, gatekeeper=GATEKEEPER), random.Random(5), 1_700_000_000.0)
    zone.alice.terminal.register(client, zone.wire.now)
    zone.wire.pass_time(1)
    assert client.registered
    assert [ended.session for ended in zone.alice.of(events.Ended)] == [waiting]
    assert session.control.ready
    session.release(Cause.NORMAL_CALL_CLEARING, zone.wire.now)
    zone.wire.pass_time(1)
    assert zone.alice.terminal.sizes == {"sessions": 0, "streams": 0, "ports": 0}


def test_gatekeeper_ends_the_call() -> None:
    zone = Zone()
    session = zone.call()
    endpoint = zone.gatekeeper.named("alice")
    zone.gatekeeper.disengage(endpoint, session.call_identifier, zone.wire.now)
    zone.wire.pass_time(3)
    assert zone.alice.ended.detail.startswith("DisengageRequest ")
    assert zone.bob.ended.by_far_end


def test_without_registration_calls_go_on_unasked() -> None:
    zone = Zone(silent={"all"})
    flow = Flow("tcp", zone.alice.address, zone.bob.address)
    session = zone.alice.terminal.call(flow, Destination(), zone.wire.now, capabilities=CAPABILITIES)
    zone.wire.pass_time(1)
    assert session.control.ready
    assert zone.admissions() == []


def test_address_that_was_dialled_is_told() -> None:
    zone = Zone()
    zone.call(Destination(address=zone.bob.address))
    (asked, _) = [heard.body for heard in zone.gatekeeper.heard if heard.name == "admissionRequest"]
    assert asked["destCallSignalAddress"] == encode_transport(zone.bob.address)


def test_alternative_addresses_are_tried() -> None:
    zone = Zone()
    nobody = ("192.0.2.77", 1720)
    endpoints = [{"callSignalAddress": [encode_transport(address)]} for address in (nobody, zone.bob.address)]
    zone.gatekeeper.confirm["admissionConfirm"] = {
        "destCallSignalAddress": encode_transport(nobody),
        "alternateEndpoints": endpoints,
    }
    session = zone.call()
    assert session.flow.remote == zone.bob.address
    assert zone.bob.of(events.Incoming)


def test_no_address_answers() -> None:
    zone = Zone()
    zone.gatekeeper.confirm["admissionConfirm"] = {"destCallSignalAddress": encode_transport(("192.0.2.77", 1720))}
    zone.call()
    assert zone.alice.ended.detail == "not reachable"
    assert zone.gatekeeper.calls == {}


def test_words_of_the_gatekeeper_stand_in_setup() -> None:
    zone = Zone()
    zone.gatekeeper.confirm["admissionConfirm"] = {
        "destinationInfo": [("dialledDigits", "42")],
        "destExtraCallInfo": [("dialledDigits", "7")],
        "remoteExtensionAddress": [("dialledDigits", "8")],
        "tokens": [{"tokenOID": "1.2.3"}],
    }
    zone.call()
    (setup,) = [contents.body for contents in zone.signalled() if contents.name == "setup"]
    assert setup["destinationAddress"] == [("dialledDigits", "42")]
    assert setup["destExtraCallInfo"] == [("dialledDigits", "7")]
    assert setup["remoteExtensionAddress"] == ("dialledDigits", "8")
    assert setup["tokens"] == [{"tokenOID": "1.2.3"}]
    assert setup["destCallSignalAddress"] == encode_transport(zone.bob.address)


def allowed(party: Party) -> list[int]:
    return [event.bitrate for event in party.of(events.Bandwidth)]


def test_the_gatekeeper_allows_less_and_then_more() -> None:
    zone = Zone(max_bandwidth=5_120)
    session = zone.call()
    assert allowed(zone.alice) == allowed(zone.bob) == [256_000], "half of what both directions are allowed together"
    endpoint = zone.gatekeeper.named("alice")
    for units in (1_280, 100_000):
        zone.gatekeeper.change_bandwidth(endpoint, session.call_identifier, units, zone.wire.now)
        zone.wire.pass_time(1)
    assert allowed(zone.alice) == [256_000, 64_000, 5_000_000]
    assert allowed(zone.bob) == [256_000]
    assert not session.ended


def test_the_bandwidth_of_a_call_comes_after_the_call() -> None:
    zone = Zone()
    zone.call()
    kinds = [type(event) for event in zone.bob.events]
    assert kinds.index(events.Incoming) < kinds.index(events.Bandwidth)
    assert allowed(zone.alice) == [384_000]


def test_no_bandwidth_without_a_gatekeeper() -> None:
    zone = Zone()
    for party in (zone.alice, zone.bob):
        assert party.terminal._gatekeeper is not None
        party.terminal._gatekeeper.stop(zone.wire.now)
    zone.wire.pass_time(1)
    flow = Flow("tcp", zone.alice.address, zone.bob.address)
    zone.alice.terminal.call(flow, Destination(), zone.wire.now, capabilities=CAPABILITIES)
    zone.wire.pass_time(1)
    assert zone.bob.of(events.Incoming)
    assert allowed(zone.alice) == allowed(zone.bob) == []
