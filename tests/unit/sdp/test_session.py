"""Session descriptions, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DecodeError
from firmware.sdp.session import (
    MAX_BYTES,
    MAX_FORMATS,
    MAX_LINE,
    MAX_LINES,
    MAX_MEDIA,
    Bandwidth,
    MediaDescription,
    Origin,
    SessionDescription,
    parse,
)

# RFC 8866 5, the example; h= and the like are not in it.
RFC_8866_EXAMPLE = b"""v=0\r
o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r
s=Call to John Smith\r
i=SDP Offer #1\r
u=http://www.jdoe.example.com/home.html\r
e=Jane Doe <jane@jdoe.example.com>\r
p=+1 617 555-6011\r
c=IN IP4 198.51.100.1\r
t=0 0\r
m=audio 49170 RTP/AVP 0\r
m=audio 49180 RTP/AVP 0\r
m=video 51372 RTP/AVP 99\r
c=IN IP6 2001:db8::2\r
a=rtpmap:99 h263-1998/90000\r
"""
MINIMAL = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"


def test_reads_the_example_of_rfc_8866() -> None:
    description = parse(RFC_8866_EXAMPLE)
    assert description.origin == Origin(3724394400, 3724394405, "198.51.100.1", "jdoe")
    assert description.name == "Call to John Smith"
    assert [(m.kind, m.port, m.formats) for m in description.media] == [
        ("audio", 49170, ("0",)),
        ("audio", 49180, ("0",)),
        ("video", 51372, ("99",)),
    ]
    assert [description.address_of(m) for m in description.media] == ["198.51.100.1", "198.51.100.1", "2001:db8::2"]
    assert description.media[2].attribute("rtpmap") == "99 h263-1998/90000"


def test_writes_what_the_grammar_asks_in_its_order() -> None:
    video = MediaDescription(
        "video", 40002, "RTP/AVP", ("97",), "2001:db8::1", (Bandwidth("AS", 512),), (("sendrecv", ""), ("label", "1"))
    )
    description = SessionDescription(
        Origin(7, 8, "192.0.2.1"), "room", "192.0.2.1", (Bandwidth("CT", 600),), (("tool", "x"),), (video,)
    )
    assert description.encode() == (
        b"v=0\r\no=- 7 8 IN IP4 192.0.2.1\r\ns=room\r\nc=IN IP4 192.0.2.1\r\nb=CT:600\r\nt=0 0\r\na=tool:x\r\n"
        b"m=video 40002 RTP/AVP 97\r\nc=IN IP6 2001:db8::1\r\nb=AS:512\r\na=sendrecv\r\na=label:1\r\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        MINIMAL.replace(b"\r\n", b"\n"),
        MINIMAL.replace(b"\r\n", b"\r"),
        MINIMAL.replace(b"s=-\r\n", b""),
        MINIMAL.replace(b"t=0 0\r\n", b""),
        MINIMAL.rstrip(),
        b"\r\n" + MINIMAL + b"\r\n\r\n",
        MINIMAL + b"\0",
        MINIMAL.replace(b"t=0 0", b"x=who knows\r\nt=0 0"),
        MINIMAL.replace(b"t=0 0", b"b=AS:much\r\nt=0 0"),
        MINIMAL.replace(b"IP4 192.0.2.1\r\nt=", b"IP4 192.0.2.1/127\r\nt="),
    ],
    ids=["LF", "CR", "no s=", "no t=", "no last line end", "blank lines", "NUL", "letter", "bandwidth", "ttl"],
)
def test_takes_what_sloppy_peers_send(body: bytes) -> None:
    assert parse(body).connection == "192.0.2.1"


def test_a_broken_origin_spoils_nothing() -> None:
    assert parse(b"v=0\no=nonsense\nc=IN IP4 192.0.2.1\n").origin == Origin()
    assert parse(b"v=0\no=a b -3 IN IP4 h\n").origin == Origin(0, 0, "h", "a")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n\r\n",
        b"INVITE sip:a@b SIP/2.0\r\n",
        b"v=1\r\n",
        b"s=-\r\nv=0\r\n",
        MINIMAL + b"rubbish\r\n",
        MINIMAL + b"=x\r\n",
        MINIMAL + b"m=audio\r\n",
        MINIMAL + b"m=audio 70000 RTP/AVP 0\r\n",
        MINIMAL + b"m=audio -1 RTP/AVP 0\r\n",
        MINIMAL + b"m=audio 4000/x RTP/AVP 0\r\n",
        MINIMAL + b"c=IN IP4\r\n",
        MINIMAL + b"c=IN IP4 /127\r\n",
        MINIMAL + b"c=ATM NSAP 47.0091\r\n",
        MINIMAL + b"a=" + b"x" * MAX_LINE + b"\r\n",
        MINIMAL + b"m=audio 4000 RTP/AVP" + b" 0" * (MAX_FORMATS + 1) + b"\r\n",
        MINIMAL + b"m=audio 4000 RTP/AVP 0\r\n" * (MAX_MEDIA + 1),
        MINIMAL + b"a=x\n" * MAX_LINES,
        MINIMAL + b"a=x\r\n" * (MAX_BYTES // 5),
    ],
)
def test_refuses_what_is_none_or_too_much(body: bytes) -> None:
    with pytest.raises(DecodeError):
        parse(body)


def test_keeps_what_it_does_not_know_in_its_place() -> None:
    body = MINIMAL + b"m=application 5070 UDP/BFCP *\r\nm=audio 4000/2 RTP/AVP 0 8\r\nm=image 4010 udptl t38\r\n"
    media = parse(body).media
    assert [(m.kind, m.protocol, m.formats) for m in media] == [
        ("application", "UDP/BFCP", ("*",)),
        ("audio", "RTP/AVP", ("0", "8")),
        ("image", "UDPTL", ("t38",)),
    ]
    assert media[0].refused().port == 0
    assert media[0].refused().formats == ("*",)


def test_finds_attributes_by_name() -> None:
    media = parse(MINIMAL + b"a=tool:t\r\nm=audio 4000 RTP/AVP 0\r\na=fmtp:0 x\r\na=fmtp:8 y\r\na=mid:\r\n")
    assert media.attribute("tool") == "t"
    assert media.media[0].values("fmtp") == ("0 x", "8 y")
    assert media.media[0].attribute("mid") == ""
    assert media.media[0].attribute("tool") is None


word = st.text("abcXYZ019-/._+", min_size=1, max_size=12)
attributes = st.lists(st.tuples(word, st.one_of(st.just(""), word)), max_size=4).map(tuple)
addresses = st.sampled_from(["192.0.2.7", "2001:db8::7", "host.example"])
bandwidths = st.lists(st.builds(Bandwidth, st.sampled_from(["AS", "TIAS"]), st.integers(0, 10**9)), max_size=2).map(
    tuple
)
media_descriptions = st.builds(
    MediaDescription,
    word.map(str.lower),
    st.integers(0, 0xFFFF),
    word.map(str.upper),
    st.lists(word, min_size=1, max_size=4).map(tuple),
    st.one_of(st.none(), addresses),
    bandwidths,
    attributes,
)


@given(
    st.builds(
        SessionDescription,
        st.builds(Origin, st.integers(0, 2**63), st.integers(0, 2**63), addresses, word),
        word,
        st.one_of(st.none(), addresses),
        bandwidths,
        attributes,
        st.lists(media_descriptions, max_size=3).map(tuple),
    )
)
def test_reads_what_it_wrote(description: SessionDescription) -> None:
    assert parse(description.encode()) == description


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=200).map(lambda tail: MINIMAL + tail)))
def test_raises_nothing_but_decode_error(body: bytes) -> None:
    try:
        description = parse(body)
    except DecodeError:
        return
    assert parse(description.encode()).media == description.media
