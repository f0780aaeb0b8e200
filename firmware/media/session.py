"""The media of one call: its streams, and what turns them into sound and pictures.

A session takes channels as they were agreed and changes only what is different from before: a stream whose channels
stay the same never notices.  All of it happens in the network thread.
"""

from __future__ import annotations

import base64
import logging
import os
import socket
import time
from collections.abc import Mapping, Sequence
from functools import partial
from random import Random

from firmware.call.ice import Ice, Selected
from firmware.call.media import Channel, Direction, Feedback, Handshake, Kind
from firmware.media import mixer
from firmware.media.audio import FarEnd
from firmware.media.audio_receive import AudioReceiver
from firmware.media.audio_send import AudioSender
from firmware.media.border import attempt
from firmware.media.codecs import video_codec
from firmware.media.dtls import STRANGER, Keys
from firmware.media.message import (
    ChannelFailed,
    DigitReceived,
    KeyFrameWanted,
    MediaSilent,
    NotSecured,
    Secured,
    Statistics,
    StreamStatistics,
    WayDoubtful,
    WayFound,
    WayLost,
)
from firmware.media.meter import Meter
from firmware.media.pictures import Fan, Source
from firmware.media.stream import Stream
from firmware.media.studio import Studio
from firmware.media.video_receive import VideoReceiver
from firmware.media.video_send import VideoSender
from firmware.net.dscp import mark
from firmware.rtp.synchronization import Synchronizer
from firmware.sansio import Address

logger = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between two statistics."""
SILENCE = 5.0
"""Seconds without a packet that are reported, and again after each as many more."""
_STALE = 512
"""Packets at most that are thrown away because they came when there was nobody for them."""

Sockets = tuple[socket.socket, socket.socket]


class MediaSession:
    """One call's media; a Member of the network, for its statistics."""

    def __init__(self, call_id: str, studio: Studio) -> None:
        now = time.monotonic()
        self._call_id = call_id
        self._studio = studio
        # RFC 7022 4.2: a CNAME of at least 96 random bits, the same for all sessions of a call.
        self._cname = base64.b64encode(os.urandom(12)).decode()
        self._lines: dict[Address, _Line] = {}
        self._pictures = Fan()
        """Of the far end."""
        self._view = studio.compositor.far_end(call_id)
        self._began = now
        self._due = now + INTERVAL
        self._synchronizer = Synchronizer()
        self._silent = 0.0
        """Seconds of silence that were reported."""
        self._pictures.add(self._view)
        studio.network.add(self, ())

    def apply(self, channels: Sequence[Channel], sockets: Mapping[Address, Sockets]) -> None:
        """Make these the channels; *sockets*, RTP and RTCP of each local address, belong to the session from now on."""
        wanted: dict[Address, dict[Direction, Channel]] = {}
        for channel in channels:
            wanted.setdefault(channel.local, {})[channel.direction] = channel
        for address, directions in wanted.items():
            self._move(directions, address, sockets)
        for address in [address for address in self._lines if address not in wanted]:
            self._lines.pop(address).close()
        for address, directions in wanted.items():
            line = self._lines.get(address)
            send, receive, idle = (directions.get(direction) for direction in Direction)
            if line is not None and not line.suits(send or receive or idle):
                self._lines.pop(address).close()
                line = None
            if line is None:
                line = self._lines[address] = self._open_line(send or receive or idle, sockets)
            line.use(send, receive, idle)
        used = {sock for line in self._lines.values() for sock in line.stream.all_sockets}
        for sock in {sock for pair in sockets.values() for sock in pair} - used:
            sock.close()

    @property
    def sound(self) -> FarEnd | None:
        """What the audio thread needs of this call; None: nothing."""
        for line in self._lines.values():
            if line.audio_receiver is not None or line.audio_sender is not None:
                return FarEnd(line.audio_receiver, line.audio_sender, line.sound_failed)
        return None

    @property
    def decoding_since(self) -> float | None:
        """Since when a decoder has been at one picture; None: none is."""
        busy = [line.video_receiver.busy_since for line in self._lines.values() if line.video_receiver is not None]
        return min((since for since in busy if since is not None), default=None)

    def send_digits(self, digits: str) -> None:
        """Send digits as telephone events."""
        for line in self._lines.values():
            if line.audio_sender is not None:
                line.audio_sender.send_digits(digits)

    def force_key_frame(self) -> None:
        """Send a key frame soon."""
        for line in self._lines.values():
            if line.video_sender is not None:
                line.video_sender.force_key_frame()

    def freeze_picture(self) -> None:
        """Show what is shown now until the next key frame."""
        for line in self._lines.values():
            if line.video_receiver is not None:
                line.video_receiver.freeze(time.monotonic())

    def close(self) -> None:
        """End everything."""
        self._studio.network.remove(self)
        for line in self._lines.values():
            line.close()
        self._lines.clear()
        self._pictures.remove(self._view)
        self._view.camera_closed()

    # network.Member

    def receive(self, sock: socket.socket, data: bytes, source: Address, now: float) -> None:
        """See Member; a session has no sockets of its own."""

    def timer(self) -> float:
        """See Member."""
        return self._due

    def handle_timer(self, now: float) -> None:
        """Report statistics and silence, and keep sound and pictures in step."""
        self._due = max(self._due + INTERVAL, now + INTERVAL / 2)
        self._synchronize(now)
        streams: list[StreamStatistics] = []
        for line in self._lines.values():
            read = line.meter.read(line, now)
            line.consider(read, now)
            streams += read
        self._studio.report(Statistics(self._call_id, tuple(streams)))
        times = [line.stream.last_received for line in self._lines.values()]
        silent = now - max((at for at in times if at is not None), default=self._began)
        if silent >= self._silent + SILENCE:
            self._silent = silent - silent % SILENCE
            self._studio.report(MediaSilent(self._call_id, round(silent, 1)))
        elif silent < SILENCE and self._silent:
            self._silent = 0.0
            self._studio.report(MediaSilent(self._call_id, 0.0))

    def _synchronize(self, now: float) -> None:
        """Keep sound and pictures in step.  Those of another line than the first are of no face."""
        sound = picture = None
        for line in self._lines.values():
            if line.audio_receiver is not None and sound is None:
                line.audio_receiver.synchronizer, sound = self._synchronizer, line.stream.reference
            elif line.video_receiver is not None and picture is None:
                line.video_receiver.synchronizer, picture = self._synchronizer, line.stream.reference
        before = self._synchronizer.held, self._synchronizer.extra
        self._synchronizer.update(sound, picture, now)
        if before != (self._synchronizer.held, self._synchronizer.extra):
            logger.debug(
                "Call %s: pictures wait %.0f ms for their sound, sound %.0f ms for its pictures",
                self._call_id,
                1000 * self._synchronizer.held,
                1000 * self._synchronizer.extra,
            )

    def failed(self, error: Exception) -> None:
        """See Member."""
        logger.error("Call %s has no statistics any more: %s", self._call_id, error)

    # Lines

    def _move(self, wanted: dict[Direction, Channel], address: Address, sockets: Mapping[Address, Sockets]) -> None:
        """Let a stream of ours go on at this address, where it was at another."""
        channel = next(iter(wanted.values()))
        before = channel.moved_from
        if before not in self._lines or address in self._lines or not self._lines[before].suits(channel):
            return
        line = self._lines[address] = self._lines.pop(before)
        self._studio.network.remove(line.stream)
        line.stream.move(sockets[address], {other: sockets[other] for other in channel.others})
        self._watch(line.stream)

    def _watch(self, stream: Stream) -> None:
        """Let a stream hear what comes by its sockets, and mark what leaves by them."""
        configure = self._studio.configure
        for sock in stream.all_sockets:
            mark(sock, configure.audio_dscp if stream.kind is Kind.AUDIO else configure.video_dscp)
        self._studio.network.add(stream, stream.all_sockets)

    def _open_line(self, channel: Channel | None, sockets: Mapping[Address, Sockets]) -> _Line:
        assert channel is not None
        pair, others = sockets[channel.local], {other: sockets[other] for other in channel.others}
        clock_rate, offset = channel.codec.clock_rate, self._timestamp_offset(channel)
        stream = Stream(channel.kind, pair, self._cname, clock_rate, channel.bitrate, offset, others)
        former = self._studio.former_lines
        # A call's first picture may be there already, and nobody gives it twice; so may a handshake have begun.
        stale = channel.kind is Kind.AUDIO or channel.local in former
        if stale and channel.handshake is None and channel.ice is None:
            _drain(pair[0])
        former.append(channel.local)
        self._watch(stream)
        return _Line(self._call_id, stream, self._studio, self._pictures)

    def _timestamp_offset(self, channel: Channel) -> int:
        """The same for a medium of a call, after hold and in a new worker too; else unknown (RFC 3550 5.1).

        A new source with a timeline of its own is allowed, but there are receivers (baresip 1.0) that throw away
        whatever seems to be older than what they heard last.
        """
        name = f"{self._studio.configure.timeline} {self._call_id} {channel.kind.value}"
        return Random(name).getrandbits(32)


class _Line:
    """One stream of a call and what codes for it."""

    def __init__(self, call_id: str, stream: Stream, studio: Studio, pictures: Fan) -> None:
        self.stream = stream
        self.send: Channel | None = None
        self.receive: Channel | None = None
        self.idle: Channel | None = None
        """In their place, where nothing flows."""
        self.audio_sender: AudioSender | None = None
        self.audio_receiver: AudioReceiver | None = None
        self.video_sender: VideoSender | None = None
        self.video_receiver: VideoReceiver | None = None
        self.meter = Meter()
        self._call_id = call_id
        self._studio = studio
        self._pictures = pictures
        stream.on_key_frame_requested = self._key_frame_requested
        stream.on_bitrate_limited = self._bitrate_limited
        stream.on_failed = self._stream_failed
        stream.on_keys = self._secured
        stream.on_no_keys = self._not_secured
        stream.on_way = self._way_found
        stream.on_doubtful_way = self._way_doubtful
        stream.on_no_way = self._way_lost

    def suits(self, channel: Channel | None) -> bool:
        """Whether the stream can carry this channel: another clock needs another session (RFC 3550 5.2)."""
        return (
            channel is not None
            and channel.kind is self.stream.kind
            and channel.codec.clock_rate == self.stream.clock_rate
        )

    def use(self, send: Channel | None, receive: Channel | None, idle: Channel | None) -> None:
        """Make these the stream's channels."""
        if (send, receive, idle) == (self.send, self.receive, self.idle):
            return
        self.stream.use(send, receive, idle)
        self.idle = idle
        old_send, self.send = self.send, send
        old_receive, self.receive = self.receive, receive
        if not _same_coding(old_send, send):
            self._replace_sender(send)
        elif self.video_sender is not None:
            self.video_sender.force_key_frame()  # somebody else may be looking now
        if not _same_coding(old_receive, receive):
            self._replace_receiver(receive)

    def close(self) -> None:
        """Stop all of it."""
        self._replace_sender(None)
        self._replace_receiver(None)
        self._studio.network.remove(self.stream)
        self.stream.close(time.monotonic())

    def _replace_sender(self, channel: Channel | None) -> None:
        if self.video_sender is not None:
            self.video_sender.close()
        self.video_sender = self.audio_sender = None
        if channel is None:
            return
        begin = self._send_audio if channel.kind is Kind.AUDIO else self._send_video
        error = attempt(f"Sending {channel.codec.name}", begin, channel)
        if error is not None:
            self._failed(channel, error)

    def _send_audio(self, channel: Channel) -> None:
        self.audio_sender = AudioSender(self.stream, channel)

    def _send_video(self, channel: Channel) -> None:
        rate = self._studio.configure.frame_rate
        self.video_sender = VideoSender(self.stream, channel, self._source(), rate, partial(self._failed, channel))
        if self.stream.bitrate_limit:
            self.video_sender.limit_bitrate(self.stream.bitrate_limit)

    def _replace_receiver(self, channel: Channel | None) -> None:
        if self.video_receiver is not None:
            self.video_receiver.close()
        self.video_receiver = self.audio_receiver = self.stream.sink = None
        if channel is None:
            return
        begin = self._receive_audio if channel.kind is Kind.AUDIO else self._receive_video
        error = attempt(f"Receiving {channel.codec.name}", begin, channel)
        if error is not None:
            self._failed(channel, error)

    def _receive_audio(self, channel: Channel) -> None:
        self.stream.sink = self.audio_receiver = AudioReceiver(channel, self._digit)

    def _receive_video(self, channel: Channel) -> None:
        self.stream.sink = self.video_receiver = VideoReceiver(
            self.stream,
            video_codec(channel.codec.name),
            channel.codec.h264.parameter_sets if channel.codec.h264 is not None else b"",
            frozenset(form.payload_type for form in channel.formats if form.codec.name == channel.codec.name),
            Feedback.NACK in channel.feedback,
            self._pictures,
            self._key_frame_wanted,
            partial(self._failed, channel),
            partial(self._studio.network.call_soon, self.stream),
            self._studio.open_decoder,
        )

    def _source(self) -> Source:
        """What the far end sees."""
        seen = mixer.seen_by(self._call_id, self._studio.configure.echo)
        return self._studio.camera if seen == mixer.ROOM else self._pictures

    def _digit(self, digit: str) -> None:
        self._studio.report(DigitReceived(self._call_id, digit))

    def _key_frame_wanted(self) -> None:
        self._studio.report(KeyFrameWanted(self._call_id))

    def _key_frame_requested(self) -> None:
        if self.video_sender is not None:
            self.video_sender.force_key_frame()

    def _bitrate_limited(self, bitrate: int) -> None:
        if self.video_sender is not None:
            self.video_sender.limit_bitrate(bitrate)

    def consider(self, streams: Sequence[StreamStatistics], now: float) -> None:
        """Ask the far end for another bitrate where the last second's pictures make that useful."""
        for read in streams:
            if read.kind is Kind.VIDEO and read.direction is Direction.RECEIVE and self.receive is not None:
                self.stream.request_bitrate(read.bitrate, read.loss, self.receive.bitrate, now)

    def sound_failed(self, direction: Direction, error: Exception) -> None:
        """Report what the audio thread could not do; any thread may."""
        channel = self.send if direction is Direction.SEND else self.receive
        if channel is not None:
            self._failed(channel, error)

    def _stream_failed(self, error: Exception) -> None:
        for channel in (self.send, self.receive):
            if channel is not None:
                self._failed(channel, error)

    def _secured(self, handshake: Handshake, keys: Keys) -> None:
        channel = self.send or self.receive
        if channel is not None:
            self._studio.report(Secured(self._call_id, channel.local, handshake, keys.send, keys.receive))
        if self.video_sender is not None:
            self.video_sender.force_key_frame()  # whatever was made till now was not sent

    def _not_secured(self, why: str) -> None:
        self._studio.report(NotSecured(self._call_id, self.stream.kind, why, why == STRANGER))

    def _way_found(self, ice: Ice, selected: tuple[Selected, ...]) -> None:
        channel = self.send or self.receive or self.idle
        if channel is not None:
            fragments = ice.ours.fragment, ice.theirs.fragment
            self._studio.report(WayFound(self._call_id, channel.local, fragments, selected))
        if self.video_sender is not None:
            self.video_sender.force_key_frame()  # whatever was made till now was not sent

    def _way_doubtful(self) -> None:
        self._studio.report(WayDoubtful(self._call_id, self.stream.kind))

    def _way_lost(self, why: str, found: bool) -> None:
        self._studio.report(WayLost(self._call_id, self.stream.kind, why, found))

    def _failed(self, channel: Channel, error: Exception) -> None:
        reason = str(error) or type(error).__name__
        self._studio.report(ChannelFailed(self._call_id, channel.kind, channel.direction, reason))


def _same_coding(old: Channel | None, new: Channel | None) -> bool:
    """Whether two channels differ in addresses and keys only, if at all."""

    def coding(channel: Channel) -> tuple[object, ...]:
        is_judged = channel.crypto is not None and not channel.crypto.proves
        return channel.formats, channel.bitrate, channel.packet_time, channel.feedback, is_judged

    return old is new or (old is not None and new is not None and coding(old) == coding(new))


def _drain(sock: socket.socket) -> None:
    """Throw away what came before there was anybody for it: sound that is played late stays late, and the rest of a
    picture from before a hold is nothing but a reason to ask for another."""
    for _ in range(_STALE):
        try:
            sock.recv(1)
        except OSError:
            return
