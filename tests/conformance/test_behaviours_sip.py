"""All behaviours of far ends, by SIP: over UDP, TCP and TLS (SIPS), with the offer in INVITE and in the answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from behaviours import BEHAVIOURS, run
from parties import Bench, Party
from wire import Wire
from wire_transport import MemoryPorts, WireTransport, complete

from firmware import config
from firmware.call.media import Capabilities
from firmware.net.tls import Tls
from firmware.signaling.sip import SipEndpoint
from firmware.signaling.sip_media import NoCommonMediaError, SipMedia
from firmware.sip.user_agent import UserAgent

UNIT, FAR = ("192.0.2.1", 5060), ("192.0.2.2", 5070)
NONSENSE = b"v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 224.2.2.2\r\nt=0 0\r\nm=audio 9 RTP/AVP 127\r\n"


class LyingMedia(SipMedia):
    """Says what can't be."""

    def offer(self, *, anew: bool = False) -> bytes:
        super().offer(anew=anew)
        return NONSENSE

    def answer(self, body: bytes) -> bytes:
        super().answer(body)
        return NONSENSE


class StubbornMedia(SipMedia):
    """Agrees once."""

    agreed = False

    def answer(self, body: bytes) -> bytes:
        if self.agreed:
            raise NoCommonMediaError("no changes")
        self.agreed = True
        return super().answer(body)


class SipBench:
    """A unit and a far end, both of ours."""

    def __init__(self, transport: str = "udp", delayed_offer: bool = False) -> None:
        self.wire = Wire()
        self.transport = transport
        self.agents: list[UserAgent] = []
        self.ports = MemoryPorts()
        self.unit, self.unit_endpoint = self.party(UNIT, delayed_offer)
        self.far, self.far_endpoint = self.party(FAR, delayed_offer)

    def party(self, address: tuple[str, int], delayed_offer: bool) -> tuple[Party, SipEndpoint]:
        def make(core: UserAgent, on_event: Callable[[object], None]) -> WireTransport:
            self.agents.append(core)
            return WireTransport(self.wire, address, core, on_event)

        endpoint = SipEndpoint(
            config.Sip(addresses=(address[0],), port=address[1], tls_port=address[1]),
            Capabilities(),
            self.ports,
            "A room",
            rng=random.Random(str(address)),
            tls=Tls(Path("unused"), Path("unused")) if self.transport == "tls" else None,
            make_transport=make,  # type: ignore[arg-type]
            delayed_offer=delayed_offer,
        )
        complete(endpoint.start())
        host = f"room@{address[0]}:{address[1]}"
        uri = f"sips:{host}" if self.transport == "tls" else f"sip:{host};transport={self.transport}"
        return Party(endpoint, uri), endpoint

    def far_end_can(self, capabilities: Capabilities) -> None:
        self.far_endpoint._capabilities = capabilities

    def far_end_lies(self) -> None:
        self._far_media(LyingMedia)

    def far_end_refuses_changes(self) -> None:
        for leg in self.far_endpoint._legs.values():
            assert leg._media is not None
            leg._media.__class__ = StubbornMedia
            StubbornMedia.agreed = True

    def far_end_dies(self) -> None:
        self.wire._queue.clear()
        self.wire._act = lambda address, action: None  # type: ignore[method-assign]

    def check_clean(self) -> None:
        assert self.ports.reserved == set()
        for agent in self.agents:
            assert agent.sizes["sessions"] == agent.sizes["dialogs"] == agent.sizes["transactions"] == 0

    def _far_media(self, kind: type[SipMedia]) -> None:
        endpoint = self.far_endpoint
        endpoint._make_media = lambda host: kind(  # type: ignore[method-assign]
            endpoint._capabilities, endpoint._ports, host, 1
        )


@pytest.mark.parametrize("delayed_offer", [False, True], ids=["early offer", "delayed offer"])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.__name__)
def test_behaviour(behaviour: Callable[[Bench], None], transport: str, delayed_offer: bool) -> None:
    run(behaviour, SipBench(transport, delayed_offer))
