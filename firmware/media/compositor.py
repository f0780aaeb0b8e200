"""Draws the scene: turns what is to be seen into planes and shows them, whenever something changed.

::

    decode threads ──▶ newest picture of each far end ─┐
    camera thread ───▶ newest picture of the room ─────┼─▶ display thread: planes ──▶ display.show
    room ────────────▶ scene ──────────────────────────┘

Pictures arrive in other threads, which only leave them here; the display thread takes the newest of each.  Words and
images are drawn once.  A far end without a picture yet is left out.
"""

from __future__ import annotations

import functools
import io
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from firmware.errors import DeviceError
from firmware.media.border import attempt
from firmware.media.device import RETRY, Device
from firmware.media.fault import Fault
from firmware.media.message import Report
from firmware.media.png import encode_png
from firmware.media.scene import FULL_SCREEN, FarEnd, Image, Rectangle, Scene, SelfView, Words
from firmware.ports import Plane

if TYPE_CHECKING:
    import av
    from PIL.Image import Image as Picture

    from firmware.ports import Board, Camera, Display

logger = logging.getLogger(__name__)

LEAST_INTERVAL = 1 / 60
"""Seconds between two redraws at least."""
MAX_IMAGE_PIXELS = 1920 * 1080
"""Of an image in a scene."""


class Compositor:
    """The unit's screen."""

    def __init__(self, board: Board, report: Callable[[Report], None]) -> None:
        self._display: Device[Display] = Device(
            board.open_display, Fault("display", board.look_for, report), absent="display" in board.absent
        )
        self._look_for = board.look_for
        self._scene = Scene()
        self._pictures: dict[str, av.VideoFrame] = {}
        """The newest of each far end, by call."""
        self._self_picture: av.VideoFrame | None = None
        self._stale = True
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="display", daemon=True)
        if not self._display.absent:
            self._thread.start()

    def show(self, scene: Scene) -> None:
        """Draw this scene from now on."""
        with self._changed:
            self._scene = scene
            self._redraw()

    def far_end(self, call_id: str) -> FarEndView:
        """Give the viewer of a far end's pictures."""
        return FarEndView(self, call_id)

    def self_view(self) -> SelfViewer:
        """Give the viewer of the room's own picture."""
        return SelfViewer(self)

    def put(self, call_id: str, picture: av.VideoFrame | None) -> None:
        """Take a far end's newest picture; None: it has gone."""
        with self._changed:
            if picture is not None:
                self._pictures[call_id] = picture
            else:
                self._pictures.pop(call_id, None)
            if any(isinstance(item, FarEnd) and item.call_id == call_id for item in self._scene.items):
                self._redraw()

    def put_self(self, picture: av.VideoFrame | None) -> None:
        """Take the camera's newest picture; None: it was closed."""
        with self._changed:
            if picture is None and self._self_picture is None:
                return
            self._self_picture = picture
            if any(isinstance(item, SelfView) for item in self._scene.items):
                self._redraw()

    def screenshot(self, image_format: str, width: int, height: int) -> bytes:
        """Give what is on the screen, as ``png`` or ``jpeg``; b"": there is no screen.  May be asked in any thread."""
        display = self._display.current
        if display is None:
            return b""
        picture = display.screenshot(width, height)
        if image_format == "png":
            return encode_png(picture)
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=80)
        return file.getvalue()

    def look(self) -> None:
        """See whether the screen is still there while nothing changes on it."""
        if self._display.absent:
            return
        try:
            self._look_for("display")
        except DeviceError:
            with self._changed:
                self._redraw()  # which fails, and is tried again until it doesn't

    def stop(self) -> None:
        """End the thread; the screen goes dark."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        if not self._display.absent:
            self._thread.join(1.0)
        self._display.close()

    def _redraw(self) -> None:
        self._stale = True
        self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._stale and not self._stopped:
                    self._changed.wait()
                if self._stopped:
                    return
                self._stale = False
                scene, pictures, self_picture = self._scene, dict(self._pictures), self._self_picture
            if not self._draw(scene, pictures, self_picture):
                with self._changed:
                    self._stale = True
                    if not self._stopped:
                        self._changed.wait(RETRY)
            time.sleep(LEAST_INTERVAL)

    def _draw(self, scene: Scene, pictures: dict[str, av.VideoFrame], self_picture: av.VideoFrame | None) -> bool:
        display = self._display.get()
        if display is None:
            return False
        error = attempt("Drawing the scene", self._show, display, scene, pictures, self_picture)
        if error is not None:
            self._display.fail(error)
            return False
        self._display.works()
        return True

    @staticmethod
    def _show(
        display: Display, scene: Scene, pictures: dict[str, av.VideoFrame], self_picture: av.VideoFrame | None
    ) -> None:
        if scene.dark:
            display.rest()
        else:
            display.show(_planes(scene, pictures, self_picture, display.width, display.height))


class FarEndView:
    """Shows a far end's pictures; a Viewer."""

    def __init__(self, compositor: Compositor, call_id: str) -> None:
        self._compositor = compositor
        self._call_id = call_id

    def picture(self, frame: av.VideoFrame) -> None:
        """See Viewer."""
        self._compositor.put(self._call_id, frame)

    def camera_opened(self, camera: Camera) -> bool:  # noqa: ARG002
        """See Viewer: a far end is no camera."""
        return False

    def camera_closed(self) -> None:
        """See Viewer: there are no more pictures."""
        self._compositor.put(self._call_id, None)


class SelfViewer:
    """Shows the room's own picture; a Viewer."""

    def __init__(self, compositor: Compositor) -> None:
        self._compositor = compositor

    def picture(self, frame: av.VideoFrame) -> None:
        """See Viewer."""
        self._compositor.put_self(frame)

    def camera_opened(self, camera: Camera) -> bool:  # noqa: ARG002
        """See Viewer: the screen needs pictures, whatever the encoder does."""
        return False

    def camera_closed(self) -> None:
        """See Viewer."""
        self._compositor.put_self(None)


def _planes(
    scene: Scene,
    pictures: dict[str, av.VideoFrame],
    self_picture: av.VideoFrame | None,
    width: int,
    height: int,
) -> list[Plane]:
    """Give the planes of a scene on a screen of this size, pixels."""
    below = [_plane(_fill(scene.background), FULL_SCREEN, fill=True)]
    above = []
    for item in scene.items:
        match item:
            case FarEnd(call_id=call_id, place=place) if call_id in pictures:
                below.append(_plane(pictures[call_id], place))
            case SelfView(place=place) if self_picture is not None:
                below.append(_plane(self_picture, place, fill=True))
            case Words(text=text, place=place) if text:
                from firmware.media.words import draw_words

                size = max(1, round(place.width * width)), max(1, round(place.height * height))
                above.append(_plane(draw_words(item, *size), place))
            case Image(png=png, place=place):
                picture = _image(png)
                if picture is not None:
                    above.append(_plane(picture, place))
    return below + above


def _plane(picture: av.VideoFrame | Picture, place: Rectangle, fill: bool = False) -> Plane:
    return Plane(picture, place.x, place.y, place.width, place.height, fill)


@functools.lru_cache(maxsize=4)
def _fill(color: str) -> Picture:
    import PIL.Image  # only where something is drawn: 4 MB

    return PIL.Image.new("RGBA", (16, 16), color)


@functools.lru_cache(maxsize=16)
def _image(png: bytes) -> Picture | None:
    import PIL.Image

    try:
        picture = PIL.Image.open(io.BytesIO(png), formats=("PNG",))
        if picture.width * picture.height > MAX_IMAGE_PIXELS:
            raise ValueError("it is too large")
        return picture.convert("RGBA")
    except (OSError, ValueError, SyntaxError) as error:
        logger.warning("An image of the scene can't be shown: %s", error)
        return None
