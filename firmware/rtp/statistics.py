"""What one RTP session has sent and received, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """What we sent, and what the far end's receiver reports say of it."""

    packets: int
    octets: int
    """Of payload, as in a sender report."""
    lost: int
    """Packets, cumulative, as reported; may be negative when packets were doubled on the way (RFC 3550 6.4.1)."""
    loss: float
    """Fraction, 0 to 1, in the interval of the last report."""
    jitter: float
    """s, as reported."""
    round_trip: float | None
    """s, from the last report block that named one of our reports; None before."""
    retransmitted: int
    """Packets, because they were asked for."""
    last: float | None
    """When the last packet was sent."""


@dataclass(frozen=True, slots=True)
class Received:
    """What we received, over all sources that the session has had."""

    packets: int
    octets: int
    """Of payload."""
    lost: int
    """Packets, cumulative, RFC 3550 A.3."""
    loss: float
    """Fraction, 0 to 1, since `statistics` was asked before."""
    jitter: float
    """s, RFC 3550 A.8."""
    discarded: int
    """Datagrams: malformed, of a source that is not heard, or our own that came back."""
    last: float | None
    """When anything valid, RTP or RTCP, came last."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Both directions."""

    now: float
    """When these were taken."""
    sent: Sent
    received: Received
