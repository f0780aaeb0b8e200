"""HDMI-CEC: the wire beside the picture, by which a television is switched and passes on keys of its remote control.

::

    room ── wake, standby ──▶ television: a thread ──▶ playback: what a playback device says and answers
         ◀── keys, status ──         │
                                  Adapter: board.pi.cec_adapter (the kernel's) | board.sim.television

- ``message``: the words of the standard, as far as they are spoken here
- ``playback``: the device that this unit is for the television: a core without I/O
- ``television``: a `firmware.ports.Television` from that core and whatever adapter is there

CEC numbers are those of HDMI 1.4, supplement 1 (Consumer Electronics Control).
"""
