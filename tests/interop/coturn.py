"""coturn as a STUN and TURN server."""

from __future__ import annotations

import re
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from certificates import Issued
from interop.namespaces import Namespace, entered, inside
from interop.ports import own_address
from interop.process import end
from interop.waiting import until

PORT, SECURE_PORT = 3478, 443
REALM = "example.com"


@dataclass
class Coturn:
    """One coturn.  Use as a context manager: inside, it answers."""

    program: str
    folder: Path
    address: str = field(default_factory=own_address)
    user: str = "room"
    password: str = "word"
    arguments: tuple[str, ...] = ()
    """More of its own: ``--stale-nonce=2``."""
    namespace: Namespace | None = None
    certificate: Issued | None = None
    """It then listens by TCP and TLS too (root only: `SECURE_PORT`)."""

    def __enter__(self) -> Coturn:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._log = (self.folder / "log").open("wb")
        arguments = ["-n", "--no-cli", "--no-dtls", "--no-tcp-relay", "--log-file=stdout", "-v"]
        if self.certificate is None:
            arguments += ["--no-tls", "--no-tcp"]
        else:
            arguments += [f"--cert={self.certificate.certificate}", f"--pkey={self.certificate.key}"]
            arguments += [f"--tls-listening-port={SECURE_PORT}"]
        arguments += [f"--listening-ip={self.address}", f"--relay-ip={self.address}", f"--listening-port={PORT}"]
        arguments += [f"--pidfile={self.folder / 'pid'}", f"--userdb={self.folder / 'db'}", "--relay-threads=1"]
        arguments += ["--lt-cred-mech", f"--user={self.user}:{self.password}", f"--realm={REALM}"]
        arguments += ["--allow-loopback-peers"] if self.address.startswith("127.") else []
        self.process = subprocess.Popen(
            inside(self.namespace, [self.program, *arguments, *self.arguments]),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        if not until(self._answers):
            self.__exit__()
            raise AssertionError(f"coturn does not answer:\n{self.log()[-4000:]}")
        return self

    def __exit__(self, *_: object) -> None:
        end(self.process)
        self._log.close()

    @property
    def server(self) -> tuple[str, int]:
        """Where it listens."""
        return self.address, PORT

    def log(self) -> str:
        """What it has printed."""
        return (self.folder / "log").read_text(errors="replace")

    def granted(self, what: str) -> int:
        """How many requests of this method (``ALLOCATE``, ``CHANNEL_BIND``) it has granted."""
        return self.log().count(f"{what} processed, success")

    @property
    def given_back(self) -> int:
        """How many allocations were ended by their owners."""
        # A request that goes twice is answered twice.
        return len(set(re.findall(r"session (\d+): refreshed,.*lifetime=0\b", self.log())))

    @property
    def settings(self) -> dict[str, object]:
        """Those of a unit that uses it."""
        return self.settings_by("udp")

    def settings_by(self, transport: str) -> dict[str, object]:
        """Those of a unit that reaches it so: ``udp``, ``tcp`` or ``tls``."""
        ways = {
            "udp": self.address,
            "tcp": f"turn:{self.address}?transport=tcp",
            "tls": f"turns:{self.address}:{SECURE_PORT}",
        }
        own = {"turn": ways[transport], "turn_user": self.user, "turn_password": self.password}
        return {"ice": True, "stun": [self.address], **own}

    def _answers(self) -> bool:
        with entered(self.namespace), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.2)
            try:
                probe.sendto(bytes.fromhex("000100002112a442") + b"visavis-test", self.server)
                return bool(probe.recv(512))
            except OSError:
                return False
