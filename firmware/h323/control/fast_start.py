"""The channels of fast connect: OpenLogicalChannels that travel in call signalling (H.323 8.1.7.1).

The caller proposes, for each direction, all that it could do, dearest first; the called side gives back those that it
chooses, with its own addresses.  A channel from the caller stands in the forward parameters, with the caller's number.
One to the caller stands in the reverse parameters, the forward ones being empty; in the answer its number is that of
the called side, who sends on it.

::

                          proposed by the caller              given back by the called side
    caller sends          number, where its RTCP comes to     where media and RTCP come to
    called side sends     where media and RTCP come to        its number, where its RTCP comes to
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware.asn1 import Value

_H2250 = "h2250LogicalChannelParameters"


@dataclass(frozen=True, slots=True)
class FastChannel:
    """One item of ``fastStart``, proposed or chosen."""

    number: int
    """Of whoever sends on it; in a proposal of what the called side is to send, it means nothing."""
    from_caller: bool
    """Whether the caller sends on it."""
    data_type: Value
    """A DataType."""
    parameters: dict[str, Value]
    """H2250LogicalChannelParameters."""
    sync: Value | None = None
    """EncryptionSync: the session key, which the called side gives for both directions (H.235.6)."""

    def value(self) -> dict[str, Value]:
        """Give the OpenLogicalChannel."""
        content = {"dataType": self.data_type, "multiplexParameters": (_H2250, self.parameters)}
        forward: dict[str, Value] = {"dataType": ("nullData", None), "multiplexParameters": ("none", None)}
        channel: dict[str, Value] = {
            "forwardLogicalChannelNumber": self.number,
            "forwardLogicalChannelParameters": content if self.from_caller else forward,
        }
        if not self.from_caller:
            channel["reverseLogicalChannelParameters"] = content
        if self.sync is not None:
            channel["encryptionSync"] = self.sync
        return channel


def read(item: Value) -> FastChannel | None:
    """Read an OpenLogicalChannel of ``fastStart``; None where it is none that we could take.

    Bidirectional channels are none, nor are such of an unknown type or of another multiplex than H.225.0's.
    """
    forward = item["forwardLogicalChannelParameters"]
    reverse = item.get("reverseLogicalChannelParameters")
    from_caller = reverse is None
    if not from_caller and forward["dataType"][0] != "nullData":
        return None
    content = forward if reverse is None else reverse
    kind, parameters = content.get("multiplexParameters", ("", None))
    data_type = content["dataType"]
    if kind != _H2250 or data_type[0] == "nullData" or data_type[0].startswith("+"):
        return None
    number, sync = item["forwardLogicalChannelNumber"], item.get("encryptionSync")
    return FastChannel(number, from_caller, data_type, parameters, sync)
