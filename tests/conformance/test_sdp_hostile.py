"""Hostile session descriptions: whatever comes is answered or refused, and costs no more than its size."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Callable

import pytest
from gatherers import MemoryGatherers
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_time import assert_linear
from offers import OURS
from wire_transport import MemoryPorts

from firmware.call.ice import Selected
from firmware.call.media import Capabilities, Direction, Encryption
from firmware.errors import DecodeError, RemoteProtocolError
from firmware.sdp import attributes, crypto, fingerprint, ice
from firmware.sdp.session import MAX_BYTES, MAX_LINE, parse
from firmware.signaling.sip_ice import SipIce
from firmware.signaling.sip_media import NoCommonMediaError, SipMedia
from firmware.sip.body import session_description
from firmware.sip.message import Headers, Request
from firmware.sip.uri import Uri

HEAD = b"v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n"
AUDIO = b"m=audio 5000 RTP/AVP 96 9 0 101\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n"
VIDEO = (
    b"m=video 5002 RTP/AVP 97 99\r\nb=AS:1500\r\na=rtpmap:97 H264/90000\r\n"
    b"a=fmtp:97 profile-level-id=42e01f;packetization-mode=1;max-fs=3600;"
    b"sprop-parameter-sets=Z0IAH5WoFAFuQA==,aM48gA==\r\n"
    b"a=rtpmap:99 rtx/90000\r\na=fmtp:99 apt=97;rtx-time=3000\r\na=rtcp-fb:* nack pli\r\na=rtcp-fb:97 ccm fir\r\n"
)
KEYS = (
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
    b"|2^20|1:4 FEC_ORDER=FEC_SRTP\r\n"
    b"a=fingerprint:sha-256 "
    + b":".join([b"4A"] * 32)
    + b"\r\na=setup:actpass\r\na=rtcp-mux\r\na=rtcp:5005 IN IP4 192.0.2.9\r\n"
)
ICE = (
    b"a=ice-ufrag:9uB6\r\na=ice-pwd:YH75Fviy6338Vbrhrlp8Yh\r\na=ice-options:ice2\r\n"
    b"a=candidate:1 1 UDP 2130706431 192.0.2.2 5000 typ host\r\n"
    b"a=candidate:2 1 UDP 1694498815 192.0.2.9 45664 typ srflx raddr 192.0.2.2 rport 5000 generation 0\r\n"
    b"a=candidate:3 2 UDP 1694498814 192.0.2.9 45665 typ relay raddr 192.0.2.2 rport 5001\r\n"
    b"a=candidate:4 1 TCP 1 name.local 9 typ host tcptype active\r\n"
    b"a=remote-candidates:1 192.0.2.1 40000 2 192.0.2.1 40001\r\na=end-of-candidates\r\n"
)
OFFERS = [
    HEAD + AUDIO + ICE + VIDEO + ICE.replace(b"5000", b"5002"),
    HEAD + b"a=ice-lite\r\n" + AUDIO + b"a=ice-mismatch\r\n" + ICE + b"a=rtcp-mux\r\n" + VIDEO,
    HEAD + AUDIO + VIDEO,
    HEAD + AUDIO + KEYS + VIDEO + KEYS,
    HEAD.replace(b"c=IN IP4 192.0.2.2\r\n", b"") + AUDIO + b"c=IN IP4 192.0.2.7\r\na=sendonly\r\n",
    HEAD + b"a=inactive\r\n" + VIDEO + AUDIO + b"m=application 5006 UDP/BFCP *\r\nm=text 0 RTP/AVP 98\r\n",
]


def media(encryption: Encryption = Encryption.PREFERRED, *, ways: bool = True) -> SipMedia:
    """A side of a call; *ways*: that has ICE."""
    found = SipIce(MemoryGatherers(), random.Random(1)) if ways else None
    return SipMedia(Capabilities(encryption=encryption), MemoryPorts(), OURS, 1, ice=found)


def ignore() -> None:
    """Stand in for who waits until it is known where we are."""


def exercise(body: bytes) -> None:
    """Take it as an offer, as an answer, and as a change; anything but the promised errors escapes."""
    for encryption, ways in itertools.product(Encryption, (False, True)):
        ours = media(encryption, ways=ways)
        with contextlib.suppress(NoCommonMediaError, DecodeError):
            lines = len(parse(body).media)
            assert ours.prepare(body, ignore)
            assert len(parse(ours.answer(body)).media) == lines
            assert len(parse(ours.offer()).media) >= lines
            for channel in ours.channels:
                if channel.ice is not None and len(channel.ice.remote) > 1:
                    pairs = zip(channel.ice.local, channel.ice.remote, strict=False)
                    ours.way_found(channel.local, tuple(Selected(p[0].component, *p) for p in pairs))
            assert ours.offer()
            ours.accept(body)
            assert {channel.direction for channel in ours.channels} <= set(Direction)
        ours.close()
        asking = media(encryption, ways=ways)
        assert asking.prepare(None, ignore)
        asking.offer()
        with contextlib.suppress(NoCommonMediaError, DecodeError):
            asking.accept(body)
        asking.close()


@pytest.mark.parametrize("body", OFFERS)
def test_the_offers_are_good_ones(body: bytes) -> None:
    assert media().answer(body)


FRAGMENTS = st.sampled_from(
    [
        *(bytes([byte]) for byte in b"\r\n \t=:;,/|*-\x00\x1c\x1f\xff0"),
        "\u2028\u00a0\u0660\u00b2".encode(),
        b"9" * 20,
        b"m=audio 1 RTP/AVP 0\r\n",
        b"a=",
        b"\r\n\r\n",
        b"IP6",
    ]
)
MUTATION = st.tuples(st.integers(0, 1200), st.integers(0, 30), st.one_of(FRAGMENTS, st.binary(max_size=8)))


@given(st.sampled_from(OFFERS), st.lists(MUTATION, min_size=1, max_size=6))
@settings(max_examples=300)
def test_mutated_descriptions(body: bytes, mutations: list[tuple[int, int, bytes]]) -> None:
    for position, length, replacement in mutations:
        start = position % (len(body) + 1)
        body = body[:start] + replacement + body[start + length :]
    exercise(body)


@given(st.lists(st.sampled_from([line + b"\r\n" for body in OFFERS for line in body.split(b"\r\n")[5:]]), max_size=40))
@settings(max_examples=200)
def test_lines_in_any_order(lines: list[bytes]) -> None:
    exercise(HEAD + b"".join(lines))


FOUND = {
    "parameter sets that are not even ASCII": HEAD + VIDEO.replace(b"Z0IAH5", b"\xffA"),
    "space around a number that is none to int()": HEAD + VIDEO.replace(b"AS:1500", b"AS:1500\x1d"),
}
"""What once did harm."""


@pytest.mark.parametrize("body", FOUND.values(), ids=FOUND)
def test_what_was_found(body: bytes) -> None:
    exercise(body)
    assert media().answer(body)


# What it costs


def read_all(body: bytes) -> None:
    session = parse(body)
    for each in session.media:
        formats, fmtps = attributes.rtpmaps(each), attributes.fmtps(each)
        for payload_type in (*formats, *attributes.payload_types(each)):
            attributes.feedback(each, payload_type)
            attributes.parameters(fmtps.get(payload_type, ""))
        attributes.rtcp(each), attributes.milliseconds(each, "ptime"), attributes.direction(session, each)
        crypto.read(each), fingerprint.read(session, each), fingerprint.read_setup(session, each)
        ice.read(session, each), ice.defaults(session, each)
    with contextlib.suppress(NoCommonMediaError):
        media().answer(body)


LINES = [
    b"",
    b"\r\n",
    b"a=x\r\n",
    b"b=AS:1\r\n",
    b"c=IN IP4 192.0.2.2\r\n",
    b"a=sendonly\r\n",
    b"a=rtpmap:97 H264/90000\r\n",
    b"a=fmtp:97 profile-level-id=42e01f\r\n",
    b"a=rtcp-fb:* nack pli\r\n",
    b"a=rtcp-fb:97 nack pli\r\n",
    b"m=audio 1 RTP/AVP 0\r\n",
    b"m=video 1 RTP/AVP 97\r\n",
    AUDIO,
    VIDEO,
    KEYS,
    ICE,
    ICE[ICE.index(b"a=cand") :],
    b"a=candidate:1 1 UDP 2130706431 192.0.2.2 5000 typ host\r\n",
]


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
@pytest.mark.parametrize("head", [HEAD, HEAD + AUDIO, HEAD + VIDEO], ids=["nothing", "sound", "picture"])
def test_no_description_costs_more_than_linear_time(head: bytes, line: bytes) -> None:
    def make(size: int) -> bytes:
        return (head + line * (size // max(len(line), 1)))[:size]

    assert_linear(read_all, make, MAX_BYTES)


UNITS = [
    b" ",
    b"\t",
    b"=",
    b":",
    b";",
    b";;",
    b"a=b;",
    b",",
    b"/",
    b"|",
    b"-",
    b"0",
    b"97 ",
    b"x",
    b"\xff",
    b"%",
    b"4A:",
    b"A",
    b"A=",
]
FIELDS = [
    b"o=- 1 1 IN IP4 ",
    b"c=IN IP4 ",
    b"m=audio 1 RTP/AVP ",
    b"b=",
    b"a=",
    b"a=rtpmap:97 ",
    b"a=fmtp:97 profile-level-id=42e01f;",
    b"a=fmtp:97 sprop-parameter-sets=",
    b"a=rtcp-fb:97 ",
    b"a=rtcp:",
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:",
    b"a=fingerprint:sha-256 ",
    b"a=setup:",
]


@pytest.mark.parametrize("unit", UNITS)
def test_no_field_costs_more_than_linear_time(unit: bytes) -> None:
    def make(size: int) -> list[bytes]:
        value = unit * (size // len(unit))
        return [HEAD + VIDEO + field + value + b"\r\n" for field in FIELDS]

    def work(bodies: list[bytes]) -> None:
        for body in bodies:
            with contextlib.suppress(RemoteProtocolError):
                read_all(body)

    # Below MAX_LINE nothing is cut short by a bound: the patterns themselves must be linear.
    assert_linear(work, make, MAX_LINE - 100)


BODIES: list[Callable[[int], bytes]] = [
    lambda size: b"--b\r\n\r\n" * (size // 7),
    lambda size: b"--b" * (size // 3),
    lambda size: b"\r\n--b\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n" * (size // 51),
    lambda size: b"--b\r\n" + b"a: b\r\n" * (size // 6) + b"\r\n",
    lambda size: b"--b\r\n" + b"Content-Type" * (size // 12) + b"\r\n",
    lambda size: b"--b\r\nContent-Type:" + b" \t" * (size // 2) + b"\r\n\r\n",
    lambda size: b"--b\r\nContent-Type:" + b"\r\n " * (size // 3) + b"\r\n\r\n",
    lambda size: b"--b\r\nContent-Type: a/b" + b";a=b" * (size // 4) + b"\r\n\r\n",
    lambda size: b"\r\n" * (size // 2),
]


@pytest.mark.parametrize("make", BODIES)
def test_no_body_of_parts_costs_more_than_linear_time(make: Callable[[int], bytes]) -> None:
    def work(body: bytes) -> None:
        headers = Headers()
        headers.add("Content-Type", "multipart/mixed;boundary=b")
        request = Request("INVITE", Uri.parse("sip:a@b"), headers)
        request.body = body
        session_description(request)

    assert_linear(work, make, 60_000)
