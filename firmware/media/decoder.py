"""Video decoders: libav's own, in one thread, picture by picture.

It conceals what is missing and says so (`Decoder.decode` tells a damaged picture from a whole one); whether such a
picture is shown is for the receiver to decide.
"""

from __future__ import annotations

import av
from av.codec.context import Flags
from av.error import FFmpegError

MAX_PIXELS = 1920 * 1088
"""A larger picture is refused before memory is taken for it, whatever the parameter sets say."""


class Decoder:
    """One stream's decoder."""

    def __init__(self, name: str) -> None:
        """*name* is libav's."""
        context = av.CodecContext.create(name, "r")
        assert isinstance(context, av.VideoCodecContext)
        context.thread_count = 1
        context.flags |= Flags.low_delay
        context.options = {"max_pixels": str(MAX_PIXELS)}
        self._context = context

    def decode(self, picture: bytes) -> tuple[av.VideoFrame | None, bool]:
        """Give a picture (H.264: an access unit as Annex B), if one came of it, and whether all went well."""
        if not picture:
            return None, False  # libav takes an empty packet for the end of the stream
        try:
            frames = self._context.decode(av.Packet(picture))
        except (FFmpegError, ValueError):
            return None, False
        return (frames[-1] if frames else None), not any(frame.is_corrupt for frame in frames)
