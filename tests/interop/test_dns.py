"""A call to a domain that a real name server knows: NAPTR, SRV, addresses, TLS with the domain's certificate."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

from certificates import Authority
from interop.ports import free_ports, own_address
from name_server import NameServer

from firmware import config
from firmware.call.call import Call, State
from firmware.call.media import Capabilities
from firmware.net.dns import Dns
from firmware.net.ports import PortPool
from firmware.net.tls import Tls
from firmware.signaling.h323 import H323Endpoint
from firmware.signaling.sip import SipEndpoint


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(5_000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it never came true")


def test_a_domain_is_called_where_its_name_server_says(program: Callable[[str], str], tmp_path: Path) -> None:
    """By TLS first, as the domain prefers; the server of lowest priority does not listen, the next one does."""
    authority = Authority(tmp_path / "authority")
    host, nobody, port = own_address(), own_address(), free_ports(4)[1]
    records = [
        "naptr-record=example.test,10,50,s,SIPS+D2T,,_sips._tcp.example.test",
        "naptr-record=example.test,20,50,s,SIP+D2U,,_sip._udp.example.test",
        f"srv-host=_sips._tcp.example.test,{nobody},{port},10,1",
        f"srv-host=_sips._tcp.example.test,{host},{port},20,1",
    ]
    ports = PortPool(28_400, 28_499)

    def endpoint(address: str, *names: str, server: str = "") -> SipEndpoint:
        issued = authority.issue(*names)
        sip_port = free_ports(2, address)[0]
        return SipEndpoint(
            config.Sip(addresses=(address,), port=sip_port, tls_port=port),
            Capabilities(),
            ports,
            rng=random.Random(1),
            tls=Tls(issued.certificate, issued.key, authority.certificate),
            names=Dns((server,)) if server else None,
        )

    async def main(server: NameServer) -> None:
        unit = endpoint(own_address(), "unit.test", server=server.server)
        far = endpoint(host, "example.test")
        await unit.start()
        await far.start()
        far.on_call = Call.accept
        for address in ("sip:room@example.test", "sips:room@example.test"):
            call = unit.dial(address)
            await until(lambda made=call: made.state is State.ACTIVE)  # type: ignore[misc]
            [session] = unit._agent.sessions
            assert (session.flow.transport, session.flow.remote, session.flow.domain) == (
                *("tls", (host, port), "example.test"),
            )
            call.hang_up()
            await until(lambda: not unit._agent.sessions)
        call = unit.dial("sip:room@nowhere.test")
        await until(lambda: call.state is State.ENDED)
        assert "nowhere.test" in call.end_detail
        await unit.stop()
        await far.stop()

    with NameServer(program("dnsmasq"), tmp_path / "dns", records) as server:
        asyncio.run(main(server))
        assert server.asked("query[NAPTR] example.test") == 1, "the answer is kept"
    ports.close()


def test_a_domain_says_who_takes_its_calls_by_h323(program: Callable[[str], str], tmp_path: Path) -> None:
    """H.323 annex O; the server of lowest priority does not listen, the next one does."""
    host, nobody = own_address(), own_address()
    called, calling = free_ports(4, host), free_ports(4)
    records = [
        f"srv-host=_h323cs._tcp.example.test,{nobody},1720,10,1",
        f"srv-host=_h323cs._tcp.example.test,{host},{called[0]},20,1",
    ]
    ports = PortPool(28_400, 28_499)

    def endpoint(address: str, own: range, server: str = "") -> H323Endpoint:
        settings = config.H323(addresses=(address,), port=own[0], h245_first_port=own[1], h245_last_port=own[3])
        return H323Endpoint(settings, Capabilities(), ports, names=Dns((server,)) if server else None)

    async def main(server: NameServer) -> None:
        unit, far = endpoint("127.0.0.1", calling, server.server), endpoint(host, called)
        await unit.start()
        await far.start()
        far.on_call = Call.accept
        call = unit.dial("h323:room@example.test")
        await until(lambda: call.state is State.ACTIVE)
        [session] = unit._terminal.sessions
        assert session.flow.remote == (host, called[0])
        call.hang_up()
        await until(lambda: call.state is State.ENDED)
        call = unit.dial("h323:room@nowhere.test")
        await until(lambda: call.state is State.ENDED)
        assert "nowhere.test" in call.end_detail
        await unit.stop()
        await far.stop()

    with NameServer(program("dnsmasq"), tmp_path / "dns", records) as server:
        asyncio.run(main(server))
        assert server.asked("query[SRV] _h323cs._tcp.nowhere.test") >= 1
    ports.close()
