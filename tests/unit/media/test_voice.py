"""Codecs at work: what goes in comes out, and what is lost is covered."""

from __future__ import annotations

import math
from array import array

import pytest
from signals import find_tone, level

from firmware.errors import CallError
from firmware.media.codecs import CODECS, AudioCodec, available
from firmware.media.voice import VoiceEncoder, voice_decoder
from firmware.ports import SAMPLE_RATE

TONE = 1_000


def tone(seconds: float) -> bytes:
    samples = (round(8_000 * math.sin(2 * math.pi * TONE * n / SAMPLE_RATE)) for n in range(int(seconds * SAMPLE_RATE)))
    return array("h", samples).tobytes()


def payloads(name: str, packet_time: float = 0.020, seconds: float = 1.0) -> list[bytes]:
    encoder = VoiceEncoder(name, packet_time)
    sound, size = tone(seconds), encoder.packet_bytes
    return [encoder.encode(sound[at : at + size]) for at in range(0, len(sound) - size + 1, size)]


@pytest.mark.parametrize("name", available())
@pytest.mark.parametrize("packet_time", [0.010, 0.020, 0.040, 0.060])
def test_a_tone_comes_back(name: str, packet_time: float) -> None:
    decoder = voice_decoder(name)
    packets = payloads(name, packet_time)
    sounds = [decoder.decode(payload) for payload in packets]
    assert {len(sound) for sound in sounds} == {round(SAMPLE_RATE * packet_time) * 2}
    assert find_tone(b"".join(sounds), TONE) == pytest.approx(find_tone(tone(1), TONE), abs=1.0)


def test_another_codec_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CODECS, "L16", AudioCodec(16_000, "pcm_s16be", "pcm_s16be"))
    sent = payloads("L16")
    decoder = voice_decoder("L16")
    assert {len(payload) for payload in sent} == {640}
    assert find_tone(b"".join(map(decoder.decode, sent)), TONE) == pytest.approx(find_tone(tone(1), TONE), abs=1.0)
    assert "L16" in available()


@pytest.mark.parametrize(("name", "octets"), [("PCMU", 160), ("PCMA", 160), ("G722", 160)])
def test_a_packet_has_the_octets_of_the_standard(name: str, octets: int) -> None:
    # RFC 3551 4.5.2, 4.5.14: 64 kbit/s, in packets of 20 ms.
    assert {len(payload) for payload in payloads(name)} == {octets}


def test_a_packet_time_that_the_codec_does_not_have() -> None:
    assert VoiceEncoder("PCMU", 0.030).packet_time == pytest.approx(0.030)
    assert VoiceEncoder("PCMU", 0.0001).packet_time == pytest.approx(0.010)
    assert VoiceEncoder("PCMU", 5.0).packet_time == pytest.approx(0.120)
    if "opus" in available():
        assert VoiceEncoder("opus", 0.030).packet_time == pytest.approx(0.020)


@pytest.mark.parametrize("name", available())
def test_a_lost_packet_is_covered(name: str) -> None:
    decoder = voice_decoder(name)
    packets = payloads(name)
    for payload in packets[:20]:
        decoder.decode(payload)
    covered = decoder.conceal(960, packets[21])
    assert len(covered) == 1920
    assert level(covered) > level(tone(0.02)) - 12


@pytest.mark.parametrize("name", available())
def test_what_stays_lost_fades_to_silence(name: str) -> None:
    decoder = voice_decoder(name)
    for payload in payloads(name)[:20]:
        decoder.decode(payload)
    first = level(decoder.conceal(960))
    later = [level(decoder.conceal(960)) for _ in range(99)]
    assert max(later) < first + 3
    assert later[-1] < -60


@pytest.mark.parametrize("name", available())
@pytest.mark.parametrize("payload", [b"", b"\xff" * 70, bytes(1), b"\xa5" * 1_500, bytes(60_000)])
def test_nonsense_neither_raises_nor_lasts(name: str, payload: bytes) -> None:
    decoder = voice_decoder(name)
    assert len(decoder.decode(payload)) <= 0.25 * SAMPLE_RATE * 2
    assert decoder.decode(payloads(name)[5])


def test_nothing_was_heard_yet() -> None:
    assert voice_decoder("PCMU").conceal(480) == bytes(960)


def test_unknown_codec() -> None:
    with pytest.raises(CallError):
        voice_decoder("G729")
    with pytest.raises(CallError):
        VoiceEncoder("H264", 0.020)
