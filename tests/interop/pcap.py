"""Capture files (pcap) of raw IP packets, written from what a virtual network carried, and read with tshark."""

from __future__ import annotations

import ipaddress
import struct
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from firmware.sansio import Address, Flow

MALFORMED, WARNING = 0x0700_0000, 0x0060_0000
"""tshark's PI_MALFORMED and PI_WARN."""
MARKED = f"_ws.malformed || _ws.expert.group == {MALFORMED} || _ws.expert.severity >= {WARNING}"
"""A display filter: whatever tshark says is wrong."""
LINKTYPE_RAW = 101
SEGMENT = 60_000
"""Octets of a stream in one packet at most."""


def write_streams(path: Path, sent: Iterable[tuple[float, Flow, bytes]]) -> Path:
    """Write what was sent on streams (`wire.Wire.sent`), each direction of each of them as half a connection."""
    ports: dict[Flow, int] = {}
    positions: dict[Flow, int] = {}

    def segments() -> Iterator[tuple[float, bytes]]:
        for at, flow, data in sent:
            source = flow.local
            if flow.number:  # ours: no port of its own is known
                source = (flow.local[0], ports.setdefault(flow, 49_152 + len(ports)))
            for start in range(0, len(data), SEGMENT):
                part = data[start : start + SEGMENT]
                yield at, _tcp_packet(source, flow.remote, positions.setdefault(flow, 1), part)
                positions[flow] += len(part)

    return _write(path, segments())


def write_datagrams(path: Path, datagrams: Iterable[tuple[int, bytes]]) -> Path:
    """Write datagrams, a second apart, each to this port."""
    return _write(path, ((number, _udp_packet(port, data)) for number, (port, data) in enumerate(datagrams)))


def _write(path: Path, packets: Iterable[tuple[float, bytes]]) -> Path:
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, LINKTYPE_RAW))
        for at, packet in packets:
            file.write(struct.pack("<IIII", int(at), int(at % 1 * 1e6), len(packet), len(packet)) + packet)
    return path


# Checksums are left out; tshark is told not to look at them.


def _tcp_packet(source: Address, to: Address, sequence: int, data: bytes) -> bytes:
    tcp = struct.pack(">HHIIBBHHH", source[1], to[1], sequence, 1, 0x50, 0x18, 65_535, 0, 0) + data
    return _ip_packet(6, source[0], to[0], tcp)


def _udp_packet(port: int, data: bytes) -> bytes:
    return _ip_packet(17, "192.0.2.1", "192.0.2.2", struct.pack(">HHHH", port, port, 8 + len(data), 0) + data)


def _ip_packet(protocol: int, source: str, to: str, data: bytes) -> bytes:
    ips = [ipaddress.ip_address(host).packed for host in (source, to)]
    if len(ips[0]) == 16:
        return struct.pack(">IHBB", 0x6000_0000, len(data), protocol, 64) + b"".join(ips) + data
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), 0, 0, 64, protocol, 0) + b"".join(ips) + data


class Dissection:
    """A capture as tshark sees it; *options* are more of its arguments (``-d``, ``-o``)."""

    def __init__(self, tshark: str, path: Path, options: Iterable[str]) -> None:
        self._command = [tshark, "-r", str(path), "-o", "tcp.check_checksum:FALSE", *options]

    def lines(self, wanted: str, *fields: str) -> list[list[str]]:
        """The packets that a display filter selects, as the values of these fields."""
        shown = [word for field in fields for word in ("-e", field)]
        arguments = [*self._command, "-Y", wanted, "-T", "fields", *shown]
        output = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=120).stdout
        return [line.split("\t") for line in output.splitlines()]

    def values(self, field: str) -> set[str]:
        """All that a field was."""
        return {value for line in self.lines(field, field) for value in line[0].split(",")}
