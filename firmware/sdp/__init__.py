"""SDP: the words in which two sides of a SIP call describe where and how they take media (RFC 8866, before RFC 4566).

A description is a session part and, after it, one part for each ``m=`` line.  The order of the ``m=`` lines is what
binds an answer to its offer (RFC 3264 6), so it is kept whatever a line says; a line that we don't know is a value like
any other, and is refused by port 0.

=================  =========================================================================================
`session`          RFC 8866 5: the lines ``v= o= s= c= b= m= a=`` as frozen values; parse and serialise
`attributes`       RFC 8866 6 and others: what stands in ``a=`` of an RTP line: rtpmap, fmtp, ptime, direction,
                   rtcp (RFC 3605), rtcp-mux (RFC 5761), rtcp-fb (RFC 4585, RFC 5104), content (RFC 4796)
`crypto`           RFC 4568: keys for SRTP
`fingerprint`      RFC 8122, RFC 4145: who takes part in a DTLS handshake, and who begins it
`ice`              RFC 8839: candidates, and the credentials of their checks
=================  =========================================================================================

Offer and answer (RFC 3264), where descriptions meet the unit's capabilities, are in `firmware.signaling.sip_media`.

What peers really send decides how strict reading is: bare LF, missing ``s=`` or ``t=``, blank lines and lines with
letters nobody knows are taken; what is not ``letter=value``, or passes a bound, is a `DecodeError`.  An attribute that
can't be read counts as absent: it spoils its own format or feature, never the call.
"""
