"""The H.264 decoder: libav's own, in one thread, picture by picture.

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

    def __init__(self) -> None:
        context = av.CodecContext.create("h264", "r")
        assert isinstance(context, av.VideoCodecContext)
        context.thread_count = 1
        context.flags |= Flags.low_delay
        context.options = {"max_pixels": str(MAX_PIXELS)}
        self._context = context

    def decode(self, access_unit: bytes) -> tuple[av.VideoFrame | None, bool]:
        """Give the last picture of an access unit (Annex B), if one came, and whether all went well."""
        if not access_unit:
            return None, False  # libav takes an empty packet for the end of the stream
        try:
            frames = self._context.decode(av.Packet(access_unit))
        except (FFmpegError, ValueError):
            return None, False
        return (frames[-1] if frames else None), not any(frame.is_corrupt for frame in frames)
