"""A far end made of bare sockets and text: it shares no code with the unit, and keeps every byte that passes.

It calls, answers nothing by itself but what a test tells it to, sends back the sound and the picture that it gets, and
writes what passed as a capture file, so that programs that are not ours can read it.
"""

from __future__ import annotations

import array
import re
import secrets
import select
import socket
import struct
import threading
import time
from pathlib import Path

Address = tuple[str, int]
Passed = tuple[float, Address, Address, bytes]
"""When (CLOCK_REALTIME), from where, to where, what."""

SESSION = """\
v=0
o=- 1 1 IN {family} {host}
s=-
c=IN {family} {host}
t=0 0
m=audio {audio} RTP/{profile} 9 0 101
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
m=video {video} RTP/{profile} 96 97
b=TIAS:1500000
a=rtpmap:96 H264/90000
a=fmtp:96 profile-level-id=42e01f;packetization-mode=1
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42e01f;packetization-mode=0
a=rtcp-fb:* nack
a=rtcp-fb:* nack pli
a=rtcp-fb:* ccm fir
"""


def _expand(octet: int) -> int:
    """ITU-T G.711 table 2a: the sample that an octet of the µ-law stands for."""
    octet = ~octet & 0xFF
    magnitude = (((octet & 15) << 3) + 0x84 << (octet >> 4 & 7)) - 0x84
    return -magnitude if octet & 0x80 else magnitude


_PCMU = [_expand(octet) for octet in range(256)]


class Peer:
    """A SIP far end over UDP.  Use as a context manager."""

    def __init__(self, address: str, profile: str = "AVPF") -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.sip = _bound(family, address, 0)
        self.media = _media_sockets(family, address)
        """RTP and RTCP of audio, then of video."""
        self._profile = profile
        self.passed: list[Passed] = []
        self._stop = threading.Event()
        self._mirror = threading.Thread(target=self._run, daemon=True)
        self.mirrored = True
        """Whether RTP is sent back."""

    def __enter__(self) -> Peer:
        self._mirror.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._mirror.join(5)
        for open_socket in (self.sip, *self.media):
            open_socket.close()

    @property
    def address(self) -> Address:
        """Where its SIP is."""
        host, port = self.sip.getsockname()[:2]
        return str(host), int(port)

    @property
    def authority(self) -> str:
        """The same as a URI has it."""
        host, port = self.address
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def offer(self) -> str:
        """Sound and picture to and from this peer's sockets."""
        host = self.address[0]
        family = "IP6" if ":" in host else "IP4"
        ports = [open_socket.getsockname()[1] for open_socket in self.media]
        text = SESSION.format(family=family, host=host, audio=ports[0], video=ports[2], profile=self._profile)
        return text.replace("\n", "\r\n")

    # SIP

    def send(self, to: Address, text: str) -> None:
        """Send a message as it is."""
        self.sip.sendto(text.encode(), to)
        self.passed.append((time.time(), self.address, to, text.encode()))

    def receive(self, timeout: float = 5.0) -> str:
        """The next message.  TimeoutError: there is none."""
        self.sip.settimeout(timeout)
        data, source = self.sip.recvfrom(65_536)
        self.passed.append((time.time(), (source[0], source[1]), self.address, data))
        return data.decode(errors="replace")

    def call(self, to: Address, offer: str | None = None, user: str = "room") -> PeerCall:
        """Start a call: send the INVITE, return without waiting."""
        call = PeerCall(self, to, user)
        call.request("INVITE", self.offer if offer is None else offer)
        return call

    def options(self, to: Address) -> str:
        """Send OPTIONS and give the answer."""
        call = PeerCall(self, to)
        call.request("OPTIONS")
        return call.final()

    def answer(self, request: str, status: str, body: str = "", to_tag: str = "") -> None:
        """Answer a request that it received."""
        copied = [line for line in request.split("\r\n") if line.split(":")[0] in ("Via", "From", "Call-ID", "CSeq")]
        to = next(line for line in request.split("\r\n") if line.startswith("To:"))
        lines = [
            f"SIP/2.0 {status}",
            *copied,
            to + (f";tag={to_tag}" if to_tag else ""),
            f"Contact: <sip:peer@{self.authority}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body.encode())}",
        ]
        via = next(line for line in copied if line.startswith("Via:"))
        host, _, port = re.sub(r"^Via: *\S+ ([^;]+).*", r"\1", via).rpartition(":")
        self.send((host.strip("[]"), int(port)), "\r\n".join([*lines, "", body]))

    # Media

    def _run(self) -> None:
        while not self._stop.is_set():
            for ready in select.select(self.media, [], [], 0.1)[0]:
                data, source = ready.recvfrom(2048)
                here = ready.getsockname()[:2]
                self.passed.append((time.time(), source[:2], here, data))
                if self.mirrored and len(data) > 12 and not 192 <= data[1] <= 223:  # RFC 5761 4: those are RTCP
                    back = data[:8] + struct.pack("!I", 0x5EEDBEEF) + data[12:]
                    ready.sendto(back, source)
                    self.passed.append((time.time(), here, source[:2], back))

    def rtp_payload_types(self) -> dict[int, int]:
        """How many RTP packets of each payload type the far end sent."""
        own = {open_socket.getsockname()[:2] for open_socket in self.media}
        counts: dict[int, int] = {}
        for _, source, to, data in list(self.passed):
            if to in own and source not in own and data[:1] >= b"\x80" and not 192 <= data[1] <= 223:
                counts[data[1] & 0x7F] = counts.get(data[1] & 0x7F, 0) + 1
        return counts

    def received_sound(self, since: float) -> array.array[int]:
        """The samples, 8 kHz, of all PCMU (G.711) that came since this time (CLOCK_REALTIME)."""
        return array.array("h", [_PCMU[octet] for data in self._sound(since) for octet in data[12:]])

    def sound_timestamps(self) -> list[int]:
        """The RTP timestamps of all PCMU that came."""
        return [int.from_bytes(data[4:8], "big") for data in self._sound(0)]

    def _sound(self, since: float) -> list[bytes]:
        own = {open_socket.getsockname()[:2] for open_socket in self.media}
        return [
            data
            for when, source, to, data in list(self.passed)
            if when >= since and to in own and source not in own and data[:1] == b"\x80" and data[1] & 0x7F == 0
        ]

    def write_capture(self, path: Path) -> Path:
        """Write all that passed as a pcap file of raw IP packets."""
        with path.open("wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101))  # LINKTYPE_RAW
            for when, source, to, data in sorted(self.passed, key=lambda passed: passed[0]):
                packet = _ip_packet(source, to, data)
                seconds, fraction = divmod(when, 1)
                file.write(struct.pack("<IIII", int(seconds), int(fraction * 1e6), len(packet), len(packet)) + packet)
        return path


class PeerCall:
    """One dialog that a peer began."""

    def __init__(self, peer: Peer, to: Address, user: str = "room") -> None:
        self.peer, self.to = peer, to
        host = f"[{to[0]}]" if ":" in to[0] else to[0]
        self._own = peer.authority
        self.target = f"sip:{user}@{host}:{to[1]}"
        self.call_id = secrets.token_hex(8)
        self.from_ = f"<sip:peer@{self._own}>;tag={secrets.token_hex(4)}"
        self.remote = f"<{self.target}>"
        self.sequence = 0
        self.branch = ""
        self.sent_at = 0.0
        """When the last request went out, CLOCK_MONOTONIC."""

    def request(self, method: str, body: str = "") -> None:
        """Send a request of this dialog; for ACK to a 2xx and CANCEL too."""
        if method not in ("ACK", "CANCEL"):
            self.sequence += 1
        if method != "CANCEL":
            self.branch = f"z9hG4bK{secrets.token_hex(8)}"
        lines = [
            f"{method} {self.target} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._own};branch={self.branch};rport",
            "Max-Forwards: 70",
            f"From: {self.from_}",
            f"To: {self.remote}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.sequence} {method}",
            f"Contact: <sip:peer@{self._own}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body.encode())}",
        ]
        self.sent_at = time.monotonic()
        self.peer.send(self.to, "\r\n".join([*lines, "", body]))

    def final(self, timeout: float = 10.0) -> str:
        """Wait for the final response to the last request; what else arrives is passed over."""
        deadline = time.monotonic() + timeout
        while True:
            text = self.peer.receive(deadline - time.monotonic())
            status = re.match(r"SIP/2\.0 ([2-6]\d\d) ", text)
            if status and f"\r\nCSeq: {self.sequence} " in text and self.call_id in text:
                break
        if tag := re.search(r"^To:.*$", text, re.MULTILINE):
            self.remote = tag[0].removeprefix("To:").strip()
        if contact := re.search(r"^Contact: *<([^>]*)>", text, re.MULTILINE):
            self.target = contact[1]
        return text

    def established(self) -> str:
        """Wait for the 200 to the INVITE, acknowledge it, and give it."""
        text = self.final()
        assert text.startswith("SIP/2.0 200"), text
        self.request("ACK")
        return text

    def end(self) -> None:
        """Send BYE and wait for its answer."""
        self.request("BYE")
        answer = self.final()
        assert answer.startswith("SIP/2.0 200"), answer


def _bound(family: int, address: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.bind((address, port))
    return made


def _media_sockets(family: int, address: str) -> list[socket.socket]:
    """Two pairs of RTP (even port) and RTCP (the next)."""
    sockets: list[socket.socket] = []
    while len(sockets) < 4:
        rtp = _bound(family, address, 0)
        port = rtp.getsockname()[1]
        try:
            assert port % 2 == 0
            sockets += [rtp, _bound(family, address, port + 1)]
        except (AssertionError, OSError):
            rtp.close()
    return sockets


def _ip_packet(source: Address, to: Address, data: bytes) -> bytes:
    """Wrap a datagram in UDP and IP headers, without a UDP checksum (IPv6: with one that no reader checks)."""
    udp = struct.pack("!HHHH", source[1], to[1], 8 + len(data), 0) + data
    if ":" in source[0]:
        addresses = socket.inet_pton(socket.AF_INET6, source[0]) + socket.inet_pton(socket.AF_INET6, to[0])
        return struct.pack("!IHBB", 0x6000_0000, len(udp), 17, 64) + addresses + udp
    addresses = socket.inet_aton(source[0]) + socket.inet_aton(to[0])
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses + udp
