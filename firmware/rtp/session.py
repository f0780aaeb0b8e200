"""One RTP session: what one m-line sends and receives, with its RTCP (RFC 3550, RFC 4585, RFC 5104).

The owner moves the bytes.  What comes in goes to `receive` or `receive_control`; what `send`, `handle_timer` and the
feedback methods give is to be sent.

Rule 1: one source is heard at a time, see source.py for which.
Rule 2: nothing that the far end sends raises; it is counted.
Rule 3: what the far end's RTCP can make us do is bounded: key frames by time, retransmissions by a share of what we send.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from firmware.call.media import Feedback, Kind
from firmware.rtp.packet import Packet
from firmware.rtp.statistics import Statistics


@dataclass(frozen=True, slots=True)
class KeyFrameRequested:
    """The far end needs a key frame of ours (PLI, or FIR)."""


@dataclass(frozen=True, slots=True)
class Retransmit:
    """The far end misses these packets: send them again, as they are, by RTP."""

    packets: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The source we hear has left the session, by its own words; signalling decides whether the call is over."""

    reason: str


Event = KeyFrameRequested | Retransmit | Goodbye


class Session:
    """Sends one source and receives one; see the module for the rules."""

    def __init__(
        self,
        kind: Kind,
        clock_rate: int,
        rng: random.Random,
        cname: str,
        now: float,
        *,
        bandwidth: int = 64_000,
        feedback: frozenset[Feedback] = frozenset(),
        receive_clock_rates: Mapping[int, int] | None = None,
        clock_offset: float = 0.0,
    ) -> None:
        """Start a session.

        *clock_rate*: of what is sent, Hz; another clock asks for another Session.  *cname*: the same for all sessions of
        a call, RFC 7022.  *bandwidth*: of the session, one direction, bit/s.  *feedback*: what the far end understands
        and may ask for; settable later.  *receive_clock_rates*: payload type -> Hz of all that may arrive; settable
        later.  Without it, every payload type is taken, at *clock_rate*.  *clock_offset*: what to add to ``now`` for
        seconds since 1970 (UTC).
        """
        self.feedback = feedback
        self.receive_clock_rates = dict(receive_clock_rates or {})
        raise NotImplementedError

    @property
    def ssrc(self) -> int:
        """Ours; a collision changes it."""
        raise NotImplementedError

    @property
    def round_trip(self) -> float | None:
        """s, as last measured."""
        raise NotImplementedError

    @property
    def last_received(self) -> float | None:
        """When anything valid, RTP or RTCP, came last; None before."""
        raise NotImplementedError

    def send(self, payload: bytes, timestamp: int, marker: bool, payload_type: int, now: float) -> bytes:
        """Give the RTP packet to send.

        *timestamp*: on the caller's own timeline, any int that advances with the clock rate; the session adds its random
        offset (RFC 3550 5.1) and wraps it.
        """
        raise NotImplementedError

    def receive(self, data: bytes, now: float) -> Packet | None:
        """Take a datagram of the RTP port; give the packet, with ``index`` and ``stream`` set, or None: not for us.

        A packet that came twice, late or out of order is given too: the buffers of jitter.py and reorder.py see to that.
        """
        raise NotImplementedError

    def expect_source(self) -> None:
        """Let the next source take over at once: signalling says that the far end changes (re-INVITE, transfer)."""
        raise NotImplementedError

    def receive_control(self, data: bytes, now: float) -> list[Event]:
        """Take a datagram of the RTCP port (or one for which packet.is_control is true); give what it asks for."""
        raise NotImplementedError

    def timer(self) -> float:
        """When handle_timer is wanted; asks to be read again after every other call but send and receive."""
        raise NotImplementedError

    def handle_timer(self, now: float) -> bytes | None:
        """Give the RTCP packet that is due, if one is."""
        raise NotImplementedError

    def request_key_frame(self, now: float) -> bytes | None:
        """Ask for a key frame; call it whenever one is needed, it keeps the rate down by itself.

        Gives the RTCP packet to send; b"" when the far end takes no such feedback, and *now* is the time to ask by
        signalling; None when it was asked a moment ago.  Till `key_frame_received`, handle_timer asks again.
        """
        raise NotImplementedError

    def key_frame_received(self) -> None:
        """Tell that a whole key frame came: the request is answered."""
        raise NotImplementedError

    def report_missing(self, indexes: Iterable[int], now: float) -> bytes | None:
        """Ask for packets again (generic NACK): the RTCP packet to send, or None: not agreed, or nothing to ask for."""
        raise NotImplementedError

    def close(self, now: float) -> bytes:
        """End the session: the RTCP packet, with BYE, to send as the last."""
        raise NotImplementedError

    def sender_time(self, timestamp: int) -> float | None:
        """When, on the far end's wall clock (s since 1970), what has this RTP timestamp was taken; None: not known yet.

        Two sessions of one far end can be put in step by it (lip synchronisation, RFC 3550 6.4.1).
        """
        raise NotImplementedError

    def statistics(self, now: float) -> Statistics:
        """Give what was sent and received until now; ``received.loss`` is of the time since the last such call."""
        raise NotImplementedError
