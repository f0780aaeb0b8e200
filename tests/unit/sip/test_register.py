from __future__ import annotations

import random

import pytest
from sip_peer import flow, request, response

from firmware.sip import register
from firmware.sip.account import Account, AccountSettings
from firmware.sip.authentication import Credential
from firmware.sip.message import Request, Response, parse
from firmware.sip.uri import Uri

ADDRESS = Uri.parse("sip:alice@example.com:5070")
IDENTIFIERS = ("call", "tag", 7)


def account(**settings: object) -> Account:
    return Account(AccountSettings(**{"address": ADDRESS} | settings), random.Random(1))  # type: ignore[arg-type]


def answer(**fields: str) -> Response:
    return response(request("REGISTER"), 200, **fields)


def test_a_register_can_be_read_back() -> None:
    """RFC 3261 10.2."""
    ours = account(display_name='Room "1"', credential=Credential("alice", "secret"))
    made = register.register(ours, ours.registrar, flow("tcp"), 600, IDENTIFIERS, outbound=False)
    made.headers.prepend("Via", "SIP/2.0/TCP 10.0.0.1;branch=z9hG4bK1")
    read = parse(made.encode())
    assert isinstance(read, Request)
    read.check()
    assert (str(read.uri), str(read.to.uri), read.from_.tag) == ("sip:example.com:5070", str(ADDRESS), "tag")
    assert (read.from_.display_name, read.to.display_name) == ('Room "1"', "")
    assert (read.call_id, read.cseq.number, read.expires) == ("call", 7, 600)
    assert read.contact is not None
    assert read.contact.uri.equivalent(ours.contact(flow("tcp"), dialog=False))
    assert read.contact.parameter("reg-id") is None
    assert not read.routes
    assert b"secret" not in made.encode()


@pytest.mark.parametrize(
    ("contacts", "expires", "expected"),
    [
        ("<sip:x@10.9.9.9>;expires=10, <sip:alice@10.0.0.1;line={}>;expires=20", "30", 20),
        ("<sip:x@10.9.9.9>;expires=10, <sip:y@10.9.9.9>;expires=20", "30", 30),
        ("<sip:x@192.0.2.1:40000>;expires=10", "30", 10),  # a gateway on the way rewrote it
        ("<sip:x@192.0.2.1:40000>;expires=ten", "30", 3600),
        ("<sip:x@192.0.2.1:40000>", "30", 30),
        ("<sip:x@192.0.2.1:40000>", "", 3600),
        ("", "30", 30),
        ("nonsense", "nonsense", 3600),
        ("<sip:x@192.0.2.1>;expires=4294967295", "", register.MAX_EXPIRES),
        ("<sip:x@192.0.2.1>;expires=0", "30", 0),
    ],
)
def test_for_how_long(contacts: str, expires: str, expected: int) -> None:
    """RFC 3261 10.2.4."""
    ours = account()
    fields = {"Contact": contacts.format(ours.line), "Expires": expires}
    got = answer(**{name: value for name, value in fields.items() if value})
    assert register.granted(got, ours, 3600) == expected


def test_the_service_route_is_bounded() -> None:
    assert register.service_route(answer()) == ()
    hops = ", ".join(f"<sip:h{number};lr>" for number in range(50))
    assert len(register.service_route(answer(Service_Route=hops))) == register.MAX_ROUTES
    assert register.service_route(answer(Service_Route="<sip:a;lr>, ]")) == ()


def test_what_a_423_wants() -> None:
    assert register.longer(answer(Min_Expires="7200"), 3600) == 7200
    assert register.longer(answer(Min_Expires="3600"), 3600) is None
    assert register.longer(answer(Min_Expires=str(register.MAX_EXPIRES + 1)), 3600) is None
    assert register.longer(answer(), 3600) is None


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        ("<sip:u@a>;q=0.5, <sip:v@b:5070;transport=tcp>", "sip:b:5070;transport=tcp"),
        ("<sip:u@a>;q=0.5, <sip:v@b>;q=0.4", "sip:a"),
        ("<sip:u@a>;q=nan, <sip:v@b>;q=0.001", "sip:b"),
        ("<mailto:x@y>, <sip:v@b>;q=0.1", "sip:b"),
        ("<tel:123>", None),
        ("<<<", None),
    ],
)
def test_where_a_redirection_leads(contacts: str, expected: str | None) -> None:
    found = register.redirected(answer(Contact=contacts), secure=False)
    assert (str(found) if found else None) == expected


def test_how_long_a_server_puts_us_off() -> None:
    assert register.put_off(answer(Retry_After="18 (we are at lunch);duration=60")) == 18
    assert register.put_off(answer(Retry_After="4000000000")) == register.MAX_PUT_OFF
    assert register.put_off(answer(Retry_After="-1")) == 0
    assert register.put_off(answer()) == 0


def test_what_a_server_that_keeps_to_outbound_says() -> None:
    assert register.keeps_outbound(answer(Require="path, outbound"))
    assert not register.keeps_outbound(answer(Supported="outbound"))
    assert register.flow_timer(answer(Flow_Timer="90")) == 90
    assert register.flow_timer(answer(Flow_Timer="x")) is None
