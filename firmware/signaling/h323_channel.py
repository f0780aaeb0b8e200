"""Logical channels of one H.323 call, as values: what is sent, what is received, what is to be opened.

Rule: a channel's key is in no representation of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.call.media import Format, Kind
    from firmware.h323.h235_media import Algorithm, SessionKey
    from firmware.sansio import Address


@dataclass(frozen=True, slots=True)
class Sending:
    """A channel of ours, proposed or open."""

    kind: Kind
    format: Format
    bitrate: int
    packet_time: float
    remote: Address | None = None
    """None: not open yet."""
    remote_rtcp: Address | None = None
    algorithm: Algorithm | None = None
    """None: it is in the clear."""
    key: SessionKey | None = field(default=None, repr=False)
    """None: it is in the clear, or the far end has yet to give one."""


@dataclass(frozen=True, slots=True)
class Receiving:
    """A channel of theirs."""

    kind: Kind
    formats: tuple[Format, ...]
    remote_rtcp: Address | None
    key: SessionKey | None = field(default=None, repr=False)
    key_is_ours: bool = False
    """We made it, so the far end has to be told."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A channel that we would open."""

    kind: Kind
    data_type: Value
    parameters: Value
    """h2250LogicalChannelParameters."""
    sending: Sending
    """What it becomes."""
    sync: Value | None = None
    """Its session key, where it is ours to give: an EncryptionSync."""
