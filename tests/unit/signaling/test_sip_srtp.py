"""What a line of a description comes to: keys, suites, parameters, policies."""

from __future__ import annotations

import base64
import random

import pytest

from firmware.call.media import Encryption, Kind, Suite
from firmware.rtp.srtp_transform import SIZES
from firmware.sdp import crypto
from firmware.sdp.session import MediaDescription
from firmware.signaling.sip_srtp import CLEAR, Secured, SipSrtp

OFF, PREFERRED, REQUIRED = Encryption
AUDIO = Kind.AUDIO
EIGHTY, GCM = Suite.AES_CM_128_HMAC_SHA1_80, Suite.AEAD_AES_256_GCM


def line(*cryptos: str, protocol: str = "RTP/SAVP") -> MediaDescription:
    return MediaDescription("audio", 5000, protocol, ("0",), attributes=tuple(("crypto", value) for value in cryptos))


def key(suite: Suite = EIGHTY, octet: int = 1, tag: int = 1, more: str = "") -> str:
    octets = bytes([octet]) * (SIZES[suite].key + SIZES[suite].salt)
    return f"{tag} {suite.value} inline:{base64.b64encode(octets).decode()}{more}"


def srtp(policy: Encryption = PREFERRED) -> SipSrtp:
    return SipSrtp(policy, random.Random(7))


def chosen(media: MediaDescription, policy: Encryption = PREFERRED) -> Secured | None:
    choice = srtp(policy).choose(AUDIO, media)
    return choice and choice[0]


@pytest.mark.parametrize("suite", SIZES, ids=lambda suite: suite.value)
def test_every_suite_is_taken(suite: Suite) -> None:
    choice = srtp().choose(AUDIO, line(key(suite, tag=3)))
    assert choice is not None
    secured, [(name, said)] = choice
    assert secured.send is not None
    assert secured.receive is not None
    assert secured.send.suite is secured.receive.suite is suite
    assert (secured.receive.key, secured.receive.salt) == (b"\1" * SIZES[suite].key, b"\1" * SIZES[suite].salt)
    assert secured.send.key != secured.receive.key
    [written] = crypto.read(line(said))
    assert (name, written.tag, written.key_and_salt) == ("crypto", 3, secured.send.key + secured.send.salt)


def test_the_first_that_can_be_used_is_taken() -> None:
    unknown = f"1 F8_128_HMAC_SHA1_80 inline:{'A' * 40}"
    short = f"2 {EIGHTY.value} inline:{'A' * 36}"
    choice = srtp().choose(AUDIO, line(unknown, short, key(GCM, 5, tag=8), key(tag=9)))
    assert choice is not None
    assert choice[0].receive is not None
    assert choice[0].receive.suite is GCM
    assert choice[1][0][1].startswith("8 AEAD_AES_256_GCM inline:")


@pytest.mark.parametrize(
    ("parameters", "usable"),
    [
        ("", True),
        (" WSH=64", True),
        (" WSH=128 KDR=0", True),
        (" -X-hint=1", True),
        ("|2^48", True),
        ("|2^48|1:4", True),
        ("|2^49", False),
        (" WSH=32", False),
        (" KDR=24", False),
        (" UNENCRYPTED_SRTCP", False),
        (" UNENCRYPTED_SRTP", False),
        (" UNAUTHENTICATED_SRTP", False),
        (" FEC_ORDER=FEC_SRTP", False),
        (" WSH=64 SOMETHING", False),
    ],
)
def test_parameters(parameters: str, usable: bool) -> None:
    assert (chosen(line(key(more=parameters))) is not None) is usable


@pytest.mark.parametrize(
    ("policy", "media", "secured"),
    [
        (OFF, line(protocol="RTP/AVP"), False),
        (OFF, line(key(), protocol="RTP/AVP"), False),
        (OFF, line(key()), None),
        (PREFERRED, line(protocol="RTP/AVPF"), False),
        (PREFERRED, line(key(), protocol="RTP/AVP"), True),
        (PREFERRED, line(key(more=" KDR=3"), protocol="RTP/AVP"), False),
        (PREFERRED, line(key(), protocol="RTP/SAVPF"), True),
        (PREFERRED, line(), None),
        (PREFERRED, line(key(more=" KDR=3")), None),
        (REQUIRED, line(protocol="RTP/AVP"), None),
        (REQUIRED, line(key(), protocol="RTP/AVP"), True),
        (REQUIRED, line(key()), True),
    ],
)
def test_policies_of_the_one_who_answers(policy: Encryption, media: MediaDescription, secured: bool | None) -> None:
    choice = chosen(media, policy)
    assert (choice and choice != CLEAR) is secured


def test_what_is_offered() -> None:
    assert (srtp(OFF).profile, srtp(OFF).offer()) == ("RTP/AVP", ())
    assert srtp(PREFERRED).profile == "RTP/AVP"
    [only] = crypto.read(MediaDescription("audio", 1, "", (), attributes=srtp(PREFERRED).offer()))
    assert only.suite == EIGHTY.value
    strict = srtp(REQUIRED)
    assert strict.profile == "RTP/SAVP"
    offered = crypto.read(MediaDescription("audio", 1, "", (), attributes=strict.offer()))
    assert [written.suite for written in offered] == [
        "AEAD_AES_256_GCM",
        "AES_CM_128_HMAC_SHA1_80",
        "AES_CM_128_HMAC_SHA1_32",
    ]
    assert len({written.key_and_salt[:16] for written in offered}) == 3
    assert strict.offer() != strict.offer(), "each line has keys of its own"


def offer(one: SipSrtp) -> MediaDescription:
    return MediaDescription("audio", 1, one.profile, ("0",), attributes=one.offer())


def test_an_answer_names_our_key_and_gives_theirs() -> None:
    one = srtp(REQUIRED)
    said = offer(one)
    secured = one.accept(AUDIO, said, line(key(octet=9, tag=2)))
    assert secured is not None
    assert secured.send is not None
    assert secured.receive is not None
    assert secured.send.key + secured.send.salt == crypto.read(said)[1].key_and_salt
    assert secured.receive.key == b"\x09" * 16


@pytest.mark.parametrize(
    "answer",
    [
        line(),
        line(key(tag=1)),  # the tag of another suite
        line(key(tag=7)),
        line(key(tag=2, more=" UNENCRYPTED_SRTP")),
        line(protocol="RTP/AVP"),
    ],
)
def test_answers_that_are_none(answer: MediaDescription) -> None:
    one = srtp(REQUIRED)
    assert one.accept(AUDIO, offer(one), answer) is None


def test_who_prefers_encryption_takes_an_answer_without() -> None:
    one = srtp(PREFERRED)
    assert one.accept(AUDIO, offer(one), line(protocol="RTP/AVP")) == CLEAR
    assert one.accept(AUDIO, offer(one), line()) is None, "it says that it encrypts, and gives no key"
    assert one.insist()
    assert one.accept(AUDIO, offer(one), line(protocol="RTP/AVP")) is None, "that was not offered"


def test_there_is_one_other_try() -> None:
    one = srtp(PREFERRED)
    assert [one.insist(), one.insist()] == [True, False]
    assert one.profile == "RTP/SAVP"
    assert not srtp(OFF).insist()
    assert not srtp(REQUIRED).insist()


def test_our_key_stays_as_long_as_theirs() -> None:
    one = srtp()
    keys = []
    for octet, tag in ((1, 1), (1, 4), (2, 1), (2, 1)):
        choice = one.choose(AUDIO, line(key(octet=octet, tag=tag)))
        assert choice is not None
        one.agree(AUDIO, choice[0])
        keys.append(choice[0].send)
    assert keys[0] == keys[1] != keys[2] == keys[3]


def test_what_was_chosen_only_is_not_agreed() -> None:
    one = srtp()
    first, second = (one.choose(AUDIO, line(key())) for _ in range(2))
    assert first != second


def test_an_answer_to_us_counts_as_agreed_too() -> None:
    one = srtp(PREFERRED)
    secured = one.accept(AUDIO, offer(one), line(key(octet=9)))
    again = one.choose(AUDIO, line(key(octet=9)))
    assert again is not None
    assert again[0] == secured
