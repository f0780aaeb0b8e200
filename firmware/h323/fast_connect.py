"""Fast connect: channels that are proposed in the Setup and chosen by the called side (H.323 8.1.7).

Rule 1: there is one answer, in any message up to and including Connect; later ones repeat it and are not looked at.
Rule 2: while it is outstanding no H.245 is tunnelled, which old terminals take for its end, unless the far end has
begun, or has shown by parallelH245Control that it knows better (8.2.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware.asn1 import Value
    from firmware.h323.user_information import UserInformation


class FastConnect:
    """What became of the caller's proposals, seen from either side."""

    def __init__(self) -> None:
        self.proposed = False
        self.accepted = False
        self.parallel = False
        """Whether H.245 was sent beside the proposals."""
        self._answered = False

    @property
    def pending(self) -> bool:
        """Whether the called side has not answered yet."""
        return self.proposed and not self._answered

    def propose(self, *, parallel: bool) -> None:
        """Take that the caller proposes channels."""
        self.proposed, self.parallel = True, parallel

    def answer(self, *, accepted: bool) -> None:
        """Take that we, called, chose channels, or refuse them all."""
        self._answered, self.accepted = True, accepted

    def read_answer(self, contents: UserInformation, *, last: bool) -> tuple[Value, ...] | None:
        """Give what the called side chose, () if it refuses, None if this message is no answer.

        *last* is set for Connect, after which no answer can come.
        """
        if not self.pending:
            return None
        channels = contents.fast_start
        if not (channels or contents.fast_connect_refused or last):
            return None
        self.answer(accepted=bool(channels))
        return channels
