"""What goes in and comes out of the API, as JSON objects."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal, cast

from msgspec import UNSET, Meta, Struct, UnsetType

from firmware.call.call import State as CallState
from firmware.call.media import Direction, Kind
from firmware.call.registration import RegistrationState
from firmware.ports import PRESS_TIME
from firmware.room import LONGEST_MOVE, MAX_ADDRESS, MAX_DIGITS

if TYPE_CHECKING:
    from firmware import ports
    from firmware.call import registration as call_registration
    from firmware.media import message
    from firmware.room import CallView, CameraState, RoomState


class Error(Struct, frozen=True):
    """Why something was not done."""

    error: Annotated[str, Meta(description="A sentence for people.")]


class Dial(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to call."""

    address: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_ADDRESS,
            description="`sip:room@example.com`, a number or a name.",
            examples=["sip:room@192.0.2.1"],
        ),
    ]


class Transfer(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to talk to the far end instead of this room: an address, or the far end of another call."""

    address: Annotated[str, Meta(max_length=MAX_ADDRESS, examples=["sip:room@192.0.2.1"])] = ""
    call: Annotated[str, Meta(max_length=32, description="The other call's number.")] = ""

    def __post_init__(self) -> None:
        """ValueError: neither or both are there."""
        if bool(self.address) is bool(self.call):
            raise ValueError("say an address or a call, and not both")


class Digits(Struct, frozen=True, forbid_unknown_fields=True):
    """What to press on the far end's keypad."""

    digits: Annotated[str, Meta(min_length=1, max_length=MAX_DIGITS, pattern="^[0-9A-Da-d*#]+$")]


class Mute(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the far ends hear silence instead of the room."""

    muted: bool


class Volume(Struct, frozen=True, forbid_unknown_fields=True):
    """How loud the speaker is."""

    volume: Annotated[int, Meta(ge=0, le=100, description="Percent.")]


class Switch(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the television is to be on and show this room, or in standby."""

    on: bool


class Television(Struct, frozen=True):
    """The television that the unit is plugged into, as far as it says (HDMI-CEC)."""

    reachable: Annotated[bool, Meta(description="Whether it answers, so that it can be switched.")]
    on: Annotated[bool | None, Meta(description="null: not known.")]
    shows_room: Annotated[bool | None, Meta(description="And not another of its inputs; null: not known.")]


Axis = Literal["pan", "tilt", "zoom"]
_Sideways = Annotated[float, Meta(ge=-1, le=1)]
_Inwards = Annotated[float, Meta(ge=0, le=1)]


class Camera(Struct, frozen=True):
    """The room's camera, as far as it can be moved."""

    axes: Annotated[tuple[Axis, ...], Meta(description="How it can be moved; none: not at all, or it isn't in use.")]
    pan: Annotated[float | None, Meta(description="-1, all to the left as it sees it, to 1; null: it doesn't say.")]
    tilt: Annotated[float | None, Meta(description="-1, all down, to 1; null: it doesn't say.")]
    zoom: Annotated[float | None, Meta(description="0, all that it can see, to 1; null: it doesn't say.")]
    presets: Annotated[tuple[int, ...], Meta(description="The views that are kept, by number.")]


class Move(Struct, frozen=True, forbid_unknown_fields=True):
    """How to move the camera: in parts of its highest speed, from -1 (left, down, out) to 1; all 0: stop."""

    pan: _Sideways = 0.0
    tilt: _Sideways = 0.0
    zoom: _Sideways = 0.0
    seconds: Annotated[float, Meta(gt=0, le=LONGEST_MOVE, description="For how long, unless told otherwise.")] = 0.5


class View(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the camera is to look, as `Camera` has it; what is left out stays."""

    pan: _Sideways | UnsetType = UNSET
    tilt: _Sideways | UnsetType = UNSET
    zoom: _Inwards | UnsetType = UNSET


class Health(Struct, frozen=True):
    """How the machine is; null: it does not tell."""

    temperature: Annotated[float | None, Meta(description="Of the processor, degrees Celsius.")] = None
    under_voltage: Annotated[bool | None, Meta(description="The power supply gives too little now.")] = None
    throttled: Annotated[bool | None, Meta(description="The processor is slowed down now.")] = None
    storage_worn: Annotated[int | None, Meta(description="Percent of the storage's life that are used up.")] = None
    storage_free: Annotated[int | None, Meta(description="Bytes.")] = None
    storage_size: Annotated[int | None, Meta(description="Bytes.")] = None
    storage_read_only: Annotated[bool | None, Meta(description="Nothing can be written any more.")] = None
    memory_free: Annotated[int | None, Meta(description="Bytes that programs can have.")] = None
    memory_size: Annotated[int | None, Meta(description="Bytes.")] = None


class Pretence(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the simulated machine's health what is to be otherwise from now on; what is left out stays as it is."""

    temperature: Annotated[float, Meta(ge=-50, le=150)] | UnsetType | None = UNSET
    under_voltage: bool | UnsetType | None = UNSET
    throttled: bool | UnsetType | None = UNSET
    storage_worn: Annotated[int, Meta(ge=0, le=100)] | UnsetType | None = UNSET
    storage_free: Annotated[int, Meta(ge=0)] | UnsetType | None = UNSET
    storage_size: Annotated[int, Meta(ge=0)] | UnsetType | None = UNSET
    storage_read_only: bool | UnsetType | None = UNSET
    memory_free: Annotated[int, Meta(ge=0)] | UnsetType | None = UNSET
    memory_size: Annotated[int, Meta(ge=0)] | UnsetType | None = UNSET


class Login(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is there."""

    password: Annotated[str, Meta(min_length=1, max_length=256)]


class Call(Struct, frozen=True):
    """A call that has not ended."""

    id: str
    remote: Annotated[str, Meta(description="The far end's address, ready to be dialled.")]
    remote_name: Annotated[str, Meta(description="What the far end calls itself, or an empty text.")]
    title: Annotated[str, Meta(description="Whom to name on a screen: the name, or the address without its scheme.")]
    incoming: bool
    state: CallState
    held: Annotated[bool, Meta(description="This room put the far end on hold.")]
    held_by_far_end: bool
    digits: Annotated[str, Meta(description="What the far end has keyed, the last 32 of it.")]
    duration: Annotated[float | None, Meta(description="How long it has been active, s; null before that.")]
    sees: Annotated[bool, Meta(description="Whether the far end's picture comes in.")]
    codecs: tuple[str, ...]
    encrypted: Annotated[
        bool,
        Meta(
            description="Whether all sound and picture, in both directions, is encrypted, with keys that only the two "
            "ends were told."
        ),
    ]
    exposed: Annotated[
        bool,
        Meta(
            description="Whether all is encrypted, but with keys that were told in messages that are not: who reads "
            "those can listen.  Then encrypted is false."
        ),
    ]
    waiting: Annotated[bool, Meta(description="The far end says that this call waits there behind another one.")]
    transferring: Annotated[bool, Meta(description="This room is passing the far end on to somebody else.")]


class Notice(Struct, frozen=True):
    """Why a call has ended, for the first seconds after it."""

    title: Annotated[str, Meta(description="Whom the call was with.")]
    text: str


class Registration(Struct, frozen=True):
    """Being found at a server or gatekeeper."""

    protocol: Annotated[str, Meta(description="`SIP` or `H.323`.")]
    address: Annotated[str, Meta(description="Under which this unit is to be found.")]
    server: Annotated[str, Meta(description="Where, as the settings name it.")]
    state: RegistrationState
    expires: Annotated[
        float | None, Meta(description="How long it holds unless renewed, s; null where nobody knows, or it doesn't.")
    ]
    reason: Annotated[str, Meta(description="Why it has failed, or an empty text.")]


class Room(Struct, frozen=True):
    """The room as it is now."""

    name: str
    ready: Annotated[bool, Meta(description="Whether sound and picture work, so that calls can be made.")]
    addresses: Annotated[tuple[str, ...], Meta(description="What others dial to reach this room.")]
    calls: tuple[Call, ...]
    muted: bool
    volume: int
    notice: Notice | None
    faults: Annotated[tuple[str, ...], Meta(description="Devices that are missing or have failed, a sentence each.")]
    absent: Annotated[
        tuple[str, ...],
        Meta(
            description="Of `camera`, `microphone`, `speaker` and `display` those that the room has none of, as "
            "configured."
        ),
    ]
    registrations: Annotated[
        tuple[Registration, ...], Meta(description="Where the unit registers, and how that stands.")
    ]
    warnings: Annotated[tuple[str, ...], Meta(description="What is wrong with the machine, and what to do about it.")]
    television: Annotated[Television | None, Meta(description="null: the unit leaves it alone.")]
    camera: Camera


class Stream(Struct, frozen=True):
    """One medium in one direction, over the last second."""

    kind: Kind
    direction: Direction
    codec: str
    bitrate: Annotated[int, Meta(description="bit/s of RTP payload.")]
    packets: Annotated[int, Meta(description="Since the start.")]
    lost: Annotated[int, Meta(description="Packets since the start; for `send`, what the far end reports.")]
    loss: Annotated[float, Meta(description="Fraction of the last interval, 0 to 1.")]
    jitter: Annotated[float, Meta(description="s.")]
    round_trip: Annotated[float | None, Meta(description="s; null before the far end's first report.")]
    frame_rate: float
    width: int
    height: int
    key_frames: Annotated[int, Meta(description="Since the start.")]
    way: Annotated[
        str,
        Meta(
            description="How packets travel where ICE was agreed: `direct`, `nat` (through one) or `relay` (by a TURN "
            "server); empty: not known, or as signalling said."
        ),
    ]


class AudioTick(Struct, frozen=True):
    """How late the unit's 10 ms audio tick was in the last second, s."""

    median: float
    p99: float
    worst: float


class Statistics(Struct, frozen=True):
    """All streams of a call, renewed once a second."""

    streams: tuple[Stream, ...]
    audio_tick: Annotated[AudioTick | None, Meta(description="Of all calls together; null before there was sound.")]


class Size(Struct, frozen=True):
    """How large a picture of the screen is wanted."""

    width: Annotated[int, Meta(ge=16, le=1920, description="Pixels.")] = 1280
    height: Annotated[int, Meta(ge=16, le=1080, description="Pixels.")] = 720


class Press(Struct, frozen=True):
    """How a button is pressed."""

    seconds: Annotated[
        float, Meta(gt=0, le=10, description="For how long: held for longer than half a second, some do more.")
    ] = PRESS_TIME


class Board(Struct, frozen=True):
    """The hardware that the unit runs on."""

    name: str
    buttons: Annotated[tuple[str, ...], Meta(description="Buttons that can be pressed through this API.")]
    keys: Annotated[tuple[str, ...], Meta(description="Keys of the television's remote control, likewise.")]


def call(view: CallView, now: float) -> Call:
    """Make the body of a call; *now* is the event loop's time."""
    return Call(
        id=view.id,
        remote=view.remote,
        remote_name=view.remote_name,
        title=view.title,
        incoming=view.incoming,
        state=view.state,
        held=view.held,
        held_by_far_end=view.held_by_far_end,
        digits=view.digits,
        duration=None if view.active_since is None else round(max(0.0, now - view.active_since), 3),
        sees=view.sees,
        codecs=view.codecs,
        encrypted=view.encrypted,
        exposed=view.exposed,
        waiting=view.waiting,
        transferring=view.transferring,
    )


def registration(report: call_registration.Registration, now: float) -> Registration:
    """Make the body of a registration; *now* is the event loop's time."""
    return Registration(
        protocol=report.protocol,
        address=report.address,
        server=report.server,
        state=report.state,
        expires=None if report.until is None else round(max(0.0, report.until - now), 3),
        reason=report.reason,
    )


def health(found: ports.Health) -> Health:
    """Make the body of the machine's health."""
    return Health(**{name: getattr(found, name) for name in Health.__struct_fields__})


def pretended(found: ports.Health, wanted: Pretence) -> ports.Health:
    """The machine's health with what is to be otherwise."""
    changes = {name: getattr(wanted, name) for name in Pretence.__struct_fields__}
    return replace(found, **{name: value for name, value in changes.items() if value is not UNSET})


def television(status: ports.TelevisionStatus) -> Television:
    """Make the body of the television's status."""
    return Television(status.reachable, status.on, status.shows_room)


def camera(state: CameraState) -> Camera:
    """Make the body of the camera."""
    axes = cast("tuple[Axis, ...]", state.axes)
    view = state.view
    return Camera(axes, _rounded(view.pan), _rounded(view.tilt), _rounded(view.zoom), state.presets)


def _rounded(part: float | None) -> float | None:
    return None if part is None else round(part, 3)


def room(state: RoomState, now: float) -> Room:
    """Make the body of the room's state; *now* is the event loop's time."""
    return Room(
        name=state.name,
        ready=state.ready,
        addresses=state.addresses,
        calls=tuple(call(view, now) for view in state.calls),
        muted=state.muted,
        volume=state.volume,
        notice=None if state.notice is None else Notice(state.notice.title, state.notice.text),
        faults=state.faults,
        absent=state.absent,
        registrations=tuple(registration(one, now) for one in state.registrations),
        warnings=state.warnings,
        television=None if state.television is None else television(state.television),
        camera=camera(state.camera),
    )


def statistics(report: message.Statistics | None, tick: message.AudioTick | None) -> Statistics:
    """Make the body of a call's statistics."""
    streams = () if report is None else report.streams
    return Statistics(
        tuple(Stream(**{name: getattr(stream, name) for name in Stream.__struct_fields__}) for stream in streams),
        None if tick is None else AudioTick(tick.median, tick.p99, tick.worst),
    )
