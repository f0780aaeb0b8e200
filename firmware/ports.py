"""What the firmware asks of a board: one Protocol per device.

``board.open_board(name, settings)`` gives a `Board`.  Opening a device raises DeviceError when it is missing or busy;
so does any later call when the device has failed.  The firmware then goes on without it.

Sound is mono, signed 16-bit little endian, in blocks of 10 ms.  A raw picture is an `av.VideoFrame`.  A device is used
by one thread at a time; ``close`` may be called by any, and lets a blocked call return.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import av
    from PIL import Image

SAMPLE_RATE = 48_000
"""Hz, of all sound between the firmware and a board."""
BLOCK_TIME = 0.010
"""Seconds of sound in a block: the audio tick."""
BLOCK_BYTES = int(SAMPLE_RATE * BLOCK_TIME) * 2
"""Bytes of a block: 480 samples of 16 bits."""


class Microphone(Protocol):
    """A source of sound, which also gives the audio thread its beat."""

    taken: float
    """When the block that ``read`` gave last began to be heard: s, CLOCK_MONOTONIC."""

    def read(self) -> bytes:
        """Wait for the next block of 10 ms and give it (BLOCK_BYTES); b"" once closed."""

    def close(self) -> None:
        """Release the device."""


class Speaker(Protocol):
    """A sink of sound."""

    delay: float
    """Seconds from when a block is written until it begins to be heard, as the last one was."""

    def write(self, block: bytes) -> None:
        """Play a block (BLOCK_BYTES) after those before it; never blocks: what finds no room is dropped."""

    def set_volume(self, percent: int) -> None:
        """Set the loudness, 0 to 100."""

    def close(self) -> None:
        """Release the device."""


class Encoder(Protocol):
    """An H.264 encoder that is part of a camera's path and delivers access units by itself."""

    def set_bitrate(self, bitrate: int) -> None:
        """Change the target, bit/s, while running."""

    def force_key_frame(self) -> None:
        """Make the next picture an IDR with its parameter sets."""

    def close(self) -> None:
        """Stop; on_access_unit is not called after this returns."""


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """What an encoder is asked to produce: constrained baseline, Annex B, parameter sets with every IDR."""

    width: int
    height: int
    frame_rate: int
    bitrate: int
    """bit/s."""
    level: int
    """level_idc."""


OnAccessUnit = Callable[[bytes, float], None]
"""Called with an H.264 access unit (Annex B) and its capture time (s, CLOCK_MONOTONIC)."""


class PictureDecoder(Protocol):
    """A decoder of one H.264 stream in hardware; for one thread."""

    def decode(self, access_unit: bytes) -> tuple[av.VideoFrame | None, bool]:
        """Wait a short time for the picture (``yuv420p``) of an access unit (Annex B) that has one, or for that of one
        shortly before, and give it, if it comes, and whether all went well.  DeviceError: it has failed, gives nothing
        or can't keep up: close it, and do without."""

    def close(self) -> None:
        """Release the device, as far as that can be done at once."""


AXES = {"pan": (-1.0, 1.0), "tilt": (-1.0, 1.0), "zoom": (0.0, 1.0)}
"""How a camera can be moved (ITU-T H.281), and how far, see `View`."""


@dataclass(frozen=True, slots=True)
class View:
    """Where a camera looks.  None: it can't be moved that way, or does not say how it stands."""

    pan: float | None = None
    """-1, as far to the left as it goes, seen from the camera, to 1, to the right; 0: straight ahead."""
    tilt: float | None = None
    """-1, as far down as it goes, to 1, up; 0: level."""
    zoom: float | None = None
    """0, all that it can see, to 1, as near as it can."""


class PanTiltZoom(Protocol):
    """What moves a camera, or chooses the part of its picture that is seen; for one thread, and not one in a hurry:
    a motor may take a second to answer.  DeviceError: it does not obey, or its camera has been closed.
    """

    @property
    def axes(self) -> frozenset[str]:
        """Of AXES, those that it can be moved along."""

    @property
    def driven(self) -> frozenset[str]:
        """Of these, those along which it goes on by itself, see `drive`; along the others it is moved by `go_to`, bit
        by bit.
        """

    @property
    def view(self) -> View:
        """Where it looks now."""

    def go_to(self, view: View) -> None:
        """Look there, as nearly as it can; None: as now."""

    def drive(self, speeds: Mapping[str, float]) -> None:
        """Go on along these axes, of `driven`, until told otherwise: from -1 (left, down, out) to 1 (right, up, in),
        in parts of its highest speed; 0: stop.
        """


class Camera(Protocol):
    """A source of pictures."""

    width: int
    height: int
    frame_rate: int

    def capture(self, *, small: bool = False) -> av.VideoFrame | None:
        """Wait for the next picture and give it (``yuv420p``, read only, kept by the caller as long as it likes);
        None once closed.  ``frame.time`` is its capture time on CLOCK_MONOTONIC.  ``small``: a picture that is enough
        for a self-view will do, if the camera has one at less cost."""

    @property
    def pan_tilt_zoom(self) -> PanTiltZoom | None:
        """What moves it; None: nothing does."""

    def open_encoder(self, settings: EncoderSettings, on_access_unit: OnAccessUnit) -> Encoder | None:
        """Start the hardware's encoder on this camera; None where there is none: the firmware encodes in software."""

    def close(self) -> None:
        """Release the device."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A picture and where it is shown; fractions of the screen make it independent of the screen's size."""

    picture: av.VideoFrame | Image.Image
    """A raw picture, opaque; or an RGBA image, blended over what is below."""
    x: float
    y: float
    width: float
    height: float
    """The picture keeps its shape: it is fitted into this rectangle, and centred."""
    fill: bool = False
    """Fill the rectangle and cut what is over instead."""


class Display(Protocol):
    """A screen that shows planes, the last one on top."""

    width: int
    height: int

    def show(self, planes: Sequence[Plane]) -> None:
        """Show these planes from the next refresh on, instead of those before."""

    def rest(self) -> None:
        """Give the screen no signal until the next ``show``, so that it sleeps."""

    def screenshot(self, width: int, height: int) -> Image.Image:
        """What is on the screen now, as RGB of this size."""

    def close(self) -> None:
        """Release the device; the screen goes dark."""


PRESS_TIME = 0.05
"""Seconds for which a finger presses a button that it does not mean to hold."""
HOLD_TIME = 0.5
"""Seconds for which a button is held down before that is more than a press."""


class Button(Protocol):
    """A push button (gpiozero's Button)."""

    when_pressed: Callable[[], None] | None
    """Called, in a thread of the board's own, after debouncing."""
    when_held: Callable[[], None] | None
    """Called likewise each HOLD_TIME for which it is held down."""


class Lamp(Protocol):
    """A lamp (gpiozero's LED)."""

    def on(self) -> None:
        """Light it."""

    def off(self) -> None:
        """Put it out."""

    def blink(self, on_time: float = 0.5, off_time: float = 0.5) -> None:
        """Let it blink until on() or off()."""


DEVICES = ("camera", "microphone", "speaker", "display")
"""What may be plugged in and pulled out while the unit runs."""
BUTTONS = ("call", "hang_up", "mute", "volume_up", "volume_down")
LAMPS = ("ready", "ringing", "in_call", "muted")
KEYS = ("select", "back", "red", "green", "mute", "volume_up", "volume_down", *"0123456789")
"""Of a television's remote control, those that it passes on to what it shows."""
TELEVISION_KEYS = ("power", "source")
"""Of the same, some that are for the television itself."""


@dataclass(frozen=True, slots=True)
class TelevisionStatus:
    """What is known of the television."""

    reachable: bool = False
    """Whether it answers; a monitor, say, does not."""
    on: bool | None = None
    """None: not known."""
    shows_room: bool | None = None
    """Whether it shows this unit, and not another of its inputs; None: not known."""


class Television(Protocol):
    """The television that the display is, switched and listened to by HDMI-CEC; it may come and go unasked."""

    when_changed: Callable[[], None] | None
    """Called, in a thread of the board's own, when there is another status."""
    when_key_pressed: Callable[[str], None] | None
    """Called in that thread with one of KEYS; again and again while a key of the volume is held."""

    @property
    def status(self) -> TelevisionStatus:
        """What is known of it now."""

    def wake(self) -> None:
        """Switch it on and have it show this unit; returns at once."""

    def standby(self) -> None:
        """Switch it off, unless it shows, or may show, something else; returns at once."""

    def close(self) -> None:
        """Leave it alone from now on, as it is."""


@dataclass(frozen=True, slots=True)
class Health:
    """How the machine is; None: it does not tell."""

    temperature: float | None = None
    """Of the processor, degrees Celsius."""
    under_voltage: bool | None = None
    """Whether the power supply gives too little now."""
    throttled: bool | None = None
    """Whether the processor is slowed down now, to protect the machine."""
    storage_worn: int | None = None
    """Percent of its life that are used up."""
    storage_free: int | None = None
    """Bytes."""
    storage_size: int | None = None
    storage_read_only: bool | None = None
    """Whether nothing can be written any more."""
    memory_free: int | None = None
    """Bytes that programs can have."""
    memory_size: int | None = None


class Watchdog(Protocol):
    """What restarts the machine when it is not fed in time."""

    timeout: float
    """In what time, s."""

    def feed(self) -> None:
        """Say that all is well."""

    def close(self) -> None:
        """Stop it, without a restart."""


class Board(Protocol):
    """All the devices of one machine."""

    name: str
    """``pi`` or ``sim``."""
    absent: frozenset[str]
    """Of DEVICES, those that the room has none of on purpose, as configured: nobody opens them, or looks for them."""

    def describe(self) -> Mapping[str, str]:
        """What there is of each device now, in words; looks without taking anything into use."""

    def look_for(self, device: str) -> None:
        """See whether there is such a device (DEVICES) now, without taking anything into use; for any thread, every few
        seconds.  DeviceError: there is none, and why."""

    def open_microphone(self) -> Microphone:
        """The configured or the first microphone."""

    def open_speaker(self) -> Speaker:
        """The configured or the first speaker."""

    def open_camera(self, width: int, height: int, frame_rate: int) -> Camera:
        """The configured or the first camera, in this size and rate or the nearest it has."""

    def open_display(self) -> Display:
        """The screen."""

    def open_decoder(self, width: int, height: int) -> PictureDecoder | None:
        """A decoder in hardware for H.264 of this size, pixels; None: there is none, or it would be of no help: the
        firmware decodes in software.  For any thread, and as many at once as the device bears."""

    def open_buttons(self) -> Mapping[str, Button]:
        """The buttons that are wired, by names of BUTTONS."""

    def open_lamps(self) -> Mapping[str, Lamp]:
        """The lamps that are wired, by names of LAMPS."""

    def open_television(self, name: str) -> Television:
        """The television, which may call this unit by this name; one that can't be reached now is found later."""

    def read_health(self, folder: Path) -> Health:
        """How the machine is now; ``folder`` is where the unit writes.  For any thread; may wait for the storage."""

    def open_watchdog(self, timeout: float) -> Watchdog:
        """The watchdog, which begins to watch; the time is s, a little more where it can't be set so finely."""

    def pretend(self, health: Health) -> None:
        """Let this be the machine's health from now on.  DeviceError: a real machine is as it is."""

    def press(self, button: str, seconds: float = PRESS_TIME) -> None:
        """Hold down a button so long, as a finger would.  DeviceError: a real button needs a finger, or no such one."""

    def press_key(self, key: str) -> None:
        """Press and release a key of the television's remote control (KEYS, TELEVISION_KEYS), likewise."""

    def close(self) -> None:
        """Release whatever is still open."""


BoardSettings = Mapping[str, Any]
"""The configuration's table ``[board.pi]`` or ``[board.sim]``; the board checks its keys (ConfigError)."""
