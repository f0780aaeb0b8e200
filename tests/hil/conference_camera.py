"""A conference camera behind USB, from the inside: motors, a lens, and an encoder where that is wanted.

``python -m hil.conference_camera motors|digital|encoder|stubborn|tiring``: is one until it is ended, which pulls it
out.
What it sees is one colour that says where it looks: the brighter the more to the right, the bluer the higher, the
redder the nearer.  `ConferenceCamera` is its plug.

An encoder is libx264, told what to do as the class "H.264 Payload" 1.0 says; a stubborn one makes no key frame when it
is told to, and a tiring one nothing at all after a while.

Descriptors and requests are those of the USB Video Class 1.1, tables in brackets.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.video.frame import PictureType
from hil.driver import load
from hil.gadget import CONTROL, Gadget, Setup
from hil.waiting import wait_for

WIDTH, HEIGHT, RATE = 320, 180, 15
NAME = "Conference camera"
_VIDEO, _CONTROL_INTERFACE, _STREAMING = 0x0E, 0, 1
_TERMINAL, _OUTPUT, _EXTENSION = 1, 2, 3
_PROBE, _COMMIT = 1, 2
_PAYLOAD = 16_384
_INTERVAL = 10_000_000 // RATE
"""100 ns."""
_SET_CUR, _GET_CUR, _GET_MIN, _GET_MAX, _GET_RES, _GET_LEN, _GET_INFO, _GET_DEF = 0x01, *range(0x81, 0x88)

ZOOM, PAN_TILT, PAN_TILT_SPEED = 0x0B, 0x0D, 0x0E
"""Selectors of a camera terminal's controls (table A-12)."""
CONFIGURE, COMMIT, PICTURE_TYPE, BITRATE = 0x101, 0x102, 0x109, 0x10E
"""Selectors of the encoder's, and 256."""
DEGREE = 3600

ENCODERS = ("encoder", "stubborn", "tiring")
ENDURANCE = 4 * RATE
"""Pictures that a tiring encoder makes at a time."""
Values = tuple[Any, ...]


class Control:
    """What a control is (by its struct format), may be and stands at."""

    def __init__(self, form: str, least: Values, most: Values, step: Values) -> None:
        self.value = tuple(
            0 if isinstance(low, int) and low <= 0 <= high else low for low, high in zip(least, most, strict=True)
        )
        self._form = form
        default = self.value
        self._limits = {_GET_MIN: least, _GET_MAX: most, _GET_RES: step, _GET_DEF: default}

    def answer(self, request: int) -> bytes:
        if request == _GET_INFO:
            return b"\x03"  # it can be read and set
        if request == _GET_LEN:
            return struct.pack("<H", struct.calcsize(self._form))
        return struct.pack(self._form, *self._limits.get(request, self.value))

    def set(self, data: bytes) -> None:
        self.value = struct.unpack(self._form, data)


def controls(kind: str) -> dict[int, Control]:
    """By selector.  One without motors pans and tilts by choosing a part of its picture."""
    reach = 150 * DEGREE, 90 * DEGREE
    made = {
        ZOOM: Control("<H", (100,), (500,), (1,)),
        PAN_TILT: Control("<ii", (-reach[0], -30 * DEGREE), reach, (DEGREE, DEGREE)),
    }
    if kind in ENCODERS:
        made[CONFIGURE] = made[COMMIT] = Control("<46s", (bytes(46),), (bytes(46),), (bytes(46),))
        made[PICTURE_TYPE] = Control("<HH", (0, 0), (0, 2), (0, 1))
        made[BITRATE] = Control("<HII", (0, 64_000, 64_000), (0, 8_000_000, 8_000_000), (0, 1, 1))
    if kind == "motors":
        # Of the least speed the kernel makes, by its sign, the most to the other side: cameras say the same twice.
        made[PAN_TILT_SPEED] = Control("<bBbB", (0, 24, 0, 20), (0, 24, 0, 20), (0, 1, 0, 1))
        made[PAN_TILT_SPEED].value = (0, 0, 0, 0)
    return made


def descriptors(kind: str) -> tuple[bytes, bytes, bytes]:
    """The device's, its configuration's, and its endpoint's."""
    device = struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x0200, 0xEF, 2, 1, 64, 0x1D6B, 0x0102, 0x0100, 1, 2, 0, 1)
    endpoint = struct.pack("<BBBBHB", 7, 5, 0x81, 2, 512, 0)
    encodes = kind in ENCODERS
    moves = 1 << 9 | 1 << 11 | (kind == "motors") << 12  # zoom, pan and tilt, pan and tilt by speed (table 3-6)
    terminal = struct.pack("<BBBBHBBHHHB", 18, 0x24, 2, _TERMINAL, 0x0201, 0, 0, 0, 0, 0, 3) + moves.to_bytes(
        3, "little"
    )
    output = struct.pack("<BBBBHBBB", 9, 0x24, 3, _OUTPUT, 0x0101, 0, _EXTENSION if encodes else _TERMINAL, 0)
    # Table 3-15: of its controls there are those of PROBE, COMMIT, PICTURE_TYPE and BITRATE_LAYERS.
    guid = bytes.fromhex("41769ea2 04de e347 8b2b f4341aff003b")
    extension = struct.pack("<BBBB16sBBBBHB", 27, 0x24, 6, _EXTENSION, guid, 4, 1, _TERMINAL, 2, 0x2103, 0)
    units = terminal + (extension if encodes else b"") + output
    header = struct.pack("<BBBHHIBB", 13, 0x24, 1, 0x0110, 13 + len(units), 48_000_000, 1, _STREAMING)
    yuy2 = bytes.fromhex("59555932 0000 1000 8000 00aa00389b71")
    size = WIDTH * HEIGHT * 2
    raw = struct.pack("<BBBBB16sBBBBBB", 27, 0x24, 4, 1, 1, yuy2, 16, 1, 0, 0, 0, 0)
    raw += struct.pack(
        "<BBBBBHHIIIIBI", 30, 0x24, 5, 1, 0, WIDTH, HEIGHT, size * 8, size * 8 * RATE, size, _INTERVAL, 1, _INTERVAL
    )
    raw += bytes([6, 0x24, 0x0D, 1, 1, 4])
    formats = 1
    if encodes:
        formats = 2
        h264 = b"H264" + yuy2[4:]
        raw += struct.pack("<BBBBB16sBBBBBBB", 28, 0x24, 0x10, 2, 1, h264, 0, 1, 0, 0, 0, 0, 1)
        raw += struct.pack(
            "<BBBBBHHIIIBII", 30, 0x24, 0x11, 1, 0, WIDTH, HEIGHT, 64_000, 8_000_000, _INTERVAL, 1, 0, _INTERVAL
        )
    length = 13 + formats
    inputs = struct.pack("<BBBBHBBBBBBB", length, 0x24, 1, formats, length + len(raw), 0x81, 0, _OUTPUT, 0, 0, 0, 1)
    inputs += bytes(formats)
    parts = (
        struct.pack("<BBBBBBBB", 8, 0x0B, _CONTROL_INTERFACE, 2, _VIDEO, 3, 0, 2),
        struct.pack("<BBBBBBBBB", 9, 4, _CONTROL_INTERFACE, 0, 0, _VIDEO, 1, 0, 2),
        *(header, units),
        struct.pack("<BBBBBBBBB", 9, 4, _STREAMING, 0, 1, _VIDEO, 2, 0, 2),
        *(inputs, raw, endpoint),
    )
    body = b"".join(parts)
    return device, struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), 2, 1, 0, 0x80, 0x32) + body, endpoint


class Inside:
    """The camera's own software."""

    def __init__(self, kind: str) -> None:
        self._gadget = Gadget()
        self._controls = controls(kind)
        self._device, self._configuration, self._endpoint = descriptors(kind)
        self._pipe = -1
        self._obeys = kind != "stubborn"
        self._endurance = ENDURANCE if kind == "tiring" else sys.maxsize
        self._encoder: av.VideoCodecContext | None = None
        """While it encodes."""
        self._key_frame_wanted = False
        self._made = 0
        """Pictures that it encoded since it was told to begin."""
        self._agree(1)

    def run(self) -> None:
        """Obey the host until the end."""
        while True:
            kind, setup = self._gadget.event()
            if kind == CONTROL and setup is not None:
                try:
                    self._obey(setup)
                except (KeyError, struct.error):
                    self._gadget.refuse()

    def _obey(self, setup: Setup) -> None:
        if setup.is_class:
            self._obey_class(setup)
        elif setup.to_host and setup.request == 6:  # GET_DESCRIPTOR
            self._gadget.answer(setup, self._describe(setup.value >> 8, setup.value & 0xFF))
        elif setup.request == 9:  # SET_CONFIGURATION
            if self._pipe < 0:
                self._pipe = self._gadget.configure(self._endpoint)
                threading.Thread(target=self._stream, daemon=True).start()
            self._gadget.take(setup)
        elif not setup.to_host:
            self._gadget.take(setup)
        else:
            raise KeyError(setup.request)

    def _describe(self, kind: int, number: int) -> bytes:
        if kind == 3:
            text = ("", "Visavis", NAME)[number].encode("utf-16-le")
            words = text if number else struct.pack("<H", 0x0409)
            return bytes([2 + len(words), 3]) + words
        return {1: self._device, 2: self._configuration, 6: bytes([10, 6, 0, 2, 0xEF, 2, 1, 64, 1, 0])}[kind]

    def _obey_class(self, setup: Setup) -> None:
        selector, interface, entity = setup.value >> 8, setup.index & 0xFF, setup.index >> 8
        if interface == _STREAMING:
            if selector not in (_PROBE, _COMMIT):
                raise KeyError(selector)
            if setup.to_host:
                self._gadget.answer(setup, {_GET_INFO: b"\x03", _GET_LEN: b"\x22\0"}.get(setup.request, self._agreed))
            else:
                self._agree(self._gadget.take(setup)[2])
                if selector == _COMMIT:
                    self._encoder, self._made = open_encoder() if self._format == 2 else None, 0
            return
        if entity == _EXTENSION:
            selector += 0x100
        elif entity != _TERMINAL:
            raise KeyError(entity)
        control = self._controls[selector]
        if setup.to_host:
            self._gadget.answer(setup, control.answer(setup.request))
        else:
            control.set(self._gadget.take(setup))
            self._key_frame_wanted |= selector == PICTURE_TYPE and self._obeys
            said = control.value
            if selector in (CONFIGURE, COMMIT):  # frame interval, bitrate, width, height, profile
                said = struct.unpack_from("<II4xHH4xH", said[0])
            print(selector, *said, flush=True)

    def _agree(self, form: int) -> None:
        self._format = form
        self._agreed = struct.pack("<HBBI10xII8x", 1, form, 1, _INTERVAL, WIDTH * HEIGHT * 2, _PAYLOAD)

    def _stream(self) -> None:
        frame, due = 0, time.monotonic()
        while True:
            pan, tilt = self._controls[PAN_TILT].value
            (zoom,) = self._controls[ZOOM].value
            y, cb, cr = 126 + pan * 100 // (150 * DEGREE), 128 + tilt * 100 // (90 * DEGREE), 128 + (zoom - 100) // 4
            pixels = bytes([y, cb, y, cr]) * (WIDTH * HEIGHT // 2)
            if self._encoder is not None:
                pixels = self._encoded(y, cb, cr) if self._made < self._endurance else b""
                self._made += 1
            frame ^= 1
            for start in range(0, len(pixels), _PAYLOAD - 2):
                part = pixels[start : start + _PAYLOAD - 2]
                last = start + len(part) == len(pixels)
                self._gadget.write(self._pipe, bytes([2, 0x80 | last << 1 | frame]) + part)  # 2.4.3.3
            due = max(due + 1 / RATE, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))

    def _encoded(self, *color: int) -> bytes:
        assert self._encoder is not None
        picture = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, value in zip(picture.planes, color, strict=True):
            memoryview(plane)[:] = bytes([value]) * plane.buffer_size
        if self._key_frame_wanted:
            self._key_frame_wanted = False
            picture.pict_type = PictureType.I
        return b"".join(map(bytes, self._encoder.encode(picture)))


def open_encoder() -> av.VideoCodecContext:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.gop_size = Fraction(1, RATE), Fraction(RATE), 10_000
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "profile": "baseline",
        "forced-idr": "1",
        "level": "4",
    }
    encoder.open()
    return encoder


class ConferenceCamera:
    """Its plug, and what its motors were told."""

    def __init__(self, kind: str) -> None:
        load("dummy_hcd")
        load("raw_gadget")
        load("uvcvideo")
        here = Path(__file__).parents[1]
        command = [sys.executable, "-m", "hil.conference_camera", kind]
        self._inside = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=here)
        self.told: list[tuple[int, ...]] = []
        """Selector and values, in the order of their coming."""
        threading.Thread(target=self._listen, daemon=True).start()
        if not wait_for(lambda: self.node() is not None, 60, 0.05):
            self.unplug()
            raise AssertionError("the kernel does not find the camera")

    def node(self) -> Path | None:
        """Where it is, while it is plugged in."""
        for path in sorted(Path("/sys/class/video4linux").glob("video*/name")):
            with suppress(OSError):  # it is just going
                if path.read_text().startswith(NAME):
                    return Path("/dev") / path.parent.name
        return None

    def unplug(self) -> None:
        """Pull it out."""
        self._inside.kill()
        self._inside.wait()
        assert wait_for(lambda: self.node() is None, 30, 0.05)

    def _listen(self) -> None:
        assert self._inside.stdout is not None
        with self._inside.stdout as lines:
            for line in lines:
                self.told.append(tuple(map(int, line.split())))


if __name__ == "__main__":
    Inside(sys.argv[1]).run()
