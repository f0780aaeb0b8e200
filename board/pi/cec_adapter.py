"""A CEC adapter of this machine, by the kernel's interface, and which one is the room's.

Rule 1: nothing waits in the kernel but `CecAdapter.events`: addresses are claimed and messages sent in its background.
Rule 2: the kernel keeps the claim, and makes it anew by itself whenever another television is plugged in.
Rule 3: other programs may look on and send, but none answers in our place.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import unicodedata
from contextlib import suppress
from ctypes import Structure, c_uint16, c_uint32, memmove
from pathlib import Path

from board.cec.message import NO_ADDRESS
from board.cec.playback import is_source
from board.cec.television import Addresses, Event, Received, Sent
from board.pi import cec
from firmware.errors import DeviceError

DEV = Path("/dev")
DRM = Path("/sys/class/drm")

_MOST_AT_ONCE = 64
"""Messages, and events, that are taken at a time."""


class CecAdapters:
    """The adapters of this machine."""

    def __init__(self, wanted: str, name: str, display: str = "", dev: Path = DEV) -> None:
        self._wanted = wanted
        self._name = name
        self._display = display
        """The connector at which the room's screen is, or "": the first."""
        self._dev = dev

    def best(self) -> str:
        """The node of that which is wanted, or at which a television is plugged in, or else the first."""
        nodes = sorted(str(path) for path in self._dev.glob("cec[0-9]*"))
        nodes = [node for node in nodes if self._wanted in ("", node) or self._wanted in adapter_name(node)]
        if self._display:  # another connector's is another television
            nodes = [node for node in nodes if connector(node) in ("", self._display)]
        if not nodes:
            wanted = "".join(f" {word!r}" for word in (self._wanted, self._display) if word)
            raise DeviceError(f"there is no CEC adapter{wanted} here")
        return next((node for node in nodes if is_source(physical_address(node))), nodes[0])

    def open(self, which: str) -> CecAdapter:
        """Take it into use, under the room's name."""
        return CecAdapter(which, self._name)


class CecAdapter:
    """A `board.cec.television.Adapter`."""

    def __init__(self, node: str, name: str) -> None:
        self._node = node
        self._fd = _open(node)
        self._wake = -1
        try:
            capabilities = cec.Capabilities()
            self._ioctl(cec.ADAP_G_CAPS, capabilities)
            needed = cec.CAP_LOG_ADDRS | cec.CAP_TRANSMIT
            if capabilities.capabilities & needed != needed:
                raise DeviceError(f"{node} can't be given an address, or can't send")
            self._ioctl(cec.S_MODE, c_uint32(cec.MODE_INITIATOR | cec.MODE_EXCL_FOLLOWER))
            self._ioctl(cec.ADAP_S_LOG_ADDRS, cec.LogicalAddresses())  # whatever a program before us has left
            self._ioctl(cec.ADAP_S_LOG_ADDRS, playback_claim(name))
            self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        except OSError as error:  # DeviceError is one
            os.close(self._fd)
            if isinstance(error, DeviceError):
                raise
            raise DeviceError(f"{node} can't be used: {error.strerror}") from error
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN | select.POLLPRI)
        self._poll.register(self._wake, select.POLLIN)

    def events(self, timeout: float) -> list[Event]:
        """Wait, s, until something happens, and give it.  DeviceError: the adapter is gone."""
        ready = dict(self._poll.poll(max(0.0, timeout) * 1000))
        if self._wake in ready:
            with suppress(BlockingIOError):
                os.eventfd_read(self._wake)
        flags = ready.get(self._fd, 0)
        if flags & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
            raise DeviceError(f"{self._node} is gone")
        found: list[Event] = []
        if flags & select.POLLPRI:
            found += self._state_changes()
        if flags & select.POLLIN:
            found += self._received()
        return found

    def transmit(self, data: bytes) -> None:
        """Send a message by and by; one that finds too many before it, or its address just gone, is lost."""
        message = cec.Message(len=len(data))
        memmove(message.msg, data, len(data))
        try:
            self._try_ioctl(cec.TRANSMIT, message)
        except OSError as error:
            if error.errno == errno.ENODEV:
                raise DeviceError(f"{self._node} has failed: {error.strerror}") from error

    def interrupt(self) -> None:
        """Let `events` return."""
        with suppress(BlockingIOError):  # it has been told already
            os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Give the address back and close the node."""
        with suppress(OSError):
            self._try_ioctl(cec.ADAP_S_LOG_ADDRS, cec.LogicalAddresses())
        os.close(self._fd)
        os.close(self._wake)

    def _state_changes(self) -> list[Event]:
        """Where we are now, if that has changed; the kernel tells when, and this asks what."""
        changed = False
        for _ in range(_MOST_AT_ONCE):
            event = cec.Event()
            if not self._taken(cec.DQEVENT, event):
                break
            changed = changed or event.event == cec.EVENT_STATE_CHANGE
        if not changed:
            return []
        claimed = cec.LogicalAddresses()
        self._ioctl(cec.ADAP_G_LOG_ADDRS, claimed)
        physical = c_uint16()
        self._ioctl(cec.ADAP_G_PHYS_ADDR, physical)
        address = claimed.log_addr[0]
        ours = claimed.num_log_addrs > 0 and claimed.log_addr_mask and address != cec.LOG_ADDR_INVALID
        return [Addresses(address if ours else None, physical.value)]

    def _received(self) -> list[Event]:
        found: list[Event] = []
        for _ in range(_MOST_AT_ONCE):
            message = cec.Message()
            if not self._taken(cec.RECEIVE, message):
                break
            data = bytes(message.msg[: message.len])
            if message.tx_status:  # what became of a message of ours
                found.append(Sent(data, acknowledged=bool(message.tx_status & cec.TX_STATUS_OK)))
            elif message.rx_status & cec.RX_STATUS_OK:
                found.append(Received(data))
        return found

    def _taken(self, request: int, argument: Structure) -> bool:
        """Take what waits; False: nothing does."""
        try:
            self._try_ioctl(request, argument)
        except BlockingIOError:
            return False
        except OSError as error:
            raise DeviceError(f"{self._node} has failed: {error.strerror}") from error
        return True

    def _ioctl(self, request: int, argument: Structure | c_uint16 | c_uint32) -> None:
        try:
            self._try_ioctl(request, argument)
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise DeviceError(f"another program has {self._node}") from error
            raise DeviceError(f"{self._node} refuses request {request & 0xFF}: {error.strerror}") from error

    def _try_ioctl(self, request: int, argument: Structure | c_uint16 | c_uint32) -> None:
        fcntl.ioctl(self._fd, request, argument)


def playback_claim(name: str) -> cec.LogicalAddresses:
    """What is asked of the kernel: to be a playback device that the television calls by this name."""
    claim = cec.LogicalAddresses(
        cec_version=cec.OP_CEC_VERSION_1_4,
        num_log_addrs=1,
        vendor_id=cec.VENDOR_ID_NONE,
        osd_name=osd_name(name),
    )
    claim.primary_device_type[0] = cec.OP_PRIM_DEVTYPE_PLAYBACK
    claim.log_addr_type[0] = cec.LOG_ADDR_TYPE_PLAYBACK
    claim.all_device_types[0] = cec.OP_ALL_DEVTYPE_PLAYBACK
    return claim


def osd_name(name: str) -> bytes:
    """The name as televisions can write it: ASCII, at most 14 letters (CEC 13.11, [OSD Name])."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return plain.strip()[: cec.MAX_OSD_NAME].encode() or b"Visavis"


def adapter_name(node: str) -> str:
    """What the driver calls the adapter; "": it can't be asked."""
    capabilities = cec.Capabilities()
    asked = _asked(node, cec.ADAP_G_CAPS, capabilities)
    return bytes(capabilities.name).decode(errors="replace") if asked else ""


def connector(node: str, drm: Path = DRM) -> str:
    """Which connector of the screen it belongs to, ``HDMI-A-1`` say; "": the kernel doesn't tell."""
    info = cec.ConnectorInfo()
    if _asked(node, cec.ADAP_G_CONNECTOR_INFO, info) and info.type == cec.CONNECTOR_TYPE_DRM:
        return connector_name(info.card_no, info.connector_id, drm)
    return ""


def connector_name(card: int, number: int, drm: Path = DRM) -> str:
    """The name of a card's connector, by its number; "": there is none."""
    for path in drm.glob(f"card{card}-*/connector_id"):
        with suppress(OSError):
            if path.read_text().strip() == str(number):
                return path.parent.name.partition("-")[2]
    return ""


def physical_address(node: str) -> int:
    """Where the adapter is plugged in; NO_ADDRESS: nowhere, or it can't be asked."""
    physical = c_uint16(NO_ADDRESS)
    return int(physical.value) if _asked(node, cec.ADAP_G_PHYS_ADDR, physical) else NO_ADDRESS


def _asked(node: str, request: int, answer: Structure | c_uint16) -> bool:
    try:
        fd = _open(node)
    except DeviceError:
        return False
    try:
        fcntl.ioctl(fd, request, answer)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def _open(node: str) -> int:
    try:
        return os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise DeviceError(f"{node} can't be opened: {error.strerror}") from error
