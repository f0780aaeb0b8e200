"""The Raspberry Pi.

::

    sound_card: which card ──▶ alsa: one direction of it ──▶ audio: microphone, speaker ── volume
    usb_camera ── camera_mode, raw_picture ──▶ capture()
          └──▶ camera_encoder: m2m_encoder, or x264 when that fails ──▶ access units
    display ── drm: a picture composed in memory (board.compose), flipped to
    board.gpio: buttons and lamps, by gpiozero and lgpio
    cec_adapter ── board.cec: the television, switched, and its remote control

- ``sound_card``: the cards that are there, and which one is the room's
- ``alsa``: a stream to or from a card, without blocking, on pyalsaaudio
- ``audio``: the microphone and the speaker, in blocks of 10 ms
- ``usb_camera``: a camera behind the kernel's video interface; ``camera_mode``: in which size, rate and format it is
  used; ``raw_picture``: from that format to the firmware's
- ``camera_encoder``: encodes a camera's pictures, in hardware as long as that works; ``x264``: after that
- ``v4l2``: the kernel's video structures; ``v4l2_device``: an open video node and its buffers
- ``m2m_encoder``: the H.264 encoder of the Pi 4 and those before it
- ``drm``: the kernel's display structures and an open card; ``display``: the screen
- ``cec``: the kernel's CEC structures; ``cec_adapter``: the wire to the television
- ``health``: temperature, voltage, storage, memory; ``watchdog``: restarts a unit that hangs
- ``volume``: how loud a card plays, by its own control or by arithmetic
- ``inventory``: what there is, in words, for `visavis board`
- ``board``: opens what the settings describe

Every device is opened by a stable name or by what sense chooses among what is there, at the moment of opening; one
that is missing, busy or pulled out raises DeviceError, and the firmware, which tries again by and by, takes it when it
comes.

All this is proven on the kernel's own interfaces in a virtual machine (tests/hil), and on no Pi yet.  The Pi's own
camera (libcamera) is not supported yet, and the screen is composed by the processor, not by the Pi's planes.
"""
