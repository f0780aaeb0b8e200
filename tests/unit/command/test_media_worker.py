from __future__ import annotations

import signal
import socket
import subprocess
import sys

from firmware.media.link import ReportReader, send_command
from firmware.media.message import Configure, Ready


def test_it_works_until_its_commands_end_whatever_the_signals() -> None:
    commands, their_commands = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reports, their_reports = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ends = their_commands.fileno(), their_reports.fileno()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "firmware", "media-worker", "--board", "sim"),
            *("--command-fd", str(ends[0]), "--report-fd", str(ends[1])),
        ],
        pass_fds=ends,
        stderr=subprocess.PIPE,
        text=True,
    )
    their_commands.close()
    their_reports.close()
    with commands, reports:
        send_command(commands, Configure(320, 180, 15))
        reports.settimeout(30)
        reader = ReportReader()
        while not any(isinstance(report, Ready) for report in reader.receive(reports.recv(65_536))):
            pass
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        assert reports.recv(65_536)
        commands.close()
        _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, "")


def test_a_board_that_is_not_there_is_one_line() -> None:
    arguments = ["--board", "toaster", "--command-fd", "0", "--report-fd", "1"]
    result = subprocess.run(
        [sys.executable, "-m", "firmware", "media-worker", *arguments], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr.startswith("visavis: board.kind = 'toaster'")
