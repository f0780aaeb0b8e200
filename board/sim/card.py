"""The moving test card: a picture to look at and to measure with.

It names its unit, shows the time since its start to people and a frame counter to machines (`counter`), has colour bars
to judge colours by, a dial that turns once a second to judge smoothness by, and a waving ribbon that gives an encoder
about as much to do as people in a room.

Rule 1: a picture is a function of the frame counter alone, so two cards of the same settings are alike.
Rule 2: what stands still is drawn once; a frame then costs slices of prepared rows, no arithmetic on pixels.
Rule 3: colours are BT.601, limited range, as everywhere between board and firmware.
"""

from __future__ import annotations

import math
import random

import av
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image, ImageColor, ImageDraw, ImageFont

from board.picture import to_frame
from board.sim.counter import MODULES, card_number, modules

LEAST_WIDTH, LEAST_HEIGHT = 320, 180
"""Pixels: below, the counter's bars are too thin to survive a codec."""

_BLACK, _WHITE = 16, 235  # luma of limited range
_BARS = ("#bfbfbf", "#bfbf00", "#00bfbf", "#00bf00", "#bf00bf", "#bf0000", "#0000bf")  # EBU 75 %
_INK = "#f4f6f8"
_MOST_PHASES = 60  # of the dial
_DRIFT = 1 / 12  # of the ribbon, in widths of the picture a second
_WAVE_TIME = 3.0  # s that a crest takes from the ribbon's top to its bottom
_WAVE_HEIGHT = 1 / 50  # in widths of the picture


class Card:
    """The card in one size, or the nearest that can be: at least 320 by 180, and even."""

    def __init__(
        self, width: int, height: int, frame_rate: int, label: str = "Visavis", color: str = "#1d4f7c"
    ) -> None:
        width = self.width = max(LEAST_WIDTH, width) // 2 * 2
        self.height = max(LEAST_HEIGHT, height) // 2 * 2
        self.frame_rate = frame_rate
        self._number = card_number(label)
        self._module = width // 80
        self._panel = ImageColor.getrgb(color)[:3]
        self._lay_out()
        still = _yuv(self._draw_still(label))
        self._strides = [plane.line_size for plane in still.planes]
        self._planes = [bytearray(plane) for plane in still.planes]
        self._glyphs = self._draw_glyphs()
        self._phases = min(frame_rate, _MOST_PHASES)
        self._dial: dict[int, list[bytes]] = {}  # drawn when first shown: a call's first picture must not wait for it
        self._ribbon = [_tiled_rows(plane) for plane in _yuv(self._weave_ribbon()).planes]
        self._waves = self._plan_waves()

    def picture(self, number: int, seconds: float = 0.0) -> av.VideoFrame:  # noqa: ARG002
        """The frame of this number, which is its counter: a new one each time, without a time stamp."""
        self._update(number)
        frame = av.VideoFrame(self.width, self.height, "yuv420p")
        for plane, rows in zip(frame.planes, self._planes, strict=True):
            memoryview(plane)[:] = rows
        frame.colorspace = Colorspace.ITU601
        frame.color_range = ColorRange.MPEG
        return frame

    def close(self) -> None:
        """Nothing is open."""

    def _update(self, counter: int) -> None:
        self._update_code(counter)
        self._update_clock(counter)
        phase = counter * self._phases // self.frame_rate % self._phases
        if phase not in self._dial:
            self._dial[phase] = self._draw_dial(phase)
        self._put(self._dial[phase], *self._dial_place)
        self._update_ribbon(counter)

    def _lay_out(self) -> None:
        """Places in pixels, (x, y, width, height), from fractions of the picture."""
        width, height = self.width, self.height
        self._margin = width // 20
        self._strip_top, self._bars_top, self._ribbon_top = (round(height * part) * 2 for part in (0.20, 0.28, 0.36))
        self._clock_size = round(height * 0.11)
        self._clock_place = (self._margin, round(height * 0.245))
        dial = round(height * 0.29 / 2) * 2
        self._dial_size = dial
        self._dial_place = (width - self._margin - dial, round((self._strip_top - dial) / 2))
        self._code_place = ((width - MODULES * self._module) // 2, self._strip_top + round(height * 0.035))
        self._code_height = round(height * 0.09)

    def _draw_still(self, label: str) -> Image.Image:
        image = Image.new("RGB", (self.width, self.height), self._panel)
        draw = ImageDraw.Draw(image)
        room = self._dial_place[0] - 2 * self._margin
        title = _font_to_fit(label, self.height * 0.105, room)
        draw.text((self._margin, self.height * 0.125), label, _INK, title, anchor="ls")
        words = f"Visavis test card   {self.width} x {self.height}   {self.frame_rate}/s"
        small = _font_to_fit(words, self.height * 0.036, room)
        draw.text(
            (self._margin, self.height * 0.195), words, _mix(self._panel, (255, 255, 255), 0.65), small, anchor="ls"
        )
        for number, color in enumerate(_BARS):
            left, right = (round(self.width * n / len(_BARS)) for n in (number, number + 1))
            draw.rectangle((left, self._bars_top, right, self._ribbon_top), color)
        draw.rectangle((0, self._strip_top, self.width, self._bars_top - 1), "#ffffff")
        return image

    def _draw_glyphs(self) -> dict[str, list[bytes]]:
        """Digits as rows of luma, all of one width so that the clock does not tremble."""
        font = _font(self._clock_size)
        cells = {glyph: font.getlength("0") for glyph in "0123456789"} | {":": font.getlength("0") * 0.55}
        glyphs = {}
        for glyph, advance in cells.items():
            cell = Image.new("RGB", (round(advance / 2) * 2, self._clock_size), self._panel)
            ImageDraw.Draw(cell).text((cell.width / 2, self._clock_size * 0.86), glyph, _INK, font, anchor="ms")
            glyphs[glyph] = _luma_rows(cell)
        return glyphs

    def _draw_dial(self, phase: int) -> list[bytes]:
        """The dial when its hand has gone ``phase`` of a turn, as rows of luma."""
        size, fine = self._dial_size, 2  # drawn twice as large, for smooth edges
        dial = Image.new("RGB", (size * fine, size * fine), self._panel)
        draw = ImageDraw.Draw(dial)
        edge = size * fine - 1
        angle = phase * 360 / self._phases
        draw.ellipse((0, 0, edge, edge), _mix(self._panel, (0, 0, 0), 0.45))
        draw.pieslice((0, 0, edge, edge), -90, -90 + angle, _mix(self._panel, (255, 255, 255), 0.45))
        rim = size * fine * 0.035
        draw.ellipse((0, 0, edge, edge), outline=_INK, width=round(rim))
        centre = edge / 2
        x, y = math.sin(math.radians(angle)), -math.cos(math.radians(angle))
        tip = (centre + x * (centre - rim), centre + y * (centre - rim))
        draw.line((centre, centre, *tip), _INK, round(rim))
        draw.ellipse((centre - rim, centre - rim, centre + rim, centre + rim), _INK)
        return _luma_rows(dial.resize((size, size), Image.Resampling.BOX))

    def _weave_ribbon(self) -> Image.Image:
        """One length of the ribbon, as wide as the picture and without a seam: clouds in the unit's colour."""
        width, height = self.width // 2 * 2, self.height - self._ribbon_top
        rng = random.Random(self._number)
        clouds = Image.new("L", (width, height), 128)
        for scale, weight in ((width // 10, 0.5), (width // 40, 0.5), (width // 160 or 2, 0.4)):
            columns, rows = max(2, width // scale), max(2, height // scale + 1)
            grain = Image.frombytes("L", (columns, rows), rng.randbytes(columns * rows))
            seamless = Image.new("L", (columns * 3, rows))
            for n in range(3):
                seamless.paste(grain, (columns * n, 0))
            layer = seamless.resize((width * 3, height), Image.Resampling.BICUBIC).crop((width, 0, width * 2, height))
            clouds = Image.blend(clouds, layer, weight)
        return _colored(clouds, _mix(self._panel, (0, 0, 0), 0.6), _mix(self._panel, (255, 255, 255), 0.75))

    def _plan_waves(self) -> list[list[int]]:
        """For every phase of the wave, how far each row of chroma is pushed sideways, in pixels of chroma."""
        rows = (self.height - self._ribbon_top) // 2
        reach = self.width * _WAVE_HEIGHT / 2
        phases = round(_WAVE_TIME * self.frame_rate)
        return [
            [round(reach * math.sin(2 * math.pi * (row / rows * 1.5 - phase / phases))) for row in range(rows)]
            for phase in range(phases)
        ]

    def _update_code(self, counter: int) -> None:
        bars = {"1": bytes([_BLACK]) * self._module, "0": bytes([_WHITE]) * self._module}
        row = b"".join([bars[module] for module in modules(self._number, counter)])
        self._put([row] * self._code_height, *self._code_place)

    def _update_clock(self, counter: int) -> None:
        seconds, frame = divmod(counter, self.frame_rate)
        text = f"{seconds // 3600 % 100:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frame:02}"
        glyphs = [self._glyphs[character] for character in text]
        self._put([b"".join(rows) for rows in zip(*glyphs, strict=True)], *self._clock_place)

    def _put(self, rows: list[bytes], x: int, y: int) -> None:
        luma, stride = self._planes[0], self._strides[0]
        width = len(rows[0])
        start = y * stride + x
        for row in rows:
            luma[start : start + width] = row
            start += stride

    def _update_ribbon(self, counter: int) -> None:
        wave = self._waves[counter % len(self._waves)]
        half = self.width // 2
        drift = round(counter * self.width * _DRIFT / self.frame_rate / 2)
        for index, (plane, stride, rows) in enumerate(zip(self._planes, self._strides, self._ribbon, strict=True)):
            scale = 2 if index == 0 else 1  # pixels of luma to one of chroma
            width = half * scale
            start = self._ribbon_top // 2 * scale * stride
            for number, row in enumerate(rows):
                shift = (drift + wave[number // scale]) % half * scale
                plane[start : start + width] = row[shift : shift + width]
                start += stride


def _yuv(image: Image.Image) -> av.VideoFrame:
    return to_frame(image).reformat(format="yuv420p", dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.MPEG)


def _luma_rows(image: Image.Image) -> list[bytes]:
    frame = _yuv(image)
    plane = frame.planes[0]
    rows = bytes(plane)
    return [rows[y * plane.line_size :][: frame.width] for y in range(frame.height)]


def _tiled_rows(plane: av.video.plane.VideoPlane) -> list[bytes]:
    """The rows of a plane, each twice in a row, so that a slice may begin anywhere."""
    rows = bytes(plane)
    return [rows[y * plane.line_size :][: plane.width] * 2 for y in range(plane.height)]


def _font_to_fit(text: str, size: float, room: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    font = _font(size)
    length = font.getlength(text)
    return font if length <= room else _font(size * room / length)


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The machine's DejaVu Sans, which has most of the world's letters, else Pillow's own, which has those of ASCII."""
    try:
        return ImageFont.truetype("DejaVuSans.ttf", size)
    except OSError:
        return ImageFont.load_default(size)


def _mix(color: tuple[int, ...], other: tuple[int, ...], part: float) -> tuple[int, ...]:
    return tuple(round(a + (b - a) * part) for a, b in zip(color, other, strict=True))


def _colored(grey: Image.Image, dark: tuple[int, ...], light: tuple[int, ...]) -> Image.Image:
    """The picture with dark for black and light for white."""
    channels = [
        grey.point([round(a + (b - a) * value / 255) for value in range(256)]) for a, b in zip(dark, light, strict=True)
    ]
    return Image.merge("RGB", channels)
