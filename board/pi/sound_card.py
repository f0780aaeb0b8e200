"""The sound cards of this machine, and which one is the room's microphone or speaker.

Rule 1: a card is named by what it is (``Jabra``), not by its number, which changes from start to start.
Rule 2: without a setting a USB card comes first, which is a speakerphone; then, to play, HDMI; then what there is.

The kernel tells all this in /proc/asound, so that nothing has to be opened to look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware.errors import DeviceError

PROC = Path("/proc/asound")
_HDMI = "vc4hdmi"
"""How the Pi's HDMI outputs are named; they take frames that only ALSA's own configuration for them can make."""


@dataclass(frozen=True, slots=True)
class SoundCard:
    """A card that can play, or hear, or both."""

    name: str
    """ALSA's identifier."""
    title: str
    usb: bool
    microphone: int | None
    """The device that hears."""
    speaker: int | None
    """The device that plays."""

    def device(self, *, hears: bool) -> str:
        """The ALSA name by which the microphone or the speaker is opened, whatever format the card has."""
        if self.name.startswith(_HDMI):
            return f"default:CARD={self.name}"
        return f"plughw:CARD={self.name},DEV={self.microphone if hears else self.speaker}"

    def hardware(self, *, hears: bool) -> str:
        """The ALSA name of the same as it is itself, without any conversion; "" where that says nothing."""
        if self.name.startswith(_HDMI):
            return ""
        return f"hw:CARD={self.name},DEV={self.microphone if hears else self.speaker}"

    @property
    def mixer(self) -> str:
        """The ALSA name by which its volume is set."""
        return f"hw:{self.name}"


def sound_cards(proc: Path = PROC) -> list[SoundCard]:
    """The cards that are there now, in the kernel's order."""
    devices: dict[int, list[tuple[int, str]]] = {}
    for line in _lines(proc / "pcm"):  # 00-00: USB Audio : USB Audio : playback 1 : capture 1
        number, _, rest = line.partition(":")
        card, _, device = number.partition("-")
        if card.isdecimal() and device.isdecimal():
            devices.setdefault(int(card), []).append((int(device), rest))
    return [
        SoundCard(
            name=next(_lines(proc / f"card{card}" / "id"), str(card)).strip(),
            title=_title(proc, card),
            usb=(proc / f"card{card}" / "usbid").exists(),
            microphone=min((device for device, rest in found if ": capture" in rest), default=None),
            speaker=min((device for device, rest in found if ": playback" in rest), default=None),
        )
        for card, found in sorted(devices.items())
    ]


def choose(cards: Sequence[SoundCard], wanted: str, *, hears: bool) -> SoundCard:
    """The card to hear or play with: the first of that name (``wanted``), or the best where it is "".

    DeviceError: there is none, in words.
    """
    able = [card for card in cards if (card.microphone if hears else card.speaker) is not None]
    if wanted:
        named = [card for card in able if wanted.lower() in (card.name.lower(), card.title.lower())]
        able = named or [card for card in able if wanted.lower() in card.title.lower()]
    if not able:
        there = ", ".join(card.name for card in cards) or "none"
        raise DeviceError(
            f"there is no sound card {wanted!r} here" if wanted else f"no sound card here; of any kind: {there}"
        )
    return min(able, key=lambda card: 0 if card.usb else 1 if card.name.startswith(_HDMI) else 2)


def _title(proc: Path, card: int) -> str:
    """What the card calls itself: `` 1 [Jabra          ]: USB-Audio - Jabra SPEAK 510``."""
    for line in _lines(proc / "cards"):
        number, _, rest = line.strip().partition(" ")
        if number == str(card):
            return rest.partition(" - ")[2].strip()
    return ""


def _lines(path: Path) -> Iterator[str]:
    try:
        yield from path.read_text(errors="replace").splitlines()
    except OSError:
        return
