"""Sound to payloads and back.

Sound is mono, signed 16 bit, at 48 kHz (`SAMPLE_RATE`) on our side, whatever the codec samples at.  A decoder never
fails for what the far end sent: a payload that makes no sense gives no sound and is concealed like a lost one.
"""

from __future__ import annotations

from array import array
from typing import Literal, Protocol

import av
from av.error import FFmpegError

from firmware.media.codecs import LONGEST_PACKET, MAX_PAYLOAD, AudioCodec, audio_codec
from firmware.ports import BLOCK_TIME, SAMPLE_RATE


class VoiceDecoder(Protocol):
    """Makes sound of payloads, in order."""

    def decode(self, payload: bytes) -> bytes:
        """Give the sound of a payload; b"" where it makes no sense."""

    def conceal(self, samples: int, following: bytes | None = None) -> bytes:
        """Give *samples* of sound in place of lost payloads; *following* is the payload after them, where it came."""


def voice_decoder(name: str) -> VoiceDecoder:
    """Give a new decoder.  CallError: this machine can't decode it."""
    codec = audio_codec(name)
    return OpusDecoder() if codec.decoder == "libopus" else LibavDecoder(codec)


class VoiceEncoder:
    """Makes payloads of sound.  CallError: this machine can't encode it."""

    def __init__(self, name: str, packet_time: float) -> None:
        codec = audio_codec(name)
        packet_time = min(max(round(packet_time / BLOCK_TIME) * BLOCK_TIME, BLOCK_TIME), LONGEST_PACKET)
        if codec.packet_times and round(packet_time, 3) not in codec.packet_times:
            packet_time = 0.020
        self.packet_time = packet_time
        """Seconds of a packet: what was asked for, or the nearest that the codec has."""
        self.packet_bytes = round(SAMPLE_RATE * packet_time) * 2
        """Bytes of sound that `encode` wants."""
        self._rate = codec.sample_rate
        self._want = round(codec.sample_rate * packet_time) * 2
        self._context = _context(codec.encoder, "w", codec)
        self._context.options = {
            name: value.format(samples=self._want // 2, milliseconds=packet_time * 1000)
            for name, value in codec.options.items()
        }
        if codec.bitrate:
            self._context.bit_rate = codec.bitrate
        self._resampler = av.AudioResampler("s16", "mono", self._rate) if self._rate != SAMPLE_RATE else None
        self._sound = bytearray()

    def encode(self, sound: bytes) -> bytes:
        """Give the payload of the next `packet_bytes` of sound; b"" where the encoder gave nothing."""
        if self._resampler is None:
            self._sound += sound
        else:
            for resampled in self._resampler.resample(_frame(sound, SAMPLE_RATE)):
                self._sound += bytes(resampled.planes[0])[: resampled.samples * 2]
        if len(self._sound) < self._want:
            # The resampler keeps a little at its start; silence in its place, else all that follows would be late.
            self._sound[:0] = bytes(self._want - len(self._sound))
        frame = _frame(bytes(self._sound[: self._want]), self._rate)
        del self._sound[: self._want]
        return b"".join(map(bytes, self._context.encode(frame)))


class LibavDecoder:
    """Decodes by libav; conceals by the sound before, fading."""

    FADE = 0.060
    """Seconds until concealment is silent."""
    PATTERN = 0.020
    """Seconds of sound that are repeated."""

    def __init__(self, codec: AudioCodec) -> None:
        self._context = _context(codec.decoder, "r", codec)
        self._rate = codec.sample_rate
        self._resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
        self._first = True
        self._last = b""
        self._concealed = 0

    def decode(self, payload: bytes) -> bytes:
        """See VoiceDecoder."""
        if not 0 < len(payload) <= MAX_PAYLOAD:
            return b""
        sound = bytearray()
        try:
            for frame in self._context.decode(av.Packet(payload)):
                for piece in self._resampler.resample(frame):
                    sound += bytes(piece.planes[0])[: piece.samples * 2]
                if self._first:  # in place of what the resampler keeps, so that packets have their own length
                    self._first = False
                    sound[:0] = bytes(max(frame.samples * SAMPLE_RATE // self._rate * 2 - len(sound), 0))
        except (FFmpegError, ValueError):
            return b""
        self._concealed = 0
        self._last = bytes(sound[-round(self.PATTERN * SAMPLE_RATE) * 2 :])
        return bytes(sound)

    def conceal(self, samples: int, following: bytes | None = None) -> bytes:  # noqa: ARG002
        """See VoiceDecoder."""
        fade = round(self.FADE * SAMPLE_RATE)
        if not self._last or self._concealed >= fade:
            return bytes(samples * 2)
        pattern = array("h", self._last)
        sound = (pattern * (samples // len(pattern) + 1))[:samples]
        at, self._concealed = self._concealed, self._concealed + samples
        return array("h", [s * max(fade - at - n, 0) // fade for n, s in enumerate(sound)]).tobytes()


class OpusDecoder:
    """Decodes by libopus, which conceals by itself and finds a lost packet's copy in the next one (in-band FEC)."""

    def __init__(self) -> None:
        import opuslib_next

        self._error: type[Exception] = opuslib_next.OpusError
        self._decoder = opuslib_next.Decoder(SAMPLE_RATE, 1)

    def decode(self, payload: bytes) -> bytes:
        """See VoiceDecoder."""
        if not 0 < len(payload) <= MAX_PAYLOAD:
            return b""
        return self._decode(payload, round(LONGEST_PACKET * SAMPLE_RATE), fec=False)

    def conceal(self, samples: int, following: bytes | None = None) -> bytes:
        """See VoiceDecoder."""
        samples = min(samples, round(LONGEST_PACKET * SAMPLE_RATE))
        sound = self._decode(following, samples, fec=True) if following else b""
        return sound or self._decode(b"", samples, fec=False) or bytes(samples * 2)

    def _decode(self, payload: bytes, samples: int, fec: bool) -> bytes:
        try:
            sound: bytes = self._decoder.decode(payload, samples, fec)
        except self._error:
            return b""
        return sound


def _context(name: str, mode: Literal["r", "w"], codec: AudioCodec) -> av.AudioCodecContext:
    context = av.CodecContext.create(av.Codec(name, mode))
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate = codec.sample_rate
    context.layout = "mono"
    context.format = "s16"
    context.thread_count = 1
    return context


def _frame(sound: bytes, rate: int) -> av.AudioFrame:
    frame = av.AudioFrame("s16", "mono", len(sound) // 2)
    frame.sample_rate = rate
    frame.planes[0].update(sound)
    return frame
