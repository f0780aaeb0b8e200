"""What is on the room's screen, as a value: made by the UI, drawn by the compositor."""

from __future__ import annotations

from msgspec import Struct


class Rectangle(Struct, frozen=True, array_like=True):
    """A part of the screen, in fractions of its width and height, from the top left."""

    x: float
    y: float
    width: float
    height: float


FULL_SCREEN = Rectangle(0, 0, 1, 1)


class FarEnd(Struct, frozen=True, tag=True):
    """The picture that comes from a call."""

    call_id: str
    place: Rectangle


class SelfView(Struct, frozen=True, tag=True):
    """The picture of our own camera."""

    place: Rectangle


class Words(Struct, frozen=True, tag=True):
    """A line of text."""

    text: str
    place: Rectangle
    """The text is as high as the rectangle and is cut, with an ellipsis, where it is wider."""
    align: str = "left"
    """``left``, ``center`` or ``right``."""
    color: str = "#ffffff"
    background: str = ""
    """A colour (``#rrggbb`` or ``#rrggbbaa``) behind the line, with round corners; "": none."""


class Image(Struct, frozen=True, tag=True):
    """A picture of the UI's own, such as a symbol or a QR code: an RGBA PNG."""

    png: bytes
    place: Rectangle


class Scene(Struct, frozen=True):
    """Everything on the screen, the last item on top.  Far ends and self-view are below words and images."""

    items: tuple[FarEnd | SelfView | Words | Image, ...] = ()
    background: str = "#10141c"
    dark: bool = False
    """Nothing at all: the screen rests."""
