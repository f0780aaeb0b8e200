"""What the far end's control packets ask for, or tell."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyFrameRequested:
    """The far end needs a key frame of ours (PLI, or FIR)."""


@dataclass(frozen=True, slots=True)
class Retransmit:
    """The far end misses these packets: send them again, as was agreed, by RTP."""

    packets: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The source we hear has left the session, by its own words; signalling decides whether the call is over."""

    reason: str


@dataclass(frozen=True, slots=True)
class BitrateLimited:
    """The far end wants no more than this of us (TMMBR, REMB), bit/s of payload."""

    bitrate: int
    notification: bytes
    """RTCP to send, which says that we keep to it; b"": nothing."""


Event = KeyFrameRequested | Retransmit | Goodbye | BitrateLimited
