"""The part of the kernel's CEC interface (<linux/cec.h>) that a playback device needs.

The structures are the kernel's, with its names for what is in them, and so are the constants, without their CEC_.
"""

from __future__ import annotations

from ctypes import Structure, Union, c_char, c_uint8, c_uint16, c_uint32, c_uint64, sizeof

CAP_LOG_ADDRS, CAP_TRANSMIT = 0x2, 0x4
MODE_INITIATOR, MODE_EXCL_FOLLOWER = 0x01, 0x20
LOG_ADDR_INVALID = 0xFF
LOG_ADDR_TYPE_PLAYBACK = 3
VENDOR_ID_NONE = 0xFFFF_FFFF
OP_CEC_VERSION_1_4 = 5
OP_PRIM_DEVTYPE_PLAYBACK = 4
OP_ALL_DEVTYPE_PLAYBACK = 0x10
TX_STATUS_OK = 0x1
RX_STATUS_OK = 0x1
EVENT_STATE_CHANGE = 1
CONNECTOR_TYPE_DRM = 1
MAX_OSD_NAME = 14
"""Bytes."""


class Capabilities(Structure):
    """struct cec_caps."""

    _fields_ = (
        *(("driver", c_char * 32), ("name", c_char * 32)),
        *(("available_log_addrs", c_uint32), ("capabilities", c_uint32), ("version", c_uint32)),
    )


class LogicalAddresses(Structure):
    """struct cec_log_addrs."""

    _fields_ = (
        *(("log_addr", c_uint8 * 4), ("log_addr_mask", c_uint16), ("cec_version", c_uint8)),
        *(("num_log_addrs", c_uint8), ("vendor_id", c_uint32), ("flags", c_uint32), ("osd_name", c_char * 15)),
        *(("primary_device_type", c_uint8 * 4), ("log_addr_type", c_uint8 * 4), ("all_device_types", c_uint8 * 4)),
        ("features", c_uint8 * 48),
    )


class Message(Structure):
    """struct cec_msg."""

    _fields_ = (
        *(("tx_ts", c_uint64), ("rx_ts", c_uint64)),
        *((name, c_uint32) for name in ("len", "timeout", "sequence", "flags")),
        ("msg", c_uint8 * 16),
        *((name, c_uint8) for name in ("reply", "rx_status", "tx_status", "tx_arb_lost_cnt", "tx_nack_cnt")),
        *((name, c_uint8) for name in ("tx_low_drive_cnt", "tx_error_cnt")),
    )


class ConnectorInfo(Structure):
    """struct cec_connector_info, whose connector is one of DRM."""

    _fields_ = (("type", c_uint32), ("card_no", c_uint32), ("connector_id", c_uint32), ("rest", c_uint32 * 14))


class StateChange(Structure):
    """struct cec_event_state_change."""

    _fields_ = (("phys_addr", c_uint16), ("log_addr_mask", c_uint16), ("have_conn_info", c_uint16))


class _AnyEvent(Union):
    _fields_ = (("state_change", StateChange), ("raw", c_uint32 * 16))


class Event(Structure):
    """struct cec_event."""

    _fields_ = (("ts", c_uint64), ("event", c_uint32), ("flags", c_uint32), ("u", _AnyEvent))


_READ, _WRITE = 2, 1


def _request(direction: int, number: int, argument: type[Structure] | type[c_uint16] | type[c_uint32]) -> int:
    """A request's number (<asm-generic/ioctl.h>)."""
    return direction << 30 | sizeof(argument) << 16 | ord("a") << 8 | number


ADAP_G_CAPS = _request(_READ | _WRITE, 0, Capabilities)
ADAP_G_PHYS_ADDR = _request(_READ, 1, c_uint16)
ADAP_G_LOG_ADDRS = _request(_READ, 3, LogicalAddresses)
ADAP_S_LOG_ADDRS = _request(_READ | _WRITE, 4, LogicalAddresses)
TRANSMIT, RECEIVE = (_request(_READ | _WRITE, number, Message) for number in (5, 6))
DQEVENT = _request(_READ | _WRITE, 7, Event)
S_MODE = _request(_WRITE, 9, c_uint32)
ADAP_G_CONNECTOR_INFO = _request(_READ, 10, ConnectorInfo)
