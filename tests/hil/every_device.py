"""Takes every device of the board into use, for a moment, and says of each what came of it: a line of JSON.

Run by test_service as the user that the service has.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from board import open_board
from board.pi.m2m_encoder import M2mEncoder, find_encoder
from board.sim.card import Card
from firmware.errors import DeviceError
from firmware.ports import BLOCK_BYTES, Board, EncoderSettings


def camera(board: Board) -> str:
    """A picture, and an access unit of the hardware's encoder."""
    camera = board.open_camera(320, 180, 30)
    units: list[bytes] = []
    encoder = camera.open_encoder(EncoderSettings(320, 180, 30, 500_000, 31), lambda unit, _: units.append(unit))
    if camera.capture() is None:
        return "no picture"
    end = time.monotonic() + 30
    while encoder is not None and not units and time.monotonic() < end:
        camera.capture()
    return "works" if encoder is not None and units else "is not encoded by the hardware"


def decoder(board: Board) -> str:
    """A picture that the hardware's encoder made."""
    node, units = find_encoder(), list[bytes]()
    assert node is not None
    encoder = M2mEncoder(
        node, EncoderSettings(1280, 720, 30, 4_000_000, 31), lambda unit, _: units.append(unit), lambda _: None
    )
    encoder.encode(Card(1280, 720, 30).picture(0), 0.0)
    encoder.drain(30)
    decoder = board.open_decoder(1280, 720)
    if decoder is None:
        return "there is none"
    picture, good = decoder.decode(units[0])
    decoder.close()
    return "works" if picture is not None and good else "does not work"


def microphone(board: Board) -> str:
    """A block."""
    return "works" if len(board.open_microphone().read()) == BLOCK_BYTES else "no sound"


def speaker(board: Board) -> str:
    """A block, and another volume."""
    speaker = board.open_speaker()
    speaker.set_volume(50)
    speaker.write(bytes(BLOCK_BYTES))
    return "works"


def display(board: Board) -> str:
    """A black screen."""
    board.open_display().show([])
    return "works"


def pins(board: Board) -> str:
    """All that are wired."""
    buttons, lamps = board.open_buttons(), board.open_lamps()
    return f"{len(buttons)} buttons, {len(lamps)} lamps"


def watchdog(board: Board) -> str:
    """Fed once, and stopped."""
    watchdog = board.open_watchdog(60)
    watchdog.feed()
    watchdog.close()
    return "works"


def television(board: Board) -> str:
    """Asked whether it is there."""
    television = board.open_television("Room")
    end = time.monotonic() + 30
    while not television.status.reachable and time.monotonic() < end:
        time.sleep(0.1)
    return "works" if television.status.reachable else "does not answer"


DEVICES: dict[str, Callable[[Board], str]] = {
    device.__name__: device for device in (camera, decoder, microphone, speaker, display, pins, watchdog, television)
}


def main(wanted: list[str]) -> None:
    """Take these into use."""
    board = open_board("pi", {})
    found = {}
    for name in wanted:
        try:
            found[name] = DEVICES[name](board)
        except DeviceError as error:
            found[name] = str(error)
    board.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
