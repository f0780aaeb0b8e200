"""`board.pi.v4l2`: the kernel's layout."""

from ctypes import Structure, sizeof

import pytest

from board.pi import v4l2

LONG = sizeof(v4l2.c_long)


@pytest.mark.skipif(LONG != 8, reason="sizes of 64-bit machines")
@pytest.mark.parametrize(
    ("structure", "size"),
    [
        (v4l2.Capability, 104),
        (v4l2.FormatDescription, 64),
        (v4l2.Format, 208),
        (v4l2.PixelFormat, 48),
        (v4l2.MultiplanarFormat, 192),
        (v4l2.RequestBuffers, 20),
        (v4l2.Plane, 64),
        (v4l2.Buffer, 88),
        (v4l2.Control, 8),
        (v4l2.ControlDescription, 68),
        (v4l2.StreamParameters, 204),
        (v4l2.Selection, 64),
        (v4l2.FrameSize, 44),
        (v4l2.FrameInterval, 52),
        (v4l2.EncoderCommand, 40),
        (v4l2.EventSubscription, 32),
        (v4l2.Event, 136),
    ],
)
def test_sizes_are_the_kernels(structure: type[Structure], size: int) -> None:
    assert sizeof(structure) == size


def test_requests_are_numbered_as_the_kernel_does() -> None:
    assert v4l2.QUERYCAP == 0x8068_5600
    assert v4l2.REQBUFS == 0xC014_5608
    assert v4l2.STREAMON == 0x4004_5612
    assert v4l2.S_CTRL == 0xC008_561C
    assert v4l2.QUERYCTRL == 0xC044_5624
    assert v4l2.DQEVENT == 0x8088_5659
    assert v4l2.SUBSCRIBE_EVENT == 0x4020_565A
    assert v4l2.G_SELECTION == 0xC040_565E


def test_four_letters() -> None:
    assert v4l2.fourcc("YU12") == 0x3231_5559
    assert v4l2.fourcc_text(v4l2.fourcc("H264")) == "H264"
    assert v4l2.fourcc_text(v4l2.fourcc("Y16 ")) == "Y16"
