"""What there is: the machine and, of each device, the one that would be used, or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from board.cec.playback import is_source
from board.pi.camera_list import choose_camera, find_cameras
from board.pi.cec_adapter import CecAdapters, adapter_name, physical_address
from board.pi.display import choose_mode, find_screen
from board.pi.m2m_decoder import find_decoder
from board.pi.m2m_encoder import find_encoder
from board.pi.sound_card import choose, sound_cards
from board.settings import AS_CONFIGURED, NONE
from firmware.errors import DeviceError

if TYPE_CHECKING:
    from board.settings import PiSettings

MODEL = Path("/proc/device-tree/model")
DEV = Path("/dev")


def inventory(settings: PiSettings) -> dict[str, str]:
    """By device, words for people."""
    return {
        "machine": _model(MODEL),
        "camera": _found(settings.camera, _camera),
        "encoder": _encoder(),
        "decoder": _decoder(settings.decoder),
        "display": _found(settings.display, partial(_display, most_lines=settings.display_lines)),
        "microphone": _found(settings.microphone, partial(_sound, hears=True)),
        "speaker": _found(settings.speaker, partial(_sound, hears=False)),
        # It is the display, switched.
        "television": _found(settings.display, partial(_television, settings.television)),
        "pins": ", ".join(sorted(path.name for path in DEV.glob("gpiochip*"))) or "none",
    }


def _found(wanted: str, look: Callable[[str], str]) -> str:
    if wanted == NONE:
        return AS_CONFIGURED
    try:
        return look(wanted)
    except DeviceError as error:
        return f"none: {error}"


def _model(path: Path) -> str:
    try:
        return path.read_text(errors="replace").rstrip("\0\n")
    except OSError:
        return "no Raspberry Pi"


def _camera(wanted: str) -> str:
    camera = choose_camera(find_cameras(), wanted)
    return f"{camera.name}, {camera.place}"


def _encoder() -> str:
    path = find_encoder()
    return f"H.264 in hardware, {path}" if path else "none: libx264 encodes"


def _decoder(wanted: str) -> str:
    path = find_decoder()
    if path is None:
        return "none: libav decodes"
    return f"{path}, not used: libav decodes" if wanted == "software" else f"H.264 in hardware, {path}"


def _display(wanted: str, most_lines: int) -> str:
    card, connector = find_screen(wanted)
    card.close()
    mode = choose_mode(connector.modes, most_lines)
    return f"{connector.name}, {mode.hdisplay}x{mode.vdisplay} at {mode.vrefresh}/s, {card.path}"


def _television(wanted: str, display: str) -> str:
    node = CecAdapters(wanted, "", display).best()
    there = "" if is_source(physical_address(node)) else ", nothing plugged in"
    return f"{adapter_name(node)}, {node}{there}"


def _sound(wanted: str, *, hears: bool) -> str:
    card = choose(sound_cards(), wanted, hears=hears)
    return f"{card.title or card.name}, {card.device(hears=hears)}"
