"""Sound and pictures: from the devices of the room to the network and back, in a process of their own.

Far ends send bit streams that nobody has checked, and libraries in C decode them.  So all of it happens in a worker
process that knows nothing of signalling; when it dies, the room starts another and tells it the same, and the call goes
on.  Between the two pass values (``message``): commands down, reports up, and with the channels their sockets, which
the room keeps open too.

::

    room's process │ worker process
                   │
      engine ──────┼─ commands, sockets ─▶ main thread (worker) ──▶ sessions, devices
        ▲          │
        └──────────┼─ reports ◀── reports thread ◀── everybody
                   │
                   │            ┌────────────── network thread: sockets, RTCP, timers ──────────────┐
                   │            │                                                                   │
                   │   far end ─┤ packets ──▶ video_receive ══▶ decode thread ══▶ compositor: display thread
                   │            │                                      └─(echo)─▶ video_send          ▲
                   │            │ packets ──▶ audio_receive ══▶ ┌ audio thread ┐ ──▶ speaker          │ self-view
                   │            │                               │ mixer, 10 ms │ ◀── microphone       │
                   │   far end ◀┤◀── packets ── audio_send ◀─── └──────────────┘                      │
                   │   far end ◀┴◀── packets ── encode thread ◀══ video_send ◀── camera thread ───────┘
                   │
                   ══▶ a slot that keeps the newest picture, or a queue with a bound; nothing else lies between threads

- **The room's side**: ``engine`` keeps a worker running; ``link`` is how messages and descriptors lie in the sockets;
  ``backlog`` lets commands wait for a worker that has no turn, ``calm`` sends the newest of many scenes only;
  ``scene`` is what the room wants to be seen.
- **The worker**: ``worker`` takes commands, ``studio`` is what all calls share, ``session`` is one call, ``stream`` one
  RTP session on its sockets, ``protection`` what encrypts and decrypts at its edge, ``key_agreement`` and ``dtls`` how
  keys for that are agreed where packets go, ``far_address`` whom it believes,
  or ``connectivity`` (ICE) how it finds a way to him,
  ``network`` the thread that waits for all of them,
  ``meter`` and ``lateness`` what is measured, ``border`` where a failure ends.
- **Codecs**: ``codecs`` is their table.  Another one is a row there and, where RTP carries it in a way of its own, a
  file in `firmware.rtp`.
- **Pictures**: ``camera`` and ``pictures`` (who looks at what), ``camera_control`` (pan, tilt, zoom), ``video_send``,
  ``fit``, ``encoder``, ``level`` (H.264 table A-1), ``picture_size`` (H.261, H.263), ``video_receive``,
  ``video_decoder`` (hardware or libav), ``decoder`` (libav), ``slot``; ``compositor``, ``words`` and ``png`` for the
  screen.
- **Time**: a picture and a block of sound come from their devices with when they were taken (CLOCK_MONOTONIC), and that
  is what RTP's time stamps and RTCP's sender reports tell; a far end can show them together, whatever each has waited.
  So do we with its own: `audio_receive` tells the call's synchronizer (`firmware.rtp.synchronization`) what is heard
  when, `video_receive` asks it how long a picture has to wait, and `session` gives it the reports, once a second.
- **Sound**: ``audio`` is the tick, ``mixer`` says who hears and sees whom, ``audio_send``, ``audio_receive``, ``voice``
  (codecs at work).
- ``device``: a camera, microphone, speaker or display that is missing or fails is left out and tried again; ``fault``:
  what the room is told of that, also while nobody uses the device and it is only looked for.

What keeps sound on time in Python: the audio thread runs before all others where that is permitted, the interpreter
switches threads after a tenth of a millisecond, whatever takes long (codecs, scaling, zlib) is C that lets go of the
interpreter's lock, and nothing that the tick calls waits.
"""
