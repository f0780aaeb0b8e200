"""H.261 and H.263 with programs that are not ours, and from unit to unit: the card's counter is read at the far end."""

from __future__ import annotations

import itertools
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from card_pictures import counters, encode
from interop.conftest import FAR_LABEL
from interop.footage import write_card
from interop.peer import Peer
from interop.ports import free_ports
from interop.unit import CARD_LABEL, Unit
from interop.waiting import until
from PIL import Image

from board.sim.counter import read_counter
from firmware.call.media import H261, H263, H263_1998, Codec
from firmware.media.codecs import VIDEO_CODECS
from firmware.rtp.packet import Packet
from firmware.rtp.picture import Depacketizer

WIDTH, HEIGHT = 352, 288
RATE = 30


@dataclass(frozen=True)
class Old:
    """A codec of ours, and what FFmpeg calls it."""

    codec: Codec
    payload_type: int
    rtpmap: str = ""
    encoder: tuple[str, ...] = ()


CODECS = {
    "H.263 RFC 4629": Old(H263_1998, 96, "a=rtpmap:96 H263-1998/90000\n", ("-c:v", "h263p")),
    "H.263 RFC 2190": Old(H263, 34, "", ("-c:v", "h263", "-mb_info", "1000", "-ps", "1", "-rtpflags", "rfc2190")),
    "H.261": Old(H261, 31, "", ("-c:v", "h261", "-strict", "experimental")),
}


@pytest.fixture(params=CODECS)
def old(request: pytest.FixtureRequest) -> Old:
    return CODECS[request.param]


def test_ffmpeg_shows_what_we_send(old: Old, program: Callable[[str], str], tmp_path: Path) -> None:
    port = free_ports(2).start
    description = tmp_path / "stream.sdp"
    description.write_text(
        "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n"
        f"m=video {port} RTP/AVP {old.payload_type}\n{old.rtpmap}"
    )
    command = [program("ffmpeg"), "-v", "warning", "-protocol_whitelist", "file,udp,rtp", "-analyzeduration", "1000000"]
    command += ["-buffer_size", "1000000"]
    command += ["-i", str(description), "-frames:v", "40", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    stop = threading.Event()
    # More than a packet holds in a group of blocks: boundaries of macroblocks are needed.
    pictures = encode(old.codec.name, WIDTH, HEIGHT, 2_000_000, 150, key_frames=range(0, 150, 30))

    def send() -> None:
        sequence = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for number, picture in enumerate(pictures):
                payloads = VIDEO_CODECS[old.codec.name].packetize(picture.data, old.codec, picture.hints)
                for payload in payloads:
                    packet = Packet(old.payload_type, payload is payloads[-1], sequence, number * 3_000, 7, payload)
                    sock.sendto(packet.encode(), ("127.0.0.1", port))
                    sequence += 1
                    if sequence % 8 == 0:
                        time.sleep(0.001)  # as a unit spreads them
                if stop.wait(1 / RATE):
                    return

    sender = threading.Thread(target=send)
    sender.start()
    try:
        shown, said = process.communicate(timeout=30)
    finally:
        stop.set()
        sender.join()
        process.kill()
    size = WIDTH * HEIGHT
    frames = [Image.frombytes("L", (WIDTH, HEIGHT), shown[at : at + size]) for at in range(0, len(shown), size)]
    numbers = [number for frame in frames if (number := read_counter(frame)) is not None]
    assert len(numbers) == len(frames) == 40, said.decode()
    assert {later - before for before, later in itertools.pairwise(numbers)} <= {0, 1}
    assert b"rror" not in said, said.decode()


def test_we_show_what_ffmpeg_sends(old: Old, program: Callable[[str], str], tmp_path: Path) -> None:
    film = write_card(tmp_path / "card.mp4", FAR_LABEL, 3, 640, 480)
    depacketizer = VIDEO_CODECS[old.codec.name].depacketizer()
    assert isinstance(depacketizer, Depacketizer)
    pictures: list[bytes] = []
    keys: list[bool] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(3)
        target = f"rtp://127.0.0.1:{sock.getsockname()[1]}?pkt_size=1200"
        command = [program("ffmpeg"), "-v", "warning", "-re", "-i", str(film), "-an", "-s", f"{WIDTH}x{HEIGHT}"]
        command += ["-b:v", "1500k", "-g", "30", *old.encoder, "-payload_type", str(old.payload_type)]
        process = subprocess.Popen([*command, "-f", "rtp", target], stdout=subprocess.DEVNULL)
        try:
            while len(pictures) < 80:
                for picture in depacketizer.receive(Packet.decode(sock.recv(2048))):
                    assert not picture.damaged
                    pictures.append(picture.data)
                    keys.append(picture.key_frame)
        finally:
            process.kill()
            process.wait()
    assert depacketizer.refused == 0
    assert [number for number, key in enumerate(keys) if key] == [0, 30, 60]
    numbers = counters(VIDEO_CODECS[old.codec.name].decoder, pictures)
    assert numbers == list(range(len(pictures)))


CALLS = [
    ("h323_url", "H263", "H263-1998", (704, 576)),
    ("h323_url", "H261", "H261", (352, 288)),
    ("uri", "H263", "H263-1998", (704, 576)),
    ("uri", "H261", "H261", (352, 288)),
]


@pytest.mark.parametrize(("url", "setting", "codec", "size"), CALLS, ids=["-".join(call[:2]) for call in CALLS])
def test_a_call_with_nothing_else(url: str, setting: str, codec: str, size: tuple[int, int], tmp_path: Path) -> None:
    media: dict[str, object] = {"codecs": ["PCMU", setting], "frame_rate": 15, "bitrate": 1_064_000}
    far: dict[str, dict[str, object]] = {"media": media, "board.sim": {"camera_label": FAR_LABEL}}
    with Unit(tmp_path / "near", {"media": media}) as near, Unit(tmp_path / "far", far, tone=880) as there:
        call = near.dial(getattr(there, url))
        near.wait_for_call()
        numbers = {near: call, there: there.wait_for_call()}
        for unit, label in ((near, FAR_LABEL), (there, CARD_LABEL)):
            first: list[int | None] = []
            assert until(lambda u=unit, n=label, f=first: f.append(u.counter(n)) or f[-1] is not None)  # type: ignore[misc]
            assert until(lambda u=unit, n=label, f=first: (u.counter(n) or 0) > (f[-1] or 0) + 15)  # type: ignore[misc]
            picture = unit.streams(numbers[unit])["video", "receive"]
            assert (picture["codec"], picture["width"], picture["height"]) == (codec, *size)
            assert picture["lost"] == 0
        near.command(call, "hang_up")
        there.wait_for_idle()


@pytest.mark.parametrize(("payload_type", "name"), [(34, "H263"), (31, "H261")])
def test_an_old_terminal_that_offers_a_static_type(payload_type: int, name: str, answering: Unit) -> None:
    """It knows no feedback and sends back what it gets: the unit shows its own pictures."""
    with Peer("127.0.0.1", "AVP") as peer:
        offer = re.sub(r"RTP/AVP 96 97\r\n.*", f"RTP/AVP {payload_type}\r\n", peer.offer, flags=re.DOTALL)
        call = peer.call(answering.sip, f"{offer}a=fmtp:{payload_type} CIF=2;QCIF=1\r\n")
        answer = call.established()
        assert re.search(rf"m=video \d+ RTP/AVP {payload_type}\r\n", answer)
        assert f"a=fmtp:{payload_type} CIF=2;QCIF=1\r\n" in answer
        number = answering.wait_for_call()
        receiving = ("video", "receive")
        assert until(lambda: answering.streams(number).get(receiving, {"frame_rate": 0})["frame_rate"] > 5)
        received = answering.streams(number)["video", "receive"]
        assert (received["codec"], received["lost"]) == (name, 0)
        assert peer.rtp_payload_types()[payload_type] > 10
        call.end()
