"""What marks packets have on the wire, as tshark captures it: signalling, sound and pictures, by IPv4 and IPv6."""

from __future__ import annotations

import subprocess
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from interop.conftest import SMALL
from interop.test_h323_units import start_pair

pytestmark = pytest.mark.interop

CS3, EF, AF41 = 24, 46, 34
SETTINGS = {"h323": {}, "media": {**SMALL, "encryption": "off"}}


class Capture:
    """A running tshark on loopback."""

    def __init__(self, tshark: str, path: Path) -> None:
        self._tshark, self._path = tshark, path
        self._process = subprocess.Popen(
            [tshark, "-q", "-i", "lo", "-w", str(path)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if "Capturing on" in line:
                time.sleep(1)  # it says so a moment before it does
                return
            if "permission" in line:
                self.end()
                pytest.skip("capturing takes root")
        self.end()
        raise AssertionError("tshark does not capture")

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stderr is not None
        self._process.stderr.close()

    def marks(self, field: str, *options: str) -> dict[str, set[int]]:
        """Give, by protocol, the marks of what was sent to these ports."""
        command = [self._tshark, "-r", str(self._path), *options, "-T", "fields"]
        command += ["-e", "_ws.col.Protocol", "-e", field, "-e", "rtp.p_type"]
        output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        found: defaultdict[str, set[int]] = defaultdict(set)
        for line in output.splitlines():
            protocol, mark, payload_type = [*line.split("\t"), "", ""][:3]
            if mark:
                name = f"RTP {payload_type}" if payload_type else protocol.split("/")[0]
                found[name].add(int(mark.split(",")[0]))
        return found


@pytest.mark.parametrize(("address", "field"), [("", "ip.dsfield.dscp"), ("::1", "ipv6.tclass.dscp")])
@pytest.mark.parametrize("protocol", ["SIP", "H.323"])
def test_marks(program: Callable[[str], str], tmp_path: Path, protocol: str, address: str, field: str) -> None:
    with ExitStack() as running:
        pair = start_pair(running, tmp_path, SETTINGS, **({"address": address} if address else {}))
        capture = Capture(program("tshark"), tmp_path / "wire.pcapng")
        try:
            caller, callee = pair.units
            call = caller.dial(callee.uri if protocol == "SIP" else callee.h323_url)
            callee.wait_for_call()
            time.sleep(3)
            caller.command(call, "hang_up")
            pair.wait_for_idle()
        finally:
            capture.end()
        mine = " or ".join(
            f"(ip.addr == {unit.address})" if not address else f"(ipv6.addr == {address})" for unit in pair.units
        )
        ports = [option for unit in pair.units for option in ("-d", f"tcp.port=={unit.h323_port},tpkt")]
        ports += [option for unit in pair.units for option in ("-d", f"udp.port=={unit.sip_port},sip")]
        # What belongs to nothing that is signalled in the capture is RTP by its looks.
        heuristics = ("--enable-heuristic", "rtp_udp", "--enable-heuristic", "rtcp_udp")
        found = capture.marks(field, "-Y", f"({mine}) and not tcp.port == 80", *ports, *heuristics)
    media = [marks for name, marks in found.items() if name.startswith("RTP ")]
    assert sorted(media, key=max) == [{AF41}, {EF}], found
    assert found["RTCP"] == {EF, AF41}, found
    assert found["SIP" if protocol == "SIP" else "TPKT"] == {CS3}, found
