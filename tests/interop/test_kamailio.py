"""Registered at a real Kamailio, with digest, and calling through it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from certificates import Authority
from interop.conftest import SMALL
from interop.kamailio import Kamailio
from interop.unit import State, Unit
from interop.waiting import until


def registered(state: State) -> bool:
    return bool(state["registrations"]) and all(one["state"] == "registered" for one in state["registrations"])


def settings(*accounts: dict[str, object], **sip: Any) -> dict[str, dict[str, Any]]:
    return {"sip": {"accounts": list(accounts), **sip}, "media": SMALL}


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(("algorithm", "qop"), [("MD5", "auth"), ("SHA-256", "auth"), ("MD5", "")])
def test_two_units_call_each_other_through_it(
    kamailio: Callable[..., Kamailio], unit: Callable[..., Unit], transport: str, algorithm: str, qop: str
) -> None:
    server = kamailio(algorithm=algorithm, qop=qop)
    alice = unit(settings(server.account("alice", transport=transport)), tone=660)
    bob = unit(settings(server.account("bob", transport=transport)), tone=880)
    state = alice.wait(registered)
    assert state["addresses"][0] == f"sip:alice@{server.address}"
    assert 0 < state["registrations"][0]["expires"] <= 600
    bob.wait(registered)
    call = alice.dial("bob")
    alice.wait_for_call()
    taken = bob.wait_for_call()
    [theirs] = bob.state()["calls"]
    assert theirs["remote"] == f"sip:alice@{server.address}"
    assert theirs["remote_name"] == "Unit"
    assert until(lambda: alice.heard_tone(880) > 0.5 and bob.heard_tone(660) > 0.5)
    # A change of the call passes through the server as well.
    alice.command(call, "hold")
    bob.wait(lambda state: state["calls"][0]["held_by_far_end"])
    alice.command(call, "resume")
    bob.wait(lambda state: not state["calls"][0]["held_by_far_end"])
    bob.command(taken, "hang_up")
    alice.wait_for_idle()
    bob.wait_for_idle()


def test_a_wrong_password_is_said(kamailio: Callable[..., Kamailio], unit: Callable[..., Unit]) -> None:
    server = kamailio()
    alice = unit(settings(server.account("alice", password="guessed-4711")))
    state = alice.wait(lambda state: state["registrations"][0]["state"] == "failed")
    assert state["registrations"][0]["reason"] == "the user name or the password is wrong"
    assert "guessed-4711" not in alice.log()
    # It is not let through without, either; and a person is told why.
    alice.dial("bob")
    alice.wait(lambda state: state["notice"] is not None)
    assert "password" in alice.state()["notice"]["text"]


def test_a_nonce_that_is_too_old_costs_one_message_more(
    kamailio: Callable[..., Kamailio], unit: Callable[..., Unit]
) -> None:
    server = kamailio(nonce_life=1)
    alice = unit(settings(server.account("alice")))
    bob = unit(settings(server.account("bob")))
    alice.wait(registered)
    bob.wait(registered)
    for _ in range(2):
        call = alice.dial("bob")
        alice.wait_for_call()
        alice.wait(lambda state: (state["calls"][0]["duration"] or 0) > 2)  # its nonce is old then
        alice.command(call, "hang_up")
        alice.wait_for_idle()
        bob.wait_for_idle()


def test_who_has_gone_is_not_found(kamailio: Callable[..., Kamailio], unit: Callable[..., Unit]) -> None:
    server = kamailio()
    alice = unit(settings(server.account("alice")))
    bob = unit(settings(server.account("bob")))
    alice.wait(registered)
    bob.wait(registered)
    bob.stop()
    assert bob.exit_status == 0
    alice.dial("bob")
    alice.wait(lambda state: state["notice"] is not None)
    assert alice.state()["notice"]["text"] == "The address is not known there."


def test_a_server_that_comes_later_is_found(kamailio: Callable[..., Kamailio], unit: Callable[..., Unit]) -> None:
    server = kamailio()
    server.stop()
    alice = unit(settings(server.account("alice", transport="tcp")))
    state = alice.wait(lambda state: state["registrations"][0]["state"] == "failed")
    assert state["registrations"][0]["reason"].startswith("the server cannot be reached now")


def test_two_accounts_at_one_server_share_a_connection(
    kamailio: Callable[..., Kamailio], unit: Callable[..., Unit]
) -> None:
    server = kamailio()
    both = unit(settings(*(server.account(user, transport="tcp") for user in ("alice", "bob"))))
    assert len(both.wait(registered)["registrations"]) == 2
    # The default one is the first: it calls the other, and so itself.
    both.dial("bob")
    both.wait(lambda state: len(state["calls"]) == 2)


def test_one_address_by_two_ways(kamailio: Callable[..., Kamailio], unit: Callable[..., Unit]) -> None:
    """Its registrar keeps both flows (RFC 5626), and a call comes once."""
    server = kamailio()
    ways = [("tcp", server.address), ("udp", f"{server.address}:{server.port}")]
    alice = unit(settings(*(server.account("alice", transport=way, proxy=proxy) for way, proxy in ways)))
    assert len(alice.wait(registered)["registrations"]) == 2
    bob = unit(settings(server.account("bob")))
    bob.wait(registered)
    call = bob.dial("alice")
    bob.wait_for_call()
    assert [each["state"] for each in alice.state()["calls"]] == ["active"]
    bob.command(call, "hang_up")
    alice.wait_for_idle()
    assert alice.history("bob@") == [["connecting", "active", "ended", "The call was hung up."]]


def test_registered_and_called_by_tls(
    kamailio: Callable[..., Kamailio], unit: Callable[..., Unit], tmp_path: Any
) -> None:
    authority = Authority(tmp_path / "authority")
    address = Kamailio("", tmp_path).address
    server = kamailio(address=address, certificate=authority.issue(address).both)
    tls = {"tls": {"ca": str(authority.certificate)}}
    alice = unit(settings(server.account("alice", transport="tls")) | tls)
    bob = unit(settings(server.account("bob", transport="tls")) | tls)
    alice.wait(registered)
    bob.wait(registered)
    call = alice.dial("bob")
    alice.wait_for_call()
    bob.wait_for_call()
    alice.command(call, "hang_up")
    bob.wait_for_idle()


def test_a_server_whose_certificate_nobody_vouches_for_gets_no_password(
    kamailio: Callable[..., Kamailio], unit: Callable[..., Unit], tmp_path: Any
) -> None:
    address = Kamailio("", tmp_path).address
    server = kamailio(address=address, certificate=Authority(tmp_path / "stranger").issue(address).both)
    other = Authority(tmp_path / "authority")
    alice = unit(settings(server.account("alice", transport="tls")) | {"tls": {"ca": str(other.certificate)}})
    state = alice.wait(lambda state: state["registrations"][0]["state"] == "failed")
    assert "certificate" in state["registrations"][0]["reason"]


def test_an_outbound_proxy_is_the_way_to_a_domain_that_nobody_knows(
    kamailio: Callable[..., Kamailio], unit: Callable[..., Unit]
) -> None:
    server = kamailio(domain="rooms.invalid")
    alice = unit(settings(server.account("alice", proxy=server.address)))
    bob = unit(settings(server.account("bob", registrar=server.address, proxy=f"{server.address}:{server.port}")))
    assert alice.wait(registered)["addresses"][0] == "sip:alice@rooms.invalid"
    bob.wait(lambda state: state["registrations"][0]["state"] != "trying")
    call = alice.dial("alice@rooms.invalid")  # back to itself
    alice.wait(lambda state: len(state["calls"]) == 2)
    alice.command(call, "hang_up")
    alice.wait_for_idle()
