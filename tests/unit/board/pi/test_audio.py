"""`board.pi.audio`: how blocks are cut and what is made of gaps; tests/hil has the same on a card."""

import logging
from collections import deque

import pytest

from board.pi import audio
from board.pi.alsa import XRUN
from board.pi.audio import AlsaMicrophone, AlsaSpeaker
from board.pi.sound_card import SoundCard
from board.pi.volume import OwnVolume
from firmware.errors import DeviceError
from firmware.ports import BLOCK_BYTES

CARD = SoundCard("USB", "Speakerphone", True, 0, 0)
SILENCE = bytes(4 * BLOCK_BYTES)


class Script:
    """A card that does what is written."""

    name = "USB"

    def __init__(self) -> None:
        self.reads: deque[tuple[int, bytes]] = deque()
        self.writes: deque[int] = deque()
        self.played: list[bytes] = []
        self.closed = False

    def read(self) -> tuple[int, bytes]:
        return self.reads.popleft() if self.reads else (0, b"")

    def wait(self, seconds: float) -> bool:
        return bool(self.reads)

    def write(self, sound: bytes) -> int:
        self.played.append(sound)
        return self.writes.popleft() if self.writes else len(sound) // 2

    def interrupt(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Script:
    card = Script()
    monkeypatch.setattr(audio, "Alsa", lambda *_, **__: card)
    monkeypatch.setattr(audio, "open_volume", lambda _: OwnVolume())
    return card


def test_blocks_are_cut_from_whatever_comes(card: Script) -> None:
    sound = bytes(n % 256 for n in range(3 * BLOCK_BYTES))
    sizes = (1, 511, 512, 416)
    start = 0
    for size in sizes:
        card.reads.append((size, sound[start * 2 : (start + size) * 2]))
        start += size
    microphone = AlsaMicrophone(CARD)
    assert b"".join(microphone.read() for _ in range(3)) == sound


def test_lost_sound_is_told_once_and_counted(card: Script, caplog: pytest.LogCaptureFixture) -> None:
    card.reads.extend([(XRUN, b""), (XRUN, b""), (480, bytes(BLOCK_BYTES))])
    microphone = AlsaMicrophone(CARD)
    with caplog.at_level(logging.INFO):
        assert microphone.read() == bytes(BLOCK_BYTES)
        assert len(caplog.records) == 1
        microphone.close()
    assert "2 times in all" in caplog.text


def test_a_card_that_gives_nothing_has_failed(card: Script) -> None:
    with pytest.raises(DeviceError, match="gives no sound"):
        AlsaMicrophone(CARD).read()


def test_a_closed_microphone_gives_nothing(card: Script) -> None:
    microphone = AlsaMicrophone(CARD)
    microphone.close()
    microphone.close()
    assert microphone.read() == b""
    assert card.closed


def test_the_speaker_begins_ahead(card: Script) -> None:
    speaker = AlsaSpeaker(CARD)
    blocks = [bytes([n]) * BLOCK_BYTES for n in (1, 2)]
    for block in blocks:
        speaker.write(block)
    assert card.played == [SILENCE, *blocks]


def test_a_speaker_that_ran_dry_begins_anew(card: Script) -> None:
    speaker = AlsaSpeaker(CARD)
    card.writes.extend([1920, 480, XRUN])
    blocks = [bytes([n]) * BLOCK_BYTES for n in (1, 2)]
    for block in blocks:
        speaker.write(block)
    assert card.played == [SILENCE, blocks[0], blocks[1], SILENCE, blocks[1]]


def test_what_finds_no_room_is_dropped(card: Script) -> None:
    speaker = AlsaSpeaker(CARD)
    card.writes.extend([1920, 0])
    speaker.write(bytes(BLOCK_BYTES))
    assert len(card.played) == 2


def test_a_closed_speaker_takes_nothing(card: Script) -> None:
    speaker = AlsaSpeaker(CARD)
    speaker.close()
    speaker.close()
    speaker.write(bytes(BLOCK_BYTES))
    speaker.set_volume(10)
    assert card.closed
    assert not card.played


def test_volume(card: Script) -> None:
    speaker = AlsaSpeaker(CARD)
    speaker.set_volume(0)
    speaker.write(b"\1\2" * (BLOCK_BYTES // 2))
    assert card.played[1] == bytes(BLOCK_BYTES)
