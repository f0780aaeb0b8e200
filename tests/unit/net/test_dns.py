"""Questions to a real name server, and to ones that are silent or talk nonsense."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from name_server import NameServer

from firmware.net import dns as dns_module
from firmware.net.dns import MAX_RECORDS, Dns, Naptr, Srv, alternate, in_order
from firmware.net.resolver import UnknownHostError

RECORDS = [
    "naptr-record=example.test,20,50,s,SIP+D2U,,_sip._udp.example.test",
    "naptr-record=example.test,10,50,S,SIPS+D2T,,_sips._tcp.example.test",
    "srv-host=_sips._tcp.example.test,a.example.test,5071,10,60",
    "srv-host=_sip._udp.none.test",
    "naptr-record=other.test,10,50,u,E2U+sip,!^.*$!sip:a@b!",
    *(f"srv-host=_sip._udp.many.test,host{n}.many.test,5060,1,{n}" for n in range(100)),
]


@pytest.fixture(scope="module")
def server(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    with NameServer(program("dnsmasq"), tmp_path_factory.mktemp("dns"), RECORDS) as running:
        yield running


def test_records_are_read(run: Any, server: NameServer) -> None:
    async def main() -> None:
        dns = Dns((server.server,))
        assert sorted(await dns.naptr("example.test")) == [
            Naptr(10, 50, "S", "SIPS+D2T", "_sips._tcp.example.test"),
            Naptr(20, 50, "s", "SIP+D2U", "_sip._udp.example.test"),
        ]
        assert await dns.srv("_sips._tcp.example.test") == [Srv(10, 60, 5071, "a.example.test")]
        assert await dns.naptr("other.test") == [Naptr(10, 50, "u", "E2U+sip", "")]
        dns.close()

    run(main())


def test_what_is_not_there_is_nothing(run: Any, server: NameServer) -> None:
    async def main() -> None:
        dns = Dns((server.server,))
        assert await dns.srv("_sip._udp.example.test") == []
        assert await dns.naptr("nobody.test") == []
        for name in ("a..b", "x" * 64 + ".test", "x." * 200, "", "\u00fc.test", "a b.test", "_sip._udp.\ud800"):
            assert await dns.srv(name) == []
        dns.close()

    run(main())


def test_many_records_come_by_tcp_and_are_bounded(run: Any, server: NameServer) -> None:
    async def main() -> None:
        dns = Dns((server.server,))
        assert len(await dns.srv("_sip._udp.many.test")) == MAX_RECORDS
        dns.close()

    run(main())


def test_an_answer_is_kept_as_long_as_it_says(run: Any, server: NameServer) -> None:
    async def main() -> None:
        before = server.asked("query[SRV] _sips._tcp.example.test")
        dns = Dns((server.server,))
        for _ in range(5):
            assert await dns.srv("_sips._tcp.example.test")
        dns.close()
        assert server.asked("query[SRV] _sips._tcp.example.test") == before + 1

    run(main())


def test_a_silent_name_server_says_nothing(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            dns = Dns((f"127.0.0.1:{silent.getsockname()[1]}",))
            assert await asyncio.gather(dns.naptr("example.test"), dns.srv("_sip._udp.example.test")) == [[], []]
            dns.close()

    monkeypatch.setattr(dns_module, "TIMEOUT", 0.1)
    run(main())


def test_nonsense_of_a_name_server_is_nothing(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that belong to the question, with records of chance behind it."""

    over = threading.Event()

    def serve(at: socket.socket) -> None:
        while not over.is_set():
            try:
                question, sender = at.recvfrom(2000)
            except TimeoutError:
                continue
            head = question[:2] + b"\x81\x80" + b"\x00\x01\x00\x05" + bytes(4)
            at.sendto(head + question[12:].partition(b"\x00\x00\x29")[0] + os.urandom(200), sender)

    async def main() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as liar:
            liar.bind(("127.0.0.1", 0))
            liar.settimeout(0.05)
            serving = threading.Thread(target=serve, args=(liar,))
            serving.start()
            dns = Dns((f"127.0.0.1:{liar.getsockname()[1]}",))
            for _ in range(20):
                assert await dns.srv("_sip._udp.example.test") == []
            dns.close()
            over.set()
            serving.join()

    monkeypatch.setattr(dns_module, "TIMEOUT", 0.05)
    run(main())


def test_one_who_does_not_wait_for_the_answer(run: Any) -> None:
    async def main() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            dns = Dns((f"127.0.0.1:{silent.getsockname()[1]}",))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await dns.srv("_sip._udp.example.test")
            dns.close()
            await asyncio.sleep(0.05)

    run(main())


def test_an_answer_that_comes_after_the_end(run: Any) -> None:
    dns = Dns()

    async def main() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            dns._servers = (f"127.0.0.1:{silent.getsockname()[1]}",)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await dns.srv("_sip._udp.example.test")

    run(main())
    dns.close()  # the question is answered in c-ares' thread; what that raises, pytest would find
    time.sleep(0.1)


def test_hosts_are_the_systems(run: Any) -> None:
    async def main() -> None:
        assert set(await Dns().hosts("localhost")) <= {"127.0.0.1", "::1"}
        with pytest.raises(UnknownHostError):
            await Dns().hosts("a..b")

    run(main())


def test_a_system_that_is_not_asked_costs_nothing(tmp_path: Path) -> None:
    dns = Dns()
    assert dns._channel is None
    dns.close()


def test_priority_orders_and_weight_shares() -> None:
    """RFC 2782: of three times the weight is who gets three of four calls; of weight 0, who gets next to none."""
    records = [Srv(2, 9, 1, "backup"), Srv(1, 10, 1, "small"), Srv(1, 30, 1, "large"), Srv(3, 0, 1, "last")]
    rng, first = random.Random(1), Counter[str]()
    for _ in range(1_000):
        ordered = [record.target for record in in_order(records, rng)]
        assert ordered[2:] == ["backup", "last"]
        first[ordered[0]] += 1
    assert 680 < first["large"] < 820
    zero = Counter(in_order([Srv(1, 0, 1, "zero"), Srv(1, 100, 1, "full")], rng)[0].target for _ in range(1_000))
    assert zero["zero"] < 50


def test_families_take_turns_after_the_best() -> None:
    """RFC 8305 4."""
    assert alternate(["192.0.2.1", "192.0.2.2", "::1"]) == ["192.0.2.1", "::1", "192.0.2.2"]
    assert alternate(["fe80::1%eth0"]) == ["fe80::1%eth0"]
    assert alternate([]) == []
