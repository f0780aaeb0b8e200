"""Two H.323 endpoints on the virtual network: the bench of the behaviours, and of the leg's own tests."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from parties import Party
from tunnel_gatekeeper import TunnelGatekeeper
from wire import Wire
from wire_transport import MemoryPorts, WireTransport, complete

from firmware import config
from firmware.asn1 import Value
from firmware.call.call import Call
from firmware.call.media import Capabilities, Encryption, Format, Kind
from firmware.h323.identity import Identity
from firmware.h323.ras import RasClient
from firmware.h323.ras_settings import Settings
from firmware.h323.terminal import Terminal
from firmware.signaling.h323 import H323Endpoint
from firmware.signaling.h323_leg import H323Leg
from firmware.signaling.h323_media import ChannelRefusedError, H323Media

UNIT, FAR = ("192.0.2.1", 1720), ("192.0.2.2", 1721)
NUMBERS = {UNIT: "101", FAR: "102"}
"""For a gatekeeper, where there is one."""


def _refuse(message: Value) -> Value:
    """Be a capability set that takes no change (H.245 C.3.2.4)."""
    return ("unspecified", None)


def leg_of(call: Call) -> H323Leg:
    leg = call._leg
    assert isinstance(leg, H323Leg)
    return leg


def control_of(call: Call) -> Any:
    """Give the H.245 of a call."""
    session = leg_of(call)._session
    assert session is not None
    return session.control


class LyingMedia(H323Media):
    """Says what can't be: sound that nobody has."""

    def read_formats(self, kind: Kind, described: Value, parameters: Value) -> tuple[Format, ...]:
        raise ChannelRefusedError("dataTypeNotSupported")

    def capability_set(self) -> Value:
        said = super().capability_set()
        said["capabilityTable"] = [
            {"capabilityTableEntryNumber": 1, "capability": ("receiveAudioCapability", ("g729", 2))},
        ]
        said["capabilityDescriptors"] = [{"capabilityDescriptorNumber": 0, "simultaneousCapabilities": [[1]]}]
        return said


class H323Bench:
    """A unit and a far end, both of ours."""

    def __init__(
        self,
        tunnelling: bool = True,
        fast_connect: bool = False,
        *,
        encryption: tuple[Encryption, Encryption] = (Encryption.OFF, Encryption.OFF),
        **settings: Any,
    ) -> None:
        """*encryption*: what the unit and what the far end want."""
        self.wire = Wire()
        self.terminals: list[Terminal] = []
        self.ports = MemoryPorts()
        self.settings: dict[str, Any] = {"tunnelling": tunnelling, "fast_connect": fast_connect, **settings}
        self.unit, self.unit_endpoint = self.party(UNIT, encryption[0])
        self.far, self.far_endpoint = self.party(FAR, encryption[1])
        self._register()

    def _register(self) -> None:
        """Make of the parties what they should be before the first call."""

    def party(self, address: tuple[str, int], encryption: Encryption) -> tuple[Party, H323Endpoint]:
        settings = config.H323(addresses=(address[0],), port=address[1], **self.settings)

        def make(core: Terminal, on_event: Callable[[object], None]) -> WireTransport:
            self.terminals.append(core)
            return WireTransport(self.wire, address, core, on_event)

        endpoint = H323Endpoint(
            settings,
            Capabilities(encryption=encryption),
            self.ports,
            "A room",
            rng=random.Random(str(address)),
            make_transport=make,  # type: ignore[arg-type]
        )
        complete(endpoint.start())
        return Party(endpoint, f"h323:{address[0]}:{address[1]}"), endpoint

    def far_end_can(self, capabilities: Capabilities) -> None:
        encryption = self.far_endpoint._capabilities.encryption
        self.far_endpoint._capabilities = replace(capabilities, encryption=encryption)

    def far_end_lies(self) -> None:
        endpoint = self.far_endpoint
        endpoint._make_media = lambda flow: LyingMedia(  # type: ignore[method-assign]
            endpoint._capabilities, endpoint._ports, flow.local[0]
        )

    def far_end_refuses_changes(self) -> None:
        for session in self.far_endpoint._legs:
            session.control._theirs.capabilities.update = _refuse  # type: ignore[method-assign]

    def far_end_dies(self) -> None:
        self.wire._queue.clear()
        self.wire._act = lambda address, action: None  # type: ignore[method-assign]

    def check_clean(self) -> None:
        assert self.ports.reserved == set()
        for terminal in self.terminals:
            assert terminal.sizes["sessions"] == terminal.sizes["ports"] == 0


class TunnelBench(H323Bench):
    """Both reach each other by one connection to a gatekeeper each (H.460.17), or the unit alone does."""

    def __init__(self, *how: Any, both: bool = True, **settings: Any) -> None:
        self.both = both
        self.gatekeeper = TunnelGatekeeper("192.0.2.100")
        self.dead = False
        super().__init__(*how, **settings)

    def party(self, address: tuple[str, int], encryption: Encryption) -> tuple[Party, H323Endpoint]:
        self.settings["number"] = NUMBERS[address]
        return super().party(address, encryption)

    def far_end_dies(self) -> None:
        self.dead = True
        super().far_end_dies()

    def _register(self) -> None:
        self.wire.attach(self.gatekeeper.address, self.gatekeeper, also=self.gatekeeper.also)
        endpoints = [(UNIT, self.unit_endpoint), (FAR, self.far_endpoint)]
        for address, endpoint in endpoints:
            inside = self.both or address == UNIT
            identity = Identity((("dialledDigits", NUMBERS[address]),), h245_ports=endpoint._h245_ports)
            settings = Settings(
                identity,
                address,
                address,
                self.gatekeeper.address if inside else self.gatekeeper.zone.address,
                transport="tcp" if inside else "udp",
                discover=False,
            )
            client = RasClient(settings, random.Random(str(address)))
            endpoint._terminal.register(client, self.wire.now)
            endpoint._gatekeeper._client = client
        self.wire.pass_time(0.5)
        assert len(self.gatekeeper.zone.endpoints) == 2

    def check_clean(self) -> None:
        super().check_clean()
        assert self.dead or self.gatekeeper.calls == 0
        assert self.gatekeeper.zone.faults == []
