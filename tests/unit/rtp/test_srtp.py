"""SRTP: rollovers, packets that come twice, late or from strangers, and keys with an identifier."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.call.media import Crypto, Suite
from firmware.rtp.packet import Packet
from firmware.rtp.rtcp import ReceiverReport
from firmware.rtp.srtp import MAX_ROLLOVERS, MAX_SOURCES, WINDOW, Receiver, Sender
from firmware.rtp.srtp_transform import SIZES

COUNTER = Crypto(Suite.AES_CM_128_HMAC_SHA1_80, bytes(16), salt=bytes(14))
GCM = Crypto(Suite.AEAD_AES_128_GCM, bytes(16), salt=bytes(12))
KEYS = pytest.mark.parametrize("crypto", [COUNTER, GCM, replace(COUNTER, suite=Suite.AES_CM_128_HMAC_SHA1_32)])
SSRC = 0x1234_5678


def rtp(number: int, ssrc: int = SSRC, payload: bytes = b"some sound") -> bytes:
    return Packet(9, False, number & 0xFFFF, number * 160 & 0xFFFFFFFF, ssrc, payload).encode()


def rtcp(ssrc: int = SSRC) -> bytes:
    return ReceiverReport(ssrc).encode()


@KEYS
def test_numbers_roll_over(crypto: Crypto) -> None:
    sender, receiver = Sender(crypto), Receiver(crypto)
    sent = [sender.protect(rtp(number)) for number in range(65_530, 65_545)]
    assert [receiver.unprotect(packet) for packet in sent] == [rtp(number) for number in range(65_530, 65_545)]
    far = range(65_545, 3 * 65_536, 30_000)
    for number in far:
        assert receiver.unprotect(sender.protect(rtp(number))) == rtp(number)
    assert (receiver.refused, receiver.replayed) == (0, 0)


@KEYS
def test_order_is_no_matter_around_a_rollover(crypto: Crypto) -> None:
    sender, receiver = Sender(crypto), Receiver(crypto)
    numbers = list(range(65_500, 65_570))
    sent = {number: sender.protect(rtp(number)) for number in numbers}
    for number in sorted(numbers, key=lambda number: number ^ 0b10101):
        assert receiver.unprotect(sent[number]) == rtp(number)


def test_what_is_sent_again_is_the_same_also_after_a_rollover() -> None:
    sender = Sender(COUNTER)
    before = [sender.protect(rtp(number)) for number in range(65_530, 65_540)]
    assert [sender.protect(rtp(number)) for number in range(65_530, 65_540)] == before
    assert all(one != other for one, other in pairwise(before))


@KEYS
def test_nothing_is_heard_twice(crypto: Crypto) -> None:
    sender, receiver = Sender(crypto), Receiver(crypto)
    sent = [sender.protect(rtp(number)) for number in range(1, 11)]
    assert all(receiver.unprotect(packet) for packet in sent)
    assert not any(receiver.unprotect(packet) for packet in sent)
    control = sender.protect_control(rtcp())
    assert receiver.unprotect_control(control) == rtcp()
    assert receiver.unprotect_control(control) is None
    assert (receiver.replayed, receiver.refused) == (11, 0)


def test_what_is_too_late_to_tell_is_not_heard() -> None:
    sender, receiver = Sender(COUNTER), Receiver(COUNTER)
    late, later = sender.protect(rtp(1)), sender.protect(rtp(2))
    receiver.unprotect(sender.protect(rtp(1 + WINDOW)))
    assert receiver.unprotect(late) is None
    assert receiver.unprotect(later) == rtp(2)


def test_control_has_an_index_of_its_own() -> None:
    sender, receiver = Sender(GCM), Receiver(GCM)
    sent = [sender.protect_control(rtcp()) for _ in range(3)]
    assert len(set(sent)) == 3
    assert [receiver.unprotect_control(packet) for packet in reversed(sent)] == [rtcp()] * 3


@KEYS
@pytest.mark.parametrize("rollovers", [1, 3, 131])
def test_a_source_that_is_heard_late(crypto: Crypto, rollovers: int) -> None:
    """After hold, or in a media process that took another's place, nobody knows how often its numbers rolled over."""
    sender, receiver = Sender(crypto), Receiver(crypto)
    start = rollovers << 16
    sender._sources[SSRC] = sender_source(start)
    heard = [receiver.unprotect(sender.protect(rtp(start + number))) for number in range(1, rollovers + 10)]
    assert heard[-9:] == [rtp(start + number) for number in range(rollovers + 1, rollovers + 10)]
    assert sum(packet is None for packet in heard) <= rollovers


def sender_source(index: int) -> object:
    sender = Sender(COUNTER)
    sender.protect(rtp(1))
    source = sender._sources[SSRC]
    source.highest = index
    return source


def test_a_source_that_went_on_unheard() -> None:
    sender, receiver = Sender(COUNTER), Receiver(COUNTER)
    receiver.unprotect(sender.protect(rtp(10)))
    for number in range(10, 4 << 16, 20_000):
        sender.protect(rtp(number))
    heard = [receiver.unprotect(sender.protect(rtp((4 << 16) + number))) for number in range(20)]
    assert heard[-1] is not None


def test_strangers_leave_no_trace() -> None:
    receiver = Receiver(COUNTER)
    stranger = Sender(replace(COUNTER, key=b"k" * 16))
    for number in range(3 * MAX_ROLLOVERS):
        assert receiver.unprotect(stranger.protect(rtp(number, ssrc=number))) is None
        assert receiver.unprotect_control(stranger.protect_control(rtcp(number))) is None
    assert receiver.refused == 6 * MAX_ROLLOVERS
    assert not receiver._sources
    assert not receiver._control_sources
    assert receiver.unprotect(Sender(COUNTER).protect(rtp(7))) == rtp(7)


def test_sources_are_bounded() -> None:
    sender, receiver = Sender(COUNTER), Receiver(COUNTER)
    for ssrc in range(3 * MAX_SOURCES):
        assert receiver.unprotect(sender.protect(rtp(1, ssrc))) == rtp(1, ssrc)
        assert receiver.unprotect_control(sender.protect_control(rtcp(ssrc))) == rtcp(ssrc)
    assert len(receiver._sources) == len(receiver._control_sources) == len(sender._sources) == MAX_SOURCES


@KEYS
def test_an_identifier_names_the_key(crypto: Crypto) -> None:
    named = replace(crypto, key_identifier=b"\x01\x02\x03\x04")
    sender, receiver, other = Sender(named), Receiver(named), Receiver(replace(named, key_identifier=b"abcd"))
    sent, control = sender.protect(rtp(5)), sender.protect_control(rtcp())
    plain = Sender(crypto)
    tag = 0 if crypto is GCM else SIZES[crypto.suite].tag
    bare = plain.protect(rtp(5))
    assert sent == bare[: len(bare) - tag] + b"\x01\x02\x03\x04" + bare[len(bare) - tag :]
    assert (other.unprotect(sent), other.unprotect_control(control), other.refused) == (None, None, 2)
    assert receiver.unprotect(sent) == rtp(5)
    assert receiver.unprotect_control(control) == rtcp()
    assert receiver.unprotect(plain.protect(rtp(6))) is None


@KEYS
@given(st.binary(max_size=60))
def test_whatever_comes_nothing_raises(crypto: Crypto, data: bytes) -> None:
    receiver = Receiver(replace(crypto, key_identifier=b"id"))
    for packet in (data, b"\x80" + data, b"\x9f\x09" + data, b"\x80\xc9" + data):
        assert receiver.unprotect(packet) is None
        assert receiver.unprotect_control(packet) is None


def test_headers_with_contributors_and_extensions() -> None:
    sender, receiver = Sender(COUNTER), Receiver(COUNTER)
    mixed = Packet(9, False, 5, 160, SSRC, b"sound", contributors=(1, 2)).encode()
    assert receiver.unprotect(sender.protect(mixed)) == mixed
    extended = bytes([0x90]) + rtp(6)[1:12] + b"\xbe\xde\0\1abcd" + b"sound"
    protected = sender._transform.protect(extended, 20, SSRC, 6)
    assert protected[:20] == extended[:20]
    assert receiver.unprotect(protected) == extended


def test_a_key_that_is_none() -> None:
    for made in (Sender, Receiver):
        with pytest.raises(ValueError, match="salt of 14"):
            made(replace(COUNTER, salt=b""))
