"""The part of the kernel's video interface (V4L2, <linux/videodev2.h>) that cameras, encoders and decoders need.

The structures are the kernel's, with its names for what is in them, and so are the constants, without their V4L2_.
Written here because the header as PyPI has it (videodev2) costs 14 MB and gets the size of ENCODER_CMD wrong.
"""

from __future__ import annotations

from ctypes import (
    POINTER,
    Structure,
    Union,
    c_char,
    c_int,
    c_int32,
    c_long,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    c_ulong,
    c_void_p,
    sizeof,
)

# enum v4l2_buf_type, enum v4l2_memory
VIDEO_CAPTURE, VIDEO_OUTPUT, VIDEO_CAPTURE_MPLANE, VIDEO_OUTPUT_MPLANE = 1, 2, 9, 10
MEMORY_MMAP, MEMORY_DMABUF = 1, 4
# capabilities
CAP_VIDEO_CAPTURE, CAP_VIDEO_M2M_MPLANE, CAP_STREAMING, CAP_IO_MC = 0x1, 0x4000, 0x0400_0000, 0x2000_0000
# flags of a buffer
BUF_FLAG_KEYFRAME, BUF_FLAG_ERROR, BUF_FLAG_LAST = 0x8, 0x40, 0x10_0000
FIELD_NONE = 1
COLORSPACE_SMPTE170M, QUANTIZATION_LIM_RANGE = 1, 2
SEL_TGT_CROP, SEL_TGT_COMPOSE = 0, 0x100
FRMSIZE_DISCRETE = FRMIVAL_DISCRETE = 1
ENC_CMD_STOP = 1
CTRL_FLAG_DISABLED, CTRL_FLAG_READ_ONLY = 0x1, 0x4
EVENT_SOURCE_CHANGE = 5


def fourcc(code: str) -> int:
    """A pixel format's number."""
    return int.from_bytes(code.encode(), "little")


def fourcc_text(number: int) -> str:
    """A pixel format's four letters."""
    return number.to_bytes(4, "little").decode("ascii", "replace").rstrip()


class Capability(Structure):
    """struct v4l2_capability."""

    _fields_ = (
        *(("driver", c_char * 16), ("card", c_char * 32), ("bus_info", c_char * 32), ("version", c_uint32)),
        *(("capabilities", c_uint32), ("device_caps", c_uint32), ("reserved", c_uint32 * 3)),
    )


class Rational(Structure):
    """struct v4l2_fract."""

    _fields_ = (("numerator", c_uint32), ("denominator", c_uint32))


class FormatDescription(Structure):
    """struct v4l2_fmtdesc."""

    _fields_ = (
        *(("index", c_uint32), ("type", c_uint32), ("flags", c_uint32), ("description", c_char * 32)),
        *(("pixelformat", c_uint32), ("mbus_code", c_uint32), ("reserved", c_uint32 * 3)),
    )


class PixelFormat(Structure):
    """struct v4l2_pix_format."""

    _fields_ = tuple(
        (name, c_uint32)
        for name in (
            *("width", "height", "pixelformat", "field", "bytesperline", "sizeimage", "colorspace", "priv", "flags"),
            *("ycbcr_enc", "quantization", "xfer_func"),
        )
    )


class PlaneFormat(Structure):
    """struct v4l2_plane_pix_format."""

    _fields_ = (("sizeimage", c_uint32), ("bytesperline", c_uint32), ("reserved", c_uint16 * 6))


class MultiplanarFormat(Structure):
    """struct v4l2_pix_format_mplane."""

    _fields_ = (
        *((name, c_uint32) for name in ("width", "height", "pixelformat", "field", "colorspace")),
        ("plane_fmt", PlaneFormat * 8),
        *((name, c_uint8) for name in ("num_planes", "flags", "ycbcr_enc", "quantization", "xfer_func")),
        ("reserved", c_uint8 * 7),
    )


class _AnyFormat(Union):
    _fields_ = (
        *(("pix", PixelFormat), ("pix_mp", MultiplanarFormat), ("raw_data", c_uint8 * 200)),
        ("alignment", c_void_p),  # struct v4l2_window begins so
    )


class Format(Structure):
    """struct v4l2_format."""

    _fields_ = (("type", c_uint32), ("fmt", _AnyFormat))


class RequestBuffers(Structure):
    """struct v4l2_requestbuffers."""

    _fields_ = (
        *((name, c_uint32) for name in ("count", "type", "memory", "capabilities")),
        *(("flags", c_uint8), ("reserved", c_uint8 * 3)),
    )


class _PlaneMemory(Union):
    _fields_ = (("mem_offset", c_uint32), ("userptr", c_ulong), ("fd", c_int32))


class Plane(Structure):
    """struct v4l2_plane."""

    _fields_ = (
        *(("bytesused", c_uint32), ("length", c_uint32), ("m", _PlaneMemory)),
        *(("data_offset", c_uint32), ("reserved", c_uint32 * 11)),
    )


class _TimeValue(Structure):
    _fields_ = (("tv_sec", c_long), ("tv_usec", c_long))


class _BufferMemory(Union):
    _fields_ = (("offset", c_uint32), ("userptr", c_ulong), ("planes", POINTER(Plane)), ("fd", c_int32))


class Buffer(Structure):
    """struct v4l2_buffer."""

    _fields_ = (
        *((name, c_uint32) for name in ("index", "type", "bytesused", "flags", "field")),
        *(("timestamp", _TimeValue), ("timecode", c_uint32 * 4), ("sequence", c_uint32), ("memory", c_uint32)),
        *(("m", _BufferMemory), ("length", c_uint32), ("reserved2", c_uint32), ("request_fd", c_int32)),
    )


class Control(Structure):
    """struct v4l2_control."""

    _fields_ = (("id", c_uint32), ("value", c_int32))


class ControlDescription(Structure):
    """struct v4l2_queryctrl."""

    _fields_ = (
        *(("id", c_uint32), ("type", c_uint32), ("name", c_char * 32)),
        *((name, c_int32) for name in ("minimum", "maximum", "step", "default_value")),
        *(("flags", c_uint32), ("reserved", c_uint32 * 2)),
    )


class StreamParameters(Structure):
    """struct v4l2_streamparm, whose capture and output differ in nothing that is used here."""

    _fields_ = (
        *(("type", c_uint32), ("capability", c_uint32), ("mode", c_uint32), ("timeperframe", Rational)),
        ("rest", c_uint8 * 184),
    )


class _Rectangle(Structure):
    _fields_ = (("left", c_int32), ("top", c_int32), ("width", c_uint32), ("height", c_uint32))


class Selection(Structure):
    """struct v4l2_selection."""

    _fields_ = (
        *(("type", c_uint32), ("target", c_uint32), ("flags", c_uint32)),
        *(("r", _Rectangle), ("reserved", c_uint32 * 9)),
    )


class FrameSize(Structure):
    """struct v4l2_frmsizeenum: ``size`` is width and height, or minimum, maximum and step of each."""

    _fields_ = (
        *(("index", c_uint32), ("pixel_format", c_uint32), ("type", c_uint32)),
        *(("size", c_uint32 * 6), ("reserved", c_uint32 * 2)),
    )


class FrameInterval(Structure):
    """struct v4l2_frmivalenum: ``interval`` is one, or minimum, maximum and step."""

    _fields_ = (
        *((name, c_uint32) for name in ("index", "pixel_format", "width", "height", "type")),
        *(("interval", Rational * 3), ("reserved", c_uint32 * 2)),
    )


class EncoderCommand(Structure):
    """struct v4l2_encoder_cmd."""

    _fields_ = (("cmd", c_uint32), ("flags", c_uint32), ("raw", c_uint32 * 8))


class EventSubscription(Structure):
    """struct v4l2_event_subscription."""

    _fields_ = (("type", c_uint32), ("id", c_uint32), ("flags", c_uint32), ("reserved", c_uint32 * 5))


class Event(Structure):
    """struct v4l2_event; ``data`` is a union of what each type tells."""

    _fields_ = (
        *(("type", c_uint32), ("data", c_uint64 * 8), ("pending", c_uint32), ("sequence", c_uint32)),
        *(("timestamp", c_long * 2), ("id", c_uint32), ("reserved", c_uint32 * 8)),
    )


_READ, _WRITE = 2, 1


def _request(direction: int, number: int, argument: type[Structure] | type[c_int]) -> int:
    """A request's number (<asm-generic/ioctl.h>)."""
    return direction << 30 | sizeof(argument) << 16 | ord("V") << 8 | number


QUERYCAP = _request(_READ, 0, Capability)
ENUM_FMT = _request(_READ | _WRITE, 2, FormatDescription)
G_FMT, S_FMT = (_request(_READ | _WRITE, number, Format) for number in (4, 5))
REQBUFS = _request(_READ | _WRITE, 8, RequestBuffers)
QUERYBUF, QBUF, DQBUF = (_request(_READ | _WRITE, number, Buffer) for number in (9, 15, 17))
STREAMON, STREAMOFF = (_request(_WRITE, number, c_int) for number in (18, 19))
S_PARM = _request(_READ | _WRITE, 22, StreamParameters)
G_CTRL, S_CTRL = (_request(_READ | _WRITE, number, Control) for number in (27, 28))
QUERYCTRL = _request(_READ | _WRITE, 36, ControlDescription)
ENUM_FRAMESIZES = _request(_READ | _WRITE, 74, FrameSize)
ENUM_FRAMEINTERVALS = _request(_READ | _WRITE, 75, FrameInterval)
ENCODER_CMD = _request(_READ | _WRITE, 77, EncoderCommand)
DQEVENT = _request(_READ, 89, Event)
SUBSCRIBE_EVENT = _request(_WRITE, 90, EventSubscription)
G_SELECTION, S_SELECTION = (_request(_READ | _WRITE, number, Selection) for number in (94, 95))
