"""The appliance: what a person in the room can do, what the room does by itself, and its state as a value.

Rule 1: the room knows calls, never the protocol of one.
Rule 2: commands return at once or raise CallError; what comes of them is seen in the state.
Rule 3: the state is a frozen value; subscribers get each new one, once, after the change and never inside of it.
Rule 4: all runs on one event loop, whose clock is the room's.

::

    buttons, web, command line ──▶ dial answer hang_up hold ... ──▶ Call, Media
    lamps, screen, web         ◀── RoomState (subscribe)        ◀── on_change, handle_report

`state.py` has the values, `media.py` what the room asks of the media process, `line.py` what is kept of one call,
`transfer.py` how the room is passed on, `camera.py` where the camera looks, `kept_file.py` what outlasts the process,
`television.py` when the television is switched, `health.py` what is to be said of the machine's health, `watch.py` who
looks and feeds the watchdogs, `room.py` the room itself.
"""

from firmware.room.camera import LONGEST_MOVE, PRESETS, Camera
from firmware.room.line import Line
from firmware.room.media import Media
from firmware.room.room import DIGITS, MAX_ADDRESS, MAX_DIGITS, NOTICE_TIME, NoSuchCallError, Room
from firmware.room.state import CallView, CameraState, Notice, RoomState
from firmware.room.television import Television
from firmware.room.watch import Watch

__all__ = [
    "DIGITS",
    "LONGEST_MOVE",
    "MAX_ADDRESS",
    "MAX_DIGITS",
    "NOTICE_TIME",
    "PRESETS",
    "CallView",
    "Camera",
    "CameraState",
    "Line",
    "Media",
    "NoSuchCallError",
    "Notice",
    "Room",
    "RoomState",
    "Television",
    "Watch",
]
