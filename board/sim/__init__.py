"""The simulated board: a whole unit's devices on any computer, as products and not as mocks.

Each obeys the rules of the real one.  A camera and a microphone keep their own clocks and lose what nobody fetches in
time; a speaker plays silence when nothing comes and drops what it has no room for; a button pulls its pin down and
bounces.  The same unit, tests and demonstrations run on it.

::

    card ─┐                                 tone ──────┐
          ├──▶ camera ──▶ capture()                    ├──▶ microphone ──▶ read()
    film ─┘   (beat)                        recording ─┘    (beat)

    write() ──▶ speaker ──▶ wave (a WAV file)       show() ──▶ display ──▶ compose ──▶ screenshot()

``television`` is a whole one, with a remote control: it starts, shows and goes to standby by CEC (`board.cec`).

``clap`` is a clapperboard before camera and microphone, and a witness before screen and speaker: a test knows how long
each took, and whether they are in step.

``counter`` writes and reads the number in the test card's pictures, so that a test knows which picture arrived,
whatever codecs, scalers and screens were on its way.  Nothing here does arithmetic on single pixels or needs numpy.
"""
