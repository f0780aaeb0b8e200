"""Calls that are taken elsewhere by 3xx (RFC 3261 8.1.3.4, 21.3)."""

from __future__ import annotations

import pytest
from parties import ended
from sip_exchange import Exchange
from sip_peer import Peer, response

from firmware.call.call import Call, EndReason, State
from firmware.call.media import Encryption
from firmware.sansio import Address, Flow, Send
from firmware.signaling.sip_redirection import MAX_TARGETS, Redirection
from firmware.sip.uri import Uri


class Forwarder(Peer):
    """Somebody who sends all callers elsewhere."""

    def __init__(self, exchange: Exchange, address: Address, *contacts: str, status: int = 302, rings: bool = False):
        super().__init__(exchange.wire, address)
        self.contacts, self.status, self.rings = contacts, status, rings

    def receive_data(self, flow: Flow, data: bytes, now: float) -> None:
        before = len(self.requests)
        super().receive_data(flow, data, now)
        for message in self.requests[before:]:
            if message.method != "INVITE":
                continue
            if self.rings:
                self.waiting.append(Send(flow, response(message, 180).encode()))
            answer = response(message, self.status)
            for contact in self.contacts:
                answer.headers.add("Contact", contact)
            self.waiting.append(Send(flow, answer.encode()))

    @property
    def called(self) -> int:
        return sum(message.method == "INVITE" for message in self.requests)


F, G = ("192.0.2.60", 5060), ("192.0.2.70", 5060)
B = "<sip:room@192.0.2.2>"
C = "<sip:room@192.0.2.3>"


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


def dial(exchange: Exchange, host: str = F[0], seconds: float = 3.0) -> Call:
    call = exchange["A"].sip.dial(f"sip:somebody@{host}")
    exchange["A"]._watch(call)
    exchange.settle(seconds)
    return call


@pytest.mark.parametrize("status", [300, 301, 302, 305])
@pytest.mark.parametrize("rings", [False, True], ids=["", "after it rang"])
def test_it_is_called_elsewhere(exchange: Exchange, status: int, rings: bool) -> None:
    Forwarder(exchange, F, C, status=status, rings=rings)
    call = dial(exchange)
    assert call.state is exchange["C"].call.state is State.ACTIVE
    assert call.remote == f"sip:somebody@{F[0]}", "whom we dialled"
    exchange.check_clean()


def test_the_best_first(exchange: Exchange) -> None:
    Forwarder(exchange, F, f"{B};q=0.5", f"{C};q=0.7", "<sip:room@192.0.2.99>;q=0")
    dial(exchange)
    assert exchange["B"].calls == []
    assert exchange["C"].call.state is State.ACTIVE


def test_the_next_when_the_first_is_busy(exchange: Exchange) -> None:
    Forwarder(exchange, F, f"{B}, {C}")
    exchange["B"].when_called = lambda call: call.hang_up(EndReason.BUSY)
    assert dial(exchange).state is exchange["C"].call.state is State.ACTIVE
    exchange.check_clean()


def test_the_next_when_the_first_can_not_be_reached(exchange: Exchange) -> None:
    Forwarder(exchange, F, "<sip:room@192.0.2.99;transport=tcp>", C)
    assert dial(exchange).state is exchange["C"].call.state is State.ACTIVE


def test_when_all_refuse_the_last_word_counts(exchange: Exchange) -> None:
    Forwarder(exchange, F, B, C)
    exchange["B"].when_called = exchange["C"].when_called = lambda call: call.hang_up(EndReason.BUSY)
    assert ended(dial(exchange), EndReason.BUSY)
    exchange.check_clean()


def test_who_declines_declines_for_all(exchange: Exchange) -> None:
    """RFC 3261 8.1.3.4: a 6xx ends it."""
    Forwarder(exchange, F, B, C)
    exchange["B"].when_called = lambda call: call.hang_up(EndReason.DECLINED)
    assert ended(dial(exchange), EndReason.DECLINED)
    assert exchange["C"].calls == []


def test_round_in_circles(exchange: Exchange) -> None:
    first, second = f"<sip:somebody@{F[0]}>", f"<sip:somebody@{G[0]}>"
    one, other = Forwarder(exchange, F, second), Forwarder(exchange, G, first)
    call = dial(exchange, seconds=40)
    assert (call.state, call.end_reason) == (State.ENDED, EndReason.NOT_FOUND)
    assert call.end_detail.startswith("302")
    assert (one.called, other.called) == (1, 1)
    exchange.check_clean()


def test_ever_further(exchange: Exchange) -> None:
    forwarders = [
        Forwarder(exchange, (f"192.0.2.{n}", 5060), f"<sip:somebody@192.0.2.{n + 1}>") for n in range(100, 130)
    ]
    call = dial(exchange, "192.0.2.100", seconds=40)
    assert call.state is State.ENDED
    assert sum(each.called for each in forwarders) == MAX_TARGETS


@pytest.mark.parametrize(
    "contact",
    [
        "<sip:x@127.0.0.1>",
        "<sip:x@[::1]>",
        "<tel:+4711>",
        "<mailto:x@example.com>",
        "*",
        "nonsense",
        "<sip:x@192.0.2.3;transport=x>",
    ],
)
def test_nowhere_to_go(exchange: Exchange, contact: str) -> None:
    Forwarder(exchange, F, contact)
    call = dial(exchange)
    assert (call.state, call.end_reason) == (State.ENDED, EndReason.NOT_FOUND)
    exchange.check_clean()


def test_given_up_meanwhile(exchange: Exchange) -> None:
    Forwarder(exchange, F, C)
    exchange["C"].when_called = Call.alert
    call = dial(exchange)
    assert call.state is State.ALERTING
    call.hang_up()
    exchange.settle()
    assert ended(call, EndReason.HUNG_UP)
    assert ended(exchange["C"].call, EndReason.CANCELLED)
    exchange.check_clean()


def test_a_transfer_that_is_taken_elsewhere_keeps_what_it_replaces(exchange: Exchange) -> None:
    """RFC 3261 8.1.3.4: the header fields of the request are kept."""
    Forwarder(exchange, F, C)
    with_b, _ = exchange.call("A", "B")
    with_c, c_with_a = exchange.call("A", "C")
    place = exchange["A"].session(with_c).referral.replaces
    exchange["A"].session(with_b).referral.refer(Uri.parse(f"sip:x@{F[0]}"), exchange.wire.now, place)
    exchange.settle(3.0)
    assert exchange["C"].call.replaces is c_with_a
    exchange.check_clean()


# By SIPS


def dial_sips(exchange: Exchange, forwarder: Forwarder) -> Call:
    call = exchange["A"].sip.dial(f"sips:somebody@{forwarder.address[0]}")
    exchange["A"]._watch(call)
    exchange.settle(3.0)
    return call


@pytest.mark.parametrize("contact", ["<sip:room@192.0.2.3>", "<sip:room@192.0.2.3:5061;transport=tls>"])
def test_a_call_by_sips_does_not_go_where_it_is_not_wanted(contact: str) -> None:
    """RFC 3261 8.1.3.4, RFC 5630 4: by TLS to the next hop is not SIPS on all of them."""
    exchange = Exchange(transport="tls")
    forwarder = Forwarder(exchange, (F[0], 5061), contact)
    call = dial_sips(exchange, forwarder)
    assert forwarder.called == 1
    assert ended(call, EndReason.NOT_ENCRYPTED)
    assert call.end_detail.startswith("302")
    assert exchange["C"].calls == []


def test_a_call_by_sips_goes_elsewhere_by_sips() -> None:
    exchange = Exchange(transport="tls")
    forwarder = Forwarder(exchange, (F[0], 5061), "<sip:room@192.0.2.2>;q=1, <sips:room@192.0.2.3>;q=0.1")
    call = dial_sips(exchange, forwarder)
    assert call.state is exchange["C"].call.state is State.ACTIVE
    assert exchange["B"].calls == []
    exchange.check_clean()


def test_what_must_be_encrypted_is_not_sent_elsewhere_in_the_clear() -> None:
    exchange = Exchange(transport="tls", encryption=Encryption.REQUIRED, ways=("sdes",))
    forwarder = Forwarder(exchange, (F[0], 5061), "<sip:room@192.0.2.3;transport=udp>")
    call = exchange["A"].sip.dial(f"sip:somebody@{F[0]};transport=tls")
    exchange["A"]._watch(call)
    exchange.settle(3.0)
    assert forwarder.called == 1
    assert ended(call, EndReason.NOT_ENCRYPTED)
    assert exchange["C"].calls == []


def test_what_was_called_is_not_called_again() -> None:
    redirection = Redirection()
    redirection.called(Uri.parse("sip:a@192.0.2.3"))
    redirection.add([Uri.parse("sip:a@192.0.2.3"), Uri.parse("sip:b@192.0.2.3")], (), "192.0.2.1")
    redirection.add([Uri.parse("sip:b@192.0.2.3"), Uri.parse("sip:c@192.0.2.3")], (), "192.0.2.1")
    named = [redirection.next() for _ in range(3)]
    assert [str(target.uri) if target else None for target in named] == ["sip:c@192.0.2.3", "sip:b@192.0.2.3", None]
