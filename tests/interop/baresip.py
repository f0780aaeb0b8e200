"""baresip as a far end: configured, started, commanded over its control port, and its ears and eyes read.

Pitfalls of version 1.0, met and avoided here:

- On loopback it finds no address by itself: ``net_interface`` takes an address, and 127.0.0.1 is the one its media
  really come from.
- Without a source of sound or a display that start, it logs "answering" and sends no 200.  A file must have the codec's
  own rate and channels; the ``fakevideo`` display is enough for ``snapshot`` to see pictures.
- A re-INVITE takes the recorder out of its audio pipeline: what it hears after a hold is counted, not kept.
- ``snapshot_recv`` takes a path of at most 99 characters: ours are relative to its working directory.
"""

from __future__ import annotations

import array
import contextlib
import json
import queue
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from interop.namespaces import Namespace, entered, inside
from interop.ports import free_port, free_ports
from interop.process import end, memory_and_cpu
from interop.sound import read_samples, tone_share, write_tone
from PIL import Image

MODULE_FOLDERS = ("/usr/lib/baresip/modules", "/usr/lib/*/baresip/modules", "/usr/local/lib/baresip/modules")
AUDIO_MODULES = {"opus": "opus", "G722": "g722", "PCMU": "g711", "PCMA": "g711"}
AUDIO_FORMATS = {"opus": (48_000, 2), "G722": (16_000, 1), "PCMU": (8_000, 1), "PCMA": (8_000, 1)}
"""Rate, Hz, and channels of the sound itself, as baresip names the codec in an account."""


@dataclass
class Baresip:
    """One baresip process.  Use as a context manager: it runs inside."""

    program: str
    folder: Path
    """Its working directory: configuration, log, pictures and sound."""
    codec: str = "G722"
    tone: float = 440.0
    """Hz of what its microphone hears."""
    card: Path | None = None
    """The video file that its camera plays; None: it has no video."""
    width: int = 1280
    height: int = 720
    bitrate: int = 1_500_000
    answer: str = "auto"
    """``auto``, or ``manual``: rings until `command` ``accept``."""
    transport: str = "udp"
    """With ``tls``, it listens one port above ``port``, and *settings* name its certificate."""
    record: bool = True
    """Keep the sound, sent and received, as WAV files."""
    encryption: str = ""
    """``srtp``, ``srtp-mand``, ``srtp-mandf`` (by security descriptions) or ``dtls_srtp``."""
    settings: Sequence[str] = ()
    """More lines of configuration."""
    ice: bool = False
    """Look for a way by ICE, of which it knows the RFC 5245 kind."""
    server: str = ""
    """Of STUN, ``stun:192.0.2.1:3478``, that it asks where it is; "": none."""
    namespace: Namespace | None = None
    """The network that it is in; then *address* is one of that."""
    address: str = "127.0.0.1"
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self._responses: queue.Queue[dict[str, Any]] = queue.Queue()
        self._pictures = 0
        self._heard = 0

    @property
    def uri(self) -> str:
        """What to dial to reach it."""
        port = self.port + 1 if self.transport == "tls" else self.port
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"sip:baresip@{host}:{port}" + (f";transport={self.transport}" if self.transport != "udp" else "")

    def __enter__(self) -> Baresip:
        self.folder.mkdir(parents=True, exist_ok=True)
        control = free_port()
        (self.folder / "config").write_text(self._configuration(control))
        (self.folder / "accounts").write_text(self._account() + "\n")
        (self.folder / "contacts").write_text("")
        self._log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(
            inside(self.namespace, [self.program, "-f", str(self.folder)]),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        try:
            self._control = self._connect(control)
        except BaseException:
            self._end()
            raise
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        self._end()
        self._control.close()
        self._reader.join(5)

    def _end(self) -> None:
        end(self.process)
        self._log.close()

    def log(self) -> str:
        """What it has printed."""
        return (self.folder / "log").read_text(errors="replace")

    # Commands

    def command(self, name: str, parameters: str = "") -> str:
        """Give a command of its menu and return what it prints."""
        message = json.dumps({"command": name, "params": parameters, "token": "t"}).encode()
        self._control.sendall(b"%d:%s," % (len(message), message))
        response = self._responses.get(timeout=10)
        assert response["ok"], (name, response)
        return str(response["data"])

    def dial(self, uri: str) -> None:
        """Start a call."""
        self.command("dial", uri)

    def wait_for(self, event: str, timeout: float = 10.0) -> dict[str, Any]:
        """Wait until an event of this type (``CALL_ESTABLISHED``, ...) has come, and give it."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for found in self.events:
                if found.get("type") == event:
                    return found
            time.sleep(0.02)
        raise AssertionError(f"baresip reported no {event} in {timeout} s but {self.events}\n{self.log()[-4000:]}")

    def forget_events(self) -> None:
        """Forget what was reported till now."""
        self.events.clear()

    # What arrived

    def received_picture(self, timeout: float = 5.0) -> Image.Image:
        """The next picture that it decodes."""
        self._pictures += 1
        name = f"picture-{self._pictures}.png"
        self.command("snapshot_recv", name)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if f"png: wrote {name}" in self.log():
                with Image.open(self.folder / name) as picture:
                    return picture.convert("RGB")
            time.sleep(0.02)
        raise AssertionError(f"baresip decoded no picture in {timeout} s\n{self.log()[-4000:]}")

    def forget_sound(self) -> None:
        """Let `received_tone` judge only what comes from now on."""
        self._heard = len(self._received())

    def received_tone(self, frequency: float) -> float:
        """How much of the power received lately, a second and a half of it at most, is at this frequency: 0 to 1."""
        rate = AUDIO_FORMATS[self.codec][0]
        return tone_share(self._received()[self._heard :][-rate * 3 // 2 :], frequency, rate)

    def decoded_seconds(self) -> float:
        """How much sound it has decoded since the call began, s: goes on after a hold, when the recording doesn't."""
        found = re.search(r"rx: +decode.*?time = ([\d.]+) sec", self.command("audio_debug"), re.DOTALL)
        return float(found[1]) if found else 0.0

    def _received(self) -> array.array[int]:
        recorded = sorted(self.folder.glob("*-dec.wav"))
        return read_samples(recorded[-1], AUDIO_FORMATS[self.codec][1]) if recorded else array.array("h")

    def usage(self) -> tuple[int, float]:
        """Resident memory, bytes, and CPU time, s, of the process."""
        return memory_and_cpu(self.process.pid)

    # Configuration

    def _account(self) -> str:
        rate, channels = AUDIO_FORMATS[self.codec]
        video = "H264" if self.card else ""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return (
            f"<sip:baresip@{host}:{self.port};transport={self.transport}>;regint=0;answermode={self.answer}"
            f";audio_codecs={self.codec}/{rate}/{channels}"
            + (f";video_codecs={video}" if video else "")
            + (f";mediaenc={self.encryption}" if self.encryption else "")
            + (";medianat=ice" if self.ice else "")
            + (f";stunserver={self.server}" if self.server else "")
        )

    def _configuration(self, control: int) -> str:
        rate, channels = AUDIO_FORMATS[self.codec]
        tone = write_tone(self.folder / "tone.wav", self.tone, rate, channels, seconds=60)
        media = free_ports(40)
        modules = ["aufile", AUDIO_MODULES[self.codec], *(["sndfile"] if self.record else [])]
        modules += ["srtp", "dtls_srtp"] if self.encryption else []
        modules += ["stun", "turn", "ice"] if self.ice else []
        lines = [
            "poll_method epoll",
            f"sip_listen {f'[{self.address}]' if ':' in self.address else self.address}:{self.port}",
            f"net_interface {self.address}",
            f"rtp_ports {media.start}-{media.stop - 1}",
            "call_local_timeout 60",
            "call_max_calls 4",
            f"audio_source aufile,{tone}",
            "audio_alert none,none",
            "jitter_buffer_delay 5-10",
            "statmode_default off",
            f"snd_path {self.folder}",
            f"ctrl_tcp_listen 127.0.0.1:{control}",
        ]
        if self.card:
            modules += ["avcodec", "avformat", "snapshot", "fakevideo"]
            lines += [
                f"video_source avformat,{self.card}",
                "video_display fakevideo,nil",
                f"video_size {self.width}x{self.height}",
                f"video_bitrate {self.bitrate}",
                "video_fps 30",
            ]
        folder = module_folder()
        lines.append(f"module_path {folder}")
        lines += [f"module {name}.so" for name in modules]
        lines += [f"module_tmp {name}.so" for name in ("uuid", "account") if (folder / f"{name}.so").exists()]
        lines += ["module_app menu.so", "module_app ctrl_tcp.so"]
        return "\n".join([*lines, *self.settings]) + "\n"

    # The control port: netstrings of JSON

    def _connect(self, port: int) -> socket.socket:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with entered(self.namespace):
                    return socket.create_connection(("127.0.0.1", port))
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"baresip did not start:\n{self.log()}")

    def _read(self) -> None:
        buffer = b""
        while True:
            try:
                data = self._control.recv(65_536)
            except OSError:
                return
            if not data:
                return
            buffer += data
            while (head := re.match(rb"(\d+):", buffer)) and len(buffer) > head.end() + int(head[1]):
                message = json.loads(buffer[head.end() : head.end() + int(head[1])])
                buffer = buffer[head.end() + int(head[1]) + 1 :]
                if message.get("response"):
                    self._responses.put(message)
                else:
                    self.events.append(message)


def module_folder() -> Path:
    """Where this machine's baresip keeps its modules."""
    return next(_module_folders())


def _module_folders() -> Iterator[Path]:
    for pattern in MODULE_FOLDERS:
        yield from (path for path in Path("/").glob(pattern[1:]) if (path / "menu.so").exists())
