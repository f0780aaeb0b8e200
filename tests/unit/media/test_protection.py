"""The edge of a stream: what is encrypted, what is heard, and for how long an old key is good."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firmware.call.media import PCMU, Channel, Crypto, Direction, Format, Kind, Suite
from firmware.media.protection import OVERLAP, Protection
from firmware.rtp.packet import Packet
from firmware.rtp.rtcp import ReceiverReport, SourceDescription, compound

SEND = Channel(Kind.AUDIO, Direction.SEND, (Format(0, PCMU),), ("192.0.2.1", 4000))
RECEIVE = replace(SEND, direction=Direction.RECEIVE)
ONE = Crypto(Suite.AES_128_CBC, b"1" * 16, 104)
TWO = Crypto(Suite.AES_256_CBC, b"2" * 32, 106)
CLEAR = Packet(0, False, 5, 160, 7, b"sound").encode()


def protection(crypto: Crypto | None, far: Crypto | None) -> Protection:
    made = Protection()
    made.use(replace(SEND, crypto=crypto), replace(RECEIVE, crypto=far), 0.0)
    return made


def test_in_the_clear_packets_pass_as_they_are() -> None:
    clear = protection(None, None)
    assert clear.protect(CLEAR) is CLEAR
    assert clear.unprotect(CLEAR, 0.0) is CLEAR
    assert clear.unprotect(b"", 0.0) == b""


@pytest.mark.parametrize("crypto", [ONE, TWO, replace(ONE, payload_type=None)])
def test_what_one_end_encrypts_the_other_hears(crypto: Crypto) -> None:
    ours, theirs = protection(crypto, None), protection(None, crypto)
    sent = ours.protect(CLEAR)
    assert b"sound" not in sent
    assert Packet.decode(bytes([0x80]) + sent[1:]).payload_type == (crypto.payload_type or 0)
    assert theirs.unprotect(sent, 0.0) == CLEAR


def test_a_direction_may_be_in_the_clear() -> None:
    ours = protection(ONE, None)
    assert ours.unprotect(CLEAR, 0.0) is CLEAR
    theirs = protection(None, ONE)
    assert theirs.protect(CLEAR) is CLEAR


@pytest.mark.parametrize("data", [CLEAR, b"", b"\x80\x68", CLEAR[:11], b"\xff" * 40])
def test_an_encrypted_stream_hears_nothing_else(data: bytes) -> None:
    theirs = protection(None, ONE)
    assert theirs.unprotect(data, 0.0) is None
    assert theirs.refused == 1


def test_the_key_before_is_good_for_a_while() -> None:
    ours, theirs = protection(ONE, None), protection(None, ONE)
    old = ours.protect(CLEAR)
    ours.use(replace(SEND, crypto=TWO), None, 10.0)
    theirs.use(SEND, replace(RECEIVE, crypto=TWO), 10.0)
    new = ours.protect(CLEAR)
    assert new != old
    for now in (10.0, 10.0 + 0.99 * OVERLAP):
        assert theirs.unprotect(new, now) == theirs.unprotect(old, now) == CLEAR
    assert theirs.unprotect(old, 10.0 + OVERLAP) is None
    assert theirs.unprotect(new, 10.0 + OVERLAP) == CLEAR


def test_what_does_not_change_the_key_does_not_end_the_overlap() -> None:
    theirs = protection(None, ONE)
    old = protection(ONE, None).protect(CLEAR)
    for bitrate in (1, 2):
        theirs.use(SEND, replace(RECEIVE, crypto=TWO, bitrate=bitrate), 10.0)
    assert theirs.unprotect(old, 11.0) == CLEAR


def test_a_new_key_under_the_old_payload_type_takes_its_place() -> None:
    theirs = protection(None, ONE)
    old = protection(ONE, None).protect(CLEAR)
    theirs.use(SEND, replace(RECEIVE, crypto=replace(ONE, key=b"3" * 16)), 1.0)
    assert theirs.unprotect(old, 1.0) != CLEAR


def test_after_encryption_nothing_of_it_is_left() -> None:
    theirs = protection(ONE, ONE)
    old = protection(ONE, None).protect(CLEAR)
    theirs.use(SEND, RECEIVE, 1.0)
    assert theirs.unprotect(old, 1.0) is old
    assert theirs.protect(CLEAR) is CLEAR


def test_keys_that_make_no_sense_change_nothing() -> None:
    ours = protection(ONE, ONE)
    sent = ours.protect(CLEAR)
    with pytest.raises(ValueError, match="AES has no keys"):
        ours.use(replace(SEND, crypto=replace(ONE, key=b"short")), None, 1.0)
    assert ours.protect(CLEAR) == sent


SRTP = Crypto(Suite.AES_CM_128_HMAC_SHA1_80, b"k" * 16, salt=b"s" * 14)
FAR_SRTP = Crypto(Suite.AES_CM_128_HMAC_SHA1_80, b"f" * 16, salt=b"s" * 14)
REPORT = compound((ReceiverReport(7), SourceDescription(7, "somebody")))


def srtp(ours: Crypto | None = SRTP, theirs: Crypto | None = FAR_SRTP, ways: str = "both") -> Protection:
    made = Protection()
    send = replace(SEND, crypto=ours, return_crypto=theirs) if ways != "receive" else None
    receive = replace(RECEIVE, crypto=theirs, return_crypto=ours) if ways != "send" else None
    made.use(send, receive, 0.0)
    return made


@pytest.mark.parametrize("ways", ["both", "send", "receive"])
def test_srtp_protects_both_directions_whatever_flows(ways: str) -> None:
    ours, theirs = srtp(ways=ways), srtp(FAR_SRTP, SRTP)
    for one, other in ((ours, theirs), (theirs, ours)):
        sent, report = one.protect(CLEAR), one.protect_control(REPORT)
        assert b"sound" not in sent
        assert b"somebody" not in report
        assert other.unprotect(sent, 0.0) == CLEAR
        assert other.unprotect_control(report, 0.0) == REPORT
        assert other.unprotect(CLEAR, 0.0) is None
        assert other.unprotect_control(REPORT, 0.0) is None
        assert other.refused == 2


def test_reports_are_in_the_clear_with_h235() -> None:
    ours = protection(ONE, ONE)
    assert ours.protect_control(REPORT) is REPORT
    assert ours.unprotect_control(REPORT, 0.0) is REPORT
    assert not ours.authenticates
    assert srtp().authenticates


def test_the_same_key_agreed_again_goes_on() -> None:
    ours, theirs = srtp(), srtp(FAR_SRTP, SRTP)
    rolled = [Packet(0, False, number & 0xFFFF, 0, 7, b"x").encode() for number in range(65_500, 65_600)]
    for number, packet in enumerate(rolled):
        assert theirs.unprotect(ours.protect(packet), 0.0) == packet
        if number % 40 == 0:
            ours.use(replace(SEND, crypto=SRTP, return_crypto=FAR_SRTP, bitrate=number), None, 1.0)
            theirs.use(None, replace(RECEIVE, crypto=SRTP, return_crypto=FAR_SRTP, bitrate=number), 1.0)
    assert theirs.refused == 0
    assert theirs.unprotect(srtp().protect(rolled[-1]), 0.0) is None, "nothing is heard twice either"


def test_another_srtp_key_takes_over_while_packets_are_under_way() -> None:
    ours, theirs = srtp(), srtp(FAR_SRTP, SRTP)
    old, old_report = ours.protect(CLEAR), ours.protect_control(REPORT)
    new_key = replace(SRTP, key=b"n" * 16)
    ours.use(replace(SEND, crypto=new_key), None, 10.0)
    theirs.use(None, replace(RECEIVE, crypto=new_key), 10.0)
    assert theirs.unprotect(ours.protect(CLEAR), 10.0) == CLEAR
    assert theirs.unprotect(old, 10.0) == CLEAR
    assert theirs.unprotect_control(old_report, 10.0) == REPORT
    assert theirs.unprotect(srtp().protect(CLEAR), 10.0 + OVERLAP) is None


def test_a_call_that_is_no_longer_encrypted_hears_the_clear() -> None:
    theirs = srtp()
    theirs.use(SEND, RECEIVE, 1.0)
    assert theirs.unprotect(CLEAR, 1.0) is CLEAR
    assert theirs.protect_control(REPORT) is REPORT
