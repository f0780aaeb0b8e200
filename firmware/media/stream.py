"""One RTP session on its pair of sockets: what a call sends and receives of one medium.

Sound and pictures come in and go out through it; what they are, it does not know.  `send` may be called by the thread
that encodes; all else belongs to the network thread.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from random import SystemRandom
from typing import Protocol

from firmware.call.media import Channel, Feedback, Kind
from firmware.media.far_address import FarAddress
from firmware.media.protection import Protection
from firmware.rtp.packet import Packet, is_control
from firmware.rtp.payload import COMFORT_NOISE
from firmware.rtp.session import Goodbye, KeyFrameRequested, Retransmit, Session
from firmware.rtp.statistics import Statistics
from firmware.sansio import Address

logger = logging.getLogger(__name__)

COMFORT_NOISE_TYPE = 13
"""RFC 3551 6: some send comfort noise without having said so."""
DEFAULT_BANDWIDTH = {Kind.AUDIO: 64_000, Kind.VIDEO: 1_500_000}
"""bit/s, where nothing was said; RTCP's share is reckoned from it."""
MANY_REFUSED = 100
"""Packets that can't be decrypted after which it is said, once: two seconds of sound."""

_NEVER = float("inf")


class Sink(Protocol):
    """What takes a stream's packets."""

    def receive(self, packet: Packet, now: float) -> None:
        """Take a packet of the source that is heard."""

    def timer(self) -> float:
        """When handle_timer is wanted; infinity: never."""

    def handle_timer(self, now: float) -> None:
        """Do what is due."""


class Stream:
    """The RTP session of one local address."""

    def __init__(
        self,
        kind: Kind,
        sockets: tuple[socket.socket, socket.socket],
        cname: str,
        clock_rate: int,
        bandwidth: int,
        timestamp_offset: int,
    ) -> None:
        now = time.monotonic()
        self.kind = kind
        self.clock_rate = clock_rate
        """Hz, of what is sent."""
        self.sockets = sockets
        self.sink: Sink | None = None
        self.on_key_frame_requested: Callable[[], None] = lambda: None
        self.on_failed: Callable[[Exception], None] = lambda _error: None
        self.began = now
        self._rtp, self._rtcp = sockets
        self._lock = threading.Lock()
        self._mux = False
        self._protection = Protection()
        self._far = FarAddress(None)
        self._far_control = FarAddress(None)
        self._session = Session(
            kind,
            clock_rate,
            SystemRandom(),
            cname,
            now,
            bandwidth=bandwidth or DEFAULT_BANDWIDTH[kind],
            clock_offset=time.time() - now,
            timestamp_offset=timestamp_offset,
        )

    def use(self, send: Channel | None, receive: Channel | None) -> None:
        """Keep to what was agreed from now on.  ValueError: what it is encrypted with makes no sense."""
        channel = send or receive
        assert channel is not None
        self._protection.use(send, receive, time.monotonic())  # first: without it nothing may be sent
        self._mux = channel.rtcp_mux
        remote = channel.remote or (receive.remote if receive else None)
        control = channel.remote_rtcp or (remote and (remote if self._mux else (remote[0], remote[1] + 1)))
        self._far, self._far_control = FarAddress(remote), FarAddress(control)
        feedback: frozenset[Feedback] = frozenset()
        rates = {}
        for each in (send, receive):
            if each is not None:
                feedback |= each.feedback
                for form in each.formats:
                    # Time stamps of events stand still while an event lasts: jitter can't be measured by them.
                    rates[form.payload_type] = 0 if form is each.telephone_event else form.codec.clock_rate
        if self.kind is Kind.AUDIO:
            rates.setdefault(COMFORT_NOISE_TYPE, COMFORT_NOISE.clock_rate)
        with self._lock:
            self._session.feedback = feedback
            self._session.receive_clock_rates = rates
            self._session.expect_source()

    def send(self, payload: bytes, timestamp: int, marker: bool, payload_type: int) -> None:
        """Send one packet; *timestamp* is on the caller's own timeline.  Any thread may send."""
        with self._lock:
            data = self._session.send(payload, timestamp, marker, payload_type, time.monotonic())
        self._send_packet(data)

    def receive(self, sock: socket.socket, data: bytes, source: Address, now: float) -> None:
        """Take a datagram."""
        if sock is self._rtcp or (self._mux and is_control(data)):
            proof = self._protection.authenticates
            if self._far_control.accepts(source, now, proof) or self._far.accepts(source, now):
                clear = self._protection.unprotect_control(data, now)
                if clear is not None:
                    self._receive_control(clear, source, now)
            return
        if not self._far.accepts(source, now, self._protection.authenticates):
            return
        clear = self._protection.unprotect(data, now)
        if clear is None:
            if self._protection.refused == MANY_REFUSED:
                logger.warning("%d packets of %s had not the key that was agreed", MANY_REFUSED, self.kind.value)
            return
        with self._lock:
            packet = self._session.receive(clear, now)
        if packet is None:
            return
        self._far.heard(source, now)
        if self.sink is not None:
            self.sink.receive(packet, now)

    def timer(self) -> float:
        """When handle_timer is wanted."""
        due = self._session.timer()
        return min(_NEVER if due is None else due, self.sink.timer() if self.sink else _NEVER)

    def handle_timer(self, now: float) -> None:
        """Send the RTCP that is due."""
        due = self._session.timer()
        if due is not None and due <= now:
            with self._lock:
                data = self._session.handle_timer(now)
            self._send_control(data)
        if self.sink is not None and self.sink.timer() <= now:
            self.sink.handle_timer(now)

    def failed(self, error: Exception) -> None:
        """See network.Member."""
        self.on_failed(error)

    def request_key_frame(self, now: float) -> bool:
        """Ask the far end for a key frame, by RTCP; True: it takes no such feedback, ask by signalling now."""
        with self._lock:
            data = self._session.request_key_frame(now)
        self._send_control(data)
        return data == b""

    def key_frame_received(self) -> None:
        """Tell that a whole key frame came."""
        self._session.key_frame_received()

    def report_missing(self, indexes: list[int], now: float) -> None:
        """Ask for packets again."""
        with self._lock:
            data = self._session.report_missing(indexes, now)
        self._send_control(data)

    def close(self, now: float) -> None:
        """Say goodbye and close the sockets (the room keeps its own)."""
        with self._lock:
            data = self._session.close(now)
        self._send_control(data)
        self._rtp.close()
        self._rtcp.close()

    @property
    def round_trip(self) -> float | None:
        """s, as last measured."""
        return self._session.round_trip

    @property
    def last_received(self) -> float | None:
        """When anything valid came last; None before."""
        return self._session.last_received

    def statistics(self, now: float) -> Statistics:
        """What was sent and received until now."""
        with self._lock:
            return self._session.statistics(now)

    def _receive_control(self, data: bytes, source: Address, now: float) -> None:
        before = self._session.last_received
        with self._lock:
            events = self._session.receive_control(data, now)
        if self._session.last_received != before:
            self._far_control.heard(source, now)
        for event in events:
            match event:
                case KeyFrameRequested():
                    self.on_key_frame_requested()
                case Retransmit(packets=packets):
                    for packet in packets:
                        self._send_packet(packet)
                case Goodbye(reason=reason):
                    logger.debug("The far end's %s said goodbye: %s", self.kind.value, reason)

    def _send_control(self, data: bytes | None) -> None:
        if data:
            data = self._protection.protect_control(data)
            self._send_to(self._rtp if self._mux else self._rtcp, data, self._far_control.destination)

    def _send_packet(self, packet: bytes) -> None:
        self._send_to(self._rtp, self._protection.protect(packet), self._far.destination)

    def _send_to(self, sock: socket.socket, data: bytes, destination: Address | None) -> None:
        if destination is None:
            return
        try:
            sock.sendto(data, destination)
        except OSError as error:  # no route, a full buffer: a lost packet like any other
            logger.debug("To %s: %s", destination, error)
