"""The torture messages of RFC 5118, for IPv6, and what comes of each.

They are written here with what the RFC makes of each, the header fields that they have in common said once.
"""

from __future__ import annotations

from dataclasses import dataclass

READ = 0
"""The message is read, and `Message.check` finds nothing wrong."""

SDP_6 = (
    "v=0\no=assistant 971731711378798081 0 IN IP6 2001:db8::20\ns=Live video feed for today's meeting\n"
    "c=IN IP6 2001:db8::20\nt=3338481189 3370017201\nm=audio 6000 RTP/AVP 2\na=rtpmap:2 G726-32/8000\n"
    "m=video 6024 RTP/AVP 107\na=rtpmap:107 H263-1998/90000\n"
)
SDP_BOTH = (
    "v=0\no=bob 280744730 28977631 IN IP4 host.example.com\ns=\nt=0 0\nm=audio 22334 RTP/AVP 0\n"
    "c=IN IP4 192.0.2.1\nm=video 6024 RTP/AVP 107\nc=IN IP6 2001:db8::1\na=rtpmap:107 H263-1998/90000\n"
)
SDP_MAPPED = (
    "v=0\no=bob 280744730 28977631 IN IP6 ::ffff:192.0.2.2\ns=\nc=IN IP6 ::ffff:192.0.2.2\nt=0 0\n"
    "m=audio 22334 RTP/AVP 0\n"
)


def _message(method: str, uri: str, *fields: str, to_tag: str = "", body: str = "") -> bytes:
    lines = [f"{method} {uri} SIP/2.0", f"To: sip:user@example.com{to_tag}", "From: sip:user@example.com;tag=81x2"]
    lines += ["Call-ID: SSG9559905523997077@hlau_4100", "Max-Forwards: 70", f"CSeq: 8612 {method}", *fields]
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(body.replace(chr(10), chr(13) + chr(10)))}")
    return ("\n".join(lines) + "\n\n" + body).replace("\n", "\r\n").encode()


VIA = "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111"
CONTACT = 'Contact: "Caller" <sip:caller@[2001:db8::1]>'


@dataclass(frozen=True)
class Torture:
    """One message and its expectation."""

    name: str
    clause: str
    data: bytes
    decodes: int
    """READ, or the status that `parse` or `check` raises with."""
    answer: int
    """What a user agent answers; 180: it rings."""


MESSAGES = (
    Torture("ipv6-good", "4.1", _message("REGISTER", "sip:[2001:db8::10]", VIA, CONTACT), READ, 405),
    Torture("ipv6-bad", "4.2", _message("REGISTER", "sip:2001:db8::10", VIA, CONTACT), 400, 400),
    Torture("port-ambiguous", "4.3", _message("REGISTER", "sip:[2001:db8::10:5070]", VIA, CONTACT), READ, 405),
    Torture("port-unambiguous", "4.4", _message("REGISTER", "sip:[2001:db8::10]:5070", VIA, CONTACT), READ, 405),
    Torture(
        "via-received-param-with-delim",
        "4.5",
        _message("BYE", "sip:[2001:db8::10]", f"{VIA};received=[2001:db8::9:255]", to_tag=";tag=bd76ya"),
        READ,
        481,
    ),
    Torture(
        "via-received-param-no-delim",
        "4.5",
        _message("OPTIONS", "sip:[2001:db8::10]", f"{VIA};received=2001:db8::9:255", CONTACT),
        READ,
        200,
    ),
    Torture("ipv6-in-sdp", "4.6", _message("INVITE", "sip:user@[2001:db8::10]", VIA, CONTACT, body=SDP_6), READ, 180),
    Torture(
        "mult-ip-in-header",
        "4.7",
        _message(
            "BYE",
            "sip:user@host.example.net",
            "Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111",
            "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144",
            "Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200",
            to_tag=";tag=2",
        ),
        READ,
        481,
    ),
    Torture(
        "mult-ip-in-sdp", "4.8", _message("INVITE", "sip:user@[2001:db8::10]", VIA, CONTACT, body=SDP_BOTH), READ, 180
    ),
    Torture(
        "ipv4-mapped-ipv6",
        "4.9",
        _message(
            "INVITE",
            "sip:user@example.com",
            "Via: SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19",
            "Via: SIP/2.0/UDP [::ffff:192.0.2.2];branch=z9hG4bKas3-111",
            'Contact: "T. desk phone" <sip:ted@[::ffff:192.0.2.2]>',
            body=SDP_MAPPED,
        ),
        READ,
        180,
    ),
    # what RFC 3261's own grammar could produce is to be accepted
    Torture(
        "ipv6-bug-abnf-3-colons",
        "4.10",
        _message("OPTIONS", "sip:user@[2001:db8:::192.0.2.1]", VIA, CONTACT),
        READ,
        200,
    ),
    Torture(
        "ipv6-correct-abnf-2-colons",
        "4.10",
        _message("OPTIONS", "sip:user@[2001:db8::192.0.2.1]", VIA, CONTACT),
        READ,
        200,
    ),
)
