"""What people in the room touch and see: buttons, lamps and the screen.

Each way out is a pure function of the room's state, so that what is lit and shown can be told without hardware.

::

    finger ──▶ board.Button ──thread──▶ buttons ──▶ room's commands
           ──▶ remote control ──▶ board.Television ──thread──▶ buttons.RemoteControl ──▶ the same
    room's state ──▶ lamps.lights(state) ──▶ board.Lamp
                 └─▶ screen.scene(state, moment) ──▶ Scene ──▶ media process: compositor ──▶ board.Display

The screen says what a person wants to know at a distance of three metres, in the order of haste: who calls, who is
there, whether the microphone is open, and, when nothing is going on, how to call this room.  `symbol` draws what
letters can't say.
"""

from firmware.ui.buttons import Buttons, RemoteControl
from firmware.ui.lamps import Lamps
from firmware.ui.screen import Screen

__all__ = ["Buttons", "Lamps", "RemoteControl", "Screen"]
