"""`board.pi.audio`: how blocks are cut and what is made of gaps; tests/hil has the same on a card."""

import logging
from array import array
from collections import deque

import pytest

from board.pi import audio
from board.pi.alsa import XRUN
from board.pi.audio import AlsaMicrophone, AlsaSpeaker
from board.pi.sound_card import SoundCard
from board.pi.volume import OwnVolume
from firmware.errors import DeviceError
from firmware.ports import BLOCK_BYTES, SAMPLE_RATE

CARD = SoundCard("USB", "Speakerphone", True, 0, 0)
SILENCE = bytes(4 * BLOCK_BYTES)


class Script:
    """A card that does what is written."""

    name = "USB"

    def __init__(self) -> None:
        self.rate = SAMPLE_RATE
        self.heard: deque[float] = deque()
        self.waits: float | None = None
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

    def heard_until(self) -> float:
        return self.heard.popleft() if self.heard else 0.0

    def waiting(self) -> float | None:
        return self.waits

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


def test_each_block_has_the_time_at_which_the_kernel_heard_it(card: Script) -> None:
    card.reads.extend((samples, bytes(samples * 2)) for samples in (480, 300, 660))
    card.heard.extend([100.010, 100.01625, 100.030])
    microphone = AlsaMicrophone(CARD)
    taken = []
    for _ in range(3):
        microphone.read()
        taken.append(microphone.taken)
    assert taken == pytest.approx([100.0, 100.010, 100.020])


def test_a_card_of_another_rate_is_heard_at_ours(card: Script) -> None:
    card.rate = 16_000
    sound = array("h", [1000] * 160).tobytes()
    card.reads.extend([(160, sound)] * 12)
    card.heard.extend(n / 100 for n in range(1, 13))
    microphone = AlsaMicrophone(CARD)
    heard = array("h", b"".join(microphone.read() for _ in range(10)))
    assert set(heard[480:]) == {1000}
    assert len(card.reads) <= 2
    assert microphone.taken == pytest.approx(0.09, abs=0.01)


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


def test_a_card_of_another_rate_is_played_to_at_its_own(card: Script) -> None:
    card.rate = 16_000
    speaker = AlsaSpeaker(CARD)
    for _ in range(20):
        speaker.write(array("h", [1000] * 480).tobytes())
    head, *played = (len(sound) // 2 for sound in card.played)
    assert head == 640
    assert 3150 <= sum(played) <= 3200
    assert set(array("h", card.played[-1])) == {1000}


@pytest.mark.parametrize(("waits", "samples"), [(0.040, 480), (0.045, 480), (0.079, 479), (0.001, 481), (None, 480)])
def test_a_speaker_of_another_clock_is_kept_up_with(card: Script, waits: float | None, samples: int) -> None:
    card.waits = waits
    speaker = AlsaSpeaker(CARD)
    for _ in range(200):
        speaker.write(bytes(BLOCK_BYTES))
    assert len(card.played[-1]) // 2 == samples
    card.writes.append(XRUN)
    speaker.write(bytes(BLOCK_BYTES))
    speaker.write(bytes(BLOCK_BYTES))
    assert len(card.played[-1]) == BLOCK_BYTES, "it begins anew"


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
