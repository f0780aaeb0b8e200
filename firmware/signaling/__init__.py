"""Signalling: where a protocol becomes a `Call`, and the only place that knows which protocol that is.

::

    room ──▶ Call ──▶ SipLeg ──▶ sip.InviteSession        commands
         ◀──      ◀──   │    ◀── sip.events               reports
                        │
                     SipMedia ──▶ sdp                     what both sides agreed, as Channels

==============  ================================================================================================
`sip`           SipEndpoint: one user agent on its sockets, its calls, dialling and stopping
`sip_leg`       SipLeg: one call; the user agent's events (RFC 3261) to reports, the call's commands to requests
`sip_address`   what a person may write for a SIP address
`sip_media`     offer and answer (RFC 3264), ports
`sip_formats`   codecs in words of SDP; H.264 as RFC 6184 8.2.2 wants it agreed
`sip_channels`  an agreed line as channels of one direction: addresses, limits, feedback
`sip_info`      INFO bodies: key frames (RFC 5168) and digits
`causes`        why a call ended, in the numbers of each protocol
==============  ================================================================================================
"""
