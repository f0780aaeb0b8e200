from __future__ import annotations

from ras_zone import ALIASES, FIRST, Zone

from firmware.h323.ras_alternate import Gatekeeper
from firmware.h323.ras_event import Admitted, BandwidthChanged, DisengageRequested, Refused, Registered, Unregistered


def test_events_of_a_life_in_order() -> None:
    zone = Zone()
    endpoint = zone.register()
    first, second = zone.admit(1), zone.admit(2)
    zone.client.change_bandwidth(first, 500_000, zone.now)
    zone.run(0.1)
    zone.gatekeeper.disengage(endpoint, first.call.call_identifier, zone.now)
    zone.run(0.1)
    third = zone.admit(3, to="nobody")
    zone.client.disengage(second, zone.now)
    zone.client.stop(zone.now)
    zone.run(1)
    assert [type(event) for event in zone.events] == [
        Registered,
        Admitted,
        Admitted,
        BandwidthChanged,
        DisengageRequested,
        Refused,
        Unregistered,
    ]
    registered, admitted, _, changed, disengaged, refused, unregistered = zone.events
    assert registered == Registered(Gatekeeper(FIRST, "VisavisGK"), ALIASES)
    assert admitted == Admitted(first)
    assert changed == BandwidthChanged(first)
    assert disengaged == DisengageRequested(first, "forcedDrop")
    assert (refused.admission, refused.refusal.reason) == (third, "calledPartyNotRegistered")
    assert unregistered == Unregistered("stopped", None)
