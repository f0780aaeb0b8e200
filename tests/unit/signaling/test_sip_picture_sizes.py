"""H.261 and H.263 in the words of SDP, as standards have it and as old systems do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from offers import AUDIO, VIDEO, channel, find, lines, make, sdp

from firmware.call.media import (
    CIF,
    CIF4,
    CIF16,
    H261,
    H263,
    H263_1998,
    H264_BASELINE,
    PCMU,
    QCIF,
    SUB_QCIF,
    Capabilities,
    Codec,
    Direction,
    Format,
    Kind,
    PictureSize,
)
from firmware.signaling.sip_formats import rtpmap_of
from firmware.signaling.sip_picture_sizes import fmtp, ours, read, shared


def every(size: PictureSize, interval: int) -> PictureSize:
    return replace(size, interval=interval)


@pytest.mark.parametrize(
    ("said", "sizes"),
    [
        ("CIF=2;QCIF=1", (every(CIF, 2), QCIF)),
        ("CIF4=1; CIF=1; QCIF=1; SQCIF=1; CIF16=3", (CIF4, CIF, QCIF, SUB_QCIF, every(CIF16, 3))),
        ("QCIF=2/CIF=4/MAXBR=1280", (every(QCIF, 2), every(CIF, 4))),
        ("cif=1 qcif=1 F=1 J=1", (CIF, QCIF)),
        ("CUSTOM=640,480,2;CIF=1;D=1", (CIF,)),
        ("", (QCIF,)),
        ("CIF=0;QCIF=123;CIF=99x", (QCIF,)),
        ("PROFILE=0;LEVEL=10", (every(QCIF, 2), every(SUB_QCIF, 2))),
        ("profile=0;level=30", (CIF, QCIF, SUB_QCIF)),
        ("LEVEL=45", (every(QCIF, 2), every(SUB_QCIF, 2))),
        ("LEVEL=70", (CIF, QCIF, SUB_QCIF)),
        ("LEVEL=5", (every(QCIF, 2), every(SUB_QCIF, 2))),
        ("LEVEL=10;CIF=1", (CIF,)),
    ],
)
def test_sizes(said: str, sizes: tuple[PictureSize, ...]) -> None:
    assert read(Codec("h263-1998", Kind.VIDEO, 90_000), said) == replace(H263_1998, picture_sizes=sizes)


def test_names() -> None:
    assert [ours(name) for name in ("h261", "H263", "h263-1998", "H263-2000", "H264")] == [
        "H261", "H263", "H263-1998", "H263-1998", "",
    ]  # fmt: skip


def test_what_is_shared_is_in_their_order_and_not_too_often() -> None:
    theirs = replace(H263, picture_sizes=(every(QCIF, 2), CIF, PictureSize(640, 480)))
    assert shared(replace(H263, picture_sizes=(every(CIF, 3), QCIF)), theirs) == (every(QCIF, 2), every(CIF, 3))
    assert fmtp(H263.picture_sizes) == "CIF4=1;CIF=1;QCIF=1;SQCIF=1;CIF16=2"


# In offers and answers

OLD = "m=video 5002 RTP/AVP 34 31 115\na=rtpmap:34 H263/90000\na=fmtp:34 CIF=2\na=rtpmap:115 H263-2000/90000\n"


def video(body: bytes) -> dict[str, list[str]]:
    media = next(media for media in lines(body) if media.kind == "video")
    said = {name: [value for each, value in media.attributes if each == name] for name in ("rtpmap", "fmtp")}
    return said | {"formats": list(media.formats)}


def test_behind_h264_they_are_not_offered() -> None:
    offered = video(make().offer())
    assert not [said for said in offered["rtpmap"] if "H26" in said and "H264" not in said]


def test_before_h264_they_are_offered() -> None:
    offered = video(make(Capabilities((PCMU, H263, H261, H264_BASELINE))).offer())
    assert offered["formats"][:2] == ["34", "31"]
    assert "34 CIF4=1;CIF=1;QCIF=1;SQCIF=1;CIF16=2" in offered["fmtp"]
    assert "31 CIF=1;QCIF=1" in offered["fmtp"]
    assert len(offered["formats"]) == 5


def test_who_offers_them_gets_them() -> None:
    media = make()
    answer = video(media.answer(sdp(AUDIO, OLD)))
    assert answer == {"formats": ["34"], "rtpmap": ["34 H263/90000"], "fmtp": ["34 CIF=2"]}
    sent = channel(media, Kind.VIDEO, Direction.SEND)
    assert sent.formats == (Format(34, replace(H263, picture_sizes=(every(CIF, 2),))),)
    assert channel(media, Kind.VIDEO, Direction.RECEIVE).format == Format(34, H263)


def test_static_types_without_a_word() -> None:
    media = make()
    answer = video(media.answer(sdp(AUDIO, "m=video 5002 RTP/AVP 31\n")))
    assert answer == {"formats": ["31"], "rtpmap": ["31 H261/90000"], "fmtp": ["31 QCIF=1"]}
    assert channel(media, Kind.VIDEO, Direction.SEND).codec.picture_sizes == (QCIF,)


def test_the_name_of_2000_is_repeated() -> None:
    media = make()
    offer = sdp(AUDIO, "m=video 5002 RTP/AVP 115\na=rtpmap:115 H263-2000/90000\na=fmtp:115 PROFILE=0;LEVEL=30\n")
    assert video(media.answer(offer))["rtpmap"] == ["115 H263-2000/90000"]
    assert rtpmap_of(channel(media, Kind.VIDEO, Direction.SEND).codec) == "H263-2000/90000"


def test_h264_comes_first_where_it_is_offered_first() -> None:
    media = make()
    media.answer(sdp(AUDIO, VIDEO.replace("RTP/AVP 97", "RTP/AVP 97 34")))
    assert channel(media, Kind.VIDEO, Direction.SEND).codec.name == "H264"


def test_an_answer_with_them() -> None:
    media = make(Capabilities((PCMU, H261)))
    media.offer()
    media.accept(sdp(AUDIO, "m=video 5002 RTP/AVP 31\na=rtpmap:31 H261/90000\na=fmtp:31 QCIF=2\n"))
    assert channel(media, Kind.VIDEO, Direction.SEND).codec.picture_sizes == (every(QCIF, 2),)


def test_no_size_in_common_is_no_codec() -> None:
    media = make(Capabilities((PCMU, H261)))
    media.answer(sdp(AUDIO, "m=video 5002 RTP/AVP 31\na=rtpmap:31 H261/90000\na=fmtp:31 CIF4=1\n"))
    assert find(media, Kind.VIDEO, Direction.SEND) is None
