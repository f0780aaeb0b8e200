"""A picture on its way in: from RTP, through a decoder, to all who look at it.

::

    network thread: reorder ── access units ── freeze rule ──▶ queue (bounded) ──▶ decode thread: decoder ──▶ viewers

Rule 1: nothing is shown before the first key frame.
Rule 2: after a loss that no retransmission made good, or a decoding error, the last good picture stays on the screen
and a key frame is asked for (RTCP where agreed, else by signalling): a frozen face is taken for a pause, grey rubble
for a defect.
Rule 3: a far end that gives no key frame for `PATIENCE` seconds is one that never does (some refresh row by row); then
whatever the decoder makes of its stream is shown.
Rule 4: a far end may lose pictures before they are numbered (in its send queue, on hold): then no packet is missing,
and the decoder conceals what is.  So after a pause a key frame is asked for in any case.
Rule 5: a far end may have the picture frozen while it prepares another one (H.245 B.13).  It is trusted to give a key
frame for that, and is reminded of it after `FREEZE_TIME`.
Rule 6: a decoder that can't keep up skips to the next key frame; nothing queues up.
Rule 7: a picture waits for its sound, as the synchronizer says; those behind it wait as access units.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from firmware.media.border import attempt
from firmware.media.codecs import CodedPicture, VideoCodec
from firmware.media.pictures import Fan
from firmware.media.stream import Stream
from firmware.media.video_decoder import OpenDecoder, VideoDecoder
from firmware.rtp.packet import Packet
from firmware.rtp.reorder import ReorderBuffer
from firmware.rtp.synchronization import Synchronizer

PATIENCE = 2.0
"""Seconds without a key frame after which pictures are decoded without one."""
PAUSE = 0.5
"""Seconds without a picture after which a key frame is asked for."""
FREEZE_TIME = 6.0
"""Seconds that a far end may have the picture frozen (H.261 4.3.1: at least six)."""
QUEUE = 12
"""Access units that wait for the decoder: 0.4 s."""
HELD = 9
"""Access units that wait while a picture waits for its sound; with more, it does not."""

_NEVER = float("inf")


class VideoReceiver:
    """Receives one stream's pictures; a Sink of it.

    *parameters* are what the decoder is given before anything else (H.264: parameter sets, Annex B), or b"".
    *viewers* are shown every good picture, in the decode thread.  *on_key_frame_wanted* is called, in the network
    thread, when a key frame has to be asked for by signalling.
    """

    def __init__(
        self,
        stream: Stream,
        codec: VideoCodec,
        parameters: bytes,
        payload_types: frozenset[int],
        nack: bool,
        viewers: Fan,
        on_key_frame_wanted: Callable[[], None],
        on_failed: Callable[[Exception], None],
        call_soon: Callable[[Callable[[], object]], None],
        open_hardware: OpenDecoder,
    ) -> None:
        self.payload_types = payload_types
        self.frames = 0
        """Shown."""
        self.key_frames = 0
        """Received whole."""
        self.size = (0, 0)
        """Pixels."""
        self.synchronizer: Synchronizer | None = None
        """Who says when a picture's sound is heard."""
        self._stream = stream
        self._parameters = parameters
        self._viewers = viewers
        self._on_key_frame_wanted = on_key_frame_wanted
        self._on_failed = on_failed
        self._call_soon = call_soon
        self._decoder = VideoDecoder(codec.decoder, codec.pixel_aspect, open_hardware)
        self._reorder = ReorderBuffer(nack)
        self._depacketizer = codec.depacketizer()
        self._source = -1
        """Packet.stream of what is received."""
        self._frozen_since: float | None = time.monotonic()
        self._held_until = float("-inf")
        """Till when the far end has the picture frozen."""
        self._last = float("inf")
        """When the last access unit came."""
        self._units: deque[tuple[CodedPicture, float]] = deque()
        """And when they came."""
        self._more = threading.Condition()
        self._closed = False
        self.busy_since: float | None = None
        """Since when the decoder has been at one access unit, for the worker's watch."""
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)
        self._thread.start()

    # Network thread

    def receive(self, packet: Packet, now: float) -> None:
        """See Sink."""
        if packet.payload_type not in self.payload_types:
            return
        self._reorder.round_trip = self._stream.round_trip
        self._take(self._reorder.push(packet, now), now)
        self._ask_again(now)

    def freeze(self, now: float) -> None:
        """Keep what is on the screen until the next key frame, as the far end wants it."""
        self._held_until = now + FREEZE_TIME
        self._freeze(now)

    def timer(self) -> float:
        """See Sink."""
        due = self._reorder.timer()
        return _NEVER if due is None else due

    def handle_timer(self, now: float) -> None:
        """See Sink."""
        self._take(self._reorder.handle_timer(now), now)
        self._ask_again(now)

    def close(self) -> None:
        """Stop; nothing is shown after this returns."""
        with self._more:
            self._closed = True
            self._units.clear()
            self._more.notify()
        self._thread.join(2.0)

    def _take(self, packets: list[Packet], now: float) -> None:
        for packet in packets:
            for unit in self._depacketizer.receive(packet):
                self._consider(unit, now)

    def _ask_again(self, now: float) -> None:
        missing = self._reorder.missing(now)
        if missing:
            self._stream.report_missing(missing, now)

    def _consider(self, unit: CodedPicture, now: float) -> None:
        """Decide whether an access unit is decoded."""
        if now > self._last + PAUSE and not unit.key_frame:
            self._want_key_frame(now)
        self._last = now
        if unit.stream != self._source:
            self._source = unit.stream
            self._freeze(now)
        if unit.key_frame and not unit.damaged:
            self.key_frames += 1
            self._frozen_since = None
            self._held_until = float("-inf")
            self._stream.key_frame_received()
        elif unit.damaged:
            self._freeze(now)
        if self._frozen_since is None or not unit.has_picture:
            self._queue(unit, now)
            return
        if now < self._held_until:
            return
        self._want_key_frame(now)
        if now > max(self._frozen_since, self._held_until) + PATIENCE:
            self._queue(unit, now)

    def _queue(self, unit: CodedPicture, now: float) -> None:
        with self._more:
            if len(self._units) >= QUEUE:
                self._units.clear()
                if not unit.key_frame:
                    self._freeze(now)
                    self._want_key_frame(now)
                    return
            self._units.append((unit, now))
            if len(self._units) in (1, HELD):
                self._more.notify()

    def _freeze(self, now: float) -> None:
        if self._frozen_since is None:
            self._frozen_since = now

    def _want_key_frame(self, now: float) -> None:
        if self._stream.request_key_frame(now):
            self._on_key_frame_wanted()

    def _broken(self) -> None:
        """Learn from the decode thread that a unit did not decode."""
        now = time.monotonic()
        self._freeze(now)
        self._want_key_frame(now)

    # Decode thread

    def _run(self) -> None:
        error = attempt("The decoder", self._decode)
        self._decoder.close()
        if error is not None:
            self._on_failed(error)

    def _decode(self) -> None:
        decoder = self._decoder
        frozen_since: float | None = time.monotonic()
        source, parameters = -1, self._parameters
        ready = 0.0
        while True:
            with self._more:
                while not self._units and not self._closed:
                    self._more.wait()
                if self._closed:
                    return
                unit, arrived = self._units.popleft()
            if unit.stream != source:
                decoder.restart()
                source = unit.stream
                parameters = self._parameters
                frozen_since = frozen_since or time.monotonic()
            self.busy_since = begin = time.monotonic()
            frame, good = decoder.decode(unit, parameters)
            parameters = b""
            now, self.busy_since = time.monotonic(), None
            ready = max(arrived, ready) + now - begin  # if nothing had waited for its sound
            if good and unit.key_frame:
                frozen_since = None
            elif not good:
                frozen_since = frozen_since or now
                self._call_soon(self._broken)
            if frame is not None and (frozen_since is None or now > frozen_since + PATIENCE):
                if self.synchronizer is not None:
                    self._wait(self.synchronizer.due(unit.stream, unit.timestamp, ready))
                self.frames += 1
                self.size = (frame.width, frame.height)
                self._viewers.show(decoder.square(frame))

    def _wait(self, due: float) -> None:
        with self._more:
            while len(self._units) < HELD and not self._closed and (left := due - time.monotonic()) > 0:
                self._more.wait(left)
