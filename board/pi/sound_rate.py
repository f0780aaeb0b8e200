"""Sound of one rate made sound of another, on libswresample.

ALSA's own conversion draws straight lines between samples: what a card of 16 kHz can't play is heard as something else.
"""

from __future__ import annotations

from collections.abc import Callable

Convert = Callable[[bytes], bytes]
"""Gives all of the sound, mono of 16 bits, that what came until now makes; a millisecond of it stays behind."""


def converter(rate: int, wanted: int) -> Convert:
    """A converter from one rate to another, Hz."""
    if rate == wanted:
        return bytes
    import av  # only where it is needed
    from av.audio.resampler import AudioResampler

    resampler = AudioResampler("s16", "mono", wanted)

    def convert(sound: bytes) -> bytes:
        frame = av.AudioFrame("s16", "mono", len(sound) // 2)
        frame.sample_rate = rate
        frame.planes[0].update(sound)
        return b"".join(bytes(piece.planes[0])[: piece.samples * 2] for piece in resampler.resample(frame))

    return convert
