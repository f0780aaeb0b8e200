"""What of a far end's line is usable; how it is agreed is in test_sip_media."""

from __future__ import annotations

import pytest
from offers import AUDIO, OURS, lines, sdp

from firmware.call.media import PCMU, TELEPHONE_EVENT, Capabilities, Format, Kind
from firmware.sdp.session import parse
from firmware.signaling import sip_matching


@pytest.mark.parametrize(
    ("media", "host", "usable"),
    [
        (AUDIO, "192.0.2.2", True),
        (AUDIO.replace("5000", "0"), "192.0.2.2", False),
        (AUDIO.replace("RTP/AVP", "RTP/SAVP"), "192.0.2.2", True),
        (AUDIO.replace("RTP/AVP", "TCP/BFCP"), "192.0.2.2", False),
        (AUDIO, "224.0.0.1", False),
        (AUDIO, "255.255.255.255", False),
        (AUDIO, "2001:db8::1", False),
        (AUDIO, "host.example.com", False),
    ],
)
def test_what_leads_somewhere(media: str, host: str, usable: bool) -> None:
    session = parse(sdp(media, host=host))
    assert sip_matching.is_usable(session, session.media[0], OURS) is usable


def test_who_takes_nothing_at_no_address() -> None:
    session = parse(sdp(AUDIO.replace("5000", "9"), host="0.0.0.0"))
    assert sip_matching.direction(session, session.media[0]).value == "sendonly"
    assert sip_matching.direction(session, session.media[0], ice=True).value == "sendrecv"


def test_one_codec_of_an_offer_is_taken() -> None:
    [media] = lines(sdp("m=audio 5000 RTP/AVP 8 0 101\na=rtpmap:101 telephone-event/8000\n"))
    found = sip_matching.match_offer(Capabilities(), Kind.AUDIO, media)
    assert [each.send.payload_type for each in found] == [8, 101]
    assert sip_matching.match_offer(Capabilities(codecs=(PCMU,)), Kind.AUDIO, media)[0].send.payload_type == 0
    assert sip_matching.match_offer(Capabilities(codecs=(TELEPHONE_EVENT,)), Kind.AUDIO, media) == ()


def test_an_answer_is_of_what_was_offered() -> None:
    [media] = lines(sdp(AUDIO))
    assert [e.send.payload_type for e in sip_matching.match_answer((Format(0, PCMU),), Kind.AUDIO, media)] == [0]
    assert sip_matching.match_answer((), Kind.AUDIO, media) == ()
