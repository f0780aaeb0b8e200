"""What a line of a description comes to: keys, suites, parameters, policies."""

from __future__ import annotations

import base64
import random
from dataclasses import replace

import pytest
from dtls_ends import certificate

from firmware.call.media import Encryption, Kind, Suite
from firmware.rtp.srtp_transform import SIZES
from firmware.sdp import crypto, fingerprint
from firmware.sdp.session import MediaDescription, SessionDescription
from firmware.signaling.sip_srtp import CLEAR, Secured, SipSrtp, offered_again

OFF, PREFERRED, REQUIRED = Encryption
AUDIO = Kind.AUDIO
SESSION = SessionDescription()
EIGHTY, GCM = Suite.AES_CM_128_HMAC_SHA1_80, Suite.AEAD_AES_256_GCM


def line(*cryptos: str, protocol: str = "RTP/SAVP") -> MediaDescription:
    return MediaDescription("audio", 5000, protocol, ("0",), attributes=tuple(("crypto", value) for value in cryptos))


def key(suite: Suite = EIGHTY, octet: int = 1, tag: int = 1, more: str = "") -> str:
    octets = bytes([octet]) * (SIZES[suite].key + SIZES[suite].salt)
    return f"{tag} {suite.value} inline:{base64.b64encode(octets).decode()}{more}"


def srtp(policy: Encryption = PREFERRED, ways: tuple[str, ...] = ("sdes",), clear: bool = False) -> SipSrtp:
    return SipSrtp(policy, random.Random(7), lambda: certificate("ours"), ways, clear_signalling=clear)


def chosen(media: MediaDescription, policy: Encryption = PREFERRED) -> Secured | None:
    choice = srtp(policy).choose(AUDIO, SESSION, media)
    return choice and choice[0]


@pytest.mark.parametrize("suite", SIZES, ids=lambda suite: suite.value)
def test_every_suite_is_taken(suite: Suite) -> None:
    choice = srtp().choose(AUDIO, SESSION, line(key(suite, tag=3)))
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
    choice = srtp().choose(AUDIO, SESSION, line(unknown, short, key(GCM, 5, tag=8), key(tag=9)))
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
    secured = one.accept(AUDIO, said, SESSION, line(key(octet=9, tag=2)))
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
    assert one.accept(AUDIO, offer(one), SESSION, answer) is None


def test_who_prefers_encryption_takes_an_answer_without() -> None:
    one = srtp(PREFERRED)
    assert one.accept(AUDIO, offer(one), SESSION, line(protocol="RTP/AVP")) == CLEAR
    assert one.accept(AUDIO, offer(one), SESSION, line()) is None, "it says that it encrypts, and gives no key"
    assert one.offer_otherwise()
    assert one.accept(AUDIO, offer(one), SESSION, line(protocol="RTP/AVP")) is None, "that was not offered"


def test_there_is_one_other_try() -> None:
    one = srtp(PREFERRED)
    assert [one.offer_otherwise(), one.offer_otherwise()] == [True, False]
    assert one.profile == "RTP/SAVP"
    assert not srtp(OFF).offer_otherwise()
    assert not srtp(REQUIRED).offer_otherwise()


def test_our_key_stays_as_long_as_theirs() -> None:
    one = srtp()
    keys = []
    for octet, tag in ((1, 1), (1, 4), (2, 1), (2, 1)):
        choice = one.choose(AUDIO, SESSION, line(key(octet=octet, tag=tag)))
        assert choice is not None
        one.agree(AUDIO, choice[0])
        keys.append(choice[0].send)
    assert keys[0] == keys[1] != keys[2] == keys[3]


def test_what_was_chosen_only_is_not_agreed() -> None:
    one = srtp()
    first, second = (one.choose(AUDIO, SESSION, line(key())) for _ in range(2))
    assert first != second


def test_an_answer_to_us_counts_as_agreed_too() -> None:
    one = srtp(PREFERRED)
    secured = one.accept(AUDIO, offer(one), SESSION, line(key(octet=9)))
    again = one.choose(AUDIO, SESSION, line(key(octet=9)))
    assert again is not None
    assert again[0] == secured


DTLS_ONLY, BOTH = ("dtls",), ("sdes", "dtls")
THEIRS = fingerprint.write(certificate("theirs").fingerprint)


def dtls_line(setup: str = "actpass", value: str = THEIRS, protocol: str = "UDP/TLS/RTP/SAVPF") -> MediaDescription:
    said = (("fingerprint", value), *((("setup", setup),) if setup else ()))
    return MediaDescription("audio", 5000, protocol, ("0",), attributes=said)


@pytest.mark.parametrize(
    ("setup", "begins", "answer"),
    [
        ("actpass", True, "active"),
        ("passive", True, "active"),
        ("active", False, "passive"),
        ("", False, "passive"),
        ("holdconn", None, ""),
    ],
)
def test_who_begins_in_an_answer_of_ours(setup: str, begins: bool | None, answer: str) -> None:
    choice = srtp(ways=DTLS_ONLY).choose(AUDIO, SESSION, dtls_line(setup))
    if begins is None:
        assert choice is None
        return
    assert choice is not None
    secured, said = choice
    assert secured.handshake is not None
    assert secured.handshake.begins is begins
    assert secured.handshake.fingerprints == (certificate("theirs").fingerprint,)
    assert secured.handshake.certificate == certificate("ours").der
    assert dict(said) == {"fingerprint": fingerprint.write(certificate("ours").fingerprint), "setup": answer}


@pytest.mark.parametrize(("setup", "begins"), [("active", False), ("passive", True), ("", False), ("actpass", None)])
def test_who_begins_where_they_answer(setup: str, begins: bool | None) -> None:
    one = srtp(REQUIRED, DTLS_ONLY)
    assert one.profile == "UDP/TLS/RTP/SAVP"
    assert dict(one.offer())["setup"] == "actpass"
    secured = one.accept(AUDIO, offer(one), SESSION, dtls_line(setup))
    assert (secured and secured.handshake and secured.handshake.begins) is begins


@pytest.mark.parametrize("protocol", ["UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF", "RTP/SAVPF", "RTP/AVP"])
def test_a_fingerprint_counts_under_every_profile(protocol: str) -> None:
    choice = srtp(REQUIRED, BOTH).choose(AUDIO, SESSION, dtls_line(protocol=protocol))
    assert choice is not None
    assert choice[0].handshake is not None


def test_keys_that_are_told_have_no_place_under_tls() -> None:
    assert srtp(ways=BOTH).choose(AUDIO, SESSION, line(key(), protocol="UDP/TLS/RTP/SAVP")) is None


@pytest.mark.parametrize("way", ["sdes", "dtls"])
def test_the_preferred_way_is_taken_where_both_are_offered(way: str) -> None:
    both = replace(line(key()), attributes=(*line(key()).attributes, *dtls_line().attributes))
    one = srtp(ways=(way, *(other for other in BOTH if other != way)))
    choice = one.choose(AUDIO, SESSION, both)
    assert choice is not None
    assert (choice[0].handshake is not None) is (way == "dtls")


def test_the_forms_of_an_offer() -> None:
    one = srtp(PREFERRED, BOTH)
    seen = [(one.profile, [name for name, _ in one.offer()])]
    while one.offer_otherwise():
        seen.append((one.profile, [name for name, _ in one.offer()]))
    assert seen == [
        ("RTP/AVP", ["crypto", "fingerprint", "setup"]),
        ("RTP/SAVP", ["crypto"] * 3 + ["fingerprint", "setup"]),
        ("UDP/TLS/RTP/SAVP", ["fingerprint", "setup"]),
        ("UDP/TLS/RTP/SAVPF", ["fingerprint", "setup"]),
    ]


def test_a_far_end_may_answer_a_line_for_keys_by_a_fingerprint() -> None:
    one = srtp(REQUIRED, BOTH)
    secured = one.accept(AUDIO, offer(one), SESSION, dtls_line("active", protocol="RTP/SAVP"))
    assert secured is not None
    assert secured.handshake is not None


def test_a_handshake_holds_while_the_certificate_is_the_same() -> None:
    one = srtp(ways=DTLS_ONLY)
    first = one.choose(AUDIO, SESSION, dtls_line("actpass"))
    assert first is not None
    one.agree(AUDIO, first[0])
    again = one.choose(AUDIO, SESSION, dtls_line("actpass"))
    assert again == first
    answered = one.accept(AUDIO, offer(one), SESSION, dtls_line("active"))
    assert answered == first[0], "who begins was settled"
    other = one.choose(AUDIO, SESSION, dtls_line("active", fingerprint.write(certificate("third").fingerprint)))
    assert other is not None
    assert other[0].handshake is not None
    assert other[0].handshake.begins is False


def test_an_offer_again_leaves_the_choice() -> None:
    said = (("setup", "active"), ("fingerprint", THEIRS), ("ptime", "20"))
    assert offered_again(said) == (("setup", "actpass"), *said[1:])


# Where signalling can be read on its way


def test_keys_that_are_told_in_the_clear_are_marked() -> None:
    one = srtp(clear=True)
    choice = one.choose(AUDIO, SESSION, line(key()))
    assert choice is not None
    accepted = one.accept(AUDIO, offer(one), SESSION, line(key(octet=9), protocol="RTP/AVP"))
    assert accepted is not None
    for secured in (choice[0], accepted):
        assert secured.send is not None
        assert secured.receive is not None
        assert secured.send.exposed
        assert secured.receive.exposed


def test_in_the_clear_a_handshake_goes_first() -> None:
    both = replace(line(key()), attributes=(*line(key()).attributes, *dtls_line().attributes))
    one = srtp(ways=BOTH, clear=True)
    choice = one.choose(AUDIO, SESSION, both)
    assert choice is not None
    assert choice[0].handshake is not None
    assert [name for name, _ in one.offer()] == ["crypto", "fingerprint", "setup"], "who knows no better may still"


def test_in_the_clear_told_keys_are_not_what_is_required() -> None:
    one = srtp(REQUIRED, BOTH, clear=True)
    assert one.possible
    assert one.choose(AUDIO, SESSION, line(key())) is None
    assert (one.profile, [name for name, _ in one.offer()]) == ("UDP/TLS/RTP/SAVP", ["fingerprint", "setup"])
    assert not srtp(REQUIRED, clear=True).possible
    assert all(each.possible for each in (srtp(REQUIRED), srtp(PREFERRED, clear=True), srtp(OFF, clear=True)))
