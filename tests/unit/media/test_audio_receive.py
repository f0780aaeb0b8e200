"""Packets become blocks of 10 ms, whatever the network does to them."""

from __future__ import annotations

import math
import random
from array import array
from dataclasses import replace

import pytest
from signals import find_tone, level

from firmware.call.media import (
    G722,
    OPUS,
    PCMA,
    PCMU,
    TELEPHONE_EVENT,
    Channel,
    Codec,
    Crypto,
    Direction,
    Format,
    Kind,
    Suite,
)
from firmware.errors import CallError
from firmware.media import audio_receive as module
from firmware.media.audio_receive import ARRIVALS, AudioReceiver
from firmware.media.codecs import available
from firmware.media.voice import VoiceEncoder
from firmware.ports import BLOCK_BYTES, SAMPLE_RATE
from firmware.rtp.packet import Packet
from firmware.rtp.telephone_event import Event

FORMATS = {"PCMU": Format(0, PCMU), "PCMA": Format(8, PCMA), "G722": Format(9, G722), "opus": Format(96, OPUS)}
TONE = 1_000
START = 100.0


def channel(*formats: Format) -> Channel:
    return Channel(Kind.AUDIO, Direction.RECEIVE, formats, ("127.0.0.1", 4000))


def packets(name: str, count: int, first: int = 0, frequency: float = TONE) -> list[Packet]:
    encoder, form = VoiceEncoder(name, 0.020), FORMATS[name]
    made = []
    for number in range(first, first + count):
        samples = [
            round(8_000 * math.sin(2 * math.pi * frequency * n / SAMPLE_RATE))
            for n in range(number * 960, (number + 1) * 960)
        ]
        payload = encoder.encode(array("h", samples).tobytes())
        timestamp = number * form.codec.clock_rate // 50
        made.append(Packet(form.payload_type, False, number, timestamp, 7, payload, index=number))
    return made


class Line:
    """A receiver, the packets on their way to it, and a clock of 10 ms."""

    def __init__(self, *formats: Format) -> None:
        self.digits: list[str] = []
        self.receiver = AudioReceiver(channel(*formats), self.digits.append)
        self.now = START

    def play(self, arrivals: list[tuple[float, Packet]], seconds: float) -> bytes:
        """Let packets arrive at their times (s since the start) and give what is heard."""
        arrivals = sorted(arrivals, key=lambda arrival: arrival[0])
        sound = bytearray()
        end = self.now + seconds
        while self.now < end:
            while arrivals and START + arrivals[0][0] <= self.now:
                self.receiver.receive(arrivals.pop(0)[1], self.now)
            block = self.receiver.pull(self.now, self.now)
            assert block is None or len(block) == BLOCK_BYTES
            sound += block or bytes(BLOCK_BYTES)
            self.now += 0.010
        return bytes(sound)


def on_time(sent: list[Packet]) -> list[tuple[float, Packet]]:
    return [(packet.index * 0.020, packet) for packet in sent]


@pytest.mark.parametrize("name", available())
def test_a_tone_is_heard_without_a_break(name: str) -> None:
    sound = Line(FORMATS[name]).play(on_time(packets(name, 60)), 1.2)
    middle = sound[BLOCK_BYTES * 20 : BLOCK_BYTES * 110]
    assert find_tone(middle, TONE, window=0.9) == pytest.approx(-12.2, abs=1.0)


def test_who_changes_codecs_with_every_packet_has_one_decoder_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    make = module.voice_decoder
    monkeypatch.setattr(module, "voice_decoder", lambda name: (made.append(name), make(name))[1])
    line = Line(FORMATS["PCMU"], FORMATS["PCMA"])
    sent = [packets(("PCMU", "PCMA")[number % 2], 1, number)[0] for number in range(40)]
    line.play(on_time(sent), 1.0)
    assert made == ["PCMU", "PCMA"]


def test_the_far_end_is_silent() -> None:
    line = Line(FORMATS["PCMU"])
    assert line.receiver.pull(START, START) is None
    line.play(on_time(packets("PCMU", 20)), 1.0)
    assert line.receiver.pull(line.now, line.now) is None


def test_jitter_and_disorder_are_not_heard() -> None:
    chance = random.Random(1)
    arrivals = [(packet.index * 0.020 + chance.uniform(0, 0.035), packet) for packet in packets("G722", 250)]
    sound = Line(FORMATS["G722"]).play(arrivals, 5.0)
    tail = sound[BLOCK_BYTES * 200 : BLOCK_BYTES * 490]
    loud = [level(tail[at : at + BLOCK_BYTES * 2]) > -20 for at in range(0, len(tail), BLOCK_BYTES * 2)]
    assert sum(loud) > 0.97 * len(loud)


@pytest.mark.parametrize("name", available())
def test_lost_packets_are_covered(name: str) -> None:
    arrivals = [arrival for arrival in on_time(packets(name, 100)) if arrival[1].index % 10 != 5]
    sound = Line(FORMATS[name]).play(arrivals, 2.0)
    tail = sound[BLOCK_BYTES * 20 : BLOCK_BYTES * 190]
    levels = [level(tail[at : at + BLOCK_BYTES]) for at in range(0, len(tail), BLOCK_BYTES)]
    assert min(levels) > -40


@pytest.mark.skipif("opus" not in available(), reason="libopus is not installed")
def test_opus_finds_a_lost_packet_in_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(FORMATS["opus"])
    decoder = line.receiver._decoder
    given: list[bytes | None] = []
    conceal = decoder.conceal

    def watched(samples: int, following: bytes | None = None) -> bytes:
        given.append(following)
        return conceal(samples, following)

    monkeypatch.setattr(decoder, "conceal", watched)
    sent = packets("opus", 60)
    line.play([arrival for arrival in on_time(sent) if arrival[1].index != 30], 1.0)
    assert sent[31].payload in given


def test_the_far_end_changes_its_codec_and_back() -> None:
    names = [name for name in ("PCMU", "G722", "opus", "PCMA") if name in available()]
    line = Line(*(FORMATS[name] for name in names))
    arrivals = []
    for turn, name in enumerate([*names, names[0]]):
        # A jump of the payload type needs no signalling (RFC 3264 7), and no break in numbers.
        arrivals += on_time(packets(name, 50, first=turn * 50))
    sound = line.play(arrivals, len(names) + 1.0)
    for second in range(len(names) + 1):
        part = sound[second * 100 * BLOCK_BYTES :][BLOCK_BYTES * 40 : BLOCK_BYTES * 90]
        assert find_tone(part, TONE, window=0.2) > -15, second
    assert line.receiver.codec == names[0]


def test_what_waits_is_decoded_by_the_codec_it_was_made_with() -> None:
    line = Line(FORMATS["PCMU"], FORMATS["PCMA"])
    sent = packets("PCMU", 25) + packets("PCMA", 25, first=25)
    sound = line.play(on_time(sent), 1.1)
    # The same octets read by the other law are a crackle, far louder than the tone.
    peak = max(abs(sample) for sample in array("h", sound))
    assert peak < 9_000


def test_comfort_noise_and_unknown_types_are_silence() -> None:
    line = Line(FORMATS["PCMU"])
    sent = packets("PCMU", 60)
    for packet in sent[20:40]:
        packet.payload_type, packet.payload = (13, b"\x40") if packet.index % 2 else (77, b"what")
    sound = line.play(on_time(sent), 1.2)
    assert find_tone(sound[: 38 * BLOCK_BYTES], TONE) > -15
    assert find_tone(sound[90 * BLOCK_BYTES :], TONE) > -15


class Told:
    """A synchronizer that remembers."""

    def __init__(self) -> None:
        self.extra = 0.0
        self.played: list[tuple[int, int, float, float]] = []

    def sound_played(self, stream: int, timestamp: int, at: float, behind: float) -> None:
        self.played.append((stream, timestamp, at, behind))


def test_what_is_heard_when_is_told_and_extra_delay_kept() -> None:
    line, told = Line(FORMATS["PCMU"]), Told()
    line.receiver.synchronizer = told
    sent = packets("PCMU", 300)
    line.play(on_time(sent[:100]), 2.0)
    delays = [at - START - timestamp / 8_000 for _, timestamp, at, _ in told.played]
    assert len(delays) > 90
    assert delays[-1] == pytest.approx(0.020, abs=0.021)
    assert [timestamp for _, timestamp, _, _ in told.played] == [packet.timestamp for packet in sent[: len(delays)]]
    told.extra = 0.100
    line.play(on_time(sent[100:]), 4.0)
    timestamp, at, behind = told.played[-1][1:]
    assert at - START - timestamp / 8_000 == pytest.approx(0.020 + 0.100, abs=0.021)
    assert abs(behind) <= 0.021


def test_a_digit_is_reported_once_and_not_heard() -> None:
    line = Line(FORMATS["PCMU"], Format(101, TELEPHONE_EVENT))
    sent = packets("PCMU", 60)
    for packet in sent[20:28]:
        duration = (packet.index - 19) * 160
        packet.payload_type, packet.timestamp = 101, 20 * 160
        packet.payload = Event(5, packet.index >= 25, 10, duration).encode()
    line.play(on_time(sent), 1.2)
    assert line.digits == ["5"]


def test_a_digit_whose_end_is_lost() -> None:
    line = Line(FORMATS["PCMU"], Format(101, TELEPHONE_EVENT))
    assert line.receiver.timer() == float("inf")
    line.receiver.receive(Packet(101, True, 1, 160, 7, Event(9, False, 10, 160).encode(), index=1), START)
    due = line.receiver.timer()
    line.receiver.handle_timer(due)
    assert line.digits == ["9"]


def test_a_flood_fills_nothing() -> None:
    receiver = AudioReceiver(channel(FORMATS["PCMU"]), lambda digit: None)
    for number in range(10_000):
        receiver.receive(Packet(0, False, number & 0xFFFF, number * 160, 7, bytes(160), index=number), START)
    assert len(receiver._arrivals) == ARRIVALS
    receiver.pull(START, START)
    assert len(receiver._arrivals) == 0


@pytest.mark.parametrize("seed", range(5))
def test_rubbish_is_survived(seed: int) -> None:
    chance = random.Random(seed)
    line = Line(*(FORMATS[name] for name in available()), Format(101, TELEPHONE_EVENT))
    arrivals = []
    for number in range(200):
        packet = Packet(
            chance.choice((0, 8, 9, 96, 101, 13, 50)),
            chance.random() < 0.5,
            chance.randrange(1 << 16),
            chance.randrange(1 << 32),
            7,
            chance.randbytes(chance.choice((0, 1, 3, 4, 160, 1_400))),
            index=chance.randrange(1 << 20),
            stream=number // 50,
        )
        arrivals.append((number * 0.005, packet))
    line.play(arrivals, 1.5)


def test_formats_that_this_machine_lacks_are_left_out() -> None:
    unknown = Format(18, Codec("G729", Kind.AUDIO, 8_000))
    line = Line(unknown, FORMATS["PCMU"])
    assert line.receiver.codec == "PCMU"
    assert find_tone(line.play(on_time(packets("PCMU", 50)), 1.0), TONE) > -15
    with pytest.raises(CallError, match="G729"):
        Line(unknown)


# Encrypted sound


@pytest.mark.parametrize("suite", [Suite.AES_128_CBC, Suite.AES_256_CBC])
@pytest.mark.parametrize("name", ["PCMU", "G722"])
def test_what_a_wrong_key_makes_of_sound_is_not_played(name: str, suite: Suite) -> None:
    line, rng = Line(FORMATS[name]), random.Random(3)
    line.receiver = AudioReceiver(replace(channel(FORMATS[name]), crypto=Crypto(suite, bytes(16), 104)), print)
    said = packets(name, 100)
    noise = [replace(packet, payload=rng.randbytes(len(packet.payload))) for packet in said]
    assert level(line.play(on_time(noise), 2.0)) < -100


@pytest.mark.parametrize("name", ["PCMU", "G722"])
def test_sound_that_was_encrypted_is_played(name: str) -> None:
    line = Line(FORMATS[name])
    crypto = Crypto(Suite.AES_128_CBC, bytes(16), 104)
    line.receiver = AudioReceiver(replace(channel(FORMATS[name]), crypto=crypto), print)
    assert find_tone(line.play(on_time(packets(name, 50)), 1.0), TONE) > -15


def test_what_proves_its_key_is_not_judged() -> None:
    line = Line(FORMATS["PCMU"])
    crypto = Crypto(Suite.AEAD_AES_128_GCM, bytes(16))
    line.receiver = AudioReceiver(replace(channel(FORMATS["PCMU"]), crypto=crypto), print)
    rng = random.Random(4)
    noise = [replace(packet, payload=rng.randbytes(160)) for packet in packets("PCMU", 50)]
    assert level(line.play(on_time(noise), 1.0)) > -20
