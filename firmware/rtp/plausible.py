"""Sound or noise: whether what a key makes of encrypted sound is sound (H.235.6, which proves no key).

Rule 1: nothing is heard until some packets together look like sound; from then on the key is believed.
Rule 2: a wrong key makes every octet as likely as any other.  Those of G.711 and G.722 never are; the first octet of a
packet of Opus says how it is coded (RFC 6716 3.1), which hardly ever changes.
Rule 3: other codecs are believed as they are.  Pictures are: a decoder refuses what is none.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from firmware.call.media import G722, OPUS, PCMA, PCMU

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST: Final = 5
"""Packets that are judged together at first, a tenth of a second; after a wrong guess more, up to `MOST`."""
MOST: Final = 80
OCTETS: Final = 400
"""At least, where it is octets that are judged."""
_VALUES: Final = 256
MOST_EVEN: Final = 255 + 6 * 22.6
"""Chi-squared of 256 values that are equally likely is 255, with a deviation of 22.6."""
MOST_CONFIGURATIONS: Final = 2
"""Of Opus, within a tenth of a second or a second and a half."""


def is_even(payloads: Sequence[bytes]) -> bool:
    """Whether the octets are as even as noise; too few are."""
    counts = Counter(b"".join(payloads))
    total = sum(counts.values())
    if total < OCTETS:
        return True
    expected = total / _VALUES
    uneven = sum((count - expected) ** 2 for count in counts.values()) / expected
    return uneven + (_VALUES - len(counts)) * expected < MOST_EVEN


def is_restless(payloads: Sequence[bytes]) -> bool:
    """Whether packets of Opus are coded now in this way and now in that."""
    return len({payload[0] >> 3 for payload in payloads if payload}) > MOST_CONFIGURATIONS


_IS_NOISE: Final = {codec.name: is_even for codec in (PCMU, PCMA, G722)} | {OPUS.name: is_restless}


class SoundJudge:
    """What is to be believed of one stream, by the codec's name as `firmware.call.media` has it."""

    def __init__(self, codec: str) -> None:
        self._is_noise = _IS_NOISE.get(codec)
        self._payloads: list[bytes] = []
        self._wanted = FIRST
        self.believes = self._is_noise is None
        """Whether the key has been found right."""

    def hears(self, payload: bytes) -> bool:
        """Take a packet's decrypted payload; whether it may be heard."""
        if self._is_noise is None or self.believes:
            return True
        self._payloads.append(payload)
        if len(self._payloads) >= self._wanted:
            self.believes = not self._is_noise(self._payloads)
            self._payloads.clear()
            self._wanted = min(2 * self._wanted, MOST)
        return self.believes
