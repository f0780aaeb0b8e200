"""The Raspberry Pi.

::

    sound_card: which card ──▶ alsa: one direction of it ──▶ audio: microphone, speaker ── volume
    camera_list: which camera ─┬▶ usb_camera ── camera_mode, raw_picture ─┬▶ camera_output ──▶ capture()
                               └▶ csi_camera ── shared_picture ───────────┘     └──▶ camera_encoder ──▶ access units
    camera_encoder: m2m_encoder, from the camera's memory or a copy, or x264 when that fails
    m2m_decoder: access units of the far end ──▶ pictures
    display ── layers: what each plane shows ── scanout: drawn, tried, shown ── frame_buffer, drm
    board.gpio: buttons and lamps, by gpiozero and lgpio
    cec_adapter ── board.cec: the television, switched, and its remote control

- ``sound_card``: the cards that are there, and which one is the room's
- ``alsa``: a stream to or from a card, without blocking, on pyalsaaudio
- ``audio``: the microphone and the speaker, in blocks of 10 ms; ``sound_rate``: where the card has another rate;
  ``drift``: where the speaker has another clock
- ``camera_list``: the cameras that are there, and which one is the room's
- ``csi_camera``: the Pi's own, by libcamera and picamera2; ``shared_picture``: a picture in its memory
- ``usb_camera``: a camera behind the kernel's video interface; ``camera_mode``: in which size, rate and format it is
  used; ``camera_stream``: what it gives in that; ``raw_picture``: from that format to the firmware's
- ``own_encoder``: a camera that encodes by itself, by the node of its pictures or another; ``uvc_h264``: what one
  behind USB is told
- ``pan_tilt_zoom``: where a camera with motors looks; the Pi's own looks where `board.digital_zoom` says
- ``camera_output``: who gets which picture of a camera
- ``access_unit``: what is in what an encoder gives
- ``camera_encoder``: encodes a camera's pictures, in hardware as long as that works; ``x264``: after that
- ``v4l2``: the kernel's video structures; ``v4l2_device``: an open video node and its buffers
- ``m2m_encoder``: the H.264 encoder of the Pi 4 and those before it
- ``m2m_decoder``: its decoder; ``backlog``: how long that is waited for; ``dma_heap``: memory for its pictures
- ``drm``: the kernel's display structures and an open card; ``frame_buffer``: a picture in its memory
- ``display``: the screen; ``layers``: which plane of the hardware shows what of a scene; ``scanout``: these planes
- ``cec``: the kernel's CEC structures; ``cec_adapter``: the wire to the television
- ``health``: temperature, voltage, storage, memory; ``watchdog``: restarts a unit that hangs
- ``volume``: how loud a card plays, by its own control or by arithmetic
- ``presence``: what is plugged in, at next to no cost; ``inventory``: what there is, in words, for `visavis board`
- ``board``: opens what the settings describe

Every device is opened by a stable name or by what sense chooses among what is there, at the moment of opening; one
that is missing, busy or pulled out raises DeviceError, and the firmware, which tries again by and by, takes it when it
comes.  Those that nobody uses are looked for every few seconds, so that people hear of them before the next call.

What comes is decoded in hardware where the Pi has a decoder for H.264 (the Pi 4 and those before it) and that helps:
pictures of 1280x720 and more (``m2m_decoder`` says why), or all, if the settings want it so.  libav decodes the others,
and whatever the hardware refuses, fails at, or is late with.

All this is proven on the kernel's own interfaces in a virtual machine (tests/hil), and on no Pi yet.  libcamera and
picamera2 are the real ones there, the sensor and the scaler are a driver's (vimc); the crops and the second stream,
which libcamera does not make of that driver, come from a layer of the bench's own.  Pictures are of RGB there: planes
of YUV, the sensor's modes and a Pi 5's crops for each stream are asked for as picamera2 documents it, and have not been
seen.
"""
