"""All that we send on the RAS channel, read by tshark: no malformed mark, no expert error, and the right words."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from ras_zone import FIRST, OURS, SECOND, Zone, alternate, guid

from firmware.h323.h235 import Method
from firmware.sansio import Flow


def capture(path: Path, sent: list[tuple[float, Flow, bytes]]) -> None:
    """Write datagrams as a capture of raw IPv4 packets (link type 101)."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101))
        for at, flow, data in sent:
            source, target = (bytes(map(int, address[0].split("."))) for address in (flow.local, flow.remote))
            udp = struct.pack(">HHHH", flow.local[1], flow.remote[1], 8 + len(data), 0) + data
            packet = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + source + target + udp
            file.write(struct.pack("<IIII", int(at), int(at % 1 * 1e6), len(packet), len(packet)) + packet)


def read(program: Callable[[str], str], path: Path, *more: str) -> list[str]:
    command = [program("tshark"), "-r", str(path), "-o", "ip.check_checksum:FALSE"]
    done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


def life(zone: Zone) -> None:
    """Let a client send one of everything."""
    zone.gatekeeper.report_interval = 30
    zone.gatekeeper.acknowledges_reports = True
    zone.gatekeeper.alternates = [alternate(SECOND, register=False)]
    endpoint = zone.register()
    admission = zone.admit(1)
    zone.admit(2, answer=True, source=(("h323-ID", "Müller"),), source_address=("192.0.2.9", 4000))
    zone.admit(3)
    zone.run(65)
    zone.client.change_bandwidth(admission, 64_000, zone.now)
    nothing = {"callReferenceValue": 0}
    zone.gatekeeper.ask(endpoint, "infoRequest", {**nothing, "callIdentifier": {"guid": guid(0)}}, zone.now)
    session = {"sessionId": 1, "contents": ("url", "http://example.org/"), "reason": ("open", None)}
    zone.gatekeeper.ask(endpoint, "serviceControlIndication", {"serviceControl": [session]}, zone.now)
    other = {"nonStandardData": {"nonStandardIdentifier": ("object", "1.2.3"), "data": b"what"}}
    zone.gatekeeper.ask(endpoint, "nonStandardMessage", other, zone.now)
    where = {
        "destinationInfo": [("h323-ID", "x")],
        "replyAddress": ("ipAddress", {"ip": bytes([192, 0, 2, 1]), "port": 1719}),
    }
    zone.gatekeeper.ask(endpoint, "locationRequest", where, zone.now)
    zone.gatekeeper.change_bandwidth(endpoint, guid(1), 320, zone.now)
    zone.gatekeeper.change_bandwidth(endpoint, guid(99), 320, zone.now)
    zone.gatekeeper.disengage(endpoint, guid(99), zone.now)
    zone.run(1)
    zone.gatekeeper.disengage(endpoint, guid(3), zone.now)
    zone.client.disengage(admission, zone.now, cause=16)
    zone.run(1)
    foreign = {"callSignalAddress": [], "endpointIdentifier": "other"}
    zone.gatekeeper.ask(endpoint, "unregistrationRequest", foreign, zone.now)
    zone.run(1)
    zone.gatekeeper.unregister(endpoint, ("reregistrationRequired", None), zone.now)
    zone.run(2)
    zone.client.stop(zone.now)
    zone.run(2)


@pytest.mark.interop
@pytest.mark.parametrize("method", [None, *Method])
def test_tshark_reads_everything(program: Callable[[str], str], tmp_path: Path, method: Method | None) -> None:
    zone = Zone(second=True, password=None if method is None else "secret", methods=(method or Method.BASELINE,))
    if method is not None:
        zone.gatekeeper.users = {"room": "secret"}
        zone.gatekeeper.method = method
    life(zone)
    assert zone.gatekeeper.faults == []
    path = tmp_path / "ras.pcap"
    ours = [sent for sent in zone.wire.sent if sent[1].local == OURS]
    capture(path, ours)
    assert read(program, path, "-Y", "_ws.malformed || _ws.expert.severity == error || !h225") == []
    words = read(program, path, "-T", "fields", "-e", "_ws.col.Info")
    assert len(words) == len(ours)
    sent = {line.removeprefix("RAS: ").split()[0] for line in words}
    assert sent == {
        "gatekeeperRequest",
        "registrationRequest",
        "admissionRequest",
        "infoRequestResponse",
        "bandwidthRequest",
        "bandwidthConfirm",
        "bandwidthReject",
        "serviceControlResponse",
        "unknownMessageResponse",
        "locationReject",
        "disengageRequest",
        "disengageConfirm",
        "disengageReject",
        "unregistrationReject",
        "unregistrationConfirm",
        "unregistrationRequest",
    }
    assert zone.names(FIRST)[-1] == "unregistrationRequest"
