"""The screen: planes shown by DRM/KMS, scaled and blended by the display's hardware where it can, else in memory.

::

    scene ──▶ layers: one to each plane of the hardware ──▶ scanout: drawn, tried ──▶ commit ──▶ at the next refresh
        └───▶ where it has too few planes, or refuses: composed, one layer ──┘

Rule 1: nothing is drawn into what the card shows, and nothing is committed before it has turned to what was: no
tearing, and never more than one picture on its way.
Rule 2: the mode is the one that the screen prefers, but never larger than 1920x1080, or than the settings allow.
Rule 3: a screen that is pulled out, or has become another one (by its EDID), is a DeviceError, so that the one that
comes is asked for its own modes.
Rule 4: on closing the screen goes dark, and while it rests.
"""

from __future__ import annotations

import logging
import os
import select
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from board.compose import Composer
from board.pi import drm
from board.pi.drm import Card, Connector, Mode
from board.pi.layers import layers, whole
from board.pi.scanout import Scanout
from firmware.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PIL import Image

    from board.pi.scanout import Change
    from firmware.ports import Plane

logger = logging.getLogger(__name__)

DRI = Path("/dev/dri")
SYS = Path("/sys/class/drm")
MOST_WIDTH, MOST_LINES = 1920, 1080
"""Of a mode."""
_FLIP_TIME = 0.5
"""Seconds after which a card that did not turn to the new picture has failed; a refresh is 0.017 to 0.042 s."""
_LOOK = 2.0
"""Seconds between two looks at whether the screen is still there."""
_EVENT = struct.Struct("<II")


class KmsDisplay:
    """A `firmware.ports.Display` on one connector; ``screenshot`` may be asked for in any thread.

    The card is closed with it, unless it can't be made (DeviceError).
    """

    def __init__(self, card: Card, connector: Connector, most_lines: int = MOST_LINES) -> None:
        self._card = card
        self._connector = connector
        self._told = SYS / f"{card.path.name}-{connector.name}"
        """Where the kernel tells of the connector."""
        self._edid = edid(self._told)
        mode = choose_mode(connector.modes, most_lines)
        self.width, self.height = mode.hdisplay, mode.vdisplay
        self._using = threading.Lock()
        self._composing = threading.Lock()
        self._screenshots = Composer()
        self._planes: tuple[Plane, ...] = ()
        self._flipping = False
        self._looked = time.monotonic()
        self._closed = self._rests = False
        self._by_hardware: bool | None = None
        self._crtc, bit = card.crtc(connector)
        self._scanout = Scanout(card, self._crtc, bit, self.width, self.height)
        self._of_crtc = card.properties(self._crtc, drm.OBJECT_CRTC)
        self._of_connector = card.properties(connector.number, drm.OBJECT_CONNECTOR)
        self._mode_blob = card.mode_blob(mode)
        try:
            self._light()
        except DeviceError:
            self._free()
            raise
        logger.info("display: %s, %dx%d at %d/s", connector.name, self.width, self.height, mode.vrefresh)

    def show(self, planes: Sequence[Plane]) -> None:
        """Show these planes from the next refresh on.  DeviceError: the screen was pulled out, or the card failed."""
        with self._using:
            if self._closed:
                raise DeviceError("the display is closed")
            self._look()
            self._planes = tuple(planes)
            self._wait_for_flip()
            if self._rests:
                self._card.commit([*self._arranged(), self._active(1)], drm.ATOMIC_ALLOW_MODESET)
                self._rests = False
            else:
                self._card.commit(self._arranged(), drm.ATOMIC_NONBLOCK | drm.PAGE_FLIP_EVENT)
                self._flipping = True
            self._scanout.committed()

    def rest(self) -> None:
        """Let the screen sleep until the next ``show``.  DeviceError: likewise."""
        with self._using:
            if self._closed:
                raise DeviceError("the display is closed")
            self._look()
            if not self._rests:
                self._wait_for_flip()
                self._card.commit([self._active(0)], drm.ATOMIC_ALLOW_MODESET)
                self._rests, self._planes = True, ()

    def screenshot(self, width: int, height: int) -> Image.Image:
        """What is on the screen now, in this size, pixels.  DeviceError: closed."""
        if self._closed:
            raise DeviceError("the display is closed")
        with self._composing:
            return self._screenshots.compose(self._planes, width, height)

    def close(self) -> None:
        """Release the card; the screen goes dark."""
        with self._using:
            if self._closed:
                return
            self._closed = True
            with suppress(DeviceError):
                self._wait_for_flip()
            with suppress(DeviceError):
                self._darken()
            self._free()
            self._card.close()

    def _arranged(self) -> list[Change]:
        """What a commit must say to show the planes."""
        hardware = self._scanout.hardware
        wanted = layers(self._planes, hardware, self.width, self.height)
        changes = None if wanted is None else self._scanout.arrange(wanted)
        by_hardware = changes is not None
        if self._by_hardware is not by_hardware and (wanted is None or len(wanted) > 1):
            self._by_hardware = by_hardware
            logger.info("display: composed %s", "by the hardware's planes" if by_hardware else "in memory")
        if changes is None:
            changes = self._scanout.arrange([whole(self._planes, hardware[0], self.width, self.height)])
        if changes is None:
            raise DeviceError(f"{self._card.path} refuses to show a picture")
        return changes

    def _light(self) -> None:
        """Set the mode, with a black picture."""
        black = whole((), self._scanout.hardware[0], self.width, self.height)
        self._card.commit(
            [
                (self._connector.number, self._of_connector["CRTC_ID"][0], self._crtc),
                (self._crtc, self._of_crtc["MODE_ID"][0], self._mode_blob),
                self._active(1),
                *(self._scanout.arrange([black], tried=True) or ()),
            ],
            drm.ATOMIC_ALLOW_MODESET,
        )
        self._scanout.committed()

    def _darken(self) -> None:
        self._card.commit(
            [
                *(self._scanout.arrange([], tried=True) or ()),
                (self._connector.number, self._of_connector["CRTC_ID"][0], 0),
                (self._crtc, self._of_crtc["MODE_ID"][0], 0),
                self._active(0),
            ],
            drm.ATOMIC_ALLOW_MODESET,
        )

    def _active(self, value: int) -> Change:
        """Whether there is a signal."""
        return self._crtc, self._of_crtc["ACTIVE"][0], value

    def _wait_for_flip(self) -> None:
        """Wait until the card shows the last picture, so that the one before can be drawn over."""
        end = time.monotonic() + _FLIP_TIME
        while self._flipping:
            if not select.select([self._card.fd], [], [], max(0.0, end - time.monotonic()))[0]:
                self._flipping = False
                raise DeviceError(f"{self._card.path} does not show the next picture")
            events = os.read(self._card.fd, 1024)
            while events:
                kind, length = _EVENT.unpack_from(events)
                if kind == drm.EVENT_FLIP_COMPLETE:
                    self._flipping = False
                events = events[max(length, _EVENT.size) :]

    def _look(self) -> None:
        now = time.monotonic()
        if now < self._looked + _LOOK:
            return
        self._looked = now
        if status(self._told / "status") == "disconnected":
            raise DeviceError(f"the screen on {self._connector.name} was pulled out")
        said = edid(self._told)
        if said and said != self._edid:  # one in standby may say nothing
            raise DeviceError(f"there is another screen on {self._connector.name}")

    def _free(self) -> None:
        self._scanout.close()
        self._card.destroy_blob(self._mode_blob)


def find_screen(wanted: str, dri: Path = DRI) -> tuple[Card, Connector]:
    """The card, open, and the connector of this name (``HDMI-A-1``), or where ``wanted`` is "" the first with a screen.

    DeviceError: no screen is plugged in there.
    """
    names = []
    for path in sorted(dri.glob("card*")):
        try:
            card = Card(path)
        except DeviceError as error:  # it only computes, say
            logger.debug("%s", error)
            continue
        try:
            for connector in card.connectors():
                names.append(connector.name)
                if wanted in ("", connector.name) and connector.connected and connector.modes:
                    return card, connector
        except DeviceError:
            card.close()
            raise
        card.close()
    raise DeviceError(f"no screen is plugged in at {wanted or ', '.join(names) or 'this machine'}")


def open_display(wanted: str, dri: Path = DRI, *, most_lines: int = MOST_LINES) -> KmsDisplay:
    """Light the screen that `find_screen` finds.  DeviceError: there is none, or another program drives the card."""
    card, connector = find_screen(wanted, dri)
    try:
        return KmsDisplay(card, connector, most_lines)
    except DeviceError:
        card.close()
        raise


def choose_mode(modes: Iterable[Mode], most_lines: int = MOST_LINES) -> Mode:
    """The mode that the screen prefers, or its largest within MOST_WIDTH and these lines.  DeviceError: it has none."""
    usable = [
        mode
        for mode in modes
        if mode.hdisplay <= MOST_WIDTH and mode.vdisplay <= most_lines and not mode.flags & drm.MODE_FLAG_INTERLACE
    ]
    if not usable:
        raise DeviceError(f"the screen has no mode up to {MOST_WIDTH}x{most_lines}")
    return max(
        usable,
        key=lambda mode: (
            bool(mode.type & drm.MODE_TYPE_PREFERRED),
            mode.hdisplay * mode.vdisplay,
            -abs(mode.vrefresh - 60),
        ),
    )


def status(path: Path) -> str:
    """What the kernel says of a connector: ``connected``, ``disconnected`` or, as it may not know, ``unknown``."""
    try:
        return path.read_text().strip()
    except OSError:
        return "unknown"


def edid(connector: Path) -> bytes:
    """What the screen says of itself, as the kernel read it last; b"": nothing."""
    try:
        return (connector / "edid").read_bytes()
    except OSError:
        return b""
