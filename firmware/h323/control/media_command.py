"""What the two ends ask and tell of media on open channels: flow control, key frames, freezing, muting, keys.

A command names a channel by its number; whose it is follows from what it commands: a sender's channel is told to be
slower or to send a key frame, a receiver's to freeze.  With keys (H.235.6) it is said beside it, as the direction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.h323.control.events import (
    ChannelActive,
    FreezeRequested,
    KeyFrameRequested,
    KeyGiven,
    KeyRequested,
    Limited,
)

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
_KEY_COMMANDS: Final = frozenset({"encryptionUpdateRequest", "encryptionUpdate", "encryptionUpdateCommand"})
_DIRECTIONS: Final = {"masterToSlave": True, "slaveToMaster": False}
"""EncryptionUpdateDirection -> whether the master sends on the channel."""
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
        if bitrate and not units:
            units = 1  # 0 would be the order to send nothing
        restriction = ("noRestriction", None) if units is None else ("maximumBitRate", units)
        self._link.command("flowControlCommand", {"scope": scope, "restriction": restriction})

    def indicate_activity(self, number: int, *, active: bool) -> None:
        """Say whether what we send on a channel of ours is of use."""
        kind = "logicalChannelActive" if active else "logicalChannelInactive"
        self._link.indicate("miscellaneousIndication", {"logicalChannelNumber": number, "type": (kind, None)})

    def give_key(self, number: int, sync: Value, *, ours: bool, master: bool) -> None:
        """Give another session key for a channel; only the master does."""
        self._command(number, ("encryptionUpdateCommand", {"encryptionSync": sync}), ours=ours, master=master)

    def acknowledge_key(self, number: int, flag: int, *, ours: bool, master: bool) -> None:
        """Say that the key of this synchFlag is in use on a channel; only the slave does."""
        self._command(number, ("encryptionUpdateAck", {"synchFlag": flag}), ours=ours, master=master)

    def _command(self, number: int, kind: Value, *, ours: bool, master: bool) -> None:
        direction = "masterToSlave" if ours is master else "slaveToMaster"
        content = {"logicalChannelNumber": number, "type": kind, "direction": (direction, None)}
        self._link.command("miscellaneousCommand", content)

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

    def command_received(self, message: Value, *, master: bool | None) -> None:
        """Take a miscellaneousCommand; *master*: whether we are."""
        number, (kind, content) = message["logicalChannelNumber"], message["type"]
        if kind in _KEY_FRAME_COMMANDS:
            # A key frame too many does no harm; one too few, for a number that is not ours, freezes a picture.
            self._link.report(KeyFrameRequested(number if number in self._channels.outgoing else None))
        elif kind == "videoFreezePicture" and number in self._channels.incoming:
            self._link.report(FreezeRequested(number))
        elif kind in _KEY_COMMANDS and (ours := self._is_ours(message, master=master)) is not None:
            if kind == "encryptionUpdateRequest":
                self._link.report(KeyRequested(number, ours))
            else:
                sync = content["encryptionSync"] if kind == "encryptionUpdateCommand" else content
                self._link.report(KeyGiven(number, ours, sync))
        else:
            self._link.ignored[f"miscellaneousCommand {kind}"] += 1

    def _is_ours(self, message: Value, *, master: bool | None) -> bool | None:
        """Tell whose the channel of a key is; None: there is none.  Old terminals say no direction."""
        number, (direction, _) = message["logicalChannelNumber"], message.get("direction", ("", None))
        ours = number not in self._channels.incoming
        if direction in _DIRECTIONS:
            ours = _DIRECTIONS[direction] is master
        return ours if number in (self._channels.outgoing if ours else self._channels.incoming) else None

    def indication_received(self, message: Value) -> None:
        """Take a miscellaneousIndication."""
        number, kind = message["logicalChannelNumber"], message["type"][0]
        if kind in _ACTIVITY and number in self._channels.incoming:
            self._link.report(ChannelActive(number, _ACTIVITY[kind]))
        else:
            self._link.ignored[f"miscellaneousIndication {kind}"] += 1
