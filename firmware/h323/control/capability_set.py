"""What the far end can do, put together from the sets that it sends (H.245 B.2).

Rule 1: a set changes what it names; an entry or a descriptor without content is withdrawn (B.2.2).
Rule 2: a set without any content is the empty capability set of H.323 8.4.6: nothing may be sent, and the next set
starts from nothing.
Rule 3: a descriptor may name an entry that does not exist.  H.245 has a cause to reject that; real terminals take it,
and so do we: a number that stands for nothing is no alternative.
"""

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from firmware.asn1 import Value

MAX_ENTRIES: Final = 256
"""As many as one message can carry (H.245 annex A); a terminal that renumbers endlessly is stopped here."""
MAX_WEIGHT: Final = 2**18
"""Of all that stands; a set of 1300 octets weighs about 10,000."""

_MARSHAL_VERSION: Final = 2
"""The last in which what comes twice is written twice."""
_USER_INPUT: Final = ("receiveUserInputCapability", "receiveAndTransmitUserInputCapability")


class CapabilitySet:
    """The capabilities that stand."""

    def __init__(self) -> None:
        self._multiplex: Value = None
        self._table: dict[int, Value] = {}
        self._descriptors: dict[int, Value] = {}

    def update(self, message: Value) -> Value | None:
        """Take a TerminalCapabilitySet; gives the cause of a TerminalCapabilitySetReject where it must be refused."""
        if not message.keys() & {"multiplexCapability", "capabilityTable", "capabilityDescriptors"}:
            self._multiplex, self._table, self._descriptors = None, {}, {}
            return None
        table = dict(self._table)
        for entry in message.get("capabilityTable", ()):
            _put(table, entry["capabilityTableEntryNumber"], entry.get("capability"))
        descriptors = dict(self._descriptors)
        for descriptor in message.get("capabilityDescriptors", ()):
            _put(descriptors, descriptor["capabilityDescriptorNumber"], descriptor.get("simultaneousCapabilities"))
        multiplex = message.get("multiplexCapability", self._multiplex)
        if len(table) > MAX_ENTRIES or _weight([multiplex, table]) > MAX_WEIGHT:
            return ("tableEntryCapacityExceeded", ("noneProcessed", None))
        if _weight(descriptors) > MAX_WEIGHT:
            return ("descriptorCapacityExceeded", None)
        self._multiplex, self._table, self._descriptors = multiplex, table, descriptors
        return None

    def value(self) -> dict[str, Value]:
        """Give what stands as the content of a TerminalCapabilitySet; empty if the set is."""
        content: dict[str, Value] = {}
        if self._multiplex is not None:
            content["multiplexCapability"] = self._multiplex
        if self._table:
            content["capabilityTable"] = [
                {"capabilityTableEntryNumber": number, "capability": capability}
                for number, capability in self._table.items()
            ]
        if self._descriptors:
            content["capabilityDescriptors"] = [
                {"capabilityDescriptorNumber": number, "simultaneousCapabilities": alternatives}
                for number, alternatives in sorted(self._descriptors.items())
            ]
        return content

    def takes_user_input(self, kind: str) -> bool:
        """Whether a UserInputCapability (``"dtmf"``) is among those that can be received."""
        return any(name in _USER_INPUT and content[0] == kind for name, content in self._table.values())


def _put(numbered: dict[int, Value], number: int, content: Value | None) -> None:
    if content is None:
        numbered.pop(number, None)
    else:
        numbered[number] = content


def _weight(value: Value) -> int:
    """Give the octets of a plain way to write a value with all that is inside, names of components included."""
    return len(marshal.dumps(value, _MARSHAL_VERSION))
