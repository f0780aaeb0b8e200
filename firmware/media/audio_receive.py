"""Sound on its way in: packets become blocks of 10 ms, one for each tick, whatever the network does.

::

    network thread: packets ──▶ arrivals (bounded) ──▶ audio thread: playout buffer ── decode or conceal ──▶ block

The far end may change between all formats of the channel at any time (RFC 3264 7).  Telephone events are taken out on
the way; comfort noise is played as silence.  What a wrong key makes of encrypted sound is not played at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from firmware.call.media import Channel, Format
from firmware.errors import CallError
from firmware.media.codecs import available
from firmware.media.voice import voice_decoder
from firmware.ports import BLOCK_BYTES, SAMPLE_RATE
from firmware.rtp.jitter import Playout, PlayoutBuffer
from firmware.rtp.plausible import SoundJudge
from firmware.rtp.telephone_event import EventReceiver

if TYPE_CHECKING:
    from firmware.rtp.packet import Packet
    from firmware.rtp.synchronization import Synchronizer

ARRIVALS = 64
"""Packets that wait for the audio thread; more is a flood, and the oldest go."""

_BYTES_PER_SECOND = SAMPLE_RATE * 2
_NEVER = float("inf")


class AudioReceiver:
    """Receives one channel's sound; a Sink of its stream.  CallError: this machine has none of the codecs.

    *on_digit* is called in the network thread.
    """

    def __init__(self, channel: Channel, on_digit: Callable[[str], None]) -> None:
        usable = [form for form in channel.formats if form.codec.name in available()]
        if not usable:
            raise CallError(f"there is no codec {channel.codec.name}")
        self._formats = {form.payload_type: form for form in usable}
        event = channel.telephone_event
        self._event_type = event.payload_type if event else None
        self.codec = usable[0].codec.name
        """The codec of what was played last."""
        self.synchronizer: Synchronizer | None = None
        """Who wants to know what is played when, for the sake of the far end's pictures."""
        self._packet_time = channel.packet_time
        self._on_digit = on_digit
        self._events = EventReceiver()
        self._arrivals: deque[tuple[Packet, float]] = deque(maxlen=ARRIVALS)
        self._format = usable[0]
        self._clock_rate = self._format.codec.clock_rate
        self._playout = PlayoutBuffer(self._clock_rate, self._packet_time)
        self._decoder = voice_decoder(self.codec)
        self._decoders = {self.codec: self._decoder}
        """Kept: a far end that changes codecs with every packet must not have a new one made each time."""
        self._sound = bytearray()
        crypto = channel.crypto
        self._judge = None if crypto is None or crypto.proves else SoundJudge(self.codec)

    # Network thread

    def receive(self, packet: Packet, now: float) -> None:
        """See Sink."""
        if packet.payload_type == self._event_type:
            for digit in self._events.receive(packet, now):
                self._on_digit(digit)
        if self._judge is None or self._judge.hears(packet.payload):
            self._arrivals.append((packet, now))

    def timer(self) -> float:
        """See Sink."""
        due = self._events.timer()
        return _NEVER if due is None else due

    def handle_timer(self, now: float) -> None:
        """See Sink."""
        for digit in self._events.handle_timer(now):
            self._on_digit(digit)

    # Audio thread

    def pull(self, now: float, heard: float) -> bytes | None:
        """Give the next block of 10 ms, which is *heard* then; None: silence."""
        self._take_arrivals()
        if self.synchronizer is not None:
            self._playout.extra = self.synchronizer.extra
        sound = self._sound
        while len(sound) < BLOCK_BYTES:
            more = self._next(now, heard + len(sound) / _BYTES_PER_SECOND)
            if not more and not sound:
                return None
            # What is left of a word before silence is filled up with it.
            sound += more or bytes(BLOCK_BYTES - len(sound))
        block = bytes(sound[:BLOCK_BYTES])
        del sound[:BLOCK_BYTES]
        return block

    def _take_arrivals(self) -> None:
        while self._arrivals:
            packet, arrived = self._arrivals.popleft()
            form = self._formats.get(packet.payload_type)
            if form is None:  # an event, comfort noise, or what we can't decode
                self._playout.ignore(packet)
                continue
            if form.codec.clock_rate != self._clock_rate:
                self._clock_rate = form.codec.clock_rate
                self._playout = PlayoutBuffer(self._clock_rate, self._packet_time)
            self._playout.push(packet, arrived)

    def _next(self, now: float, heard: float) -> bytes:
        """Give the sound of the next packet, which is *heard* then, or what stands for it; b"": silence."""
        frame = self._playout.pop(now)
        samples = frame.duration * SAMPLE_RATE // self._clock_rate
        if frame.playout is Playout.EMPTY:
            return b""
        if frame.packet is not None:
            self._use(self._formats[frame.packet.payload_type])
            if self.synchronizer is not None:
                packet = frame.packet
                self.synchronizer.sound_played(packet.stream, packet.timestamp, heard, frame.behind)
            sound = self._decoder.decode(frame.packet.payload)
            if sound:
                return sound
        following = self._playout.following if frame.playout is Playout.LOST else None
        if following is None or self._formats[following.payload_type] is not self._format:
            return self._decoder.conceal(samples)
        return self._decoder.conceal(samples, following.payload)

    def _use(self, form: Format) -> None:
        """Decode by this format from now on."""
        if form.codec.name != self.codec:
            self.codec = form.codec.name
            if self.codec not in self._decoders:
                self._decoders[self.codec] = voice_decoder(self.codec)
            self._decoder = self._decoders[self.codec]
        self._format = form
