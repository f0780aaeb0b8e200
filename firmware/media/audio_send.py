"""Sound on its way out: blocks of 10 ms become packets, or, while digits are sent, telephone events."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from firmware.errors import LocalProtocolError
from firmware.media.voice import VoiceEncoder
from firmware.ports import BLOCK_BYTES
from firmware.rtp.telephone_event import EventSender

if TYPE_CHECKING:
    from firmware.call.media import Channel
    from firmware.media.stream import Stream

logger = logging.getLogger(__name__)

_SILENCE = bytes(BLOCK_BYTES)


class AudioSender:
    """Encodes and sends one channel's sound.  CallError: this machine has no such codec."""

    def __init__(self, stream: Stream, channel: Channel) -> None:
        self._stream = stream
        self._encoder = VoiceEncoder(channel.codec.name, channel.packet_time)
        self._payload_type = channel.format.payload_type
        self._step = round(channel.codec.clock_rate * self._encoder.packet_time)
        # From the clock, so that a new sender on the same stream goes on where the one before ended.
        self._timestamp = round(time.monotonic() * channel.codec.clock_rate)
        self._first = True
        self._sound = bytearray()
        self._taken = 0.0
        """When that began, s."""
        self._event_format = channel.telephone_event
        self._events: EventSender | None = None
        self._event_scale = 1.0
        if self._event_format is not None:
            clock_rate = self._event_format.codec.clock_rate
            self._events = EventSender(clock_rate, self._encoder.packet_time)
            self._event_scale = clock_rate / channel.codec.clock_rate

    def send_digits(self, digits: str) -> None:
        """Queue digits; any thread may ask."""
        if self._events is None:
            logger.warning("The far end takes no telephone events: digits are not sent")
            return
        try:
            self._events.send(digits)
        except LocalProtocolError as error:
            logger.warning("%s", error)

    def push(self, block: bytes | None, taken: float) -> None:
        """Send the next block of 10 ms, which began at *taken*; None is silence, which is sent like any sound."""
        if not self._sound:
            self._taken = taken
        self._sound += block if block is not None else _SILENCE
        if len(self._sound) < self._encoder.packet_bytes:
            return
        payload = self._encoder.encode(bytes(self._sound))
        self._sound.clear()
        timestamp, self._timestamp = self._timestamp, self._timestamp + self._step
        if self._events is not None and self._events.active and self._event_format is not None:
            event = self._events.next(round(timestamp * self._event_scale))
            if event is not None:
                self._stream.send(event.payload, event.timestamp, event.marker, self._event_format.payload_type)
                return
        if payload:
            # RFC 3551 4.1: the marker bit begins a talkspurt, and we send one that has no end.
            self._stream.send(payload, timestamp, self._first, self._payload_type, self._taken)
            self._first = False
