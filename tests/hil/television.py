"""The television behind the HDMI cable: the kernel's vivid, whose HDMI output is wired to its own input, and v4l-utils'
``cec-follower``, which plays a television there."""

from __future__ import annotations

import fcntl
import os
import subprocess
import threading
import time
from ctypes import c_uint32
from pathlib import Path

from hil.driver import load, unload
from hil.waiting import wait_for
from hil.webcam import Webcam

from board.pi import cec
from board.pi.cec_adapter import adapter_name

_PARAMETERS = (
    *("n_devs=1", "node_types=0x101", "num_inputs=1", "input_types=3", "num_outputs=1", "output_types=1"),
    *("vid_cap_nr=30", "vid_out_nr=31"),
)
_CAPTURE = "/dev/video30"
_MONITOR = 0xE0
"""CEC_MODE_MONITOR."""


class CecTelevision:
    """A television with one input, and the unit plugged into it.  A context manager."""

    def __enter__(self) -> CecTelevision:
        self._webcam_was_there = Webcam.node.exists()
        if self._webcam_was_there:
            unload("vivid")
        load("vivid", *_PARAMETERS)
        assert wait_for(lambda: len(list(Path("/dev").glob("cec*"))) == 2)
        names = {adapter_name(str(node)): str(node) for node in Path("/dev").glob("cec*")}
        self.node = next(node for name, node in names.items() if "vid-cap" in name)
        self.unit_node = next(node for name, node in names.items() if "vid-out" in name)
        _run("v4l2-ctl", "-d", _CAPTURE, "--set-edid=type=hdmi")
        self.plug()
        self.tell("--tv", "--osd-name=Television")
        self.log: list[str] = []
        """What was said on the wire and has not been asked for yet, in hexadecimal."""
        self._monitor = os.open(self.node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(self._monitor, cec.S_MODE, c_uint32(_MONITOR))
        self._closing = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._follower: subprocess.Popen[bytes] | None = None
        self.switch_on()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_follower()
        self._closing.set()
        self._listener.join()
        os.close(self._monitor)
        assert wait_for(self._removed)
        if self._webcam_was_there:
            Webcam().plug()

    def switch_on(self) -> None:
        """Let it be as it is when it was just switched on."""
        self._stop_follower()
        self._follower = subprocess.Popen(["cec-follower", "-d", self.node], stdout=subprocess.DEVNULL)

    def plug(self) -> None:
        """Put the unit's cable in."""
        _run("v4l2-ctl", "-d", _CAPTURE, "-c", "hdmi_000_0_is_connected_to=2")

    def unplug(self) -> None:
        """Pull it out."""
        _run("v4l2-ctl", "-d", _CAPTURE, "-c", "hdmi_000_0_is_connected_to=0")

    def tell(self, *words: str) -> str:
        """Let the television say something, in the words of cec-ctl."""
        return _run("cec-ctl", "-d", self.node, *words)

    def ask(self, *words: str) -> str:
        """Have the television ask the unit something, and give what cec-ctl prints of the answer."""
        return self.tell("--to", self.unit_address(), *words)

    def unit_address(self) -> str:
        """The unit's logical address: a playback device's, not always the first, since both ends may speak at once."""
        return _run("cec-ctl", "-d", self.unit_node, "--skip-info", "--logical-address").strip()

    def heard(self) -> list[str]:
        """What the unit has said by its address since the last time, in hexadecimal from the destination on."""
        log, self.log = self.log, []
        return [line[1:] for line in log if line[0] not in "0f"]

    def hears(self, *messages: str, seconds: float = 15.0) -> bool:
        """Wait until the unit has said all these, in this order; whatever else in between."""
        heard: list[str] = []

        def complete() -> bool:
            heard.extend(self.heard())
            rest = iter(heard)
            return all(message in rest for message in messages)

        return wait_for(complete, seconds)

    def _listen(self) -> None:
        while not self._closing.is_set():
            message = cec.Message()
            try:
                fcntl.ioctl(self._monitor, cec.RECEIVE, message)
            except BlockingIOError:
                time.sleep(0.01)
                continue
            if message.len > 1:
                self.log.append(bytes(message.msg[: message.len]).hex())

    def _stop_follower(self) -> None:
        if self._follower is not None:
            self._follower.terminate()
            self._follower.wait(10)
            self._follower = None

    def _removed(self) -> bool:
        try:
            unload("vivid")
        except subprocess.CalledProcessError:
            return False
        return True


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=30).stdout
