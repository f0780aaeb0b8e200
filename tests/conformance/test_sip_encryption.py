"""SRTP between two endpoints: what each policy comes to with each other, keys, and how they live through a call.

Signalling is by TLS, where nothing else is said.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from parties import ALL, Party, accept, directions
from policies import BOTH_CALL, COME_TO_A_CALL, COME_TO_NONE, PREFERRED, REQUIRED
from wire import Wire
from wire_transport import MemoryPorts, WireTransport, complete

from firmware import config
from firmware.call.call import Call, EndReason, State
from firmware.call.media import Capabilities, Channel, Direction, Encryption, Kind, Suite
from firmware.net.tls import Tls
from firmware.sansio import Flow
from firmware.signaling.sip import SipEndpoint
from firmware.sip.user_agent import UserAgent

UNIT, FAR = ("192.0.2.1", 5060), ("192.0.2.2", 5070)
SDES_FIRST, DTLS_FIRST, SDES, DTLS = ("sdes", "dtls"), ("dtls", "sdes"), ("sdes",), ("dtls",)
OFFERS = pytest.mark.parametrize("delayed", [False, True], ids=["early offer", "delayed offer"])


class Bench:
    """Two units with a policy each."""

    def __init__(
        self,
        unit: Encryption,
        far: Encryption,
        delayed: bool = False,
        ways: tuple[tuple[str, ...], tuple[str, ...]] = (SDES_FIRST, SDES_FIRST),
        signalling: str = "tls",
    ) -> None:
        self.signalling = signalling
        self.wire = Wire()
        self.ports = MemoryPorts()
        self.sent: list[bytes] = []
        self.unit, self.far = self._party(UNIT, unit, delayed, ways[0]), self._party(FAR, far, delayed, ways[1])

    def _party(self, address: tuple[str, int], policy: Encryption, delayed: bool, ways: tuple[str, ...]) -> Party:
        def make(core: UserAgent, on_event: Callable[[object], None]) -> WireTransport:
            receive = core.receive_data
            core.receive_data = lambda flow, data, now: (self.sent.append(data), receive(flow, data, now))[1]  # type: ignore[method-assign]
            return WireTransport(self.wire, address, core, on_event)

        endpoint = SipEndpoint(
            config.Sip(addresses=(address[0],), port=address[1], srtp=ways),  # type: ignore[arg-type]
            Capabilities(encryption=policy),
            self.ports,
            rng=random.Random(str(address)),
            make_transport=make,  # type: ignore[arg-type]
            delayed_offer=delayed,
            tls=Tls(Path("certificate"), Path("key")),
        )
        complete(endpoint.start())
        return Party(endpoint, f"sip:room@{address[0]}:{address[1]};transport={self.signalling}")

    def call(self, by_far_end: bool = False) -> tuple[Call, Call]:
        """Call, and give our call and theirs."""
        caller, called = (self.far, self.unit) if by_far_end else (self.unit, self.far)
        called.when_called = accept
        caller.dial(called)
        self.wire.pass_time(2)
        return self.unit.call, self.far.call

    def refused(self, by_far_end: bool) -> Call:
        """Call in vain, and give the caller's call."""
        caller, called = (self.far, self.unit) if by_far_end else (self.unit, self.far)
        called.when_called = accept
        caller.dial(called)
        self.wire.pass_time(40)
        assert all(State.ACTIVE not in called.states[call] for call in called.calls)
        return caller.call


def channel(call: Call, kind: Kind, direction: Direction) -> Channel:
    return next(c for c in call.channels if (c.kind, c.direction) == (kind, direction))


def check_keys(ours: Call, theirs: Call) -> None:
    """What one encrypts with the other decrypts with, each way and each medium with another key."""
    keys = set()
    for kind in Kind:
        send, receive = channel(ours, kind, Direction.SEND), channel(ours, kind, Direction.RECEIVE)
        assert send.crypto == receive.return_crypto == channel(theirs, kind, Direction.RECEIVE).crypto
        assert receive.crypto == send.return_crypto == channel(theirs, kind, Direction.SEND).crypto
        keys |= {send.crypto and send.crypto.key, receive.crypto and receive.crypto.key}
    assert len(keys) == (1 if None in keys else 4)


@OFFERS
@BOTH_CALL
@COME_TO_A_CALL
def test_policies_that_come_to_a_call(
    unit: Encryption, far: Encryption, encrypted: bool, by_far_end: bool, delayed: bool
) -> None:
    ours, theirs = Bench(unit, far, delayed).call(by_far_end)
    assert directions(ours) == directions(theirs) == ALL
    assert (ours.encrypted, theirs.encrypted) == (encrypted, encrypted)
    check_keys(ours, theirs)


@OFFERS
@BOTH_CALL
@COME_TO_NONE
def test_policies_that_come_to_none(unit: Encryption, far: Encryption, by_far_end: bool, delayed: bool) -> None:
    call = Bench(unit, far, delayed).refused(by_far_end)
    assert call.state is State.ENDED
    if not delayed:
        assert call.end_reason is EndReason.NOT_ENCRYPTED


def test_the_offer_that_gives_the_choice() -> None:
    bench = Bench(PREFERRED, PREFERRED)
    bench.call()
    invite = next(data for data in bench.sent if data.startswith(b"INVITE"))
    said = [invite.count(words) for words in (b"RTP/AVP ", b"a=crypto:", b"a=fingerprint:", b"a=setup:actpass")]
    assert said == [2, 2, 2, 2]


def test_the_strongest_is_agreed_where_encryption_is_required() -> None:
    ours, _ = Bench(REQUIRED, PREFERRED).call()
    assert {c.crypto.suite for c in ours.channels if c.crypto} == {Suite.AEAD_AES_256_GCM}


def test_who_takes_no_choice_is_offered_encryption_only() -> None:
    """As a PBX that wants RTP/SAVP, and refuses RTP/AVP with 488 whatever stands in it."""
    bench = Bench(PREFERRED, REQUIRED)
    endpoint = bench.far.endpoint
    assert isinstance(endpoint, SipEndpoint)
    make = endpoint._make_media

    def strict(flow: Flow) -> object:
        media = make(flow)
        check = media.check

        def check_profile(body: bytes) -> None:
            check(body.replace(b"RTP/AVP", b"RTP/OTHER"))

        media.check = check_profile  # type: ignore[method-assign]
        return media

    endpoint._make_media = strict  # type: ignore[method-assign,assignment]
    ours, theirs = bench.call()
    assert (ours.state, ours.encrypted, theirs.encrypted) == (State.ACTIVE, True, True)
    check_keys(ours, theirs)
    assert sum(data.startswith(b"INVITE") for data in bench.sent) == 2
    ours.hang_up()
    bench.wire.pass_time(40)
    assert bench.ports.reserved == set()


@BOTH_CALL
def test_keys_outlive_hold(by_far_end: bool) -> None:
    """Else both would have to count rollovers anew, and packets under way would be lost."""
    bench = Bench(PREFERRED, PREFERRED)
    ours, theirs = bench.call()
    before = {(c.kind, c.direction): c.crypto for c in ours.channels}
    holder = theirs if by_far_end else ours
    for on in (True, False):
        holder.hold(on)
        bench.wire.pass_time(2)
    assert {(c.kind, c.direction): c.crypto for c in ours.channels} == before
    check_keys(ours, theirs)


def test_on_hold_reports_stay_encrypted() -> None:
    bench = Bench(PREFERRED, PREFERRED)
    ours, theirs = bench.call()
    ours.hold(True)
    bench.wire.pass_time(2)
    for call in (ours, theirs):
        for each in call.channels:
            assert each.return_crypto is not None, "there is RTCP against the direction of the channel"
    assert all(call.encrypted or not call.channels for call in (ours, theirs))


@BOTH_CALL
@pytest.mark.parametrize(("unit", "far"), [(PREFERRED, PREFERRED), (PREFERRED, REQUIRED), (REQUIRED, REQUIRED)])
@pytest.mark.parametrize(
    ("ways", "comes_to"),
    [
        ((SDES_FIRST, SDES), "sdes"),
        ((SDES_FIRST, DTLS), "dtls"),
        ((DTLS_FIRST, DTLS_FIRST), "dtls"),
        ((DTLS_FIRST, SDES), "sdes"),
        ((DTLS, DTLS), "dtls"),
    ],
)
def test_ways_to_agree_on_keys(
    unit: Encryption,
    far: Encryption,
    ways: tuple[tuple[str, ...], tuple[str, ...]],
    comes_to: str,
    by_far_end: bool,
) -> None:
    bench = Bench(unit, far, ways=ways)
    ours, theirs = bench.call(by_far_end)
    assert directions(ours) == directions(theirs) == ALL
    if comes_to == "sdes":
        check_keys(ours, theirs)
        assert ours.encrypted
        assert theirs.encrypted
    else:
        check_handshakes(ours, theirs)


def check_handshakes(ours: Call, theirs: Call) -> None:
    """One begins, and each knows the other's certificate; the padlock is open until the media say otherwise."""
    for kind in Kind:
        mine, far = (channel(call, kind, Direction.SEND).handshake for call in (ours, theirs))
        assert mine is not None
        assert far is not None
        assert mine.begins is not far.begins
        assert mine.fingerprints == (("sha-256", hashlib.sha256(far.certificate).digest()),)
        assert far.fingerprints == (("sha-256", hashlib.sha256(mine.certificate).digest()),)
        assert channel(ours, kind, Direction.RECEIVE).handshake == mine
    for call in (ours, theirs):
        assert not call.encrypted
        for each in call.channels:
            assert each.handshake is not None
            assert each.crypto is None
            assert each.rtcp_mux
            call.secured(each.local, each.handshake)
        assert call.encrypted


# Signalling that anybody on its way can read


@OFFERS
@BOTH_CALL
@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(("unit", "far"), [(PREFERRED, PREFERRED), (PREFERRED, REQUIRED), (REQUIRED, REQUIRED)])
def test_in_the_clear_a_handshake_goes_before_keys(
    unit: Encryption, far: Encryption, transport: str, by_far_end: bool, delayed: bool
) -> None:
    ours, theirs = Bench(unit, far, delayed, signalling=transport).call(by_far_end)
    assert directions(ours) == directions(theirs) == ALL
    check_handshakes(ours, theirs)
    assert not ours.exposed
    assert not theirs.exposed


@OFFERS
@BOTH_CALL
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_keys_that_are_told_in_the_clear_close_no_padlock(transport: str, by_far_end: bool, delayed: bool) -> None:
    ours, theirs = Bench(PREFERRED, PREFERRED, delayed, (SDES, SDES_FIRST), transport).call(by_far_end)
    check_keys(ours, theirs)
    assert [(call.encrypted, call.exposed) for call in (ours, theirs)] == [(False, True)] * 2
    ours.hold(True)
    ours.hold(False)
    assert [(call.encrypted, call.exposed) for call in (ours, theirs)] == [(False, True)] * 2


@OFFERS
@BOTH_CALL
@pytest.mark.parametrize("far", [PREFERRED, REQUIRED])
def test_keys_that_are_told_in_the_clear_are_not_what_is_required(
    far: Encryption, by_far_end: bool, delayed: bool
) -> None:
    bench = Bench(REQUIRED, far, delayed, (SDES, SDES), "udp")
    call = bench.refused(by_far_end)
    assert call.state is State.ENDED
    assert call.end_reason is EndReason.NOT_ENCRYPTED
    assert not any(b"a=crypto" in data for data in bench.sent if far is REQUIRED), "no key is told to anybody"


def test_a_required_key_is_offered_by_tls_only() -> None:
    bench = Bench(REQUIRED, REQUIRED, ways=(SDES, SDES))
    ours, theirs = bench.call()
    check_keys(ours, theirs)
    assert ours.encrypted
    assert theirs.encrypted


@BOTH_CALL
def test_a_handshake_outlives_hold(by_far_end: bool) -> None:
    bench = Bench(PREFERRED, REQUIRED, ways=(DTLS, DTLS))
    ours, theirs = bench.call()
    check_handshakes(ours, theirs)
    before = [{(c.kind, c.handshake) for c in call.channels} for call in (ours, theirs)]
    holder = theirs if by_far_end else ours
    for on in (True, False, True, False):
        holder.hold(on)
        bench.wire.pass_time(2)
    assert [{(c.kind, c.handshake) for c in call.channels} for call in (ours, theirs)] == before
    assert ours.encrypted
    assert theirs.encrypted
    offers = [data for data in bench.sent if data.startswith(b"INVITE")]
    assert all(b"a=setup:actpass" in offer and b"a=setup:active" not in offer for offer in offers)


def test_keys_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    bench = Bench(REQUIRED, REQUIRED)
    ours, _ = bench.call()
    secrets = {
        line.split(b"inline:")[1].decode() for data in bench.sent for line in data.splitlines() if b"inline:" in line
    }
    assert len(secrets) >= 4
    assert not any(secret in caplog.text or secret in repr(ours.channels) for secret in secrets)
    assert "inline" not in caplog.text
