"""How loud a sound card plays: by its own control where it has one, else by arithmetic."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from board.gain import Gain

if TYPE_CHECKING:
    from board.pi.sound_card import SoundCard

CONTROLS = ("PCM", "Speaker", "Master", "Digital", "Headset", "Headphone", "HDMI", "Line Out")
"""Names of what makes a card louder, the best first; another ("Mic") may mix what is heard into what is played."""


class Volume(Protocol):
    """The loudness of a card."""

    def set_volume(self, percent: int) -> None:
        """Set it, 0 to 100."""

    def apply(self, block: bytes) -> bytes:
        """The block as loud as it has to be given to the card."""

    def close(self) -> None:
        """Release the control."""


class CardVolume:
    """A card's own control; ``limits`` is its range in hundredths of dB, None where it does not say."""

    def __init__(self, mixer: Any, limits: tuple[int, int] | None, decibel: int, failed: type[Exception]) -> None:
        self._mixer = mixer
        self._limits = limits
        self._decibel = decibel
        self._failed = failed

    def set_volume(self, percent: int) -> None:
        """Set it; half way is a quarter of the amplitude (-12 dB), which is what ears call half."""
        percent = min(100, max(0, percent))
        with suppress(self._failed):  # a card that was pulled out says so when it is played to
            if self._limits is None:
                self._mixer.setvolume(percent)
            else:
                self._mixer.setvolume(hundredths(percent, *self._limits), units=self._decibel)

    def apply(self, block: bytes) -> bytes:
        """The block as it is."""
        return block

    def close(self) -> None:
        """Release the control."""
        with suppress(self._failed):
            self._mixer.close()


class OwnVolume(Gain):
    """The loudness of a card that has no control."""

    def close(self) -> None:
        """Nothing is open."""


def open_volume(card: SoundCard) -> Volume:
    """The loudness of this card."""
    import alsaaudio

    failed = alsaaudio.ALSAAudioError
    with suppress(failed):
        found = alsaaudio.mixers(device=card.mixer)
        for name in sorted(set(found) & set(CONTROLS), key=CONTROLS.index):
            mixer = alsaaudio.Mixer(name, device=card.mixer)
            if not {"Playback Volume", "Volume"} & set(mixer.volumecap()):
                mixer.close()
                continue
            if {"Playback Mute", "Mute"} & set(mixer.switchcap()):
                mixer.setmute(0)
            decibel = alsaaudio.VOLUME_UNITS_DB
            limits = None
            with suppress(failed):
                least, most = mixer.getrange(units=decibel)
                limits = (least, most) if least < most else None
            return CardVolume(mixer, limits, decibel, failed)
    return OwnVolume()


def hundredths(percent: int, least: int, most: int) -> int:
    """The setting of a control from ``least`` to ``most`` hundredths of dB, for 0 to 100 percent."""
    if percent <= 0:
        return least
    return max(least, round(most + 4000 * math.log10(percent / 100)))
