"""The network: where bytes of signalling meet sockets, and where sound and picture get theirs.

::

    core (pure)  ◀─ receive_data, timers ─  driver  ◀─▶  datagram     one UDP socket, knows which address was meant
                 ── actions, events ──▶             ◀─▶  connections  all streams, and how many there may be
                                                            │  stream      one TCP connection
                                                            │  tls_stream  one with TLS on it
                                                            ▼
                    tls  our certificate, whom we trust ─▶ tls_layer ─▶ far_certificate   whose name it has (RFC 5922)

                    own_certificate, made at the first start

    signaling    ── host name ──▶  dns ── NAPTR, SRV;  resolver ── addresses
    signaling    ── a call begins ──▶  ports ── a pair of bound UDP sockets; the media engine hands them to its worker
                       where ICE is wanted ──▶  gathering ── how servers see them, before the call says where we are
                                                   └─ turn_streams ── by TCP or TLS, where UDP is not let out

Only this package opens sockets for calls, and only the driver waits on them.  RFC 3261 18 (transport) is split:
framing, Via and retransmission are the core's; connections, errors of ICMP (18.4) and limits on what strangers may
hold open are the driver's.  `own_addresses` tells when ours have changed, `address` writes addresses for people and
asks the kernel for ours, `dscp` marks packets for routers.
"""
