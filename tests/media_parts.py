"""Parts that tests of the media are made of: a far end of bare sockets, pictures that can be told apart, a viewer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import av

from firmware.errors import DeviceError
from firmware.ports import AXES, View
from firmware.rtp.packet import Packet


class Peer:
    """A far end of bare sockets."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        while True:
            self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.rtp.bind((host, 0))
            self.address = self.rtp.getsockname()
            try:
                self.rtcp.bind((host, self.address[1] + 1))
                break
            except OSError:
                self.close()
        for sock in (self.rtp, self.rtcp):
            sock.settimeout(10)
        self.source = ("", 0)
        """Where the last packet came from."""

    def packet(self) -> Packet:
        data, self.source = self.rtp.recvfrom(2048)
        return Packet.decode(data)

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


def picture(number: int = 0, width: int = 320, height: int = 180) -> av.VideoFrame:
    """A grey picture whose brightness is the number, with a time."""
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, value in zip(frame.planes, (16 + number % 200, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    frame.time_base, frame.pts = Fraction(1, 90_000), 900_000 + number * 3_000
    return frame


def brightness(frame: av.VideoFrame) -> int:
    """The number of a picture, as near as the codec left it."""
    return bytes(frame.planes[0])[frame.planes[0].line_size * (frame.height // 2) + frame.width // 2] - 16


class Head:
    """What moves a camera; along *driven* by itself, which a test sees in *drives*."""

    axes = frozenset(AXES)

    def __init__(self, driven: tuple[str, ...] = ()) -> None:
        self.driven = frozenset(driven)
        self.view = View(0.0, 0.0, 0.0)
        self.views: list[View] = []
        """Those that it was told to go to."""
        self.drives: list[Mapping[str, float]] = []
        self.broken = False
        self.deaf = False
        self.refused: list[Mapping[str, float]] = []
        """Drives while it was deaf."""

    def go_to(self, view: View) -> None:
        if self.broken:
            raise DeviceError("it is stuck")
        self.views.append(view)
        self.view = replace(self.view, **{axis: stand for axis in AXES if (stand := getattr(view, axis)) is not None})

    def drive(self, speeds: Mapping[str, float]) -> None:
        if self.deaf:
            self.refused.append(dict(speeds))
            raise DeviceError("it hears nothing")
        self.drives.append(dict(speeds))


class Collector:
    """A Viewer that keeps what it sees."""

    def __init__(self) -> None:
        self.pictures: list[av.VideoFrame] = []
        self.opened = 0
        self.closed = 0
        self.takes_encoded = False
        self.thread = ""

    def picture(self, frame: av.VideoFrame) -> None:
        self.pictures.append(frame)
        self.thread = threading.current_thread().name

    def camera_opened(self, camera: object) -> bool:
        self.opened += 1
        return self.takes_encoded

    def camera_closed(self) -> None:
        self.closed += 1
