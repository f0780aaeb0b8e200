"""Encrypted calls with baresip and with Asterisk, both ways: picture and sound are proven by their content."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from certificates import Authority
from interop.asterisk import Asterisk
from interop.asterisk_calls import assert_both_hear as asterisk_hears
from interop.asterisk_calls import be_called, connect
from interop.asterisk_configuration import Settings
from interop.baresip import Baresip
from interop.test_baresip import assert_both_hear, assert_both_see_and_hear
from interop.unit import Unit
from interop.waiting import until

from firmware.call.call import EndReason

pytestmark = pytest.mark.interop

StartUnit = Callable[..., Unit]
StartBaresip = Callable[..., Baresip]
StartAsterisk = Callable[..., Asterisk]
SMALL = {"width": 640, "height": 360}


def policy(name: str) -> dict[str, dict[str, object]]:
    return {"media": {**SMALL, "encryption": name}}


def padlock(unit: Unit) -> str:
    """What the unit says of the keys of its call: ``secret``, ``exposed`` in messages that can be read, or none."""
    call = unit.state()["calls"][0]
    return {(True, False): "secret", (False, True): "exposed"}.get((call["encrypted"], call["exposed"]), "none")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def certified(authority: Authority) -> dict[str, dict[str, object]]:
    """Settings of a unit that knows a far end by its certificate."""
    return {"tls": {"ca": str(authority.certificate)}}


def start_baresip(baresip: StartBaresip, authority: Authority, transport: str, encryption: str) -> Baresip:
    certificate = [f"sip_certificate {authority.issue('127.0.0.1').both}"] if transport == "tls" else []
    return baresip(encryption=encryption, transport=transport, settings=certificate)


KEYS_IN_MESSAGES = [
    ("srtp", "preferred", "udp", "exposed"),
    ("srtp-mand", "preferred", "udp", "exposed"),
    ("srtp-mand", "required", "tls", "secret"),
]


@pytest.mark.parametrize(
    ("encryption", "wanted", "transport", "comes_to"),
    [*KEYS_IN_MESSAGES, ("srtp", "required", "tls", "secret"), ("srtp-mandf", "required", "tls", "secret")],
)
def test_baresip_calls(
    unit: StartUnit,
    baresip: StartBaresip,
    authority: Authority,
    encryption: str,
    wanted: str,
    transport: str,
    comes_to: str,
) -> None:
    answering = unit({**policy(wanted), **certified(authority)})
    far = start_baresip(baresip, authority, transport, encryption)
    far.dial(answering.uri if transport == "udp" else f"sip:room@{answering.address}:5061;transport=tls")
    far.wait_for("CALL_ESTABLISHED")
    call = answering.wait_for_call()
    assert_both_see_and_hear(answering, far)
    assert padlock(answering) == comes_to
    assert far.log().count("SRTP is Enabled") == 2
    assert all(stream["lost"] == 0 for stream in answering.streams(call).values())
    far.command("hangup")
    answering.wait_for_idle()


@pytest.mark.parametrize(("encryption", "wanted", "transport", "comes_to"), KEYS_IN_MESSAGES)
def test_baresip_is_called(
    unit: StartUnit,
    baresip: StartBaresip,
    authority: Authority,
    encryption: str,
    wanted: str,
    transport: str,
    comes_to: str,
) -> None:
    calling = unit({**policy(wanted), **certified(authority)})
    far = start_baresip(baresip, authority, transport, encryption)
    call = calling.dial(far.uri)
    calling.wait_for_call()
    assert_both_see_and_hear(calling, far)
    assert padlock(calling) == comes_to
    assert until(lambda: calling.streams(call)["audio", "send"]["round_trip"] is not None), "reports are read"
    calling.command(call, "hold")
    calling.wait(lambda state: state["calls"][0]["held"])
    calling.command(call, "resume")
    calling.wait(lambda state: not state["calls"][0]["held"])
    calling.forget_sound()
    assert until(lambda: calling.heard_tone(far.tone) > 0.8), "the same keys go on after hold"
    calling.command(call, "hang_up")
    far.wait_for("CALL_CLOSED")


@pytest.mark.parametrize("by_far_end", [False, True])
def test_keys_that_anybody_reads_are_not_what_is_required(
    unit: StartUnit, baresip: StartBaresip, by_far_end: bool
) -> None:
    ours, far = unit(policy("required")), baresip(encryption="srtp-mand")
    if by_far_end:
        far.dial(ours.uri)
        far.wait_for("CALL_CLOSED")
    else:
        ours.dial(far.uri)
        assert ours.wait_for_idle()["notice"]["text"] == EndReason.NOT_ENCRYPTED.value
    assert ours.state()["calls"] == []


DTLS = {"sip": {"srtp": ["dtls"]}}


@pytest.mark.parametrize(("wanted", "settings"), [("preferred", {}), ("required", {}), ("required", DTLS)])
def test_baresip_calls_with_dtls(
    unit: StartUnit, baresip: StartBaresip, wanted: str, settings: dict[str, dict[str, object]]
) -> None:
    answering, far = unit({**policy(wanted), **settings}), baresip(encryption="dtls_srtp")
    far.dial(answering.uri)
    far.wait_for("CALL_ESTABLISHED")
    call = answering.wait_for_call()
    assert_both_see_and_hear(answering, far)
    assert padlock(answering) == "secret"
    assert until(lambda: answering.streams(call)["audio", "send"]["round_trip"] is not None), "reports are read"
    far.command("hangup")
    answering.wait_for_idle()


@pytest.mark.parametrize(("wanted", "settings"), [("preferred", {}), ("required", {}), ("required", DTLS)])
def test_baresip_is_called_with_dtls(
    unit: StartUnit, baresip: StartBaresip, wanted: str, settings: dict[str, dict[str, object]]
) -> None:
    calling, far = unit({**policy(wanted), **settings}), baresip(encryption="dtls_srtp")
    call = calling.dial(far.uri)
    calling.wait_for_call()
    assert_both_see_and_hear(calling, far)
    assert padlock(calling) == "secret"
    calling.command(call, "hold")
    calling.wait(lambda state: state["calls"][0]["held"])
    calling.command(call, "resume")
    calling.wait(lambda state: not state["calls"][0]["held"])
    calling.forget_sound()
    assert until(lambda: calling.heard_tone(far.tone) > 0.8), "the same keys go on after hold"
    assert until(lambda: padlock(calling) == "secret")
    calling.command(call, "hang_up")
    far.wait_for("CALL_CLOSED")


def test_baresip_knows_no_encryption(unit: StartUnit, baresip: StartBaresip) -> None:
    """What a unit offers by itself has to be answered by those who never heard of keys."""
    calling, far = unit(policy("preferred")), baresip()
    calling.dial(far.uri)
    calling.wait_for_call()
    assert_both_hear(calling, far)
    assert padlock(calling) == "none"


both_stacks = pytest.mark.parametrize("technology", ["PJSIP", "SIP"])
# chan_sip itself encrypts only calls with those it has in its configuration.
ASTERISKS_KEYS = [
    ("PJSIP", "sdes", "preferred", True, "exposed"),
    ("SIP", "sdes", "preferred", True, "exposed"),
    ("PJSIP", "sdes", "preferred", False, "exposed"),
    ("PJSIP", "dtls", "required", True, "secret"),
    ("PJSIP", "dtls", "required", False, "secret"),
]


@pytest.mark.parametrize(("technology", "keys", "wanted", "by_us", "comes_to"), ASTERISKS_KEYS)
def test_asterisk(
    unit: StartUnit,
    asterisk: StartAsterisk,
    technology: str,
    keys: str,
    wanted: str,
    by_us: bool,
    comes_to: str,
) -> None:
    """By UDP: keys that are told in messages are no secret."""
    ours, far = unit(policy(wanted), tone=660), asterisk(Settings(encryption=keys), tone=880)
    call, far_call = (connect if by_us else be_called)(ours, far, technology)
    asterisk_hears(ours, far)
    assert padlock(ours) == comes_to
    if by_us:
        ours.command(call, "hang_up")
        far.wait_for_idle()
    else:
        far.hang_up(far_call)
        ours.wait_for_idle()


@both_stacks
def test_asterisk_without_encryption_is_called(unit: StartUnit, asterisk: StartAsterisk, technology: str) -> None:
    calling, far = unit(policy("preferred"), tone=660), asterisk(tone=880)
    connect(calling, far, technology)
    asterisk_hears(calling, far)
