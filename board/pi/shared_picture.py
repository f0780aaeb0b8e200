"""A picture in a camera's own memory, which the encoder reads there (DMABUF) without a copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import av


@dataclass(frozen=True, slots=True)
class Layout:
    """How the pictures of a camera lie in its memory."""

    pixel_format: str
    """The kernel's four letters."""
    width: int
    height: int
    stride: int
    """Bytes from one row of the first plane to the next."""
    size: int
    """Bytes of a picture, all its planes one behind the other."""

    def readable(self, stride: int, size: int) -> bool:
        """Whether a device that reads rows of ``stride`` and pictures of ``size`` bytes can read these."""
        return self.stride == stride and self.size >= size


class SharedPicture(Protocol):
    """One picture; the camera does not write there as long as somebody holds it."""

    layout: Layout

    @property
    def fd(self) -> int:
        """Of its memory (DMABUF)."""

    def hold(self) -> None:
        """Keep it; the camera must not write there until `release`."""

    def release(self) -> None:
        """Give it back: once for each `hold`."""

    def frame(self) -> av.VideoFrame:
        """A copy, as the firmware takes it."""
