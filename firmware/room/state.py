"""The room's state, as a value that anybody may keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware.ports import View

if TYPE_CHECKING:
    from firmware.call.call import State
    from firmware.call.registration import Registration
    from firmware.ports import TelevisionStatus


@dataclass(frozen=True, slots=True)
class CallView:
    """A call, as others may see it."""

    id: str
    remote: str
    """The far end's address, ready to be dialled."""
    remote_name: str
    """What the far end calls itself, or ""."""
    incoming: bool
    state: State
    held: bool
    held_by_far_end: bool
    active_since: float | None
    """Since when it is ACTIVE, s on the event loop's clock; None: not yet."""
    sees: bool
    """Whether the far end's picture comes in."""
    codecs: tuple[str, ...]
    """What is received and sent, each codec once."""
    digits: str = ""
    """What the far end has keyed, the last of it."""
    encrypted: bool = False
    """Whether all that is received and sent is encrypted, with keys that only the two ends were told."""
    exposed: bool = False
    """Whether it is encrypted, but with keys that signalling told in the clear."""
    waiting: bool = False
    """Whether our call waits there behind another one, as the far end says."""
    transferring: bool = False
    """Whether this room is passing the far end on to somebody else."""

    @property
    def title(self) -> str:
        """Whom to name on a screen: a name, or of an address what a person would say of it, without its scheme."""
        name = self.remote_name or self.remote
        scheme, colon, rest = name.partition(":")
        return rest if colon and "@" in rest and scheme.isalnum() else name


@dataclass(frozen=True, slots=True)
class Notice:
    """What the room says for a few seconds after a call has ended."""

    title: str
    """Whom the call was with."""
    text: str


@dataclass(frozen=True, slots=True)
class CameraState:
    """The room's camera, as far as it can be moved."""

    axes: tuple[str, ...]
    """Of `firmware.ports.AXES`; (): it can't be moved, or isn't in use."""
    view: View
    """Where it looks."""
    presets: tuple[int, ...]
    """Numbers of the views that are kept."""


@dataclass(frozen=True, slots=True)
class RoomState:
    """Everything about the room that others may show."""

    name: str
    ready: bool
    """Whether sound and picture work, so that calls can be made."""
    addresses: tuple[str, ...]
    """What others dial to reach this room."""
    calls: tuple[CallView, ...]
    """Oldest first; those that have ended are gone."""
    muted: bool
    volume: int
    """0 to 100."""
    notice: Notice | None
    faults: tuple[str, ...]
    """Devices that are missing or have failed: a sentence each."""
    registrations: tuple[Registration, ...] = ()
    """Where the room registers, so that it is found, and how that stands."""
    television: TelevisionStatus | None = None
    """None: it is not ours to switch."""
    warnings: tuple[str, ...] = ()
    """What is wrong with the machine, and what to do about it: a sentence each."""
    camera: CameraState = CameraState((), View(), ())
    absent: tuple[str, ...] = ()
    """Of `firmware.ports.DEVICES`, those that the room has none of on purpose."""

    def call(self, call_id: str) -> CallView | None:
        """The call of this number."""
        return next((call for call in self.calls if call.id == call_id), None)
