"""Pictures in the display's memory, from which its planes are shown.

A `FrameBuffer` has one of three formats: XR24 and AR24 (four bytes a pixel, B first; AR24's colours multiplied by their
opacity, as the kernel takes them), and YU12 (three planes, one behind the other).
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

from board.pi import drm
from board.pi.layers import RAW
from firmware.errors import DeviceError

if TYPE_CHECKING:
    import av

    from board.pi.drm import Card


class FrameBuffer:
    """A picture's place in a card's memory.  DeviceError: there is no room, or the card does not know the format."""

    def __init__(self, card: Card, pixel_format: str, width: int, height: int) -> None:
        self._card = card
        self.pixel_format, self.width, self.height = pixel_format, width, height
        raw = pixel_format == RAW
        rows = height + (height + 1) // 2 if raw else height
        dumb = drm.CreateDumb(width=(width + 1) // 2 * 2, height=rows, bpp=8 if raw else 32)
        card.ask(dumb)
        self._handle, self._pitch = dumb.handle, dumb.pitch
        self.number = 0
        frame = drm.NewFrameBuffer(
            width=width, height=height, pixel_format=int.from_bytes(pixel_format.encode(), "little")
        )
        self._parts: tuple[tuple[int, int], ...] = ((0, self._pitch),)
        if raw:
            chroma = self._pitch // 2
            first = self._pitch * height
            self._parts = ((0, self._pitch), (first, chroma), (first + chroma * ((height + 1) // 2), chroma))
        for index, (offset, pitch) in enumerate(self._parts):
            frame.handles[index], frame.offsets[index], frame.pitches[index] = self._handle, offset, pitch
        try:
            card.ask(frame)
            self.number = int(frame.fb_id)
            place = drm.MapDumb(handle=self._handle)
            card.ask(place)
            try:
                self._memory = mmap.mmap(card.fd, dumb.size, offset=place.offset)
            except OSError as error:
                raise DeviceError(f"{card.path} gives no memory: {error.strerror}") from error
        except DeviceError:
            self._release()
            raise

    def fill(self, pixels: bytes) -> None:
        """Put pixels of four bytes there, row by row without a gap."""
        self._put(self._parts[0], memoryview(pixels), self.width * 4, self.width * 4, self.height)

    def fill_raw(self, frame: av.VideoFrame) -> None:
        """Put a picture there (``yuv420p``, of this size)."""
        for part, plane in zip(self._parts, frame.planes, strict=True):
            self._put(part, memoryview(plane), plane.line_size, plane.width, plane.height)

    def close(self) -> None:
        """Give the memory back; a plane that still shows it goes dark."""
        self._memory.close()
        self._release()

    def _put(self, part: tuple[int, int], pixels: memoryview, row: int, length: int, rows: int) -> None:
        start, pitch = part
        if row == pitch:
            self._memory[start : start + row * rows] = pixels[: row * rows]
            return
        for y in range(rows):
            self._memory[start + y * pitch : start + y * pitch + length] = pixels[y * row : y * row + length]

    def _release(self) -> None:
        if self.number:
            self._card.remove(drm.REMOVE_FRAME_BUFFER, self.number)
        self._card.remove(drm.DESTROY_DUMB, self._handle)
