"""The settings of what the unit consists of and is plugged into."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field


class Television(Struct, frozen=True, kw_only=True):
    """The television, as far as it can be switched (HDMI-CEC)."""

    enabled: Annotated[bool, Meta(description="Switch the television, and listen to its remote control.")] = True
    wake_for: Annotated[
        tuple[Literal["ring", "call", "button"], ...],
        Meta(
            max_length=3,
            description="When to switch it on, and from its other inputs to this unit: when somebody calls, when a "
            "call is made or answered, when a button is pressed.",
        ),
    ] = ("ring", "call", "button")
    standby_time: Annotated[
        float,
        Meta(
            ge=0,
            le=86_400,
            description="How long after the last call or button to switch it off, as long as it shows this unit, s; "
            "0: never.",
        ),
    ] = 900.0
    remote_control: Annotated[
        bool,
        Meta(description="Answer by its select key, hang up by its back key, send digits in a call."),
    ] = True


class Health(Struct, frozen=True, kw_only=True):
    """The machine's health."""

    temperature: Annotated[
        float, Meta(ge=40, le=110, description="From what temperature of the processor on to warn, degrees Celsius.")
    ] = 80.0
    watchdog: Annotated[
        float,
        Meta(
            ge=0,
            le=600,
            description="Let the hardware's watchdog restart the machine when the unit has hung for so long, s; most "
            "take 15 at most; 0: never.",
        ),
    ] = 0.0


class Board(Struct, frozen=True, kw_only=True):
    """The hardware."""

    kind: Annotated[
        Literal["auto", "pi", "sim"], Meta(description="A Raspberry Pi, the simulated board, or what the machine is.")
    ] = "auto"
    sim: Annotated[dict[str, Any], Meta(description="Settings of the simulated board.")] = field(default_factory=dict)
    pi: Annotated[dict[str, Any], Meta(description="Settings of the Raspberry Pi's devices.")] = field(
        default_factory=dict
    )
