"""A conference camera behind USB, from the inside: motors, a lens, and an encoder where that is wanted.

``python -m hil.conference_camera motors|deaf|digital|jpeg|encoder|stubborn|tiring|split``: is one until it is ended,
which pulls it out.
What it sees is one colour that says where it looks: the brighter the more to the right, the bluer the higher, the
redder the nearer.  `ConferenceCamera` is its plug.

Deaf motors do not hear it the first times when they are to stop.

An encoder is libx264, told what to do as the class "H.264 Payload" 1.0 says; a stubborn one makes no key frame when it
is told to, and a tiring one nothing at all after a while.  A split camera gives what it encodes by a stream of its own.

Descriptors and requests are those of the USB Video Class 1.1, tables in brackets.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.driver import load
from hil.gadget import CONTROL, Gadget, Setup
from hil.waiting import wait_for

if TYPE_CHECKING:
    from hil.encoding import Encoder

WIDTH, HEIGHT, RATE = 320, 180, 15
NAME = "Conference camera"
_VIDEO, _CONTROL_INTERFACE, _STREAMING, _CODED_STREAMING = 0x0E, 0, 1, 2
_TERMINAL, _OUTPUT, _EXTENSION, _CODED_OUTPUT = 1, 2, 3, 4
_ENDPOINTS = {_STREAMING: 0x81, _CODED_STREAMING: 0x86}
"""By interface, as dummy_hcd has them for bulk."""
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

ENCODERS = ("encoder", "stubborn", "tiring", "split")
MOTORS = ("motors", "deaf")
UNHEARD = range(2, 6)
"""Which requests of a speed deaf motors refuse: the first two let them begin, along one axis and the other."""
REFUSED = (0,)
"""What `ConferenceCamera.told` has in the place of such a request."""
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
    if kind in MOTORS:
        # Of the least speed the kernel makes, by its sign, the most to the other side: cameras say the same twice.
        made[PAN_TILT_SPEED] = Control("<bBbB", (0, 24, 0, 20), (0, 24, 0, 20), (0, 1, 0, 1))
        made[PAN_TILT_SPEED].value = (0, 0, 0, 0)
    return made


def descriptors(kind: str) -> tuple[bytes, bytes, dict[int, bytes]]:
    """The device's, its configuration's, and its endpoints' by interface."""
    device = struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x0200, 0xEF, 2, 1, 64, 0x1D6B, 0x0102, 0x0100, 1, 2, 0, 1)
    encodes = kind in ENCODERS
    moves = 1 << 9 | 1 << 11 | (kind in MOTORS) << 12  # zoom, pan and tilt, pan and tilt by speed (table 3-6)
    terminal = struct.pack("<BBBBHBBHHHB", 18, 0x24, 2, _TERMINAL, 0x0201, 0, 0, 0, 0, 0, 3) + moves.to_bytes(
        3, "little"
    )
    outputs = {_STREAMING: _OUTPUT, **({_CODED_STREAMING: _CODED_OUTPUT} if kind == "split" else {})}
    source = _EXTENSION if encodes else _TERMINAL
    units = terminal
    if encodes:
        # Table 3-15: of its controls there are those of PROBE, COMMIT, PICTURE_TYPE and BITRATE_LAYERS.
        guid = bytes.fromhex("41769ea2 04de e347 8b2b f4341aff003b")
        units += struct.pack("<BBBB16sBBBBHB", 27, 0x24, 6, _EXTENSION, guid, 4, 1, _TERMINAL, 2, 0x2103, 0)
    for output in outputs.values():
        units += struct.pack("<BBBBHBBB", 9, 0x24, 3, output, 0x0101, 0, source, 0)
    length = 12 + len(outputs)
    header = struct.pack("<BBBHHIB", length, 0x24, 1, 0x0110, length + len(units), 48_000_000, len(outputs))
    header += bytes(outputs)
    endpoints = {each: struct.pack("<BBBBHB", 7, 5, _ENDPOINTS[each], 2, 512, 0) for each in outputs}
    parts = [
        struct.pack("<BBBBBBBB", 8, 0x0B, _CONTROL_INTERFACE, 1 + len(outputs), _VIDEO, 3, 0, 2),
        struct.pack("<BBBBBBBBB", 9, 4, _CONTROL_INTERFACE, 0, 0, _VIDEO, 1, 0, 2),
        *(header, units),
    ]
    for interface, output in outputs.items():
        formats = [make(number) for number, make in enumerate(formats_of(kind, interface), 1)]
        length, described = 13 + len(formats), b"".join(formats)
        parts += [
            struct.pack("<BBBBBBBBB", 9, 4, interface, 0, 1, _VIDEO, 2, 0, 2),
            struct.pack(
                *("<BBBBHBBBBBBB", length, 0x24, 1, len(formats), length + len(described), _ENDPOINTS[interface]),
                *(0, output, 0, 0, 0, 1),
            ),
            bytes(len(formats)),
            described,
            endpoints[interface],
        ]
    body = b"".join(parts)
    count = 1 + len(outputs)
    return device, struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), count, 1, 0, 0x80, 0x32) + body, endpoints


def formats_of(kind: str, interface: int) -> list[Callable[[int], bytes]]:
    """What makes the descriptors of a stream's formats, from their numbers; that which is encoded is the last."""
    if interface == _CODED_STREAMING:
        return [_h264]
    if kind == "jpeg":
        return [_jpeg]
    return [_raw, _h264] if kind in ENCODERS and kind != "split" else [_raw]


_YUY2 = bytes.fromhex("59555932 0000 1000 8000 00aa00389b71")


def _raw(number: int) -> bytes:
    size = WIDTH * HEIGHT * 2
    said = struct.pack("<BBBBB16sBBBBBB", 27, 0x24, 4, number, 1, _YUY2, 16, 1, 0, 0, 0, 0)
    said += struct.pack(
        "<BBBBBHHIIIIBI", 30, 0x24, 5, 1, 0, WIDTH, HEIGHT, size * 8, size * 8 * RATE, size, _INTERVAL, 1, _INTERVAL
    )
    return said + bytes([6, 0x24, 0x0D, 1, 1, 4])


def _jpeg(number: int) -> bytes:
    size = WIDTH * HEIGHT * 2
    said = struct.pack("<BBBBBBBBBBB", 11, 0x24, 6, number, 1, 1, 1, 0, 0, 0, 0)
    return said + struct.pack(
        "<BBBBBHHIIIIBI", 30, 0x24, 7, 1, 0, WIDTH, HEIGHT, size, size * 8 * RATE, size, _INTERVAL, 1, _INTERVAL
    )


def _h264(number: int) -> bytes:
    said = struct.pack("<BBBBB16sBBBBBBB", 28, 0x24, 0x10, number, 1, b"H264" + _YUY2[4:], 0, 1, 0, 0, 0, 0, 1)
    return said + struct.pack(
        "<BBBBBHHIIIBII", 30, 0x24, 0x11, 1, 0, WIDTH, HEIGHT, 64_000, 8_000_000, _INTERVAL, 1, 0, _INTERVAL
    )


class Stream:
    """What a camera gives by one interface."""

    def __init__(self, coded_format: int) -> None:
        self.coded_format = coded_format
        """The number of the format that is encoded; 0: there is none."""
        self.encoder: Encoder | None = None
        """While it encodes."""
        self.made = 0
        """Pictures that it encoded since it was told to begin."""
        self.agree(1)

    def agree(self, form: int) -> None:
        """Take the format that is to be given."""
        self._format = form
        self.agreed = struct.pack("<HBBI10xII8x", 1, form, 1, _INTERVAL, WIDTH * HEIGHT * 2, _PAYLOAD)

    def commit(self) -> None:
        """Begin to give it."""
        self.encoder, self.made = None, 0
        if self._format == self.coded_format:
            from hil.encoding import Encoder  # which takes a second

            self.encoder = Encoder(WIDTH, HEIGHT, RATE)


class Inside:
    """The camera's own software."""

    def __init__(self, kind: str) -> None:
        self._gadget = Gadget()
        self._controls = controls(kind)
        self._device, self._configuration, self._endpoints = descriptors(kind)
        forms = {interface: formats_of(kind, interface) for interface in self._endpoints}
        self._streams = {each: Stream(len(made) if made[-1] is _h264 else 0) for each, made in forms.items()}
        self._configured = False
        self._obeys = kind != "stubborn"
        self._unheard = UNHEARD if kind == "deaf" else range(0)
        self._speeds = 0
        """Requests of a speed."""
        self._jpeg = kind == "jpeg"
        self._endurance = ENDURANCE if kind == "tiring" else sys.maxsize
        self._key_frame_wanted = False

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
            if not self._configured:
                self._configured = True
                for stream, pipe in zip(
                    self._streams.values(), self._gadget.configure(self._endpoints.values()), strict=True
                ):
                    threading.Thread(target=self._give, args=(stream, pipe), daemon=True).start()
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
        if interface in self._streams:
            stream = self._streams[interface]
            if selector not in (_PROBE, _COMMIT):
                raise KeyError(selector)
            if setup.to_host:
                said = {_GET_INFO: b"\x03", _GET_LEN: b"\x22\0"}.get(setup.request, stream.agreed)
                self._gadget.answer(setup, said)
            else:
                stream.agree(self._gadget.take(setup)[2])
                if selector == _COMMIT:
                    stream.commit()
            return
        if entity == _EXTENSION:
            selector += 0x100
        elif entity != _TERMINAL:
            raise KeyError(entity)
        control = self._controls[selector]
        if setup.to_host:
            self._gadget.answer(setup, control.answer(setup.request))
        else:
            if selector == PAN_TILT_SPEED:
                self._speeds += 1
                if self._speeds - 1 in self._unheard:
                    print(*REFUSED, flush=True)
                    raise KeyError(selector)
            control.set(self._gadget.take(setup))
            self._key_frame_wanted |= selector == PICTURE_TYPE and self._obeys
            said = control.value
            if selector in (CONFIGURE, COMMIT):  # frame interval, bitrate, width, height, profile
                said = struct.unpack_from("<II4xHH4xH", said[0])
            print(selector, *said, flush=True)

    def _give(self, stream: Stream, pipe: int) -> None:
        frame, due = 0, time.monotonic()
        while True:
            pan, tilt = self._controls[PAN_TILT].value
            (zoom,) = self._controls[ZOOM].value
            y, cb, cr = 126 + pan * 100 // (150 * DEGREE), 128 + tilt * 100 // (90 * DEGREE), 128 + (zoom - 100) // 4
            pixels = bytes([y, cb, y, cr]) * (WIDTH * HEIGHT // 2)
            if stream.encoder is not None:
                pixels = b""
                if stream.made < self._endurance:
                    wanted, self._key_frame_wanted = self._key_frame_wanted, False
                    pixels = stream.encoder.encode((y, cb, cr), key_frame=wanted)
                stream.made += 1
            elif self._jpeg:
                from hil.encoding import jpeg

                pixels = jpeg(WIDTH, HEIGHT, (y, cb, cr))
            elif stream.coded_format == 1:
                pixels = b""  # nobody has told it to begin
            frame ^= 1
            for start in range(0, len(pixels), _PAYLOAD - 2):
                part = pixels[start : start + _PAYLOAD - 2]
                last = start + len(part) == len(pixels)
                self._gadget.write(pipe, bytes([2, 0x80 | last << 1 | frame]) + part)  # 2.4.3.3
            due = max(due + 1 / RATE, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))


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
        return next(iter(self._nodes()), None)

    def nodes(self) -> list[Path]:
        """By which nodes it gives pictures; beside each there is one of metadata."""
        from board.pi import v4l2  # which it has no use for itself
        from board.pi.v4l2_device import Device

        found = []
        for path in self._nodes():
            device = Device(path)
            if device.capability().device_caps & v4l2.CAP_VIDEO_CAPTURE:
                found.append(path)
            device.close()
        return found

    def _nodes(self) -> list[Path]:
        found = []
        for path in Path("/sys/class/video4linux").glob("video*/name"):
            with suppress(OSError):  # it is just going
                if path.read_text().startswith(NAME):
                    found.append(Path("/dev") / path.parent.name)
        return sorted(found, key=lambda path: int(path.name[5:]))

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
