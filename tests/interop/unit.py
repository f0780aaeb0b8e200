"""A unit under test: a real process, `visavis run`, on the simulated board and an address of its own."""

from __future__ import annotations

import array
import contextlib
import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from interop.namespaces import Namespace, entered, inside
from interop.ports import own_address
from interop.process import family, family_memory_and_cpu
from interop.sound import read_samples, tone_share
from PIL import Image

from board.sim.counter import card_number, read_cards
from firmware.call.call import State as CallState
from firmware.config.toml import toml_value

ROOT = Path(__file__).parents[2]
SPEAKER_RATE = 48_000
CARD_LABEL = "Unit"
"""Of the test card that a unit's camera sees."""

STATES = {state.value for state in CallState}

Settings = Mapping[str, Mapping[str, Any]]
State = dict[str, Any]


class RefusedError(RuntimeError):
    """The API answered with an error."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Unit:
    """One `visavis run`.  Use as a context manager: inside, it is ready for calls.

    *settings* are those of its configuration, by section, over what a test needs: it answers by itself, hears *tone*
    Hz, and keeps what its speaker plays.  It may run in a *namespace* of the network, at the address there.  A panel
    that is not on loopback needs a *password*.
    """

    start_patience, patience, pause = 20.0, 10.0, 0.02
    """Seconds until it has to be ready, until what is waited for has to come, and between two looks."""

    def __init__(
        self,
        folder: Path,
        settings: Settings | None = None,
        *,
        address: str = "",
        tone: int = 660,
        namespace: Namespace | None = None,
        password: str = "",
    ) -> None:
        self.folder = folder
        self.address = address or own_address()
        self._namespace = namespace
        self._web = self.address if namespace is None else "127.0.0.1"
        self.sip_port = (settings or {}).get("sip", {}).get("port", 5060)
        self.tls_port = (settings or {}).get("sip", {}).get("tls_port", 5061)
        self.h323_port = (settings or {}).get("h323", {}).get("port", 1720)
        self.web_port = (settings or {}).get("web", {}).get("port", 8080)
        self.tone = tone
        self._password = password
        self.speaker = folder / "speaker.wav"
        self._settings = settings or {}
        self.start_time = 0.0
        """s from the start of the process until it was ready."""
        self.exit_status: int | None = None
        self._heard = 0
        self._told = 0

    def __enter__(self) -> Unit:
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration = self.folder / "unit.toml"
        configuration.write_text(self._configuration())
        self._log = (self.folder / "log").open("wb")
        begin = time.monotonic()
        self.process = subprocess.Popen(
            inside(self._namespace, [sys.executable, "-m", "firmware", "run", "--config", str(configuration)]),
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        self.start_time = time.monotonic() - begin
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.stop()
        if kind is None:
            assert self.exit_status == 0, self.log()
            assert "Traceback" not in self.log(), self.log()

    def stop(self) -> None:
        """End it as systemd would, and keep its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.exit_status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self.exit_status = None
        self._log.close()

    def log(self) -> str:
        """What it has printed."""
        return (self.folder / "log").read_text(errors="replace")

    def forget_history(self) -> None:
        """Let `history` tell only of what happens from now on."""
        self._told = len(self.log())

    def history(self, address: str) -> list[list[str]]:
        """How the calls went whose far end's address has this in it: the states of each, oldest first, then why.

        The last of a call that has ended is the sentence that says why.
        """
        calls: dict[str, list[str]] = {}
        for number, remote, state, why in re.findall(
            r" = call (\w+) (\S+) (\w+)(?:: ([^.]*\.).*)?\n", self.log()[self._told :]
        ):
            if address in remote and state in STATES:
                calls.setdefault(number, []).extend([state, why] if why else [state])
        return list(calls.values())

    @property
    def uri(self) -> str:
        """What to dial to reach it."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"sip:room@{host}:{self.sip_port}"

    @property
    def sips_uri(self) -> str:
        """What to dial to reach it by TLS."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"sips:room@{host}:{self.tls_port}"

    @property
    def certificate(self) -> Path:
        """The certificate that it made for itself."""
        return self.folder / "storage" / "tls" / "certificate.pem"

    @property
    def h323_url(self) -> str:
        """What to dial to reach it by H.323."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"h323:{host}:{self.h323_port}"

    @property
    def sip(self) -> tuple[str, int]:
        """Where its SIP listens."""
        return self.address, self.sip_port

    # The API

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Ask the API; give the JSON it answers, or the bytes of anything else.  RefusedError: it refused."""
        connection = http.client.HTTPConnection(self._web, self.web_port, timeout=10)
        with contextlib.closing(connection), entered(self._namespace):
            content = None if body is None else json.dumps(body).encode()
            headers = {"Content-Type": "application/json"} if content else {}
            if self._password:
                headers["Authorization"] = "Basic " + b64encode(f":{self._password}".encode()).decode()
            connection.request(method, f"/api/v1{path}", content, headers)
            response = connection.getresponse()
            data = response.read()
        if response.status >= 400:
            raise RefusedError(response.status, f"{method} {path}: {response.status} {data.decode(errors='replace')}")
        if "json" in (response.getheader("Content-Type") or ""):
            return json.loads(data)
        return data

    def state(self) -> State:
        """The room's state."""
        return dict(self.api("GET", "/state"))

    def dial(self, address: str) -> str:
        """Call somebody; gives the call's number."""
        return str(self.api("POST", "/calls", {"address": address})["id"])

    def command(self, call_id: str, name: str, body: object = None) -> Any:
        """Do something with a call: ``answer``, ``hold``, ``resume``, ``hang_up``, ``digits``."""
        return self.api("POST", f"/calls/{call_id}/{name}", body)

    def streams(self, call_id: str) -> dict[tuple[str, str], dict[str, Any]]:
        """The statistics of a call by kind and direction."""
        statistics = self.api("GET", f"/calls/{call_id}/statistics")
        return {(stream["kind"], stream["direction"]): stream for stream in statistics["streams"]}

    def audio_tick(self, call_id: str) -> dict[str, float]:
        """How late its audio tick was in the last second, s."""
        return dict(self.api("GET", f"/calls/{call_id}/statistics")["audio_tick"])

    def screen(self, width: int = 1280, height: int = 720) -> Image.Image:
        """What is on its screen."""
        with Image.open(io.BytesIO(self.api("GET", f"/screen.png?width={width}&height={height}"))) as picture:
            return picture.convert("RGB")

    def counter(self, label: str) -> int | None:
        """The counter of the test card of this label on its screen; None: it isn't there."""
        try:
            return read_cards(self.screen()).get(card_number(label))
        except RefusedError as error:
            if error.status != 503:  # while its media process starts again
                raise
            return None

    def forget_sound(self) -> None:
        """Let `heard_tone` judge only what is played from now on."""
        self._heard = len(read_samples(self.speaker))

    def heard_tone(self, frequency: float) -> float:
        """How much of the power that it played lately, a second and a half at most, is at this frequency: 0 to 1."""
        return tone_share(self.heard()[-SPEAKER_RATE * 3 // 2 :], frequency, SPEAKER_RATE)

    def heard(self) -> array.array[int]:
        """What it has played since `forget_sound`."""
        return read_samples(self.speaker)[self._heard :]

    def wait(self, wanted: Callable[[State], bool], timeout: float | None = None) -> State:
        """Wait until the state is as wanted, and give it."""
        timeout = timeout or self.patience
        deadline = time.monotonic() + timeout
        while True:
            state = self.state()
            if wanted(state):
                return state
            if time.monotonic() > deadline:
                raise AssertionError(f"not in {timeout} s; now {json.dumps(state, indent=1)}\n{self.log()[-4000:]}")
            time.sleep(self.pause)

    def wait_for_call(self, call_state: str = "active", timeout: float | None = None) -> str:
        """Wait until a call is in this state, and give its number."""
        state = self.wait(lambda state: any(call["state"] == call_state for call in state["calls"]), timeout)
        return str(next(call["id"] for call in state["calls"] if call["state"] == call_state))

    def wait_for_idle(self, timeout: float | None = None) -> State:
        """Wait until there is no call."""
        return self.wait(lambda state: not state["calls"], timeout)

    def usage(self) -> tuple[int, float]:
        """Resident memory, bytes, and CPU time, s, of all its processes."""
        return family_memory_and_cpu(self.process.pid)

    def kill_media_worker(self) -> None:
        """End its media process as a crash would."""
        for pid in family(self.process.pid):
            if b"media-worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
                return
        raise AssertionError("there is no media process")

    # Configuration

    def _configuration(self) -> str:
        sections: dict[str, dict[str, Any]] = {
            "room": {"name": "Unit", "auto_answer": True},
            "sip": {"addresses": [self.address], "port": self.sip_port},
            "h323": {"addresses": [self.address]},
            "media": {},
            "web": {"addresses": [self._web], "port": self.web_port},
            "tls": {},
            "storage": {"folder": str(self.folder / "storage")},
            "board": {"kind": "sim"},
            "board.sim": {"camera_label": CARD_LABEL, "microphone_tone": self.tone, "speaker": str(self.speaker)},
            "log": {"level": "debug"},
        }
        if self._password:
            from firmware.web.auth import hash_password

            sections["web"]["password_hash"] = hash_password(self._password)
        for section, values in self._settings.items():
            sections.setdefault(section, {}).update(values)
        lines = []
        for section, values in sections.items():
            lines += [f"[{section}]", *(f"{key} = {toml_value(value)}" for key, value in values.items())]
        return "\n".join(lines) + "\n"

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.start_patience
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the unit ended with status {self.process.returncode}:\n{self.log()}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.state()["ready"]:
                    return
            time.sleep(self.pause / 2)
        raise AssertionError(f"the unit was not ready in {self.start_patience} s:\n{self.log()}")
