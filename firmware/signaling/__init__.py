"""Signalling: where a protocol becomes a `Call`, and the only place that knows which protocol that is.

::

    room ──▶ Call ──▶ SipLeg ───▶ sip.InviteSession        commands
         ◀──      ◀──   │     ◀── sip.events               reports
                        └ SipMedia ──▶ sdp                 what both sides agreed, as Channels

         ──▶ Call ──▶ H323Leg ──▶ h323.Session             commands
         ◀──      ◀──   │     ◀── h323.events              reports
                        └ H323Media ──▶ H.245 values       what both sides agreed, as Channels

=====================  =========================================================================================
`endpoint`, `leg`      what all protocols share: listening, looking names up, stopping; a call's session and media
`fair`                 whom a far end may have us call
`causes`               why a call ended, in the numbers of each protocol
`h264_levels`          the levels of H.264, which both protocols name
`sip`                  SipEndpoint: one user agent on its sockets, its calls, dialling
`sip_leg`              SipLeg: one call; the user agent's events (RFC 3261) to reports, the call's commands to requests
`sip_accounts`         the accounts: registered at their servers, found when dialling (RFC 3261 10)
`sip_address`          what a person may write for a SIP address
`sip_location`         where such an address leads: transports and addresses to try (RFC 3263)
`sip_failures`         which of those failed lately
`sip_negotiation`      the part of it that offers and answers, in order
`sip_media`            offer and answer (RFC 3264), ports
`sip_matching`         what of a far end's line is usable
`sip_family`           media by the other version of IP than signalling (RFC 6157)
`sip_ice`              ways through NATs (RFC 8839): what is said of them, and agreed
`sip_srtp`             how a line is encrypted (RFC 4568, RFC 5763, RFC 8643)
`sip_certificate`      the certificate of DTLS handshakes
`sip_formats`          codecs in words of SDP; H.264 as RFC 6184 8.2.2 wants it agreed
`sip_picture_sizes`    H.261 and H.263 in words of SDP
`sip_channels`         an agreed line as channels of one direction: addresses, limits, feedback
`sip_transfer`         whom a far end wants us to call instead, and whom we want it to (RFC 3515, RFC 3891)
`sip_redirection`      where a call goes that is taken elsewhere (3xx)
`sip_digits`           digits by INFO, one after the other
`sip_info`             INFO bodies: key frames (RFC 5168) and digits
`h323`                 H323Endpoint: one terminal on its sockets, its calls, dialling
`h323_gatekeeper`      finding the gatekeeper and registering there
`h323_leg`             H323Leg: one call; H.225.0 and H.450 events to reports, the call's commands to messages
`h323_negotiation`     the part of it that agrees on media: H.245 and fast connect
`h323_transfer`        whom a far end wants us to call instead, and whom we want it to (H.450.2)
`h323_address`         what a person may write for an H.323 address
`h323_location`        where a name leads (H.323 annex O)
`h323_media`           logical channels (H.245), ports; `h323_channel` is what it keeps of each
`h323_channels`        what H.245 says of channels, done
`h323_selection`       what is sent of each medium; `h323_mode`: as the far end asks (RequestMode)
`h323_crypto`          what a call has agreed of encryption, and its keys (H.235.6)
`h323_capabilities`    capability sets
`h323_formats`         codecs in words of H.245; H.264 as H.241 describes it
`h323_picture_sizes`   H.261 and H.263 in words of H.245
`h323_fast_connect`    channels agreed in call signalling (H.323 8.1.7)
=====================  =========================================================================================
"""
