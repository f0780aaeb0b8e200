"""What decodes the pictures of one stream after another: the board's hardware where that helps, else libav.

Rule 1: hardware is asked for at a key frame whose parameter sets say something else than before, and only for pictures
as any hardware knows them.  A far end that changes them again and again has libav decode in between (`REST`).
Rule 2: hardware that fails, stays behind, or finds fault with a key frame that came whole, is given up for good: the
next receiver may try it again.  libav goes on at once, with the same picture where that is a key frame; where not,
that picture counts as damaged, and so a key frame is asked for.
Rule 3: whoever decodes gets the parameter sets that came last, however long ago that was.
Rule 4: where no picture can overtake another, the parameter sets say so to the hardware.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from firmware.errors import DecodeError, DeviceError
from firmware.media.decoder import MAX_PIXELS, Decoder, Squares
from firmware.rtp import h264_parameters
from firmware.rtp.h264 import IDR, PPS, SPS
from firmware.rtp.h264_parameters import SequenceParameters

if TYPE_CHECKING:
    import av

    from firmware.media.codecs import CodedPicture
    from firmware.ports import PictureDecoder

logger = logging.getLogger(__name__)

OpenDecoder = Callable[[int, int], "PictureDecoder | None"]
"""See `firmware.ports.Board.open_decoder`."""

REST = 2.0
"""Seconds for which no hardware is asked for again."""
_H264 = "h264"
_START, _LONG_START = b"\0\0\1", b"\0\0\0\1"
_SLICES = range(1, IDR + 1)
_MOST_KEPT = 4096
"""Octets of what goes before a picture."""
_KNOWN_MATRICES = (1, 5, 6)
"""matrix_coefficients of BT.709 and BT.601 (H.264 table E-5), which are libav's, too."""
_LIMITED, _FULL = 1, 2
"""libav's color_range."""


class VideoDecoder:
    """Decodes pictures that *decoder*, by libav's name, could decode; *pixel_aspect* as for `Decoder`."""

    def __init__(self, decoder: str, pixel_aspect: Fraction, open_hardware: OpenDecoder) -> None:
        self._name = decoder
        self._pixel_aspect = pixel_aspect
        self._open_hardware: OpenDecoder | None = open_hardware if decoder == _H264 else None
        self._hardware: PictureDecoder | None = None
        self._software: Decoder | None = None
        self._squares = Squares()
        self._sets: dict[tuple[int, int], bytes] = {}
        """Parameter sets (NAL units) by type and identity: the last of each."""
        self._said: SequenceParameters | None = None
        """By the last key frame's parameter sets."""
        self._rests_until = float("-inf")
        self._before = b""
        """What came for the next picture, for hardware."""

    def restart(self) -> None:
        """Forget what came: another source begins."""
        self._close_hardware()
        self._software, self._said, self._before = None, None, b""
        self._sets = {}

    def decode(self, picture: CodedPicture, parameters: bytes = b"") -> tuple[av.VideoFrame | None, bool]:
        """Give a picture with *parameters* before it, if one came of it, and whether all went well."""
        data = parameters + picture.data
        if self._open_hardware is None:
            return self._in_software(data)
        new = self._keep_sets(data)
        if picture.key_frame:
            self._choose()
        if self._hardware is None:
            return self._in_software(data)
        if not picture.has_picture:
            self._before = (self._before + data)[:_MOST_KEPT]
            return None, True
        try:
            frame, good = self._hardware.decode(self._for_hardware(self._before + data, new, picture.key_frame))
        except DeviceError as error:
            return self._go_on_without(str(error), data, picture)
        finally:
            self._before = b""
        if not good and picture.key_frame and not picture.damaged:
            return self._go_on_without("it does not decode this stream", data, picture)
        return (None if frame is None else self._described(frame)), good

    def square(self, frame: av.VideoFrame) -> av.VideoFrame:
        """See `Decoder.square`."""
        if self._software is not None:
            return self._software.square(frame)
        said = self._said.aspect if self._said is not None else None
        return self._squares.square(frame, said or self._pixel_aspect)

    def close(self) -> None:
        """Release the hardware."""
        self._close_hardware()
        self._open_hardware = None

    def _in_software(self, data: bytes) -> tuple[av.VideoFrame | None, bool]:
        if self._software is None:
            self._software = Decoder(self._name, self._pixel_aspect)
        return self._software.decode(data)

    def _choose(self) -> None:
        """Open the hardware's decoder if it decodes what begins here, and close the one that does not."""
        said = self._spoken()
        if said is None or said == self._said:
            return
        self._close_hardware()
        self._said, now = None, time.monotonic()
        if now < self._rests_until:
            return
        self._said, self._rests_until = said, now + REST
        if said.plain and said.coded_width * said.coded_height <= MAX_PIXELS and self._open_hardware is not None:
            try:
                self._hardware = self._open_hardware(said.width, said.height)
            except DeviceError as error:
                logger.info("Decoding in software: %s", error)
        if self._hardware is not None:
            self._software = None
            logger.info("Decoding %dx%d in hardware", said.width, said.height)

    def _spoken(self) -> SequenceParameters | None:
        """What the parameter sets say; None: there are none, or it can't be told."""
        sequence = [unit for unit in self._sets.values() if unit[0] & 0x1F == SPS]
        if len(sequence) != 1:
            return None
        try:
            return h264_parameters.read(sequence[0])
        except DecodeError as error:
            logger.debug("Parameter sets that can't be read: %s", error)
            return None

    def _keep_sets(self, data: bytes) -> bool:
        """Keep the parameter sets that stand before the picture; whether there are any."""
        found = False
        for unit in _before_slices(data)[0]:
            kind = unit[0] & 0x1F
            if kind == SPS and not found:
                self._sets = {}  # what belonged to those before
            if kind in (SPS, PPS) and sum(map(len, self._sets.values())) + len(unit) <= _MOST_KEPT:
                self._sets[kind, _identity(unit)] = unit
                found = True
        return found

    def _for_hardware(self, data: bytes, new: bool, key_frame: bool) -> bytes:
        """The access unit as hardware gets it, with all parameter sets where it begins."""
        if not (new or key_frame):
            return data
        said, units = self._said, list(self._sets.values())
        if said is not None and said.never_reorders and not said.restricted:
            units = [h264_parameters.without_reordering(u) if u[0] & 0x1F == SPS else u for u in units]
        return b"".join(_LONG_START + unit for unit in units) + data[_before_slices(data)[1] :]

    def _described(self, frame: av.VideoFrame) -> av.VideoFrame:
        """With its colours as the stream says them."""
        if self._said is not None:
            if self._said.matrix in _KNOWN_MATRICES:
                frame.colorspace = self._said.matrix
            if self._said.full_range is not None:
                frame.color_range = _FULL if self._said.full_range else _LIMITED
        return frame

    def _go_on_without(self, reason: str, data: bytes, picture: CodedPicture) -> tuple[av.VideoFrame | None, bool]:
        logger.warning("The hardware decoder is given up: %s", reason)
        self._close_hardware()
        self._open_hardware = None
        sets = b"".join(_LONG_START + unit for unit in self._sets.values())
        frame, good = self._in_software(sets + data)
        return frame, good and picture.key_frame

    def _close_hardware(self) -> None:
        if self._hardware is not None:
            self._hardware.close()
            self._hardware = None


def _before_slices(data: bytes) -> tuple[list[bytes], int]:
    """The NAL units before the first slice, and where its start code is (where there is none: the end)."""
    units: list[bytes] = []
    place = data.find(_START)
    while 0 <= place < len(data) - len(_START):
        if data[place + len(_START)] & 0x1F in _SLICES:
            return units, place
        end = data.find(_START, place + len(_START))
        unit = data[place + len(_START) : end if end >= 0 else len(data)].rstrip(b"\0")
        if unit:
            units.append(unit)
        place = end
    return units, len(data)


def _identity(unit: bytes) -> int:
    """seq_parameter_set_id or pic_parameter_set_id, of those that are allowed at least (H.264 7.4.2.1.1: up to 31)."""
    place = 4 if unit[0] & 0x1F == SPS else 1
    value = int.from_bytes(unit[place : place + 2].ljust(2, b"\0"), "big")
    zeros = 16 - value.bit_length()
    return (value >> 15 - 2 * zeros) - 1 if zeros <= 7 else 0
