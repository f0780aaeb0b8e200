"""The screen's symbols and panels, drawn here and kept as PNG.

A shape is a function of a point that tells how far outside of it the point is (negative: inside), in pixels; that gives
smooth edges at any size.  Nothing but zlib is needed, so the room's process does without an imaging library.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache

Shape = Callable[[float, float], float]
Color = tuple[int, int, int, int]

PIXELS = 64
"""Width and height of a symbol as a picture."""
_GRID = 96
"""Width and height of the grid that symbols are drawn on."""


def rgba(color: str) -> Color:
    """Red, green, blue and opacity of ``#rrggbb`` or ``#rrggbbaa``."""
    values = bytes.fromhex(color.removeprefix("#"))
    return values[0], values[1], values[2], values[3] if len(values) > 3 else 255


@lru_cache(16)
def disc(color: str) -> bytes:
    """A lamp: a disc that fills the square."""
    half = _GRID / 2
    return _draw([(_circle(half, half, half - 1), rgba(color))])


@lru_cache(16)
def handset(color: str, background: str, *, down: bool) -> bytes:
    """A telephone's handset on a disc: lifted, or lying down."""
    half = _GRID / 2
    grip = _turned(_handset_shape, half, half, 0 if down else -135)
    return _draw([(_circle(half, half, half - 1), rgba(background)), (grip, rgba(color))])


@lru_cache(4)
def microphone(color: str, *, muted: bool) -> bytes:
    """A microphone, struck out when it is muted."""
    center = _GRID / 2
    stand = _without(_capsule(center, 36, center, 42, 25), _capsule(center, 36, center, 42, 18))
    shape = _union(
        _capsule(center, 22, center, 42, 12),
        _both(stand, lambda _x, y: 40 - y),
        _capsule(center, 64, center, 80, 3.5),
        _capsule(center - 14, 82, center + 14, 82, 3.5),
    )
    if muted:
        shape = _union(_without(shape, _capsule(14, 12, 82, 84, 10)), _capsule(18, 14, 80, 82, 4))
    return _draw([(shape, rgba(color))])


@lru_cache(4)
def speaker(color: str) -> bytes:
    """A loudspeaker with its waves."""

    def body(x: float, y: float) -> float:
        cone = abs(y - 48) - max(10, min(30, x - 14))
        return max(12 - x, x - 46, cone)

    waves = _union(*(_without(_circle(44, 48, radius), _circle(44, 48, radius - 7)) for radius in (24, 40)))
    return _draw([(_union(body, _both(waves, lambda x, y: abs(y - 48) - (x - 44) * 0.9)), rgba(color))])


@lru_cache(4)
def pause(color: str) -> bytes:
    """Two upright bars: on hold."""
    return _draw([(_union(_capsule(34, 24, 34, 72, 8), _capsule(62, 24, 62, 72, 8)), rgba(color))])


@lru_cache(4)
def padlock(color: str, *, closed: bool, struck: bool = False) -> bytes:
    """A padlock; of an open one the bow stands high, and its right end is out of the body; *struck*: crossed out."""
    top = 34 if closed else 24
    bow = _without(_capsule(48, top, 48, 58, 20), _capsule(48, top, 48, 58, 12))
    if not closed:
        bow = _without(bow, lambda x, y: max(48 - x, 34 - y))
    lock = _union(bow, lambda x, y: _box(x, y, 48, 64, 28, 22))
    if struck:
        # The stroke stands free of the lock, so that it is seen on the body too.
        lock = _union(_without(lock, _capsule(14, 14, 82, 86, 10)), _capsule(14, 14, 82, 86, 4))
    return _draw([(lock, rgba(color))])


@lru_cache(4)
def face_to_face(left: str, right: str) -> bytes:
    """The unit's sign: two half discs that look at each other."""
    half, radius = _GRID / 2, _GRID / 2 - 2
    circle = _circle(half, half, radius)
    west, east = _both(circle, lambda x, _y: x - half + 5), _both(circle, lambda x, _y: half + 5 - x)
    return _draw([(west, rgba(left)), (east, rgba(right))])


@lru_cache(64)
def panel(width: int, height: int, color: str, radius: int) -> bytes:
    """A rectangle with round corners, in pixels of the picture."""
    ink = rgba(color)
    radius = min(radius, height // 2, width // 2)
    clear = bytes((*ink[:3], 0))
    rows = []
    for y in range(height):
        inset = radius - 0.5 - min(y, height - 1 - y)  # rows from the corner's centre
        edge = b""
        for x in range(radius if inset > 0 else 0):
            cover = _cover(math.hypot(radius - 0.5 - x, inset) - radius)
            edge += clear if cover == 0 else bytes((*ink[:3], round(ink[3] * cover)))
        mirrored = b"".join(edge[n : n + 4] for n in range(len(edge) - 4, -1, -4))
        rows.append(edge + bytes(ink) * (width - len(edge) // 2) + mirrored)
    return _png(width, height, rows)


@lru_cache(128)
def bar(width: int, height: int, part: float, color: str, track: str) -> bytes:
    """A round-ended bar that is filled from the left by ``part``, 0 to 1."""
    radius = height / 2
    ends = _capsule(radius, radius, width - radius, radius, radius)
    filled = _capsule(radius, radius, radius + (width - height) * part, radius, radius)
    shapes = [(ends, rgba(track))] + ([(filled, rgba(color))] if part > 0 else [])
    return _draw(shapes, width, height, grid=1)


# Shapes


def _circle(x: float, y: float, radius: float) -> Shape:
    return lambda px, py: math.hypot(px - x, py - y) - radius


def _capsule(x: float, y: float, end_x: float, end_y: float, radius: float) -> Shape:
    """All that is nearer than the radius to a line from one point to another."""
    dx, dy = end_x - x, end_y - y
    square = dx * dx + dy * dy or 1.0

    def distance(px: float, py: float) -> float:
        along = min(1.0, max(0.0, ((px - x) * dx + (py - y) * dy) / square))
        return math.hypot(px - x - along * dx, py - y - along * dy) - radius

    return distance


def _handset_shape(x: float, y: float) -> float:
    """A handset that lies on its fork: an arch whose two ends are thick."""
    arch = max(abs(math.hypot(x - 48, y - 62) - 27) - 6, y - 62)
    ears = min(_box(x, y, 23, 57, 11, 8), _box(x, y, 73, 57, 11, 8))
    return min(arch, ears)


def _box(x: float, y: float, center_x: float, center_y: float, half_width: float, half_height: float) -> float:
    dx, dy = abs(x - center_x) - half_width + 4, abs(y - center_y) - half_height + 4
    return math.hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - 4


def _turned(shape: Shape, x: float, y: float, degrees: float) -> Shape:
    """The shape turned clockwise about a point."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return lambda px, py: shape(
        x + (px - x) * cosine + (py - y) * sine,
        y - (px - x) * sine + (py - y) * cosine,
    )


def _union(*shapes: Shape) -> Shape:
    return lambda x, y: min(shape(x, y) for shape in shapes)


def _both(first: Shape, second: Shape) -> Shape:
    return lambda x, y: max(first(x, y), second(x, y))


def _without(first: Shape, second: Shape) -> Shape:
    return lambda x, y: max(first(x, y), -second(x, y))


# Pixels


def _draw(
    shapes: Sequence[tuple[Shape, Color]], width: int = PIXELS, height: int = PIXELS, grid: float = _GRID / PIXELS
) -> bytes:
    """Shapes over one another on nothing, as PNG; ``grid`` is how much of the shapes' grid a pixel covers."""
    rows = []
    for y in range(height):
        row = bytearray()
        for x in range(width):
            pixel = (0.0, 0.0, 0.0, 0.0)
            for shape, color in shapes:
                cover = _cover(shape((x + 0.5) * grid, (y + 0.5) * grid) / grid) * color[3] / 255
                if cover > 0:
                    pixel = _over(color, cover, pixel)
            row += bytes(round(value) for value in pixel[:3]) + bytes([round(pixel[3] * 255)])
        rows.append(bytes(row))
    return _png(width, height, rows)


def _cover(distance: float) -> float:
    """How much of a pixel is inside, by its centre's distance from the edge."""
    return min(1.0, max(0.0, 0.5 - distance))


def _over(color: Color, cover: float, below: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """A colour that covers a part of the pixel, over what is there (straight, not multiplied, opacity)."""
    left = below[3] * (1 - cover)
    opacity = cover + left
    red, green, blue = ((new * cover + old * left) / opacity for new, old in zip(color[:3], below[:3], strict=True))
    return red, green, blue, opacity


def _png(width: int, height: int, rows: Sequence[bytes]) -> bytes:
    """PNG of 8-bit RGBA (ISO/IEC 15948)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
