"""A frame counter that a machine reads out of a picture, after any codec, scaling and composing.

It is a bar code, so that one line of pixels is enough: black bars on a white strip, every module equally wide.

::

    4 black, white, black, white │ 48 modules, 1 is black │ white, black, white, 4 black
    start                        │ card 8, counter 24, CRC 16 bits                   stop

Rule 1: the reader looks for start and stop by their proportions, so it needs to know neither place nor size.
Rule 2: a counter is believed when two lines of pixels say the same and the CRC agrees: damage reads as None.
"""

from __future__ import annotations

import re
from binascii import crc32, crc_hqx
from collections import Counter
from typing import TYPE_CHECKING

from PIL import Image

from board.picture import to_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    import av

COUNTER_BITS = 24
_START = "1111010"
_STOP = "0101111"
_DATA = 48
MODULES = len(_START) + _DATA + len(_STOP)
"""Width of the code in modules; 4 more of white belong on each side."""

_LEAST_MODULE = 1.8  # pixels: below, a single bar drowns in the scaler's blur
_LUMA_THRESHOLD = 126  # half way between black (16) and white (235) of limited range
_RUNS = re.compile(rb"\x00+|\x01+")
_DARK_IS_ONE = bytes(value < _LUMA_THRESHOLD for value in range(256))


def card_number(label: str) -> int:
    """The eight bits that stand for a card's label in its code."""
    return crc32(label.encode()) & 0xFF


def modules(card: int, counter: int) -> str:
    """The whole code, one character a module: ``1`` black, ``0`` white."""
    payload = bytes([card]) + (counter % (1 << COUNTER_BITS)).to_bytes(3, "big")
    data = int.from_bytes(payload + crc_hqx(payload, 0xFFFF).to_bytes(2, "big"), "big")
    return f"{_START}{data:0{_DATA}b}{_STOP}"


def read_counter(picture: Image.Image | av.VideoFrame, label: str | None = None) -> int | None:
    """The frame counter of the test card in this picture; None where none can be read.

    ``label`` asks for the card of that label where several may be seen (far end and self-view on one screen).
    """
    readings = read_cards(picture)
    if label is not None:
        return readings.get(card_number(label))
    return next(iter(readings.values()), None)


def read_cards(picture: Image.Image | av.VideoFrame) -> dict[int, int]:
    """Card number to frame counter of all test cards in this picture, the most readable first."""
    grey = _luma(picture)
    dark = grey.point(_DARK_IS_ONE).tobytes()
    width, height = grey.size
    votes: Counter[tuple[int, int]] = Counter()
    for top in range(0, height, max(1, height // 240)):
        votes.update(set(_codes(dark[top * width : (top + 1) * width])))
    readings: dict[int, int] = {}
    for (card, counter), lines in votes.most_common():
        if lines >= 2:
            readings.setdefault(card, counter)
    return readings


def _luma(picture: Image.Image | av.VideoFrame) -> Image.Image:
    if isinstance(picture, Image.Image):
        return picture.convert("L")
    if not picture.format.name.startswith(("yuv4", "nv", "gray")):
        return to_image(picture.reformat(format="rgb24")).convert("L")
    return to_image(picture)


def _codes(line: bytes) -> Iterator[tuple[int, int]]:
    """Card and counter of every valid code in a line of pixels, 1 where it is dark."""
    runs = [match.span() for match in _RUNS.finditer(line)]
    first = 0 if line[:1] == b"\x01" else 1  # of the dark runs, which are every other one
    stops = [i for i in range(first, len(runs), 2) if _is_guard(runs, i, -1)]
    if not stops:
        return
    for i in range(first, len(runs), 2):
        if _is_guard(runs, i, +1):
            for j in stops:
                if j > i and (code := _decode(line, runs[i], runs[j])):
                    yield code


def _is_guard(runs: list[tuple[int, int]], index: int, step: int) -> bool:
    """Whether the dark run is the wide bar of a start (step 1) or a stop (-1): four modules, then one and one."""
    last = index + 3 * step
    if not 0 <= last < len(runs):
        return False
    bar, space, line, quiet = (runs[index + step * n][1] - runs[index + step * n][0] for n in range(4))
    module = bar / 4
    slack = max(1.0, module / 2)
    return (
        module >= _LEAST_MODULE
        and abs(space - module) <= slack
        and abs(line - module) <= slack
        and quiet >= module - slack
    )


def _decode(line: bytes, start: tuple[int, int], stop: tuple[int, int]) -> tuple[int, int] | None:
    left, right = start[0], stop[1]
    module = (right - left) / MODULES
    if any(abs((end - begin) / 4 - module) > max(0.5, module / 4) for begin, end in (start, stop)):
        return None
    first = left + (len(_START) + 0.5) * module
    bits = "".join(str(line[int(first + n * module)]) for n in range(_DATA))
    code = int(bits, 2).to_bytes(_DATA // 8, "big")
    if crc_hqx(code[:4], 0xFFFF) != int.from_bytes(code[4:], "big"):
        return None
    return code[0], int.from_bytes(code[1:4], "big")
