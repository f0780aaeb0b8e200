from __future__ import annotations

import random

import pytest
from gatekeeper import Gatekeeper
from ras_zone import EPOCH, FIRST, OURS, STRANGER, Zone, alternate, guid
from wire import Wire

from firmware.h323.h225 import RAS_MESSAGE
from firmware.h323.identity import Identity
from firmware.h323.ras import MAX_STRANGERS, RasClient
from firmware.h323.ras_call import CallInformation, State
from firmware.h323.ras_event import Admitted, Unregistered
from firmware.h323.ras_settings import Settings
from firmware.sansio import Core, Flow

GATEKEEPER = Flow("udp", OURS, FIRST)


def test_a_client_is_a_core() -> None:
    core: Core = Zone().client
    assert core.timer() is None
    assert core.actions() == []
    assert core.events() == []
    core.handle_timer(5.0)
    core.flow_opened(GATEKEEPER, 5.0)


def test_a_life_under_h235() -> None:
    zone = Zone(password="secret")
    zone.gatekeeper.users = {"room": "secret"}
    zone.gatekeeper.report_interval = 20
    zone.register()
    admission = zone.admit(1)
    zone.run(120)
    zone.client.change_bandwidth(admission, 64_000, zone.now)
    zone.run(1)
    zone.client.disengage(admission, zone.now)
    zone.client.stop(zone.now)
    zone.run(1)
    assert zone.gatekeeper.faults == []
    assert zone.client.dropped == {}
    assert len(zone.of(Admitted)) == 1
    assert zone.of(Unregistered) == [Unregistered("stopped", None)]


def test_a_life_over_ipv6() -> None:
    wire = Wire()
    gatekeeper = Gatekeeper(("2001:db8::1", 1719))
    ours, signalling = ("2001:db8::5", 1719), ("2001:db8::5", 1720)
    settings = Settings(Identity((("h323-ID", "room"),)), ours, signalling, gatekeeper.address)
    client = RasClient(settings, random.Random(1))
    wire.attach(gatekeeper.address, gatekeeper)
    wire.attach(ours, client)
    client.start(0.0)
    wire.run(1.0)
    call = CallInformation(guid(1), guid(2), 3, answer=False, bandwidth=64_000, destination=(("h323-ID", "room"),))
    admission = client.admit(call, wire.now)
    wire.run(2.0)
    assert admission.state is State.ADMITTED
    assert admission.address == signalling


def test_a_wrong_password_is_told_though_nobody_can_protect_that() -> None:
    zone = Zone(password="wrong")
    zone.gatekeeper.users = {"room": "secret"}
    zone.client.start(0.0)
    zone.run(12)
    [event] = zone.of(Unregistered)
    assert event.reason == "securityDenial"
    assert event.retry is not None
    assert event.retry > 50


def test_a_gatekeeper_that_does_not_know_the_password_is_not_believed() -> None:
    zone = Zone(password="secret")
    zone.client.start(0.0)
    zone.run(12)
    assert not zone.client.registered
    assert zone.client.dropped["securityTokenMissing"] == 3


def test_time_that_was_wrong_and_is_set() -> None:
    zone = Zone(password="secret")
    zone.gatekeeper.users = {"room": "secret"}
    zone.client.set_epoch(0.0)
    zone.client.start(0.0)
    zone.run(12)
    assert not zone.client.registered
    zone.client.set_epoch(EPOCH)
    zone.client.start(zone.now)
    zone.run(1)
    assert zone.client.registered


def test_a_restarted_gatekeeper_is_found_though_icmp_says_it_is_gone() -> None:
    zone = Zone()
    zone.register()
    zone.gatekeeper.silent.add("all")
    zone.run(31)
    zone.client.flow_closed(GATEKEEPER, zone.now)
    zone.gatekeeper.silent.clear()
    zone.run(5)
    assert zone.client.registered
    assert zone.of(Unregistered) == []


def test_a_flood_of_strangers_is_not_read() -> None:
    zone = Zone()
    zone.register()
    for number in range(1000):
        zone.client.receive_data(Flow("udp", OURS, (STRANGER[0], 1024 + number)), b"\x0e", zone.now)
    assert zone.client.dropped["too many"] == 1000 - MAX_STRANGERS
    assert zone.client.dropped["malformed"] == MAX_STRANGERS
    assert zone.admit(1).state is State.ADMITTED


def test_the_gatekeeper_is_no_stranger_whatever_address_of_ours_it_writes_to() -> None:
    zone = Zone()
    zone.register()
    flow = Flow("udp", ("0.0.0.0", 1719), FIRST)
    data = RAS_MESSAGE.encode(("infoRequest", {"requestSeqNum": 9, "callReferenceValue": 0}))
    for _ in range(MAX_STRANGERS + 5):
        zone.client.receive_data(flow, data, zone.now)
    assert zone.client.dropped == {}


def test_nothing_that_comes_raises_or_breaks_the_registration() -> None:
    zone = Zone()
    zone.gatekeeper.alternates = [alternate(("192.0.2.9", 1719), priority=3)]
    zone.register()
    zone.admit(1)
    rng = random.Random(11)
    material = [data for _, _, data in zone.wire.sent]
    for _ in range(4000):
        data = bytearray(rng.choice(material))
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        zone.client.receive_data(GATEKEEPER, bytes(data[: rng.randrange(1, len(data) + 1)]), zone.now)
    zone.client.actions()
    zone.run(400)
    zone.client.start(zone.now)
    zone.run(60)
    assert zone.client.registered


def test_everything_that_is_sent_can_be_read() -> None:
    zone = Zone()
    zone.register()
    zone.client.disengage(zone.admit(1), zone.now, cause=31)
    zone.run(100)
    for _, _, data in zone.wire.sent:
        name, body = RAS_MESSAGE.decode(data)
        assert RAS_MESSAGE.encode((name, body)) == data


def test_nobody_is_searched_for_by_connections() -> None:
    with pytest.raises(ValueError, match="UDP"):
        RasClient(Settings(Identity(()), OURS, OURS, transport="tcp"), random.Random(1))
