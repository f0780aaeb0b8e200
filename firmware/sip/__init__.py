"""SIP, the Session Initiation Protocol: how a call is found, made, changed and ended (RFC 3261).

SIP carries text messages over datagrams or streams: a *request* asks, *responses* answer.  It knows nothing of sound or
picture; a body (SDP, `firmware.sdp`) speaks of them.  Layers, from the wire upwards::

    bytes      uri  header  field  message          a message's syntax                      7, 19.1, 20, 25
      │        stream  body                         where it begins and ends, its body      18.3, 7.4
      ▼
    messages   transaction                          a request and its responses, repeated   17; RFC 6026
      │                                             over UDP until answered
      ▼
    dialogs    dialog  invite                       two user agents' lasting relation       12, 13, 14, 15
      │
      ▼
    events     user_agent                           who gets what: core, methods, errors    8, 9, 11

Reading a message is lazy.  Splitting it into lines and framing its body is all that every message pays for (15 µs on
the machine of the bench); what a header field means is read when somebody asks, and kept.  A flood of nonsense is thus
cheap, and a malformed field that nobody needs does no harm.  What may be asked for without a second thought is in the
properties of `firmware.sip.message.Message`, which raise RemoteProtocolError with the status to answer; a user agent
calls `Message.check` once, and none of those that it checks raises after that.

Where the standard lets a receiver choose, we choose as follows: line breaks are CRLF, never half of one (25.1); a field
that must not be repeated makes the message bad (7.3.1); white space is not forgiven in a start line (7.1) nor between
``<`` and ``>`` (20.10); ``Max-Forwards`` and the tag of From may be missing, as a client of RFC 2543 leaves them; a
Date or a Subject that makes no sense is nobody's business.  Text is UTF-8, and bytes that are not pass unharmed.
"""
