"""RFC 3263 4, section by section."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from names import KnownNames

from firmware.errors import FirmwareError
from firmware.net.dns import Naptr, Srv
from firmware.net.resolver import UnknownHostError
from firmware.signaling import sip_location
from firmware.signaling.sip_location import (
    MAX_CANDIDATES,
    MAX_SERVERS,
    Candidate,
    direct,
    locate,
)
from firmware.sip.uri import Uri

ALL = ("udp", "tcp", "tls")
HOSTS = {
    "example.com": ["192.0.2.1"],
    "a.example.com": ["192.0.2.10", "192.0.2.11"],
    "b.example.com": ["192.0.2.20"],
    "both.example.com": ["2001:db8::1", "2001:db8::2", "192.0.2.30"],
    "pbx": ["192.0.2.40"],
}


def found(uri: str, names: KnownNames, ours: Sequence[str] = ALL) -> list[Candidate]:
    return asyncio.run(locate(Uri.parse(uri), ours, names, random.Random(1)))


def ways(uri: str, names: KnownNames, ours: Sequence[str] = ALL) -> list[str]:
    """The candidates in short: ``udp 192.0.2.1:5060``."""
    return [f"{transport} {host}:{port}" for transport, (host, port), _ in found(uri, names, ours)]


@pytest.mark.parametrize(
    ("uri", "ours", "expected"),
    [
        ("sip:a@192.0.2.1", ALL, ["udp 5060", "tcp 5060"]),
        ("sip:a@192.0.2.1", ("tcp", "udp"), ["tcp 5060", "udp 5060"]),
        ("sip:a@192.0.2.1", ("tls", "udp"), ["tls 5061", "udp 5060"]),
        ("sip:a@192.0.2.1:5070", ALL, ["udp 5070", "tcp 5070"]),
        ("sip:a@192.0.2.1;transport=TCP", ALL, ["tcp 5060"]),
        ("sip:a@192.0.2.1;transport=tls", ALL, ["tls 5061"]),
        ("sips:a@192.0.2.1", ALL, ["tls 5061"]),
        ("sips:a@192.0.2.1:5071;transport=tcp", ALL, ["tls 5071"]),
        ("sip:a@192.0.2.1", ("tls",), ["tls 5061"]),
    ],
)
def test_an_address_is_called_as_it_says(uri: str, ours: Sequence[str], expected: list[str]) -> None:
    """4.1, 4.2: "If TARGET is a numeric IP address"."""
    names = KnownNames()
    assert [way.replace("192.0.2.1:", "") for way in ways(uri, names, ours)] == expected
    assert not names.asked
    assert all(candidate.domain == "" for candidate in found(uri, names, ours))


@pytest.mark.parametrize(
    ("uri", "ours"),
    [
        ("sips:a@192.0.2.1", ("udp", "tcp")),
        ("sips:a@192.0.2.1;transport=udp", ALL),
        ("sip:a@192.0.2.1;transport=sctp", ALL),
        ("sip:a@192.0.2.1;transport=tcp", ("udp",)),
        ("sips:a@example.com", ("udp",)),
    ],
)
def test_a_transport_that_is_not_ours(uri: str, ours: Sequence[str]) -> None:
    with pytest.raises(FirmwareError, match="this unit does not use"):
        ways(uri, KnownNames(HOSTS), ours)


def test_a_port_leads_to_the_host_itself() -> None:
    """4.2: "If the TARGET was not a numeric IP address, and a port is present in the URI"."""
    names = KnownNames(HOSTS, {"_sip._udp.example.com": [Srv(1, 1, 5080, "a.example.com")]})
    assert ways("sip:a@example.com:5070", names) == ["udp 192.0.2.1:5070", "tcp 192.0.2.1:5070"]
    assert names.asked == {"A example.com": 1}


def test_naptr_says_which_transports_the_domain_prefers() -> None:
    """4.1: the one of lowest order that we have; what we have not, and what is not for us, is passed over."""
    naptr = [
        Naptr(30, 50, "s", "SIP+D2U", "_sip._udp.example.com"),
        Naptr(10, 50, "s", "SIP+D2S", "_sip._sctp.example.com"),
        Naptr(20, 60, "S", "sip+d2t", "_sip._tcp.example.com"),
        Naptr(20, 50, "s", "SIPS+D2T", "_sips._tcp.example.com"),
        Naptr(1, 1, "u", "E2U+sip", ""),
    ]
    srv = {
        "_sips._tcp.example.com": [Srv(1, 1, 5071, "a.example.com")],
        "_sip._tcp.example.com": [Srv(1, 1, 5070, "a.example.com")],
        "_sip._udp.example.com": [Srv(1, 1, 5070, "b.example.com")],
    }
    names = KnownNames(HOSTS, srv, {"example.com": naptr})
    assert ways("sip:a@example.com", names) == [
        *("tls 192.0.2.10:5071", "tls 192.0.2.11:5071"),
        *("tcp 192.0.2.10:5070", "tcp 192.0.2.11:5070"),
        "udp 192.0.2.20:5070",
    ]
    assert ways("sip:a@example.com", names, ("udp",)) == ["udp 192.0.2.20:5070"]
    assert ways("sips:a@example.com", names) == ["tls 192.0.2.10:5071", "tls 192.0.2.11:5071"], "SIPS only"
    assert "SRV _sip._sctp.example.com" not in names.asked


def test_by_tls_the_domain_is_who_must_be_there() -> None:
    """RFC 5922 7.3: not the host that the name server named."""
    names = KnownNames(HOSTS, {"_sips._tcp.example.com": [Srv(1, 1, 5071, "a.example.com")]})
    assert {candidate.domain for candidate in found("sips:a@example.com", names)} == {"example.com"}


def test_without_naptr_all_our_transports_are_asked_for() -> None:
    """4.1: "If no NAPTR records are found, the client constructs SRV queries for those transport protocols"."""
    names = KnownNames(HOSTS, {"_sips._tcp.example.com": [Srv(1, 1, 5061, "b.example.com")]})
    assert ways("sip:a@example.com", names) == ["tls 192.0.2.20:5061"]
    assert set(names.asked) == {
        *("NAPTR example.com", "SRV _sip._udp.example.com", "SRV _sip._tcp.example.com"),
        *("SRV _sips._tcp.example.com", "A b.example.com"),
    }


def test_a_transport_that_is_named_needs_no_naptr() -> None:
    """4.1: "If the URI specifies a transport protocol"; 4.2: its SRV records then."""
    names = KnownNames(HOSTS, {"_sip._tcp.example.com": [Srv(1, 1, 5070, "b.example.com")]})
    assert ways("sip:a@example.com;transport=tcp", names) == ["tcp 192.0.2.20:5070"]
    assert set(names.asked) == {"SRV _sip._tcp.example.com", "A b.example.com"}


def test_without_srv_it_is_the_host_of_that_name() -> None:
    """4.2: "If no SRV records were found, the client performs an A or AAAA record lookup of the domain name"."""
    assert ways("sip:a@example.com", KnownNames(HOSTS)) == ["udp 192.0.2.1:5060", "tcp 192.0.2.1:5060"]
    assert ways("sips:a@example.com", KnownNames(HOSTS)) == ["tls 192.0.2.1:5061"]


def test_a_name_without_a_dot_has_no_services() -> None:
    names = KnownNames(HOSTS)
    assert ways("sip:a@pbx", names, ("udp",)) == ["udp 192.0.2.40:5060"]
    assert names.asked == {"A pbx": 1}


def test_maddr_is_where_it_goes() -> None:
    """4: "TARGET is set to the value of the maddr parameter"; who must be there stays the same."""
    assert found("sips:a@example.com;maddr=192.0.2.9", KnownNames()) == [
        Candidate("tls", ("192.0.2.9", 5061), "example.com")
    ]
    assert ways("sip:a@example.com;maddr=b.example.com", KnownNames(HOSTS), ("udp",)) == ["udp 192.0.2.20:5060"]


def test_a_service_that_is_decidedly_not_there() -> None:
    """RFC 2782: a target of "."."""
    no, yes = [Srv(0, 0, 0, "")], [Srv(1, 1, 5060, "b.example.com")]
    names = KnownNames(HOSTS, {"_sip._udp.example.com": no, "_sip._tcp.example.com": yes})
    assert ways("sip:a@example.com", names) == ["tcp 192.0.2.20:5060"]
    with pytest.raises(UnknownHostError, match="takes no calls"):
        ways("sip:a@example.com", KnownNames(HOSTS, {"_sip._udp.example.com": no}))


def test_servers_that_are_unknown_leave_the_others() -> None:
    srv = {"_sip._udp.example.com": [Srv(1, 1, 5060, "gone.example.com"), Srv(2, 1, 5060, "b.example.com")]}
    assert ways("sip:a@example.com", KnownNames(HOSTS, srv)) == ["udp 192.0.2.20:5060"]
    srv = {"_sip._udp.example.com": [Srv(1, 1, 5060, "gone.example.com")]}
    with pytest.raises(UnknownHostError, match=r"gone\.example\.com"):
        ways("sip:a@example.com", KnownNames(HOSTS, srv))
    with pytest.raises(UnknownHostError, match=r"there is no host nowhere\.example\.com"):
        ways("sip:a@nowhere.example.com", KnownNames(HOSTS))


def test_families_take_turns_after_the_best() -> None:
    """RFC 8305 4, RFC 6157."""
    assert ways("sip:a@both.example.com:5060;transport=tcp", KnownNames(HOSTS)) == [
        *("tcp 2001:db8::1:5060", "tcp 192.0.2.30:5060", "tcp 2001:db8::2:5060")
    ]


def test_answers_are_bounded() -> None:
    hosts = {f"h{n}.example.com": [f"192.0.{n}.{m}" for m in range(8)] for n in range(100)}
    srv = {f"_sip._{way}.example.com": [Srv(n, 1, 5060, f"h{n}.example.com") for n in range(100)] for way in ("udp",)}
    naptr = [Naptr(n, 1, "s", "SIP+D2U", "_sip._udp.example.com") for n in range(100)]
    names = KnownNames(hosts, srv, {"example.com": naptr})
    assert len(found("sip:a@example.com", names)) == MAX_CANDIDATES
    assert sum(count for question, count in names.asked.items() if question.startswith("A ")) <= MAX_SERVERS
    assert names.asked["SRV _sip._udp.example.com"] <= 3


def test_one_who_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(KnownNames):
        async def srv(self, name: str) -> list[Srv]:
            await asyncio.Event().wait()
            return []

    monkeypatch.setattr(sip_location, "LOCATE_TIME", 0.02)
    with pytest.raises(FirmwareError, match=r"no answer .* example\.com"):
        ways("sip:a@example.com", Silent(HOSTS))


def test_direct_is_for_addresses_only() -> None:
    assert direct(Uri.parse("sip:a@example.com"), ALL) is None
    assert direct(Uri.parse("sip:a@[2001:db8::1]"), ("udp",)) == [Candidate("udp", ("2001:db8::1", 5060))]
