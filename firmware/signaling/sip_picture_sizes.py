"""H.261 and H.263 in the words of SDP (RFC 4587 6, RFC 4629 8): the sizes and intervals that a receiver takes.

Rule 1: an answer repeats those sizes of the offer that we have, none of them more often than either side takes it.
Rule 2: annexes and custom sizes are passed over: whoever says them takes the standard sizes as well.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firmware.call.media import CIF, CIF4, CIF16, H261, H263, H263_1998, QCIF, SUB_QCIF, PictureSize

if TYPE_CHECKING:
    from firmware.call.media import Codec

H263_2000: Final = "H263-2000"
"""The same payload format under another name, where profiles and levels may be said (RFC 4629 8.1.2)."""
_SAME: Final = {
    H261.name.lower(): H261.name,
    H263.name.lower(): H263.name,
    H263_1998.name.lower(): H263_1998.name,
    H263_2000.lower(): H263_1998.name,
}
"""A name in small letters -> the codec of ours."""
_WRITTEN: Final = {H263_2000.lower(): H263_2000}
_SIZES: Final = {"SQCIF": SUB_QCIF, "QCIF": QCIF, "CIF": CIF, "CIF4": CIF4, "CIF16": CIF16}
_NAMES: Final = {(size.width, size.height): name for name, size in _SIZES.items()}
_PARAMETER: Final = re.compile(
    r"(?:^|[\s;,/])(S?QCIF|CIF4|CIF16|CIF|LEVEL)\s*=\s*(\d{1,2})(?!\d)", re.ASCII | re.IGNORECASE
)
"""Old systems separate them by spaces or strokes (RFC 3555)."""
_LEVELS: Final = {
    10: (replace(QCIF, interval=2), replace(SUB_QCIF, interval=2)),
    20: (replace(CIF, interval=2), QCIF, SUB_QCIF),
    30: (CIF, QCIF, SUB_QCIF),
    40: (CIF, QCIF, SUB_QCIF),
    45: (replace(QCIF, interval=2), replace(SUB_QCIF, interval=2)),
    50: (CIF, QCIF, SUB_QCIF),
}
"""H.263 table X.2, as far as the standard sizes go; the levels above take larger ones that are not standard."""
_INTERVALS: Final = range(1, 33)


def ours(name: str) -> str:
    """Give our name of a codec with picture sizes; "": it is none."""
    return _SAME.get(name.lower(), "")


def read(codec: Codec, fmtp: str) -> Codec:
    """Give a codec of the far end's with the sizes that its parameters say."""
    said = {name.upper(): int(number) for name, number in _PARAMETER.findall(fmtp)}
    sizes = tuple(
        replace(_SIZES[name], interval=interval)
        for name, interval in said.items()
        if name in _SIZES and interval in _INTERVALS
    )
    if not sizes and "LEVEL" in said:
        sizes = _LEVELS[max((level for level in _LEVELS if level <= said["LEVEL"]), default=10)]
    name = _WRITTEN.get(codec.name.lower(), ours(codec.name))
    # RFC 4587 6.2, RFC 4629 8.2: who says no size takes QCIF with an interval of 1.
    return replace(codec, name=name, picture_sizes=sizes or (QCIF,))


def shared(mine: Codec, theirs: Codec) -> tuple[PictureSize, ...]:
    """Give the sizes that both have, in their order, at the longer interval."""
    taken = {(size.width, size.height): size.interval for size in mine.picture_sizes}
    return tuple(
        replace(size, interval=max(size.interval, taken[size.width, size.height]))
        for size in theirs.picture_sizes
        if (size.width, size.height) in taken
    )


def fmtp(sizes: tuple[PictureSize, ...]) -> str:
    """Write the parameters that say these sizes, the preferred one first."""
    return ";".join(f"{_NAMES[size.width, size.height]}={size.interval}" for size in sizes)
