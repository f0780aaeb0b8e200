"""The moving test card as H.261 and H.263, and what comes of it behind a packetizer, a path and a decoder."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence

from board.sim.card import Card
from board.sim.counter import read_counter
from firmware.media.codecs import VIDEO_CODECS
from firmware.media.decoder import Decoder
from firmware.media.encoder import Encoded, SoftwareEncoder
from firmware.media.level import PictureFormat
from firmware.media.picture_size import PIXEL_ASPECT
from firmware.rtp.packet import Packet
from firmware.rtp.picture import CodedPicture, Depacketizer


def encode(
    name: str, width: int, height: int, bitrate: int, count: int = 12, rate: int = 30, key_frames: Iterable[int] = ()
) -> list[Encoded]:
    """Encode pictures of the card, the first of them a key frame."""
    card = Card(max(width, 640), max(height, 480), rate)
    encoder = SoftwareEncoder(VIDEO_CODECS[name], PictureFormat(width, height, rate, 0, PIXEL_ASPECT), bitrate)
    wanted = set(key_frames)
    pictures = [card.picture(number) for number in range(count)]
    return [encoder.encode(picture, number in wanted) for number, picture in enumerate(pictures)]


def packets(pictures: Iterable[Sequence[bytes]]) -> list[Packet]:
    """Number the payloads of pictures, and mark each one's last."""
    made: list[Packet] = []
    for number, payloads in enumerate(pictures):
        for place, payload in enumerate(payloads):
            marker = place == len(payloads) - 1
            made.append(Packet(96, marker, len(made) & 0xFFFF, number * 3_000, 1, payload))
    return made


def receive(depacketizer: Depacketizer, sent: Iterable[Packet]) -> list[CodedPicture]:
    """Take packets in order, of which some may be missing."""
    return [picture for packet in sent for picture in depacketizer.receive(packet)]


def counters(decoder: str, pictures: Iterable[bytes]) -> list[int | None]:
    """Decode pictures, and read the card's counter in each; None where none can be read."""
    decode = Decoder(decoder)
    found: list[int | None] = []
    for picture in pictures:
        frame, _ = decode.decode(picture)
        found.append(read_counter(frame) if frame is not None else None)
    return found


def hostile(rng: random.Random, valid: Sequence[bytes], count: int) -> Iterator[bytes]:
    """Give payloads that are noise, and valid ones cut, flipped and joined."""
    for _ in range(count):
        payload = bytearray(rng.choice(valid) if rng.random() < 0.8 else rng.randbytes(rng.randrange(40)))
        for _ in range(rng.randrange(4)):
            if payload:
                payload[rng.randrange(min(len(payload), 16))] ^= 1 << rng.randrange(8)
        yield bytes(payload[: rng.randrange(len(payload) + 1)] if rng.random() < 0.5 else payload)
