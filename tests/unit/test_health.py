"""`firmware.health`: what systemd hears."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from firmware.health import ALIVE, READY, notify, watchdog_time


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool) -> None:
    path = f"@visavis-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path.replace("@", "\0"))
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        notify(READY)
        notify(ALIVE)
        assert [systemd.recv(64) for _ in range(2)] == [b"READY=1", b"WATCHDOG=1"]


@pytest.mark.parametrize("path", ["", "nonsense", "/no/such/socket", "/" + "x" * 200])
def test_where_nobody_listens_nothing_fails(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    notify(READY)


@pytest.mark.parametrize(
    ("microseconds", "pid", "time"),
    [
        ("30000000", None, 30.0),
        ("30000000", os.getpid(), 30.0),
        ("30000000", 1, None),
        ("0", None, None),
        ("soon", None, None),
        (None, None, None),
    ],
)
def test_how_often_it_wants_to(
    monkeypatch: pytest.MonkeyPatch, microseconds: str | None, pid: int | None, time: float | None
) -> None:
    for name, value in (("WATCHDOG_USEC", microseconds), ("WATCHDOG_PID", pid)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, str(value))
    assert watchdog_time() == time
