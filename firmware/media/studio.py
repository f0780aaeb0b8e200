"""What the sessions of all calls share."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from firmware.media.camera import CameraFeed
from firmware.media.compositor import Compositor
from firmware.media.message import Configure, Report
from firmware.media.network import Network
from firmware.media.video_decoder import OpenDecoder
from firmware.sansio import Address

FORMER_LINES = 64
"""That are kept in mind; an address that comes again among so many belongs to a call that was on hold."""


@dataclass(frozen=True, slots=True)
class Studio:
    """The room's devices and the network, as one value."""

    configure: Configure
    network: Network
    camera: CameraFeed
    compositor: Compositor
    report: Callable[[Report], None]
    open_decoder: OpenDecoder = lambda _width, _height: None
    """Of H.264, in the board's hardware."""
    former_lines: deque[Address] = field(default_factory=lambda: deque(maxlen=FORMER_LINES))
    """Where media have been received lately, whatever call they were of: one on hold has no session."""
