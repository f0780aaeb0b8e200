"""The settings of a board: structs whose fields say type, limits and description, checked when a board is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from firmware.errors import ConfigError
from firmware.ports import BUTTONS, DEVICES, LAMPS

NOT_WIRED = -1
NONE = "none"
"""In the place of a device: the room has none, on purpose."""
AS_CONFIGURED = "none, as configured"

Pin = Annotated[int, Meta(ge=NOT_WIRED, le=27)]


class Pins(Struct, frozen=True, kw_only=True):
    """Where buttons and lamps are wired: the chip's (BCM) numbers, -1 where there is none.

    A button connects its pin to ground.  A lamp is lit by a high level.
    """

    button_call: Annotated[Pin, Meta(description="Pin of the green button: answer, or dial room.call_button.")] = 5
    button_hang_up: Annotated[Pin, Meta(description="Pin of the red button: hang up, or refuse.")] = 6
    button_mute: Annotated[Pin, Meta(description="Pin of the button that mutes the microphone.")] = 13
    button_volume_up: Annotated[Pin, Meta(description="Pin of the button that makes the speaker louder.")] = 19
    button_volume_down: Annotated[Pin, Meta(description="Pin of the button that makes the speaker softer.")] = 26
    lamp_ready: Annotated[Pin, Meta(description="Pin of the lamp that says the room can be called.")] = 12
    lamp_ringing: Annotated[Pin, Meta(description="Pin of the lamp that blinks while it rings.")] = 16
    lamp_in_call: Annotated[Pin, Meta(description="Pin of the lamp that says a call is up.")] = 20
    lamp_muted: Annotated[Pin, Meta(description="Pin of the lamp that says the microphone is muted.")] = 21

    def buttons(self) -> dict[str, int]:
        """Pin by button, those that are wired."""
        return _wired({name: getattr(self, f"button_{name}") for name in BUTTONS})

    def lamps(self) -> dict[str, int]:
        """Pin by lamp, those that are wired."""
        return _wired({name: getattr(self, f"lamp_{name}") for name in LAMPS})

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Give each setting whose pin another one has already, by its name, and what is allowed."""
        keys: dict[int, str] = {}
        for key in Pins.__struct_fields__:
            pin = getattr(self, key)
            if pin != NOT_WIRED and keys.setdefault(pin, key) != key:
                yield key, f"{keys[pin]} is on this pin already; allowed is one that is free, or -1"


class PiSettings(Pins, frozen=True, kw_only=True):
    """A Raspberry Pi."""

    lamp_brightness: Annotated[int, Meta(ge=1, le=100, description="How bright the lamps are, percent.")] = 100
    camera: Annotated[
        str,
        Meta(
            max_length=64,
            description='The camera, by its name, a part of that, or its node; "": the first; "none": the room has '
            "none, and only looks at others.",
        ),
    ] = ""
    decoder: Annotated[
        Literal["auto", "hardware", "software"],
        Meta(
            description='What decodes H.264: "auto", the hardware for large pictures, where there is any; "hardware", '
            'for small ones too; "software", never.'
        ),
    ] = "auto"
    display: Annotated[
        str,
        Meta(
            max_length=32,
            description='Where the screen is plugged in, "HDMI-A-1" say; "": the first that is; "none": the room has '
            "none, and takes no pictures.",
        ),
    ] = ""
    television: Annotated[
        str,
        Meta(max_length=32, description='The CEC adapter, "/dev/cec1" say; "": the one with a television at it.'),
    ] = ""
    display_lines: Annotated[
        int,
        Meta(ge=480, le=1080, description="The most lines that the screen is driven with; fewer cost a small Pi less."),
    ] = 1080
    microphone: Annotated[
        str,
        Meta(
            max_length=64,
            description='The sound card that hears, by its name in /proc/asound/cards; "": the best; "none": the room '
            "has none, and sends silence.",
        ),
    ] = ""
    speaker: Annotated[
        str,
        Meta(
            max_length=64,
            description='The sound card that plays, likewise; "": USB before HDMI before any other; "none": the room '
            "has none.",
        ),
    ] = ""


class SimSettings(Pins, frozen=True, kw_only=True):
    """The simulated board."""

    camera: Annotated[
        str,
        Meta(
            min_length=1,
            description='What the camera sees: "card", which moves, "clap", that and claps, or a film\'s file; '
            '"none": there is none.',
        ),
    ] = "card"
    camera_label: Annotated[str, Meta(max_length=40, description="What is written on the test card.")] = "Visavis"
    camera_color: Annotated[
        str, Meta(pattern=r"^#[0-9a-fA-F]{6}$", description="The test card's main colour, #rrggbb.")
    ] = "#1d4f7c"
    microphone: Annotated[
        str,
        Meta(
            min_length=1,
            description='What the microphone hears: "tone", "silence", "clap", the camera\'s, or a recording\'s file; '
            '"none": there is none.',
        ),
    ] = "tone"
    microphone_tone: Annotated[int, Meta(ge=20, le=20_000, description="The tone's frequency, Hz.")] = 440
    microphone_level: Annotated[float, Meta(ge=-90, le=0, description="The tone's level, dB to full scale.")] = -20.0
    microphone_drift: Annotated[
        float, Meta(ge=-1000, le=1000, description="How much the microphone's clock is too fast, millionths.")
    ] = 0.0
    speaker: Annotated[
        str,
        Meta(
            min_length=1,
            description='Where the speaker\'s sound goes: "null", nowhere, or a WAV file, begun anew; "none": there is '
            "no speaker.",
        ),
    ] = "null"
    witness: Annotated[
        str,
        Meta(min_length=1, description='Where to write when a far end\'s claps are seen and heard: "null", or a file.'),
    ] = "null"
    speaker_drift: Annotated[
        float, Meta(ge=-1000, le=1000, description="How much the speaker's clock is too fast, millionths.")
    ] = 0.0
    display: Annotated[
        Literal["memory", "none"], Meta(description='The screen: "memory", in which it lies; "none": there is none.')
    ] = "memory"
    display_width: Annotated[int, Meta(ge=160, le=4096, description="Width of the screen, pixels.")] = 1280
    display_height: Annotated[int, Meta(ge=90, le=2304, description="Height of the screen, pixels.")] = 720


def absent(settings: PiSettings | SimSettings) -> frozenset[str]:
    """The devices (`firmware.ports.DEVICES`) that the room has none of."""
    return frozenset(device for device in DEVICES if getattr(settings, device) == NONE)


S = TypeVar("S", bound=Pins)


def read(name: str, table: Mapping[str, Any], kind: type[S]) -> S:
    """Check the table ``[board.<name>]``.  ConfigError: each wrong key with its value and what is allowed."""
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    values: dict[str, Any] = {}
    wrong = []
    for key, value in table.items():
        if key not in fields:
            wrong.append(f"board.{name}.{key}: no such setting; there are {', '.join(fields)}")
            continue
        try:
            values[key] = msgspec.convert(value, fields[key])
        except msgspec.ValidationError as error:
            wrong.append(f"board.{name}.{key} = {value!r}: {error}")
    if not wrong:
        settings = kind(**values)
        wrong = [f"board.{name}.{key} = {getattr(settings, key)}: {text}" for key, text in settings.contradictions()]
        if not wrong:
            return settings
    raise ConfigError("\n".join(wrong))


def _wired(pins: dict[str, int]) -> dict[str, int]:
    return {name: pin for name, pin in pins.items() if pin != NOT_WIRED}
