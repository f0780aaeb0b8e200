"""`board.pi.alsa` without ALSA; tests/hil has the rest."""

import errno
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from board.pi.alsa import Alsa
from board.pi.sound_card import SoundCard
from firmware.errors import DeviceError


def test_a_machine_without_pyalsaaudio_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "alsaaudio", None)
    with pytest.raises(DeviceError, match="there is no sound"):
        Alsa(SoundCard("USB", "", True, 0, 0), hears=True, periods=4)


class Library(SimpleNamespace):
    """pyalsaaudio with a card of its own rate, whose clock can be set."""

    PCM_CAPTURE, PCM_PLAYBACK, PCM_NONBLOCK, PCM_FORMAT_S16_LE, PCM_TSTAMP_ENABLE, PCM_TSTAMP_TYPE_MONOTONIC = range(6)

    class ALSAAudioError(Exception):
        pass

    def __init__(self, rate: int = 48_000) -> None:
        super().__init__(rate=rate, opened=[], stamp=lambda: (0, 0, 0), stamps=True, words="")

    def PCM(self, kind: int, mode: int, **wanted: Any) -> SimpleNamespace:  # noqa: N802
        def no_stamps(_: int) -> None:
            if not self.stamps:
                raise RuntimeError("Unable to set pcm tstamp mode!")

        def fail(*_: object) -> None:
            raise self.ALSAAudioError(self.words)

        self.opened.append(wanted)
        rate = self.rate if wanted["device"].startswith("hw:") else wanted["rate"]
        return SimpleNamespace(
            info=lambda: {"rate": rate, "channels": 1, "format": self.PCM_FORMAT_S16_LE, "buffer_size": rate // 10},
            polldescriptors=list,
            set_tstamp_mode=no_stamps,
            set_tstamp_type=no_stamps,
            htimestamp=lambda: self.stamp(),
            read=fail,
            write=fail,
            drop=lambda: None,
            close=lambda: None,
        )


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    monkeypatch.setitem(sys.modules, "alsaaudio", library)
    return library


CARD = SoundCard("USB", "", True, 0, 0)


@pytest.mark.parametrize(("words", "number"), [("No such device [hw:USB]", errno.ENODEV), ("Input/output error", None)])
def test_a_card_that_was_pulled_out_is_told_from_one_that_fails(
    library: Library, words: str, number: int | None
) -> None:
    alsa = Alsa(CARD, hears=True, periods=4)
    library.words = words
    for use in (alsa.read, lambda: alsa.write(b"")):
        with pytest.raises(DeviceError, match=f"the sound card USB is lost: {words[:5]}") as failure:
            use()
        assert getattr(failure.value.__cause__, "errno", None) == number
    alsa.close()


@pytest.mark.parametrize(("rate", "period"), [(48_000, 480), (44_100, 441), (16_000, 160)])
def test_a_card_is_used_at_its_own_rate(library: Library, rate: int, period: int) -> None:
    library.rate = rate
    alsa = Alsa(CARD, hears=True, periods=4)
    assert alsa.rate == rate
    assert [wanted["device"] for wanted in library.opened] == ["hw:CARD=USB,DEV=0", "plughw:CARD=USB,DEV=0"]
    assert (library.opened[1]["rate"], library.opened[1]["periodsize"]) == (rate, period)
    alsa.close()


def test_where_alsas_own_settings_are_needed_they_are_used(library: Library) -> None:
    alsa = Alsa(SoundCard("vc4hdmi0", "", False, None, 0), hears=False, periods=4)
    assert [wanted["device"] for wanted in library.opened] == ["default:CARD=vc4hdmi0"]
    assert alsa.rate == 48_000
    alsa.close()


def test_times_follow_from_when_the_kernel_looked(library: Library) -> None:
    alsa = Alsa(CARD, hears=True, periods=4)
    looked = time.monotonic() - 0.1
    library.stamp = lambda: (int(looked), round(looked % 1 * 1e9), 960)
    assert alsa.heard_until() == pytest.approx(looked - 0.020, abs=1e-6)
    waiting = alsa.waiting()  # of 100 ms there is room for 20, and 100 have been played since
    assert waiting is not None
    assert -1.0 < waiting < 0.080 - 0.1 + 1e-6
    alsa.close()


@pytest.mark.parametrize(
    "stamp",
    [
        lambda now: (0, 0, 0),
        lambda now: (int(now) - 5, 0, 480),
        lambda now: (int(now) + 5, 0, 480),
        lambda now: (int(now), int(now % 1 * 1e9), -1),
        lambda now: (int(now), int(now % 1 * 1e9), 4801),
    ],
)
def test_where_the_kernel_says_no_time_that_of_asking_must_do(
    library: Library, stamp: Callable[[float], tuple[int, int, int]]
) -> None:
    library.stamps = False
    alsa = Alsa(CARD, hears=False, periods=4)
    library.stamp = lambda: stamp(time.monotonic())
    assert alsa.waiting() is None
    assert alsa.heard_until() == pytest.approx(time.monotonic(), abs=1.0)
    alsa.close()
