"""SIP over TLS: between a unit and baresip, and between two units, with certificates that fit and ones that don't."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from interop.baresip import Baresip
from interop.conftest import SMALL
from interop.ports import own_address
from interop.test_baresip import assert_both_hear, assert_both_see_and_hear, until
from interop.unit import Unit

StartUnit = Callable[..., Unit]
StartBaresip = Callable[..., Baresip]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def certified(authority: Authority, *names: str, **tls: Any) -> dict[str, dict[str, Any]]:
    """Settings of a unit with a certificate for these names, which trusts the authority."""
    issued = authority.issue(*names)
    files = {"certificate": str(issued.certificate), "key": str(issued.key), "ca": str(authority.certificate)}
    return {"tls": files | tls}


def test_baresip_calls_over_tls(unit: StartUnit, baresip: StartBaresip, authority: Authority) -> None:
    """The unit has the certificate of its first start."""
    answering = unit()
    far = baresip(transport="tls", settings=[f"sip_certificate {authority.issue('127.0.0.1').both}"])
    far.dial(f"sip:room@{answering.address}:5061;transport=tls")
    far.wait_for("CALL_ESTABLISHED")
    call = answering.wait_for_call()
    assert "tls" in answering.log()
    assert_both_see_and_hear(answering, far)
    answering.command(call, "hold")
    answering.wait(lambda state: state["calls"][0]["held"])
    answering.command(call, "resume")
    answering.wait(lambda state: not state["calls"][0]["held"])
    far.command("hangup")
    answering.wait_for_idle()


def test_the_unit_calls_baresip_over_tls(unit: StartUnit, baresip: StartBaresip, authority: Authority) -> None:
    calling = unit(certified(authority, "192.0.2.1"))
    far = baresip(transport="tls", settings=[f"sip_certificate {authority.issue('127.0.0.1').both}"])
    call = calling.dial(far.uri)
    calling.wait_for_call()
    assert_both_see_and_hear(calling, far)
    calling.command(call, "hang_up")
    far.wait_for("CALL_CLOSED")
    calling.wait_for_idle()


def test_a_certificate_of_somebody_else_is_refused(
    unit: StartUnit, baresip: StartBaresip, authority: Authority, tmp_path: Path
) -> None:
    calling = unit(certified(authority, "192.0.2.1"))
    strange = Authority(tmp_path / "strange", "A stranger")
    for both, words in (
        (authority.issue("other.example.com").both, "its certificate is for other.example.com, not for 127.0.0.1"),
        (strange.issue("127.0.0.1").both, "this unit does not trust who signed it"),
    ):
        far = baresip(transport="tls", card=None, settings=[f"sip_certificate {both}"])
        calling.dial(far.uri)
        state = calling.wait(lambda state: not state["calls"] and state["notice"])
        assert words in calling.log()
        assert not [event for event in far.events if event.get("type") == "CALL_INCOMING"], state


def test_both_show_who_they_are(unit: StartUnit, baresip: StartBaresip, authority: Authority, tmp_path: Path) -> None:
    """Mutual TLS: a caller without a certificate of the authority does not get in."""
    answering = unit(certified(authority, "192.0.2.1", verify="all"))
    good = authority.issue("127.0.0.1").both
    far = baresip(transport="tls", card=None, settings=[f"sip_certificate {good}"])
    far.dial(f"sip:room@{answering.address}:5061;transport=tls")
    far.wait_for("CALL_ESTABLISHED")
    answering.wait_for_call()
    assert_both_hear(answering, far)
    far.command("hangup")
    answering.wait_for_idle()
    bad = Authority(tmp_path / "strange", "A stranger").issue("127.0.0.1").both
    stranger = baresip(transport="tls", card=None, settings=[f"sip_certificate {bad}"])
    stranger.dial(f"sip:room@{answering.address}:5061;transport=tls")
    assert until(lambda: "it called, but its certificate is not accepted" in answering.log())
    assert not answering.state()["calls"]


def test_two_units_by_sips(unit: StartUnit, authority: Authority) -> None:
    """Each trusts the authority, and every message of the call, also backwards, is secured."""
    addresses = [own_address(), own_address()]
    settings = [certified(authority, address) | {"media": SMALL} for address in addresses]
    calling, answering = (unit(each, address=address) for each, address in zip(settings, addresses, strict=True))
    call = calling.dial(answering.sips_uri)
    calling.wait_for_call()
    there = answering.wait_for_call()
    assert answering.state()["calls"][0]["remote"].startswith(f"sips:room@{calling.address}")
    answering.command(there, "hold")
    calling.wait(lambda state: state["calls"][0]["held_by_far_end"])
    answering.command(there, "resume")
    calling.wait(lambda state: not state["calls"][0]["held_by_far_end"])
    calling.command(call, "hang_up")
    answering.wait_for_idle()
    for each in (calling, answering):
        assert "> udp" not in each.log()
        assert "> tcp" not in each.log()


def test_two_units_that_were_given_each_others_certificates(unit: StartUnit) -> None:
    """Those of their first starts; nobody vouches for them, so each is put where the other finds whom to trust."""
    answering = unit({"media": SMALL})
    calling = unit({"media": SMALL, "tls": {"ca": str(answering.certificate)}})
    call = calling.dial(answering.sips_uri)
    answering.wait_for_call()
    calling.command(call, "hang_up")
    answering.wait_for_idle()
    # The other way round nobody has been given anything.
    answering.dial(calling.sips_uri)
    answering.wait(lambda state: not state["calls"] and state["notice"])
    assert "its certificate is not accepted: it is signed by itself" in answering.log()


def test_a_wrong_file_is_said_and_nothing_starts(tmp_path: Path) -> None:
    running = Unit(tmp_path / "unit", {"tls": {"certificate": "/nowhere/c.pem", "key": "/nowhere/k.pem"}})
    with pytest.raises(AssertionError, match=r"/nowhere/c\.pem: No such file or directory"):
        running.__enter__()


def test_a_renewed_certificate_is_shown_without_a_restart(unit: StartUnit, authority: Authority) -> None:
    old, new = authority.issue("old.example.com"), authority.issue("new.example.com")
    running = unit({"tls": {"certificate": str(old.certificate), "key": str(old.key)}})

    def shown() -> bytes:
        return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((running.address, running.tls_port), timeout=10))

    def of(path: Path) -> bytes:
        begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
        text = path.read_text()
        return ssl.PEM_cert_to_DER_cert(text[text.index(begin) : text.index(end) + len(end)] + "\n")

    first, second = of(old.certificate), of(new.certificate)
    assert shown() == first
    new.key.replace(old.key)
    assert shown() == first, "half of it is there"
    new.certificate.replace(old.certificate)
    assert shown() == second
