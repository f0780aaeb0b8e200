"""A clapperboard before camera and microphone, and a witness before screen and speaker: are sound and picture in step?

::

    clapper ─┬▶ a white field in the card ▶ camera ────── network ────── screen ──┬▶ witness: a line for each
             └▶ a click ▶ microphone ──────────────────────────────────▶ speaker ─┘

Every `PERIOD` a field of the test card is white for a moment, and the microphone hears a click that began when the
first such picture was taken.  The witness writes when that was (``clapped``), and when a far end's claps came out here
(``seen``, ``heard``): s, CLOCK_MONOTONIC, which all units of one machine share.
"""

from __future__ import annotations

import math
import time
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

import av

from firmware.errors import DeviceError
from firmware.ports import BLOCK_BYTES, BLOCK_TIME, SAMPLE_RATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from board.sim.card import Card
    from firmware.ports import Plane

PERIOD = 2.0
"""Seconds from clap to clap."""
_FLASH = 0.1
"""Seconds for which the field is white."""
_FIELD = (0.3, 0.58, 0.7, 0.7)
"""Left, top, right and bottom of the field, which are the card's coloured bars, in parts of the picture."""
_WHITE = 235  # luma of limited range
_BRIGHT = 210
_CLICK = 0.02
"""Seconds of a click."""
_PITCH = 1500
"""Hz."""
_LOUD = 6000
"""Of 32,767: what begins a click where there was silence."""
_PAUSE = 1.0
"""Seconds after a clap in which there is no other."""


class Witness:
    """Writes claps into a file.  DeviceError: it can't."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        try:
            self._path.write_text("")
        except OSError as error:
            raise DeviceError(f"{path} can't be written: {error.strerror}") from error
        self._last = {"seen": float("-inf"), "heard": float("-inf")}

    def clapped(self, at: float) -> None:
        """Write that the unit's own clapperboard clapped."""
        self._write("clapped", at)

    def look(self, planes: Sequence[Plane], at: float) -> None:
        """Look for a white field in the far end's picture."""
        for plane in planes:
            picture = plane.picture
            if not plane.fill and isinstance(picture, av.VideoFrame) and _is_white(picture):
                self._once("seen", at)

    def listen(self, block: bytes, at: float) -> None:
        """Listen for a click in a block that begins to be heard then."""
        samples = array("h", block)
        if max(samples) > _LOUD:
            place = next(place for place, sample in enumerate(samples) if sample > _LOUD)
            self._once("heard", at + place / SAMPLE_RATE)

    def _once(self, what: str, at: float) -> None:
        if at > self._last[what] + _PAUSE:
            self._write(what, at)
        self._last[what] = at

    def _write(self, what: str, at: float) -> None:
        try:
            with self._path.open("a") as file:
                file.write(f"{what} {at:.6f}\n")
        except OSError as error:
            raise DeviceError(f"{self._path} can't be written: {error.strerror}") from error


class Clapper:
    """What a unit's camera and microphone see and hear together."""

    def __init__(self, witness: Witness | None = None) -> None:
        self.last = float("-inf")
        """When it clapped last, s."""
        self._witness = witness

    def clap(self) -> None:
        """Clap now."""
        self.last = time.monotonic()
        if self._witness is not None:
            self._witness.clapped(self.last)


class ClapCard:
    """The test card with the field; a camera's source."""

    def __init__(self, card: Card, clapper: Clapper) -> None:
        self.width, self.height = card.width, card.height
        self._card = card
        self._clapper = clapper
        self._period, self._flash = (max(1, round(card.frame_rate * time)) for time in (PERIOD, _FLASH))

    def picture(self, number: int, seconds: float) -> av.VideoFrame:
        """Give the card's picture of this number; every so often with the field in white."""
        phase = number % self._period
        if phase == 0:
            self._clapper.clap()
        frame = self._card.picture(number, seconds)
        if phase < self._flash:
            left, top, right, bottom = _FIELD
            for plane, value in zip(frame.planes, (_WHITE, 128, 128), strict=True):
                pixels, begin, end = memoryview(plane), round(plane.width * left), round(plane.width * right)
                row = bytes([value]) * (end - begin)
                for y in range(round(plane.height * top), round(plane.height * bottom)):
                    pixels[y * plane.line_size + begin : y * plane.line_size + end] = row
        return frame

    def close(self) -> None:
        """Nothing is open."""


class Click:
    """A microphone's sound: silence, and a click with each clap."""

    def __init__(self, clapper: Clapper) -> None:
        self._clapper = clapper
        self._clicked = clapper.last
        turn = 2 * math.pi * _PITCH / SAMPLE_RATE
        self._click = array("h", (round(20_000 * math.sin(turn * n)) for n in range(round(_CLICK * SAMPLE_RATE))))
        self._waiting = b""

    def block(self, number: int) -> bytes:  # noqa: ARG002
        """Give what is heard in the 10 ms that end now."""
        clap = self._clapper.last
        if clap != self._clicked:
            self._clicked = clap
            before = max(0.0, BLOCK_TIME - (time.monotonic() - clap))
            self._waiting = bytes(2 * round(before * SAMPLE_RATE)) + self._click.tobytes()
        block, self._waiting = self._waiting[:BLOCK_BYTES], self._waiting[BLOCK_BYTES:]
        return block + bytes(BLOCK_BYTES - len(block))

    def close(self) -> None:
        """Nothing is open."""


def _is_white(frame: av.VideoFrame) -> bool:
    """Whether the field is white at three places."""
    left, top, right, bottom = _FIELD
    luma = frame.planes[0]
    pixels, row = memoryview(luma), round(luma.height * (top + bottom) / 2) * luma.line_size
    return all(pixels[row + round(luma.width * (left + (right - left) * part))] > _BRIGHT for part in (0.2, 0.5, 0.8))
