"""The TCP streams of one terminal: what is open, who owns it, and bounds on what strangers may open.

Rule 1: an accepted stream belongs to nobody until a call claims it, and has little time and few siblings till then.
Where there are too many, the oldest goes: who means to call says so at once, and a flood keeps nobody out.
Rule 2: a stream that breaks TPKT's rules, or sends much that is no message, is closed.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol

from firmware.errors import LocalProtocolError
from firmware.h323 import tpkt
from firmware.sansio import Close, Flow, Open, Send

if TYPE_CHECKING:
    from firmware.h323.identity import Identity
    from firmware.sansio import Action

SILENCE: Final = 10.0
"""Seconds in which a Setup must have come on an accepted stream."""
MAX_MALFORMED: Final = 50
"""Packets on one stream that are no messages; then it is closed."""


class Owner(Protocol):
    """The call to which a stream belongs."""

    def stream_opened(self, now: float) -> None:
        """Take that the stream that was asked for exists."""

    def stream_closed(self, stream: Stream, now: float) -> None:
        """Take that it has ended, or could not be made."""

    def stream_received(self, payload: bytes, now: float) -> None:
        """Take the contents of one packet."""


@dataclass(slots=True, eq=False)
class Stream:
    """One TCP connection."""

    flow: Flow
    owner: Owner | None
    deadline: float | None = None
    """When it is closed because nobody claimed it."""
    malformed: int = 0
    reader: tpkt.PacketReader = field(default_factory=tpkt.PacketReader)


class Streams:
    """All streams of one terminal, by flow."""

    def __init__(self, identity: Identity, counters: Counter[str]) -> None:
        self.actions: list[Action] = []
        self._identity = identity
        self._counters = counters
        self._streams: dict[Flow, Stream] = {}
        self._numbers = itertools.count(1)

    def __len__(self) -> int:
        return len(self._streams)

    def get(self, flow: Flow) -> Stream | None:
        """Give the stream of this flow."""
        return self._streams.get(flow)

    def reserve(self, flow: Flow, owner: Owner | None = None) -> Stream:
        """Give a stream of its own, also where others lead to the same far end; it is `connect` that opens it."""
        return Stream(replace(flow, number=next(self._numbers)), owner)

    def connect(self, stream: Stream) -> None:
        """Open a stream that was reserved.  LocalProtocolError: there are too many."""
        if not self._make_room():
            raise LocalProtocolError(f"{len(self._streams)} connections are all this unit takes")
        self._streams[stream.flow] = stream
        self.actions.append(Open(stream.flow))

    def accept(self, flow: Flow, owner: Owner | None, now: float) -> Stream | None:
        """Take a stream that the far end made; None: there are too many, it is closed."""
        host = flow.remote[0]
        if owner is None and len(self._silent(host)) >= self._identity.max_silent_per_host:
            self._give_up(self._silent(host)[0])
        if not self._make_room():
            self.refuse(flow, "too many connections")
            return None
        stream = Stream(flow, owner, deadline=now + SILENCE if owner is None else None)
        self._streams[flow] = stream
        return stream

    def refuse(self, flow: Flow, why: str) -> None:
        """Close a stream that the far end made, before it is one of ours."""
        self._counters[why] += 1
        self.actions.append(Close(flow))

    def claim(self, stream: Stream, owner: Owner) -> None:
        """Give an accepted stream to a call."""
        stream.owner, stream.deadline = owner, None

    def send(self, stream: Stream, payload: bytes) -> None:
        """Send one message; on a stream that is closed, nothing."""
        if self._streams.get(stream.flow) is stream:
            self.actions.append(Send(stream.flow, tpkt.encode(payload)))

    def close(self, stream: Stream | None) -> None:
        """Close once all that was sent is out; a second time does nothing."""
        if stream is not None and self._streams.get(stream.flow) is stream:
            del self._streams[stream.flow]
            self.actions.append(Close(stream.flow))

    def forget(self, flow: Flow) -> Stream | None:
        """Take that a stream has ended; give it."""
        return self._streams.pop(flow, None)

    def is_open(self, stream: Stream) -> bool:
        """Whether it is (still) a stream of ours."""
        return self._streams.get(stream.flow) is stream

    def blame(self, stream: Stream) -> bool:
        """Count a packet that is no message; whether that is enough to close the stream."""
        stream.malformed += 1
        self._counters["malformed message"] += 1
        return stream.malformed >= MAX_MALFORMED

    def timer(self) -> float | None:
        """When the first unclaimed stream is closed."""
        return min((s.deadline for s in self._streams.values() if s.deadline is not None), default=None)

    def expire(self, now: float) -> None:
        """Close the streams that nobody claimed in time."""
        for stream in list(self._streams.values()):
            if stream.deadline is not None and stream.deadline <= now:
                self._counters["silent connection"] += 1
                self.close(stream)

    def _silent(self, host: str | None = None) -> list[Stream]:
        """Give the streams that nobody has claimed, of one host or of all, oldest first."""
        return [
            stream
            for stream in self._streams.values()
            if stream.deadline is not None and host in (None, stream.flow.remote[0])
        ]

    def _make_room(self) -> bool:
        """Make room for one more stream, if need be at the cost of the oldest that nobody has claimed."""
        silent = self._silent() if len(self._streams) >= self._identity.max_streams else []
        if silent:
            self._give_up(silent[0])
        return len(self._streams) < self._identity.max_streams

    def _give_up(self, stream: Stream) -> None:
        self._counters["too many connections"] += 1
        self.close(stream)
