"""Sound of every kind is told from noise of every length, by the codecs themselves."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable

import pytest

from firmware.call.media import G722, OPUS, PCMA, PCMU
from firmware.media.codecs import available
from firmware.media.voice import VoiceEncoder
from firmware.ports import SAMPLE_RATE
from firmware.rtp.h235 import PayloadCipher
from firmware.rtp.packet import Packet
from firmware.rtp.plausible import FIRST, MOST, SoundJudge, is_even

CODECS = [codec.name for codec in (PCMU, PCMA, G722, OPUS) if codec.name in available()]
BLOCK = SAMPLE_RATE // 50
RNG = random.Random(5)


def silence(_: int) -> float:
    return 0.0


def tone(n: int) -> float:
    return 8_000 * math.sin(2 * math.pi * 440 * n / SAMPLE_RATE)


def chord(n: int) -> float:
    return sum(9_000 * math.sin(2 * math.pi * f * n / SAMPLE_RATE) for f in (220, 277.2, 329.6))


def whistle(n: int) -> float:
    return 30_000 * math.sin(2 * math.pi * (500 + n / 40) * n / SAMPLE_RATE)


def hiss(_: int) -> float:
    return RNG.gauss(0, 500)


def roar(_: int) -> float:
    return RNG.uniform(-32_000, 32_000)


def speech(n: int) -> float:
    """Pulses of a voice, with formants and breath."""
    pulse = math.exp(-(n % 400) / 60) * math.sin(2 * math.pi * 700 * n / SAMPLE_RATE)
    return (12_000 * pulse + RNG.gauss(0, 300)) * (0.3 + 0.7 * abs(math.sin(n / 9_000)))


SOUNDS: list[Callable[[int], float]] = [silence, tone, chord, whistle, hiss, roar, speech]


def payloads(codec: str, sound: Callable[[int], float], count: int) -> list[bytes]:
    encoder, made = VoiceEncoder(codec, 0.020), []
    for number in range(count):
        samples = [round(max(-32_768, min(32_767, sound(number * BLOCK + n)))) for n in range(BLOCK)]
        made.append(encoder.encode(array("h", samples).tobytes()))
    return made


def wrongly_decrypted(said: list[bytes]) -> list[bytes]:
    right, wrong = PayloadCipher(bytes(16), 104, 0), PayloadCipher(b"\1" * 16, 104, 0)
    heard = []
    for number, payload in enumerate(said):
        clear = wrong.decrypt(right.encrypt(Packet(0, False, number, number * 160, 7, payload).encode()))
        if clear is not None:  # by chance its padding may be none
            heard.append(clear[12:])
    return heard


@pytest.mark.parametrize("sound", SOUNDS, ids=lambda sound: sound.__name__)
@pytest.mark.parametrize("codec", CODECS)
def test_sound_is_believed_after_a_tenth_of_a_second(codec: str, sound: Callable[[int], float]) -> None:
    judge = SoundJudge(codec)
    heard = [judge.hears(payload) for payload in payloads(codec, sound, 12)]
    assert heard == [False] * (FIRST - 1) + [True] * (12 - FIRST + 1)
    assert judge.believes


@pytest.mark.parametrize("sound", SOUNDS, ids=lambda sound: sound.__name__)
@pytest.mark.parametrize("codec", CODECS)
def test_what_a_wrong_key_makes_of_it_is_never_heard(codec: str, sound: Callable[[int], float]) -> None:
    judge = SoundJudge(codec)
    assert not any(judge.hears(payload) for payload in wrongly_decrypted(payloads(codec, sound, 60)))


@pytest.mark.parametrize("codec", CODECS)
def test_ten_minutes_of_noise(codec: str) -> None:
    rng, judge = random.Random(codec), SoundJudge(codec)
    assert not any(judge.hears(rng.randbytes(160)) for _ in range(30_000))


@pytest.mark.parametrize("codec", CODECS)
def test_who_finds_the_right_key_later_is_heard_then(codec: str) -> None:
    rng, judge = random.Random(1), SoundJudge(codec)
    assert not any(judge.hears(rng.randbytes(160)) for _ in range(1_000))
    assert any(judge.hears(payload) for payload in payloads(codec, speech, 2 * MOST))


def test_few_octets_say_nothing() -> None:
    assert is_even([b"\xff" * 20] * FIRST)
    judge = SoundJudge(PCMU.name)
    assert not any(judge.hears(b"") for _ in range(500))


def test_codecs_that_nothing_is_known_of_are_believed() -> None:
    assert SoundJudge("iLBC").hears(b"")
