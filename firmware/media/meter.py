"""Counts what a stream carries, once a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from firmware.call.media import Channel, Direction
from firmware.media.message import StreamStatistics

if TYPE_CHECKING:
    from firmware.media.audio_receive import AudioReceiver
    from firmware.media.stream import Stream
    from firmware.media.video_receive import VideoReceiver
    from firmware.media.video_send import VideoSender


class Line(Protocol):
    """What is measured."""

    stream: Stream
    send: Channel | None
    receive: Channel | None
    audio_receiver: AudioReceiver | None
    video_sender: VideoSender | None
    video_receiver: VideoReceiver | None


class Meter:
    """One line's counters as they were when last read."""

    def __init__(self) -> None:
        self._time: float | None = None
        self._octets = (0, 0)
        self._frames = (0, 0)

    def read(self, line: Line, now: float) -> list[StreamStatistics]:
        """Give the streams of the line over the time since the last reading."""
        totals = line.stream.statistics(now)
        sent, received = totals.sent, totals.received
        sender, receiver = line.video_sender, line.video_receiver
        elapsed = now - (line.stream.began if self._time is None else self._time)
        octets = (sent.octets, received.octets)
        frames = (sender.frames if sender else 0, receiver.frames if receiver else 0)
        bitrates = [_rate(8 * (new - old), elapsed) for new, old in zip(octets, self._octets, strict=True)]
        rates = [_rate(new - old, elapsed) for new, old in zip(frames, self._frames, strict=True)]
        self._time, self._octets, self._frames = now, octets, frames
        streams = []
        if line.send is not None:
            shown = sender.picture_format if sender else None
            streams.append(
                StreamStatistics(
                    line.send.kind,
                    Direction.SEND,
                    line.send.codec.name,
                    round(bitrates[0]),
                    sent.packets,
                    sent.lost,
                    sent.loss,
                    sent.jitter,
                    sent.round_trip,
                    round(rates[0], 1),
                    shown.width if shown else 0,
                    shown.height if shown else 0,
                    sender.key_frames if sender else 0,
                    line.stream.way,
                )
            )
        if line.receive is not None:
            width, height = receiver.size if receiver else (0, 0)
            streams.append(
                StreamStatistics(
                    line.receive.kind,
                    Direction.RECEIVE,
                    line.audio_receiver.codec if line.audio_receiver else line.receive.codec.name,
                    round(bitrates[1]),
                    received.packets,
                    received.lost,
                    received.loss,
                    received.jitter,
                    sent.round_trip,
                    round(rates[1], 1),
                    width,
                    height,
                    receiver.key_frames if receiver else 0,
                    line.stream.way,
                )
            )
        return streams


def _rate(amount: int, elapsed: float) -> float:
    return max(amount, 0) / elapsed if elapsed > 0 else 0.0
