"""What the control of a call tells its owner, as values.

A channel *number* of ours and one of the far end's are different things: whoever sends on a channel numbers it (H.245
B.3.1).  Each event says whose it is.  After `Failed` only `SessionEnded` follows, once ``end`` is asked for; after
that, nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware.asn1 import Value


@dataclass(frozen=True, slots=True)
class Determined:
    """Both ends know who is master (H.245 C.2: DETERMINE.confirm).  It may come again, and differently."""

    master: bool
    """Whether we are."""


@dataclass(frozen=True, slots=True)
class CapabilitiesReceived:
    """The far end sent a set, which is acknowledged already."""

    capabilities: dict[str, Value]
    """All that it can now, put together from its sets: ``multiplexCapability``, ``capabilityTable`` and
    ``capabilityDescriptors`` of a TerminalCapabilitySet, each where there is one.  Empty: it wants to be sent nothing
    (H.323 8.4.6): close all channels of ours, and wait for the next set."""


@dataclass(frozen=True, slots=True)
class CapabilitiesAcknowledged:
    """The far end took the set that we sent last."""


@dataclass(frozen=True, slots=True)
class CapabilitiesRefused:
    """The far end took a set before, but not the one that we sent last, or it never answered."""


@dataclass(frozen=True, slots=True)
class ChannelRequested:
    """The far end wants to send: ``accept_channel`` or ``reject_channel``."""

    number: int
    """Theirs."""
    parameters: dict[str, Value]
    """The OpenLogicalChannel.  It is unidirectional, of a data type that we know, and multiplexed by H.225.0."""


@dataclass(frozen=True, slots=True)
class ChannelOpened:
    """The far end takes what we want to send."""

    number: int
    """Ours: what ``open_channel`` gave."""
    ack: dict[str, Value]
    """The OpenLogicalChannelAck."""


@dataclass(frozen=True, slots=True)
class ChannelRefused:
    """A channel that we asked for does not open."""

    number: int
    """Ours."""
    cause: str
    """Of the OpenLogicalChannelReject.  ``masterSlaveConflict``: open one that goes with what the far end sends.
    ``NO_RESPONSE``: the far end never answered, or out of turn."""


NO_RESPONSE = "noResponse"
"""A cause of ours: no OpenLogicalChannelReject has it."""


@dataclass(frozen=True, slots=True)
class ChannelClosed:
    """A channel that was open, or about to be, is gone."""

    number: int
    ours: bool


@dataclass(frozen=True, slots=True)
class CloseRequested:
    """The far end asks us to stop sending on a channel, which is promised already: ``close_channel``."""

    number: int
    """Ours."""
    reason: str
    """``unknown``, ``normal``, ``reopen`` (open another in its place), ``reservationFailure``, ``networkErrorCode``."""


@dataclass(frozen=True, slots=True)
class CloseRefused:
    """The far end goes on sending on a channel that we asked it to close."""

    number: int
    """Theirs."""


@dataclass(frozen=True, slots=True)
class KeyFrameRequested:
    """The far end can't decode our pictures until it gets one that depends on no other."""

    number: int | None
    """Ours; None: the channel that it names is none of ours."""


@dataclass(frozen=True, slots=True)
class FreezeRequested:
    """Show the last whole picture of the far end until its next that depends on no other (videoFreezePicture)."""

    number: int
    """Theirs."""


@dataclass(frozen=True, slots=True)
class KeyRequested:
    """The far end, being the slave, asks for another session key (H.235.6): ``give_key``."""

    number: int
    ours: bool
    """Whether we send on the channel."""


@dataclass(frozen=True, slots=True)
class KeyGiven:
    """The far end, being the master, gives another session key (H.235.6): ``acknowledge_key`` once it is in use."""

    number: int
    ours: bool
    sync: Value
    """EncryptionSync."""


@dataclass(frozen=True, slots=True)
class Limited:
    """The far end limits what we send."""

    number: int | None
    """Ours; None: all of our channels together."""
    bitrate: int | None
    """Bit/s; 0: send nothing; None: the limit is lifted."""


@dataclass(frozen=True, slots=True)
class ChannelActive:
    """The far end says whether what it sends is of use: not so while it is muted."""

    number: int
    """Theirs."""
    active: bool


@dataclass(frozen=True, slots=True)
class Digit:
    """The far end pressed a key."""

    digit: str
    """One of ``0123456789*#ABCD!``, ``!`` being hookflash."""
    duration: float | None = None
    """Seconds, where the far end says so."""
    in_rtp: bool = False
    """Whether the same key comes as an RTP telephone event too."""


@dataclass(frozen=True, slots=True)
class ModeRequested:
    """The far end wants us to send something else, which is promised already: close and open channels accordingly."""

    mode: list[dict[str, Value]]
    """The ModeElements of one ModeDescription: all are of kinds that we can send."""


@dataclass(frozen=True, slots=True)
class ModeAnswered:
    """What came of ``request_mode``."""

    answer: str
    """``willTransmitMostPreferredMode``, ``willTransmitLessPreferredMode``, the cause of a RequestModeReject, or
    ``NO_RESPONSE``."""


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """How long a question and its answer took."""

    delay: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Nothing more will be said: the far end has ended the session, or never answered our end of it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A procedure without which there is no call gave up: the call must end."""

    reason: str
    """In words, for the log."""


Event = (
    Determined
    | CapabilitiesReceived
    | CapabilitiesAcknowledged
    | CapabilitiesRefused
    | ChannelRequested
    | ChannelOpened
    | ChannelRefused
    | ChannelClosed
    | CloseRequested
    | CloseRefused
    | KeyFrameRequested
    | FreezeRequested
    | KeyRequested
    | KeyGiven
    | Limited
    | ChannelActive
    | Digit
    | ModeRequested
    | ModeAnswered
    | RoundTrip
    | SessionEnded
    | Failed
)
