"""What SRTP costs each packet, beside building and reading the packet itself, and beside libsrtp with the same key."""

from __future__ import annotations

import timeit
from collections.abc import Callable

import pytest
from bench.conftest import Figure
from pylibsrtp import Policy, Session

from firmware.call.media import Crypto, Suite
from firmware.rtp.packet import Packet
from firmware.rtp.srtp import Receiver, Sender
from firmware.rtp.srtp_transform import SIZES

PROFILES = {
    Suite.AES_CM_128_HMAC_SHA1_80: Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    Suite.AEAD_AES_256_GCM: Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}
PACKETS = 20_000
MOST = 6
"""Times what the same packet costs without, in one direction, at most."""


@pytest.mark.bench
@pytest.mark.parametrize("size", [160, 1_200], ids=["sound", "picture"])
@pytest.mark.parametrize("suite", PROFILES, ids=lambda suite: suite.value)
def test_cost_of_a_packet(figures: list[Figure], suite: Suite, size: int) -> None:
    sizes = SIZES[suite]
    crypto = Crypto(suite, bytes(sizes.key), salt=bytes(sizes.salt))
    payload = bytes(size)
    plain = [Packet(97, False, number & 0xFFFF, number, 7, payload).encode() for number in range(PACKETS)]
    bare = measure(lambda packet: Packet.decode(Packet(97, False, 5, 5, 7, payload).encode()), plain)
    sender, receiver = Sender(crypto), Receiver(crypto)
    sent: list[bytes] = []
    sending = measure(lambda packet: sent.append(sender.protect(packet)), plain)
    receiving = measure(receiver.unprotect, sent)
    assert receiver.refused == receiver.replayed == 0

    def session(direction: int) -> Session:
        return Session(Policy(bytes(sizes.key + sizes.salt), direction, srtp_profile=PROFILES[suite]))

    outbound, inbound = session(Policy.SSRC_ANY_OUTBOUND), session(Policy.SSRC_ANY_INBOUND)
    theirs = measure(lambda packet: inbound.unprotect(outbound.protect(packet)), plain)
    ratio = (sending + receiving) / bare
    figures.append(
        Figure(
            f"SRTP, {suite.value}, a packet of {size} bytes out and in, against the packet without",
            f"{ratio:.1f} times ({sending:.1f} + {receiving:.1f} µs; libsrtp {theirs:.1f} µs)",
            wanted=f"at most {2 * MOST} times",
        )
    )
    assert ratio < 2 * MOST


def measure(work: Callable[[bytes], object], packets: list[bytes]) -> float:
    """Give the time for one packet, µs: of each packet once, for nothing may be sent or heard twice."""
    best = float("inf")
    size = PACKETS // 5
    for part in (packets[start : start + size] for start in range(0, PACKETS, size)):
        began = timeit.default_timer()
        for packet in part:
            work(packet)
        best = min(best, (timeit.default_timer() - began) / len(part))
    return best * 1e6
