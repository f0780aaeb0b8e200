"""ICE, STUN and TURN (RFC 8445, RFC 8489, RFC 8656): how two ends behind NATs find a way for their media.

An end in a home or an office has an address that means nothing outside.  So each end *gathers* candidates: its own
address, the one that a STUN server sees, one that a TURN server lends it and relays from.  Signalling tells them to the
other end; then both try every pair of them by small requests (*connectivity checks*) which prove by a password of the
signalling that they are from the right one.  The end that *controls* nominates one of the pairs that work, and media go
by it for as long as the far end *consents*, which is asked every few seconds.

::

    before the offer    sockets ◀──▶ Gathering ──▶ candidates, allocations ──▶ SDP     (the room's process)
    after the answer    sockets ◀──▶ Agent ◀── Ice, out of both SDPs                   (the media process)
                                      │ Session ─ CheckList ─ Pair ─▶ ValidList ─▶ Consent
                                      │ Relay ─ Permissions
                                      ├──▶ events: Selected, Failed, Unanswered, ConsentLost
                          RTP, DTLS ◀─┴── receive, wrap

==================  ==========================================================================================
`message`           STUN messages, RFC 8489 5 and 6; their signatures, 14.5 to 14.7
`attribute`         what is in them: RFC 8489 14, RFC 8656 18, RFC 8445 16.1
`error`             the codes of refusals, in words
`transaction`       requests that go again until they are answered, RFC 8489 6.2.1
`credentials`       fragments, passwords, keys: RFC 8445 5.3, RFC 8489 9
`authentication`    long-term credentials: 401, stale nonces, password algorithms, RFC 8489 9.2
`datagram`          what is to be sent; STUN told from RTP and DTLS, RFC 7983
`candidate`         priorities, foundations, what can be a pair: RFC 8445 5.1, 6.1.2.2
`gathering`         asking servers, keeping alive, giving back: RFC 8445 5.1, 11
`agent`             the agent of one medium: what comes, what goes, restarts (RFC 8445 9)
`session`           one round: checks, roles, nomination, RFC 8445 7 and 8; RFC 8863
`check`             a check as a message, and its answer, RFC 8445 7.1, 7.3
`check_list`        which pair is checked when, RFC 8445 6.1.2, 6.1.4
`pair`              a pair's states, as a table, RFC 8445 6.1.2.6
`valid`             the pairs that work, and the choice, RFC 8445 8.1.1
`consent`           RFC 7675
`event`             what an agent tells
`relay`             an allocation of a TURN server, RFC 8656 6 to 8
`permission`        permissions and channels of it, RFC 8656 9 and 12
`channel_data`      datagrams in a channel, RFC 8656 12.4
`framing`           both over a stream of TCP or TLS, RFC 8489 6.2.2, RFC 8656 12.5
`turn_server`       a TURN server as the settings name it
`limit`             how much a stranger may make us do
==================  ==========================================================================================

Everything here is pure: time is an argument (seconds of one monotonic clock), randomness is given, nothing blocks, and
nothing that comes raises out of `Gathering` or `Agent`.  Media travel by UDP only; a TURN server may be asked by a
stream, which is somebody else's to keep (`firmware.net.turn_streams`).  A component may have several local addresses
(RFC 8421); servers are asked by the first of them only.
"""
