"""What the two ends ask and tell of the media on open channels: flow control, key frames, freezing, muting.

A command names a channel by its number; whose it is follows from what it commands: a sender's channel is told to be
slower or to send a key frame, a receiver's to freeze.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.h323.control.events import ChannelActive, FreezeRequested, KeyFrameRequested, Limited

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.h323.control.channels import Channels
    from firmware.h323.control.link import Link

BITRATE_UNIT: Final = 100
"""Bit/s; H.245 B.13: maximumBitRate of a flowControlCommand counts these."""
MAX_UNITS: Final = 2**24 - 1
"""H.245 annex A: FlowControlCommand."""

_KEY_FRAME_COMMANDS: Final = frozenset(
    {
        *("videoFastUpdatePicture", "videoFastUpdateGOB", "videoFastUpdateMB"),
        *("videoBadMBs", "lostPicture", "lostPartialPicture"),
    }
)
"""What a picture that depends on no other heals (B.13)."""
_ACTIVITY: Final = {"logicalChannelActive": True, "logicalChannelInactive": False}


class MediaCommands:
    """Commands and indications of one call."""

    def __init__(self, link: Link, channels: Channels) -> None:
        self._link = link
        self._channels = channels

    def request_key_frame(self, number: int) -> None:
        """Ask for a picture that depends on no other, on a channel of theirs."""
        content = {"logicalChannelNumber": number, "type": ("videoFastUpdatePicture", None)}
        self._link.command("miscellaneousCommand", content)

    def limit(self, number: int | None, bitrate: int | None) -> None:
        """Limit what the far end sends to so many bit/s; of either, None is all and no limit."""
        scope = ("wholeMultiplex", None) if number is None else ("logicalChannelNumber", number)
        units = None if bitrate is None else min(max(bitrate, 0) // BITRATE_UNIT, MAX_UNITS)
        restriction = ("noRestriction", None) if units is None else ("maximumBitRate", units)
        self._link.command("flowControlCommand", {"scope": scope, "restriction": restriction})

    def indicate_activity(self, number: int, *, active: bool) -> None:
        """Say whether what we send on a channel of ours is of use."""
        kind = "logicalChannelActive" if active else "logicalChannelInactive"
        self._link.indicate("miscellaneousIndication", {"logicalChannelNumber": number, "type": (kind, None)})

    def flow_control_received(self, message: Value) -> None:
        """Take a flowControlCommand; a resource that it names we have not."""
        scope, number = message["scope"]
        restriction, units = message["restriction"]
        bitrate = units * BITRATE_UNIT if restriction == "maximumBitRate" else None
        if scope == "wholeMultiplex":
            self._link.report(Limited(None, bitrate))
        elif scope == "logicalChannelNumber" and number in self._channels.outgoing:
            self._link.report(Limited(number, bitrate))
        else:
            self._link.ignored["flowControlCommand for no channel of ours"] += 1

    def command_received(self, message: Value) -> None:
        """Take a miscellaneousCommand."""
        number, kind = message["logicalChannelNumber"], message["type"][0]
        if kind in _KEY_FRAME_COMMANDS:
            # A key frame too many does no harm; one too few, for a number that is not ours, freezes a picture.
            self._link.report(KeyFrameRequested(number if number in self._channels.outgoing else None))
        elif kind == "videoFreezePicture" and number in self._channels.incoming:
            self._link.report(FreezeRequested(number))
        else:
            self._link.ignored[f"miscellaneousCommand {kind}"] += 1

    def indication_received(self, message: Value) -> None:
        """Take a miscellaneousIndication."""
        number, kind = message["logicalChannelNumber"], message["type"][0]
        if kind in _ACTIVITY and number in self._channels.incoming:
            self._link.report(ChannelActive(number, _ACTIVITY[kind]))
        else:
            self._link.ignored[f"miscellaneousIndication {kind}"] += 1
