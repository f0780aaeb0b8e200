"""Codecs, capabilities and channels as values."""

import pytest

from firmware.call.media import (
    G722,
    H261,
    H263,
    H263_1998,
    H264,
    H264_BASELINE,
    OPUS,
    PCMA,
    PCMU,
    TELEPHONE_EVENT,
    Capabilities,
    Channel,
    Codec,
    Crypto,
    Direction,
    Format,
    H264Profile,
    Kind,
    Suite,
)


def channel(*formats: Format) -> Channel:
    return Channel(Kind.AUDIO, Direction.SEND, formats, ("192.0.2.1", 4000))


def test_the_codec_is_the_first_that_is_a_medium() -> None:
    events, opus, pcmu = Format(101, TELEPHONE_EVENT), Format(96, OPUS), Format(0, PCMU)
    assert channel(events, opus, pcmu).format == opus
    assert channel(events, opus, pcmu).codec is OPUS
    assert channel(opus, events).telephone_event == events
    assert channel(opus).telephone_event is None


def test_a_channel_of_events_only_has_no_codec() -> None:
    with pytest.raises(StopIteration):
        _ = channel(Format(101, TELEPHONE_EVENT)).codec


def test_capabilities_by_medium_keep_their_order() -> None:
    assert Capabilities().of(Kind.AUDIO) == (OPUS, G722, PCMU, PCMA, TELEPHONE_EVENT)
    assert Capabilities().of(Kind.VIDEO) == (H264_BASELINE, H263_1998, H263, H261)
    assert Capabilities(codecs=(H264_BASELINE, PCMA, OPUS)).of(Kind.AUDIO) == (PCMA, OPUS)


def test_clock_rates_are_those_of_the_payload_formats() -> None:
    # RFC 3551 4.5.2, RFC 7587 4.1, RFC 6184 8.1
    assert (G722.clock_rate, OPUS.clock_rate, OPUS.channels, H264_BASELINE.clock_rate) == (8_000, 48_000, 2, 90_000)


def test_values_are_equal_by_content() -> None:
    high = Codec("H264", Kind.VIDEO, 90_000, h264=H264(H264Profile.HIGH, 40))
    assert high == Codec("H264", Kind.VIDEO, 90_000, h264=H264(H264Profile.HIGH, 40)) != H264_BASELINE
    assert len({channel(Format(0, PCMU)), channel(Format(0, PCMU)), channel(Format(8, PCMA))}) == 2


def test_keys_are_not_shown() -> None:
    crypto = Crypto(Suite.AES_128_CBC, b"sixteen octets!!", 104)
    sending = Channel(Kind.AUDIO, Direction.SEND, (Format(0, PCMU),), ("192.0.2.1", 4000), crypto=crypto)
    for shown in (repr(crypto), str(sending), f"{sending!r}"):
        assert "sixteen" not in shown
        assert b"sixteen octets!!".hex() not in shown
    assert "AES_128_CBC" in repr(sending)
