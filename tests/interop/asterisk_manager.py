"""Asterisk's manager interface: actions, their responses, and the events meanwhile."""

from __future__ import annotations

import contextlib
import itertools
import queue
import socket
import threading
import time
from collections.abc import Iterator

Message = dict[str, str]
"""One response or event by its keys; lines of one key are joined by newlines."""


class Manager:
    """A connection to a manager.  Raises OSError where nobody listens."""

    def __init__(self, address: str, port: int) -> None:
        self.events: list[Message] = []
        self._responses: dict[str, queue.Queue[Message]] = {}
        self._numbers = itertools.count(1)
        self._socket = socket.create_connection((address, port), timeout=10)
        self._socket.settimeout(None)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Hang up on the manager."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join(5)
        self._socket.close()

    def act(self, action: str, **parameters: str) -> Message:
        """Have something done, and give the response.  AssertionError: it is refused."""
        number = str(next(self._numbers))
        self._responses[number] = queue.Queue()
        lines = {"Action": action, "ActionID": number, **parameters}
        self._socket.sendall("".join(f"{key}: {value}\r\n" for key, value in lines.items()).encode() + b"\r\n")
        response = self._responses[number].get(timeout=10)
        assert response["Response"] in ("Success", "Goodbye"), (action, parameters, response)
        return response

    def find(self, event: str, **fields: str) -> list[Message]:
        """The events of this kind with these fields, as they came."""
        wanted = {"Event": event, **fields}
        return [found for found in list(self.events) if wanted.items() <= found.items()]

    def wait_for(self, event: str, timeout: float = 10.0, **fields: str) -> Message:
        """Wait until an event of this kind with these fields has come, and give the last one."""
        deadline = time.monotonic() + timeout
        while not (found := self.find(event, **fields)):
            if time.monotonic() > deadline:
                said = "\n".join(str(event) for event in self.events[-30:])
                raise AssertionError(f"Asterisk reported no {event} {fields} in {timeout} s but\n{said}")
            time.sleep(0.02)
        return found[-1]

    def _read(self) -> None:
        with self._socket.makefile("r", encoding="utf-8", errors="replace", newline="\r\n") as stream:
            stream.readline()  # its name and version
            for message in _messages(stream):
                if "Event" in message:
                    self.events.append(message)
                elif message.get("ActionID") in self._responses:
                    self._responses[message["ActionID"]].put(message)


def _messages(lines: Iterator[str]) -> Iterator[Message]:
    message: Message = {}
    with contextlib.suppress(OSError):
        for line in lines:
            key, _, value = line.rstrip("\r\n").partition(": ")
            if key:
                message[key] = f"{message[key]}\n{value}" if key in message else value
            else:
                yield message
                message = {}
