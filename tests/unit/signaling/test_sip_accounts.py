"""The accounts of an endpoint, at a registrar on the virtual network."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
import virtual_loop
from registrar import Registrar
from sip_peer import request, response
from wire import Wire
from wire_transport import MemoryPorts, WireTransport, complete

from firmware import config
from firmware.call.call import Call, EndReason, State
from firmware.call.media import Capabilities
from firmware.call.registration import RegistrationState
from firmware.config import SipAccount
from firmware.errors import CallError
from firmware.net.resolver import UnknownHostError
from firmware.signaling.sip import SipEndpoint
from firmware.sip.message import Request, Response

UNIT = ("192.0.2.1", 5060)
SERVER = ("10.0.0.2", 5060)
ALICE = SipAccount(address="alice@10.0.0.2", password="secret")


class Unit:
    """An endpoint with accounts, and their server."""

    def __init__(self, *accounts: SipAccount, names: Any = None, **registrar: Any) -> None:
        self.wire = Wire(delay=0.01)
        self.registrar = Registrar(self.wire, **registrar)
        self.changes = 0
        self.calls: list[Call] = []

        def make(core: Any, on_event: Callable[[Any], None]) -> WireTransport:
            return WireTransport(self.wire, UNIT, core, on_event)

        self.endpoint = SipEndpoint(
            config.Sip(addresses=(UNIT[0],), transports=("udp", "tcp"), accounts=accounts),
            Capabilities(),
            MemoryPorts(),
            "A room",
            rng=random.Random(1),
            names=names,
            make_transport=make,  # type: ignore[arg-type]
        )
        self.endpoint.on_registrations_changed = self._changed
        self.endpoint.on_call = self.calls.append

    def _changed(self) -> None:
        self.changes += 1

    def start(self) -> Unit:
        complete(self.endpoint.start())
        return self.run()

    def run(self, seconds: float = 1.0) -> Unit:
        self.wire.pass_time(seconds)
        return self

    @property
    def state(self) -> RegistrationState:
        return self.endpoint.registrations[0].state

    def last(self, method: str) -> Request:
        return [m for m in self.registrar.others if isinstance(m, Request) and m.method == method][-1]

    def answer(self, status: int, **fields: str) -> None:
        self.registrar.send(response(self.last("INVITE"), status, **fields), UNIT)
        self.run()


def test_an_account_is_registered_and_said() -> None:
    unit = Unit(ALICE).start()
    [registration] = unit.endpoint.registrations
    assert (registration.protocol, registration.address) == ("SIP", "sip:alice@10.0.0.2")
    assert registration.server == "10.0.0.2"
    assert registration.state is RegistrationState.REGISTERED
    assert registration.until == pytest.approx(3600, abs=2)
    assert unit.endpoint.addresses == ("sip:alice@10.0.0.2", "sip:room@192.0.2.1")
    assert unit.changes == 1
    contact = unit.registrar.heard[0].contact
    assert str(unit.registrar.heard[0].request.from_.display_name) == "A room"
    assert (contact.parameter("+sip.instance") or "").startswith("<urn:uuid:")


def test_a_unit_is_known_again_after_a_restart_and_from_another() -> None:
    """RFC 5626 4.1."""
    seen = [Unit(ALICE).start().registrar.heard[0].contact.parameter("+sip.instance") for _ in range(2)]
    assert seen[0] == seen[1]


def test_without_accounts_there_is_nothing() -> None:
    unit = Unit().start()
    assert unit.endpoint.registrations == ()
    assert unit.registrar.heard == []
    assert unit.endpoint.addresses == ("sip:room@192.0.2.1",)


def test_a_wrong_password_is_said_once_and_never_written(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    unit = Unit(SipAccount(address="alice@10.0.0.2", password="guessed")).start().run(2000)
    [registration] = unit.endpoint.registrations
    assert registration.trouble == "Not registered as sip:alice@10.0.0.2: the user name or the password is wrong."
    assert unit.endpoint.addresses == ("sip:room@192.0.2.1",)
    said = [record.getMessage() for record in caplog.records if record.levelname == "INFO"]
    assert said == ["= sip not registered as sip:alice@10.0.0.2 with 10.0.0.2: the user name or the password is wrong"]
    assert "guessed" not in caplog.text
    assert "secret" not in caplog.text


def test_another_name_goes_with_the_password() -> None:
    unit = Unit(SipAccount(address="room@10.0.0.2", user="alice", password="secret")).start()
    assert unit.state is RegistrationState.REGISTERED


def test_a_server_that_is_away_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    unit = Unit(ALICE, silent=True).start()
    assert unit.state is RegistrationState.TRYING
    assert unit.run(40).endpoint.registrations[0].reason == "the server does not answer"
    unit.registrar.silent = False
    unit.run(100)
    assert unit.state is RegistrationState.REGISTERED
    assert [record.getMessage() for record in caplog.records] == [
        "= sip not registered as sip:alice@10.0.0.2 with 10.0.0.2: the server does not answer",
        "= sip registered as sip:alice@10.0.0.2 with 10.0.0.2",
    ]


def test_an_account_that_is_only_for_calling_is_not_registered() -> None:
    unit = Unit(SipAccount(address="alice@10.0.0.2", register=False)).start()
    assert unit.endpoint.registrations == ()
    unit.endpoint.dial("100")
    unit.run()
    assert str(unit.last("INVITE").uri) == "sip:100@10.0.0.2"


def test_a_stream_where_the_account_wants_it() -> None:
    unit = Unit(SipAccount(address="alice@10.0.0.2", password="secret", transport="tcp")).start()
    assert unit.state is RegistrationState.REGISTERED
    assert {heard.flow.transport for heard in unit.registrar.heard} == {"tcp"}
    unit.endpoint.dial("100")
    unit.run()
    assert len(unit.registrar.flows) == 1  # the same one
    assert unit.last("INVITE").via.transport == "TCP"


# Calls


def test_a_bare_number_is_called_by_the_default_account() -> None:
    unit = Unit(ALICE, fields={"Service-Route": "<sip:10.0.0.2;lr;x=1>"}).start()
    call = unit.endpoint.dial("+49 (30) 12-34")
    assert call.remote == "sip:+49301234@10.0.0.2"
    invite = unit.run().last("INVITE")
    assert str(invite.uri) == "sip:+49301234@10.0.0.2"
    assert str(invite.from_.uri) == "sip:alice@10.0.0.2"
    assert invite.from_.display_name == "A room"
    assert invite.headers.all("Route") == ["<sip:10.0.0.2;lr;x=1>"]
    assert invite.contact is not None
    assert invite.contact.uri.parameter("line") == unit.registrar.heard[0].contact.uri.parameter("line")
    unit.answer(407, Proxy_Authenticate='Digest realm="example.com", nonce="n", qop="auth"')
    assert 'username="alice"' in (unit.last("INVITE").headers.get("Proxy-Authorization") or "")
    unit.answer(407, Proxy_Authenticate='Digest realm="example.com", nonce="m", qop="auth"')
    assert (call.state, call.end_reason) == (State.ENDED, EndReason.UNAUTHORIZED)
    assert call.end_detail.startswith("407")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100", "sip:100@10.0.0.2"),
        ("12.34", "sip:1234@10.0.0.2"),
        ("*97#", "sip:*97%23@10.0.0.2"),
        ("bob", "sip:bob@10.0.0.2"),
        ("Zoë", "sip:Zo%C3%AB@10.0.0.2"),
        ("bob@10.0.0.2", "sip:bob@10.0.0.2"),
        ("192.0.2.77", "sip:192.0.2.77"),
        ("::1", None),
    ],
)
def test_what_a_person_may_write(text: str, expected: str | None) -> None:
    unit = Unit(ALICE).start()
    if expected is None:
        with pytest.raises(CallError):
            unit.endpoint.dial("a b@c")
    else:
        assert unit.endpoint.dial(text).remote == expected


@pytest.mark.parametrize(
    ("accounts", "text", "caller"),
    [
        # The account whose server knows the callee.
        ((ALICE, SipAccount(address="bob@10.0.0.3")), "x@10.0.0.3", "bob@10.0.0.3"),
        # Of two at one server the default one, or else the first.
        ((ALICE, SipAccount(address="bob@10.0.0.2", default=True)), "x@10.0.0.2", "bob@10.0.0.2"),
        ((ALICE, SipAccount(address="bob@10.0.0.2")), "x@10.0.0.2", "alice@10.0.0.2"),
        ((ALICE, SipAccount(address="bob@10.0.0.2", default=True)), "100", "bob@10.0.0.2"),
        # Directly: an address of some machine, or the same machine at another port.
        ((ALICE,), "x@10.0.0.2:5070", ""),
        ((ALICE,), "x@192.0.2.9", ""),
        # A registrar and a proxy of other names.
        ((SipAccount(address="a@example.com", registrar="10.0.0.2"),), "x@EXAMPLE.com", "a@example.com"),
        ((SipAccount(address="a@example.com", registrar="10.0.0.2"),), "x@10.0.0.2:5060", "a@example.com"),
        ((SipAccount(address="a@example.com", proxy="10.0.0.2"),), "x@elsewhere.example", "a@example.com"),
        ((SipAccount(address="a@example.com", proxy="10.0.0.2"),), "x@192.0.2.9", ""),
    ],
)
def test_by_which_account_somebody_is_called(accounts: tuple[SipAccount, ...], text: str, caller: str) -> None:
    unit = Unit(*accounts, users={})
    complete(unit.endpoint.start())
    unit.run()
    unit.endpoint.dial(text)
    unit.run()
    [invite] = [data for _, _, data in unit.wire.sent if data.startswith(b"INVITE")][:1]
    assert f"<sip:{caller or 'room@192.0.2.1:5060'}>;tag".encode() in invite
    if any(account.proxy for account in accounts) and caller:
        assert unit.last("INVITE").headers.all("Route") == ["<sip:10.0.0.2;lr>"]


def test_an_incoming_call_of_an_account_can_be_called_back() -> None:
    unit = Unit(ALICE).start()
    contact = unit.registrar.heard[-1].contact.uri
    call = request(uri=str(contact), From="<sip:100@10.0.0.2>;tag=x", To="<sip:whoever@10.0.0.2>")
    unit.registrar.send(call, UNIT)
    unit.run()
    assert unit.calls[0].remote == "sip:100@10.0.0.2"
    unit.calls[0].accept()
    unit.run()
    answer = [message for message in unit.registrar.others if isinstance(message, Response)][-1]
    assert answer.status == 200
    assert answer.contact is not None
    assert answer.contact.uri.user == "alice"


# One address, two proxies


PROXY = ("10.0.0.3", 5060)


def two_ways() -> tuple[Unit, Registrar]:
    """A unit that is registered with example.com by two proxies, and the second of them."""
    ways = (
        SipAccount(address="alice@example.com", password="secret", proxy=proxy, transport="tcp")
        for proxy in (SERVER[0], PROXY[0])
    )
    unit = Unit(*ways, fields={"Require": "outbound"})
    other = Registrar(unit.wire, PROXY, fields={"Require": "outbound"})
    return unit.start(), other


def test_each_way_has_its_own_number() -> None:
    """RFC 5626 4.2.1: one instance, one reg-id for each flow; nothing else would have a registrar keep both."""
    unit, other = two_ways()
    contacts = [registrar.heard[-1].contact for registrar in (unit.registrar, other)]
    assert [contact.parameter("reg-id") for contact in contacts] == ["1", "2"]
    assert len({contact.parameter("+sip.instance") for contact in contacts}) == 1
    assert [(each.server, each.state) for each in unit.endpoint.registrations] == [
        ("10.0.0.2", RegistrationState.REGISTERED),
        ("10.0.0.3", RegistrationState.REGISTERED),
    ]
    assert unit.endpoint.addresses == ("sip:alice@example.com", "sip:room@192.0.2.1")


def test_one_whose_proxy_is_gone_calls_by_the_other_and_comes_back() -> None:
    unit, other = two_ways()
    unit.run(100)

    def called_by() -> str:
        before = len(unit.wire.sent)
        unit.endpoint.dial("100@example.com").hang_up()
        unit.run()
        [flow] = {flow for _, flow, data in unit.wire.sent[before:] if data.startswith(b"INVITE")}
        return str(flow.remote[0])

    assert called_by() == SERVER[0]
    unit.registrar.silent, unit.registrar.pongs = True, False
    unit.run(200)
    assert unit.state is RegistrationState.FAILED
    assert called_by() == PROXY[0]
    call = request(uri=str(other.heard[-1].contact.uri), From="<sip:100@example.com>;tag=x")
    other.send(call, UNIT)
    unit.run()
    assert unit.calls[-1].state is State.INCOMING
    unit.registrar.silent, unit.registrar.pongs = False, True
    unit.run(400)
    assert called_by() == SERVER[0]


# The end


def test_it_unregisters_before_it_goes() -> None:
    async def main() -> None:
        unit = Unit(ALICE)
        await unit.endpoint.start()
        unit.run()
        stopping = asyncio.get_running_loop().create_task(unit.endpoint.stop())
        await asyncio.sleep(0)
        unit.run()
        await stopping
        assert unit.registrar.heard[-1].expires == 0
        assert unit.registrar.bound() == []

    virtual_loop.run(main())


def test_a_server_that_doesn_t_let_it_go_is_left() -> None:
    async def main() -> float:
        unit = Unit(ALICE)
        await unit.endpoint.start()
        unit.run()
        unit.registrar.silent = True
        loop = asyncio.get_running_loop()
        began = loop.time()
        await unit.endpoint.stop()
        return loop.time() - began

    assert virtual_loop.run(main()) == pytest.approx(2.0)


class Names:
    """A name server that learns the name of the server only after a while."""

    def __init__(self) -> None:
        self.asked = 0

    async def naptr(self, domain: str) -> list[Any]:
        return []

    async def srv(self, name: str) -> list[Any]:
        return []

    async def hosts(self, name: str) -> list[str]:
        self.asked += 1
        if self.asked == 1:
            raise UnknownHostError(f"there is no host {name}")
        return [SERVER[0]]

    def close(self) -> None: ...


def test_a_name_is_looked_up_until_it_is_known() -> None:
    async def main() -> None:
        names = Names()
        unit = Unit(SipAccount(address="alice@pbx.example", password="secret"), names=names)
        await unit.endpoint.start()
        await asyncio.sleep(0.1)
        assert unit.endpoint.registrations[0].reason == "there is no host pbx.example"
        unit.run(61)
        await asyncio.sleep(0.1)
        unit.run()
        assert unit.state is RegistrationState.REGISTERED
        assert names.asked == 2
        unit.registrar.silent = True
        await unit.endpoint.stop()

    virtual_loop.run(main())
