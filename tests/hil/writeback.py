"""A screen with hardware planes, and what it shows, as its own hardware writes it back (the kernel's vkms)."""

from __future__ import annotations

import os
import select
from ctypes import addressof, c_int32
from pathlib import Path

from hil.driver import load, unload
from hil.waiting import wait_for
from PIL import Image

from board.pi import drm
from board.pi.display import KmsDisplay
from board.pi.frame_buffer import FrameBuffer

_WRITEBACK_CONNECTORS = 5
"""DRM_CLIENT_CAP_WRITEBACK_CONNECTORS"""
_NAMES = Path("/sys/class/drm")


class Planes:
    """A screen whose planes take YUV, scale (to an eighth at least) and are blended."""

    def plug(self) -> None:
        """Have it."""
        load("vkms", "enable_overlay=1", "enable_writeback=1", "enable_cursor=0")
        assert wait_for(lambda: self._connector() is not None)

    def remove(self) -> None:
        """Have it no more."""
        unload("vkms")

    @property
    def name(self) -> str:
        """Of its connector."""
        found = self._connector()
        assert found is not None
        return found

    def picture(self, display: KmsDisplay) -> Image.Image:
        """What is on the screen."""
        card, fence = display._card, c_int32(-1)
        card._ioctl(drm._SET_CLIENT_CAPABILITY, drm._ClientCapability(_WRITEBACK_CONNECTORS, 1))
        _, connectors = card._resources()
        of = {number: card.properties(number, drm.OBJECT_CONNECTOR) for number in connectors}
        number = next(number for number, properties in of.items() if "WRITEBACK_FB_ID" in properties)
        values = {"CRTC_ID": display._crtc, "WRITEBACK_OUT_FENCE_PTR": addressof(fence)}
        socket, crtc = display._connector.number, display._of_connector["CRTC_ID"][0]
        buffer = FrameBuffer(card, "XR24", display.width, display.height)
        try:
            values["WRITEBACK_FB_ID"] = buffer.number
            # The card has one encoder at a time: the picture goes to memory instead of the socket, and then back.
            card.commit(
                [(socket, crtc, 0), *((number, of[number][name][0], value) for name, value in values.items())],
                drm.ATOMIC_ALLOW_MODESET,
            )
            assert select.select([fence.value], [], [], 60)[0], "nothing was written back"
            os.close(fence.value)
            pixels = bytes(buffer._memory)
            pitch = buffer._pitch
            return Image.frombuffer("RGB", (display.width, display.height), pixels, "raw", "BGRX", pitch, 1).copy()
        finally:
            card.commit(
                [(number, of[number]["CRTC_ID"][0], 0), (socket, crtc, display._crtc)], drm.ATOMIC_ALLOW_MODESET
            )
            buffer.close()

    def _connector(self) -> str | None:
        for card in _NAMES.glob("card?"):
            if (card / "device").resolve().name == "vkms":
                found = (path.name.removeprefix(f"{card.name}-") for path in _NAMES.glob(f"{card.name}-Virtual-*"))
                return next(found, None)
        return None
