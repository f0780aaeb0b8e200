"""The static payload types."""

from __future__ import annotations

import pytest

from firmware.call.media import G722, H264_BASELINE, OPUS, PCMA, PCMU, Codec, Kind
from firmware.rtp.payload import DYNAMIC, STATIC, static_payload_type


@pytest.mark.parametrize(
    ("number", "name", "kind", "clock_rate"),
    [
        (0, "PCMU", Kind.AUDIO, 8_000),
        (3, "GSM", Kind.AUDIO, 8_000),
        (8, "PCMA", Kind.AUDIO, 8_000),
        (9, "G722", Kind.AUDIO, 8_000),  # RFC 3551 4.5.2: by mistake, for ever
        (13, "CN", Kind.AUDIO, 8_000),
        (14, "MPA", Kind.AUDIO, 90_000),
        (18, "G729", Kind.AUDIO, 8_000),
        (31, "H261", Kind.VIDEO, 90_000),
        (34, "H263", Kind.VIDEO, 90_000),
    ],
)
def test_table(number: int, name: str, kind: Kind, clock_rate: int) -> None:
    codec = STATIC[number]
    assert (codec.name, codec.kind, codec.clock_rate) == (name, kind, clock_rate)


def test_reserved_and_dynamic_numbers_mean_nothing() -> None:
    assert not {1, 2, 19, 20, 72, 76, *DYNAMIC} & STATIC.keys()


def test_number_of_a_codec() -> None:
    assert [static_payload_type(codec) for codec in (PCMU, PCMA, G722)] == [0, 8, 9]
    assert static_payload_type(Codec("pcmu", Kind.AUDIO, 8_000)) == 0
    assert static_payload_type(Codec("L16", Kind.AUDIO, 44_100, channels=2)) == 10
    assert static_payload_type(Codec("PCMU", Kind.AUDIO, 16_000)) is None
    assert static_payload_type(OPUS) is None
    assert static_payload_type(H264_BASELINE) is None
