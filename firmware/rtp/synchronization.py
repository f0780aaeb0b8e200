"""Sound and pictures of a far end in step, by its sender reports (RFC 3550 6.4.1): lip sync.

A report says what the far end's clock showed at an RTP timestamp, so each block of sound and each picture has a time on
one clock.  From there on it takes until it is heard, or could be seen: the *delay* of its path.  The difference between
the far end's clock and ours is in both delays, and nothing is made of it.

::

    sound    ── network ── playout buffer ── speaker ──▶ heard  ┐ more than the picture's: pictures wait (`due`)
    picture  ── network ── decoder ───────── screen ───▶ seen   ┘ less: the playout buffer waits (`extra`), a little

Rule 1: pictures that are earlier than their sound wait for it; that costs nobody anything.
Rule 2: sound waits for pictures only where its lead would be noticed, and at most `MOST_EXTRA`: who talks to each other
minds a delay more than lips.
Rule 3: what is done changes by a frame's time a second at most, and not at all for less than can be noticed.
Rule 4: without reports of both, or with such as make no sense, and between sources that have no name in common
(RFC 3550 6.5.1), everything is played as it comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SCREEN: Final = 0.040
"""s from when a picture is ready until it is seen: composing, half a refresh, what the quickest televisions take."""
MOST_HELD: Final = 0.250
"""s that a picture waits: the deepest playout buffer and a speaker's own."""
MOST_EXTRA: Final = 0.100
"""s that sound waits."""
NOTICED: Final = 0.045
"""s that sound may lead before it is noticed (ITU-R BT.1359-1 figure 2); its lag is noticed from 0.125 s on."""
EASY: Final = 0.020
"""s of lead that are left when it was more."""
PERSISTENT: Final = 5
"""Updates for which sound has to lead before it is kept waiting: a burst of pictures passes."""
STEP: Final = 0.040
"""s by which what is done may change in a second: two packets of sound, about one picture."""
BAND: Final = 0.015
"""s that pictures may be off: half of one's time."""
NONSENSE: Final = 1.0
"""s between both delays that no network makes."""
STALE: Final = 30.0
"""s without sound, or without a picture, after which the other waits no more."""
ENOUGH: Final = 25
"""Packets or pictures that a delay is known by."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a far end's sender report says of its timestamps."""

    cname: str
    """Sources of one name have one clock (RFC 3550 6.5.1); "": it has said none."""
    stream: int
    """See Packet: of which packets it is true."""
    clock_rate: int
    """Hz, of the timestamps."""
    ntp: int
    """Time on the far end's clock, 1/2^32 s; 0: it has none (RFC 3550 6.4.1)."""
    timestamp: int
    """The same in RTP time."""

    def time(self, timestamp: int) -> float:
        """When this timestamp is, s on the far end's clock."""
        step = (timestamp - self.timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        return self.ntp / 0x1_0000_0000 + step / self.clock_rate


class _Path:
    """What one medium takes from when it was taken to when it is heard or could be seen."""

    def __init__(self, smoothing: int) -> None:
        """*smoothing*: packets or pictures that the mean is of, about."""
        self.reference: Reference | None = None
        self.delay = 0.0
        """s, in the mean: our clock's time less the far end's."""
        self._smoothing = smoothing
        self._stream = -1
        self._count = 0
        self._last = float("-inf")

    def take(self, stream: int, timestamp: int, at: float) -> float | None:
        """Count what is heard, or could be seen, *at* a time; give its delay, None: nobody knows."""
        reference = self.reference
        if reference is None or reference.stream != stream:
            return None
        delay = at - reference.time(timestamp)
        if stream != self._stream or abs(delay - self.delay) > NONSENSE:
            self._stream, self._count, self.delay = stream, 0, delay
        self._count += 1
        self._last = at
        self.delay += (delay - self.delay) / self._smoothing
        return delay

    def is_known(self, now: float) -> bool:
        """Whether the mean says something."""
        reference = self.reference
        return (
            reference is not None
            and reference.stream == self._stream
            and self._count >= ENOUGH
            and now < self._last + STALE
        )


class Synchronizer:
    """Of one call's sound and pictures.

    `sound_played` belongs to the thread that plays, `due` to the one that shows, `update` to whoever hears reports;
    what passes between them is single values.
    """

    def __init__(self) -> None:
        self.extra = 0.0
        """s that sound is to wait in its playout buffer for the sake of pictures."""
        self.held = 0.0
        """s that pictures wait in the mean for the sake of sound."""
        self._sound, self._picture = _Path(16), _Path(32)
        self._behind = 0.0
        """How much less sound waits than its buffer means to, s."""
        self._leading = 0
        """Updates for which sound has been leading."""

    def sound_played(self, stream: int, timestamp: int, at: float, behind: float) -> None:
        """Tell of a packet of sound, and when it is heard; *behind*: how much longer its buffer means to wait, s."""
        if self._sound.take(stream, timestamp, at) is not None:
            self._behind += (behind - self._behind) / 16

    def due(self, stream: int, timestamp: int, ready: float) -> float:
        """Give when to show a picture, at most MOST_HELD after it is ready.

        *ready*: when that is, or would be if the one before had not waited.
        """
        delay = self._picture.take(stream, timestamp, ready)
        if delay is None or not self.held:
            return ready
        return ready + min(MOST_HELD, max(0.0, self._picture.delay + self.held - delay))

    def update(self, sound: Reference | None, picture: Reference | None, now: float) -> None:
        """Go by these reports from now on; call it once a second.  None: there is none, or no such medium."""
        if not _are_comparable(sound, picture):
            sound = picture = None
        self._sound.reference, self._picture.reference = sound, picture
        lead = self._picture.delay + SCREEN - self._sound.delay
        if self._sound.is_known(now) and self._picture.is_known(now) and abs(lead) <= NONSENSE:
            self._keep_sound(lead - self._behind)
            self._keep_pictures(-lead)
        else:
            self._leading = 0
            self.extra = max(0.0, self.extra - STEP)
            self.held = max(0.0, self.held - STEP)

    def _keep_sound(self, lead: float) -> None:
        """Go by what the lead will be once the buffer waits as long as it means to."""
        self._leading = self._leading + 1 if lead > NOTICED else 0
        if self._leading >= PERSISTENT:
            self.extra = min(MOST_EXTRA, self.extra + min(STEP, lead - EASY))
        elif lead < 0:
            self.extra = max(0.0, self.extra - min(STEP, EASY - lead))

    def _keep_pictures(self, lag: float) -> None:
        step = min(MOST_HELD, max(0.0, lag)) - self.held
        if abs(step) > BAND:
            self.held += max(-STEP, min(STEP, step))


def _are_comparable(sound: Reference | None, picture: Reference | None) -> bool:
    if sound is None or picture is None:
        return False
    # RFC 3550 6.4.1: a sender that has no notion of time says 0.  6.5.1: sources of two names have two clocks.
    is_told = all(each.clock_rate > 0 and each.ntp > 0 for each in (sound, picture))
    return is_told and sound.cname == picture.cname
