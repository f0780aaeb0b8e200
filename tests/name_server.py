"""dnsmasq as a name server of the tests, on a loopback address of its own."""

from __future__ import annotations

import random
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_random = random.SystemRandom()


class NameServer:
    """A name server for these *records*, each a line of dnsmasq's configuration; it knows nothing else.

    Use as a context manager: it runs inside, at ``server``.
    """

    def __init__(self, program: str, folder: Path, records: Sequence[str]) -> None:
        self._program = program
        self._folder = folder
        self._records = records
        self.address = f"127.{_random.randrange(1, 250)}.{_random.randrange(250)}.{_random.randrange(2, 250)}"
        self.server = f"{self.address}:5353"
        """``host:port``."""
        self.log: list[str] = []
        self._started = threading.Event()

    def __enter__(self) -> NameServer:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / "dnsmasq.conf"
        options = ["no-resolv", "no-hosts", "bind-interfaces", f"listen-address={self.address}", "port=5353"]
        options += ["log-queries", "log-facility=-", "pid-file=", "local-ttl=100", "local=//"]
        path.write_text("\n".join([*options, *self._records]) + "\n")
        self._process = subprocess.Popen(
            [self._program, "--keep-in-foreground", f"--conf-file={path}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._started.wait(10), self.log
        return self

    def __exit__(self, *_: Any) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._reader.join(5)
        assert self._process.stderr is not None
        self._process.stderr.close()

    def asked(self, question: str) -> int:
        """How often it was asked this, as in ``query[SRV] _sip._udp.example.com``."""
        return sum(f"{question} from" in line for line in self.log)

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.log.append(line)
            if "started" in line:
                self._started.set()
        self._started.set()
