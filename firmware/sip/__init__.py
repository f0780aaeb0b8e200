"""SIP, the Session Initiation Protocol: how a call is found, made, changed and ended (RFC 3261).

SIP carries text messages over datagrams or streams: a *request* asks, *responses* answer.  It knows nothing of sound or
picture; a body (SDP, `firmware.sdp`) speaks of them.  Layers, from the wire upwards::

    bytes      uri  header  field  message          a message's syntax                      7, 19.1, 20, 25
      │        grammar  field_property              what all fields share, and when they are read   25.1
      │        stream  body                         where it begins and ends, its body      18.3, 7.4
        transport                                   which flow a message takes              18; RFC 3581
      ▼
    messages   transaction  transaction_machine     a request and its responses, repeated   17; RFC 6026
      │        transaction_layer  timers            over UDP until answered; which is whose
      │        repetition                           what was over before its copies came
      ▼
    dialogs    dialog                               two user agents' lasting relation       12
      │        invite  invite_client  info          a call, made and taken                  9, 13, 15; RFC 6086
      │        invite_server  usage                 what goes on in its dialogs             12.2; RFC 5057
      │        modification  glare                  a call, changed                         14; RFC 6337
      │        account  authentication  digest      addresses and passwords of ours         22; RFC 7616, 8760
      │        client_request                       a request, sent again where challenged  8.1.3.5, 22.2
      │        registration  register  keep_alive   being found at a server                 10; RFC 5626, 3608, 3327
      │        alert                                how it rings                            RFC 7462
      │        reliable  update  session_timer      ringing for sure, refreshing a call     RFC 3262, 3311, 4028
      │        refer  subscription  replaces        a call, passed on to somebody else      RFC 3515, RFC 3891
      │        replacement                          a call in the place of another          RFC 3891
      ▼
    events     user_agent  uas  layers  identity    who gets what: core, methods, errors    8, 11
               refusal  reason                      why not                                 21; RFC 3326

What comes in goes down this list line by line, `user_agent` leading it; what is not fit for one layer is answered
there, or dropped and counted.  Commands go the other way.  An INVITE is an object of its own, of whoever sent it
(`invite_client`) or got it (`invite_server`), because it may outlive its call: a late 2xx is acknowledged all the same.

Reading a message is lazy.  Splitting it into lines and framing its body is all that every message pays for (15 µs on
the machine of the bench); what a header field means is read when somebody asks, and kept.  A flood of nonsense is thus
cheap, and a malformed field that nobody needs does no harm.  What may be asked for without a second thought is in the
properties of `firmware.sip.message.Message`, which raise RemoteProtocolError with the status to answer; a user agent
calls `Message.check` once, and none of those that it checks raises after that.

Where the standard lets a receiver choose, we choose as follows: line breaks are CRLF, never half of one (25.1); a field
that must not be repeated makes the message bad (7.3.1); white space is not forgiven in a start line (7.1) nor between
``<`` and ``>`` (20.10); ``Max-Forwards`` and the tag of From may be missing, as a client of RFC 2543 leaves them; a
Date or a Subject that makes no sense is nobody's business.  Text is UTF-8, and bytes that are not pass unharmed.

A user agent's choices: one call too many is 486, not 503, which would turn a proxy away from all of us (21.4.24,
21.5.4); 503 with Retry-After, and no memory, is for a flood.  A method that we know but don't have is 405, one that we
don't know is 501 (8.2.1, 21.5.2), both with Allow.  Requests for any user are taken.  ``maddr`` in a Via is not obeyed
(`transport`).  The next hop of a dialog's requests is reached directly where it is an IP address, otherwise on the flow
that the dialog was made on.  A request above 1300 bytes is tried by TCP before UDP (18.1.1; `transaction_machine`).  A
call rings for three minutes here, and for 200 s after the last provisional response there.
"""
