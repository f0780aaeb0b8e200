"""Pan, tilt and zoom by choosing a part of a camera's picture.

Rule 1: the part has the shape of the whole, and lies within it: at zoom 0 there is nowhere to pan to.
Rule 2: equal steps of zoom look equal: each makes the part smaller by the same factor.
Rule 3: it belongs to the board and not to an open camera, so the next call finds it as the last one left it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from firmware.ports import AXES, View

MOST = 4.0
"""Times that things can be made larger: a camera of 12 megapixels still gives about 720p then."""


class DigitalZoom:
    """A `firmware.ports.PanTiltZoom`."""

    axes = frozenset(AXES)
    driven: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.when_changed: Callable[[], None] | None = None
        """Called after each change, in the thread that makes it."""
        self._stand = dict.fromkeys(AXES, 0.0)

    @property
    def view(self) -> View:
        """Where it looks now."""
        return View(**self._stand)

    def go_to(self, view: View) -> None:
        """Look there; what is beyond is taken as the nearest."""
        stand = dict(self._stand)
        for axis, (least, most) in AXES.items():
            wanted = getattr(view, axis)
            if wanted is not None:
                stand[axis] = min(most, max(least, wanted))
        if stand != self._stand:
            self._stand = stand
            changed = self.when_changed  # an open camera's, which another thread may just be closing
            if changed is not None:
                changed()

    def drive(self, speeds: Mapping[str, float]) -> None:
        """It does nothing by itself."""

    def part(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The part to show of a picture of this size: left, top, width, height; all are even."""
        stand = self._stand
        size = MOST ** -stand["zoom"]
        part_width, part_height = (max(2, round(length * size / 2) * 2) for length in (width, height))
        left = (width - part_width) * (1 + stand["pan"]) / 2
        top = (height - part_height) * (1 - stand["tilt"]) / 2
        return round(left / 2) * 2, round(top / 2) * 2, part_width, part_height
