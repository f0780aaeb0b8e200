"""What is sent of each medium in one H.323 call: the first of our codecs that the far end receives.

Rule 1: what the far end asks for (RequestMode, H.245 C.9) counts for as long as its capability set does.
Rule 2: a master that refuses our channel because of its own (masterSlaveConflict) is sent what it sends.
Rule 3: a gatekeeper may leave less for pictures than our settings do, or nothing.
Rule 4: what was refused is not asked for again, until the far end says anew what it can receive or wants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware.call.call import EndReason
from firmware.call.media import AUDIO_BITRATE, Kind
from firmware.signaling import h323_capabilities, h323_formats, h323_mode
from firmware.signaling.h264_levels import max_bitrate
from firmware.signaling.h323_capabilities import RemoteCapabilities, read_set
from firmware.signaling.h323_formats import BITRATE_UNIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from firmware.asn1 import Value
    from firmware.call.media import Capabilities, Codec
    from firmware.h323.h235_media import Algorithm
    from firmware.signaling.h323_channel import Sending
    from firmware.signaling.h323_crypto import H323Crypto


@dataclass(frozen=True, slots=True)
class Choice:
    """What could be sent."""

    codec: Codec
    theirs: h323_formats.Described
    algorithm: Algorithm | None
    """None: in the clear."""


class H323Selection:
    """The choice of one call."""

    def __init__(self, capabilities: Capabilities, crypto: H323Crypto) -> None:
        self.remote = RemoteCapabilities()
        """What the far end can receive."""
        self._capabilities: Final = capabilities
        self._crypto: Final = crypto
        self._refused: set[Kind] = set()
        """What the far end would not be sent."""
        self._in_clear: set[Kind] = set()
        """What it would not be sent encrypted."""
        self._asked: dict[Kind, tuple[h323_formats.Described, ...]] = {}
        """What it asked for."""
        self._conflicts: dict[Kind, Codec] = {}
        """What it sends itself, and sticks to."""
        self._denied = False
        """It wants what we send encrypted."""
        self.video_bitrate = capabilities.video_bitrate
        """bit/s of pictures, in either direction, as far as we are asked."""

    # What the far end says

    def take(self, capabilities: Value) -> None:
        """Learn what it can receive now; it replaces all that was said before."""
        self.remote = read_set(capabilities)
        self._refused.clear()
        self._in_clear.clear()
        self._asked.clear()
        self._conflicts.clear()

    def take_mode(self, mode: Iterable[Value]) -> None:
        """Learn what it would be sent, by a ModeDescription; a medium that stands not in there is refused.

        Of what it can't receive itself, or what can't be read, nothing follows.
        """
        asked = h323_mode.read_mode(mode)
        self._refused = set(Kind) - asked.keys()
        self._asked = {
            kind: described
            for kind, described in asked.items()
            if any(h323_mode.first_same(theirs.codec, described) for theirs in self.remote.media.get(kind, ()))
        }
        self._conflicts.clear()

    def take_bandwidth(self, bitrate: int) -> None:
        """Learn what the gatekeeper allows, bit/s of either direction: it may be less than there is for pictures."""
        self.video_bitrate = min(self._capabilities.video_bitrate, max(bitrate - AUDIO_BITRATE, 0))

    def has_room(self, kind: Kind) -> bool:
        """Whether the gatekeeper leaves anything for a medium."""
        return kind is not Kind.VIDEO or self.video_bitrate >= BITRATE_UNIT

    @property
    def is_limited(self) -> bool:
        """Whether the gatekeeper allows less than our settings."""
        return self.video_bitrate < self._capabilities.video_bitrate

    def refuse(self, kind: Kind) -> None:
        """Take that it would not be sent a medium at all."""
        self._refused.add(kind)

    def refused(self, sending: Sending, cause: str, received: Codec | None) -> None:
        """Take that a channel of ours does not open; *received*: what it sends of the same medium, if anything."""
        kind, codec = sending.kind, sending.format.codec
        self._denied = self._denied or cause == "securityDenied"
        conflicts = cause == "masterSlaveConflict" and kind not in self._conflicts
        if conflicts and received is not None and not h323_formats.same(received, codec):
            self._conflicts[kind] = received
        elif sending.algorithm is not None and not self._crypto.required:
            self._in_clear.add(kind)
        else:
            self._refused.add(kind)

    # What follows from it

    @property
    def has_common(self) -> bool:
        """Whether anything of ours can be received there."""
        return any(self.choose(kind) for kind in Kind)

    @property
    def lack(self) -> EndReason:
        """Why there is no call where there is nothing in common."""
        in_clear = self._crypto.required and any(self._match(kind) for kind in Kind)
        return EndReason.NOT_ENCRYPTED if in_clear or self._denied else EndReason.NO_COMMON_MEDIA

    @property
    def refuses(self) -> frozenset[Kind]:
        """What the far end would not be sent."""
        return frozenset(self._refused)

    def choose(self, kind: Kind) -> Choice | None:
        """Give the first codec of ours that it receives, encrypted if that can or must be."""
        if not self.has_room(kind) or kind not in self._capabilities.sends:
            return None
        secure = self._match(kind, secure=True) if self._crypto.agreed and kind not in self._in_clear else None
        # What must be encrypted may yet be agreed; until then nothing is opened.
        waits = self._crypto.required and not self._crypto.open
        return secure or (None if waits else self._match(kind))

    def allows(self, sending: Sending) -> bool:
        """Whether it can still receive, and wants, what is sent."""
        codec = sending.format.codec
        return (
            self.has_room(sending.kind)
            and sending.kind not in self._refused
            and any(
                h323_formats.same(codec, limited.codec)
                and h323_mode.fits(codec, limited.codec)
                and (sending.algorithm is None or sending.algorithm in self.remote.algorithms.get(theirs, ()))
                for theirs, limited in self._receivable(sending.kind)
            )
        )

    def bitrate(self, theirs: h323_formats.Described) -> int:
        """Give what we send at most of what it describes, bit/s; 0: not limited (sound)."""
        h264 = theirs.codec.h264
        ours = self.video_bitrate
        if h264 is None:
            return min(ours, theirs.bitrate or ours) if theirs.codec.kind is Kind.VIDEO else 0
        return min(ours, max_bitrate(h264), theirs.bitrate or ours)

    def limit(self, sending: Sending) -> int:
        """Give what may be sent on an open channel, bit/s; 0: not limited."""
        codec = sending.format.codec
        limited = (each for _, each in self._receivable(sending.kind))
        described = h323_mode.first_same(codec, limited)
        bitrates = [bitrate for bitrate in (sending.bitrate, described and self.bitrate(described)) if bitrate]
        return min(bitrates, default=0)

    def _match(self, kind: Kind, *, secure: bool = False) -> Choice | None:
        for ours in self._preferred(kind):
            for theirs, limited in self._receivable(kind):
                algorithm = self._crypto.choose(self.remote.algorithms.get(theirs, ())) if secure else None
                if h323_formats.same(ours, limited.codec) and (algorithm is not None or not secure):
                    mode = min(ours.h264.packetization_mode if ours.h264 else 0, self.remote.packetization_mode)
                    return Choice(h323_formats.with_mode(limited.codec, mode), limited, algorithm)
        return None

    def _preferred(self, kind: Kind) -> list[Codec]:
        codecs = h323_capabilities.codecs(self._capabilities, kind)
        conflict = self._conflicts.get(kind)
        return sorted(codecs, key=lambda codec: conflict is not None and not h323_formats.same(codec, conflict))

    def _receivable(self, kind: Kind) -> Iterator[tuple[h323_formats.Described, h323_formats.Described]]:
        """Give each capability for a medium, and what it is limited to by what was asked for."""
        asked = self._asked.get(kind)
        for theirs in self.remote.media.get(kind, ()):
            if asked is None:
                yield theirs, theirs
            else:
                wanted = h323_mode.first_same(theirs.codec, asked)
                if wanted is not None:
                    yield theirs, h323_mode.within(theirs, wanted)
