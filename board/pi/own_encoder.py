"""The encoder within a camera: its access units are passed on as they come.

Rule 1: it is used only if it proves itself: it begins with a key frame of the profile that was agreed on, and makes
another when it is told to.
Rule 2: the first that is passed on is a key frame.
Rule 3: a level that is not the one that was agreed on is corrected, as `m2m_encoder` does.
Rule 4: one that did not prove itself, or fell silent later, is not used again until its camera was plugged in anew:
each time would cost seconds without a picture, and what makes a camera's own software begin anew is its power.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from board.pi.access_unit import Parts, has_key_frame, profile, with_level
from board.pi.m2m_encoder import (
    BITRATE,
    BITRATE_MODE,
    FORCE_KEY_FRAME,
    I_PERIOD,
    KEY_FRAME_INTERVAL,
    PROFILE,
    REPEAT_HEADER,
)
from board.pi.uvc_h264 import find_uvc_encoder
from firmware.errors import DeviceError

if TYPE_CHECKING:
    from board.pi.v4l2_device import Device
    from firmware.ports import EncoderSettings, OnAccessUnit

logger = logging.getLogger(__name__)

MOST_DOUBTED = 16
"""Encoders that are remembered."""
PROOF_TIME = 3.0
"""Seconds in which an encoder proves itself."""
_BASELINE = 66
_CONSTANT_BITRATE, _CONSTRAINED_BASELINE = 1, 1


class Commands(Protocol):
    """What an encoder can be told; DeviceError: it refuses."""

    def configure(self, settings: EncoderSettings) -> None:
        """Agree on what it makes, before it starts."""

    def set_bitrate(self, bitrate: int) -> None:
        """Change the target, bit/s."""

    def force_key_frame(self) -> None:
        """Make the next picture an IDR."""


class ByControls:
    """The commands of a camera whose encoder has the kernel's controls."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def configure(self, settings: EncoderSettings) -> None:
        """Set what it has; the rest it does in its own way, and is looked at."""
        for number, value in (
            (BITRATE_MODE, _CONSTANT_BITRATE),
            (BITRATE, settings.bitrate),
            (PROFILE, _CONSTRAINED_BASELINE),
            (I_PERIOD, KEY_FRAME_INTERVAL * settings.frame_rate),
            (REPEAT_HEADER, 1),
        ):
            self._device.set_control(number, value)

    def set_bitrate(self, bitrate: int) -> None:
        """Change the target, bit/s."""
        self._device.set_control(BITRATE, bitrate)

    def force_key_frame(self) -> None:
        """Make the next picture an IDR."""
        self._device.set_control(FORCE_KEY_FRAME, 1)


class Doubt:
    """Which cameras' encoders have failed since they were plugged in; for any thread."""

    def __init__(self) -> None:
        self._failed: deque[tuple[int, int]] = deque(maxlen=MOST_DOUBTED)

    def add(self, device: Device) -> None:
        """Take that the encoder behind this node has failed."""
        self._failed.append(_plugging(device))

    def __contains__(self, device: Device) -> bool:
        """Whether it has."""
        return _plugging(device) in self._failed


def _plugging(device: Device) -> tuple[int, int]:
    """What this plugging-in of a camera is known by: the kernel makes another node each time, of whatever name."""
    node = os.fstat(device.fd)
    return node.st_dev, node.st_ino


def find_commands(device: Device) -> Commands | None:
    """How the encoder in this camera is told what to do; None: it can't be told to make a key frame."""
    if device.limits(FORCE_KEY_FRAME) is not None and device.limits(BITRATE) is not None:
        return ByControls(device)
    return find_uvc_encoder(device)


class OwnEncoder:
    """A `firmware.ports.Encoder`."""

    def __init__(
        self,
        settings: EncoderSettings,
        commands: Commands,
        on_access_unit: OnAccessUnit,
        on_closed: Callable[[], None],
    ) -> None:
        self.settings = settings
        self.reason = ""
        """Why it is not used."""
        self._commands = commands
        self._on_access_unit = on_access_unit
        self._on_closed = on_closed
        self._parts = Parts()
        self._using = threading.RLock()
        self._decided = threading.Event()
        self._asked = self._proven = self._closed = False

    def configure(self) -> None:
        """Agree on what it makes, before the camera starts.  DeviceError: it refuses."""
        self._commands.configure(self.settings)

    def take(self, data: bytes, taken: float) -> None:
        """Take what the camera gave at this capture time; in the camera's thread."""
        with self._using:
            access_unit = self._parts.join(data)
            if self._closed or not access_unit or self.reason:
                return
            if not self._proven and not self._prove(access_unit):
                return
            self._on_access_unit(with_level(access_unit, self.settings.level), taken)

    def refuse(self, reason: str) -> None:
        """Say that it is of no use."""
        self.reason = self.reason or reason
        self._decided.set()

    def wait_proof(self) -> bool:
        """Wait until it has proven itself; False: it has not, or was closed before."""
        if not self._decided.wait(PROOF_TIME):
            self.refuse("it makes no key frame when it is told to")
        return not self.reason and not self._closed

    def set_bitrate(self, bitrate: int) -> None:
        """Change the target, bit/s."""
        self._tell(lambda: self._commands.set_bitrate(bitrate))

    def force_key_frame(self) -> None:
        """Make the next picture an IDR with its parameter sets."""
        self._tell(self._commands.force_key_frame)

    def close(self) -> None:
        """Stop; ``on_access_unit`` is not called after this returns."""
        with self._using:
            if self._closed:
                return
            self._closed = True
        self._decided.set()
        self._on_closed()

    def _prove(self, access_unit: bytes) -> bool:
        """Whether this access unit is the proof that it does what it is told."""
        if not has_key_frame(access_unit) or profile(access_unit) is None:
            return False
        if profile(access_unit) != _BASELINE:
            self.refuse(f"it encodes in profile {profile(access_unit)}")
            return False
        if not self._asked:
            self._asked = True
            try:
                self._commands.force_key_frame()
            except DeviceError as error:
                self.refuse(str(error))
            return False
        self._proven = True
        self._decided.set()
        return True

    def _tell(self, command: Callable[[], None]) -> None:
        try:
            command()
        except DeviceError as error:
            logger.info("%s", error)
