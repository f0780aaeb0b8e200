"""What the display's planes show: layers drawn into memory and put on the screen together, in one commit.

Rule 1: each plane has two buffers; one is drawn into only when the card no longer shows it.
Rule 2: a layer that did not change is not drawn again.
Rule 3: an arrangement that is new is tried first (TEST_ONLY); one that the card refuses is not tried again.
Rule 4: a raw picture is shown in its own colours where the plane knows them; else it is converted to BT.601.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from board.compose import Composer
from board.pi import drm
from board.pi.frame_buffer import FrameBuffer
from board.pi.layers import OPAQUE, RAW
from firmware.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from board.pi.drm import Card, HardwarePlane
    from board.pi.layers import Layer
    from firmware.ports import Plane

Change = tuple[int, int, int]
"""Object, property, value."""

_BT601, _BT709 = 0, 1
_LIMITED, _FULL = 0, 1
"""enum drm_color_encoding, enum drm_color_range."""
_MOST_REFUSED = 64
"""Arrangements that are remembered."""


class Scanout:
    """The planes of one CRTC; for one thread.  Nothing is shown between `arrange` and a commit of what it gave."""

    def __init__(self, card: Card, crtc: int, crtc_bit: int, width: int, height: int) -> None:
        self._card = card
        self._crtc = crtc
        self._screen = width, height
        self._surfaces = [_Surface(card, found) for found in card.planes(crtc_bit)]
        self._known: tuple[object, ...] = ()
        """The arrangement that is on the screen."""
        self._refused: set[tuple[object, ...]] = set()

    @property
    def hardware(self) -> list[HardwarePlane]:
        """What there is, from the bottom up: first the primary plane."""
        return [surface.hardware for surface in self._surfaces]

    def arrange(self, layers: Sequence[Layer], *, tried: bool = False) -> list[Change] | None:
        """Draw the layers, and give what a commit must say to show them; None: the card refuses this arrangement.

        Called when all that was committed before is on the screen.  ``tried``: the commit itself is the trial.
        """
        arrangement = tuple(layer.geometry for layer in layers)
        if arrangement in self._refused:
            return None
        by_plane = {layer.hardware.number: layer for layer in layers}
        changes = []
        for surface in self._surfaces:
            surface.free_old()
            layer = by_plane.get(surface.hardware.number)
            changes += surface.show(layer, self._crtc, self._screen) if layer else surface.hide()
        if arrangement != self._known and not tried:
            try:
                self._card.commit(changes, drm.ATOMIC_TEST_ONLY)
            except DeviceError:
                if len(self._refused) >= _MOST_REFUSED:
                    self._refused.clear()
                self._refused.add(arrangement)
                return None
        self._known = arrangement
        return changes

    def committed(self) -> None:
        """Learn that what `arrange` gave last was committed."""
        for surface in self._surfaces:
            surface.turn()

    def close(self) -> None:
        """Give all memory back."""
        for surface in self._surfaces:
            surface.close()


class _Surface:
    """One plane and its buffers."""

    def __init__(self, card: Card, hardware: HardwarePlane) -> None:
        self.hardware = hardware
        self._card = card
        self._properties = card.properties(hardware.number, drm.OBJECT_PLANE)
        self._knows_colors = {"COLOR_ENCODING", "COLOR_RANGE"} <= self._properties.keys()
        self._buffers: list[FrameBuffer] = []
        """What is shown, and what is drawn into."""
        self._old: list[FrameBuffer] = []
        """What is shown until the next commit."""
        self._gone: list[FrameBuffer] = []
        """What is shown until that commit is on the screen."""
        self._content: tuple[Plane, ...] | None = None
        """What the first buffer has."""
        self._drawn: tuple[Plane, ...] | None = None
        """What the second one has got, and is shown with the next commit."""
        self._shows = self._shall_show = False
        self._composer = Composer()
        self._reformatter = VideoReformatter()
        self._colors: dict[str, int] = {}

    def show(self, layer: Layer, crtc: int, screen: tuple[int, int]) -> list[Change]:
        """Draw the layer where it changed, and give what shows it."""
        self._fit(layer)
        if self._content == layer.planes:
            self._drawn = None
            shown = self._buffers[0]
        else:
            shown = self._buffers[1]
            self._draw(layer, shown, *screen)
            self._drawn = layer.planes
        left, top, width, height = layer.source
        place = dict(zip(("CRTC_X", "CRTC_Y", "CRTC_W", "CRTC_H"), layer.target, strict=True))
        values = {
            "FB_ID": shown.number, "CRTC_ID": crtc, **place, **self._colors,
            "SRC_X": left << 16, "SRC_Y": top << 16, "SRC_W": width << 16, "SRC_H": height << 16,
        }  # fmt: skip
        self._shall_show = True
        return [(self.hardware.number, self._properties[name][0], value) for name, value in values.items()]

    def hide(self) -> list[Change]:
        """What makes the plane show nothing."""
        self._shall_show, self._drawn = False, None
        if not self._shows:
            return []
        return [(self.hardware.number, self._properties[name][0], 0) for name in ("FB_ID", "CRTC_ID")]

    def turn(self) -> None:
        """Learn that what was drawn is shown from now on."""
        self._shows = self._shall_show
        self._gone += self._old
        self._old = []
        if self._drawn is not None:
            self._content, self._drawn = self._drawn, None
            self._buffers.reverse()

    def free_old(self) -> None:
        """Give back what is not on the screen any more."""
        for buffer in self._gone:
            buffer.close()
        self._gone = []

    def close(self) -> None:
        """Give all memory back."""
        self._gone += self._old + self._buffers
        self._old, self._buffers = [], []
        self.free_old()

    def _fit(self, layer: Layer) -> None:
        """Have buffers of the layer's size and format."""
        form = (layer.pixel_format, *layer.size)
        if self._buffers and (self._buffers[0].pixel_format, self._buffers[0].width, self._buffers[0].height) == form:
            return
        self._old += self._buffers
        self._buffers = []
        self._content = self._drawn = None
        for _ in range(2):
            self._buffers.append(FrameBuffer(self._card, *form))

    def _draw(self, layer: Layer, buffer: FrameBuffer, width: int, height: int) -> None:
        self._colors = {}
        if layer.pixel_format == RAW:
            picture = layer.planes[0].picture
            assert isinstance(picture, av.VideoFrame)
            buffer.fill_raw(self._colored(picture))
        elif layer.pixel_format == OPAQUE:
            buffer.fill(self._composer.compose(layer.planes, width, height).tobytes("raw", "BGRX"))
        else:
            left, top, *size = layer.target
            overlay = self._composer.overlay(layer.planes, width, height).crop(
                (left, top, left + size[0], top + size[1])
            )
            buffer.fill(overlay.convert("RGBa").tobytes("raw", "BGRa"))

    def _colored(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The picture as ``yuv420p``, in colours that the plane can be told."""
        encoding = _BT709 if frame.colorspace == Colorspace.ITU709 else _BT601
        full = frame.color_range == ColorRange.JPEG
        self._colors = {"COLOR_ENCODING": encoding, "COLOR_RANGE": _FULL if full else _LIMITED}
        if frame.format.name == "yuv420p" and (self._knows_colors or (encoding == _BT601 and not full)):
            if not self._knows_colors:
                self._colors = {}
            return frame
        self._colors = {"COLOR_ENCODING": _BT601, "COLOR_RANGE": _LIMITED} if self._knows_colors else {}
        return self._reformatter.reformat(
            frame,
            format="yuv420p",
            src_colorspace=Colorspace.ITU709 if encoding else Colorspace.ITU601,
            dst_colorspace=Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
