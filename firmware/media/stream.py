"""One RTP session on its pair of sockets: what a call sends and receives of one medium.

Sound and pictures come in and go out through it; what they are, it does not know.  `send` may be called by the thread
that encodes; all else belongs to the network thread.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import SystemRandom
from typing import TYPE_CHECKING, Protocol

from firmware.call.ice import Ice, Selected
from firmware.call.media import Channel, Direction, Feedback, Handshake, Kind
from firmware.media.dtls import Keys, is_dtls
from firmware.media.far_address import FarAddress
from firmware.media.key_agreement import KeyAgreement
from firmware.media.protection import Protection
from firmware.rtp.event import BitrateLimited, Goodbye, KeyFrameRequested, Retransmit
from firmware.rtp.packet import Packet, is_control
from firmware.rtp.payload import COMFORT_NOISE
from firmware.rtp.session import Session
from firmware.rtp.statistics import Statistics
from firmware.sansio import Address

if TYPE_CHECKING:
    from firmware.media.connectivity import Connectivity
    from firmware.rtp.synchronization import Reference

logger = logging.getLogger(__name__)

COMFORT_NOISE_TYPE = 13
"""RFC 3551 6: some send comfort noise without having said so."""
DEFAULT_BANDWIDTH = {Kind.AUDIO: 64_000, Kind.VIDEO: 1_500_000}
"""bit/s, where nothing was said; RTCP's share is reckoned from it."""
KEEP_OPEN_DELAY, KEEP_OPEN_TIME = 1.0, 15.0
"""Seconds until the first packet that only keeps the way open, as H.323 opens a channel each way one after the other,
and between two of them (RFC 6263 4)."""
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
        others: Mapping[Address, tuple[socket.socket, socket.socket]] | None = None,
    ) -> None:
        """*others* are the sockets of more addresses of ours, by which ICE may go."""
        now = time.monotonic()
        self.kind = kind
        self.clock_rate = clock_rate
        """Hz, of what is sent."""
        self.sockets = sockets
        self._others = others or {}
        self.sink: Sink | None = None
        self.on_key_frame_requested: Callable[[], None] = lambda: None
        self.bitrate_limit = 0
        """bit/s that the far end wants at most, as it last said by RTCP; 0: it said nothing."""
        self.on_bitrate_limited: Callable[[int], None] = lambda _bitrate: None
        self.on_failed: Callable[[Exception], None] = lambda _error: None
        self.on_keys: Callable[[Handshake, Keys], None] = lambda _handshake, _keys: None
        """Called with what came of a handshake."""
        self.on_no_keys: Callable[[str], None] = lambda _why: None
        """Called when a handshake has failed, and the stream stays silent."""
        self.on_way: Callable[[Ice, tuple[Selected, ...]], None] = lambda _ice, _selected: None
        """Called with the way that was found, and when it is another."""
        self.on_doubtful_way: Callable[[], None] = lambda: None
        """Called when nothing comes by it any more, and again every few seconds."""
        self.on_no_way: Callable[[str, bool], None] = lambda _why, _found: None
        """Called when there is no way; True: any more."""
        self.began = now
        self._former: tuple[socket.socket, ...] = ()
        """Those of the way that is left, until it has said goodbye."""
        self._rtp, self._rtcp = sockets
        self._bases = self._know_bases()
        """Of each socket, whether it is for RTCP, and its address where there are others."""
        self._lock = threading.Lock()
        self._mux = False
        self._protection = Protection()
        self._complained = False
        self._channels: tuple[Channel | None, Channel | None] = (None, None)
        self._connectivity: Connectivity | None = None
        """Where a way has to be found; then nobody is believed but by it."""
        self._handshake: Handshake | None = None
        """That is to begin once there is a way."""
        self._agreement: KeyAgreement | None = None
        self._keys: Keys | None = None
        """What the agreement was when last looked at."""
        self._begun_by: list[Address | None] = [None, None]
        """Where datagrams of handshakes come from, by port: RTP, RTCP."""
        self._keep_open_due = _NEVER
        """When the way here has to be kept open by somebody who sends nothing."""
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

    def use(self, send: Channel | None, receive: Channel | None, idle: Channel | None = None) -> None:
        """Keep to what was agreed from now on; *idle* instead of both: nothing flows but what keeps the way open.

        ValueError: what it is encrypted with makes no sense.
        """
        channel, now = send or receive or idle, time.monotonic()
        assert channel is not None
        self._channels = send, receive or idle
        if self._agreement is not None and self._agreement.handshake != channel.handshake:
            self._agreement = self._keys = None
            self._begun_by = [None, None]  # another far end, elsewhere maybe
        self._protect(now)  # first: without it nothing may be sent
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
            self._session.send_again = send.retransmission if send is not None else None
            self._session.received_again = (
                {receive.retransmission: receive.format.payload_type}
                if receive is not None and receive.retransmission is not None
                else {}
            )
            self._session.expect_source()
        # RFC 6263 3: where nothing is sent, NATs forget the way here, and relays never learn it; ICE has its own means.
        self._keep_open_due = now + KEEP_OPEN_DELAY if send is None and channel.ice is None else _NEVER
        self._connect(channel.ice, now)
        if self._agreement is None:
            self._handshake = channel.handshake
            self._begin_handshake(now)

    @property
    def all_sockets(self) -> tuple[socket.socket, ...]:
        """Those by which something may come."""
        return (*self.sockets, *(sock for pair in self._others.values() for sock in pair))

    def _know_bases(self) -> dict[socket.socket, tuple[bool, Address | None]]:
        pairs = (self.sockets, *self._others.values())
        return {
            sock: (sock is pair[1], sock.getsockname()[:2] if self._others else None) for pair in pairs for sock in pair
        }

    def move(
        self,
        sockets: tuple[socket.socket, socket.socket],
        others: Mapping[Address, tuple[socket.socket, socket.socket]] | None = None,
    ) -> None:
        """Go on by other sockets from the next `use` on, which must follow; those of before are closed then."""
        self._close_former_sockets()
        self._former = self.all_sockets
        self.sockets, self._others = sockets, others or {}
        self._rtp, self._rtcp = sockets
        self._bases = self._know_bases()
        self._begun_by = [None, None]

    def _close_former_sockets(self) -> None:
        for sock in self._former:
            sock.close()
        self._former = ()

    def _connect(self, ice: Ice | None, now: float) -> None:
        """Look for a way, where that was agreed."""
        way = self._connectivity
        if way is not None and (ice is None or way.sockets is not self.sockets):
            way.close(now)
            way = None
        self._close_former_sockets()
        if ice is None:
            self._connectivity = None
        elif way is not None:
            way.update(ice, now)
        else:
            from firmware.media.connectivity import Connectivity  # most calls go without

            way = Connectivity(ice, self.sockets, now, self._others)
            way.on_selected, way.on_doubt, way.on_lost = self._way_found, self.on_doubtful_way, self.on_no_way
            self._connectivity = way

    def _way_found(self, selected: tuple[Selected, ...]) -> None:
        if self._connectivity is not None:
            self.on_way(self._connectivity.ice, selected)
        self._begin_handshake(time.monotonic())

    def _begin_handshake(self, now: float, *, asked: bool = False) -> None:
        """Begin what has to wait for a way, once there is one, or the far end has found it (*asked*)."""
        handshake, way = self._handshake, self._connectivity
        if handshake is not None and (asked or way is None or way.settled):
            self._handshake, self._keys = None, _known(*self._channels)
            self._agreement = KeyAgreement(handshake, self._mux, self._send_handshake, now, self._keys)

    def _protect(self, now: float) -> None:
        """Use the keys of the channels, or those that were agreed since."""
        send, receive = self._channels
        if self._keys is not None and self._agreement is not None:
            ours, theirs = self._keys
            send = send and replace(send, crypto=ours, return_crypto=theirs)
            receive = receive and replace(receive, crypto=theirs, return_crypto=ours)
        self._protection.use(send, receive, now)

    def send(self, payload: bytes, timestamp: int, marker: bool, payload_type: int, taken: float | None = None) -> None:
        """Send one packet; *timestamp* is on the caller's own timeline, *taken* when that was.  Any thread may send."""
        with self._lock:
            data = self._session.send(payload, timestamp, marker, payload_type, time.monotonic(), taken)
        self._send_packet(data)

    def receive(self, sock: socket.socket, data: bytes, source: Address, now: float) -> None:
        """Take a datagram."""
        way = self._connectivity
        control, base = self._bases[sock]
        if way is not None:
            found = way.receive(data, control, source, now, base)
            if found is None:
                return
            data, source = found
        if is_dtls(data):  # RFC 7983 7
            self._receive_handshake(data, control, source, now)
            return
        if control or (self._mux and is_control(data)):
            proof = self._protection.authenticates
            if way is not None or self._far_control.accepts(source, now, proof) or self._far.accepts(source, now):
                clear = self._protection.unprotect_control(data, now)
                if clear is not None:
                    self._receive_control(clear, source, now)
            return
        if way is None and not self._far.accepts(source, now, self._protection.authenticates):
            return
        clear = self._protection.unprotect(data, now)
        if clear is None:
            if self._protection.refused >= MANY_REFUSED and not self._complained:
                self._complained = True
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
        agreement = self._agreement.timer() if self._agreement is not None else _NEVER
        way = self._connectivity.timer() if self._connectivity is not None else _NEVER
        sink = self.sink.timer() if self.sink else _NEVER
        return min(_NEVER if due is None else due, sink, agreement, way, self._keep_open_due)

    def handle_timer(self, now: float) -> None:
        """Send the RTCP that is due."""
        due = self._session.timer()
        if due is not None and due <= now:
            with self._lock:
                data = self._session.handle_timer(now)
            self._send_control(data)
        if self._keep_open_due <= now:
            self._keep_open_due = now + KEEP_OPEN_TIME
            with self._lock:
                data = self._session.keep_open()
            self._send_packet(data)
        if self.sink is not None and self.sink.timer() <= now:
            self.sink.handle_timer(now)
        if self._agreement is not None and self._agreement.timer() <= now:
            self._agreement.handle_timer(now)
            self._look_at_agreement(self._agreement, now)
        if self._connectivity is not None and self._connectivity.timer() <= now:
            self._connectivity.handle_timer(now)

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

    def request_bitrate(self, bitrate: int, loss: float, most: int, now: float) -> None:
        """See `Session.request_bitrate`."""
        with self._lock:
            data = self._session.request_bitrate(bitrate, loss, most, now)
        self._send_control(data)

    def close(self, now: float) -> None:
        """Say goodbye and close the sockets (the room keeps its own)."""
        with self._lock:
            data = self._session.close(now)
        self._send_control(data)
        if self._connectivity is not None:
            self._connectivity.close(now)
        for sock in (*self.all_sockets, *self._former):
            sock.close()

    @property
    def way(self) -> str:
        """What kind of way packets take, see `connectivity`; "": they go where signalling said."""
        return self._connectivity.kind if self._connectivity is not None else ""

    @property
    def round_trip(self) -> float | None:
        """s, as last measured."""
        return self._session.round_trip

    @property
    def reference(self) -> Reference | None:
        """What the far end says of its timestamps; None: nothing."""
        return self._session.reference

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
                case BitrateLimited(bitrate=bitrate, notification=notification):
                    self.bitrate_limit = bitrate
                    self._send_control(notification)
                    self.on_bitrate_limited(bitrate)
                case Goodbye(reason=reason):
                    logger.debug("The far end's %s said goodbye: %s", self.kind.value, reason)

    def _receive_handshake(self, data: bytes, control: bool, source: Address, now: float) -> None:
        far = self._far_control if control else self._far
        if self._connectivity is not None:
            self._begin_handshake(now, asked=True)
        elif not far.accepts(source, now):
            return
        if self._agreement is None:
            return
        self._begun_by[control] = source
        self._agreement.receive(data, control, now)
        self._look_at_agreement(self._agreement, now)

    def _look_at_agreement(self, agreement: KeyAgreement, now: float) -> None:
        if agreement.keys is not None and agreement.keys != self._keys:
            self._keys = agreement.keys
            self._protect(now)
            for far, source in zip((self._far, self._far_control), self._begun_by, strict=True):
                if source is not None:
                    far.heard(source, now)
            logger.info("= the keys of the call's %s are agreed: %s", self.kind.value, self._keys.send.suite.value)
            self.on_keys(agreement.handshake, agreement.keys)
        elif agreement.failure:
            self._agreement = None
            self.on_no_keys(agreement.failure)

    def _send_handshake(self, data: bytes, control: bool) -> None:
        far = self._far_control if control else self._far
        self._transmit(data, control, self._begun_by[control] or far.destination)

    def _send_control(self, data: bytes | None) -> None:
        if data:
            self._transmit(self._protection.protect_control(data), not self._mux, self._far_control.destination)

    def _send_packet(self, packet: bytes) -> None:
        self._transmit(self._protection.protect(packet), False, self._far.destination)

    def _transmit(self, data: bytes | None, control: bool, destination: Address | None) -> None:
        """Send by the port of RTP, or (*control*) of RTCP: by the way that was found, or where signalling said."""
        way = self._connectivity
        if data is None:
            return
        if way is not None:
            way.send(data, control)
            return
        if destination is None:
            return
        try:
            (self._rtcp if control else self._rtp).sendto(data, destination)
        except OSError as error:  # no route, a full buffer: a lost packet like any other
            logger.debug("To %s: %s", destination, error)


def _known(send: Channel | None, receive: Channel | None) -> Keys | None:
    """Give the keys that channels have from a handshake that is over."""
    for channel in (send, receive):
        if channel is not None and channel.crypto is not None and channel.return_crypto is not None:
            keys = channel.crypto, channel.return_crypto
            return Keys(*(keys if channel.direction is Direction.SEND else reversed(keys)))
    return None
