"""Session descriptions for tests, written short; and what a far end's answer to ours looks like."""

from __future__ import annotations

from wire_transport import MemoryPorts

from firmware.call.media import Capabilities, Channel, Direction, Kind
from firmware.sdp.session import MediaDescription, SessionDescription, parse
from firmware.signaling.sip_media import SipMedia

OURS, THEIRS = "192.0.2.1", "192.0.2.2"

AUDIO = "m=audio 5000 RTP/AVP 0 8\n"
VIDEO = (
    "m=video 5002 RTP/AVP 97\na=rtpmap:97 H264/90000\n"
    "a=fmtp:97 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1\n"
)


def sdp(*media: str, session: str = "", host: str = THEIRS) -> bytes:
    """Give a description with these media parts."""
    family = "IP6" if ":" in host else "IP4"
    return (f"v=0\no=- 1 1 IN {family} {host}\ns=-\nc=IN {family} {host}\nt=0 0\n{session}" + "".join(media)).encode()


def make(capabilities: Capabilities | None = None, host: str = OURS) -> SipMedia:
    return SipMedia(capabilities or Capabilities(), MemoryPorts(), host, 4711)


def lines(body: bytes) -> tuple[MediaDescription, ...]:
    return parse(body).media


def version(body: bytes) -> int:
    return parse(body).origin.version


def direction(media: MediaDescription) -> str:
    return next(name for name, _ in media.attributes if name in ("sendrecv", "sendonly", "recvonly", "inactive"))


def find(media: SipMedia, kind: Kind, way: Direction) -> Channel | None:
    return next((c for c in media.channels if (c.kind, c.direction) == (kind, way)), None)


def channel(media: SipMedia, kind: Kind, way: Direction) -> Channel:
    found = find(media, kind, way)
    assert found is not None, media.channels
    return found


def description(body: bytes) -> SessionDescription:
    return parse(body)
