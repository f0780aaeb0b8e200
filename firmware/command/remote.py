"""``visavis dial``, ``answer``, ``hangup`` and ``status``: talk to the running unit over its API."""

from __future__ import annotations

import base64
import http.client
import json
import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from firmware.errors import ConfigError, FirmwareError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

TIMEOUT: Final = 10.0
"""Until a unit that doesn't answer is given up, s."""
LONGEST: Final = 1_000_000
"""Bytes of an answer that are read."""
OTHER: Final = "something else answers there"


def run(arguments: Namespace) -> int:
    """Do a command of COMMANDS."""
    try:
        return COMMANDS[arguments.command](arguments)
    except (KeyError, TypeError):  # its answer is JSON, but not as our API gives it
        raise FirmwareError(f"{arguments.url} is no unit: {OTHER}") from None


def dial(arguments: Namespace) -> int:
    """Call an address."""
    call = ask(arguments.url, "POST", "/calls", {"address": arguments.address})
    print(f"call {call['id']} to {call['remote']}: {call['state']}")
    return 0


def answer(arguments: Namespace) -> int:
    """Answer a call."""
    call = ask(arguments.url, "POST", f"/calls/{quote(os.fsencode(arguments.call), safe='')}/answer")
    print(f"call {call['id']} with {_who(call)}: {call['state']}")
    return 0


def hangup(arguments: Namespace) -> int:
    """End a call."""
    ask(arguments.url, "POST", f"/calls/{quote(os.fsencode(arguments.call), safe='')}/hang_up")
    return 0


def status(arguments: Namespace) -> int:
    """Print how the unit is."""
    state = ask(arguments.url, "GET", "/state")
    if arguments.json:
        print(json.dumps(state, indent=2, ensure_ascii=False))
        return 0
    print(f"{state['name']}: {'ready' if state['ready'] else 'not ready: sound and picture are starting'}")
    print(f"  dialled as {' or '.join(state['addresses']) or 'nothing: no network, or no protocol is enabled'}")
    print(f"  volume {state['volume']}{', muted' if state['muted'] else ''}")
    for fault in (*state["warnings"], *state["faults"]):
        print(f"  {fault}")
    for device in state["absent"]:
        print(f"  {device}: none, as configured")
    for registration in state["registrations"]:
        print(f"  {_registered(registration)}")
    for call in state["calls"]:
        held = ", on hold" if call["held"] else ", held by the far end" if call["held_by_far_end"] else ""
        flows = call["state"] == "active" and not held
        safe = f", {_secrecy(call)}" if flows else ""
        print(f"  call {call['id']} {'from' if call['incoming'] else 'to'} {_who(call)}: {call['state']}{held}{safe}")
        if call["state"] == "active":
            for stream in ask(arguments.url, "GET", f"/calls/{call['id']}/statistics")["streams"]:
                print(f"    {flow(stream)}")
    return 0


def _secrecy(call: dict[str, Any]) -> str:
    if call["exposed"]:
        return "encrypted, but its key was sent in the clear"
    return "encrypted" if call["encrypted"] else "not encrypted"


def flow(stream: dict[str, Any]) -> str:
    """Say in words what one stream does."""
    words = [f"{'sends' if stream['direction'] == 'send' else 'receives'} {stream['kind']}: {stream['codec']}"]
    if stream["kind"] == "video":
        words.append(f"{stream['width']}x{stream['height']}, {stream['frame_rate']:.0f} frames/s")
    words.append(f"{stream['bitrate'] / 1000:.0f} kbit/s")
    words.append(f"loss {stream['loss'] * 100:.1f} %")
    if stream["round_trip"] is not None:
        words.append(f"round trip {stream['round_trip'] * 1000:.1f} ms")
    return ", ".join(words)


def ask(url: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Do one operation of the API and give its answer.  FirmwareError: it was refused, or the unit isn't there."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname if parts.scheme == "http" else None, parts.port or 80
    except ValueError:
        host, port = None, 0
    if not host:
        raise ConfigError(f"--url {url}: must be like http://192.0.2.1:8080")
    headers = {"Content-Type": "application/json"}
    password = os.environ.get("VISAVIS_PASSWORD", "")
    if password:
        credentials = f"visavis:{password}".encode(errors="surrogateescape")
        headers["Authorization"] = "Basic " + base64.b64encode(credentials).decode()
    try:
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        try:
            connection.request(method, f"/api/v1{path}", json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            text = response.read(LONGEST)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or "no answer"
        raise FirmwareError(f"no unit answers at {url}: {reason}") from None
    try:
        answer = json.loads(text) if text else None
    except (ValueError, RecursionError):
        raise FirmwareError(f"{url} is no unit: {OTHER}") from None
    if response.status == 401:
        wrong = "VISAVIS_PASSWORD is not its password" if password else "put its password into VISAVIS_PASSWORD"
        raise FirmwareError(f"the unit at {url} has a password: {wrong}")
    if response.status >= 400:
        raise FirmwareError(answer["error"] if isinstance(answer, dict) and "error" in answer else response.reason)
    return answer


def _registered(registration: dict[str, Any]) -> str:
    where = f"{registration['protocol']} as {registration['address']} with {registration['server']}"
    if registration["state"] == "registered":
        expires = registration["expires"]
        return f"registered by {where}" + (f" for {expires:.0f} s" if expires is not None else "")
    doing = "registering" if registration["state"] == "trying" else "not registered"
    return f"{doing} by {where}" + (f": {registration['reason']}" if registration["reason"] else "")


def _who(call: dict[str, Any]) -> str:
    return f"{call['remote_name']} ({call['remote']})" if call["remote_name"] else str(call["remote"])


COMMANDS: Final[dict[str, Callable[[Namespace], int]]] = {
    "dial": dial,
    "answer": answer,
    "hangup": hangup,
    "status": status,
}
