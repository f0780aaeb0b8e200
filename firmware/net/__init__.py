"""The network: where bytes of signalling meet sockets, and where sound and picture get theirs.

::

    core (pure)  ◀─ receive_data, timers ─  driver  ◀─▶  datagram   one UDP socket, knows which local address was meant
                 ── actions, events ──▶             ◀─▶  stream     one TCP connection
    signaling    ── host name ──▶  resolver ── addresses
    signaling    ── a call begins ──▶  ports ── a pair of bound UDP sockets; the media engine hands them to its worker

Only this package opens sockets for calls, and only the driver waits on them.  RFC 3261 18 (transport) is split:
framing, Via and retransmission are the core's; connections, errors of ICMP (18.4) and limits on what strangers may
hold open are the driver's.
"""
