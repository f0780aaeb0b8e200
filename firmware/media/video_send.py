"""A picture on its way out: from a source, through an encoder, into RTP.

::

    source thread ──▶ slot (newest only) ──▶ encode thread: rate ─ scale ─ libav ─ packets, paced ──▶ stream
    camera with an encoder of its own ─────▶ access units ───▶ packets ──▶ stream

Rule 1: the size, the rate and the bitrate keep within what the far end takes and the channel, see level.py for H.264
and picture_size.py for the older codecs.
Rule 2: a key frame is made for the first picture, and when somebody asks, at most every `KEY_FRAME_PAUSE`.  The first
does not count: a receiver may lose the start of a new source while it makes sure that it is one (RFC 3550 A.1).
Rule 3: what the far end limits while it receives (TMMBR, REMB) is kept from the next picture on; a much lower bitrate
makes the picture smaller too.
Rule 4: an access unit of many packets is spread over a part of the time until the next: a burst that a router drops
costs a key frame more.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from firmware.call.media import Channel
from firmware.errors import DeviceError, LocalProtocolError
from firmware.media.border import attempt
from firmware.media.codecs import video_codec
from firmware.media.encoder import CLOCK_RATE, KEY_FRAME_INTERVAL, TIME_BASE, SoftwareEncoder
from firmware.media.level import PictureFormat
from firmware.media.slot import Slot
from firmware.ports import EncoderSettings
from firmware.rtp.h264 import nal_units

if TYPE_CHECKING:
    import av

    from firmware.media.pictures import Source
    from firmware.media.stream import Stream
    from firmware.ports import Camera, Encoder

logger = logging.getLogger(__name__)

DEFAULT_BITRATE = 1_500_000
"""bit/s, where the channel says nothing."""
LEAST_BITRATE = 48_000
"""bit/s, below which x264 gives no picture worth the name."""
STEP = 0.6
"""Of the bitrate that an encoder was opened with; below, another one makes a smaller picture."""
RISE = 1.5
"""Times the bitrate that an encoder was opened with, which it can't pass; from there on another one makes a better
picture.  For less it waits until a key frame comes by itself: browsers have us rise by one in a hundred (REMB)."""
REOPEN_PAUSE = 1.0
"""Seconds between two encoders at least, where it is the bitrate that changes."""
KEY_FRAME_PAUSE = 0.5
"""Seconds between two key frames at least."""
BURST = 16
"""Packets sent at once; a usual picture has fewer."""
PACE = 0.001
"""Seconds between bursts: 16 packets of 1,200 bytes in 1 ms are 150 Mbit/s, which any link to a room takes."""

_IDR = 5  # H.264 table 7-1


class VideoSender:
    """Encodes and sends one channel's pictures; a Viewer of its source."""

    def __init__(
        self,
        stream: Stream,
        channel: Channel,
        source: Source,
        frame_rate: int,
        on_failed: Callable[[Exception], None],
    ) -> None:
        self.picture_format: PictureFormat | None = None
        """What is sent now."""
        self.frames = 0
        self.key_frames = 0
        self._stream = stream
        self._far_end = channel.codec
        self._codec = codec = video_codec(channel.codec.name)
        self._payload_type = channel.format.payload_type
        self._bitrate = max(min(channel.bitrate or DEFAULT_BITRATE, codec.max_bitrate(channel.codec)), LEAST_BITRATE)
        self._wanted_bitrate = self._bitrate
        """What the encoder is to be set to: less than was agreed, where the far end wants less now."""
        self._opened_bitrate, self._opened_time = 0, float("-inf")
        self._source = source
        self._frame_rate = frame_rate
        self._on_failed = on_failed
        self._frames: Slot[av.VideoFrame] = Slot()
        self._encoder: SoftwareEncoder | None = None
        self._hardware: Encoder | None = None
        self._hardware_lock = threading.Lock()
        self._key_frame_wanted = True
        self._last_request = float("-inf")
        """When a key frame was last made because somebody asked."""
        self._next_time = float("-inf")
        self._source_size = (0, 0)
        self._thread = threading.Thread(target=self._run, name="encode", daemon=True)
        self._thread.start()
        source.add(self)

    def force_key_frame(self) -> None:
        """Make the next picture a key frame, or the first after the pause; any thread may ask."""
        self._key_frame_wanted = True
        with self._hardware_lock:
            if self._hardware is not None and time.monotonic() >= self._last_request + KEY_FRAME_PAUSE:
                self._last_request = time.monotonic()
                self._hardware.force_key_frame()

    def limit_bitrate(self, bitrate: int) -> None:
        """Send no more than this, bit/s, nor than was agreed, from now on; any thread may ask."""
        wanted = max(min(bitrate, self._bitrate), LEAST_BITRATE)
        if wanted == self._wanted_bitrate:
            return
        logger.debug("The far end takes %d bit/s: sending %d bit/s", bitrate, wanted)
        self._wanted_bitrate = wanted
        with self._hardware_lock:
            if self._hardware is not None:
                self._hardware.set_bitrate(wanted)

    def close(self) -> None:
        """Stop; nothing is sent after this returns."""
        self._frames.close()
        self._source.remove(self)
        self._thread.join(2.0)

    # Viewer

    def picture(self, frame: av.VideoFrame) -> None:
        """See Viewer."""
        self._frames.put(frame)

    def camera_opened(self, camera: Camera) -> bool:
        """See Viewer: use the camera's encoder where it has one.

        That is one of H.264, and makes no slices of a given size: it can't serve packetization mode 0 (RFC 6184 6.2).
        """
        if self._far_end.h264 is None or self._far_end.h264.packetization_mode == 0:
            return False
        chosen = self._format(camera.width, camera.height)
        bitrate = self._wanted_bitrate
        settings = EncoderSettings(chosen.width, chosen.height, chosen.frame_rate, bitrate, chosen.level)
        try:
            hardware = camera.open_encoder(settings, self._send_encoded)
        except DeviceError as error:
            logger.warning("The camera's encoder can't be used: %s", error)
            return False
        if hardware is None:
            return False
        with self._hardware_lock:
            if not self._frames.closed:
                self.picture_format, self._hardware = chosen, hardware
                return True
        hardware.close()  # `close` did not see it
        return False

    def camera_closed(self) -> None:
        """See Viewer."""
        with self._hardware_lock:
            hardware, self._hardware = self._hardware, None
        if hardware is not None:
            hardware.close()

    # Encoding

    def _run(self) -> None:
        error = attempt("The encoder", self._encode_all)
        if error is not None:
            self._source.remove(self)
            self._on_failed(error)

    def _encode_all(self) -> None:
        while not self._frames.closed:
            frame = self._frames.take()
            if frame is not None:
                self._encode(frame)

    def _encode(self, frame: av.VideoFrame) -> None:
        now = time.monotonic()
        size = (frame.width, frame.height)
        wanted = self._wanted_bitrate
        if self._encoder is None or size != self._source_size or self._wants_another_encoder(wanted, now):
            self._open(size, now)
        assert self._encoder is not None
        self._encoder.set_bitrate(wanted)
        if frame.time is None:
            frame.time_base, frame.pts = TIME_BASE, round(now * CLOCK_RATE)
        taken = frame.time or now
        interval = 1 / self._encoder.picture.frame_rate
        if taken < self._next_time - interval / 4:
            return  # the source is faster than what was agreed
        self._next_time = max(self._next_time + interval, taken + interval / 2)
        key_frame = self._key_frame_wanted and now >= self._last_request + KEY_FRAME_PAUSE
        encoded = self._encoder.encode(frame, key_frame)
        if key_frame and encoded.key_frame:
            self._key_frame_wanted, self._last_request = False, now
        if encoded.data:
            self._send(encoded.data, taken, encoded.key_frame, encoded.hints)

    def _wants_another_encoder(self, bitrate: int, now: float) -> bool:
        """Whether another bitrate takes a new encoder: one more key frame, so not with every request."""
        least = self._opened_bitrate * (STEP if self._far_end.h264 is not None else 1)
        enough = bitrate < least or bitrate >= self._opened_bitrate * RISE
        pause = REOPEN_PAUSE if enough else KEY_FRAME_INTERVAL
        return not least <= bitrate <= self._opened_bitrate and now >= self._opened_time + pause

    def _open(self, size: tuple[int, int], now: float) -> None:
        self._source_size, self._opened_time = size, now
        self.picture_format = self._format(*size)
        self._opened_bitrate = self._wanted_bitrate
        logger.info("Sending %s %s at %d bit/s", self._far_end.name, self.picture_format, self._opened_bitrate)
        self._encoder = SoftwareEncoder(self._codec, self.picture_format, self._opened_bitrate)
        self._key_frame_wanted = False  # a new encoder begins with one

    def _format(self, width: int, height: int) -> PictureFormat:
        return self._codec.picture_format(self._far_end, width, height, self._frame_rate, self._wanted_bitrate)

    def _send_encoded(self, access_unit: bytes, taken: float) -> None:
        """Take an access unit from the camera's encoder, in its thread."""
        key_frame = any(unit[0] & 0x1F == _IDR for unit in nal_units(access_unit))
        if key_frame:
            self._key_frame_wanted = False
        elif self._key_frame_wanted:
            self.force_key_frame()
        self._send(access_unit, taken, key_frame)

    def _send(self, access_unit: bytes, taken: float, key_frame: bool, hints: bytes = b"") -> None:
        if key_frame:
            self.key_frames += 1
        self.frames += 1
        try:
            payloads = self._codec.packetize(access_unit, self._far_end, hints)
        except LocalProtocolError as error:
            logger.warning("A picture can't be sent: %s", error)
            return
        timestamp = round(taken * CLOCK_RATE)
        last = len(payloads) - 1
        for number, payload in enumerate(payloads):
            if number and number % BURST == 0:
                time.sleep(PACE)
            # RFC 6184 5.1, RFC 4587 4.1, RFC 4629 3.1.1, RFC 2190 4: the marker bit is on a picture's last packet.
            self._stream.send(payload, timestamp, number == last, self._payload_type, taken)
