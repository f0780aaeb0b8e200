"""SIPp, running one of the scenarios in ``sipp/``: those that end in .xml are SIPp's own, those in .flow are short.

In an .xml, a line ``SDP sendonly 2`` stands for ``media.sdp`` with this direction and version.
"""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from interop.ports import free_port, free_ports, is_free
from interop.sipp_flow import read_flow, session_description

SCENARIOS = Path(__file__).parent / "sipp"


@dataclass
class Sipp:
    """One run of a scenario.  Use as a context manager around what happens meanwhile, then `finish`."""

    program: str
    folder: Path
    scenario: str
    """The file's name without its ending."""
    remote: tuple[str, int] | None = None
    """Whom to call; None: wait to be called."""
    address: str = "127.0.0.1"
    media_address: str = ""
    """Where its media are; "": at *address*."""
    transport: str = "udp"
    calls: int = 1
    rate: int = 10
    """Calls begun in a second."""
    limit: int = 1
    """Calls at the same time."""
    trace: bool = True
    """Write down all that passes."""
    exact: bool = False
    """Repeat nothing, and take nothing that comes again for a repetition, over UDP as well."""
    replace: tuple[tuple[str, str], ...] = ()
    """Words of the scenario to replace first: SIPp's own keywords don't reach everywhere."""
    timeout: float = 30.0

    def __enter__(self) -> Sipp:
        self.folder.mkdir(parents=True, exist_ok=True)
        flow = SCENARIOS / f"{self.scenario}.flow"
        text = (flow if flow.exists() else SCENARIOS / f"{self.scenario}.xml").read_text()
        for word, by in self.replace:
            assert word in text, (word, self.scenario)
            text = text.replace(word, by)
        if flow.exists():
            text = read_flow(text)
        text = re.sub(r"^( *)SDP (\w+) (\w+)$", _session_description, text, flags=re.MULTILINE)
        scenario = self.folder / f"{self.scenario}.xml"
        scenario.write_text(text)
        self.port = free_port(self.address)
        media = free_ports(8, self.media_address or self.address)
        self._output = (self.folder / "output").open("wb")
        arguments = [self.program, "-sf", str(scenario), "-m", str(self.calls), "-nostdin"]
        arguments += ["-r", str(self.rate), "-l", str(self.limit)]
        arguments += ["-i", self.address, "-p", str(self.port), "-t", "t1" if self.transport == "tcp" else "u1"]
        arguments += ["-mi", self.media_address or self.address, "-mp", str(media.start), "-rtp_echo"]
        arguments += ["-timeout", f"{self.timeout:.0f}s", "-timeout_error", "-s", "room"]
        if self.exact:
            arguments.append("-nr")
        if self.trace:
            arguments += ["-trace_err", "-error_file", "errors", "-trace_msg", "-message_file", "messages"]
        if self.remote:
            host, port = self.remote
            arguments.append(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        self.process = subprocess.Popen(
            arguments, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT
        )
        if self.remote is None:
            self._wait_until_it_listens()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._output.close()

    @property
    def uri(self) -> str:
        """What to dial to reach it."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"sip:sipp@{host}:{self.port}" + (";transport=tcp" if self.transport == "tcp" else "")

    def finish(self) -> None:
        """Wait for its end; AssertionError: the scenario did not go as written, with all that passed."""
        status = self.process.wait(self.timeout + 10)
        assert status == 0, f"SIPp ended with {status}\n{self._read('errors')}\n{self._read('messages')[-6000:]}"

    def messages(self) -> str:
        """All that passed, as SIPp wrote it down."""
        return self._read("messages")

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + 10
        while is_free(self.address, self.port) and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)

    def _read(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(errors="replace") if path.exists() else ""


def _session_description(line: re.Match[str]) -> str:
    return "\n".join(line[1] + each for each in session_description(line[2], line[3]).splitlines())
