"""`board.pi.alsa` without ALSA; tests/hil has the rest."""

import sys

import pytest

from board.pi.alsa import Alsa
from board.pi.sound_card import SoundCard
from firmware.errors import DeviceError


def test_a_machine_without_pyalsaaudio_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "alsaaudio", None)
    with pytest.raises(DeviceError, match="there is no sound"):
        Alsa(SoundCard("USB", "", True, 0, 0), hears=True, periods=4)
