"""What passes the border between the room's process and the media worker: commands down, reports up.

Each is one msgpack message of a tagged union.  Sockets go beside `Apply` (see engine), by file descriptor.
"""

from __future__ import annotations

from msgspec import Struct

from firmware.call.ice import Selected
from firmware.call.media import Channel, Crypto, Direction, Handshake, Kind
from firmware.media.scene import Scene
from firmware.sansio import Address

# Commands, room -> worker


class Configure(Struct, frozen=True, tag=True):
    """The first command: how this unit's media behave until the process ends."""

    width: int = 1280
    height: int = 720
    frame_rate: int = 30
    echo: bool = False
    """Every far end gets back its own sound and picture, instead of the room's."""
    audio_dscp: int = 0
    """What marks packets of sound (RFC 2474)."""
    video_dscp: int = 0
    """What marks packets of pictures."""
    timeline: int = 0
    """A secret of the engine's, by which a new worker's RTP timestamps go on where those of the one before ended."""


class Apply(Struct, frozen=True, tag=True):
    """All the channels that a call has from now on; those it had and has no more are stopped, unchanged ones go on."""

    call_id: str
    channels: tuple[Channel, ...]
    """(): the call is over."""


def own_addresses(command: Apply) -> tuple[Address, ...]:
    """Give the addresses whose sockets go with a command, in the order in which they do."""
    return tuple(dict.fromkeys(each for channel in command.channels for each in (channel.local, *channel.others)))


class Mute(Struct, frozen=True, tag=True):
    """Send silence instead of the microphone, or the microphone again."""

    on: bool


class Volume(Struct, frozen=True, tag=True):
    """How loud the speaker is, 0 to 100."""

    percent: int


class SendDigits(Struct, frozen=True, tag=True):
    """Send digits as telephone events, one after the other."""

    call_id: str
    digits: str


class ForceKeyFrame(Struct, frozen=True, tag=True):
    """The far end asked for a key frame by signalling."""

    call_id: str


class FreezePicture(Struct, frozen=True, tag=True):
    """The far end wants its picture to stand still until its next key frame."""

    call_id: str


class Show(Struct, frozen=True, tag=True):
    """Draw this scene from now on."""

    scene: Scene


class TakeScreenshot(Struct, frozen=True, tag=True):
    """Give what is on the screen."""

    number: int
    """Comes back in the Screenshot."""
    format: str
    """``png`` or ``jpeg``."""
    width: int
    height: int


class MoveCamera(Struct, frozen=True, tag=True):
    """Move the camera for some time, from -1 (left, down, out) to 1; all 0: stand still."""

    pan: float
    tilt: float
    zoom: float
    seconds: float


class PointCamera(Struct, frozen=True, tag=True):
    """Let the camera look there, see `firmware.ports.View`; None: as now."""

    pan: float | None
    tilt: float | None
    zoom: float | None


class Stop(Struct, frozen=True, tag=True):
    """End the process in order."""


Command = (
    Configure
    | Apply
    | Mute
    | Volume
    | SendDigits
    | ForceKeyFrame
    | FreezePicture
    | Show
    | TakeScreenshot
    | MoveCamera
    | PointCamera
    | Stop
)

# Reports, worker -> room


class Ready(Struct, frozen=True, tag=True):
    """The worker takes commands; sent once, after Configure."""


class Gone(Struct, frozen=True, tag=True):
    """The worker has died, and another is on its way; said by the engine itself, before any Ready of the next."""

    reason: str


class Alive(Struct, frozen=True, tag=True):
    """Every thread of the worker does its work; sent a few times a second.  A worker that stops saying so is killed."""


class StreamStatistics(Struct, frozen=True):
    """One medium in one direction, over the last second."""

    kind: Kind
    direction: Direction
    codec: str
    bitrate: int
    """bit/s of RTP payload."""
    packets: int
    """Since the start."""
    lost: int
    """Packets, since the start; for a send stream what the far end reports."""
    loss: float
    """Fraction, 0 to 1, in the last interval."""
    jitter: float
    """s."""
    round_trip: float | None
    """s, from RTCP; None before the first report block."""
    frame_rate: float = 0.0
    width: int = 0
    height: int = 0
    key_frames: int = 0
    """Since the start."""
    way: str = ""
    """What both ends found by ICE: ``direct``, ``nat`` (through one) or ``relay`` (by a TURN server); "": nothing."""


class Statistics(Struct, frozen=True, tag=True):
    """All streams of one call, once a second."""

    call_id: str
    streams: tuple[StreamStatistics, ...]


class AudioTick(Struct, frozen=True, tag=True):
    """How late the 10 ms audio tick was in the last second, s; sent once a second while sound runs."""

    median: float
    p99: float
    worst: float


class DigitReceived(Struct, frozen=True, tag=True):
    """A telephone event ended."""

    call_id: str
    digit: str


class KeyFrameWanted(Struct, frozen=True, tag=True):
    """The decoder needs a key frame, and the far end takes no RTCP feedback: ask by signalling."""

    call_id: str


class MediaSilent(Struct, frozen=True, tag=True):
    """Nothing at all, neither RTP nor RTCP, has come from the far end for this long, s (or comes again: 0)."""

    call_id: str
    seconds: float


class DeviceFailed(Struct, frozen=True, tag=True):
    """A device is missing or failed; the media go on without it."""

    device: str
    """``camera``, ``microphone``, ``speaker`` or ``display``."""
    reason: str


class DeviceRestored(Struct, frozen=True, tag=True):
    """A device that had failed does what it should again."""

    device: str


class CameraView(Struct, frozen=True, tag=True):
    """How the camera that is in use can be moved, and where it looks, see `firmware.ports.View`."""

    axes: tuple[str, ...] = ()
    """Of `firmware.ports.AXES`; (): it can't be moved, or none is in use any more."""
    pan: float | None = None
    tilt: float | None = None
    zoom: float | None = None


class ChannelFailed(Struct, frozen=True, tag=True):
    """A channel had to be stopped (no such codec in this build, say)."""

    call_id: str
    kind: Kind
    direction: Direction
    reason: str


class Secured(Struct, frozen=True, tag=True):
    """A handshake has come to keys: the stream of this local address is encrypted from now on.

    The engine keeps the keys for a worker that takes this one's place; nobody else has a use for them.
    """

    call_id: str
    local: Address
    handshake: Handshake
    send: Crypto
    receive: Crypto


class NotSecured(Struct, frozen=True, tag=True):
    """A handshake has failed, and nothing will flow."""

    call_id: str
    kind: Kind
    reason: str
    stranger: bool
    """It was another than signalling said."""


class WayFound(Struct, frozen=True, tag=True):
    """What the stream of this local address was looking for; said again when it takes another way.

    The engine keeps it for a worker that takes this one's place.
    """

    call_id: str
    local: Address
    ice: tuple[str, str]
    """Which search it was: the fragments of our credentials and of theirs."""
    selected: tuple[Selected, ...]
    """The pair of each component."""


class WayDoubtful(Struct, frozen=True, tag=True):
    """A stream hears nothing of the far end any more by the way that it has; said every few seconds, until it does."""

    call_id: str
    kind: Kind


class WayLost(Struct, frozen=True, tag=True):
    """A stream has found no way to the far end, or (*found*) has lost the one it had."""

    call_id: str
    kind: Kind
    reason: str
    found: bool


class Screenshot(Struct, frozen=True, tag=True):
    """The answer to TakeScreenshot; b"" where there is no display."""

    number: int
    image: bytes


Report = (
    Ready
    | Gone
    | Alive
    | Statistics
    | AudioTick
    | DigitReceived
    | KeyFrameWanted
    | MediaSilent
    | DeviceFailed
    | DeviceRestored
    | CameraView
    | ChannelFailed
    | Secured
    | NotSecured
    | WayFound
    | WayDoubtful
    | WayLost
    | Screenshot
)
