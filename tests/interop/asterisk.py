"""Asterisk as a far end: configured, started, commanded through its manager, and its ears read.

Pitfalls of version 16 and of its H.323, met and avoided here:

- It is run by the C library that it was unpacked with, and told where all else is: no root and no chroot.
- H.323 comes only from, and goes only to, IP addresses that its configuration names: `Settings.peer`.
- H.323 knows neither G.722 nor video, and is deaf to telephone events in RTP, though it offers and sends them.
- The first call by H.323 after its start may have call reference 0, one time in a hundred: none is left to chance.
- Its recorder writes what has been heard with a delay of up to a second.
"""

from __future__ import annotations

import array
import contextlib
import os
import subprocess
import time
from pathlib import Path

from interop import asterisk_configuration
from interop.asterisk_configuration import MANAGER_PORT, PORTS, RECORDED_RATE, Settings
from interop.asterisk_manager import Manager, Message
from interop.namespaces import Namespace, entered, inside
from interop.ports import own_address
from interop.process import end, memory_and_cpu
from interop.sound import read_samples, tone_share, write_tone


class Asterisk:
    """One Asterisk process.  Use as a context manager: inside, it takes calls.

    *root* is where it is unpacked, *folder* its configuration, log and recordings; *tone* Hz is what it plays.  It may
    run in a *namespace* of the network, at the address there.
    *technology* in what follows is a key of `PORTS`.
    """

    def __init__(
        self,
        root: Path,
        folder: Path,
        settings: Settings | None = None,
        *,
        address: str = "",
        tone: float = 440.0,
        namespace: Namespace | None = None,
    ) -> None:
        self.root = root
        self._namespace = namespace
        self.folder = folder
        self.settings = settings or Settings()
        self.address = address or (namespace.address if namespace is not None else own_address())
        self.tone = tone
        self._heard = 0

    def __enter__(self) -> Asterisk:
        self.folder.mkdir(parents=True, exist_ok=True)
        asterisk_configuration.write(self.folder, self.root, self.address, self.settings)
        write_tone(self.folder / "tone.wav", self.tone, 8_000, seconds=60)
        write_tone(self.folder / "tone.wav16", self.tone, 16_000, seconds=60)
        self._output = (self.folder / "output").open("wb")
        program = [*self._loader(), str(self.root / "usr/sbin/asterisk")]
        self.process = subprocess.Popen(
            inside(self._namespace, [*program, "-f", "-n", "-C", f"{self.folder}/asterisk.conf"]),
            cwd=self.folder,
            env={**os.environ, "OPENSSL_CONF": os.devnull},  # this machine's is for another OpenSSL
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        try:
            self.manager = self._connect()
        except BaseException:
            self._end()
            raise
        self.manager.act("Login", Username="test", Secret="test")
        self.manager.wait_for("FullyBooted")
        if self.settings.peer:
            self.outcome(self._originate("OOH323/nobody@nowhere", "tone"))
        return self

    def __exit__(self, *_: object) -> None:
        self.manager.close()
        self._end()

    def log(self) -> str:
        """What it has written down."""
        path = self.folder / "full"
        return (path if path.exists() else self.folder / "output").read_text(errors="replace")

    # Calls

    def target(self, technology: str, extension: str) -> str:
        """What another Asterisk is to `call` to reach an extension."""
        return extension if technology == "OOH323" else self.uri(technology, extension).removeprefix("sip:")

    def uri(self, technology: str, extension: str) -> str:
        """What to dial to reach an extension."""
        if technology == "OOH323":
            return f"h323:{extension}@{self.address}"
        return f"sip:{extension}@{self.address}:{PORTS[technology]}"

    def call(self, technology: str, target: str, *, then: str = "tone", by_gatekeeper: bool = False) -> str:
        """Call ``user@address:port`` by SIP, or an alias at `Settings.peer` by H.323; gives the call's number.

        When it is answered, it goes on as the extension *then* does.  *by_gatekeeper*: the alias is its to find.
        """
        if by_gatekeeper:
            return self._originate(f"{technology}/{target}", then)
        prefix, suffix = {"PJSIP": ("anonymous/sip:", ""), "SIP": ("", ""), "OOH323": ("", "@peer")}[technology]
        return self._originate(f"{technology}/{prefix}{target}{suffix}", then)

    def call_user(self, technology: str, user: str, *, then: str = "tone") -> str:
        """Call somebody of `Settings.users` who has registered by SIP; gives the call's number."""
        return self._originate(f"{technology}/{user}", then)

    def outcome(self, call: str, timeout: float = 10.0) -> str:
        """How a call of ours went: ``ANSWER``, ``BUSY``, ``CONGESTION``, ``NOANSWER``, ``CHANUNAVAIL``, ``CANCEL``."""
        return self.manager.wait_for("DialEnd", timeout, DestUniqueid=call)["DialStatus"]

    def wait_for_call(self, state: str = "Up", timeout: float = 10.0) -> str:
        """Wait until a call is in this state (``Up``, ``Ring``, ``Ringing``), and give its number."""
        deadline = time.monotonic() + timeout
        while True:
            channels = self.channels()
            for channel in channels:
                if channel["ChannelStateDesc"] == state:
                    return channel["Uniqueid"]
            if time.monotonic() > deadline:
                raise AssertionError(f"Asterisk has no call that is {state} but {channels}\n{self.log()[-4000:]}")
            time.sleep(0.02)

    def wait_for_idle(self, timeout: float = 10.0) -> None:
        """Wait until it has no call."""
        deadline = time.monotonic() + timeout
        while channels := self.channels():
            if time.monotonic() > deadline:
                raise AssertionError(f"Asterisk still has {channels}\n{self.log()[-4000:]}")
            time.sleep(0.02)

    def channels(self) -> list[Message]:
        """The calls that it has now."""
        number = self.manager.act("CoreShowChannels")["ActionID"]
        self.manager.wait_for("CoreShowChannelsComplete", ActionID=number)
        return self.manager.find("CoreShowChannel", ActionID=number)

    def hang_up(self, call: str) -> None:
        """End a call."""
        self.manager.act("Hangup", Channel=self._channel(call))

    def cause(self, call: str, timeout: float = 10.0) -> int:
        """Why a call ended, as a value of Q.850."""
        return int(self.manager.wait_for("Hangup", timeout, Uniqueid=call)["Cause"])

    def send_digits(self, call: str, digits: str) -> None:
        """Send digits, one after the other."""
        for digit in digits:
            self.manager.act("PlayDTMF", Channel=self._channel(call), Digit=digit, Duration="100")
            time.sleep(0.2)

    def digits(self, call: str) -> str:
        """The digits that a call has brought till now."""
        return "".join(event["Digit"] for event in self.manager.find("DTMFEnd", Uniqueid=call, Direction="Received"))

    # What arrived

    def forget_sound(self) -> None:
        """Let `received_tone` judge only what comes from now on."""
        self._heard = len(self._received())

    def received_tone(self, frequency: float) -> float:
        """How much of the power received lately, a second and a half of it at most, is at this frequency: 0 to 1."""
        return tone_share(self._received()[self._heard :][-RECORDED_RATE * 3 // 2 :], frequency, RECORDED_RATE)

    def usage(self) -> tuple[int, float]:
        """Resident memory, bytes, and CPU time, s, of the process."""
        return memory_and_cpu(self.process.pid)

    def _received(self) -> array.array[int]:
        recorded = sorted(self.folder.glob("heard-*.wav16"), key=lambda path: path.stat().st_mtime)
        return read_samples(recorded[-1]) if recorded else array.array("h")

    # The process

    def _originate(self, channel: str, extension: str) -> str:
        number = f"call-{time.monotonic_ns()}"
        parameters = {"Channel": channel, "ChannelId": number, "Context": "test", "Exten": extension, "Priority": "1"}
        self.manager.act("Originate", **parameters, Timeout="30000", Async="true")
        return number

    def _channel(self, call: str) -> str:
        return next(channel["Channel"] for channel in self.channels() if channel["Uniqueid"] == call)

    def _loader(self) -> list[str]:
        """The program of its C library that runs a program with the libraries of these folders."""
        program = next(self.root.glob("lib/*/ld-[0-9]*.so"))
        folders = [*self.root.glob("lib/*-linux-gnu*"), *self.root.glob("usr/lib/*-linux-gnu*"), self.root / "usr/lib"]
        return [str(program), "--library-path", ":".join(str(folder) for folder in folders)]

    def _connect(self, timeout: float = 20.0) -> Manager:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError), entered(self._namespace):
                return Manager(self.address, MANAGER_PORT)
            time.sleep(0.02)
        raise AssertionError(f"Asterisk did not start:\n{self.log()[-4000:]}")

    def _end(self) -> None:
        end(self.process)
        self._output.close()
