"""Commands and reports pass the border unchanged."""

from __future__ import annotations

import msgspec
import pytest

from firmware.call.media import H264_BASELINE, TELEPHONE_EVENT, Channel, Direction, Feedback, Format, Kind
from firmware.media.message import (
    Alive,
    Apply,
    AudioTick,
    CameraView,
    ChannelFailed,
    Command,
    Configure,
    MoveCamera,
    PointCamera,
    Report,
    Screenshot,
    Show,
    Statistics,
    StreamStatistics,
)
from firmware.media.scene import FULL_SCREEN, FarEnd, Image, Scene, SelfView, Words

CHANNEL = Channel(
    Kind.VIDEO,
    Direction.SEND,
    (Format(97, H264_BASELINE), Format(101, TELEPHONE_EVENT)),
    ("::1", 4000),
    ("2001:db8::1", 6000),
    bitrate=768_000,
    feedback=frozenset({Feedback.PLI, Feedback.NACK}),
)
STREAM = StreamStatistics(Kind.AUDIO, Direction.RECEIVE, "opus", 32_000, 50, -1, 0.5, 0.001, None)
SCENE = Scene(
    (FarEnd("1", FULL_SCREEN), SelfView(FULL_SCREEN), Words("é", FULL_SCREEN), Image(b"\x89PNG", FULL_SCREEN))
)


@pytest.mark.parametrize(
    "command",
    [
        Configure(echo=True),
        Apply("1", (CHANNEL,)),
        Apply("1", ()),
        Show(SCENE),
        MoveCamera(-1.0, 0.0, 0.5, 0.3),
        PointCamera(None, 0.0, 1.0),
    ],
)
def test_a_command_arrives_as_it_was(command: Command) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(command), type=Command) == command


@pytest.mark.parametrize(
    "report",
    [
        Alive(),
        Statistics("1", (STREAM,)),
        AudioTick(0.0, 0.001, 0.1),
        ChannelFailed("1", Kind.VIDEO, Direction.SEND, "no"),
        Screenshot(3, b"\x00\xff"),
        CameraView(("pan", "zoom"), 0.5, None, 1.0),
    ],
)
def test_a_report_arrives_as_it_was(report: Report) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(report), type=Report) == report


def test_what_is_no_command_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode({"type": "Format disk"}), type=Command)
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode(Alive()), type=Command)
