"""Which parts of a scene the display's own planes show: a pure function of the scene and of what the hardware has.

::

    scene, bottom to top:  background | far end | far end | self-view | words, image
    layers:                composed   | as it is, scaled and cut by the hardware | composed, blended
    hardware:              primary      overlay   overlay   overlay     overlay

Rule 1: a raw picture is a layer of its own; images that lie on each other are one, composed when one of them changes.
Rule 2: the lowest layer fills the screen and lies on the primary plane; a scene that begins with a raw picture has
black below it.
Rule 3: a scene of more layers than the hardware has fitting planes is composed as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from board.compose import fit, rectangle

if TYPE_CHECKING:
    from board.pi.drm import HardwarePlane
    from firmware.ports import Plane

Rectangle = tuple[int, int, int, int]
"""Left, top, width, height, pixels."""

OPAQUE, BLENDED, RAW = "XR24", "AR24", "YU12"
"""The kernel's names of what lies in a plane."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What one plane of the hardware shows."""

    hardware: HardwarePlane
    pixel_format: str
    planes: tuple[Plane, ...]
    """One raw picture, or images one above the other."""
    size: tuple[int, int]
    """Of its buffer, pixels."""
    source: Rectangle
    """The part of its buffer that is seen."""
    target: Rectangle
    """Where on the screen."""

    @property
    def geometry(self) -> tuple[object, ...]:
        """All that the hardware may refuse it for."""
        return self.hardware.number, self.pixel_format, self.size, self.source, self.target


def layers(scene: Sequence[Plane], hardware: Sequence[HardwarePlane], width: int, height: int) -> list[Layer] | None:
    """The scene as layers on a screen of this size; ``hardware`` from the bottom up.  None: it can't be done so."""
    free = list(hardware)
    found: list[Layer] = []
    for number, part in enumerate(_parts(scene)):
        raw = is_raw(part)
        pixel_format = RAW if raw else BLENDED
        if not number:
            found.append(whole(part, free.pop(0), width, height))
            continue
        layer = _raw(part[0], width, height) if raw else _images(part, width, height)
        if layer is None:
            continue
        while free and pixel_format not in free[0].formats:
            free.pop(0)
        if not free:
            return None
        found.append(Layer(free.pop(0), pixel_format, part, *layer))
    return found


def whole(scene: Sequence[Plane], primary: HardwarePlane, width: int, height: int) -> Layer:
    """The scene as one layer, composed."""
    screen = (0, 0, width, height)
    return Layer(primary, OPAQUE, tuple(scene), (width, height), screen, screen)


def is_raw(planes: Sequence[Plane]) -> bool:
    """Whether this is a raw picture, and not images."""
    return len(planes) == 1 and not isinstance(planes[0].picture, Image.Image)


def _parts(scene: Iterable[Plane]) -> list[tuple[Plane, ...]]:
    """Each raw picture alone, images that follow each other together, images (or none) first."""
    parts: list[tuple[Plane, ...]] = [()]
    for plane in scene:
        if not isinstance(plane.picture, Image.Image) or is_raw(parts[-1]):
            parts.append((plane,))
        else:
            parts[-1] = (*parts[-1], plane)
    return parts


def _raw(plane: Plane, width: int, height: int) -> tuple[tuple[int, int], Rectangle, Rectangle] | None:
    left, top, right, bottom = rectangle(plane, width, height)
    room_width, room_height = right - left, bottom - top
    if room_width <= 0 or room_height <= 0:
        return None
    size = plane.picture.width, plane.picture.height
    if plane.fill:
        # The part of the picture that has the room's shape.  Colours are of every second pixel: cut between those.
        scale = max(room_width / size[0], room_height / size[1])
        seen = min(size[0], round(room_width / scale)), min(size[1], round(room_height / scale))
        cut_x, cut_y = (size[0] - seen[0]) // 4 * 2, (size[1] - seen[1]) // 4 * 2
        return size, (cut_x, cut_y, *seen), (left, top, room_width, room_height)
    shown = fit(*size, room_width, room_height, fill=False)
    place = left + (room_width - shown[0]) // 2, top + (room_height - shown[1]) // 2
    return size, (0, 0, *size), (*place, *shown)


def _images(planes: Sequence[Plane], width: int, height: int) -> tuple[tuple[int, int], Rectangle, Rectangle] | None:
    """The rectangle around images, within the screen."""
    edges = [rectangle(plane, width, height) for plane in planes]
    left, top = max(0, min(edge[0] for edge in edges)), max(0, min(edge[1] for edge in edges))
    right, bottom = min(width, max(edge[2] for edge in edges)), min(height, max(edge[3] for edge in edges))
    if right <= left or bottom <= top:
        return None
    size = right - left, bottom - top
    return size, (0, 0, *size), (left, top, *size)
