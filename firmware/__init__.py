"""Visavis: the firmware of a conference-room unit.  This page is the architecture.

A unit stands in a room with a camera, a speakerphone and a television, and makes video calls.  This package knows
protocols, calls, media and what the room does; it knows no hardware, which is the package `board`'s part.

Layers
------
A module imports downwards only, siblings on one line never see each other, and a test
(``tests/unit/test_architecture.py``) keeps it so::

    __main__                            where the process starts: the only one that sees `board`
    command                             the command line; what a running unit is made of
    ui | web                            buttons, lamps, screen | API, panel
    room                                what the appliance does; never a protocol's name
    signaling | media                   where a protocol becomes a Call | where channels become sound and picture
    net                                 the only sockets: signalling's driver, the pairs of ports for RTP
    sip | sdp | h323 | rtp | ice        protocol cores: bytes and time in, bytes and time out
    asn1                                aligned PER, in which H.323 writes
    call | ports | config | health      the neutral call, what a board must offer, settings, what systemd is told
    sansio                              the contract of a core
    errors

Processes and threads
---------------------
::

    room process (asyncio)                                  media process (threads)
    ┌──────────────────────────────────────────┐            ┌─────────────────────────────────────────┐
    │ web ── room ── Call ── signaling ── core │   H.323    │ network   audio   video in   video out  │
    │          │                  net.driver ──┼── SIP      │    │         │        │          │       │
    │     media.engine ── commands, sockets ───┼───────────▶│ RTP       board: microphone, speaker,   │
    │     buttons, lamps ◀── reports ──────────┼────────────│                  camera, display        │
    │     television, watchdogs                │            │                                         │
    └──────────────────────────────────────────┘            └─────────────────────────────────────────┘

The border is there because what a stranger sends is decoded behind it: if a decoder dies, the room starts the process
anew, hands it the same sockets and the same channels, and the call goes on.  RTP sockets are made in the room's process
when a call reserves its ports, so that a port is never lost to somebody else, and passed over as file descriptors.

The life of a call
------------------
1. A datagram arrives at ``net.driver``, which gives it to a core: ``sip.UserAgent.receive_data(flow, data, now)``.
2. The core answers what the protocol alone can answer (100 Trying, retransmissions) and reports an event.
3. ``signaling.sip`` turns the event into a ``Call`` in state INCOMING, with a leg, and hands it to the room.
4. The room decides: ring, refuse, or answer.  Lamps, screen and panel follow from the room's state by pure functions.
5. ``call.accept()`` lets the leg reserve ports, answer the offer and report ``established(channels)``.
6. The room gives the channels to ``media.engine``, which sends them and their sockets across the border.
7. Once a second statistics come back; a key frame that is needed goes by RTCP, or by signalling where RTCP can't.
8. ``call.hang_up()``, or the far end's: ``released(reason)``; the channels are gone, the ports are free.
"""
