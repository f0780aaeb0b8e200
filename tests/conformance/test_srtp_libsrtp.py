"""SRTP beside libsrtp, which most others use: each takes what the other makes, and makes the same."""

from __future__ import annotations

import random

import pytest
from pylibsrtp import Error, Policy, Session

from firmware.call.media import Crypto, Suite
from firmware.rtp.srtp import Receiver, Sender
from firmware.rtp.srtp_transform import SIZES

PROFILES = {
    Suite.AES_CM_128_HMAC_SHA1_80: Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    Suite.AES_CM_128_HMAC_SHA1_32: Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
    Suite.AEAD_AES_128_GCM: Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    Suite.AEAD_AES_256_GCM: Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}


class Both:
    """Ours and libsrtp's, with one key."""

    def __init__(self, suite: Suite) -> None:
        self.rng = random.Random(suite.value)
        sizes = SIZES[suite]
        key, salt = self.rng.randbytes(sizes.key), self.rng.randbytes(sizes.salt)
        crypto = Crypto(suite, key, salt=salt)
        self.sender, self.receiver = Sender(crypto), Receiver(crypto)

        def session(direction: int) -> Session:
            return Session(Policy(key=key + salt, ssrc_type=direction, srtp_profile=PROFILES[suite]))

        self.outbound, self.inbound = session(Policy.SSRC_ANY_OUTBOUND), session(Policy.SSRC_ANY_INBOUND)

    def packet(self, number: int, ssrc: int = 7) -> bytes:
        header = b"\x80\x60" + (number & 0xFFFF).to_bytes(2, "big") + self.rng.randbytes(4) + ssrc.to_bytes(4, "big")
        return header + self.rng.randbytes(self.rng.randrange(1, 1_300))

    def control(self) -> bytes:
        return b"\x80\xc9\0\7\0\0\0\7" + self.rng.randbytes(24)


@pytest.fixture(params=PROFILES, ids=lambda suite: suite.value)
def both(request: pytest.FixtureRequest) -> Both:
    return Both(request.param)


def test_packets(both: Both) -> None:
    for number in range(65_400, 65_700):
        packet = both.packet(number)
        theirs = both.outbound.protect(packet)
        assert both.sender.protect(packet) == theirs
        assert both.receiver.unprotect(theirs) == packet
        assert both.inbound.unprotect(theirs) == packet


def test_control(both: Both) -> None:
    for _ in range(50):
        packet = both.control()
        theirs = both.outbound.protect_rtcp(packet)
        assert both.sender.protect_control(packet) == theirs
        assert both.receiver.unprotect_control(theirs) == packet
        assert both.inbound.unprotect_rtcp(theirs) == packet


def test_any_order(both: Both) -> None:
    """What ours takes in disorder, twice and around rollovers is what libsrtp takes, within its smaller window."""
    packets = [both.outbound.protect(both.packet(number)) for number in range(65_500, 65_600)]
    order = list(range(100)) + [both.rng.randrange(100) for _ in range(50)]
    for place in range(0, 100, 10):
        order[place : place + 10] = both.rng.sample(order[place : place + 10], 10)
    for number in order:
        clear = both.receiver.unprotect(packets[number])
        try:
            assert both.inbound.unprotect(packets[number]) == clear
        except Error:
            assert clear is None
