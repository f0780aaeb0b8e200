"""Video decoders: libav's own, in one thread, picture by picture, and what makes square pixels.

It conceals what is missing and says so (`Decoder.decode` tells a damaged picture from a whole one); whether such a
picture is shown is for the receiver to decide.
"""

from __future__ import annotations

from fractions import Fraction

import av
from av.codec.context import Flags
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter

MAX_PIXELS = 1920 * 1088
"""A larger picture is refused before memory is taken for it, whatever the parameter sets say."""


MOST_ASPECT = 3
"""A pixel that is said to be more times as wide as high, or as high as wide, is taken for a square."""


class Decoder:
    """One stream's decoder."""

    def __init__(self, name: str, pixel_aspect: Fraction = Fraction(1)) -> None:
        """*name* is libav's; *pixel_aspect* a pixel's width to its height where the stream doesn't say it."""
        context = av.CodecContext.create(name, "r")
        assert isinstance(context, av.VideoCodecContext)
        context.thread_count = 1
        context.flags |= Flags.low_delay
        context.options = {"max_pixels": str(MAX_PIXELS)}
        self._context = context
        self._pixel_aspect = pixel_aspect
        self._squares = Squares()

    def decode(self, picture: bytes) -> tuple[av.VideoFrame | None, bool]:
        """Give a picture (H.264: an access unit as Annex B), if one came of it, and whether all went well."""
        if not picture:
            return None, False  # libav takes an empty packet for the end of the stream
        try:
            frames = self._context.decode(av.Packet(picture))
        except (FFmpegError, ValueError):
            return None, False
        return (frames[-1] if frames else None), not any(frame.is_corrupt for frame in frames)

    def square(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Give the picture decoded last with square pixels, as everybody takes them who looks at it."""
        return self._squares.square(frame, self._context.sample_aspect_ratio or self._pixel_aspect)


class Squares:
    """Makes the pixels of one stream's pictures square."""

    def __init__(self) -> None:
        self._reformatter: VideoReformatter | None = None

    def square(self, frame: av.VideoFrame, aspect: Fraction) -> av.VideoFrame:
        """Give the picture, whose pixels have this width to their height, with square ones."""
        if aspect == 1 or not Fraction(1, MOST_ASPECT) <= aspect <= MOST_ASPECT:
            return frame
        width = round(frame.width * aspect / 2) * 2
        if width * frame.height > MAX_PIXELS:
            return frame
        if self._reformatter is None:
            self._reformatter = VideoReformatter()
        return self._reformatter.reformat(frame, width, frame.height, frame.format.name)
