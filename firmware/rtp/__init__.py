"""RTP and RTCP (RFC 3550, RFC 3551), the payload formats, and the buffers behind them: how media cross a network.

Signalling agrees on addresses, payload types and codecs; then each medium is one RTP *session*: data packets (RTP) with
sequence number, timestamp and source, and beside them control packets (RTCP) that report loss, jitter and round trip
and carry feedback: "give me a key frame", "send those again".  SIP and H.323 differ in nothing here.

::

    sending   encoder ─▶ h264.packetize ─▶ Session.send ─▶ socket
                                              ▲ counts, numbers, keeps for NACK
    receiving socket ─▶ Session.receive ─┬─▶ ReorderBuffer ─▶ h264.Depacketizer ─▶ decoder      (video)
                           which source, ├─▶ PlayoutBuffer ◀─ pop, when sound is needed ─ decoder (sound)
                           which number  └─▶ EventReceiver ─▶ digits                             (telephone-event)
    control   socket ─▶ Session.receive_control ─▶ events: KeyFrameRequested, Retransmit, Goodbye
              Session.handle_timer, request_key_frame, report_missing, close ─▶ socket

=======================  =====================================================================================
`packet`                 the data packet, RFC 3550 5.1; RTP and RTCP on one port, RFC 5761 4
`rtcp`                   control packets, RFC 3550 6.4 to 6.6; feedback, RFC 4585 6, RFC 5104 4.3; RFC 5506
`session`                one session of an m-line: which source is heard, collisions and loops (RFC 3550 8.2)
`event`                  what is asked of us
`sender`                 our source: numbers, sender reports, round trip (RFC 3550 6.4.1)
`source`                 the far end's: validity A.1, loss A.3, jitter A.8 of RFC 3550
`interval`               when RTCP goes: RFC 3550 6.2, 6.3
`feedback`               how often key frames are asked for and given, and how much is sent again
`bitrate`                when the far end is asked to send less, or more again (TMMBR, RFC 5104 4.2)
`retransmission`         packets that go again in a stream of their own, RFC 4588
`statistics`             what was sent and received, as values
`jitter`, `reorder`      the buffers: sound is played by the clock, video as soon as it is whole
`synchronization`        sound and pictures in step, by sender reports: lip sync, ITU-R BT.1359
`h264`                   RFC 6184; what its sequence parameter sets say, in `h264_parameters`
`picture`                pictures of the older codecs out of packets, bit by bit
`h263`, `h263_rfc2190`   RFC 4629; RFC 2190
`h261`                   RFC 4587; where its macroblocks are, in `h261_macroblock`
`telephone_event`        digits, RFC 4733
`h235`                   encrypted payloads, H.235.6; whether their key was right: `plausible`
`srtp`                   encrypted packets, RFC 3711: which packet it is, and whether it came before
`srtp_transform`         how one packet is encrypted and signed: RFC 3711 4, RFC 6188, RFC 7714
`payload`                static payload types, RFC 3551 6
=======================  =====================================================================================

Everything here is pure: time is an argument (seconds of one monotonic clock), randomness is given, nothing blocks.
Nothing that the far end sends raises out of a session or a buffer; it is used, or counted and dropped.  Every store has
a bound: packets kept for retransmission, packets that wait behind a gap or for the speaker, octets of an access unit.

A packet's ``index`` is its sequence number without wraps; its ``stream`` changes when numbers and timestamps begin anew
(another source, or a restart), and whoever keeps state between packets starts afresh then.
"""
