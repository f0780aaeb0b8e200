"""Where a name leads, by the records of a name server that the test knows."""

from __future__ import annotations

import asyncio
import random

import pytest
from names import KnownNames

from firmware.errors import FirmwareError
from firmware.net.dns import Srv
from firmware.net.resolver import UnknownHostError
from firmware.sansio import Address
from firmware.signaling import h323_location
from firmware.signaling.h323_location import CALL_SIGNALING, MAX_ADDRESSES, MAX_SERVERS, Located, locate

NAME = f"{CALL_SIGNALING}.example.com"
HOSTS = {
    "example.com": ["192.0.2.1", "2001:db8::1", "192.0.2.2"],
    "a.example.com": ["192.0.2.10"],
    "b.example.com": ["192.0.2.20"],
    "mcu": ["192.0.2.30"],
}


def found(host: str, names: KnownNames, service: str = CALL_SIGNALING, port: int = 1720) -> Located:
    return asyncio.run(locate(service, host, port, names, random.Random(1)))


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_an_address_is_what_it_is(host: str) -> None:
    names = KnownNames()
    assert found(host, names) == Located([(host, 1720)], by_service=False)
    assert not names.asked


def test_without_services_the_host_itself_is_called_in_both_families() -> None:
    addresses: list[Address] = [("192.0.2.1", 1720), ("2001:db8::1", 1720), ("192.0.2.2", 1720)]
    assert found("example.com", KnownNames(HOSTS)) == Located(addresses, by_service=False)


def test_who_serves_the_domain_is_called_by_priority() -> None:
    records = [Srv(20, 1, 1721, "b.example.com"), Srv(10, 1, 1722, "a.example.com"), Srv(30, 1, 1723, "192.0.2.99")]
    addresses: list[Address] = [("192.0.2.10", 1722), ("192.0.2.20", 1721), ("192.0.2.99", 1723)]
    assert found("example.com", KnownNames(HOSTS, {NAME: records})) == Located(addresses, by_service=True)


@pytest.mark.parametrize(("host", "service"), [("mcu", CALL_SIGNALING), ("example.com", "")])
def test_what_has_no_services_is_not_asked_for_any(host: str, service: str) -> None:
    names = KnownNames(HOSTS)
    assert not found(host, names, service).by_service
    assert set(names.asked) == {f"A {host}"}


def test_a_server_that_is_unknown_is_passed_over() -> None:
    records = [Srv(1, 1, 1720, "gone.example.com"), Srv(2, 1, 1720, "b.example.com")]
    assert found("example.com", KnownNames(HOSTS, {NAME: records})).addresses == [("192.0.2.20", 1720)]
    with pytest.raises(UnknownHostError, match=r"gone\.example\.com"):
        found("example.com", KnownNames(HOSTS, {NAME: records[:1]}))


def test_a_domain_may_say_that_it_takes_no_calls() -> None:
    with pytest.raises(UnknownHostError, match=r"example\.com says"):
        found("example.com", KnownNames(HOSTS, {NAME: [Srv(0, 0, 0, "")]}))


def test_an_unknown_domain() -> None:
    with pytest.raises(UnknownHostError, match=r"there is no host nowhere\.example"):
        found("nowhere.example", KnownNames(HOSTS))


def test_strangers_records_are_bounded() -> None:
    hosts = {f"h{n}.example.com": [f"192.0.{n}.{m}" for m in range(1, 5)] for n in range(100)}
    names = KnownNames(hosts, {NAME: [Srv(n, 1, 1720, host) for n, host in enumerate(hosts)]})
    assert len(found("example.com", names).addresses) == MAX_ADDRESSES
    assert sum(names.asked.values()) == 1 + MAX_SERVERS


def test_a_name_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(KnownNames):
        async def srv(self, name: str) -> list[Srv]:
            await asyncio.Event().wait()
            raise AssertionError

    monkeypatch.setattr(h323_location, "LOCATE_TIME", 0.01)
    with pytest.raises(FirmwareError, match="no answer within"):
        found("example.com", Silent(HOSTS))
